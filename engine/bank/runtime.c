#include <string.h>
#include <sys/random.h>

#include "engine/bank/runtime_parts.h"
#include "engine/bank/storage.h"
#include "kernels/select.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "sched/clock.h"

/* Transactions that are remembered at a time, some 45 MB: when so many have come
 * within the life of a blockhash, more wait for the oldest to be forgotten. */
#define STATUSES_MAX ((uint64_t)1 << 18)

static void frames_begin(void *context)
{
    erx_runtime_t *runtime = context;
    runtime->executing = true;
    (void)pthread_mutex_unlock(&runtime->lock);
}

static void frames_end(void *context)
{
    erx_runtime_t *runtime = context;
    (void)pthread_mutex_lock(&runtime->lock);
    runtime->executing = false;
    (void)pthread_cond_broadcast(&runtime->frames_done);
}

/* A session takes no more input, and its last state goes to the base layer. */
static void closing(void *context, uint32_t pool, const erx_session_t *session, uint64_t session_id)
{
    erx_runtime_t *runtime = context;
    erx_runtime_publish_end(runtime, pool, session);
    if (runtime->base_layer.settle != NULL)
        runtime->base_layer.settle(runtime->base_layer.context, pool, session, session_id);
}

static erx_status_t draw(void *bytes_out, size_t size, erx_error_t *error)
{
    if (getrandom(bytes_out, size, 0) == (ssize_t)size)
        return ERX_OK;
    return erx_error_set(error, ERX_ERR_IO, "the system gives no random bytes");
}

/* Products cost in frames what programs pay for them. */
static erx_compute_table_t compute_of(const erx_runtime_config_t *config)
{
    erx_compute_table_t table = erx_compute_table_default;
    table.matmul_base = config->matmul.base_units;
    table.matmul_divisor = config->matmul.divisor;
    return table;
}

/* What needs no models. */
static erx_status_t open_parts(erx_runtime_t *runtime, erx_error_t *error)
{
    const erx_runtime_config_t *config = &runtime->config;
    const erx_intake_settings_t intake = {
        .slot_count = config->queue_transactions,
        .worker_count = config->verifier_count,
    };
    erx_matmul_config_t matmul = config->matmul;
    erx_status_t status = erx_engine_open(&config->engine, &runtime->engine, error);
    if (status == ERX_OK && config->engine.isa != NULL)
        matmul.kernel = erx_kernel_find(config->engine.isa);
    if (status == ERX_OK)
        status = erx_accounts_open(&config->accounts, &runtime->accounts, error);
    if (status == ERX_OK)
        status = erx_intake_open(&intake, &runtime->intake, error);
    if (status == ERX_OK)
        status = erx_matmul_open(&matmul, &runtime->matmul, error);
    if (status != ERX_OK)
        return status;
    const erx_models_config_t models = {
        .engine = runtime->engine,
        .accounts = runtime->accounts,
        .program = config->program,
        .authority = config->identity,
        .compute = compute_of(config),
        .upload_models = config->upload_models,
        .upload_sessions = config->upload_sessions,
        .upload_session_bytes = config->upload_session_bytes,
    };
    return erx_models_open(&models, &runtime->models, error);
}

static erx_status_t check(const erx_runtime_config_t *config, erx_error_t *error)
{
    if (config->block_transactions_max == 0 ||
        config->block_transactions_max > config->queue_transactions)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "block_transactions_max: %u is not in 1 to queue_transactions, %u",
                             config->block_transactions_max, config->queue_transactions);
    if (config->upload_models >= ERX_MODELS_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "upload_models: %u is not in 0 to %u",
                             config->upload_models, ERX_MODELS_MAX - 1);
    if (config->tick_divisor > ERX_TICK_DIVISOR_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "tick_divisor: %u is not in 0 to %u",
                             config->tick_divisor, ERX_TICK_DIVISOR_MAX);
    return ERX_OK;
}

/* A reader that holds the lock must not wait for its processor while the control
 * thread, which may have a priority of its own, waits for the lock. */
static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    (void)pthread_mutex_init(lock, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
}

