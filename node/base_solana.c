/* The base layer as a Solana RPC node. Three threads: one fetches accounts (here),
 * one listens for changes (base_socket.c), one settles (base_settler.c). */
#include "node/base_layer.h"

#include "node/base_backoff.h"
#include "node/base_delegation.h"
#include "node/base_follow.h"
#include "node/base_settler.h"
#include "node/base_socket.h"
#include "node/base_wire.h"
#include "node/log.h"
#include "node/node_clock.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES (ERX_CONFIG_TEXT_MAX + 64u)

/* Accounts, each with its record, of one request: an answer with the largest
 * accounts still fits into what the client takes. */
#define FETCH_MAX 4u
#define LOOK_NS   (5 * ERX_SECOND_NS) /* whether the node still answers */

struct erx_base {
    erx_base_events_t events;
    erx_telemetry_t *telemetry;
    erx_pubkey_t identity;
    erx_base_wire_t wire;
    erx_follow_t *follow;
    erx_base_socket_t *socket;
    erx_settler_t *settler;
    pthread_t thread;
    bool is_running;
    bool has_curl;
    _Atomic bool is_stopping;
};

/* -------------------------------------------------------------- fetching */

/* Says whose an account is: its owner becomes the original one where it is
 * delegated here. NULL where it is not delegated. */
static const erx_delegation_t *note_delegation(const erx_base_t *base, erx_base_account_t *account,
                                               const erx_base_account_t *record,
                                               erx_delegation_t *delegation)
{
    erx_pubkey_t program = erx_delegation_program();
    if (!account->exists || memcmp(&account->owner, &program, sizeof program) != 0)
        return NULL;
    account->is_delegated_elsewhere = true; /* also where the record cannot be read */
    if (!erx_delegation_record_read(record, delegation))
        return NULL;
    account->is_delegated_here =
        memcmp(&delegation->authority, &base->identity, sizeof base->identity) == 0;
    account->is_delegated_elsewhere = !account->is_delegated_here;
    account->owner = delegation->owner;
    return delegation;
}

static void hand_on(erx_base_t *base, const erx_follow_ticket_t *ticket,
                    erx_base_account_t *account)
{
    if (ticket->was_asked)
        base->events.fetched(base->events.context, account);
    else
        base->events.changed(base->events.context, account);
}

static void note_accounts(erx_base_t *base, const erx_follow_ticket_t *tickets, uint32_t count,
                          erx_base_account_t *accounts)
{
    bool is_news[FETCH_MAX];
    erx_failure_t failure;
    for (uint32_t i = 0; i < count; i++) {
        erx_delegation_t delegation;
        erx_base_account_t *account = &accounts[(size_t)i * 2];
        const erx_delegation_t *known =
            note_delegation(base, account, &accounts[(size_t)i * 2 + 1], &delegation);
        is_news[i] = erx_follow_note(base->follow, &tickets[i], account, known);
        erx_base_account_free(&accounts[(size_t)i * 2 + 1]);
    }
    if (!erx_follow_save(base->follow, &failure))
        erx_log(ERX_LOG_ERROR, "followed-unsaved", "reason=\"%s\"", failure.text);
    for (uint32_t i = 0; i < count; i++) {
        if (is_news[i])
            hand_on(base, &tickets[i], &accounts[(size_t)i * 2]);
        else
            erx_base_account_free(&accounts[(size_t)i * 2]);
    }
    erx_base_socket_wake(base->socket);
}

static bool fetch_tickets(erx_base_t *base, const erx_follow_ticket_t *tickets, uint32_t count,
                          erx_failure_t *failure)
{
    erx_pubkey_t keys[FETCH_MAX * 2];
    erx_base_account_t accounts[FETCH_MAX * 2];
    for (uint32_t i = 0; i < count; i++) {
        keys[(size_t)i * 2] = tickets[i].key;
        keys[(size_t)i * 2 + 1] = tickets[i].record;
    }
    if (!erx_base_read_accounts(&base->wire, keys, count * 2, accounts, failure)) {
        erx_follow_put_back(base->follow, tickets, count);
        return false;
    }
    note_accounts(base, tickets, count, accounts);
    return true;
}

/* Nothing was to be done for a while: asks whether the node is there. */
static bool look(erx_base_t *base, erx_failure_t *failure)
{
    erx_text_t params;
    erx_text_open(&params, 64);
    erx_text_print(&params, "[]");
    json_t *result = erx_base_call(&base->wire, "getSlot", &params, failure);
    erx_text_close(&params);
    json_decref(result);
    return result != NULL;
}

