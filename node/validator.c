#include "node/validator_parts.h"

#include "node/key_text.h"
#include "node/log.h"
#include "node/node_clock.h"
#include "node/probes.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODEL_ID        UINT64_C(1)
#define PATH_BYTES      (ERX_CONFIG_TEXT_MAX + 64u)
#define FAUCET_LAMPORTS UINT64_C(500000000000000000) /* 500 million SOL */

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

/* Without SA_RESTART, so that a signal ends the crank's sleep. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

bool erx_validator_is_stopped(void)
{
    return stop_signal != 0;
}

/* ----------------------------------------------------- from other threads */

static void on_confirmed(void *context, uint64_t slot)
{
    erx_validator_t *validator = context;
    uint64_t finished = atomic_load_explicit(&validator->finished_ns[slot % ERX_VALIDATOR_BLOCKS],
                                             memory_order_acquire);
    uint64_t now = erx_node_now();
    uint64_t latency = finished != 0 && now > finished ? now - finished : 0;
    erx_telemetry_set(validator->telemetry, ERX_METRIC_SLOT_DURABLE, slot);
    erx_telemetry_observe(validator->telemetry, ERX_TIMING_COMMIT, latency);
    ERX_PROBE(commit, slot, latency, 0);
    erx_network_t *network = atomic_load_explicit(&validator->network, memory_order_acquire);
    if (network != NULL)
        erx_network_wake(network);
}

/* Threads that verify run on until the rollup is closed, when the network is gone. */
static void on_verified(void *context, const uint8_t signature[ERX_SIGNATURE_SIZE], bool is_good,
                        bool more)
{
    erx_validator_t *validator = context;
    if (!erx_verdicts_add(&validator->verdicts, signature, is_good, more))
        return;
    (void)pthread_mutex_lock(&validator->network_lock);
    erx_network_t *network = atomic_load_explicit(&validator->network, memory_order_relaxed);
    if (network != NULL)
        erx_network_wake(network);
    (void)pthread_mutex_unlock(&validator->network_lock);
}

static void on_failure(void *context, const char *reason)
{
    (void)context;
    erx_log(ERX_LOG_ERROR, "storage-failed", "reason=\"%s\"", reason);
}

static void on_note(void *context, const char *line)
{
    (void)context;
    erx_log(ERX_LOG_INFO, "note", "text=\"%s\"", line);
}

/* --------------------------------------------------------------- opening */

static const char *path_in_data(const erx_config_t *config, const char *name, char *path)
{
    (void)snprintf(path, PATH_BYTES, "%s/validator/%s", config->data, name);
    return path;
}

/* The data directory is made by the rollup: a new identity is kept in memory
 * until then. */
static bool open_identity(erx_validator_t *validator, erx_failure_t *failure)
{
    char path[PATH_BYTES];
    const erx_config_t *config = validator->config;
    if (config->identity[0] != '\0')
        return erx_keypair_read(config->identity, &validator->identity, failure);
    (void)path_in_data(config, "identity.json", path);
    if (access(path, F_OK) == 0)
        return erx_keypair_read(path, &validator->identity, failure);
    return erx_keypair_make(&validator->identity, failure);
}

static bool fail_with_last_error(erx_failure_t *failure)
{
    return erx_failure_set(failure, "%s", erx_last_error());
}

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static bool open_rollup(erx_validator_t *validator, erx_failure_t *failure)
{
    const erx_config_t *config = validator->config;
    erx_rollup_config_t rollup;
    erx_rollup_config_default(&rollup);
    rollup.worker_count = config->workers;
    rollup.cpu_list = text_or_null(config->cpu_list);
    rollup.isa = text_or_null(config->isa);
    rollup.verifier_count = config->verifiers;
    rollup.data_directory = config->data;
    rollup.copy_directory = text_or_null(config->data_copy);
    rollup.archive_directory = text_or_null(config->archive);
    rollup.restart_ns = config->restart_ms * ERX_MILLISECOND_NS;
    rollup.upload_models = config->upload_models;
    rollup.upload_sessions = config->upload_sessions;
    rollup.identity = erx_keypair_public(&validator->identity);
    rollup.transaction_units_max = config->transaction_units_max;
    if (config->block_units_max != 0)
        rollup.block_units_max = config->block_units_max;
    rollup.fee_per_signature = config->fee_per_signature;
    rollup.queue_transactions = config->queue_transactions;
    rollup.blockhash_blocks = config->blockhash_blocks;
    rollup.tick_divisor = config->session_divisor;
    rollup.refuse_uncloned = config->base_url[0] != '\0';
    rollup.context = validator;
    rollup.on_note = on_note;
    rollup.on_confirmed = on_confirmed;
    rollup.on_failure = on_failure;
    validator->program = rollup.program;
    return (erx_rollup_open(&rollup, &validator->rollup) == ERX_STATUS_OK &&
            erx_rollup_load_model(validator->rollup, config->model, MODEL_ID,
                                  config->sessions_max) == ERX_STATUS_OK &&
            erx_rollup_set_verified(validator->rollup, on_verified, validator) == ERX_STATUS_OK) ||
           fail_with_last_error(failure);
}

