#include "node/telemetry.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Upper bounds of a timing's buckets: 2^n * 10 us, and one without a bound. The
 * least is finer than a tick's lateness, the greatest coarser than a settlement. */
#define TIMING_BUCKETS  20u
#define TIMING_LEAST_NS UINT64_C(10000)
#define BATCH_BUCKETS   12u /* 1, 2, 4, ... 2048 sessions */

typedef struct {
    _Atomic uint64_t buckets[TIMING_BUCKETS + 1];
    _Atomic uint64_t sum;
} histogram_t;

struct erx_telemetry {
    _Atomic uint64_t values[ERX_METRIC_COUNT];
    histogram_t timings[ERX_TIMING_COUNT];
    histogram_t batches;
};

typedef struct {
    const char *name;
    const char *kind;
    const char *help;
    uint64_t divisor; /* what is stored in one unit of what is exposed */
} metric_text_t;

#define COUNTER(id, name, help) [ERX_METRIC_##id] = {name, "counter", help, 1}
#define GAUGE(id, name, help)   [ERX_METRIC_##id] = {name, "gauge", help, 1}
#define SECONDS(id, name, help) [ERX_METRIC_##id] = {name, "counter", help, ERX_SECOND_NS}

static const metric_text_t metric_texts[ERX_METRIC_COUNT] = {
    GAUGE(SLOT, "erx_slot", "Newest executed block"),
    GAUGE(SLOT_DURABLE, "erx_slot_durable", "Newest durable block"),
    COUNTER(BLOCKS, "erx_blocks_total", "Blocks executed"),
    COUNTER(TICKS, "erx_ticks_total", "Ticks of the crank that were run"),
    COUNTER(TICKS_MISSED, "erx_ticks_missed_total", "Ticks of the crank that were left out"),
    COUNTER(FRAMES, "erx_frames_total", "Frames of sessions executed by the crank"),
    COUNTER(TRANSACTIONS, "erx_transactions_total", "Transactions executed"),
    COUNTER(TRANSACTIONS_FAILED, "erx_transactions_failed_total",
            "Transactions executed with an error"),
    COUNTER(TRANSACTIONS_REFUSED, "erx_transactions_refused_total",
            "Transactions that reached no block"),
    COUNTER(COMPUTE_UNITS, "erx_compute_units_total", "Compute units of executed transactions"),
    GAUGE(SESSIONS_CREATED, "erx_sessions_created", "Sessions that were just created"),
    GAUGE(SESSIONS_WAITING, "erx_sessions_waiting", "Sessions that wait for a player"),
    GAUGE(SESSIONS_ACTIVE, "erx_sessions_active", "Sessions that are played"),
    GAUGE(SESSIONS_ENDED, "erx_sessions_ended", "Sessions that are over and not yet released"),
    GAUGE(QUEUE_INGEST, "erx_queue_ingest", "Transactions that wait for a block"),
    GAUGE(QUEUE_EVENTS, "erx_queue_events", "Block results that wait for the network thread"),
    COUNTER(EVENTS_LOST, "erx_events_lost_total",
            "Block results that the network thread was too slow for"),
    GAUGE(CHECKPOINT_AGE_BLOCKS, "erx_checkpoint_age_blocks",
          "Blocks that a restart would execute again"),
    SECONDS(CPU_CONTROL_NS, "erx_cpu_control_seconds_total",
            "Processor time of the thread that seals blocks"),
    SECONDS(CPU_NETWORK_NS, "erx_cpu_network_seconds_total",
            "Processor time of the network thread"),
    SECONDS(CPU_PROCESS_NS, "erx_cpu_process_seconds_total", "Processor time of the process"),
    SECONDS(CPU_COMMIT_NS, "erx_cpu_commit_seconds_total", "Processor time of the commit thread"),
    SECONDS(CPU_VERIFY_NS, "erx_cpu_verify_seconds_total",
            "Processor time of the threads that verify signatures"),
    SECONDS(CPU_WORKERS_NS, "erx_cpu_workers_seconds_total",
            "Processor time of the threads that execute frames besides the control thread"),
    GAUGE(MEMORY_BYTES, "erx_memory_bytes", "Memory that the rollup took"),
    GAUGE(CONNECTIONS, "erx_connections", "Open connections"),
    COUNTER(CONNECTIONS_REFUSED, "erx_connections_refused_total",
            "Connections closed because there were too many"),
    GAUGE(WEBSOCKETS, "erx_websockets", "Open WebSocket connections"),
    COUNTER(HTTP_REQUESTS, "erx_http_requests_total", "HTTP requests"),
    COUNTER(HTTP_REFUSED, "erx_http_refused_total", "HTTP requests answered with a 4xx status"),
    COUNTER(RPC_REQUESTS, "erx_rpc_requests_total", "JSON-RPC requests"),
    COUNTER(RPC_ERRORS, "erx_rpc_errors_total", "JSON-RPC requests answered with an error"),
    COUNTER(RECEIVED_BYTES, "erx_received_bytes_total", "Bytes of bodies and messages received"),
    COUNTER(SENT_BYTES, "erx_sent_bytes_total", "Bytes of replies and notifications sent"),
    GAUGE(SUBSCRIPTIONS, "erx_subscriptions", "Subscriptions"),
    COUNTER(NOTIFICATIONS, "erx_notifications_total", "Notifications sent"),
    COUNTER(NOTIFICATIONS_DROPPED, "erx_notifications_dropped_total",
            "Notifications replaced by newer ones because their reader was slow"),
    GAUGE(NOTIFICATIONS_QUEUED, "erx_notifications_queued", "Notifications that wait"),
    GAUGE(RECORDINGS, "erx_replays", "Sessions that can be replayed"),
    GAUGE(RECORDING_BYTES, "erx_replay_bytes", "Bytes of the files of their frames"),
    COUNTER(RECORDED_FRAMES, "erx_replay_frames_total", "Frames recorded"),
    COUNTER(RECORDINGS_DROPPED, "erx_replays_dropped_total",
            "Recordings, or halves of them, that made way for newer ones"),
    GAUGE(BASE_REACHABLE, "erx_base_reachable", "Whether the base layer answered last time"),
    COUNTER(BASE_REQUESTS, "erx_base_requests_total", "Requests to the base layer"),
    COUNTER(BASE_FAILURES, "erx_base_failures_total", "Requests to the base layer that failed"),
    COUNTER(SETTLEMENTS, "erx_settlements_total", "Sessions settled to the base layer"),
    GAUGE(SETTLEMENTS_PENDING, "erx_settlements_pending", "Settlements that are not yet done"),
    COUNTER(CLONES, "erx_clones_total", "Accounts cloned from the base layer"),
};

