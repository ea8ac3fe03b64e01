/* Opening, starting, closing. */
#include "abi/rollup.h"

#include <string.h>

#include "mem/alloc.h"

#define ACCOUNTS_DEFAULT        16384u
#define ACCOUNT_BYTES_DEFAULT   ((uint64_t)48 << 20) /* an uploaded 15M model, twice */
#define UPLOAD_SESSIONS_DEFAULT 8u
#define UPLOAD_ARENA_DEFAULT    ((uint32_t)1 << 19) /* a session of the 15M shape */
#define WRITE_LOG_BYTES         ((uint32_t)4 << 20) /* a block of uploads */
#define UNDO_LOG_BYTES          ((uint32_t)1 << 20)
#define TRANSACTION_UNITS       UINT64_C(50000000) /* five frames of the 15M shape */
#define BLOCK_UNITS             UINT64_C(10000000000)
#define RESTART_NS              UINT64_C(1000000000)
#define QUEUE_DEFAULT           4096u
#define BLOCK_TRANSACTIONS      2048u

void erx_rollup_config_default(erx_rollup_config_t *config)
{
    if (config == NULL)
        return;
    erx_compute_table_t compute = erx_compute_table_default;
    erx_matmul_config_t matmul = erx_matmul_config_default();
    *config = (erx_rollup_config_t){
        .struct_size = sizeof *config,
        .journal_bytes = ERX_JOURNAL_BYTES_USUAL,
        .restart_ns = RESTART_NS,
        .account_capacity = ACCOUNTS_DEFAULT,
        .account_bytes = ACCOUNT_BYTES_DEFAULT,
        .upload_sessions = UPLOAD_SESSIONS_DEFAULT,
        .upload_session_bytes = UPLOAD_ARENA_DEFAULT,
        .transaction_units_max = TRANSACTION_UNITS,
        .block_units_max = BLOCK_UNITS,
        .matmul_base_units = compute.matmul_base,
        .matmul_unit_divisor = compute.matmul_divisor,
        .blockhash_blocks = ERX_BLOCKHASH_VALID_DEFAULT,
        .queue_transactions = QUEUE_DEFAULT,
        .block_transactions_max = BLOCK_TRANSACTIONS,
        .syscalls = ERX_SYSCALL_MATMUL_I8 | ERX_SYSCALL_MATMUL_I8_DIMS,
        .matrix_cache_bytes = matmul.cache_bytes,
    };
    memcpy(config->program.bytes, erx_key_world.bytes, sizeof config->program.bytes);
}

/* The shortest config of a caller that this library still understands. */
#define CONFIG_SIZE_MIN offsetof(erx_rollup_config_t, context)

static erx_runtime_config_t map_config(const erx_rollup_config_t *own)
{
    erx_runtime_config_t config = {
        .engine = {.worker_count = own->worker_count,
                   .cpu_list = own->cpu_list,
                   .isa = own->isa,
                   .chained = true},
        .verifier_count = own->verifier_count,
        .data_directory = own->data_directory,
        .archive_directory = own->archive_directory,
        .copy_directory = own->copy_directory,
        .journal_bytes = own->journal_bytes,
        .restart_ns = own->restart_ns,
        .checkpoint_frames = own->checkpoint_frames,
        .accounts = {.account_capacity = own->account_capacity,
                     .heap_bytes = own->account_bytes,
                     .write_log_bytes = WRITE_LOG_BYTES,
                     .undo_log_bytes = UNDO_LOG_BYTES},
        .upload_models = own->upload_models,
        .upload_sessions = own->upload_sessions,
        .upload_session_bytes = own->upload_session_bytes,
        .program = *erx_key_of(&own->program),
        .identity = *erx_key_of(&own->identity),
        .transaction_units_max = own->transaction_units_max,
        .block_units_max = own->block_units_max,
        .fee_per_signature = own->fee_per_signature,
        .blockhash_blocks = own->blockhash_blocks,
        .queue_transactions = own->queue_transactions,
        .block_transactions_max = own->block_transactions_max,
        .tick_divisor = own->tick_divisor,
        .matmul = erx_matmul_config_default(),
        .refuse_uncloned = own->refuse_uncloned,
        .context = own->context,
        .progress = own->on_progress,
        .note = own->on_note,
        .confirmed = own->on_confirmed,
        .failure = own->on_failure,
    };
    config.matmul.base_units = own->matmul_base_units;
    config.matmul.divisor = own->matmul_unit_divisor;
    config.matmul.cache_bytes = own->matrix_cache_bytes;
    return config;
}

