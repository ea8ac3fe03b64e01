/* One transaction: what is looked at before it executes, its instructions, and
 * how all of it happens or nothing. */
#include <string.h>

#include "engine/bank/bank_parts.h"
#include "engine/bank/program.h"
#include "mem/assert.h"

static bool refuse(erx_transaction_context_t *transaction, erx_transaction_error_t error)
{
    transaction->result.error = error;
    return false;
}

/* Refuses, naming an account. */
static bool refuse_account(erx_transaction_context_t *transaction, erx_transaction_error_t error,
                           uint32_t index)
{
    transaction->result.index = (uint8_t)index;
    return refuse(transaction, error);
}

static void begin_context(erx_bank_t *bank, bool is_simulated)
{
    erx_transaction_context_t *transaction = &bank->transaction;
    transaction->bank = bank;
    transaction->accounts = bank->config.accounts;
    transaction->slot = bank->slot;
    transaction->timestamp = bank->timestamp;
    transaction->is_simulated = is_simulated;
    transaction->is_loaded = false;
    transaction->is_accepted = false;
    transaction->changed_arenas = 0;
    transaction->tick_divisor = bank->config.tick_divisor;
    transaction->units_limit = 0;
    transaction->units_used = 0;
    transaction->loaded_bytes = 0;
    transaction->loaded_bytes_limit = UINT32_MAX;
    transaction->fee = 0;
    transaction->result = (erx_transaction_result_t){0};
    transaction->sessions.count = 0;
    transaction->loaded_pool = ERX_ACCOUNT_NONE;
    erx_log_begin(&transaction->log);
}

static bool find_table(void *context, const erx_key_t *key, erx_message_table_t *table_out)
{
    const erx_accounts_t *accounts = context;
    uint32_t index = erx_accounts_find(accounts, key);
    if (index == ERX_ACCOUNT_NONE)
        return false;
    const erx_account_entry_t *entry = erx_accounts_entry(accounts, index);
    table_out->owner = entry->owner;
    table_out->data = NULL;
    table_out->bytes = 0;
    if (entry->kind == ERX_ACCOUNT_PLAIN) {
        table_out->data = erx_accounts_data(accounts, index);
        table_out->bytes = entry->data_length;
    }
    return true;
}

/* Whether the message is whole, of a known time, and new. */
static bool check_message(erx_bank_t *bank, const erx_intake_item_t *item, bool any_blockhash)
{
    erx_transaction_context_t *transaction = &bank->transaction;
    const erx_message_t *message = &item->message;
    if (item->error != ERX_TRANSACTION_OK)
        return refuse(transaction, item->error);
    erx_message_fault_t fault = erx_message_resolve(message, transaction->slot, find_table,
                                                    transaction->accounts, &transaction->keys);
    if (fault != ERX_MESSAGE_GOOD)
        return refuse(transaction, erx_message_fault_error(fault));
    if (!any_blockhash &&
        !erx_blockhash_find(bank->config.blockhashes, erx_message_blockhash(message), NULL))
        return refuse(transaction, ERX_TRANSACTION_BLOCKHASH_NOT_FOUND);
    if (erx_status_cache_has_message(bank->config.statuses, &item->message_hash))
        return refuse(transaction, ERX_TRANSACTION_ALREADY_PROCESSED);
    return true;
}

/* Whether the accounts that the message writes may be written here. */
static bool check_writable(const erx_bank_t *bank, erx_transaction_context_t *transaction)
{
    const uint8_t never = ERX_ACCOUNT_READ_ONLY_CLONE | ERX_ACCOUNT_LOCKED;
    const uint8_t ours = ERX_ACCOUNT_DELEGATED | ERX_ACCOUNT_MADE_HERE;
    for (uint32_t i = 0; i < transaction->keys.count; i++) {
        uint32_t index = transaction->indexes[i];
        if ((transaction->keys.writable >> i & 1) == 0 || index == ERX_ACCOUNT_NONE)
            continue;
        uint8_t flags = erx_accounts_entry(transaction->accounts, index)->flags;
        if ((flags & never) != 0 || (bank->config.refuse_uncloned && (flags & ours) == 0))
            return refuse(transaction, ERX_TRANSACTION_INVALID_WRITABLE_ACCOUNT);
    }
    return true;
}

