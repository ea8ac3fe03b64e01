/* The runtime's inside, shared by runtime*.c alone. */
#ifndef ERX_ENGINE_BANK_RUNTIME_PARTS_H
#define ERX_ENGINE_BANK_RUNTIME_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/bank/bots.h"
#include "engine/bank/clones.h"
#include "engine/bank/runtime.h"

/* Accounts of a session that are small and change with every frame, as the last
 * block left them: SessionState, then InputBuffer. */
#define ERX_SMALL_BYTES         (ERX_SESSION_STATE_BYTES + ERX_INPUT_BUFFER_BYTES)

#define ERX_RUNTIME_WATCHES_MAX 1024u
#define ERX_RUNTIME_SETTLES_MAX 1024u /* asked for between two blocks */

/* What any thread left for a player of a session. */
typedef struct {
    _Atomic uint64_t control;
    _Atomic uint32_t fresh;
} erx_mailbox_t;

/* One slot of one pool, beside the engine's session. */
typedef struct {
    _Atomic uint32_t generation; /* odd: in use */
    erx_mailbox_t mailboxes[ERX_PLAYERS];
    uint8_t tick_divisor; /* of the SessionState's entry */
    uint64_t frame_hash;  /* of its chain, as the last block left it */
    uint8_t small[ERX_SMALL_BYTES];
} erx_runtime_slot_t;

typedef struct {
    uint32_t capacity;
    erx_runtime_slot_t *slots; /* [capacity] */
} erx_runtime_pool_t;

struct erx_runtime {
    erx_runtime_config_t config;
    erx_runtime_base_layer_t base_layer;
    uint32_t settle_count;
    erx_session_name_t settles[ERX_RUNTIME_SETTLES_MAX]; /* asked for */
    erx_engine_t *engine;
    erx_accounts_t *accounts;
    erx_models_t *models;
    erx_bank_t *bank;
    erx_blockhash_t *blockhashes;
    erx_status_cache_t *statuses;
    erx_bots_t *bots;
    erx_clones_t *clones; /* NULL: missing accounts are empty */
    erx_intake_t *intake;
    erx_matmul_t *matmul;
    pthread_mutex_t lock;
    pthread_cond_t frames_done; /* executing became false */
    bool executing;             /* frames, without the lock */
    bool started;
    bool begun; /* the bank has begun the next block */
    uint32_t pool_count;
    erx_runtime_pool_t pools[ERX_MODELS_MAX];
    uint64_t *changed_slots; /* [account capacity] */
    uint64_t *versions;      /* likewise, as the last block left them */
    uint32_t watch_count;
    erx_account_watch_t *watches[ERX_RUNTIME_WATCHES_MAX];
    const erx_intake_item_t *kept; /* taken, but for the next block */
    bool kept_from_intake;
    uint32_t taken;               /* items that outcomes of the block refer to */
    erx_bank_outcome_t *outcomes; /* [config.block_transactions_max] */
    erx_runtime_block_t block;
    erx_runtime_figures_t figures;
    erx_runtime_recovery_t recovery;
    _Atomic bool has_inputs; /* some mailbox may be fresh */
    _Atomic uint64_t processed;
    _Atomic uint64_t confirmed;
    struct erx_storage *storage; /* NULL: in memory only */
};

/* Takes the tables that follow from the engine's pools. */
erx_status_t erx_runtime_open_pools(erx_runtime_t *runtime, erx_error_t *error);
void erx_runtime_close_pools(erx_runtime_t *runtime);

/* Takes over what any thread left. With the lock. */
void erx_runtime_collect_inputs(erx_runtime_t *runtime);

/* Makes what the block changed so far visible to readers. With the lock. */
void erx_runtime_publish(erx_runtime_t *runtime);

/* A session is about to end: its generation takes no more input. With the lock. */
void erx_runtime_publish_end(erx_runtime_t *runtime, uint32_t pool, const erx_session_t *session);

/* Tells watches what the block changed. With the lock. */
void erx_runtime_tell_watches(erx_runtime_t *runtime);

/* Tells the embedder that blocks up to a slot are durable, if that is new. Any
 * thread. */
void erx_runtime_confirm(erx_runtime_t *runtime, uint64_t slot);

#endif
