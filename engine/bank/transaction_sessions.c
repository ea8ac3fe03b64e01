#include "engine/bank/transaction_sessions.h"

#include "engine/bank/bank_parts.h"
#include "mem/assert.h"

erx_touched_session_t *erx_touched_find(erx_transaction_sessions_t *sessions,
                                        const erx_session_t *session)
{
    for (uint32_t i = 0; i < sessions->count; i++)
        if (sessions->touched[i].session == session && !sessions->touched[i].closes)
            return &sessions->touched[i];
    return NULL;
}

static erx_touched_session_t *add(erx_transaction_sessions_t *sessions, erx_bank_t *bank,
                                  uint32_t pool, erx_session_t *session)
{
    ERX_ASSERT(sessions->count < ERX_TOUCHED_SESSIONS_MAX);
    erx_touched_session_t *touched = &sessions->touched[sessions->count++];
    touched->pool = pool;
    touched->session = session;
    touched->is_created = false;
    touched->joins = false;
    touched->closes = false;
    touched->wants_frame = false;
    erx_session_mark(erx_bank_pool(bank, pool), session, &touched->mark);
    return touched;
}

erx_touched_session_t *erx_touched_take(erx_transaction_sessions_t *sessions, erx_bank_t *bank,
                                        uint32_t pool, erx_session_t *session)
{
    erx_touched_session_t *touched = erx_touched_find(sessions, session);
    return touched == NULL ? add(sessions, bank, pool, session) : touched;
}

erx_status_t erx_touched_create(erx_transaction_sessions_t *sessions, erx_bank_t *bank,
                                uint32_t pool, const erx_session_terms_t *terms,
                                erx_touched_session_t **touched_out, erx_error_t *error)
{
    uint64_t handle;
    erx_session_pool_t *slots = erx_bank_pool(bank, pool);
    erx_touched_session_t *touched = add(sessions, bank, pool, NULL);
    erx_status_t status = erx_session_create(slots, terms, &handle, error);
    if (status != ERX_OK) {
        sessions->count--;
        return status;
    }
    touched->session = erx_session_find(slots, handle);
    touched->is_created = true;
    *touched_out = touched;
    return ERX_OK;
}

void erx_touched_rollback(erx_transaction_sessions_t *sessions, erx_bank_t *bank)
{
    for (uint32_t i = sessions->count; i-- > 0;)
        erx_session_restore(erx_bank_pool(bank, sessions->touched[i].pool),
                            &sessions->touched[i].mark);
    sessions->count = 0;
}

/* Enters the accounts of a session that the transaction created. */
static void link_accounts(erx_bank_t *bank, const erx_touched_session_t *touched)
{
    const erx_transaction_context_t *transaction = &bank->transaction;
    uint32_t accounts[ERX_SESSION_ACCOUNTS];
    uint32_t pool, found = 0;
    for (uint32_t i = 0; i < transaction->keys.count; i++) {
        uint32_t index = transaction->indexes[i];
        if (index == ERX_ACCOUNT_NONE || erx_bank_session(bank, index, &pool) != touched->session)
            continue;
        uint8_t kind = erx_accounts_entry(transaction->accounts, index)->kind;
        accounts[kind - ERX_ACCOUNT_SESSION_STATE] = index;
        found++;
    }
    ERX_ASSERT(found == ERX_SESSION_ACCOUNTS);
    erx_bank_sessions_link(bank, accounts);
}

/* Places of the table that closed sessions leave may be created ones' already. */
static void end_closed(erx_transaction_sessions_t *sessions, erx_bank_t *bank)
{
    for (uint32_t i = 0; i < sessions->count; i++) {
        const erx_touched_session_t *touched = &sessions->touched[i];
        if (!touched->closes)
            continue;
        erx_bank_tell_closing(bank, touched->pool, touched->session, touched->session_id);
        if (!touched->is_created)
            erx_bank_sessions_unlink(bank, touched->pool, touched->session->slot);
        erx_session_end(erx_bank_pool(bank, touched->pool), touched->session);
    }
}

void erx_touched_commit(erx_transaction_sessions_t *sessions, erx_bank_t *bank)
{
    end_closed(sessions, bank);
    for (uint32_t i = 0; i < sessions->count; i++) {
        const erx_touched_session_t *touched = &sessions->touched[i];
        bank->unrecorded_starts += touched->is_created;
        if (touched->closes)
            continue;
        if (touched->is_created)
            link_accounts(bank, touched);
        if (touched->joins)
            erx_bank_changes_add_session(bank, touched->pool, touched->session->slot);
        if (touched->wants_frame) {
            erx_status_t status =
                erx_block_add(bank->block, erx_bank_model(bank, touched->pool), touched->session);
            ERX_ASSERT(status == ERX_OK); /* it was active and not in the block */
        }
    }
    sessions->count = 0;
}
