#include "node/base_link.h"

#include "node/log.h"
#include "node/node_clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* An account that came back, in a list. */
typedef struct arrival {
    struct arrival *next;
    bool was_asked; /* a transaction waits for it */
    erx_base_account_t account;
} arrival_t;

struct erx_base_link {
    const erx_base_layer_kind_t *kind;
    erx_base_t *base;
    erx_rollup_t *rollup;
    erx_telemetry_t *telemetry;
    erx_pubkey_t program;
    const erx_config_t *config;
    erx_pubkey_t identity;
    uint64_t slot;           /* of the block being executed */
    erx_settlement_t *early; /* asked for while the rollup recovered */
    uint32_t early_count;
    pthread_mutex_t lock;
    arrival_t *first, *last;
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

static void on_settled(void *context, const erx_settlement_t *settlement, bool is_done)
{
    erx_base_link_t *link = context;
    (void)pthread_mutex_lock(&link->lock);
    link->pending--;
    erx_telemetry_set(link->telemetry, ERX_METRIC_SETTLEMENTS_PENDING, link->pending);
    (void)pthread_mutex_unlock(&link->lock);
    if (is_done)
        erx_telemetry_add(link->telemetry, ERX_METRIC_SETTLEMENTS, 1);
    else
        erx_log(ERX_LOG_ERROR, "settle-failed", "session=%" PRIu64 " slot=%" PRIu64,
                settlement->session_id, settlement->slot);
}

/* ------------------------------------------- from the rollup, while sealing */

static void on_clone(void *context, const erx_pubkey_t *key)
{
    const erx_base_link_t *link = context;
    if (link->base != NULL) /* while recovering, blocks have what they need */
        link->kind->fetch(link->base, key);
}

static void keep_early(erx_base_link_t *link, const erx_settlement_t *settlement)
{
    size_t count = link->early_count + 1;
    erx_settlement_t *early = realloc(link->early, count * sizeof *early);
    if (early == NULL) {
        erx_log(ERX_LOG_ERROR, "settle-failed", "session=%" PRIu64 " reason=\"no memory\"",
                settlement->session_id);
        return;
    }
    early[link->early_count++] = *settlement;
    link->early = early;
}

static void settle(erx_base_link_t *link, const erx_settlement_t *settlement)
{
    (void)pthread_mutex_lock(&link->lock);
    link->pending++;
    erx_telemetry_set(link->telemetry, ERX_METRIC_SETTLEMENTS_PENDING, link->pending);
    (void)pthread_mutex_unlock(&link->lock);
    link->kind->settle(link->base, settlement);
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
        .is_final = session->status == 3, /* ended */
    };
    memcpy(settlement.hidden_hash, hidden_hash, ERX_HASH_SIZE);
    memcpy(settlement.state, session_state, settlement.state_size);
    if (link->base != NULL)
        settle(link, &settlement);
    else
        keep_early(link, &settlement);
}

bool erx_base_link_open(const erx_config_t *config, erx_rollup_t *rollup,
                        const erx_pubkey_t *identity, const erx_pubkey_t *program,
                        erx_telemetry_t *telemetry, erx_base_link_t **link_out,
                        erx_failure_t *failure)
{
    erx_base_link_t *link = calloc(1, sizeof *link);
    *link_out = NULL;
    if (link == NULL)
        return erx_failure_set(failure, "no memory for the base layer");
    bool is_remote = config->base_url[0] != '\0';
    link->kind = &erx_base_ledger_kind;
    if (is_remote) {
        free(link);
        return erx_failure_set(failure, "base_url: only the embedded ledger is supported");
    }
    link->rollup = rollup;
    link->telemetry = telemetry;
    link->program = *program;
    link->config = config;
    link->identity = *identity;
    (void)pthread_mutex_init(&link->lock, NULL);
    erx_base_layer_t base_layer = {
        .struct_size = sizeof base_layer,
        .context = link,
        .clone = is_remote ? on_clone : NULL,
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

bool erx_base_link_start(erx_base_link_t *link, erx_failure_t *failure)
{
    erx_base_events_t events = {link, on_fetched, on_changed, on_settled};
    if (!link->kind->open(link->config, &link->identity, &events, link->telemetry, &link->base,
                          failure))
        return false;
    for (uint32_t i = 0; i < link->early_count; i++)
        settle(link, &link->early[i]);
    free(link->early);
    link->early = NULL;
    link->early_count = 0;
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

void erx_base_link_run(erx_base_link_t *link, uint64_t slot)
{
    link->slot = slot;
    arrival_t *arrival = take_arrivals(link);
    while (arrival != NULL) {
        arrival_t *next = arrival->next;
        if (arrival->account.exists)
            put_account(link, &arrival->account);
        if (arrival->was_asked)
            (void)erx_rollup_clone_done(link->rollup, &arrival->account.key);
        erx_base_account_free(&arrival->account);
        free(arrival);
        arrival = next;
    }
}

uint32_t erx_base_link_pending(erx_base_link_t *link)
{
    (void)pthread_mutex_lock(&link->lock);
    uint32_t pending = link->pending;
    (void)pthread_mutex_unlock(&link->lock);
    return pending;
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
    (void)pthread_mutex_destroy(&link->lock);
    free(link->early);
    free(link);
}

void erx_base_account_free(erx_base_account_t *account)
{
    free(account->data);
    account->data = NULL;
}
