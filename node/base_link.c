#include "node/base_link.h"

#include "node/key_set.h"
#include "node/log.h"
#include "node/node_clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS_AT_ONCE 1024u /* that a block settles on request */
#define STATUS_ENDED     3u    /* erx_session_info_t.status */

/* An account that came back, in a list. */
typedef struct arrival {
    struct arrival *next;
    bool was_asked; /* a transaction waits for it */
    erx_base_account_t account;
} arrival_t;

/* A settlement whose block is not durable yet, or one that is done. */
typedef struct held {
    struct held *next;
    erx_settlement_t settlement;
} held_t;

/* Oldest first: of an account's settlements the last one must win. */
typedef struct {
    held_t *first, *last;
} held_list_t;

struct erx_base_link {
    const erx_base_layer_kind_t *kind;
    bool is_remote; /* accounts are cloned, and locked while they are settled for good */
    erx_base_t *base;
    erx_rollup_t *rollup;
    erx_telemetry_t *telemetry;
    erx_pubkey_t program;
    const erx_config_t *config;
    erx_keypair_t identity;
    uint64_t slot; /* of the block being executed */
    uint64_t settled_all_ns;
    erx_key_set_t changed; /* delegated accounts that are no session's */
    held_list_t new;       /* of the block that was just executed */
    held_list_t undurable; /* of blocks before */
    pthread_mutex_t lock;
    arrival_t *first, *last;
    held_list_t released;
    uint32_t pending; /* settlements */
};

/* ----------------------------------------- from the base layer's threads */

static void add_arrival(erx_base_link_t *link, erx_base_account_t *account, bool was_asked)
{
    arrival_t *arrival = calloc(1, sizeof *arrival);
    if (arrival == NULL) {
        erx_log(ERX_LOG_ERROR, "base-account-lost", "reason=\"no memory\"");
        erx_base_account_free(account);
        return;
    }
    arrival->was_asked = was_asked;
    arrival->account = *account;
    (void)pthread_mutex_lock(&link->lock);
    if (link->last != NULL)
        link->last->next = arrival;
    else
        link->first = arrival;
    link->last = arrival;
    (void)pthread_mutex_unlock(&link->lock);
}

static void on_fetched(void *context, erx_base_account_t *account)
{
    add_arrival(context, account, true);
}

static void on_changed(void *context, erx_base_account_t *account)
{
    add_arrival(context, account, false);
}

static void append(held_list_t *list, held_t *held)
{
    held->next = NULL;
    if (list->last != NULL)
        list->last->next = held;
    else
        list->first = held;
    list->last = held;
}

static held_t *take_first(held_list_t *list)
{
    held_t *held = list->first;
    if (held == NULL)
        return NULL;
    list->first = held->next;
    if (list->first == NULL)
        list->last = NULL;
    return held;
}

static void free_held(held_list_t *list)
{
    held_t *held;
    while ((held = take_first(list)) != NULL)
        free(held);
}

static bool hold(held_list_t *list, const erx_settlement_t *settlement)
{
    held_t *held = calloc(1, sizeof *held);
    if (held == NULL)
        return false;
    held->settlement = *settlement;
    append(list, held);
    return true;
}

static void log_failure(const erx_settlement_t *settlement, const char *reason)
{
    char account[ERX_BASE58_SIZE] = "";
    (void)erx_base58_from_bytes(settlement->account.bytes, ERX_PUBKEY_SIZE, account);
    erx_log(ERX_LOG_ERROR, "settle-failed",
            "account=%s session=%" PRIu64 " slot=%" PRIu64 " reason=\"%s\"", account,
            settlement->session_id, settlement->slot, reason);
}

static void on_settled(void *context, const erx_settlement_t *settlement,
                       erx_settlement_fate_t fate)
{
    erx_base_link_t *link = context;
    (void)pthread_mutex_lock(&link->lock);
    link->pending--;
    erx_telemetry_set(link->telemetry, ERX_METRIC_SETTLEMENTS_PENDING, link->pending);
    if (link->is_remote && settlement->is_final && fate != ERX_SETTLEMENT_REPLACED &&
        !hold(&link->released, settlement))
        log_failure(settlement, "no memory to release the account");
    (void)pthread_mutex_unlock(&link->lock);
    if (fate == ERX_SETTLEMENT_DONE)
        erx_telemetry_add(link->telemetry, ERX_METRIC_SETTLEMENTS, 1);
    else if (fate == ERX_SETTLEMENT_FAILED)
        log_failure(settlement, "the base layer refused it");
}

