/* What became of a transaction, copied to where it stays for the block. */
#include <string.h>

#include "engine/bank/bank_parts.h"
#include "mem/assert.h"

ERX_STATIC_ASSERT(ERX_BANK_RETURN_BYTES_MAX <= ERX_BANK_LOG_BYTES_MAX,
                  "return data would find room in an outcome");

void erx_bump_reset(erx_bump_t *bump)
{
    bump->used = 0;
}

static void *take(erx_bump_t *bump, size_t bytes)
{
    size_t rounded = ERX_ALIGN_UP(bytes, sizeof(uint64_t));
    ERX_ASSERT(bump->capacity - bump->used >= rounded);
    void *memory = bump->bytes + bump->used;
    bump->used += rounded;
    return memory;
}

static void *copy(erx_bump_t *bump, const void *bytes, size_t size)
{
    return memcpy(take(bump, size), bytes, size);
}

static void write_logs(const erx_transaction_log_t *log, erx_bump_t *bump,
                       erx_bank_outcome_t *outcome)
{
    const char *text = copy(bump, log->text, log->bytes);
    const char **lines = take(bump, log->line_count * sizeof *lines);
    for (uint32_t i = 0; i < log->line_count; i++)
        lines[i] = text + log->lines[i];
    outcome->logs = lines;
    outcome->log_count = log->line_count;
}

static void write_balances(const erx_transaction_context_t *transaction, erx_bump_t *bump,
                           erx_bank_outcome_t *outcome)
{
    uint32_t count = transaction->is_loaded ? transaction->keys.count : 0;
    erx_bank_balance_t *balances = take(bump, count * sizeof *balances);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = erx_accounts_find(transaction->accounts, &transaction->keys.keys[i]);
        balances[i] = (erx_bank_balance_t){
            .key = transaction->keys.keys[i],
            .lamports_before = transaction->old_lamports[i],
            .lamports_after = index == ERX_ACCOUNT_NONE
                                  ? 0
                                  : erx_accounts_entry(transaction->accounts, index)->lamports,
        };
    }
    outcome->balances = balances;
    outcome->balance_count = count;
}

void erx_bank_outcome_write(erx_bank_t *bank, const erx_intake_item_t *item, erx_bump_t *bump,
                            erx_bank_outcome_t *outcome_out)
{
    const erx_transaction_context_t *transaction = &bank->transaction;
    *outcome_out = (erx_bank_outcome_t){
        .tag = item->tag,
        .packet = copy(bump, item->packet, item->bytes),
        .packet_bytes = item->bytes,
        .result = transaction->result,
        .units = transaction->units_used,
        .fee = transaction->fee,
        .loaded_bytes = transaction->loaded_bytes,
    };
    if (item->message.signature_count > 0)
        outcome_out->signature = *erx_message_signature(&item->message, 0);
    write_logs(&transaction->log, bump, outcome_out);
    write_balances(transaction, bump, outcome_out);
}
