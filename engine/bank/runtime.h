/* The runtime: one engine, one table of accounts, the bank, the intake and the
 * storage, put together into what an embedder opens. It owns the order of a
 * block, and who may look at accounts when.
 *
 *   direct changes, inputs left by any thread, transactions  -> bank
 *   the crank's frames                                       -> bank, engine
 *   results, changed accounts, confirmed slots               -> embedder
 *
 * Threads. The control thread opens, changes and seals. Other threads leave
 * inputs and transactions at any time, without a lock. Whoever reads accounts
 * takes the runtime's lock, which the control thread holds while transactions
 * execute and releases while frames execute: then tables may be read, and
 * arenas may not, but for the small accounts, which are read as the last block
 * left them. */
#ifndef ERX_ENGINE_BANK_RUNTIME_H
#define ERX_ENGINE_BANK_RUNTIME_H

#include "engine/bank/models.h"
#include "engine/bank/watch.h"
#include "engine/matmul/matmul.h"
#include "sched/histogram.h"

/* A session among those of all models: generation << 32 | pool << 20 | slot. */
typedef uint64_t erx_session_name_t;

typedef struct {
    erx_engine_config_t engine;
    uint32_t verifier_count;
    const char *data_directory; /* NULL: in memory only */
    const char *archive_directory;
    const char *copy_directory; /* of the journal; NULL: as the data directory says */
    uint64_t journal_bytes;
    uint64_t restart_ns;
    uint32_t checkpoint_frames;
    erx_accounts_config_t accounts;
    uint32_t upload_models;
    uint32_t upload_sessions;
    uint32_t upload_session_bytes;
    erx_key_t program;
    erx_key_t identity;
    uint64_t transaction_units_max;
    uint64_t block_units_max;
    uint64_t fee_per_signature;
    uint32_t blockhash_blocks;
    uint32_t queue_transactions;
    uint32_t block_transactions_max;
    uint32_t tick_divisor; /* of sessions that transactions create; 0: no crank */
    erx_matmul_config_t matmul;
    bool refuse_uncloned;
    void *context;
    void (*progress)(void *context, const char *what, uint64_t done, uint64_t total);
    void (*note)(void *context, const char *line);
    void (*confirmed)(void *context, uint64_t slot);    /* commit thread, or the control thread */
    void (*failure)(void *context, const char *reason); /* control thread, once */

} erx_runtime_config_t;

typedef struct erx_runtime erx_runtime_t;

/* Errors: those of the parts; the message names the setting. */
erx_status_t erx_runtime_open(const erx_runtime_config_t *config, erx_runtime_t **runtime_out,
                              erx_error_t *error);

/* The base layer. All members may be NULL; called on the control thread while
 * sealing. clone: an account is wanted, see clones.h. settle: a session has
 * ended, is about to be closed, or was asked for; no frame executes. */
typedef struct {
    void *context;
    void (*clone)(void *context, const erx_key_t *key);
    void (*settle)(void *context, uint32_t pool, const erx_session_t *session, uint64_t session_id);
} erx_runtime_base_layer_t;

/* Before start. Errors: ERX_ERR_STATE. */
erx_status_t erx_runtime_set_base_layer(erx_runtime_t *runtime,
                                        const erx_runtime_base_layer_t *base_layer,
                                        erx_error_t *error);

/* Before start. Errors: those of erx_models_load, ERX_ERR_STATE. */
erx_status_t erx_runtime_load_model(erx_runtime_t *runtime, const char *directory,
                                    uint64_t model_id, uint32_t session_capacity,
                                    erx_error_t *error);

typedef struct {
    uint64_t slot;
    uint64_t sequence;
    uint64_t replayed_frames;
    uint32_t sessions;
    uint32_t accounts;
    uint64_t duration_ns;
} erx_runtime_recovery_t;

/* Opens the storage and recovers; from then on blocks can be sealed. */
erx_status_t erx_runtime_start(erx_runtime_t *runtime, erx_error_t *error);
erx_runtime_recovery_t erx_runtime_recovery(const erx_runtime_t *runtime);
bool erx_runtime_is_started(const erx_runtime_t *runtime);

/* Waits until all is durable. Returns why the storage had failed. NULL is
 * allowed. */
erx_status_t erx_runtime_close(erx_runtime_t *runtime, erx_error_t *error);

/* --- reading, any thread --- */

/* Takes the lock. arenas: waits until no frame executes as well, to read
 * HiddenState or to simulate. */
void erx_runtime_read_begin(erx_runtime_t *runtime, bool arenas);
/* As with arenas, but does not wait for frames: false, without the lock, where some
 * execute. */
bool erx_runtime_try_read_begin(erx_runtime_t *runtime);
void erx_runtime_read_end(erx_runtime_t *runtime);

/* Between read_begin and read_end. */
const erx_bank_t *erx_runtime_bank(const erx_runtime_t *runtime);
erx_bank_t *erx_runtime_changing_bank(const erx_runtime_t *runtime); /* to simulate; with arenas */
erx_models_t *erx_runtime_changing_models(const erx_runtime_t *runtime); /* control thread */
int64_t erx_runtime_timestamp(const erx_runtime_t *runtime);             /* of the last block */
const erx_models_t *erx_runtime_models(const erx_runtime_t *runtime);
erx_accounts_t *erx_runtime_accounts(const erx_runtime_t *runtime);
const erx_key_t *erx_runtime_program(const erx_runtime_t *runtime); /* the world program's id */
const erx_blockhash_t *erx_runtime_blockhashes(const erx_runtime_t *runtime);
const erx_status_cache_t *erx_runtime_statuses(const erx_runtime_t *runtime);

