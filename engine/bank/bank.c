#include "engine/bank/bank.h"

#include "engine/bank/bank_parts.h"
#include "mem/alloc.h"
#include "mem/assert.h"

static erx_status_t check(const erx_bank_config_t *config, erx_error_t *error)
{
    if (config->block_transactions_max == 0 ||
        config->block_transactions_max > ERX_BANK_BLOCK_TRANSACTIONS_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "block_transactions_max: %u is not in 1 to %u",
                             config->block_transactions_max, ERX_BANK_BLOCK_TRANSACTIONS_MAX);
    if (config->transaction_units_max > ERX_BANK_TRANSACTION_UNITS_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "transaction_units_max: more than %llu",
                             (unsigned long long)ERX_BANK_TRANSACTION_UNITS_MAX);
    if (config->fee_per_signature > UINT64_MAX / ERX_MESSAGE_SIGNATURES_MAX)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "fee_per_signature: the fee of a transaction overflows");
    if (erx_accounts_patches_bytes_max(config->accounts) < ERX_BANK_TRANSACTION_WRITE_BYTES)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "write_log_bytes: less than one transaction may write, %u",
                             ERX_BANK_TRANSACTION_WRITE_BYTES);
    return erx_compute_table_check(&config->compute, error);
}

static erx_status_t open_bump(erx_bump_t *bump, size_t capacity, erx_error_t *error)
{
    bump->capacity = capacity;
    bump->bytes = erx_alloc(1, capacity);
    if (bump->bytes == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for outcomes of %zu bytes",
                             capacity);
    return ERX_OK;
}

/* Frames of one embedder's block: a session has several where transactions ask
 * for it, so that transactions count besides sessions. */
static erx_status_t open_frames(erx_bank_t *bank, erx_error_t *error)
{
    uint64_t capacity = bank->config.block_transactions_max + ERX_TOUCHED_SESSIONS_MAX;
    for (uint32_t pool = 0; pool < ERX_MODELS_MAX; pool++)
        bank->sessions_max += erx_bank_pool(bank, pool)->capacity;
    capacity += bank->sessions_max;
    bank->frame_capacity = (uint32_t)capacity;
    bank->frames = erx_alloc(capacity, sizeof *bank->frames);
    if (bank->frames == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u frames",
                             bank->frame_capacity);
    return ERX_OK;
}

static erx_status_t open_parts(erx_bank_t *bank, erx_error_t *error)
{
    const erx_bank_config_t *config = &bank->config;
    size_t outcomes = config->block_transactions_max * (size_t)ERX_BANK_OUTCOME_BYTES;
    bank->recordable_writes =
        erx_accounts_patches_bytes_max(config->accounts) / ERX_BANK_TRANSACTION_WRITE_BYTES;
    erx_status_t status = open_bump(&bank->outcomes, outcomes + ERX_BANK_OUTCOME_BYTES_MAX, error);
    if (status == ERX_OK)
        status = open_bump(&bank->simulated, ERX_BANK_OUTCOME_BYTES_MAX, error);
    if (status == ERX_OK)
        status =
            erx_bank_changes_open(&bank->changes, erx_accounts_capacity(config->accounts), error);
    if (status == ERX_OK)
        status = erx_bank_sessions_open(bank, error);
    if (status == ERX_OK)
        status = open_frames(bank, error);
    return status;
}

erx_status_t erx_bank_open(const erx_bank_config_t *config, erx_bank_t **bank_out,
                           erx_error_t *error)
{
    erx_status_t status = check(config, error);
    if (status != ERX_OK)
        return status;
    erx_bank_t *bank = erx_alloc(1, sizeof *bank);
    if (bank == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a bank");
    bank->config = *config;
    bank->slot = erx_blockhash_number(config->blockhashes);
    status = open_parts(bank, error);
    if (status != ERX_OK) {
        erx_bank_close(bank);
        return status;
    }
    *bank_out = bank;
    return ERX_OK;
}

void erx_bank_close(erx_bank_t *bank)
{
    if (bank == NULL)
        return;
    erx_bank_sessions_close(bank);
    erx_bank_changes_close(&bank->changes);
    erx_free(bank->frames);
    erx_free(bank->outcomes.bytes);
    erx_free(bank->simulated.bytes);
    erx_free(bank);
}

/* Whether the block has room for another transaction, whatever it does. */
static erx_status_t check_room(const erx_bank_t *bank, erx_error_t *error)
{
    /* Besides what the crank may still add for every session. */
    uint64_t frames = (uint64_t)bank->frame_count + bank->block->frame_count + bank->sessions_max +
                      ERX_TOUCHED_SESSIONS_MAX;
    bool has_room = bank->transactions < bank->config.block_transactions_max &&
                    bank->outcomes.capacity - bank->outcomes.used >= ERX_BANK_OUTCOME_BYTES_MAX &&
                    frames <= bank->frame_capacity &&
                    erx_status_cache_room(bank->config.statuses) > 0 &&
                    erx_bank_changes_have_room(bank, ERX_BANK_TRANSACTION_CHANGES);
    if (has_room)
        return ERX_OK;
    return erx_error_set(error, ERX_ERR_FULL, "this block has no room for another transaction");
}

/* Whether frames have to be executed before the transaction: those of sessions
 * that it names, or because the record of the block would become too long. */
static bool needs_flush(const erx_bank_t *bank)
{
    const erx_transaction_context_t *transaction = &bank->transaction;
    if (bank->unrecorded_writes >= bank->recordable_writes ||
        bank->unrecorded_starts + ERX_TOUCHED_SESSIONS_MAX > ERX_STARTS_MAX)
        return true;
    for (uint32_t i = 0; bank->block->frame_count > 0 && i < transaction->keys.count; i++) {
        uint32_t pool;
        if (transaction->indexes[i] == ERX_ACCOUNT_NONE)
            continue;
        const erx_session_t *session = erx_bank_session(bank, transaction->indexes[i], &pool);
        if (session != NULL && erx_bank_is_pending(bank, session))
            return true;
    }
    return false;
}

/* Enters it among the known transactions, so that it does not execute again. */
static void remember(erx_bank_t *bank, const erx_intake_item_t *item)
{
    const erx_status_cache_entry_t entry = {
        .slot = bank->slot,
        .result = bank->transaction.result,
    };
    if (!bank->transaction.is_accepted ||
        entry.result.error == ERX_TRANSACTION_WOULD_EXCEED_MAX_BLOCK_COST_LIMIT)
        return;
    erx_status_t status =
        erx_status_cache_insert(bank->config.statuses, erx_message_signature(&item->message, 0),
                                &item->message_hash, &entry);
    ERX_ASSERT(status == ERX_OK); /* there was room */
}

erx_status_t erx_bank_process(erx_bank_t *bank, const erx_intake_item_t *item,
                              erx_bank_outcome_t *outcome_out, erx_error_t *error)
{
    ERX_ASSERT(bank->has_begun);
    erx_status_t status = check_room(bank, error);
    if (status != ERX_OK)
        return status;
    if (erx_transaction_prepare(bank, item, false, false)) {
        if (needs_flush(bank)) {
            status = erx_bank_flush(bank, error);
            if (status != ERX_OK)
                return status;
        }
        erx_transaction_execute(bank, item);
    }
    remember(bank, item);
    bank->transactions++;
    erx_bank_outcome_write(bank, item, &bank->outcomes, outcome_out);
    return ERX_OK;
}
