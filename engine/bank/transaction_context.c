#include "engine/bank/transaction_context.h"

#include "engine/bank/bank_parts.h"

/* What an account is that the table does not have. */
static const erx_account_entry_t empty_entry = {.kind = ERX_ACCOUNT_PLAIN};

void erx_context_load(erx_transaction_context_t *transaction)
{
    transaction->is_loaded = true;
    for (uint32_t i = 0; i < transaction->keys.count; i++) {
        uint32_t index = erx_accounts_find(transaction->accounts, &transaction->keys.keys[i]);
        transaction->indexes[i] = index;
        transaction->old_indexes[i] = index;
        transaction->old_lamports[i] = 0;
        if (index == ERX_ACCOUNT_NONE)
            continue;
        const erx_account_entry_t *entry = erx_accounts_entry(transaction->accounts, index);
        transaction->old_lamports[i] = entry->lamports;
        transaction->loaded_bytes += entry->data_length;
    }
}

bool erx_context_sweep(erx_transaction_context_t *transaction)
{
    for (uint32_t i = 0; i < transaction->keys.count; i++) {
        uint32_t index = transaction->indexes[i];
        erx_error_t error;
        if (index == ERX_ACCOUNT_NONE || (transaction->keys.writable >> i & 1) == 0)
            continue;
        const erx_account_entry_t *entry = erx_accounts_entry(transaction->accounts, index);
        if (entry->kind != ERX_ACCOUNT_PLAIN || entry->lamports != 0 || entry->data_length != 0 ||
            !erx_key_equals(&entry->owner, &erx_key_system))
            continue;
        if (erx_accounts_remove(transaction->accounts, index, &error) != ERX_OK)
            return false;
        transaction->indexes[i] = ERX_ACCOUNT_NONE;
    }
    return true;
}

bool erx_context_charge(erx_transaction_context_t *transaction, uint64_t units)
{
    uint64_t left = transaction->units_limit - transaction->units_used;
    transaction->units_used += ERX_MIN(units, left);
    return units <= left;
}

bool erx_instruction_fail(erx_instruction_t *instruction, erx_instruction_error_t error)
{
    instruction->transaction->result.error = ERX_TRANSACTION_INSTRUCTION_ERROR;
    instruction->transaction->result.instruction = error;
    instruction->transaction->result.custom = 0;
    return false;
}

bool erx_instruction_fail_custom(erx_instruction_t *instruction, uint32_t custom)
{
    (void)erx_instruction_fail(instruction, ERX_INSTRUCTION_CUSTOM);
    instruction->transaction->result.custom = custom;
    return false;
}

bool erx_instruction_fail_status(erx_instruction_t *instruction, const erx_error_t *error)
{
    erx_log_line(&instruction->transaction->log, "Program log: %s", error->text);
    switch (error->status) {
    case ERX_ERR_FULL:
    case ERX_ERR_MEMORY:
        return erx_instruction_fail(instruction,
                                    ERX_INSTRUCTION_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED);
    case ERX_ERR_STATE:
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_ACCOUNT_ALREADY_INITIALIZED);
    default:
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_INVALID_ARGUMENT);
    }
}

bool erx_instruction_charge(erx_instruction_t *instruction, uint64_t units)
{
    if (erx_context_charge(instruction->transaction, units))
        return true;
    return erx_instruction_fail(instruction, ERX_INSTRUCTION_COMPUTATIONAL_BUDGET_EXCEEDED);
}

bool erx_instruction_require(erx_instruction_t *instruction, uint32_t account_count)
{
    if (instruction->account_count >= account_count)
        return true;
    return erx_instruction_fail(instruction, ERX_INSTRUCTION_NOT_ENOUGH_ACCOUNT_KEYS);
}

const erx_key_t *erx_instruction_key(const erx_instruction_t *instruction, uint32_t position)
{
    return &instruction->transaction->keys.keys[instruction->accounts[position]];
}

bool erx_instruction_signs(const erx_instruction_t *instruction, uint32_t position)
{
    return (instruction->transaction->keys.signers >> instruction->accounts[position] & 1) != 0;
}

bool erx_instruction_writes(const erx_instruction_t *instruction, uint32_t position)
{
    return (instruction->transaction->keys.writable >> instruction->accounts[position] & 1) != 0;
}

/* Where the index of an account stands. */
static uint32_t *index_of(const erx_instruction_t *instruction, uint32_t position)
{
    return &instruction->transaction->indexes[instruction->accounts[position]];
}

