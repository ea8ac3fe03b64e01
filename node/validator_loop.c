/* The control thread: the crank, sealing, and the end. */
#include "node/validator_parts.h"

#include "node/log.h"
#include "node/node_clock.h"
#include "node/probes.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define MEASURE_NS  (ERX_SECOND_NS / 4)
#define SETTLE_NS   (5 * ERX_SECOND_NS) /* for settlements when the validator stops */
#define DRAIN_STEPS 3u                  /* blocks for what is in the queue */

/* A tick must not wait for clients' work on the same processor. */
static void ask_for_real_time(void)
{
    struct sched_param parameters = {.sched_priority = 1};
    if (pthread_setschedparam(pthread_self(), SCHED_RR, &parameters) != 0)
        erx_log(ERX_LOG_INFO, "no-real-time",
                "text=\"the crank runs at ordinary priority: ticks may be late under load\"");
}

static void measure(erx_validator_t *validator, uint64_t now)
{
    if (now < validator->measured_ns + MEASURE_NS)
        return;
    validator->measured_ns = now;
    erx_telemetry_t *telemetry = validator->telemetry;
    erx_metrics_t metrics = {.struct_size = sizeof metrics};
    if (erx_rollup_metrics(validator->rollup, &metrics) != ERX_STATUS_OK)
        return;
    for (uint32_t i = 0; i < 4; i++)
        erx_telemetry_set(telemetry, (erx_metric_t)(ERX_METRIC_SESSIONS_CREATED + i),
                          metrics.sessions[i]);
    erx_telemetry_set(telemetry, ERX_METRIC_QUEUE_INGEST, metrics.queue_depth);
    erx_telemetry_set(telemetry, ERX_METRIC_QUEUE_EVENTS, erx_event_ring_depth(&validator->events));
    erx_telemetry_set(telemetry, ERX_METRIC_CHECKPOINT_AGE_BLOCKS, metrics.checkpoint_age_blocks);
    erx_telemetry_set(telemetry, ERX_METRIC_CPU_CONTROL_NS, erx_node_thread_cpu());
    erx_telemetry_set(telemetry, ERX_METRIC_CPU_COMMIT_NS, metrics.commit_cpu_ns);
    erx_telemetry_set(telemetry, ERX_METRIC_MEMORY_BYTES, metrics.memory_bytes);
}

static void count(erx_validator_t *validator, const erx_block_result_t *result)
{
    erx_telemetry_t *telemetry = validator->telemetry;
    uint64_t failed = 0, units = 0;
    for (uint32_t i = 0; i < result->transaction_count; i++) {
        failed += result->transactions[i].code != ERX_TX_OK;
        units += result->transactions[i].units;
    }
    uint64_t took = result->finished_ns - result->started_ns;
    erx_telemetry_add(telemetry, ERX_METRIC_BLOCKS, 1);
    erx_telemetry_add(telemetry, ERX_METRIC_FRAMES, result->frame_count);
    erx_telemetry_add(telemetry, ERX_METRIC_TRANSACTIONS, result->transaction_count);
    erx_telemetry_add(telemetry, ERX_METRIC_TRANSACTIONS_FAILED, failed);
    erx_telemetry_add(telemetry, ERX_METRIC_COMPUTE_UNITS, units);
    erx_telemetry_set(telemetry, ERX_METRIC_SLOT, result->slot);
    erx_telemetry_observe(telemetry, ERX_TIMING_BLOCK, took);
    if (result->frame_count > 0) {
        uint64_t frames_took = result->finished_ns - result->frames_ns;
        erx_telemetry_observe(telemetry, ERX_TIMING_FRAME, frames_took);
        erx_telemetry_observe_batch(telemetry, result->frame_count);
        ERX_PROBE(batch, result->slot, result->frame_count, frames_took);
    }
    ERX_PROBE(block, result->slot, result->transaction_count, took);
}

/* Hands the block's results to the network thread. */
static void publish(erx_validator_t *validator, const erx_crank_step_t *step,
                    const erx_block_result_t *result)
{
    erx_network_t *network = atomic_load_explicit(&validator->network, memory_order_relaxed);
    erx_block_event_t *event = erx_block_event_make(validator->rollup, result, &validator->filter);
    if (event != NULL) {
        event->is_tick = step->is_tick;
        event->tick = step->tick;
    }
    if (event == NULL || !erx_event_ring_push(&validator->events, event)) {
        erx_block_event_free(event);
        erx_telemetry_add(validator->telemetry, ERX_METRIC_EVENTS_LOST, 1);
    }
    erx_network_wake(network);
}