erx_status_t erx_runtime_open(const erx_runtime_config_t *config, erx_runtime_t **runtime_out,
                              erx_error_t *error)
{
    erx_status_t status = check(config, error);
    if (status != ERX_OK)
        return status;
    erx_runtime_t *runtime = erx_alloc(1, sizeof *runtime);
    if (runtime == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a rollup");
    runtime->config = *config;
    init_lock(&runtime->lock);
    (void)pthread_cond_init(&runtime->frames_done, NULL);
    status = open_parts(runtime, error);
    runtime->changed_slots =
        erx_alloc(config->accounts.account_capacity, sizeof *runtime->changed_slots);
    runtime->versions = erx_alloc(config->accounts.account_capacity, sizeof *runtime->versions);
    runtime->outcomes = erx_alloc(config->block_transactions_max, sizeof *runtime->outcomes);
    if (status == ERX_OK &&
        (runtime->changed_slots == NULL || runtime->versions == NULL || runtime->outcomes == NULL))
        status = erx_error_set(error, ERX_ERR_MEMORY, "no memory for blocks of %u transactions",
                               config->block_transactions_max);
    if (status != ERX_OK) {
        erx_error_t ignored;
        (void)erx_runtime_close(runtime, &ignored);
        return status;
    }
    *runtime_out = runtime;
    return ERX_OK;
}

erx_status_t erx_runtime_set_base_layer(erx_runtime_t *runtime,
                                        const erx_runtime_base_layer_t *base_layer,
                                        erx_error_t *error)
{
    if (runtime->started)
        return erx_error_set(error, ERX_ERR_STATE, "the base layer is set before start");
    runtime->base_layer = *base_layer;
    return ERX_OK;
}

erx_status_t erx_runtime_load_model(erx_runtime_t *runtime, const char *directory,
                                    uint64_t model_id, uint32_t session_capacity,
                                    erx_error_t *error)
{
    if (runtime->started)
        return erx_error_set(error, ERX_ERR_STATE, "models of directories are loaded before start");
    return erx_models_load(runtime->models, directory, model_id, session_capacity, error);
}

static erx_status_t open_bank(erx_runtime_t *runtime, uint64_t last_slot, erx_error_t *error)
{
    const erx_runtime_config_t *config = &runtime->config;
    uint64_t seed = 0, bank_seed = 0;
    erx_blockhash_settings_t hashes = {
        .number = last_slot,
        .valid_blocks = config->blockhash_blocks,
    };
    erx_status_t status = draw(hashes.epoch, sizeof hashes.epoch, error);
    if (status == ERX_OK)
        status = draw(&hashes.hash_seed, sizeof hashes.hash_seed, error);
    if (status == ERX_OK)
        status = draw(&seed, sizeof seed, error);
    if (status == ERX_OK)
        status = draw(&bank_seed, sizeof bank_seed, error);
    if (status == ERX_OK)
        status = erx_blockhash_open(&hashes, &runtime->blockhashes, error);
    uint64_t window = (uint64_t)(config->blockhash_blocks + 1) * config->block_transactions_max;
    if (status == ERX_OK)
        status = erx_status_cache_open((uint32_t)ERX_MIN(window, STATUSES_MAX), seed,
                                       &runtime->statuses, error);
    if (status != ERX_OK)
        return status;
    const erx_bank_config_t bank = {
        .engine = runtime->engine,
        .accounts = runtime->accounts,
        .blockhashes = runtime->blockhashes,
        .statuses = runtime->statuses,
        .models = erx_models_interface(runtime->models),
        .hash_seed = bank_seed,
        .program = config->program,
        .compute = compute_of(config),
        .transaction_units_max = config->transaction_units_max,
        .block_units_max = config->block_units_max,
        .fee_per_signature = config->fee_per_signature,
        .block_transactions_max = config->block_transactions_max,
        .tick_divisor = (uint8_t)config->tick_divisor,
        .refuse_uncloned = config->refuse_uncloned,
        .frames_begin = frames_begin,
        .frames_end = frames_end,
        .closing = closing,
        .context = runtime,
    };
    return erx_bank_open(&bank, &runtime->bank, error);
}

erx_status_t erx_runtime_start(erx_runtime_t *runtime, erx_error_t *error)
{
    if (runtime->started)
        return erx_error_set(error, ERX_ERR_STATE, "the rollup has been started already");
    uint64_t begin_ns = erx_clock_now();
    erx_status_t status = erx_models_add_places(runtime->models, error);
    if (status == ERX_OK && runtime->config.data_directory != NULL)
        status = erx_storage_open(runtime, &runtime->storage, &runtime->recovery, error);
    if (status == ERX_OK)
        status = erx_models_settle(runtime->models, error);
    if (status == ERX_OK)
        status = open_bank(runtime, runtime->recovery.slot, error);
    if (status == ERX_OK)
        status = erx_runtime_open_pools(runtime, error);
    uint32_t session_capacity = 0;
    for (uint32_t pool = 0; pool < runtime->pool_count; pool++)
        session_capacity += runtime->pools[pool].capacity;
    if (status == ERX_OK)
        status =
            erx_bots_open(runtime->engine, ERX_PLAYERS * session_capacity, &runtime->bots, error);
    if (status == ERX_OK && runtime->base_layer.clone != NULL) {
        const erx_clones_config_t clones = {
            .accounts = runtime->accounts,
            .program = runtime->config.program,
            .ask = runtime->base_layer.clone,
            .context = runtime->base_layer.context,
        };
        status = erx_clones_open(&clones, &runtime->clones, error);
    }
    if (status != ERX_OK)
        return status;
    runtime->block.slot = runtime->recovery.slot;
    atomic_store(&runtime->processed, runtime->recovery.slot);
    atomic_store(&runtime->confirmed, runtime->recovery.slot);
    for (uint32_t pool = 0; pool < runtime->pool_count; pool++) {
        const erx_world_model_t *model = erx_models_get(runtime->models, pool);
        runtime->recovery.sessions += model->model == NULL ? 0 : model->model->sessions.used_count;
    }
    runtime->recovery.accounts = erx_accounts_count(runtime->accounts);
    runtime->recovery.duration_ns = erx_clock_now() - begin_ns;
    runtime->started = true;
    return ERX_OK;
}

erx_status_t erx_runtime_seat_bot(erx_runtime_t *runtime, erx_session_name_t name, uint32_t player,
                                  const char *directory, erx_error_t *error)
{
    uint32_t pool;
    erx_runtime_read_begin(runtime, false);
    const erx_session_t *session = erx_runtime_session(runtime, name, &pool);
    erx_status_t status =
        session == NULL
            ? erx_error_set(error, ERX_ERR_NOT_FOUND, "session: it has ended, or never was")
            : erx_bots_seat(runtime->bots, pool, session, player, directory, error);
    erx_runtime_read_end(runtime);
    return status;
}

erx_runtime_recovery_t erx_runtime_recovery(const erx_runtime_t *runtime)
{
    return runtime->recovery;
}

bool erx_runtime_is_started(const erx_runtime_t *runtime)
{
    return runtime->started;
}

erx_status_t erx_runtime_health(const erx_runtime_t *runtime, erx_error_t *error)
{
    return runtime->storage == NULL ? ERX_OK : erx_storage_health(runtime->storage, error);
}

erx_status_t erx_runtime_sync(erx_runtime_t *runtime, erx_error_t *error)
{
    if (runtime->storage == NULL)
        return ERX_OK;
    erx_runtime_read_begin(runtime, false);
    erx_status_t status = erx_storage_sync(runtime->storage, error);
    erx_runtime_read_end(runtime);
    return status;
}

erx_status_t erx_runtime_close(erx_runtime_t *runtime, erx_error_t *error)
{
    if (runtime == NULL)
        return ERX_OK;
    erx_intake_close(runtime->intake);
    erx_status_t status = erx_storage_close(runtime->storage, error);
    erx_clones_close(runtime->clones);
    erx_bots_close(runtime->bots);
    erx_bank_close(runtime->bank);
    erx_status_cache_close(runtime->statuses);
    erx_blockhash_close(runtime->blockhashes);
    erx_models_close(runtime->models);
    erx_matmul_close(runtime->matmul);
    erx_engine_close(runtime->engine);
    erx_accounts_close(runtime->accounts);
    erx_runtime_close_pools(runtime);
    erx_free(runtime->outcomes);
    erx_free(runtime->changed_slots);
    erx_free(runtime->versions);
    (void)pthread_cond_destroy(&runtime->frames_done);
    (void)pthread_mutex_destroy(&runtime->lock);
    erx_free(runtime);
    return status;
}

const erx_bank_t *erx_runtime_bank(const erx_runtime_t *runtime)
{
    return runtime->bank;
}

erx_bank_t *erx_runtime_changing_bank(const erx_runtime_t *runtime)
{
    return runtime->bank;
}

erx_models_t *erx_runtime_changing_models(const erx_runtime_t *runtime)
{
    return runtime->models;
}

int64_t erx_runtime_timestamp(const erx_runtime_t *runtime)
{
    return runtime->block.timestamp;
}

const erx_models_t *erx_runtime_models(const erx_runtime_t *runtime)
{
    return runtime->models;
}

erx_accounts_t *erx_runtime_accounts(const erx_runtime_t *runtime)
{
    return runtime->accounts;
}

const erx_key_t *erx_runtime_program(const erx_runtime_t *runtime)
{
    return &runtime->config.program;
}

const erx_blockhash_t *erx_runtime_blockhashes(const erx_runtime_t *runtime)
{
    return runtime->blockhashes;
}

const erx_status_cache_t *erx_runtime_statuses(const erx_runtime_t *runtime)
{
    return runtime->statuses;
}

erx_intake_t *erx_runtime_intake(const erx_runtime_t *runtime)
{
    return runtime->intake;
}

erx_matmul_t *erx_runtime_matmul(const erx_runtime_t *runtime)
{
    return runtime->matmul;
}
