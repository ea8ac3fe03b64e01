/* The bank: executes transactions natively on accounts.
 *
 * One embedder's block goes so:
 *
 *   begin -> process, process, ... (transactions in order) -> add_frame ...
 *   (the crank's) -> execute -> changed, frames, outcomes -> begin ...
 *
 * A transaction happens as a whole or not at all. run_inference and the last
 * run_inference_chunk of a frame only check and ask: all frames of a block are
 * executed together, batched, by erx_bank_execute. A transaction that names an
 * account of a session whose frame was asked for earlier in the block makes the
 * bank execute what was asked for first, as an engine's block of its own with
 * the same slot.
 *
 * All memory is taken at open; executing transactions allocates nothing. What
 * becomes of a block is a function of its transactions, its slot, its timestamp
 * and the state before, alone.
 *
 * Thread rule: the control thread calls everything here. While it calls none of
 * process, simulate, execute, begin or the direct changes, other threads may
 * read (find, info, read), under the embedder's lock. */
#ifndef ERX_ENGINE_BANK_BANK_H
#define ERX_ENGINE_BANK_BANK_H

#include "engine/bank/accounts.h"
#include "engine/engine.h"
#include "engine/matmul/compute_units.h"
#include "engine/transaction/blockhash.h"
#include "engine/transaction/intake.h"
#include "engine/transaction/status_cache.h"

#define ERX_TICK_DIVISOR_MAX            60u    /* a frame a second at 60 ticks */
#define ERX_BANK_LOG_BYTES_MAX          10000u /* of one transaction, as the runtime has it */
#define ERX_BANK_RETURN_BYTES_MAX       1024u
#define ERX_BANK_BLOCK_TRANSACTIONS_MAX 1048576u
/* So that sums of a block do not overflow. */
#define ERX_BANK_TRANSACTION_UNITS_MAX UINT64_C(1000000000000)

typedef struct erx_bank erx_bank_t;

/* The models' registry, as the bank needs it. */
typedef struct {
    void *context;
    /* Whether the model of an uploaded manifest could be loaded now: its form,
     * its weights, and room for it. manifest and shards are indexes of plain
     * accounts whose bytes were checked against their hashes. Any error makes
     * finalize_manifest fail; the message becomes a log line. */
    erx_status_t (*check)(void *context, uint32_t manifest, const uint32_t *shards,
                          uint32_t shard_count, erx_error_t *error);
    /* Loads it; *pool_out is its index among the engine's models. */
    erx_status_t (*load)(void *context, uint32_t manifest, const uint32_t *shards,
                         uint32_t shard_count, uint32_t *pool_out, erx_error_t *error);
    /* Takes back a load whose transaction failed afterwards. Nothing plays it. */
    void (*unload)(void *context, uint32_t pool);
    /* Copies data[offset, offset + size), which is inside, of an account of kind
     * ERX_ACCOUNT_MODEL_PART. */
    void (*read)(void *context, const erx_account_entry_t *entry, uint32_t offset, void *out,
                 uint32_t size);
} erx_bank_models_t;

typedef struct {
    /* All owned by the caller, who closes them after the bank. */
    erx_engine_t *engine;
    erx_accounts_t *accounts;
    erx_blockhash_t *blockhashes;
    erx_status_cache_t *statuses;
    erx_bank_models_t models;
    erx_key_t program; /* id of the world program */
    erx_compute_table_t compute;
    uint64_t transaction_units_max; /* of one transaction; also its budget by default */
    uint64_t block_units_max;       /* of a block's transactions */
    uint64_t fee_per_signature;     /* lamports; 0: a payer need not exist */
    uint32_t block_transactions_max;
    uint64_t hash_seed;   /* random; keys the table of changed accounts */
    uint8_t tick_divisor; /* of sessions that transactions create */
    bool refuse_uncloned; /* writable accounts must be delegated or made here */
    /* Called around the execution of frames, when nothing but arenas is used;
     * may be NULL. */
    void (*frames_begin)(void *context);
    void (*frames_end)(void *context);
    /* Called before a session is gone, with its last state; may be NULL. */
    void (*closing)(void *context, uint32_t pool, const erx_session_t *session,
                    uint64_t session_id);
    void *context;
} erx_bank_config_t;

/* Lamports of one account of a transaction. */
typedef struct {
    erx_key_t key;
    uint64_t lamports_before;
    uint64_t lamports_after;
} erx_bank_balance_t;

