#include "node/network.h"

#include "node/history.h"
#include "node/node_clock.h"
#include "node/routes.h"
#include "node/rpc.h"
#include "node/status_line.h"
#include "node/subscriptions.h"
#include "node/thread_cpu.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct erx_network {
    erx_network_config_t config;
    erx_server_t *server;
    erx_rpc_t *rpc;
    erx_subscriptions_t *subscriptions;
    erx_history_t *history;
    erx_routes_t *routes;
    erx_status_line_t status_line;
    erx_block_event_t *executed, *last_executed; /* that are not yet durable */
    uint64_t lost;                               /* events that were known to be lost */
    atomic_bool is_draining;
    pthread_t thread;
    bool is_running;
};

/* --------------------------------------------------------------- blocks */

static void on_executed(erx_network_t *network, erx_block_event_t *event)
{
    erx_subscriptions_tell(network->subscriptions, event, false);
    erx_rpc_executed(network->rpc, event);
    event->next = NULL;
    if (network->last_executed != NULL)
        network->last_executed->next = event;
    else
        network->executed = event;
    network->last_executed = event;
}

static void keep_records(erx_network_t *network, erx_block_event_t *event)
{
    for (uint32_t i = 0; i < event->record_count; i++) {
        if (!event->records[i]->landed)
            continue;
        erx_history_add(network->history, event->records[i]);
        event->records[i] = NULL;
    }
}

static void on_durable(erx_network_t *network, uint64_t slot)
{
    while (network->executed != NULL && network->executed->slot <= slot) {
        erx_block_event_t *event = network->executed;
        network->executed = event->next;
        if (network->executed == NULL)
            network->last_executed = NULL;
        erx_subscriptions_tell(network->subscriptions, event, true);
        keep_records(network, event);
        if (network->config.recordings != NULL)
            erx_recordings_add(network->config.recordings, event->steps, event->step_count);
        erx_block_event_free(event);
    }
    erx_rpc_durable(network->rpc, slot);
}

static void on_woken(void *context)
{
    erx_network_t *network = context;
    erx_block_event_t *event;
    erx_rpc_verified(network->rpc);
    while ((event = erx_event_ring_pop(network->config.events)) != NULL)
        on_executed(network, event);
    uint64_t confirmed = erx_rollup_confirmed_slot(network->config.rollup);
    on_durable(network, confirmed);
    uint64_t lost = erx_telemetry_get(network->config.telemetry, ERX_METRIC_EVENTS_LOST);
    if (lost != network->lost) {
        network->lost = lost;
        erx_subscriptions_resync(network->subscriptions, confirmed);
    }
}

/* -------------------------------------------------------------- clients */

static void on_message(void *context, const erx_server_message_t *message)
{
    erx_network_t *network = context;
    bool is_rpc = message->is_websocket ||
                  (message->method == ERX_HTTP_POST && strcmp(message->path, "/auth/login") != 0);
    if (!is_rpc) {
        erx_routes_answer(network->routes, message);
        return;
    }
    erx_connection_t *connection = message->connection;
    erx_rpc_message(network->rpc, message);
    if (message->is_websocket)
        erx_subscriptions_settle(network->subscriptions, connection);
}

static void on_closed(void *context, erx_connection_t *connection)
{
    erx_network_t *network = context;
    erx_subscriptions_forget(network->subscriptions, connection);
}

static void on_beat(void *context, uint64_t now_ns)
{
    erx_network_t *network = context;
    if (atomic_load_explicit(&network->is_draining, memory_order_relaxed))
        erx_rpc_stop(network->rpc);
    erx_rpc_beat(network->rpc, now_ns);
    erx_telemetry_set(network->config.telemetry, ERX_METRIC_CPU_PROCESS_NS, erx_node_process_cpu());
    erx_status_line_beat(&network->status_line, now_ns);
}

/* Threads of the rollup, which does not say what they take. */
static void measure_threads(erx_telemetry_t *telemetry)
{
    erx_thread_group_t groups[] = {{.prefix = "erx-verify"}, {.prefix = "erx-worker"}};
    static const erx_metric_t metrics[] = {ERX_METRIC_CPU_VERIFY_NS, ERX_METRIC_CPU_WORKERS_NS};
    erx_thread_cpu_read(groups, ERX_ARRAY_COUNT(groups));
    for (size_t i = 0; i < ERX_ARRAY_COUNT(groups); i++)
        erx_telemetry_set(telemetry, metrics[i],
                          groups[i].threads > 0 ? groups[i].ns : ERX_METRIC_UNKNOWN);
}

