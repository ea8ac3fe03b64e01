/* What the validator counts, for Prometheus (/metrics), `erx top` and the status
 * line. A table in telemetry.c names every metric; any thread adds, sets and
 * observes without a lock. */
#ifndef ERX_NODE_TELEMETRY_H
#define ERX_NODE_TELEMETRY_H

#include "node/text_buffer.h"

typedef enum {
    /* The control thread. */
    ERX_METRIC_SLOT,
    ERX_METRIC_SLOT_DURABLE,
    ERX_METRIC_BLOCKS,
    ERX_METRIC_TICKS,
    ERX_METRIC_TICKS_MISSED,
    ERX_METRIC_FRAMES,
    ERX_METRIC_TRANSACTIONS,
    ERX_METRIC_TRANSACTIONS_FAILED,
    ERX_METRIC_TRANSACTIONS_REFUSED,
    ERX_METRIC_COMPUTE_UNITS,
    ERX_METRIC_SESSIONS_CREATED,
    ERX_METRIC_SESSIONS_WAITING,
    ERX_METRIC_SESSIONS_ACTIVE,
    ERX_METRIC_SESSIONS_ENDED,
    ERX_METRIC_QUEUE_INGEST,
    ERX_METRIC_QUEUE_EVENTS,
    ERX_METRIC_EVENTS_LOST,
    ERX_METRIC_CHECKPOINT_AGE_BLOCKS,
    ERX_METRIC_CPU_CONTROL_NS,
    ERX_METRIC_CPU_NETWORK_NS,
    ERX_METRIC_CPU_PROCESS_NS,
    ERX_METRIC_CPU_COMMIT_NS,
    ERX_METRIC_CPU_VERIFY_NS,
    ERX_METRIC_CPU_WORKERS_NS,
    ERX_METRIC_MEMORY_BYTES,
    /* The network thread. */
    ERX_METRIC_CONNECTIONS,
    ERX_METRIC_CONNECTIONS_REFUSED,
    ERX_METRIC_WEBSOCKETS,
    ERX_METRIC_HTTP_REQUESTS,
    ERX_METRIC_HTTP_REFUSED,
    ERX_METRIC_RPC_REQUESTS,
    ERX_METRIC_RPC_ERRORS,
    ERX_METRIC_RECEIVED_BYTES,
    ERX_METRIC_SENT_BYTES,
    ERX_METRIC_SUBSCRIPTIONS,
    ERX_METRIC_NOTIFICATIONS,
    ERX_METRIC_NOTIFICATIONS_DROPPED,
    ERX_METRIC_NOTIFICATIONS_QUEUED,
    ERX_METRIC_RECORDINGS,
    ERX_METRIC_RECORDING_BYTES,
    ERX_METRIC_RECORDED_FRAMES,
    ERX_METRIC_RECORDINGS_DROPPED,
    /* The base layer. */
    ERX_METRIC_BASE_REACHABLE,
    ERX_METRIC_BASE_REQUESTS,
    ERX_METRIC_BASE_FAILURES,
    ERX_METRIC_SETTLEMENTS,
    ERX_METRIC_SETTLEMENTS_PENDING,
    ERX_METRIC_CLONES,
    ERX_METRIC_COUNT
} erx_metric_t;

typedef enum {
    ERX_TIMING_FRAME_LATENESS, /* tick's due time to its start */
    ERX_TIMING_FRAME,          /* execution of a tick's block */
    ERX_TIMING_BLOCK,          /* execution of any block */
    ERX_TIMING_COMMIT,         /* block's execution to durable */
    ERX_TIMING_INGEST,         /* transaction's arrival to its execution */
    ERX_TIMING_NOTIFY,         /* block's execution to the notification's write */
    ERX_TIMING_RPC,            /* handling of a request */
    ERX_TIMING_SETTLE,         /* settlement's start to the base layer's word */
    ERX_TIMING_COUNT
} erx_timing_t;

/* The value of a metric that is not known: it is not shown. */
#define ERX_METRIC_UNKNOWN UINT64_MAX

typedef struct erx_telemetry erx_telemetry_t;

/* NULL where there is no memory. */
erx_telemetry_t *erx_telemetry_open(void);
void erx_telemetry_close(erx_telemetry_t *telemetry);

void erx_telemetry_add(erx_telemetry_t *telemetry, erx_metric_t metric, uint64_t count);
void erx_telemetry_set(erx_telemetry_t *telemetry, erx_metric_t metric, uint64_t value);
uint64_t erx_telemetry_get(const erx_telemetry_t *telemetry, erx_metric_t metric);

void erx_telemetry_observe(erx_telemetry_t *telemetry, erx_timing_t timing, uint64_t ns);

/* Number of sessions that a batch had. */
void erx_telemetry_observe_batch(erx_telemetry_t *telemetry, uint64_t sessions);

/* A bound that the given share (in thousandths) of a timing's observations stay
 * under, in ns; 0 without observations. */
uint64_t erx_telemetry_quantile(const erx_telemetry_t *telemetry, erx_timing_t timing,
                                uint32_t thousandths);

/* Everything in Prometheus' text format. */
void erx_telemetry_write(const erx_telemetry_t *telemetry, erx_text_t *text);

#endif