/* ------------------------------------------- from the rollup, while sealing */

static void on_clone(void *context, const erx_pubkey_t *key)
{
    const erx_base_link_t *link = context;
    if (link->base != NULL) /* while recovering, blocks have what they need */
        link->kind->fetch(link->base, key);
}

static void count_pending(erx_base_link_t *link, uint32_t more)
{
    (void)pthread_mutex_lock(&link->lock);
    link->pending += more;
    erx_telemetry_set(link->telemetry, ERX_METRIC_SETTLEMENTS_PENDING, link->pending);
    (void)pthread_mutex_unlock(&link->lock);
}

static void on_resumed(void *context, uint32_t count)
{
    count_pending(context, count);
}

static void on_settle(void *context, const erx_session_info_t *session,
                      const uint8_t *session_state, size_t session_state_size,
                      const uint8_t hidden_hash[ERX_HASH_SIZE], uint32_t hidden_size)
{
    erx_base_link_t *link = context;
    erx_settlement_t settlement = {
        .session_id = session->session_id,
        .account = session->session_state,
        .slot = link->slot,
        .hidden_size = hidden_size,
        .state_size = (uint32_t)ERX_LESSER(session_state_size, ERX_SETTLED_BYTES_MAX),
        .owner = link->program,
        .is_final = session->status == STATUS_ENDED,
    };
    memcpy(settlement.hidden_hash, hidden_hash, ERX_HASH_SIZE);
    memcpy(settlement.state, session_state, settlement.state_size);
    if (hold(&link->new, &settlement))
        count_pending(link, 1);
    else
        log_failure(&settlement, "no memory");
}

/* --------------------------------------------------------------- opening */

bool erx_base_link_open(const erx_config_t *config, erx_rollup_t *rollup,
                        const erx_keypair_t *identity, const erx_pubkey_t *program,
                        erx_telemetry_t *telemetry, erx_base_link_t **link_out,
                        erx_failure_t *failure)
{
    erx_base_link_t *link = calloc(1, sizeof *link);
    *link_out = NULL;
    if (link == NULL)
        return erx_failure_set(failure, "no memory for the base layer");
    link->is_remote = config->base_url[0] != '\0';
    link->kind = link->is_remote ? &erx_base_solana_kind : &erx_base_ledger_kind;
    link->rollup = rollup;
    link->telemetry = telemetry;
    link->program = *program;
    link->config = config;
    link->identity = *identity;
    (void)pthread_mutex_init(&link->lock, NULL);
    erx_base_layer_t base_layer = {
        .struct_size = sizeof base_layer,
        .context = link,
        .clone = link->is_remote ? on_clone : NULL,
        .settle = on_settle,
    };
    if (erx_rollup_set_base_layer(rollup, &base_layer) != ERX_STATUS_OK) {
        (void)erx_failure_set(failure, "%s", erx_last_error());
        erx_base_link_close(link);
        return false;
    }
    *link_out = link;
    return true;
}

/* Asks for sessions that are over, or for the others. */
static void ask_to_settle(erx_base_link_t *link, bool is_over)
{
    erx_session_ref_t sessions[SESSIONS_AT_ONCE];
    erx_session_info_t info = {.struct_size = sizeof info};
    size_t there = 0;
    (void)erx_rollup_list_sessions(link->rollup, sessions, SESSIONS_AT_ONCE, &there);
    for (size_t i = 0; i < ERX_LESSER(there, SESSIONS_AT_ONCE); i++)
        if (erx_rollup_session(link->rollup, sessions[i], &info) == ERX_STATUS_OK &&
            (info.status == STATUS_ENDED) == is_over)
            (void)erx_rollup_settle_session(link->rollup, sessions[i]);
}

/* Notes an account that is delegated here and no session's. */
static bool note_account(erx_base_link_t *link, const erx_pubkey_t *key)
{
    erx_account_info_t info = {.struct_size = sizeof info};
    size_t size;
    bool is_plain =
        erx_rollup_read_account(link->rollup, key, &info, 0, NULL, 0, &size) == ERX_STATUS_OK &&
        info.delegated && memcmp(&info.owner, &link->program, sizeof link->program) != 0;
    return !is_plain || erx_key_set_add(&link->changed, key);
}

