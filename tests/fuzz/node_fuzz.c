#include "tests/fuzz/node_fuzz.h"

#include "mem/base.h"
#include "node/network.h"
#include "tests/support/model_fixture.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MODEL_ID       UINT64_C(1)
#define SESSIONS       4u
#define FUND           UINT64_C(1000000000000)
#define SEALS_MAX      5000 /* at least so many milliseconds: an answer that never comes */
#define ANSWER_WAIT_MS 2
#define HEADER_MAX     256
#define CLOSES         "\r\nconnection: close\r\n"

static erx_config_t config;
static erx_event_ring_t events;
static erx_watch_filter_t filter;
static erx_verdicts_t verdicts;
static erx_telemetry_t *telemetry;
static erx_rollup_t *rollup;
static erx_network_t *network;
static uint64_t slot;
static int kept = -1; /* the connection of node_fuzz_post */

static bool no_delegation(void *context, const erx_pubkey_t *key, erx_delegation_t *delegation_out)
{
    (void)context;
    (void)key;
    (void)delegation_out;
    return false;
}

static bool no_account(void *context, const erx_pubkey_t *key, erx_base_account_t *account_out)
{
    (void)context;
    (void)key;
    (void)account_out;
    return false;
}

static const char *const model_files[] = {"manifest.json", "weights_int8.bin"};

/* Inside submit: there are no threads that verify. */
static void on_verified(void *context, const uint8_t signature[ERX_SIGNATURE_SIZE], bool is_good,
                        bool more)
{
    (void)context;
    if (erx_verdicts_add(&verdicts, signature, is_good, more))
        erx_network_wake(network);
}

static void open_rollup(void)
{
    char directory[] = "erx-fuzz-XXXXXX";
    char path[64];
    erx_fixture_t fixture;
    erx_rollup_config_t settings;
    ERX_ASSERT(mkdtemp(directory) != NULL);
    erx_fixture_model(&erx_fixture_micro, 1, &fixture);
    erx_fixture_write(&fixture, directory);
    erx_rollup_config_default(&settings);
    settings.worker_count = 1;
    settings.account_capacity = 256;
    settings.account_bytes = 16u << 16;
    settings.queue_transactions = 64;
    settings.block_transactions_max = 64;
    settings.matrix_cache_bytes = 1u << 20;
    ERX_ASSERT(erx_rollup_open(&settings, &rollup) == ERX_STATUS_OK);
    ERX_ASSERT(erx_rollup_load_model(rollup, directory, MODEL_ID, SESSIONS) == ERX_STATUS_OK);
    ERX_ASSERT(erx_rollup_set_verified(rollup, on_verified, NULL) == ERX_STATUS_OK);
    ERX_ASSERT(erx_rollup_start(rollup) == ERX_STATUS_OK);
    erx_fixture_free(&fixture);
    for (uint32_t i = 0; i < ERX_COUNT(model_files); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, model_files[i]);
        ERX_ASSERT(unlink(path) == 0);
    }
    ERX_ASSERT(rmdir(directory) == 0);
}

static void open_session(void)
{
    erx_session_ref_t session;
    erx_session_config_t terms;
    erx_session_config_default(&terms);
    terms.session_id = 1;
    terms.model_id = MODEL_ID;
    terms.stage = 31;
    terms.characters[0] = 2;
    terms.characters[1] = 20;
    terms.players[0].bytes[0] = 1;
    terms.players[1].bytes[0] = 2;
    ERX_ASSERT(erx_rollup_create_session(rollup, &terms, &session) == ERX_STATUS_OK);
}

static void open_network(void)
{
    erx_failure_t failure;
    erx_config_defaults(&config);
    config.log_level = ERX_LOG_ERROR;
    config.status_line = false;
    ERX_ASSERT(erx_config_set(&config, "listen", "127.0.0.1:0", &failure));
    erx_log_set_level(ERX_LOG_ERROR);
    erx_network_config_t settings = {
        .config = &config,
        .rollup = rollup,
        .telemetry = telemetry,
        .events = &events,
        .filter = &filter,
        .verdicts = &verdicts,
        .base = {NULL, no_delegation, no_account},
    };
    ERX_ASSERT(erx_keypair_make(&settings.faucet, &failure));
    erx_account_image_t image = {
        .struct_size = sizeof image,
        .key = erx_keypair_public(&settings.faucet),
        .lamports = FUND,
        .flags = ERX_ACCOUNT_IMAGE_DELEGATED,
    };
    ERX_ASSERT(erx_rollup_put_account(rollup, &image) == ERX_STATUS_OK);
    if (!erx_network_open(&settings, &network, &failure)) {
        (void)fprintf(stderr, "%s\n", failure.text);
        abort();
    }
}

