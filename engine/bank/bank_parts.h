/* The bank's inside, shared by bank*.c and the files of transactions. */
#ifndef ERX_ENGINE_BANK_BANK_PARTS_H
#define ERX_ENGINE_BANK_BANK_PARTS_H

#include "engine/bank/transaction_context.h"

/* Accounts that stand for a session, in the order of erx_bank_session_accounts. */
#define ERX_SESSION_ACCOUNTS 3u

/* What a transaction writes to the table's write log at most: an entry of each
 * account, and about its own size of data. */
#define ERX_BANK_TRANSACTION_WRITE_BYTES (UINT32_C(16) << 10)

/* Bytes of an outcome at most, and those that room is taken for. */
#define ERX_BANK_OUTCOME_BYTES_MAX                                                                 \
    (sizeof(((erx_transaction_log_t *)NULL)->text) + ERX_LOG_LINES_MAX * sizeof(char *) +          \
     ERX_PACKET_BYTES_MAX + ERX_MESSAGE_LOCKS_MAX * sizeof(erx_bank_balance_t) + 64)
#define ERX_BANK_OUTCOME_BYTES 4096u

/* Memory that is handed out from its start and taken back as a whole. */
typedef struct {
    uint8_t *bytes;
    size_t capacity;
    size_t used;
} erx_bump_t;

/* The accounts of a block's changes, and where each key is among them. */
typedef struct {
    erx_bank_change_t *list;
    uint32_t count;
    uint32_t capacity;
    uint32_t bucket_mask;
    uint64_t *buckets; /* block << 32 | place in the list; of another block: free */
    uint32_t block;
} erx_bank_changes_t;

/* A session and its accounts. */
typedef struct {
    uint32_t pool;
    uint32_t slot;
    uint32_t accounts[ERX_SESSION_ACCOUNTS];
    uint32_t next; /* of the chain, by SessionState's index; ERX_ACCOUNT_NONE */
} erx_bank_place_t;

/* Which accounts a session has: chains by hash of pool and slot. */
typedef struct {
    uint32_t bucket_mask;
    uint32_t *buckets;        /* first of a chain; ERX_ACCOUNT_NONE */
    erx_bank_place_t *places; /* [account capacity] by SessionState's index */
} erx_bank_session_map_t;

struct erx_bank {
    erx_bank_config_t config;
    erx_block_t *block; /* the engine's, that frames are added to */
    uint64_t slot;
    int64_t timestamp;
    bool has_begun;
    uint64_t block_units;
    uint32_t transactions;      /* of the embedder's block */
    uint32_t unrecorded_writes; /* transactions since the engine's last block */
    uint32_t recordable_writes; /* that one record has room for */
    uint32_t unrecorded_starts; /* sessions created since then */
    erx_bump_t outcomes;
    erx_bump_t simulated;
    erx_bank_changes_t changes;
    erx_bank_session_map_t sessions;
    uint32_t sessions_max; /* of all pools */
    uint32_t frame_count;
    uint32_t frame_capacity;
    erx_bank_frame_t *frames;
    erx_transaction_context_t transaction;
};

/* --- bank_block.c --- */

/* Executes the frames that were asked for, as an engine's block; the next one is
 * not begun. Errors: ERX_ERR_IO. */
erx_status_t erx_bank_run_frames(erx_bank_t *bank, erx_error_t *error);

/* The same, and begins another engine's block of the same slot. */
erx_status_t erx_bank_flush(erx_bank_t *bank, erx_error_t *error);

/* Whether a frame of the session waits for its execution. */
bool erx_bank_is_pending(const erx_bank_t *bank, const erx_session_t *session);

/* --- bank_changes.c --- */

erx_status_t erx_bank_changes_open(erx_bank_changes_t *changes_out, uint32_t account_capacity,
                                   erx_error_t *error);
void erx_bank_changes_close(erx_bank_changes_t *changes);
void erx_bank_changes_begin(erx_bank_changes_t *changes);

/* Whether count more accounts find room, besides those of all frames. */
bool erx_bank_changes_have_room(const erx_bank_t *bank, uint32_t count);

/* Adds an account, or tells of a known one where it is now. There is room. */
void erx_bank_changes_add(erx_bank_t *bank, const erx_key_t *key, uint32_t index);

/* Adds the accounts of a session, where it has some. */
void erx_bank_changes_add_session(erx_bank_t *bank, uint32_t pool, uint32_t slot);

/* Accounts that one transaction changes at most: those that it names, and others
 * of sessions that are joined. */
#define ERX_BANK_TRANSACTION_CHANGES (ERX_SESSION_ACCOUNTS * ERX_MESSAGE_LOCKS_MAX)

/* --- bank_sessions.c --- */

erx_status_t erx_bank_sessions_open(erx_bank_t *bank, erx_error_t *error);
void erx_bank_sessions_close(erx_bank_t *bank);

/* Enters or takes out what accounts a session has; states[0] is SessionState. */
void erx_bank_sessions_link(erx_bank_t *bank, const uint32_t accounts[ERX_SESSION_ACCOUNTS]);
void erx_bank_sessions_unlink(erx_bank_t *bank, uint32_t pool, uint32_t slot);

/* Entries of a session's accounts, without key and lamports. */
void erx_bank_session_entries(const erx_bank_t *bank, uint32_t pool, const erx_session_t *session,
                              uint64_t session_id, uint8_t tick_divisor,
                              erx_account_entry_t entries_out[ERX_SESSION_ACCOUNTS]);

/* Tells the bank's owner of a session that closes, which is over from now on:
 * SessionState says so. */
void erx_bank_tell_closing(const erx_bank_t *bank, uint32_t pool, erx_session_t *session,
                           uint64_t session_id);

/* Addresses of a session's accounts. Errors: ERX_ERR_MEMORY. */
erx_status_t erx_bank_session_addresses(const erx_bank_t *bank, uint64_t session_id,
                                        erx_key_t keys_out[ERX_SESSION_ACCOUNTS],
                                        erx_error_t *error);

erx_model_t *erx_bank_model(const erx_bank_t *bank, uint32_t pool);
erx_session_pool_t *erx_bank_pool(const erx_bank_t *bank, uint32_t pool);

/* --- bank_transaction.c --- */

/* Whether a transaction may execute, and with which accounts: everything that is
 * looked at before its instructions. False: the context's result says why. */
bool erx_transaction_prepare(erx_bank_t *bank, const erx_intake_item_t *item, bool is_simulated,
                             bool any_blockhash);

/* Takes the fee and executes the instructions, until one fails. The table's group
 * of changes that it begins stays open. */
bool erx_transaction_run(erx_bank_t *bank, const erx_intake_item_t *item);

/* Undoes all of it. */
void erx_transaction_rollback(erx_bank_t *bank);

/* Runs it, and keeps what it did as a whole or takes back all but the fee. */
void erx_transaction_execute(erx_bank_t *bank, const erx_intake_item_t *item);

/* --- bank_outcome.c --- */

void erx_bump_reset(erx_bump_t *bump);

/* What became of the transaction in the context, copied into bump. */
void erx_bank_outcome_write(erx_bank_t *bank, const erx_intake_item_t *item, erx_bump_t *bump,
                            erx_bank_outcome_t *outcome_out);

#endif