static const metric_text_t timing_texts[ERX_TIMING_COUNT] = {
    [ERX_TIMING_FRAME_LATENESS] = {"erx_frame_lateness_seconds", NULL,
                                   "From a tick's due time to its start", 0},
    [ERX_TIMING_FRAME] = {"erx_frame_seconds", NULL, "Execution of a tick's block", 0},
    [ERX_TIMING_BLOCK] = {"erx_block_seconds", NULL, "Execution of a block", 0},
    [ERX_TIMING_COMMIT] = {"erx_commit_seconds", NULL, "From a block's execution to durable", 0},
    [ERX_TIMING_INGEST] = {"erx_ingest_seconds", NULL,
                           "From a transaction's arrival to its execution", 0},
    [ERX_TIMING_NOTIFY] = {"erx_notify_seconds", NULL,
                           "From a block's execution to a notification's write", 0},
    [ERX_TIMING_RPC] = {"erx_rpc_seconds", NULL, "Handling of a request", 0},
    [ERX_TIMING_SETTLE] = {"erx_settle_seconds", NULL,
                           "From a settlement's start to the base layer's word", 0},
};

erx_telemetry_t *erx_telemetry_open(void)
{
    return calloc(1, sizeof(erx_telemetry_t));
}

void erx_telemetry_close(erx_telemetry_t *telemetry)
{
    free(telemetry);
}

/* Counters are independent of each other: readers need no order among them. */

void erx_telemetry_add(erx_telemetry_t *telemetry, erx_metric_t metric, uint64_t count)
{
    atomic_fetch_add_explicit(&telemetry->values[metric], count, memory_order_relaxed);
}