/* Limits of the parts that the engine knows by other names. */
static int32_t check_limits(const erx_rollup_config_t *own)
{
    const struct {
        const char *name;
        uint32_t value, least, most;
    } limits[] = {
        {"verifier_count", own->verifier_count, 0, ERX_INTAKE_WORKERS_MAX},
        {"blockhash_blocks", own->blockhash_blocks, 1, ERX_BLOCKHASH_VALID_MAX},
        {"queue_transactions", own->queue_transactions, 2, ERX_INTAKE_SLOTS_MAX},
        {"upload_sessions", own->upload_sessions, own->upload_models > 0, ERX_SESSIONS_MAX},
    };
    for (size_t i = 0; i < ERX_COUNT(limits); i++)
        if (limits[i].value < limits[i].least || limits[i].value > limits[i].most)
            return erx_result_refuse(ERX_STATUS_RANGE, "%s: %u is not in %u to %u", limits[i].name,
                                     limits[i].value, limits[i].least, limits[i].most);
    if ((own->queue_transactions & (own->queue_transactions - 1)) != 0)
        return erx_result_refuse(ERX_STATUS_RANGE, "queue_transactions: %u is not a power of two",
                                 own->queue_transactions);
    return ERX_STATUS_OK;
}

static int32_t check_config(const erx_rollup_config_t *own)
{
    if (own->account_bytes % ERX_ACCOUNTS_PAGE_BYTES != 0)
        return erx_result_refuse(ERX_STATUS_RANGE, "account_bytes: must be a multiple of %u",
                                 ERX_ACCOUNTS_PAGE_BYTES);
    if ((own->syscalls & ~(uint32_t)(ERX_SYSCALL_MATMUL_I8 | ERX_SYSCALL_MATMUL_I8_DIMS)) != 0)
        return erx_result_refuse(ERX_STATUS_RANGE, "syscalls: 0x%x has unknown bits",
                                 own->syscalls);
    if (own->archive_directory != NULL && own->data_directory == NULL)
        return erx_result_refuse(ERX_STATUS_ARGUMENT,
                                 "archive_directory: needs a data_directory to archive");
    if (own->copy_directory != NULL && own->data_directory == NULL)
        return erx_result_refuse(ERX_STATUS_ARGUMENT,
                                 "copy_directory: needs a data_directory to copy");
    return check_limits(own);
}

int32_t erx_rollup_open(const erx_rollup_config_t *config, erx_rollup_t **rollup_out)
{
    erx_rollup_config_t own;
    erx_error_t error;
    if (config == NULL || rollup_out == NULL)
        return erx_result_missing(config == NULL ? "config" : "rollup_out");
    *rollup_out = NULL;
    erx_rollup_config_default(&own);
    int32_t result = erx_result_take(&own, sizeof own, config, CONFIG_SIZE_MIN);
    if (result == ERX_STATUS_OK)
        result = check_config(&own);
    if (result != ERX_STATUS_OK)
        return result;
    erx_rollup_state_t *state = erx_alloc(1, sizeof *state);
    if (state == NULL)
        return erx_result_refuse(ERX_STATUS_MEMORY, "no memory for a rollup");
    const erx_runtime_config_t runtime = map_config(&own);
    state->syscalls = own.syscalls;
    state->outcome_capacity = own.block_transactions_max;
    if (erx_runtime_open(&runtime, &state->runtime, &error) != ERX_OK) {
        erx_free(state);
        return erx_result_keep(&error);
    }
    state->handle = erx_handle_make(ERX_HANDLE_ROLLUP, state);
    if (state->handle == NULL) {
        (void)erx_runtime_close(state->runtime, &error);
        erx_free(state);
        return erx_result_refuse(ERX_STATUS_FULL, "%u handles are live", ERX_HANDLES_MAX);
    }
    *rollup_out = state->handle;
    return ERX_STATUS_OK;
}