/* Settles what was noted, as the last block left it. */
static void settle_plain(erx_base_link_t *link)
{
    for (uint32_t i = 0; i < link->changed.count; i++) {
        size_t size = 0;
        erx_account_info_t info = {.struct_size = sizeof info};
        erx_settlement_t settlement = {
            .is_plain = true,
            .account = link->changed.keys[i],
            .slot = erx_rollup_processed_slot(link->rollup),
        };
        if (erx_rollup_read_account(link->rollup, &settlement.account, &info, 0, settlement.state,
                                    sizeof settlement.state, &size) != ERX_STATUS_OK ||
            !info.delegated)
            continue;
        settlement.owner = info.owner;
        settlement.lamports = info.lamports;
        settlement.state_size = (uint32_t)size;
        if (info.space > sizeof settlement.state)
            log_failure(&settlement, "it has more data than a settlement takes");
        else if (!hold(&link->undurable, &settlement))
            log_failure(&settlement, "no memory");
        else
            count_pending(link, 1);
    }
    erx_key_set_clear(&link->changed);
}

void erx_base_link_note(erx_base_link_t *link, const erx_block_result_t *result)
{
    for (uint32_t i = 0; link->is_remote && i < result->change_count; i++) {
        if (result->changes[i].removed || note_account(link, &result->changes[i].key))
            continue;
        settle_plain(link); /* to have room */
        (void)note_account(link, &result->changes[i].key);
    }
}

static bool note_found(void *context, const erx_pubkey_t *key)
{
    return note_account(context, key);
}

/* What changed in an earlier life and was not settled: any account that System owns,
 * as far as one can tell. Those that the base layer has are left as they are. */
static void settle_found(erx_base_link_t *link)
{
    const erx_pubkey_t system = {{0}};
    (void)erx_rollup_scan_accounts(link->rollup, &system, NULL, 0, note_found, link);
    settle_plain(link);
}

void erx_base_link_settle_all(erx_base_link_t *link)
{
    ask_to_settle(link, false);
    settle_plain(link);
    link->settled_all_ns = erx_node_now();
}

bool erx_base_link_start(erx_base_link_t *link, erx_failure_t *failure)
{
    erx_base_events_t events = {link, on_fetched, on_changed, on_settled, on_resumed};
    if (!link->kind->open(link->config, &link->identity, &events, link->telemetry, &link->base,
                          failure))
        return false;
    link->settled_all_ns = erx_node_now();
    if (link->is_remote) { /* the process may have ended before the base layer knew of them */
        ask_to_settle(link, true);
        settle_found(link);
    }
    return true;
}

/* ----------------------------------------------------- on the control thread */

static arrival_t *take_arrivals(erx_base_link_t *link)
{
    (void)pthread_mutex_lock(&link->lock);
    arrival_t *first = link->first;
    link->first = link->last = NULL;
    (void)pthread_mutex_unlock(&link->lock);
    return first;
}

static void put_account(erx_base_link_t *link, const erx_base_account_t *account)
{
    erx_account_image_t image = {
        .struct_size = sizeof image,
        .key = account->key,
        .owner = account->owner,
        .lamports = account->lamports,
        .data = account->data,
        .data_size = account->data_size,
        .flags = (account->is_delegated_here ? ERX_ACCOUNT_IMAGE_DELEGATED
                                             : ERX_ACCOUNT_IMAGE_READ_ONLY) |
                 (account->executable ? ERX_ACCOUNT_IMAGE_EXECUTABLE : 0),
    };
    int32_t status = erx_rollup_put_account(link->rollup, &image);
    if (status == ERX_STATUS_OK)
        erx_telemetry_add(link->telemetry, ERX_METRIC_CLONES, 1);
    else if (status != ERX_STATUS_STATE) /* it is played here: the base has nothing newer */
        erx_log(ERX_LOG_WARNING, "clone-refused", "reason=\"%s\"", erx_last_error());
}

/* A clone that the base layer has no more, or that is followed no longer: the
 * next transaction that names it asks for it again. */