/* Whether the accounts are not too large together, and every instruction's
 * program is one that is executed here. */
static bool check_load(const erx_bank_t *bank, erx_transaction_context_t *transaction,
                       const erx_message_t *message)
{
    erx_message_cursor_t cursor = {0};
    erx_message_instruction_t instruction;
    if (transaction->loaded_bytes > transaction->loaded_bytes_limit)
        return refuse(transaction, ERX_TRANSACTION_MAX_LOADED_ACCOUNTS_DATA_SIZE_EXCEEDED);
    while (erx_message_next(message, &cursor, &instruction))
        if (erx_program_find(&transaction->keys.keys[instruction.program], &bank->config.program) ==
            NULL)
            return refuse_account(transaction, ERX_TRANSACTION_PROGRAM_ACCOUNT_NOT_FOUND, 0);
    return true;
}

/* Whether the first account can pay. */
static bool check_payer(const erx_bank_t *bank, erx_transaction_context_t *transaction,
                        const erx_message_t *message)
{
    uint64_t fee = bank->config.fee_per_signature * message->signature_count;
    if (fee == 0)
        return true;
    if (transaction->old_lamports[0] == 0)
        return refuse(transaction, ERX_TRANSACTION_ACCOUNT_NOT_FOUND);
    const erx_account_entry_t *entry =
        erx_accounts_entry(transaction->accounts, transaction->indexes[0]);
    if (entry->kind != ERX_ACCOUNT_PLAIN || entry->data_length != 0 ||
        !erx_key_equals(&entry->owner, &erx_key_system))
        return refuse(transaction, ERX_TRANSACTION_INVALID_ACCOUNT_FOR_FEE);
    if (entry->lamports < fee)
        return refuse(transaction, ERX_TRANSACTION_INSUFFICIENT_FUNDS_FOR_FEE);
    transaction->fee = fee;
    return true;
}

bool erx_transaction_prepare(erx_bank_t *bank, const erx_intake_item_t *item, bool is_simulated,
                             bool any_blockhash)
{
    erx_transaction_context_t *transaction = &bank->transaction;
    erx_compute_budget_t budget;
    begin_context(bank, is_simulated);
    if (!check_message(bank, item, any_blockhash))
        return false;
    erx_context_load(transaction);
    if (!erx_compute_budget_read(&item->message, &transaction->keys,
                                 bank->config.transaction_units_max, &budget, &transaction->result))
        return false;
    transaction->units_limit = budget.units_limit;
    transaction->loaded_bytes_limit = budget.loaded_bytes_limit;
    transaction->is_accepted =
        check_writable(bank, transaction) && check_payer(bank, transaction, &item->message);
    return transaction->is_accepted;
}

/* Takes the fee from the first account. False where the table's logs are full. */
static bool take_fee(erx_transaction_context_t *transaction)
{
    erx_error_t error;
    if (transaction->fee == 0)
        return true;
    erx_account_entry_t entry = *erx_accounts_entry(transaction->accounts, transaction->indexes[0]);
    entry.lamports -= transaction->fee;
    return erx_accounts_update(transaction->accounts, transaction->indexes[0], &entry, &error) ==
           ERX_OK;
}

/* Executes an instruction between its log lines. */
static bool run_instruction(erx_bank_t *bank, const erx_message_instruction_t *place)
{
    erx_transaction_context_t *transaction = &bank->transaction;
    erx_instruction_t instruction = {
        .transaction = transaction,
        .program = &transaction->keys.keys[place->program],
        .accounts = place->accounts,
        .data = place->data,
        .account_count = place->account_count,
        .data_bytes = place->data_bytes,
    };
    const erx_program_t *program = erx_program_find(instruction.program, &bank->config.program);
    uint64_t used_before = transaction->units_used;
    erx_log_invoke(&transaction->log, instruction.program);
    bool is_good =
        erx_instruction_charge(&instruction, program->units) && program->execute(&instruction);
    if (program->shows_units)
        erx_log_units(&transaction->log, instruction.program, transaction->units_used - used_before,
                      transaction->units_limit - used_before);
    if (is_good)
        erx_log_success(&transaction->log, instruction.program);
    else
        erx_log_failure(&transaction->log, instruction.program, &transaction->result);
    return is_good;
}