/* The faucet's account, in a new data directory. */
static bool put_faucet(erx_validator_t *validator, erx_failure_t *failure)
{
    erx_account_image_t image = {
        .struct_size = sizeof image,
        .key = erx_keypair_public(&validator->faucet),
        .lamports = FAUCET_LAMPORTS,
        .flags = ERX_ACCOUNT_IMAGE_DELEGATED,
    };
    erx_account_info_t info = {.struct_size = sizeof info};
    size_t size;
    if (erx_rollup_read_account(validator->rollup, &image.key, &info, 0, NULL, 0, &size) ==
        ERX_STATUS_OK)
        return true;
    return erx_rollup_put_account(validator->rollup, &image) == ERX_STATUS_OK ||
           fail_with_last_error(failure);
}

static bool keep_identity(erx_validator_t *validator, erx_failure_t *failure)
{
    char path[PATH_BYTES];
    const erx_config_t *config = validator->config;
    (void)path_in_data(config, "", path);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return erx_failure_set(failure, "%.300s: %s", path, strerror(errno));
    (void)path_in_data(config, "identity.json", path);
    if (config->identity[0] == '\0' && access(path, F_OK) != 0 &&
        !erx_keypair_write(path, &validator->identity, failure))
        return false;
    if (config->base_url[0] != '\0')
        return true; /* lamports come from the base layer */
    return erx_keypair_ensure(path_in_data(config, "faucet.json", path), &validator->faucet,
                              failure) &&
           put_faucet(validator, failure);
}

static bool start_rollup(erx_validator_t *validator, erx_failure_t *failure)
{
    const erx_config_t *config = validator->config;
    if (!erx_base_link_open(config, validator->rollup, &validator->identity, &validator->program,
                            validator->telemetry, &validator->base, failure))
        return false;
    if (erx_rollup_start(validator->rollup) != ERX_STATUS_OK)
        return fail_with_last_error(failure);
    erx_recovery_info_t recovery = {.struct_size = sizeof recovery};
    if (erx_rollup_recovery(validator->rollup, &recovery) != ERX_STATUS_OK)
        return fail_with_last_error(failure);
    validator->slot = recovery.slot;
    erx_log(ERX_LOG_INFO, "started",
            "slot=%" PRIu64 " sessions=%u accounts=%u replayed_frames=%" PRIu64 " ms=%" PRIu64,
            recovery.slot, recovery.sessions, recovery.accounts, recovery.replayed_frames,
            recovery.duration_ns / ERX_MILLISECOND_NS);
    return keep_identity(validator, failure) && erx_base_link_start(validator->base, failure);
}

static bool open_recordings(erx_validator_t *validator, erx_failure_t *failure)
{
    char path[PATH_BYTES];
    const erx_config_t *config = validator->config;
    const erx_recordings_config_t settings = {
        .directory = path_in_data(config, "replays", path),
        .program = validator->program,
        .frames_max = config->replay_frames_max,
        .bytes_max = (uint64_t)config->replay_megabytes_max << 20,
        .telemetry = validator->telemetry,
    };
    validator->recordings = erx_recordings_open(&settings, failure);
    return validator->recordings != NULL;
}