static void seal(erx_validator_t *validator, const erx_crank_step_t *step)
{
    const erx_block_result_t *result = NULL;
    erx_block_config_t block;
    erx_block_config_default(&block);
    block.slot = validator->slot + 1;
    block.timestamp = (int64_t)(erx_node_unix_ms() / 1000);
    block.crank = step->is_tick;
    block.tick = step->tick;
    block.strict = validator->config->strict_inputs;
    if (erx_rollup_seal(validator->rollup, &block, &result) != ERX_STATUS_OK) {
        if (!validator->has_failed)
            erx_log(ERX_LOG_ERROR, "seal-failed", "reason=\"%s\"", erx_last_error());
        validator->has_failed = true;
        return;
    }
    validator->slot = result->slot;
    /* The commit thread may have been quicker: it then counts the block as at once. */
    atomic_store_explicit(&validator->finished_ns[result->slot % ERX_VALIDATOR_BLOCKS],
                          result->finished_ns, memory_order_release);
    count(validator, result);
    erx_base_link_note(validator->base, result);
    publish(validator, step, result);
}

static bool has_transactions(const erx_validator_t *validator)
{
    erx_metrics_t metrics = {.struct_size = sizeof metrics};
    return erx_rollup_metrics(validator->rollup, &metrics) == ERX_STATUS_OK &&
           metrics.queue_depth > 0;
}

static void run_step(erx_validator_t *validator, const erx_crank_step_t *step)
{
    uint64_t now = erx_node_now();
    if (step->is_tick) {
        erx_telemetry_add(validator->telemetry, ERX_METRIC_TICKS, 1);
        erx_telemetry_observe(validator->telemetry, ERX_TIMING_FRAME_LATENESS,
                              now > step->due_ns ? now - step->due_ns : 0);
        erx_exhibition_play(validator->exhibition, step->tick,
                            (int64_t)(erx_node_unix_ms() / 1000));
    } else if (!has_transactions(validator)) {
        return;
    }
    seal(validator, step);
    erx_base_link_run(validator->base, validator->slot + 1);
    measure(validator, erx_node_now());
}

static bool finish(erx_validator_t *validator, erx_failure_t *failure)
{
    erx_log(ERX_LOG_INFO, "stopping", "slot=%" PRIu64, validator->slot);
    erx_network_drain(atomic_load_explicit(&validator->network, memory_order_relaxed));
    const erx_crank_step_t step = {0}; /* no frames */
    for (uint32_t i = 0; i < DRAIN_STEPS && !validator->has_failed; i++) {
        if (i + 1 == DRAIN_STEPS)
            erx_base_link_settle_all(validator->base); /* those that are played, as they stand */
        seal(validator, &step);
        erx_base_link_run(validator->base, validator->slot + 1);
    }
    if (erx_rollup_sync(validator->rollup) != ERX_STATUS_OK)
        return erx_failure_set(failure, "not everything is durable: %s", erx_last_error());
    erx_base_link_run(validator->base, validator->slot + 1); /* the last blocks are durable now */
    uint64_t give_up = erx_node_now() + SETTLE_NS;
    while (erx_base_link_pending(validator->base) > 0 && erx_node_now() < give_up)
        erx_node_sleep_until(erx_node_now() + ERX_MILLISECOND_NS);
    uint32_t pending = erx_base_link_pending(validator->base);
    if (pending > 0 && erx_base_link_keeps_pending(validator->base))
        erx_log(ERX_LOG_WARNING, "settlements-kept",
                "count=%" PRIu32 " text=\"they are settled after the next start\"", pending);
    else if (pending > 0)
        return erx_failure_set(failure, "%" PRIu32 " sessions could not be settled", pending);
    return !validator->has_failed ||
           erx_failure_set(failure, "the storage failed: nothing was executed after that");
}

bool erx_validator_loop(erx_validator_t *validator, erx_failure_t *failure)
{
    const erx_config_t *config = validator->config;
    erx_crank_grid_t grid;
    uint64_t start = erx_node_now();
    uint64_t end = config->seconds > 0 ? start + config->seconds * ERX_SECOND_NS : UINT64_MAX;
    ask_for_real_time();
    erx_crank_start(&grid, config->tick_rate, config->block_time_us * UINT64_C(1000), start);
    while (!erx_validator_is_stopped()) {
        erx_crank_step_t step = erx_crank_next(&grid, erx_node_now());
        erx_telemetry_set(validator->telemetry, ERX_METRIC_TICKS_MISSED, grid.missed);
        if (step.due_ns >= end)
            break;
        while (erx_node_now() < step.due_ns && !erx_validator_is_stopped())
            erx_node_sleep_until(step.due_ns);
        if (!erx_validator_is_stopped())
            run_step(validator, &step);
    }
    return finish(validator, failure);
}
