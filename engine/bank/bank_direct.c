/* Changes that an embedder makes without a transaction. */
#include <string.h>

#include "engine/bank/bank_parts.h"
#include "engine/transfer.h"
#include "mem/assert.h"

static erx_status_t check_places(erx_bank_t *bank, const erx_key_t keys[ERX_SESSION_ACCOUNTS],
                                 erx_error_t *error)
{
    if (!erx_bank_changes_have_room(bank, ERX_SESSION_ACCOUNTS))
        return erx_error_set(error, ERX_ERR_FULL,
                             "more accounts were changed than one block can tell of; seal a block");
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++)
        if (erx_accounts_find(bank->config.accounts, &keys[i]) != ERX_ACCOUNT_NONE)
            return erx_error_set(error, ERX_ERR_STATE,
                                 "the session's id is in use: one of its addresses has an account");
    return ERX_OK;
}

/* Makes the accounts of a session that was created. */
static erx_status_t make_accounts(erx_bank_t *bank, const erx_bank_session_t *terms,
                                  const erx_session_t *session,
                                  const erx_key_t keys[ERX_SESSION_ACCOUNTS],
                                  uint32_t accounts_out[ERX_SESSION_ACCOUNTS], erx_error_t *error)
{
    erx_account_entry_t entries[ERX_SESSION_ACCOUNTS];
    erx_bank_session_entries(bank, terms->pool, session, terms->session_id, terms->tick_divisor,
                             entries);
    erx_accounts_begin(bank->config.accounts);
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++) {
        entries[i].key = keys[i];
        erx_status_t status =
            erx_accounts_create(bank->config.accounts, &entries[i], &accounts_out[i], error);
        if (status != ERX_OK) {
            erx_accounts_rollback(bank->config.accounts);
            return status;
        }
    }
    erx_accounts_commit(bank->config.accounts);
    return ERX_OK;
}

/* Gives a session that has just started its accounts; takes it back where it
 * cannot have them. */
static erx_status_t settle_in(erx_bank_t *bank, const erx_bank_session_t *terms, uint64_t handle,
                              const erx_session_mark_t *mark,
                              const erx_key_t keys[ERX_SESSION_ACCOUNTS], erx_error_t *error)
{
    uint32_t accounts[ERX_SESSION_ACCOUNTS];
    erx_session_pool_t *pool = erx_bank_pool(bank, terms->pool);
    erx_status_t status =
        make_accounts(bank, terms, erx_session_find(pool, handle), keys, accounts, error);
    if (status != ERX_OK) {
        erx_session_restore(pool, mark);
        return status;
    }
    bank->unrecorded_starts++;
    bank->unrecorded_writes++;
    erx_bank_sessions_link(bank, accounts);
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++)
        erx_bank_changes_add(bank, &keys[i], accounts[i]);
    return ERX_OK;
}

erx_status_t erx_bank_create_session(erx_bank_t *bank, const erx_bank_session_t *terms,
                                     uint64_t *handle_out, erx_error_t *error)
{
    erx_key_t keys[ERX_SESSION_ACCOUNTS];
    erx_session_mark_t mark;
    erx_session_pool_t *pool = erx_bank_pool(bank, terms->pool);
    ERX_ASSERT(bank->has_begun && pool->has_model);
    erx_status_t status = erx_bank_session_addresses(bank, terms->session_id, keys, error);
    if (status == ERX_OK)
        status = check_places(bank, keys, error);
    if (status != ERX_OK)
        return status;
    erx_session_mark(pool, NULL, &mark);
    status = erx_session_create(pool, &terms->terms, handle_out, error);
    if (status == ERX_OK)
        status = settle_in(bank, terms, *handle_out, &mark, keys, error);
    return status;
}

/* The pool of the model that an exported session plays. */
static erx_status_t import_into(erx_bank_t *bank, const erx_bank_import_t *import,
                                uint32_t *pool_out, uint64_t *handle_out,
                                erx_session_mark_t *mark_out, erx_error_t *error)
{
    uint32_t count;
    erx_status_t status = erx_error_set(error, ERX_ERR_NOT_FOUND, "there is no model");
    (void)erx_engine_models(bank->config.engine, &count);
    for (uint32_t pool = 0; pool < count; pool++) {
        erx_model_t *model = erx_bank_model(bank, pool);
        if (!model->sessions.has_model)
            continue;
        erx_session_mark(&model->sessions, NULL, mark_out);
        status = erx_transfer_import(model, import->bytes, import->size, handle_out, error);
        *pool_out = pool;
        if (status != ERX_ERR_DIFFERS)
            return status;
    }
    return status;
}