static bool open_network(erx_validator_t *validator, erx_failure_t *failure)
{
    const erx_config_t *config = validator->config;
    erx_network_config_t settings = {
        .config = config,
        .rollup = validator->rollup,
        .telemetry = validator->telemetry,
        .events = &validator->events,
        .verdicts = &validator->verdicts,
        .filter = &validator->filter,
        .recordings = validator->recordings,
        .base = erx_base_link_view(validator->base),
        .faucet = validator->faucet,
        .identity = erx_keypair_public(&validator->identity),
        .fee_per_signature = config->fee_per_signature,
    };
    erx_model_info_t model = {.struct_size = sizeof model};
    if (erx_rollup_model(validator->rollup, 0, &model) != ERX_STATUS_OK)
        return fail_with_last_error(failure);
    memcpy(settings.genesis, model.hash, sizeof settings.genesis);
    erx_network_t *network = NULL;
    if (!erx_network_open(&settings, &network, failure))
        return false;
    atomic_store_explicit(&validator->network, network, memory_order_release);
    return true;
}

/* What a person needs to connect, on the standard output. */
static void announce(const erx_validator_t *validator)
{
    char host[ERX_CONFIG_TEXT_MAX];
    uint16_t port;
    erx_failure_t failure;
    if (!erx_config_address(validator->config->listen, host, &port, &failure))
        return;
    port = erx_network_port(atomic_load_explicit(&validator->network, memory_order_relaxed));
    erx_text_t line;
    erx_text_open(&line, 4096);
    erx_text_print(&line,
                   "page       http://%s:%u/\n"
                   "JSON-RPC   http://%s:%u\n"
                   "WebSocket  ws://%s:%u\n",
                   host, port, host, port, host, port + 1);
    (void)fwrite(line.bytes, 1, line.length, stdout);
    (void)fflush(stdout);
    erx_text_close(&line);
    erx_log(ERX_LOG_INFO, "listening", "address=%s:%u websocket_port=%u", host, port, port + 1);
}

static void close_validator(erx_validator_t *validator)
{
    erx_network_close(atomic_exchange_explicit(&validator->network, NULL, memory_order_acq_rel));
    erx_exhibition_close(validator->exhibition);
    erx_base_link_close(validator->base);
    erx_block_event_t *event;
    while ((event = erx_event_ring_pop(&validator->events)) != NULL)
        erx_block_event_free(event);
    erx_verdict_t *verdict = erx_verdicts_take(&validator->verdicts);
    while (verdict != NULL) {
        erx_verdict_t *next = verdict->next;
        free(verdict);
        verdict = next;
    }
    (void)pthread_mutex_destroy(&validator->network_lock);
    erx_recordings_close(validator->recordings);
    erx_telemetry_close(validator->telemetry);
    free(validator);
}

static bool start(erx_validator_t *validator, erx_failure_t *failure)
{
    const erx_config_t *config = validator->config;
    validator->telemetry = erx_telemetry_open();
    if (validator->telemetry == NULL)
        return erx_failure_set(failure, "no memory for the metrics");
    return open_identity(validator, failure) && open_rollup(validator, failure) &&
           start_rollup(validator, failure) &&
           erx_exhibition_open(config, validator->rollup, &validator->exhibition, failure) &&
           open_recordings(validator, failure) && open_network(validator, failure);
}

bool erx_validator_run(const erx_config_t *config, erx_failure_t *failure)
{
    erx_validator_t *validator = NULL;
    if (posix_memalign((void **)&validator, 64, sizeof *validator) != 0)
        return erx_failure_set(failure, "no memory for the validator");
    memset(validator, 0, sizeof *validator);
    validator->config = config;
    (void)pthread_mutex_init(&validator->network_lock, NULL);
    stop_signal = 0;
    catch_signals();
    bool is_well = start(validator, failure);
    if (is_well) {
        announce(validator);
        is_well = erx_validator_loop(validator, failure);
    }
    /* The network reads the rollup, the rollup's threads wake the network. */
    (void)pthread_mutex_lock(&validator->network_lock);
    erx_network_t *network =
        atomic_exchange_explicit(&validator->network, NULL, memory_order_acq_rel);
    (void)pthread_mutex_unlock(&validator->network_lock);
    erx_network_close(network);
    int32_t status = erx_rollup_close(validator->rollup);
    if (is_well && status != ERX_STATUS_OK)
        is_well = erx_failure_set(failure, "%s", erx_strerror(status));
    close_validator(validator);
    erx_log(ERX_LOG_INFO, "stopped", "well=%d", is_well);
    return is_well;
}