erx_rollup_state_t *erx_rollup_of(const erx_rollup_t *rollup)
{
    erx_rollup_state_t *state = erx_handle_object(ERX_HANDLE_ROLLUP, rollup);
    if (state == NULL)
        (void)erx_result_dead("rollup");
    return state;
}

erx_rollup_state_t *erx_rollup_started(const erx_rollup_t *rollup, int32_t *result_out)
{
    erx_rollup_state_t *state = erx_rollup_of(rollup);
    *result_out = ERX_STATUS_ARGUMENT;
    if (state == NULL || erx_runtime_is_started(state->runtime))
        return state;
    *result_out = erx_result_refuse(ERX_STATUS_STATE, "call erx_rollup_start first");
    return NULL;
}

int32_t erx_rollup_load_model(erx_rollup_t *rollup, const char *directory, uint64_t model_id,
                              uint32_t session_capacity)
{
    erx_error_t error;
    erx_rollup_state_t *state = erx_rollup_of(rollup);
    if (state == NULL)
        return ERX_STATUS_ARGUMENT;
    if (directory == NULL)
        return erx_result_missing("directory");
    if (erx_runtime_load_model(state->runtime, directory, model_id, session_capacity, &error) !=
        ERX_OK)
        return erx_result_keep(&error);
    return ERX_STATUS_OK;
}

int32_t erx_rollup_start(erx_rollup_t *rollup)
{
    erx_error_t error;
    erx_rollup_state_t *state = erx_rollup_of(rollup);
    if (state == NULL)
        return ERX_STATUS_ARGUMENT;
    if (erx_runtime_start(state->runtime, &error) != ERX_OK)
        return erx_result_keep(&error);
    return erx_rollup_take_results(state);
}

int32_t erx_rollup_close(erx_rollup_t *rollup)
{
    erx_error_t error;
    if (rollup == NULL)
        return ERX_STATUS_OK;
    erx_rollup_state_t *state = erx_handle_end(ERX_HANDLE_ROLLUP, rollup);
    if (state == NULL)
        return erx_result_dead("rollup");
    erx_status_t status = erx_runtime_close(state->runtime, &error);
    erx_rollup_free_results(state);
    erx_free(state);
    return status == ERX_OK ? ERX_STATUS_OK : erx_result_keep(&error);
}

int32_t erx_rollup_recovery(const erx_rollup_t *rollup, erx_recovery_info_t *info_out)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (info_out == NULL)
        return erx_result_missing("info_out");
    erx_runtime_recovery_t recovery = erx_runtime_recovery(state->runtime);
    const erx_recovery_info_t own = {
        .slot = recovery.slot,
        .sequence = recovery.sequence,
        .replayed_frames = recovery.replayed_frames,
        .sessions = recovery.sessions,
        .accounts = recovery.accounts,
        .duration_ns = recovery.duration_ns,
    };
    return erx_result_give(info_out, &own, sizeof own, sizeof own);
}

int32_t erx_rollup_health(const erx_rollup_t *rollup)
{
    erx_error_t error;
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    return erx_runtime_health(state->runtime, &error) == ERX_OK ? ERX_STATUS_OK
                                                                : erx_result_keep(&error);
}

int32_t erx_rollup_sync(erx_rollup_t *rollup)
{
    erx_error_t error;
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    return erx_runtime_sync(state->runtime, &error) == ERX_OK ? ERX_STATUS_OK
                                                              : erx_result_keep(&error);
}
