/* erx top: a validator's live figures in the terminal. */
#include "node/commands.h"
#include "node/metrics_text.h"
#include "node/node_clock.h"
#include "node/rpc_client.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS       3000u
#define INTERVAL_MS_MAX  3600000u
#define ANSWER_BYTES_MAX ((size_t)4 << 20)
#define URL_BYTES        512u
#define TO_THE_TOP       "\x1b[H\x1b[J"

enum { OPTION_URL = 256, OPTION_INTERVAL, OPTION_COUNT };

typedef struct {
    const char *url;
    uint64_t interval_ms;
    uint64_t count; /* 0: until a signal */
} request_t;

/* Two readings, a while apart. */
typedef struct {
    const erx_text_t *now;
    const erx_text_t *before; /* empty the first time */
    double seconds;
} readings_t;

static volatile sig_atomic_t is_stopped;

static void on_signal(int number)
{
    is_stopped = number;
}

static const struct argp_option options[] = {
    {"url", OPTION_URL, "URL", 0, "Address of the validator (default http://127.0.0.1:8899)", 1},
    {"interval", OPTION_INTERVAL, "MS", 0,
     "Milliseconds between two readings, 50 to 3600000 (default 1000)", 1},
    {"count", OPTION_COUNT, "N", 0, "End after N screens (default: at SIGINT)", 1},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case OPTION_URL:
        request->url = text;
        return 0;
    case OPTION_INTERVAL:
        request->interval_ms = erx_node_number(state, "interval", text, 50, INTERVAL_MS_MAX);
        return 0;
    case OPTION_COUNT:
        request->count = erx_node_number(state, "count", text, 1, UINT64_MAX);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not expected", text);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .doc = "Shows a validator's live figures, from its /metrics, until SIGINT.",
};

static double value(const readings_t *readings, const char *name)
{
    return erx_metrics_text_value(readings->now->bytes, readings->now->length, name);
}

/* Growth a second. */
static double rate(const readings_t *readings, const char *name)
{
    double before = erx_metrics_text_value(readings->before->bytes, readings->before->length, name);
    return readings->seconds > 0 ? (value(readings, name) - before) / readings->seconds : 0;
}

static double quantile_ms(const readings_t *readings, const char *name, double share)
{
    return 1000 * erx_metrics_text_quantile(readings->now->bytes, readings->now->length,
                                            readings->before->bytes, readings->before->length, name,
                                            share);
}

static void show_timing(const readings_t *readings, const char *label, const char *name)
{
    (void)printf("  %-14s p50 %8.3f   p99 %8.3f ms\n", label, quantile_ms(readings, name, 0.5),
                 quantile_ms(readings, name, 0.99));
}

static void show_cpu(const readings_t *readings)
{
    static const char *const parts[][2] = {
        {"crank", "erx_cpu_control_seconds_total"},     {"frames", "erx_cpu_workers_seconds_total"},
        {"signatures", "erx_cpu_verify_seconds_total"}, {"commit", "erx_cpu_commit_seconds_total"},
        {"network", "erx_cpu_network_seconds_total"},   {"all", "erx_cpu_process_seconds_total"}};
    (void)printf("processor, %% of a core\n ");
    for (size_t i = 0; i < ERX_ARRAY_COUNT(parts); i++)
        (void)printf(" %s %.1f", parts[i][0], 100 * rate(readings, parts[i][1]));
    (void)printf("\n");
}