static void write_metrics(void *context, erx_text_t *text)
{
    const erx_network_t *network = context;
    measure_threads(network->config.telemetry);
    erx_telemetry_write(network->config.telemetry, text);
    erx_rpc_write_metrics(network->rpc, text);
    erx_subscriptions_write_metrics(network->subscriptions, text);
}

/* --------------------------------------------------------------- thread */

static void *run(void *context)
{
    erx_network_t *network = context;
    erx_server_run(network->server);
    return NULL;
}

/* Signals are the control thread's. */
static bool start_thread(erx_network_t *network)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    network->is_running = pthread_create(&network->thread, NULL, run, network) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (network->is_running)
        (void)pthread_setname_np(network->thread, "erx-network");
    return network->is_running;
}

static bool open_parts(erx_network_t *network, erx_failure_t *failure)
{
    const erx_network_config_t *config = &network->config;
    network->history = erx_history_open(config->config->history_transactions_max);
    if (network->history != NULL)
        network->subscriptions = erx_subscriptions_open(
            config->rollup, config->filter, network->history, config->telemetry,
            config->config->subscriptions_max, config->config->interpolate);
    erx_rpc_config_t rpc = {
        .config = config->config,
        .rollup = config->rollup,
        .telemetry = config->telemetry,
        .history = network->history,
        .subscriptions = network->subscriptions,
        .verdicts = config->verdicts,
        .base = config->base,
        .faucet_key = network->config.faucet.bytes,
        .identity = config->identity,
        .fee_per_signature = config->fee_per_signature,
    };
    memcpy(rpc.genesis, config->genesis, sizeof rpc.genesis);
    if (network->subscriptions != NULL)
        network->rpc = erx_rpc_open(&rpc);
    if (network->rpc == NULL)
        return erx_failure_set(failure, "no memory for the history of %u transactions",
                               config->config->history_transactions_max);
    erx_routes_config_t routes = {
        .config = config->config,
        .rollup = config->rollup,
        .recordings = config->recordings,
        .context = network,
        .write_metrics = write_metrics,
    };
    network->routes = erx_routes_open(&routes, failure);
    return network->routes != NULL;
}

bool erx_network_open(const erx_network_config_t *config, erx_network_t **network_out,
                      erx_failure_t *failure)
{
    erx_network_t *network = calloc(1, sizeof *network);
    *network_out = NULL;
    if (network == NULL)
        return erx_failure_set(failure, "no memory for the network");
    network->config = *config;
    erx_server_handlers_t handlers = {network, on_message, on_closed, on_woken, on_beat};
    bool is_open = open_parts(network, failure);
    if (is_open)
        network->server = erx_server_open(config->config, &handlers, config->telemetry, failure);
    if (network->server == NULL) {
        erx_network_close(network);
        return false;
    }
    erx_rpc_set_server(network->rpc, network->server);
    erx_status_line_open(&network->status_line, config->config, config->telemetry);
    if (!start_thread(network)) {
        erx_network_close(network);
        return erx_failure_set(failure, "the network thread could not be started");
    }
    *network_out = network;
    return true;
}

uint16_t erx_network_port(const erx_network_t *network)
{
    return erx_server_port(network->server);
}

void erx_network_wake(erx_network_t *network)
{
    erx_server_wake(network->server);
}

void erx_network_drain(erx_network_t *network)
{
    atomic_store_explicit(&network->is_draining, true, memory_order_relaxed);
}

/* What became durable after the thread had its last look. */
static void record_last(erx_network_t *network)
{
    erx_recordings_t *recordings = network->config.recordings;
    uint64_t confirmed = erx_rollup_confirmed_slot(network->config.rollup);
    const erx_block_event_t *event = network->executed;
    for (; recordings != NULL && event != NULL && event->slot <= confirmed; event = event->next)
        erx_recordings_add(recordings, event->steps, event->step_count);
    erx_block_event_t *late;
    while ((late = erx_event_ring_pop(network->config.events)) != NULL) {
        if (recordings != NULL && late->slot <= confirmed)
            erx_recordings_add(recordings, late->steps, late->step_count);
        erx_block_event_free(late);
    }
}

void erx_network_close(erx_network_t *network)
{
    if (network == NULL)
        return;
    if (network->is_running) {
        erx_server_stop(network->server);
        (void)pthread_join(network->thread, NULL);
    }
    erx_status_line_close(&network->status_line);
    erx_rpc_close(network->rpc); /* answers what waits, while there are connections */
    erx_server_close(network->server);
    erx_routes_close(network->routes);
    erx_subscriptions_close(network->subscriptions);
    record_last(network);
    while (network->executed != NULL) {
        erx_block_event_t *event = network->executed;
        network->executed = event->next;
        erx_block_event_free(event);
    }
    erx_history_close(network->history);
    free(network);
}