erx_status_t erx_bank_import_session(erx_bank_t *bank, const erx_bank_import_t *import,
                                     uint32_t *pool_out, uint64_t *handle_out, erx_error_t *error)
{
    erx_key_t keys[ERX_SESSION_ACCOUNTS];
    erx_session_mark_t mark;
    ERX_ASSERT(bank->has_begun);
    erx_bank_session_t terms = {.session_id = import->session_id,
                                .tick_divisor = import->tick_divisor};
    erx_status_t status = erx_bank_session_addresses(bank, terms.session_id, keys, error);
    if (status == ERX_OK)
        status = check_places(bank, keys, error);
    if (status == ERX_OK)
        status = import_into(bank, import, &terms.pool, handle_out, &mark, error);
    *pool_out = terms.pool;
    if (status == ERX_OK)
        status = settle_in(bank, &terms, *handle_out, &mark, keys, error);
    return status;
}

erx_status_t erx_bank_join_session(erx_bank_t *bank, uint32_t pool, erx_session_t *session,
                                   const erx_key_t *player, uint8_t character, erx_error_t *error)
{
    ERX_ASSERT(bank->has_begun);
    if (memcmp(erx_arena_player(session->arena, 0), player->bytes, sizeof *player) == 0)
        return erx_error_set(error, ERX_ERR_ARGUMENT,
                             "player: one key cannot take both seats of a session");
    erx_status_t status = erx_session_join(erx_bank_pool(bank, pool), session, player->bytes,
                                           character, bank->timestamp, error);
    if (status == ERX_OK)
        erx_bank_changes_add_session(bank, pool, session->slot);
    return status;
}

erx_status_t erx_bank_input(erx_bank_t *bank, uint32_t pool, erx_session_t *session,
                            uint32_t player, const uint8_t control[ERX_CONTROLLER_BYTES],
                            erx_error_t *error)
{
    uint32_t accounts[ERX_SESSION_ACCOUNTS];
    ERX_ASSERT(bank->has_begun && player < ERX_PLAYERS);
    if (session->status != ERX_SESSION_ACTIVE || erx_bank_is_pending(bank, session))
        return erx_error_set(error, ERX_ERR_STATE,
                             "the session is not active, or its frame is being executed");
    erx_session_input(erx_bank_pool(bank, pool), session, player, control);
    if (erx_bank_session_accounts(bank, pool, session->slot, accounts))
        erx_bank_changes_add(bank, &erx_accounts_entry(bank->config.accounts, accounts[2])->key,
                             accounts[2]);
    return ERX_OK;
}

/* Removes the account, or leaves a wallet with what somebody sent to it. */
static erx_status_t remove_account(erx_bank_t *bank, uint32_t index, erx_error_t *error)
{
    erx_accounts_t *accounts = bank->config.accounts;
    const erx_account_entry_t *entry = erx_accounts_entry(accounts, index);
    const erx_account_entry_t wallet = {
        .key = entry->key,
        .lamports = entry->lamports,
        .version = entry->version,
        .kind = ERX_ACCOUNT_PLAIN,
        .flags = ERX_ACCOUNT_MADE_HERE,
    };
    erx_status_t status = erx_accounts_remove(accounts, index, error);
    if (status == ERX_OK && wallet.lamports != 0)
        status = erx_accounts_create(accounts, &wallet, &index, error);
    return status;
}

erx_status_t erx_bank_close_session(erx_bank_t *bank, uint32_t pool, erx_session_t *session,
                                    erx_error_t *error)
{
    uint32_t indexes[ERX_SESSION_ACCOUNTS];
    erx_key_t keys[ERX_SESSION_ACCOUNTS];
    erx_accounts_t *accounts = bank->config.accounts;
    ERX_ASSERT(bank->has_begun);
    bool has_accounts = erx_bank_session_accounts(bank, pool, session->slot, indexes);
    ERX_ASSERT(has_accounts);
    if (erx_bank_is_pending(bank, session))
        return erx_error_set(error, ERX_ERR_STATE, "the session's frame is being executed");
    if (!erx_bank_changes_have_room(bank, ERX_SESSION_ACCOUNTS))
        return erx_error_set(error, ERX_ERR_FULL,
                             "more accounts were changed than one block can tell of; seal a block");
    uint64_t session_id = erx_accounts_entry(accounts, indexes[0])->world_id;
    erx_accounts_begin(accounts);
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++) {
        keys[i] = erx_accounts_entry(accounts, indexes[i])->key;
        erx_status_t status = remove_account(bank, indexes[i], error);
        if (status != ERX_OK) {
            erx_accounts_rollback(accounts);
            return status;
        }
    }
    erx_accounts_commit(accounts);
    bank->unrecorded_writes++;
    erx_bank_tell_closing(bank, pool, session, session_id);
    erx_bank_sessions_unlink(bank, pool, session->slot);
    erx_session_end(erx_bank_pool(bank, pool), session);
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++)
        erx_bank_changes_add(bank, &keys[i], erx_accounts_find(accounts, &keys[i]));
    return ERX_OK;
}