static void remove_clone(erx_base_link_t *link, const erx_pubkey_t *key)
{
    erx_account_info_t info = {.struct_size = sizeof info};
    size_t size;
    if (erx_rollup_read_account(link->rollup, key, &info, 0, NULL, 0, &size) == ERX_STATUS_OK &&
        info.read_only_clone)
        (void)erx_rollup_remove_account(link->rollup, key);
}

static void take_in(erx_base_link_t *link, const erx_base_account_t *account, bool was_asked)
{
    /* A session's accounts that were delegated to us are made here by
     * create_session; on the base layer they hold the place and the rent. */
    bool is_place = account->is_delegated_here &&
                    memcmp(&account->owner, &link->program, sizeof link->program) == 0;
    if (account->exists && !is_place)
        put_account(link, account);
    else if (!account->exists)
        remove_clone(link, &account->key);
    if (was_asked)
        (void)erx_rollup_clone_done(link->rollup, &account->key);
}

/* A session that is not there any more was closed, and that settled it for good.
 * One that is over is locked: nothing changes it while it is settled. */
static void sort_new(erx_base_link_t *link)
{
    erx_session_info_t info = {.struct_size = sizeof info};
    held_t *held;
    while ((held = take_first(&link->new)) != NULL) {
        const erx_pubkey_t *account = &held->settlement.account;
        if (erx_rollup_find_session(link->rollup, account, &info) != ERX_STATUS_OK)
            held->settlement.is_final = true;
        else if (link->is_remote && held->settlement.is_final)
            (void)erx_rollup_lock_account(link->rollup, account);
        append(&link->undurable, held);
    }
}

/* What is not durable here could be undone by a crash: the base must not know it. */
static void hand_over(erx_base_link_t *link)
{
    uint64_t durable = erx_rollup_confirmed_slot(link->rollup);
    while (link->undurable.first != NULL && link->undurable.first->settlement.slot <= durable) {
        held_t *held = take_first(&link->undurable);
        link->kind->settle(link->base, &held->settlement);
        free(held);
    }
}

static void release(erx_base_link_t *link)
{
    (void)pthread_mutex_lock(&link->lock);
    held_list_t released = link->released;
    link->released = (held_list_t){0};
    (void)pthread_mutex_unlock(&link->lock);
    for (const held_t *held = released.first; held != NULL; held = held->next)
        (void)erx_rollup_unlock_account(link->rollup, &held->settlement.account);
    free_held(&released);
}

void erx_base_link_run(erx_base_link_t *link, uint64_t slot)
{
    uint64_t interval_ns = link->config->settle_interval_ms * ERX_MILLISECOND_NS;
    arrival_t *arrival = take_arrivals(link);
    link->slot = slot;
    while (arrival != NULL) {
        arrival_t *next = arrival->next;
        take_in(link, &arrival->account, arrival->was_asked);
        erx_base_account_free(&arrival->account);
        free(arrival);
        arrival = next;
    }
    sort_new(link);
    hand_over(link);
    release(link);
    if (interval_ns > 0 && erx_node_now() - link->settled_all_ns >= interval_ns)
        erx_base_link_settle_all(link);
}

uint32_t erx_base_link_pending(erx_base_link_t *link)
{
    (void)pthread_mutex_lock(&link->lock);
    uint32_t pending = link->pending;
    (void)pthread_mutex_unlock(&link->lock);
    return pending;
}

bool erx_base_link_keeps_pending(const erx_base_link_t *link)
{
    return link->kind->keeps_unsettled;
}

erx_base_layer_view_t erx_base_link_view(erx_base_link_t *link)
{
    return (erx_base_layer_view_t){link->base, link->kind->delegation, link->kind->account};
}

void erx_base_link_close(erx_base_link_t *link)
{
    if (link == NULL)
        return;
    if (link->base != NULL)
        link->kind->close(link->base);
    arrival_t *arrival = take_arrivals(link);
    while (arrival != NULL) {
        arrival_t *next = arrival->next;
        erx_base_account_free(&arrival->account);
        free(arrival);
        arrival = next;
    }
    free_held(&link->new);
    free_held(&link->undurable);
    free_held(&link->released);
    (void)pthread_mutex_destroy(&link->lock);
    free(link);
}

void erx_base_account_free(erx_base_account_t *account)
{
    free(account->data);
    account->data = NULL;
}