/* What became of a transaction. What is pointed to lies in the block's memory:
 * valid until the next erx_bank_begin (of a simulation: until the next one). */
typedef struct {
    uint64_t tag; /* the item's */
    const uint8_t *packet;
    uint32_t packet_bytes;
    erx_signature_t signature; /* the first one; zero where the packet has none */
    erx_transaction_result_t result;
    uint64_t units; /* compute units that were charged */
    uint64_t fee;   /* lamports that were taken */
    const char *const *logs;
    uint32_t log_count;
    const erx_bank_balance_t *balances; /* all accounts, in the message's order */
    uint32_t balance_count;
    erx_key_t return_program;
    const uint8_t *return_data;
    uint32_t return_bytes;
    uint64_t loaded_bytes; /* of the accounts' data */
} erx_bank_outcome_t;

/* An account that a block changed. */
typedef struct {
    erx_key_t key;
    uint32_t index; /* in the table after the block; ERX_ACCOUNT_NONE: it was removed */
} erx_bank_change_t;

/* A frame that a block executed. */
typedef struct {
    uint32_t pool; /* index of the model */
    uint64_t handle;
    uint32_t frame; /* frames of the session after it */
    uint64_t frame_hash;
    uint64_t finished_ns;
    uint8_t controls[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
} erx_bank_frame_t;

/* Opens it on accounts and sessions that are recovered. Models that arrive later
 * have their place in the engine. Errors: ERX_ERR_RANGE (the message names the
 * setting), ERX_ERR_MEMORY, ERX_ERR_FORMAT (an account of a session that there
 * is not). */
erx_status_t erx_bank_open(const erx_bank_config_t *config, erx_bank_t **bank_out,
                           erx_error_t *error);

/* NULL is allowed. */
void erx_bank_close(erx_bank_t *bank);

/* --- one block --- */

/* Starts a block: slots grow. Outcomes, changes and frames of the block before
 * are gone. */
void erx_bank_begin(erx_bank_t *bank, uint64_t slot, int64_t timestamp);

/* Gives the block that has begun another slot and time, before anything but
 * direct changes happened in it. */
void erx_bank_set_block(erx_bank_t *bank, uint64_t slot, int64_t timestamp);

/* Executes one transaction: what is wrong with it is its outcome, and then it
 * has changed nothing but the fee. Blockhashes and repetition are looked up; the
 * transaction is entered into the status cache unless it was refused before it
 * was accepted (faulty packet or compute budget, unknown blockhash, repetition, an
 * account that may not be written here, no fee payer) or finds no room in the
 * block's units: then it may come again.
 *
 * Errors, and then there is no outcome and nothing happened: ERX_ERR_FULL (this
 * block has no room for another transaction: keep it for the next), ERX_ERR_IO
 * (the storage failed while frames were executed first). */
erx_status_t erx_bank_process(erx_bank_t *bank, const erx_intake_item_t *item,
                              erx_bank_outcome_t *outcome_out, erx_error_t *error);

/* Adds the next frame of an active session, with the controllers that it holds:
 * what the crank does. Errors: ERX_ERR_STATE (not active, or in the block
 * already). */
erx_status_t erx_bank_add_frame(erx_bank_t *bank, uint32_t pool, erx_session_t *session);

/* Executes every frame that was asked for, and ends the block. To be called once
 * a block, also where no frame was asked for: an engine's block carries what
 * transactions changed into the journal. Errors: ERX_ERR_IO (the storage failed:
 * nothing of these frames was executed). */
erx_status_t erx_bank_execute(erx_bank_t *bank, erx_error_t *error);

/* Accounts that this block changed, each once, in the order of their first
 * change; frames that it executed, in order. Valid until the next begin. */
const erx_bank_change_t *erx_bank_changed(const erx_bank_t *bank, uint32_t *count_out);
const erx_bank_frame_t *erx_bank_frames(const erx_bank_t *bank, uint32_t *count_out);

/* --- simulation --- */

typedef struct {
    bool replace_blockhash; /* any blockhash is as good as the newest */
    uint64_t slot;          /* as which it executes */
    int64_t timestamp;
    /* Called before what it did is undone, to read accounts; may be NULL. Not
     * called for a transaction that was refused before it executed. */
    void (*inspect)(void *context, const erx_bank_t *bank);
    void *context;
    uint64_t units_max; /* charged before it fails; 0: as many as when it executes */
} erx_bank_simulation_t;

/* As erx_bank_process between two blocks (before begin, or after execute), but
 * nothing stays: no change, no status. A frame that is asked for is charged, not
 * executed; a model is checked, not loaded. Repetition is looked up as well. */
void erx_bank_simulate(erx_bank_t *bank, const erx_intake_item_t *item,
                       const erx_bank_simulation_t *simulation, erx_bank_outcome_t *outcome_out);

/* --- direct changes, by the embedder's calls; between begin and execute --- */

/* What erx_bank_create_session makes. */
typedef struct {
    uint64_t session_id;
    uint32_t pool; /* index of the model */
    uint8_t tick_divisor;
    erx_session_terms_t terms;
} erx_bank_session_t;

/* Creates a session with its three accounts. Errors: ERX_ERR_STATE (the id is in
 * use), ERX_ERR_RANGE (stage or character), ERX_ERR_FULL, ERX_ERR_MEMORY. */
erx_status_t erx_bank_create_session(erx_bank_t *bank, const erx_bank_session_t *session,
                                     uint64_t *handle_out, erx_error_t *error);

/* A session that another rollup exported. */
typedef struct {
    uint64_t session_id;
    uint8_t tick_divisor;
    const void *bytes; /* as erx_transfer_export wrote them; any bytes at all */
    size_t size;
} erx_bank_import_t;

/* Goes on with it, in the pool of its model. Errors: those of create and of
 * erx_transfer_import. */
erx_status_t erx_bank_import_session(erx_bank_t *bank, const erx_bank_import_t *import,
                                     uint32_t *pool_out, uint64_t *handle_out, erx_error_t *error);

/* Seats the second player of a session that waits. Errors: ERX_ERR_STATE (it does
 * not wait), ERX_ERR_ARGUMENT (the first player's key), ERX_ERR_RANGE
 * (character), ERX_ERR_FULL. */
erx_status_t erx_bank_join_session(erx_bank_t *bank, uint32_t pool, erx_session_t *session,
                                   const erx_key_t *player, uint8_t character, erx_error_t *error);

/* A player's controller for the session's next frame, whose sequence follows the
 * last one. Errors: ERX_ERR_STATE (not active, or its frame is in the block). */
erx_status_t erx_bank_input(erx_bank_t *bank, uint32_t pool, erx_session_t *session,
                            uint32_t player, const uint8_t control[ERX_CONTROLLER_BYTES],
                            erx_error_t *error);

/* Ends a session and removes its accounts. Errors: ERX_ERR_STATE (its frame is in
 * the block), ERX_ERR_FULL. */
erx_status_t erx_bank_close_session(erx_bank_t *bank, uint32_t pool, erx_session_t *session,
                                    erx_error_t *error);

/* Adds an account to erx_bank_changed: by those who change accounts without the
 * bank, after erx_accounts_commit. Errors: ERX_ERR_FULL (execute a block first). */
erx_status_t erx_bank_note_change(erx_bank_t *bank, const erx_key_t *key, erx_error_t *error);

/* --- reading --- */

/* Index of the account of a key in the table, of whatever kind; ERX_ACCOUNT_NONE. */
uint32_t erx_bank_find(const erx_bank_t *bank, const erx_key_t *key);

/* Bytes of the data of an account of any kind. */
uint32_t erx_bank_space(const erx_bank_t *bank, uint32_t index);

/* Grows with every change of an account, also with those of frames and inputs,
 * which the table's entry does not count: arenas do. */
uint64_t erx_bank_version(const erx_bank_t *bank, uint32_t index);

/* Copies data[offset, offset + capacity) of an account of any kind, as far as
 * there is any; returns how many bytes. */
uint32_t erx_bank_read(const erx_bank_t *bank, uint32_t index, uint32_t offset, void *out,
                       uint32_t capacity);

/* The session of an account of a session's kind; NULL for others. */
erx_session_t *erx_bank_session(const erx_bank_t *bank, uint32_t index, uint32_t *pool_out);

/* The three accounts of a session, as indexes in the table in the order
 * SessionState, HiddenState, InputBuffer. False where it has none. */
bool erx_bank_session_accounts(const erx_bank_t *bank, uint32_t pool, uint32_t slot,
                               uint32_t index_out[3]);

/* Compute units of this block's transactions so far. */
uint64_t erx_bank_block_units(const erx_bank_t *bank);

#endif