bool erx_transaction_run(erx_bank_t *bank, const erx_intake_item_t *item)
{
    erx_transaction_context_t *transaction = &bank->transaction;
    erx_message_cursor_t cursor = {0};
    erx_message_instruction_t place;
    erx_accounts_begin(bank->config.accounts);
    bool is_good = check_load(bank, transaction, &item->message) && take_fee(transaction);
    for (uint8_t i = 0; is_good && erx_message_next(&item->message, &cursor, &place); i++) {
        is_good = run_instruction(bank, &place);
        if (!is_good)
            transaction->result.index = i;
    }
    if (!is_good)
        return false;
    if (erx_context_sweep(transaction))
        return true;
    transaction->result.error = ERX_TRANSACTION_INSTRUCTION_ERROR;
    transaction->result.instruction = ERX_INSTRUCTION_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED;
    return false;
}

void erx_transaction_rollback(erx_bank_t *bank)
{
    erx_transaction_context_t *transaction = &bank->transaction;
    erx_touched_rollback(&transaction->sessions, bank);
    erx_accounts_rollback(bank->config.accounts);
    if (transaction->loaded_pool != ERX_ACCOUNT_NONE)
        bank->config.models.unload(bank->config.models.context, transaction->loaded_pool);
    transaction->loaded_pool = ERX_ACCOUNT_NONE;
}

static bool contains(const uint32_t *list, uint32_t count, uint32_t value)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == value)
            return true;
    return false;
}

/* Adds the accounts that the transaction changed to those of the block. */
static void note_changes(erx_bank_t *bank)
{
    const erx_transaction_context_t *transaction = &bank->transaction;
    uint32_t count;
    const uint32_t *changed = erx_accounts_changed(bank->config.accounts, &count);
    bank->unrecorded_writes += count > 0;
    for (uint32_t i = 0; i < transaction->keys.count; i++) {
        const erx_key_t *key = &transaction->keys.keys[i];
        uint32_t index = transaction->indexes[i];
        bool is_changed = (transaction->changed_arenas >> i & 1) != 0 ||
                          index != transaction->old_indexes[i] ||
                          (index != ERX_ACCOUNT_NONE && contains(changed, count, index));
        if (is_changed)
            erx_bank_changes_add(bank, key, index);
    }
}

static void commit(erx_bank_t *bank)
{
    erx_transaction_context_t *transaction = &bank->transaction;
    note_changes(bank);
    erx_accounts_commit(bank->config.accounts);
    erx_touched_commit(&transaction->sessions, bank);
}

/* A failed transaction pays all the same. */
static void commit_fee(erx_bank_t *bank)
{
    erx_accounts_begin(bank->config.accounts);
    bool is_taken = take_fee(&bank->transaction);
    ERX_ASSERT(is_taken); /* room for it was there before the transaction */
    /* Without room for that as well, an empty wallet stays. */
    (void)erx_context_sweep(&bank->transaction);
    note_changes(bank);
    erx_accounts_commit(bank->config.accounts);
}

/* Undoes a failed transaction but for its fee. */
static void fail(erx_bank_t *bank)
{
    erx_transaction_context_t *transaction = &bank->transaction;
    erx_transaction_rollback(bank);
    memcpy(transaction->indexes, transaction->old_indexes, sizeof transaction->indexes);
    transaction->changed_arenas = 0;
    if (transaction->fee != 0)
        commit_fee(bank);
}

void erx_transaction_execute(erx_bank_t *bank, const erx_intake_item_t *item)
{
    erx_transaction_context_t *transaction = &bank->transaction;
    bool is_good = erx_transaction_run(bank, item);
    if (transaction->units_used > bank->config.block_units_max - bank->block_units) {
        transaction->fee = 0;
        fail(bank);
        transaction->units_used = 0;
        erx_log_begin(&transaction->log);
        transaction->result =
            (erx_transaction_result_t){.error = ERX_TRANSACTION_WOULD_EXCEED_MAX_BLOCK_COST_LIMIT};
        return;
    }
    bank->block_units += transaction->units_used;
    if (is_good)
        commit(bank);
    else
        fail(bank);
}
