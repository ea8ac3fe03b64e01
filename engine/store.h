/* The durable account store: the sessions of an engine's models and its account
 * table, their records and checkpoints on one device.
 *
 * A block passes through in three calls: submit (its record is on its way, the
 * workers are told which arenas to copy), the execution, and settle (copies
 * become checkpoints, room for the next record is made). What was executed is
 * `processed`; what erx_store_confirmed names is durable.
 *
 * Opening recovers: journal, newest checkpoints, re-execution from there; see
 * recover.h. A slot's state is trusted only if everything that ever touched it
 * is accounted for: every entry names the record that touched the slot before,
 * and the newest record says how many slots were ever touched.
 *
 * Thread rule: the engine's control thread, except where stated. */
#ifndef ERX_ENGINE_STORE_H
#define ERX_ENGINE_STORE_H

#include "engine/block.h"
#include "engine/commit.h"
#include "engine/pools.h"
#include "engine/recover.h"

typedef struct erx_store erx_store_t;

/* How the store executes blocks while it recovers; the engine's. */
typedef struct {
    void *context;
    erx_block_t *(*begin)(void *context, uint64_t number, int64_t timestamp);
    void (*execute)(void *context);
} erx_executor_t;

/* Asked during replay for the model of a pool that has none: gives it one, with
 * erx_engine_load_model_bytes. The account table's entries and data are those of
 * this moment or later ones; it is not indexed yet (erx_accounts_scan). */
typedef erx_status_t (*erx_store_bind_fn)(void *context, uint32_t pool, erx_error_t *error);

typedef struct {
    uint32_t model_count;
    erx_model_t *models;      /* [model_count]; outlive the store */
    erx_accounts_t *accounts; /* likewise; NULL: there is no account table */
    uint32_t worker_count;
    erx_executor_t executor;
    uint8_t file_id[ERX_FILE_ID_BYTES];
    uint64_t claimed;           /* sequence that is durable by other evidence */
    uint64_t claimed_epoch;     /* least that the store's epoch must exceed */
    uint32_t checkpoint_frames; /* K; 0: as restart_ns asks */
    uint64_t restart_ns;        /* how long replay may take */
    bool threaded;              /* a thread of its own commits */
    const char *name;           /* for messages; outlives the store */
    /* The device: files are the two copies of the journal, then a file of
     * checkpoints for each pool. Its buffers are the store's. */
    erx_io_open_fn io_open;
    void *io_context;
    erx_io_config_t io;
    /* All may be NULL. progress: frames re-executed so far, of how many.
     * committed: a record is durable, so long after its submission. archive:
     * as erx_commit_plan_t's confirmed, on the commit thread. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void (*committed)(void *context, uint64_t sequence, uint64_t commit_ns);
    void (*archive)(void *context, const erx_record_t *record);
    void *context;
    erx_store_bind_fn bind; /* NULL where no model arrives later */
    void *bind_context;
} erx_store_config_t;

/* What opening found. */
typedef struct {
    uint64_t sequence; /* last record that counts; 0: nothing was there */
    uint64_t epoch;
    uint64_t block;          /* its block's number */
    uint64_t slot;           /* its block's slot */
    int64_t timestamp;       /* its block's time */
    uint64_t first_sequence; /* oldest record that is there */
    uint64_t replayed_frames;
    uint32_t checkpoint_frames; /* K */
    uint32_t mended;            /* records that one copy had lost */
    char note[ERX_IO_NOTE_MAX]; /* of the device; may be empty */
} erx_recovery_t;

/* Opens the device, recovers sessions and accounts into the models' pools and
 * the account table (which must be empty), and starts committing. Errors: ERX_ERR_HASH (damage:
 * which record or checkpoint), ERX_ERR_DIFFERS (re-execution gave other results), ERX_ERR_RANGE
 * (the journal is too small for so many sessions), those of the device. On failure pools and table
 * are empty and nothing is held. */
erx_status_t erx_store_open(const erx_store_config_t *config, erx_store_t **store_out,
                            erx_recovery_t *recovery_out, erx_error_t *error);

/* Records the begun block and hands it to the commit machine, waiting while
 * all its buffers are in flight. False after a failure: the block must not be
 * executed. */
bool erx_store_submit(erx_store_t *store, const erx_block_t *block);

/* A pool got its model, whose frames cost something. */
void erx_store_note_model(erx_store_t *store);

/* After the block was executed. */
void erx_store_settle(erx_store_t *store, const erx_block_t *block);

/* Sequence of the last record that was submitted, and of the last that is
 * durable with all before it. confirmed: any thread. */
uint64_t erx_store_submitted(const erx_store_t *store);
uint64_t erx_store_confirmed(const erx_store_t *store);

/* ERX_OK, or why nothing more is confirmed. Any thread. */
erx_status_t erx_store_health(const erx_store_t *store, erx_error_t *error);

typedef struct {
    uint64_t journal_bytes;    /* written since opening, both copies */
    uint64_t checkpoint_bytes; /* likewise */
    uint64_t checkpoint_count;
    uint64_t checkpoint_age; /* records that recovery would need now */
    uint64_t commit_cpu_ns;  /* of the commit thread */
    uint64_t waits;          /* times that a block waited for the machine */
} erx_store_figures_t;

erx_store_figures_t erx_store_figures(const erx_store_t *store);

/* Waits until everything submitted is durable. Errors: those of health. */
erx_status_t erx_store_sync(erx_store_t *store, erx_error_t *error);

/* For tests without a thread: lets the machine turn once. */
void erx_store_turn(erx_store_t *store, uint64_t wait_ns);

/* Waits as sync does, stops, closes the device, empties the pools' logs. What
 * the table has not given to a record yet it still has. NULL is allowed. */
void erx_store_close(erx_store_t *store);

#endif