uint32_t erx_instruction_index(const erx_instruction_t *instruction, uint32_t position)
{
    return *index_of(instruction, position);
}

const erx_account_entry_t *erx_instruction_entry(const erx_instruction_t *instruction,
                                                 uint32_t position)
{
    uint32_t index = *index_of(instruction, position);
    return index == ERX_ACCOUNT_NONE
               ? &empty_entry
               : erx_accounts_entry(instruction->transaction->accounts, index);
}

/* Puts an account that the table does not have into it, empty. */
static bool enter(erx_instruction_t *instruction, uint32_t position)
{
    erx_error_t error;
    uint32_t *index = index_of(instruction, position);
    if (*index != ERX_ACCOUNT_NONE)
        return true;
    erx_account_entry_t entry = empty_entry;
    entry.key = *erx_instruction_key(instruction, position);
    entry.flags = ERX_ACCOUNT_MADE_HERE;
    if (erx_accounts_create(instruction->transaction->accounts, &entry, index, &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    return true;
}

/* Replaces the entry of an account that is in the table. */
static bool update(erx_instruction_t *instruction, uint32_t position,
                   const erx_account_entry_t *entry)
{
    erx_error_t error;
    uint32_t index = *index_of(instruction, position);
    if (erx_accounts_update(instruction->transaction->accounts, index, entry, &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    return true;
}

bool erx_instruction_put_lamports(erx_instruction_t *instruction, uint32_t position,
                                  uint64_t lamports)
{
    if (erx_instruction_entry(instruction, position)->lamports == lamports)
        return true;
    if (!enter(instruction, position))
        return false;
    erx_account_entry_t entry = *erx_instruction_entry(instruction, position);
    entry.lamports = lamports;
    return update(instruction, position, &entry);
}

bool erx_instruction_put_owner(erx_instruction_t *instruction, uint32_t position,
                               const erx_key_t *owner)
{
    if (!enter(instruction, position))
        return false;
    erx_account_entry_t entry = *erx_instruction_entry(instruction, position);
    entry.owner = *owner;
    return update(instruction, position, &entry);
}

bool erx_instruction_resize(erx_instruction_t *instruction, uint32_t position, uint32_t data_length)
{
    erx_error_t error;
    if (!enter(instruction, position))
        return false;
    if (erx_accounts_resize(instruction->transaction->accounts, *index_of(instruction, position),
                            data_length, &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    return true;
}

bool erx_instruction_write(erx_instruction_t *instruction, uint32_t position, uint32_t offset,
                           const void *bytes, uint32_t size)
{
    erx_error_t error;
    if (erx_accounts_write(instruction->transaction->accounts, *index_of(instruction, position),
                           offset, bytes, size, &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    return true;
}

bool erx_instruction_make(erx_instruction_t *instruction, uint32_t position,
                          const erx_account_entry_t *entry)
{
    erx_error_t error;
    erx_account_entry_t own = *entry;
    const erx_account_entry_t *old = erx_instruction_entry(instruction, position);
    own.key = *erx_instruction_key(instruction, position);
    own.lamports = old->lamports;
    own.version = old->version;
    own.flags = ERX_ACCOUNT_MADE_HERE;
    if (*index_of(instruction, position) != ERX_ACCOUNT_NONE &&
        !erx_instruction_remove(instruction, position))
        return false;
    if (erx_accounts_create(instruction->transaction->accounts, &own,
                            index_of(instruction, position), &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    return true;
}

bool erx_instruction_remove(erx_instruction_t *instruction, uint32_t position)
{
    erx_error_t error;
    uint32_t *index = index_of(instruction, position);
    if (erx_accounts_remove(instruction->transaction->accounts, *index, &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    *index = ERX_ACCOUNT_NONE;
    return true;
}

uint32_t erx_instruction_read(const erx_instruction_t *instruction, uint32_t position,
                              uint32_t offset, void *out, uint32_t capacity)
{
    uint32_t index = *index_of(instruction, position);
    if (index == ERX_ACCOUNT_NONE)
        return 0;
    return erx_bank_read(instruction->transaction->bank, index, offset, out, capacity);
}

void erx_instruction_note_arena(erx_instruction_t *instruction, uint32_t position)
{
    instruction->transaction->changed_arenas |= UINT64_C(1) << instruction->accounts[position];
}