void erx_telemetry_set(erx_telemetry_t *telemetry, erx_metric_t metric, uint64_t value)
{
    atomic_store_explicit(&telemetry->values[metric], value, memory_order_relaxed);
}

uint64_t erx_telemetry_get(const erx_telemetry_t *telemetry, erx_metric_t metric)
{
    return atomic_load_explicit(&telemetry->values[metric], memory_order_relaxed);
}

/* Bucket of a value whose bounds are least, 2 * least, 4 * least, ... */
static uint32_t bucket_of(uint64_t value, uint64_t least, uint32_t buckets)
{
    uint32_t bucket = 0;
    while (bucket < buckets && value > least << bucket)
        bucket++;
    return bucket;
}

static void observe(histogram_t *histogram, uint32_t bucket, uint64_t value)
{
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

void erx_telemetry_observe(erx_telemetry_t *telemetry, erx_timing_t timing, uint64_t ns)
{
    observe(&telemetry->timings[timing], bucket_of(ns, TIMING_LEAST_NS, TIMING_BUCKETS), ns);
}

void erx_telemetry_observe_batch(erx_telemetry_t *telemetry, uint64_t sessions)
{
    observe(&telemetry->batches, bucket_of(sessions, 1, BATCH_BUCKETS), sessions);
}

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

uint64_t erx_telemetry_quantile(const erx_telemetry_t *telemetry, erx_timing_t timing,
                                uint32_t thousandths)
{
    const histogram_t *histogram = &telemetry->timings[timing];
    uint64_t total = 0;
    for (uint32_t i = 0; i <= TIMING_BUCKETS; i++)
        total += load(&histogram->buckets[i]);
    if (total == 0)
        return 0;
    uint64_t wanted = (total * thousandths + 999) / 1000;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < TIMING_BUCKETS; i++) {
        seen += load(&histogram->buckets[i]);
        if (seen >= wanted)
            return TIMING_LEAST_NS << i;
    }
    return TIMING_LEAST_NS << TIMING_BUCKETS;
}

static void write_fixed(erx_text_t *text, uint64_t value, uint64_t divisor)
{
    if (divisor == 1)
        erx_text_print(text, "%" PRIu64, value);
    else
        erx_text_print(text, "%" PRIu64 ".%09" PRIu64, value / divisor, value % divisor);
}

static void write_histogram(const histogram_t *histogram, const char *name, const char *help,
                            uint32_t buckets, uint64_t least, uint64_t divisor, erx_text_t *text)
{
    erx_text_print(text, "# HELP %s %s.\n# TYPE %s histogram\n", name, help, name);
    uint64_t total = 0;
    for (uint32_t i = 0; i < buckets; i++) {
        total += load(&histogram->buckets[i]);
        erx_text_print(text, "%s_bucket{le=\"", name);
        write_fixed(text, least << i, divisor);
        erx_text_print(text, "\"} %" PRIu64 "\n", total);
    }
    total += load(&histogram->buckets[buckets]);
    erx_text_print(text, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, total, name);
    write_fixed(text, load(&histogram->sum), divisor);
    erx_text_print(text, "\n%s_count %" PRIu64 "\n", name, total);
}

void erx_telemetry_write(const erx_telemetry_t *telemetry, erx_text_t *text)
{
    for (uint32_t i = 0; i < ERX_METRIC_COUNT; i++) {
        const metric_text_t *about = &metric_texts[i];
        uint64_t value = load(&telemetry->values[i]);
        if (value == ERX_METRIC_UNKNOWN)
            continue;
        erx_text_print(text, "# HELP %s %s.\n# TYPE %s %s\n%s ", about->name, about->help,
                       about->name, about->kind, about->name);
        write_fixed(text, value, about->divisor);
        erx_text_append(text, "\n", 1);
    }
    for (uint32_t i = 0; i < ERX_TIMING_COUNT; i++)
        write_histogram(&telemetry->timings[i], timing_texts[i].name, timing_texts[i].help,
                        TIMING_BUCKETS, TIMING_LEAST_NS, ERX_SECOND_NS, text);
    write_histogram(&telemetry->batches, "erx_batch_sessions", "Sessions of a batch", BATCH_BUCKETS,
                    1, 1, text);
}