static void show(const readings_t *readings)
{
    (void)printf("slot %.0f   durable %.0f   checkpoint %.0f blocks old\n",
                 value(readings, "erx_slot"), value(readings, "erx_slot_durable"),
                 value(readings, "erx_checkpoint_age_blocks"));
    (void)printf("sessions: %.0f playing, %.0f waiting, %.0f created, %.0f ended\n",
                 value(readings, "erx_sessions_active"), value(readings, "erx_sessions_waiting"),
                 value(readings, "erx_sessions_created"), value(readings, "erx_sessions_ended"));
    (void)printf("a second: %.1f ticks (%.0f missed so far), %.0f frames, %.0f transactions "
                 "(%.0f failed), %.0f requests\n",
                 rate(readings, "erx_ticks_total"), value(readings, "erx_ticks_missed_total"),
                 rate(readings, "erx_frames_total"), rate(readings, "erx_transactions_total"),
                 rate(readings, "erx_transactions_failed_total"),
                 rate(readings, "erx_rpc_requests_total"));
    (void)printf("times\n");
    show_timing(readings, "tick late", "erx_frame_lateness_seconds");
    show_timing(readings, "frames", "erx_frame_seconds");
    show_timing(readings, "block", "erx_block_seconds");
    show_timing(readings, "commit", "erx_commit_seconds");
    show_timing(readings, "notification", "erx_notify_seconds");
    show_timing(readings, "request", "erx_rpc_seconds");
    (void)printf("queues: %.0f transactions, %.0f blocks for the network, %.0f notifications\n",
                 value(readings, "erx_queue_ingest"), value(readings, "erx_queue_events"),
                 value(readings, "erx_notifications_queued"));
    (void)printf("clients: %.0f connections, %.0f WebSockets, %.0f subscriptions; %.0f "
                 "notifications a second, %.0f dropped so far\n",
                 value(readings, "erx_connections"), value(readings, "erx_websockets"),
                 value(readings, "erx_subscriptions"), rate(readings, "erx_notifications_total"),
                 value(readings, "erx_notifications_dropped_total"));
    (void)printf("base layer: %s, %.0f settled, %.0f to settle\n",
                 value(readings, "erx_base_reachable") > 0 ? "reachable" : "not reachable",
                 value(readings, "erx_settlements_total"),
                 value(readings, "erx_settlements_pending"));
    show_cpu(readings);
    (void)fflush(stdout);
}

static bool watch(const request_t *request, erx_rpc_client_t *client, erx_text_t texts[2],
                  erx_failure_t *failure)
{
    uint64_t before_ns = 0;
    for (uint64_t i = 0; (request->count == 0 || i <= request->count) && !is_stopped; i++) {
        erx_text_t *now = &texts[i % 2];
        if (!erx_rpc_client_exchange(client, NULL, now, failure))
            return false;
        uint64_t now_ns = erx_node_now();
        readings_t readings = {now, &texts[(i + 1) % 2],
                               (double)(now_ns - before_ns) / (double)ERX_SECOND_NS};
        if (i > 0) { /* rates need two readings */
            if (isatty(STDOUT_FILENO) == 1)
                (void)printf(TO_THE_TOP);
            show(&readings);
        }
        before_ns = now_ns;
        if (request->count == 0 || i < request->count)
            erx_node_sleep_until(now_ns + request->interval_ms * ERX_MILLISECOND_NS);
    }
    return true;
}

int erx_command_top(int argc, char **argv)
{
    request_t request = {.url = "http://127.0.0.1:8899", .interval_ms = 1000};
    erx_node_parse(&parser, argc, argv, &request);
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    char url[URL_BYTES];
    size_t length = strlen(request.url);
    while (length > 0 && request.url[length - 1] == '/')
        length--;
    (void)snprintf(url, sizeof url, "%.*s/metrics", (int)ERX_LESSER(length, URL_BYTES / 2),
                   request.url);
    erx_failure_t failure;
    erx_text_t texts[2];
    erx_text_open(&texts[0], ANSWER_BYTES_MAX);
    erx_text_open(&texts[1], ANSWER_BYTES_MAX);
    erx_rpc_client_t *client = erx_rpc_client_open(url, TIMEOUT_MS);
    bool is_well = client != NULL ? watch(&request, client, texts, &failure)
                                  : erx_failure_set(&failure, "no memory");
    erx_rpc_client_close(client);
    erx_text_close(&texts[0]);
    erx_text_close(&texts[1]);
    return is_well ? ERX_NODE_EXIT_OK : erx_node_fail(argv[0], &failure);
}
