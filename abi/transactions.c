/* Transactions in, their fates out. */
#include <string.h>

#include "abi/rollup.h"
#include "engine/transaction/verify.h"
#include "mem/alloc.h"

#define SAME(public, own) ERX_STATIC_ASSERT((int)(public) == (int)(own), "codes are the engine's")
SAME(ERX_TX_ACCOUNT_LOADED_TWICE, ERX_TRANSACTION_ACCOUNT_LOADED_TWICE);
SAME(ERX_TX_ACCOUNT_NOT_FOUND, ERX_TRANSACTION_ACCOUNT_NOT_FOUND);
SAME(ERX_TX_INVALID_ACCOUNT_FOR_FEE, ERX_TRANSACTION_INVALID_ACCOUNT_FOR_FEE);
SAME(ERX_TX_MAX_LOADED_ACCOUNTS_DATA_SIZE_EXCEEDED,
     ERX_TRANSACTION_MAX_LOADED_ACCOUNTS_DATA_SIZE_EXCEEDED);
SAME(ERX_TX_INVALID_LOADED_ACCOUNTS_DATA_SIZE_LIMIT,
     ERX_TRANSACTION_INVALID_LOADED_ACCOUNTS_DATA_SIZE_LIMIT);
SAME(ERX_TX_PROGRAM_ACCOUNT_NOT_FOUND, ERX_TRANSACTION_PROGRAM_ACCOUNT_NOT_FOUND);
SAME(ERX_TX_INSUFFICIENT_FUNDS_FOR_FEE, ERX_TRANSACTION_INSUFFICIENT_FUNDS_FOR_FEE);
SAME(ERX_TX_ALREADY_PROCESSED, ERX_TRANSACTION_ALREADY_PROCESSED);
SAME(ERX_TX_BLOCKHASH_NOT_FOUND, ERX_TRANSACTION_BLOCKHASH_NOT_FOUND);
SAME(ERX_TX_INSTRUCTION_ERROR, ERX_TRANSACTION_INSTRUCTION_ERROR);
SAME(ERX_TX_INVALID_ACCOUNT_INDEX, ERX_TRANSACTION_INVALID_ACCOUNT_INDEX);
SAME(ERX_TX_SIGNATURE_FAILURE, ERX_TRANSACTION_SIGNATURE_FAILURE);
SAME(ERX_TX_SANITIZE_FAILURE, ERX_TRANSACTION_SANITIZE_FAILURE);
SAME(ERX_TX_WOULD_EXCEED_MAX_BLOCK_COST_LIMIT, ERX_TRANSACTION_WOULD_EXCEED_MAX_BLOCK_COST_LIMIT);
SAME(ERX_TX_UNSUPPORTED_VERSION, ERX_TRANSACTION_UNSUPPORTED_VERSION);
SAME(ERX_TX_INVALID_WRITABLE_ACCOUNT, ERX_TRANSACTION_INVALID_WRITABLE_ACCOUNT);
SAME(ERX_TX_TOO_MANY_ACCOUNT_LOCKS, ERX_TRANSACTION_TOO_MANY_ACCOUNT_LOCKS);
SAME(ERX_TX_ADDRESS_LOOKUP_TABLE_NOT_FOUND, ERX_TRANSACTION_ADDRESS_LOOKUP_TABLE_NOT_FOUND);
SAME(ERX_TX_INVALID_ADDRESS_LOOKUP_TABLE_OWNER, ERX_TRANSACTION_INVALID_ADDRESS_LOOKUP_TABLE_OWNER);
SAME(ERX_TX_INVALID_ADDRESS_LOOKUP_TABLE_DATA, ERX_TRANSACTION_INVALID_ADDRESS_LOOKUP_TABLE_DATA);
SAME(ERX_TX_INVALID_ADDRESS_LOOKUP_TABLE_INDEX, ERX_TRANSACTION_INVALID_ADDRESS_LOOKUP_TABLE_INDEX);
SAME(ERX_TX_DUPLICATE_INSTRUCTION, ERX_TRANSACTION_DUPLICATE_INSTRUCTION);
SAME(ERX_IX_INVALID_ARGUMENT, ERX_INSTRUCTION_INVALID_ARGUMENT);
SAME(ERX_IX_INVALID_INSTRUCTION_DATA, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
SAME(ERX_IX_INVALID_ACCOUNT_DATA, ERX_INSTRUCTION_INVALID_ACCOUNT_DATA);
SAME(ERX_IX_ACCOUNT_DATA_TOO_SMALL, ERX_INSTRUCTION_ACCOUNT_DATA_TOO_SMALL);
SAME(ERX_IX_INSUFFICIENT_FUNDS, ERX_INSTRUCTION_INSUFFICIENT_FUNDS);
SAME(ERX_IX_INCORRECT_PROGRAM_ID, ERX_INSTRUCTION_INCORRECT_PROGRAM_ID);
SAME(ERX_IX_MISSING_REQUIRED_SIGNATURE, ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE);
SAME(ERX_IX_ACCOUNT_ALREADY_INITIALIZED, ERX_INSTRUCTION_ACCOUNT_ALREADY_INITIALIZED);
SAME(ERX_IX_READONLY_LAMPORT_CHANGE, ERX_INSTRUCTION_READONLY_LAMPORT_CHANGE);
SAME(ERX_IX_READONLY_DATA_MODIFIED, ERX_INSTRUCTION_READONLY_DATA_MODIFIED);
SAME(ERX_IX_NOT_ENOUGH_ACCOUNT_KEYS, ERX_INSTRUCTION_NOT_ENOUGH_ACCOUNT_KEYS);
SAME(ERX_IX_CUSTOM, ERX_INSTRUCTION_CUSTOM);
SAME(ERX_IX_UNSUPPORTED_PROGRAM_ID, ERX_INSTRUCTION_UNSUPPORTED_PROGRAM_ID);
SAME(ERX_IX_INVALID_SEEDS, ERX_INSTRUCTION_INVALID_SEEDS);
SAME(ERX_IX_COMPUTATIONAL_BUDGET_EXCEEDED, ERX_INSTRUCTION_COMPUTATIONAL_BUDGET_EXCEEDED);
SAME(ERX_IX_INVALID_ACCOUNT_OWNER, ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER);
SAME(ERX_IX_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED,
     ERX_INSTRUCTION_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED);

const char *erx_tx_code_name(int32_t code)
{
    return erx_transaction_error_name((erx_transaction_error_t)code);
}

const char *erx_ix_code_name(int32_t code)
{
    return erx_instruction_error_name((erx_instruction_error_t)code);
}

ERX_STATIC_ASSERT(sizeof(erx_balance_t) == sizeof(erx_bank_balance_t) &&
                      offsetof(erx_balance_t, lamports_after) ==
                          offsetof(erx_bank_balance_t, lamports_after),
                  "balances are the bank's");

void erx_rollup_outcome(const erx_bank_outcome_t *outcome, erx_transaction_outcome_t *out)
{
    *out = (erx_transaction_outcome_t){
        .packet = outcome->packet,
        .packet_size = outcome->packet_bytes,
        .code = (int32_t)outcome->result.error,
        .instruction_index = outcome->result.index,
        .instruction_code = (int32_t)outcome->result.instruction,
        .instruction_custom = outcome->result.custom,
        .units = outcome->units,
        .fee = outcome->fee,
        .logs = outcome->logs,
        .log_count = outcome->log_count,
        .balances = (const erx_balance_t *)(const void *)outcome->balances,
        .balance_count = outcome->balance_count,
        .return_program = erx_pubkey_from(&outcome->return_program),
        .return_data = outcome->return_data,
        .return_size = outcome->return_bytes,
        .loaded_size = outcome->loaded_bytes,
    };
    memcpy(out->signature, outcome->signature.bytes, sizeof out->signature);
}

/* Reads a packet, or keeps why it is none. */
static int32_t parse(const uint8_t *packet, size_t size, erx_message_t *message_out)
{
    if (packet == NULL)
        return erx_result_missing("packet");
    erx_message_fault_t fault = erx_message_parse(packet, size, message_out);
    if (fault == ERX_MESSAGE_GOOD)
        return ERX_STATUS_OK;
    return erx_result_refuse(ERX_STATUS_FORMAT, "packet: %s", erx_message_fault_text(fault));
}

int32_t erx_rollup_submit(erx_rollup_t *rollup, const uint8_t *packet, size_t size,
                          uint8_t signature_out[ERX_SIGNATURE_SIZE])
{
    int32_t result;
    erx_message_t message;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    result = parse(packet, size, &message);
    if (result != ERX_STATUS_OK)
        return result;
    if (erx_intake_submit(erx_runtime_intake(state->runtime), packet, size, 0) != ERX_OK)
        return erx_result_refuse(ERX_STATUS_FULL,
                                 "the queue of transactions is full; try again after the next "
                                 "block");
    if (signature_out != NULL)
        memcpy(signature_out, erx_message_signature(&message, 0)->bytes, ERX_SIGNATURE_SIZE);
    return ERX_STATUS_OK;
}

static void tell_verified(void *context, const erx_signature_t *signature, bool is_good, bool more)
{
    const erx_rollup_state_t *state = context;
    state->verified(state->verified_context, signature->bytes, is_good, more);
}

int32_t erx_rollup_set_verified(erx_rollup_t *rollup, erx_verified_fn verified, void *context)
{
    erx_rollup_state_t *state = erx_rollup_of(rollup);
    if (state == NULL)
        return ERX_STATUS_ARGUMENT;
    if (erx_runtime_is_started(state->runtime))
        return erx_result_refuse(ERX_STATUS_STATE, "call it before erx_rollup_start");
    state->verified = verified;
    state->verified_context = context;
    erx_intake_set_verified(erx_runtime_intake(state->runtime),
                            verified == NULL ? NULL : tell_verified, state);
    return ERX_STATUS_OK;
}

/* -------------------------------------------------------------- simulation */

/* The shortest config of a caller that this library still understands. */
#define CONFIG_SIZE_MIN offsetof(erx_simulation_config_t, units_max)

struct erx_simulation {
    erx_simulation_t *handle;
    erx_transaction_outcome_t outcome;
    uint8_t packet[ERX_PACKET_MAX];
    char *text; /* log lines, one after the other */
    const char **logs;
    erx_balance_t *balances;
    uint8_t *return_data;
    uint32_t account_count;
    erx_simulated_account_t *accounts;
    /* While it runs. */
    erx_rollup_state_t *state;
    const erx_simulation_config_t *config;
    bool failed; /* no memory */
};

static void free_simulation(erx_simulation_t *simulation)
{
    for (uint32_t i = 0; simulation->accounts != NULL && i < simulation->account_count; i++)
        erx_free((void *)(uintptr_t)simulation->accounts[i].data);
    erx_free(simulation->accounts);
    erx_free(simulation->text);
    erx_free(simulation->logs);
    erx_free(simulation->balances);
    erx_free(simulation->return_data);
    erx_free(simulation);
}

static void inspect(void *context, const erx_bank_t *bank)
{
    erx_simulation_t *simulation = context;
    const erx_accounts_t *table = erx_runtime_accounts(simulation->state->runtime);
    for (uint32_t i = 0; i < simulation->account_count; i++) {
        erx_simulated_account_t *account = &simulation->accounts[i];
        uint32_t index = erx_bank_find(bank, erx_key_of(&account->key));
        if (index == ERX_ACCOUNT_NONE)
            continue;
        const erx_account_entry_t *entry = erx_accounts_entry(table, index);
        uint32_t space = erx_bank_space(bank, index);
        uint8_t *data = erx_alloc(1, space);
        if (data == NULL) {
            simulation->failed = true;
            return;
        }
        account->exists = true;
        account->owner = erx_pubkey_from(&entry->owner);
        account->lamports = entry->lamports;
        account->executable = (entry->flags & ERX_ACCOUNT_EXECUTABLE) != 0;
        account->data_size = erx_bank_read(bank, index, 0, data, space);
        account->data = data;
    }
}

/* Makes the outcome's parts the simulation's own. */
static bool keep_outcome(erx_simulation_t *simulation, const erx_bank_outcome_t *outcome)
{
    size_t text_bytes = 1, at = 0;
    erx_rollup_outcome(outcome, &simulation->outcome);
    for (uint32_t i = 0; i < outcome->log_count; i++)
        text_bytes += strlen(outcome->logs[i]) + 1;
    simulation->text = erx_alloc(1, text_bytes);
    simulation->logs = erx_alloc(outcome->log_count, sizeof *simulation->logs);
    simulation->balances = erx_alloc(outcome->balance_count, sizeof *simulation->balances);
    simulation->return_data = erx_alloc(1, outcome->return_bytes);
    if (simulation->text == NULL || simulation->logs == NULL || simulation->balances == NULL ||
        simulation->return_data == NULL)
        return false;
    for (uint32_t i = 0; i < outcome->log_count; i++) {
        size_t size = strlen(outcome->logs[i]) + 1;
        simulation->logs[i] = memcpy(simulation->text + at, outcome->logs[i], size);
        at += size;
    }
    if (outcome->balance_count > 0)
        memcpy(simulation->balances, outcome->balances,
               outcome->balance_count * sizeof *simulation->balances);
    if (outcome->return_bytes > 0)
        memcpy(simulation->return_data, outcome->return_data, outcome->return_bytes);
    simulation->outcome.packet = simulation->packet;
    simulation->outcome.logs = simulation->logs;
    simulation->outcome.balances = simulation->balances;
    simulation->outcome.return_data = simulation->return_data;
    return !simulation->failed;
}

/* config stays with the caller. NULL: no memory. */
static erx_simulation_t *make_simulation(erx_rollup_state_t *state, const uint8_t *packet,
                                         size_t size, const erx_simulation_config_t *config)
{
    erx_simulation_t *simulation = erx_alloc(1, sizeof *simulation);
    if (simulation == NULL)
        return NULL;
    memcpy(simulation->packet, packet, size);
    simulation->state = state;
    simulation->config = config;
    simulation->account_count = config->account_count;
    simulation->accounts = erx_alloc(config->account_count, sizeof *simulation->accounts);
    for (uint32_t i = 0; simulation->accounts != NULL && i < config->account_count; i++)
        simulation->accounts[i].key = config->accounts[i];
    if (simulation->accounts != NULL)
        return simulation;
    free_simulation(simulation);
    return NULL;
}

/* Executes the packet, which is known to be a transaction. STATE, MEMORY. */
static int32_t run(erx_simulation_t *simulation, size_t size)
{
    erx_runtime_t *runtime = simulation->state->runtime;
    erx_bank_outcome_t outcome;
    erx_intake_item_t item = {.packet = simulation->packet, .bytes = (uint32_t)size};
    (void)erx_message_parse(simulation->packet, size, &item.message);
    if (simulation->config->verify_signatures && !erx_verify_message(&item.message))
        item.error = ERX_TRANSACTION_SIGNATURE_FAILURE;
    erx_message_hash(&item.message, &item.message_hash);
    if (!simulation->config->never_waits)
        erx_runtime_read_begin(runtime, true);
    else if (!erx_runtime_try_read_begin(runtime))
        return ERX_STATUS_STATE;
    const erx_bank_simulation_t how = {
        .replace_blockhash = simulation->config->replace_blockhash,
        .slot = erx_runtime_processed_slot(runtime) + 1,
        .timestamp = erx_runtime_timestamp(runtime),
        .inspect = inspect,
        .context = simulation,
        .units_max = simulation->config->units_max,
    };
    erx_bank_simulate(erx_runtime_changing_bank(runtime), &item, &how, &outcome);
    bool kept = keep_outcome(simulation, &outcome);
    erx_runtime_read_end(runtime);
    return kept ? ERX_STATUS_OK : ERX_STATUS_MEMORY;
}

int32_t erx_rollup_simulate(erx_rollup_t *rollup, const uint8_t *packet, size_t size,
                            const erx_simulation_config_t *config,
                            erx_simulation_t **simulation_out)
{
    int32_t result;
    erx_message_t message;
    erx_simulation_config_t own = {.struct_size = sizeof own};
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (simulation_out == NULL)
        return erx_result_missing("simulation_out");
    if (config != NULL &&
        (result = erx_result_take(&own, sizeof own, config, CONFIG_SIZE_MIN)) != 0)
        return result;
    if (own.account_count > ERX_MESSAGE_LOCKS_MAX || (own.account_count > 0 && !own.accounts))
        return erx_result_refuse(ERX_STATUS_RANGE, "account_count: %u is not in 0 to %u",
                                 own.account_count, ERX_MESSAGE_LOCKS_MAX);
    result = parse(packet, size, &message);
    if (result != ERX_STATUS_OK)
        return result;
    erx_simulation_t *simulation = make_simulation(state, packet, size, &own);
    result = simulation == NULL ? ERX_STATUS_MEMORY : run(simulation, size);
    if (result == ERX_STATUS_OK) {
        simulation->handle = erx_handle_make(ERX_HANDLE_SIMULATION, simulation);
        result = simulation->handle == NULL ? ERX_STATUS_MEMORY : ERX_STATUS_OK;
    }
    if (result == ERX_STATUS_OK) {
        *simulation_out = simulation->handle;
        return ERX_STATUS_OK;
    }
    if (simulation != NULL)
        free_simulation(simulation);
    return erx_result_refuse(result, result == ERX_STATUS_STATE ? "frames execute"
                                                                : "no memory for a simulation");
}

const erx_transaction_outcome_t *erx_simulation_result(const erx_simulation_t *simulation)
{
    const erx_simulation_t *own = erx_handle_object(ERX_HANDLE_SIMULATION, simulation);
    return own == NULL ? NULL : &own->outcome;
}

const erx_simulated_account_t *erx_simulation_account(const erx_simulation_t *simulation,
                                                      uint32_t i)
{
    const erx_simulation_t *own = erx_handle_object(ERX_HANDLE_SIMULATION, simulation);
    return own == NULL || i >= own->account_count ? NULL : &own->accounts[i];
}

void erx_simulation_close(erx_simulation_t *simulation)
{
    erx_simulation_t *own = erx_handle_end(ERX_HANDLE_SIMULATION, simulation);
    if (own != NULL)
        free_simulation(own);
}

/* --------------------------------------------------- blockhashes, statuses */

int32_t erx_rollup_blockhash(const erx_rollup_t *rollup, uint8_t hash_out[ERX_HASH_SIZE],
                             uint64_t *last_valid_height_out, uint64_t *height_out)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (hash_out == NULL)
        return erx_result_missing("hash_out");
    erx_runtime_read_begin(state->runtime, false);
    const erx_blockhash_t *hashes = erx_runtime_blockhashes(state->runtime);
    memcpy(hash_out, erx_blockhash_latest(hashes)->bytes, ERX_HASH_SIZE);
    if (last_valid_height_out != NULL)
        *last_valid_height_out = erx_blockhash_last_valid_height(hashes);
    if (height_out != NULL)
        *height_out = erx_blockhash_height(hashes);
    erx_runtime_read_end(state->runtime);
    return ERX_STATUS_OK;
}