void node_fuzz_open(void)
{
    if (network != NULL)
        return;
    telemetry = erx_telemetry_open();
    ERX_ASSERT(telemetry != NULL);
    open_rollup();
    open_session();
    open_network();
    node_fuzz_seal();
}

void node_fuzz_seal(void)
{
    const erx_block_result_t *result;
    erx_block_config_t block;
    erx_block_config_default(&block);
    block.slot = ++slot;
    block.timestamp = (int64_t)slot;
    block.crank = true;
    block.tick = slot;
    ERX_ASSERT(erx_rollup_seal(rollup, &block, &result) == ERX_STATUS_OK);
    erx_block_event_t *event = erx_block_event_make(rollup, result, &filter);
    ERX_ASSERT(event != NULL);
    if (!erx_event_ring_push(&events, event)) {
        erx_block_event_free(event);
        erx_telemetry_add(telemetry, ERX_METRIC_EVENTS_LOST, 1);
    }
    erx_network_wake(network);
}

int node_fuzz_connect(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(erx_network_port(network)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ERX_ASSERT(connection >= 0);
    ERX_ASSERT(connect(connection, (const struct sockaddr *)&address, sizeof address) == 0);
    return connection;
}

void node_fuzz_send(int connection, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t sent = send(connection, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += sent;
        size -= (size_t)sent;
    }
}

size_t node_fuzz_receive(int connection, uint8_t *bytes_out, size_t capacity, int silence_ms)
{
    size_t size = 0;
    struct pollfd readable = {.fd = connection, .events = POLLIN};
    while (size < capacity && poll(&readable, 1, silence_ms) > 0) {
        ssize_t got = recv(connection, bytes_out + size, capacity - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    return size;
}

void node_fuzz_close(int connection)
{
    const struct linger at_once = {.l_onoff = 1}; /* or ports run out */
    (void)setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)close(connection);
}

/* Whether bytes hold a header and as much body as it promises. */
static bool is_whole(const uint8_t *bytes, size_t size)
{
    static const char field[] = "content-length: ";
    const uint8_t *end = memmem(bytes, size, "\r\n\r\n", 4);
    const uint8_t *length = memmem(bytes, size, field, sizeof field - 1);
    if (end == NULL || length == NULL)
        return false;
    size_t header = (size_t)(end + 4 - bytes);
    size_t body = strtoul((const char *)length + sizeof field - 1, NULL, 10);
    ERX_ASSERT(size <= header + body);
    return size == header + body;
}

size_t node_fuzz_post(const uint8_t *body, size_t size, uint8_t *answer_out)
{
    char header[HEADER_MAX];
    if (kept < 0)
        kept = node_fuzz_connect();
    int length = snprintf(header, sizeof header,
                          "POST / HTTP/1.1\r\nHost: fuzz\r\nContent-Length: %zu\r\n\r\n", size);
    node_fuzz_send(kept, header, (size_t)length);
    node_fuzz_send(kept, body, size);
    size_t answered = 0;
    for (int i = 0; !is_whole(answer_out, answered); i++) {
        ERX_ASSERT(i < SEALS_MAX);
        if (i > 0)
            node_fuzz_seal();
        answered += node_fuzz_receive(kept, answer_out + answered, NODE_FUZZ_ANSWER_MAX - answered,
                                      ANSWER_WAIT_MS);
    }
    if (memmem(answer_out, answered, CLOSES, sizeof CLOSES - 1) != NULL) {
        node_fuzz_close(kept);
        kept = -1;
    }
    return answered;
}

void node_fuzz_check(void)
{
    static const char body[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getHealth\"}";
    static uint8_t answer[NODE_FUZZ_ANSWER_MAX];
    size_t size = node_fuzz_post((const uint8_t *)body, sizeof body - 1, answer);
    ERX_ASSERT(memmem(answer, size, "\"result\":\"ok\"", 13) != NULL);
}