/* As erx_bank_read, also while frames execute; a HiddenState needs arenas. */
uint32_t erx_runtime_read(const erx_runtime_t *runtime, uint32_t index, uint32_t offset, void *out,
                          uint32_t capacity);

/* Slot of the block that changed an account last; 0: none since the start. */
uint64_t erx_runtime_changed_slot(const erx_runtime_t *runtime, uint32_t index);

/* The session of a name; NULL where it has ended. */
erx_session_t *erx_runtime_session(const erx_runtime_t *runtime, erx_session_name_t name,
                                   uint32_t *pool_out);

/* Sessions that a pool can hold. */
uint32_t erx_runtime_pool_capacity(const erx_runtime_t *runtime, uint32_t pool);

/* Hash of a session's chain of frames as the last block left it. */
uint64_t erx_runtime_frame_hash(const erx_runtime_t *runtime, uint32_t pool,
                                const erx_session_t *session);
erx_session_name_t erx_runtime_session_name(uint32_t pool, const erx_session_t *session);

/* Grows with every change of an account. */
uint64_t erx_runtime_version(const erx_runtime_t *runtime, uint32_t index);

/* --- without the lock, any thread --- */

/* Begins and ends to tell a watch; erx_account_watch_next is called between
 * read_begin and read_end. Errors: those of erx_account_watch_open. */
erx_status_t erx_runtime_watch(erx_runtime_t *runtime, const erx_key_t *key, const erx_key_t *owner,
                               uint32_t queue_accounts, erx_account_watch_t **watch_out,
                               erx_error_t *error);
void erx_runtime_unwatch(erx_runtime_t *runtime, erx_account_watch_t *watch);

/* Errors: ERX_ERR_NOT_FOUND. */
erx_status_t erx_runtime_leave_input(erx_runtime_t *runtime, erx_session_name_t name,
                                     uint32_t player, const uint8_t control[ERX_CONTROLLER_BYTES]);
erx_intake_t *erx_runtime_intake(const erx_runtime_t *runtime);
erx_matmul_t *erx_runtime_matmul(const erx_runtime_t *runtime);
uint64_t erx_runtime_processed_slot(const erx_runtime_t *runtime);
uint64_t erx_runtime_confirmed_slot(const erx_runtime_t *runtime);
erx_status_t erx_runtime_health(const erx_runtime_t *runtime, erx_error_t *error);

/* --- control thread --- */

/* An account that clone asked for was put, or does not exist. */
void erx_runtime_clone_done(erx_runtime_t *runtime, const erx_key_t *key);

/* Settles a session with the next block. Errors: ERX_ERR_NOT_FOUND, ERX_ERR_FULL
 * (too many at once). */
erx_status_t erx_runtime_ask_to_settle(erx_runtime_t *runtime, erx_session_name_t name,
                                       erx_error_t *error);

/* Around direct changes: takes the lock and gives the bank to change. They
 * belong to the next block. Errors: ERX_ERR_STATE before start, ERX_ERR_IO. */
erx_status_t erx_runtime_change_begin(erx_runtime_t *runtime, erx_bank_t **bank_out,
                                      erx_error_t *error);
void erx_runtime_change_end(erx_runtime_t *runtime);

/* Seats a bot, as erx_bots_seat. Errors: also ERX_ERR_NOT_FOUND. */
erx_status_t erx_runtime_seat_bot(erx_runtime_t *runtime, erx_session_name_t name, uint32_t player,
                                  const char *directory, erx_error_t *error);

typedef struct {
    uint64_t slot; /* greater than any before */
    int64_t timestamp;
    bool crank;
    uint64_t tick;
    bool strict; /* the crank leaves out sessions without both players' input */
} erx_runtime_seal_t;

typedef struct {
    uint64_t slot;
    uint64_t parent;
    int64_t timestamp;
    erx_key_t blockhash;
    uint64_t started_ns, frames_ns, finished_ns;
    const erx_bank_outcome_t *outcomes;
    uint32_t outcome_count;
} erx_runtime_block_t;

/* Executes a block. block_out is valid until the next seal or change. Errors:
 * ERX_ERR_RANGE (slot), ERX_ERR_STATE, ERX_ERR_IO. */
erx_status_t erx_runtime_seal(erx_runtime_t *runtime, const erx_runtime_seal_t *seal,
                              const erx_runtime_block_t **block_out, erx_error_t *error);

erx_status_t erx_runtime_sync(erx_runtime_t *runtime, erx_error_t *error);

/* Of the storage; zero where there is none. */
typedef struct {
    erx_histogram_summary_t commits; /* ns from a record's submission to its durability */
    erx_store_figures_t store;
} erx_storage_figures_t;

typedef struct {
    uint64_t blocks, frames, transactions, transactions_failed;
    uint32_t batch_frames;
    uint64_t execute_ns, transactions_ns;
    uint64_t watch_drops;
    erx_storage_figures_t storage;
} erx_runtime_figures_t;

/* Between read_begin, with arenas, and read_end. */
erx_runtime_figures_t erx_runtime_figures(const erx_runtime_t *runtime);

#endif