static void *run(void *context)
{
    erx_base_t *base = context;
    erx_follow_ticket_t tickets[FETCH_MAX];
    uint32_t failures = 0;
    uint64_t look_ns = 0;
    while (!atomic_load_explicit(&base->is_stopping, memory_order_acquire)) {
        erx_failure_t failure = {""};
        uint64_t now = erx_node_now();
        uint32_t count = 0;
        if (look_ns > now)
            count = erx_follow_take(base->follow, look_ns, tickets, failures > 0 ? 1 : FETCH_MAX);
        if (count == 0 && erx_node_now() < look_ns)
            continue; /* to stop */
        bool is_reached =
            count > 0 ? fetch_tickets(base, tickets, count, &failure) : look(base, &failure);
        erx_base_reached(base->telemetry, is_reached, is_reached ? "HTTP" : failure.text);
        failures = is_reached ? 0 : failures + 1;
        look_ns = erx_node_now() + LOOK_NS;
        if (!is_reached)
            erx_follow_pause(base->follow, erx_node_now() + erx_backoff_wait(failures));
    }
    return NULL;
}

/* --------------------------------------------------------------- opening */

static void close_solana(erx_base_t *base)
{
    if (base->is_running) {
        atomic_store_explicit(&base->is_stopping, true, memory_order_release);
        erx_follow_stop(base->follow);
        (void)pthread_join(base->thread, NULL);
    }
    erx_settler_close(base->settler);
    erx_base_socket_close(base->socket);
    erx_follow_close(base->follow);
    erx_base_wire_close(&base->wire);
    if (base->has_curl)
        curl_global_cleanup();
    free(base);
}

static bool check_url(const erx_config_t *config, erx_failure_t *failure)
{
    const char *url = config->base_url;
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : 7;
    if ((scheme == 8 || strncmp(url, "http://", 7) == 0) && url[scheme] != '\0')
        return true;
    return erx_failure_set(failure,
                           "base_url: '%.300s' does not begin with http:// or https:// "
                           "and a host",
                           url);
}

static bool open_parts(erx_base_t *base, const erx_config_t *config, const erx_keypair_t *identity,
                       erx_failure_t *failure)
{
    char path[PATH_BYTES];
    if (!check_url(config, failure))
        return false;
    base->has_curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!base->has_curl)
        return erx_failure_set(failure, "libcurl could not be started");
    (void)snprintf(path, sizeof path, "%s/validator", config->data);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return erx_failure_set(failure, "%.400s: %s", path, strerror(errno));
    (void)snprintf(path, sizeof path, "%s/validator/followed.txt", config->data);
    base->follow = erx_follow_open(path, failure);
    if (base->follow == NULL || !erx_base_wire_open(config, base->telemetry, &base->wire, failure))
        return false;
    (void)snprintf(path, sizeof path, "%s/validator/settlements.jsonl", config->data);
    return erx_settler_open(config, path, identity, &base->events, base->telemetry, &base->settler,
                            failure) &&
           erx_base_socket_open(config, base->follow, base->telemetry, &base->socket, failure);
}

static bool open_solana(const erx_config_t *config, const erx_keypair_t *identity,
                        const erx_base_events_t *events, erx_telemetry_t *telemetry,
                        erx_base_t **base_out, erx_failure_t *failure)
{
    erx_base_t *base = calloc(1, sizeof *base);
    if (base == NULL)
        return erx_failure_set(failure, "no memory for the base layer");
    base->events = *events;
    base->telemetry = telemetry;
    base->identity = erx_keypair_public(identity);
    erx_telemetry_set(telemetry, ERX_METRIC_BASE_REACHABLE, 1); /* so that it is told if not */
    bool is_open = open_parts(base, config, identity, failure);
    if (is_open) {
        base->is_running = pthread_create(&base->thread, NULL, run, base) == 0;
        is_open = base->is_running ||
                  erx_failure_set(failure, "the base layer's thread could not be started");
    }
    if (!is_open) {
        close_solana(base);
        return false;
    }
    (void)pthread_setname_np(base->thread, "erx-base");
    *base_out = base;
    return true;
}

/* ------------------------------------------------------ control thread's side */

static void fetch(erx_base_t *base, const erx_pubkey_t *key)
{
    erx_pubkey_t put_out;
    if (erx_follow_want(base->follow, key, &put_out)) {
        erx_base_account_t gone = {.key = put_out};
        bool is_refused = memcmp(&put_out, key, sizeof *key) == 0; /* all are asked for */
        const erx_follow_ticket_t ticket = {.key = put_out, .was_asked = is_refused};
        hand_on(base, &ticket, &gone);
    }
    erx_base_socket_wake(base->socket);
}

static void settle(erx_base_t *base, const erx_settlement_t *settlement)
{
    erx_settler_add(base->settler, settlement);
}

static bool find_delegation(void *context, const erx_pubkey_t *key,
                            erx_delegation_t *delegation_out)
{
    const erx_base_t *base = context;
    return erx_follow_delegation(base->follow, key, delegation_out);
}

const erx_base_layer_kind_t erx_base_solana_kind = {
    .name = "solana",
    .keeps_unsettled = true,
    .open = open_solana,
    .close = close_solana,
    .fetch = fetch,
    .settle = settle,
    .delegation = find_delegation,
};
