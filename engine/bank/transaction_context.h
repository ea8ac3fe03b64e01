/* One transaction while it executes: its accounts with what it may do to them,
 * its meter, its log, and the sessions that it touched. Programs change accounts
 * through here alone.
 *
 * Every change is undone together when an instruction fails: the table's by its
 * undo log, the sessions' by marks (transaction_sessions.h). An account that is
 * not in the table is an empty one of the system program; it enters the table
 * when it gets lamports, data or an owner.
 *
 * Functions return false when the instruction has failed; the reason is then in
 * the context's result, and the program returns at once. */
#ifndef ERX_ENGINE_BANK_TRANSACTION_CONTEXT_H
#define ERX_ENGINE_BANK_TRANSACTION_CONTEXT_H

#include "engine/bank/transaction_log.h"
#include "engine/bank/transaction_sessions.h"

typedef struct {
    erx_bank_t *bank;
    erx_accounts_t *accounts;
    uint64_t slot;
    int64_t timestamp;
    bool is_simulated;
    erx_message_keys_t keys;
    uint32_t indexes[ERX_MESSAGE_LOCKS_MAX];     /* in the table; ERX_ACCOUNT_NONE */
    uint32_t old_indexes[ERX_MESSAGE_LOCKS_MAX]; /* before it */
    uint64_t old_lamports[ERX_MESSAGE_LOCKS_MAX];
    uint64_t changed_arenas; /* accounts whose bytes in an arena it changed; bits as in keys */
    bool is_loaded;          /* indexes are known */
    bool is_accepted;        /* it executes, or fails to for a fee: it is not to come again */
    uint8_t tick_divisor;    /* of sessions that it creates from here on */
    uint64_t fee;
    uint64_t units_limit;
    uint64_t units_used;
    uint64_t loaded_bytes;
    uint32_t loaded_bytes_limit;
    erx_transaction_result_t result;
    erx_transaction_sessions_t sessions;
    uint32_t loaded_pool; /* of a model that it loaded; ERX_ACCOUNT_NONE */
    erx_transaction_log_t log;
} erx_transaction_context_t;

/* One instruction of it. */
typedef struct {
    erx_transaction_context_t *transaction;
    const erx_key_t *program;
    const uint8_t *accounts; /* [account_count] indexes into the transaction's keys */
    const uint8_t *data;
    uint32_t account_count;
    uint32_t data_bytes;
} erx_instruction_t;

/* Looks up the accounts of keys, which are set. */
void erx_context_load(erx_transaction_context_t *transaction);

/* Removes accounts of wallets that have neither lamports nor data any more. */
bool erx_context_sweep(erx_transaction_context_t *transaction);

/* Takes units from the meter; false, with nothing else done, where they are more
 * than are left: all that were left are used then. */
bool erx_context_charge(erx_transaction_context_t *transaction, uint64_t units);

/* --- an instruction's end --- */

/* Records why the instruction failed; both return false. */
bool erx_instruction_fail(erx_instruction_t *instruction, erx_instruction_error_t error);
bool erx_instruction_fail_custom(erx_instruction_t *instruction, uint32_t custom);

/* Charges; ComputationalBudgetExceeded. */
bool erx_instruction_charge(erx_instruction_t *instruction, uint64_t units);

/* --- its accounts; position < account_count --- */

/* At least so many accounts: NotEnoughAccountKeys. */
bool erx_instruction_require(erx_instruction_t *instruction, uint32_t account_count);

const erx_key_t *erx_instruction_key(const erx_instruction_t *instruction, uint32_t position);
bool erx_instruction_signs(const erx_instruction_t *instruction, uint32_t position);
bool erx_instruction_writes(const erx_instruction_t *instruction, uint32_t position);

/* Its index in the table; ERX_ACCOUNT_NONE. */
uint32_t erx_instruction_index(const erx_instruction_t *instruction, uint32_t position);

/* Its entry; that of an empty account where it has none. Valid until a change. */
const erx_account_entry_t *erx_instruction_entry(const erx_instruction_t *instruction,
                                                 uint32_t position);

/* Changes. No flag or owner is checked here. Data functions: plain accounts. */
bool erx_instruction_put_lamports(erx_instruction_t *instruction, uint32_t position,
                                  uint64_t lamports);
bool erx_instruction_put_owner(erx_instruction_t *instruction, uint32_t position,
                               const erx_key_t *owner);
bool erx_instruction_resize(erx_instruction_t *instruction, uint32_t position,
                            uint32_t data_length);
bool erx_instruction_write(erx_instruction_t *instruction, uint32_t position, uint32_t offset,
                           const void *bytes, uint32_t size);

/* Puts another account in the place of an empty one, with its lamports: of entry
 * all but key, lamports and version. */
bool erx_instruction_make(erx_instruction_t *instruction, uint32_t position,
                          const erx_account_entry_t *entry);
bool erx_instruction_remove(erx_instruction_t *instruction, uint32_t position);

/* Bytes of the account that lie in a session's arena were changed. */
void erx_instruction_note_arena(erx_instruction_t *instruction, uint32_t position);

/* Data of an account of any kind, as erx_bank_read. */
uint32_t erx_instruction_read(const erx_instruction_t *instruction, uint32_t position,
                              uint32_t offset, void *out, uint32_t capacity);

/* Records a failure of the account table or of a session's pool: a log line, and
 * MaxAccountsDataAllocationsExceeded for what is full. Returns false. */
bool erx_instruction_fail_status(erx_instruction_t *instruction, const erx_error_t *error);

#endif