bool erx_rollup_blockhash_valid(const erx_rollup_t *rollup, const uint8_t hash[ERX_HASH_SIZE])
{
    int32_t result;
    erx_key_t key;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL || hash == NULL)
        return false;
    memcpy(key.bytes, hash, sizeof key.bytes);
    erx_runtime_read_begin(state->runtime, false);
    bool valid = erx_blockhash_find(erx_runtime_blockhashes(state->runtime), &key, NULL);
    erx_runtime_read_end(state->runtime);
    return valid;
}

int32_t erx_rollup_signature_status(const erx_rollup_t *rollup,
                                    const uint8_t signature[ERX_SIGNATURE_SIZE],
                                    erx_signature_status_t *status_out)
{
    int32_t result;
    erx_signature_t key;
    erx_status_cache_entry_t entry;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (signature == NULL || status_out == NULL)
        return erx_result_missing(signature == NULL ? "signature" : "status_out");
    memcpy(key.bytes, signature, sizeof key.bytes);
    erx_runtime_read_begin(state->runtime, false);
    bool found = erx_status_cache_find(erx_runtime_statuses(state->runtime), &key, &entry);
    erx_runtime_read_end(state->runtime);
    if (!found)
        return erx_result_refuse(ERX_STATUS_NOT_FOUND, "signature: no recent transaction has it");
    const erx_signature_status_t own = {
        .slot = entry.slot,
        .code = (int32_t)entry.result.error,
        .instruction_index = entry.result.index,
        .instruction_code = (int32_t)entry.result.instruction,
        .instruction_custom = entry.result.custom,
    };
    return erx_result_give(status_out, &own, sizeof own, sizeof own);
}
