#include "node/subscriptions_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NOTIFICATION_BYTES_MAX ((size_t)16 << 20) /* base64 of the largest account */
#define SLOW_SHOWN_MAX         64u                /* subscriptions whose drops are shown */

static const char *const kind_names[ERX_SUBSCRIBE_KINDS] = {"account", "program", "signature",
                                                            "logs", "slot"};
static const char *const method_names[ERX_SUBSCRIBE_KINDS] = {
    "accountNotification", "programNotification", "signatureNotification", "logsNotification",
    "slotNotification"};

erx_subscriptions_t *erx_subscriptions_open(const erx_rollup_t *rollup, erx_watch_filter_t *filter,
                                            erx_history_t *history, erx_telemetry_t *telemetry,
                                            uint32_t per_connection_max, bool interpolates)
{
    erx_subscriptions_t *subscriptions = calloc(1, sizeof *subscriptions);
    if (subscriptions == NULL)
        return NULL;
    subscriptions->rollup = rollup;
    subscriptions->filter = filter;
    subscriptions->history = history;
    subscriptions->telemetry = telemetry;
    subscriptions->per_connection_max = per_connection_max;
    subscriptions->interpolates = interpolates;
    erx_text_open(&subscriptions->text, NOTIFICATION_BYTES_MAX);
    return subscriptions;
}

void erx_subscriptions_close(erx_subscriptions_t *subscriptions)
{
    if (subscriptions == NULL)
        return;
    erx_subscriptions_unfollow(subscriptions);
    erx_text_close(&subscriptions->text);
    free(subscriptions->account_data);
    free(subscriptions);
}

uint32_t erx_subscription_key_bucket(const erx_pubkey_t *key)
{
    return (uint32_t)erx_key_hash(key) & (ERX_SUBSCRIPTION_BUCKETS - 1);
}

uint32_t erx_subscription_signature_bucket(const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    return ((uint32_t)signature[0] | (uint32_t)signature[1] << 8) & (ERX_SUBSCRIPTION_BUCKETS - 1);
}

/* Slots, and logs of everything, have no key: their kind's first bucket. */
static uint32_t bucket_of(const erx_subscription_request_t *request)
{
    if (request->kind == ERX_SUBSCRIBE_SIGNATURE)
        return erx_subscription_signature_bucket(request->signature);
    if (request->kind == ERX_SUBSCRIBE_SLOT || request->is_all)
        return 0;
    return erx_subscription_key_bucket(&request->key);
}

static bool watches_accounts(const erx_subscription_request_t *request)
{
    return request->kind == ERX_SUBSCRIBE_ACCOUNT || request->kind == ERX_SUBSCRIBE_PROGRAM;
}

/* The filters' bytes are the caller's: keep copies. */
static bool copy_filters(erx_subscription_t *subscription)
{
    erx_subscription_request_t *request = &subscription->request;
    size_t bytes = 0;
    if (request->filter_count > ERX_SUBSCRIPTION_FILTERS)
        return false;
    for (uint32_t i = 0; i < request->filter_count; i++)
        bytes += request->filters[i].bytes != NULL ? request->filters[i].size : 0;
    subscription->filter_bytes = malloc(bytes > 0 ? bytes : 1);
    if (subscription->filter_bytes == NULL)
        return false;
    uint8_t *at = subscription->filter_bytes;
    for (uint32_t i = 0; i < request->filter_count; i++) {
        erx_account_filter_t *copy = &subscription->filters[i];
        *copy = request->filters[i];
        if (copy->bytes == NULL)
            continue;
        memcpy(at, copy->bytes, copy->size);
        copy->bytes = at;
        at += copy->size;
    }
    request->filters = subscription->filters;
    return true;
}

static void link_subscription(erx_subscriptions_t *subscriptions, erx_subscriber_t *subscriber,
                              erx_subscription_t *subscription)
{
    const erx_subscription_request_t *request = &subscription->request;
    erx_subscription_t **bucket = &subscriptions->buckets[request->kind][bucket_of(request)];
    subscription->next = *bucket;
    if (*bucket != NULL)
        (*bucket)->previous = subscription;
    *bucket = subscription;
    subscription->next_of_connection = subscriber->first;
    if (subscriber->first != NULL)
        subscriber->first->previous_of_connection = subscription;
    subscriber->first = subscription;
    subscriber->count++;
    subscriptions->counts[request->kind]++;
    erx_telemetry_add(subscriptions->telemetry, ERX_METRIC_SUBSCRIPTIONS, 1);
    if (watches_accounts(request))
        erx_watch_filter_add(subscriptions->filter, &request->key);
}

void erx_subscription_end(erx_subscriptions_t *subscriptions, erx_subscription_t *subscription)
{
    const erx_subscription_request_t *request = &subscription->request;
    erx_subscriber_t *subscriber = erx_server_user(subscription->connection);
    if (subscription->previous != NULL)
        subscription->previous->next = subscription->next;
    else
        subscriptions->buckets[request->kind][bucket_of(request)] = subscription->next;
    if (subscription->next != NULL)
        subscription->next->previous = subscription->previous;
    if (subscription->previous_of_connection != NULL)
        subscription->previous_of_connection->next_of_connection = subscription->next_of_connection;
    else
        subscriber->first = subscription->next_of_connection;
    if (subscription->next_of_connection != NULL)
        subscription->next_of_connection->previous_of_connection =
            subscription->previous_of_connection;
    subscriber->count--;
    subscriptions->counts[request->kind]--;
    erx_telemetry_add(subscriptions->telemetry, ERX_METRIC_SUBSCRIPTIONS, UINT64_MAX);
    if (watches_accounts(request))
        erx_watch_filter_remove(subscriptions->filter, &request->key);
    erx_server_close_feed(subscription->connection, &subscription->feed);
    free(subscription->filter_bytes);
    free(subscription);
}

static erx_subscriber_t *subscriber_of(erx_connection_t *connection)
{
    erx_subscriber_t *subscriber = erx_server_user(connection);
    if (subscriber == NULL) {
        subscriber = calloc(1, sizeof *subscriber);
        erx_server_set_user(connection, subscriber);
    }
    return subscriber;
}

uint64_t erx_subscriptions_add(erx_subscriptions_t *subscriptions, erx_connection_t *connection,
                               const erx_subscription_request_t *request)
{
    erx_subscriber_t *subscriber = subscriber_of(connection);
    if (subscriber == NULL || subscriber->count >= subscriptions->per_connection_max)
        return 0;
    erx_subscription_t *subscription = calloc(1, sizeof *subscription);
    if (subscription == NULL)
        return 0;
    subscription->request = *request;
    if (!copy_filters(subscription)) {
        free(subscription);
        return 0;
    }
    subscription->id = ++subscriptions->last_id;
    subscription->connection = connection;
    subscription->feed.subscription = subscription->id;
    subscription->feed.method = method_names[request->kind];
    link_subscription(subscriptions, subscriber, subscription);
    erx_signature_status_t status = {.struct_size = sizeof status};
    if (request->kind == ERX_SUBSCRIBE_SIGNATURE &&
        (erx_history_find(subscriptions->history, request->signature) != NULL ||
         erx_rollup_signature_status(subscriptions->rollup, request->signature, &status) ==
             ERX_STATUS_OK))
        subscriptions->unsettled++;
    return subscription->id;
}

bool erx_subscriptions_remove(erx_subscriptions_t *subscriptions, erx_connection_t *connection,
                              erx_subscription_kind_t kind, uint64_t id)
{
    erx_subscriber_t *subscriber = erx_server_user(connection);
    erx_subscription_t *subscription = subscriber != NULL ? subscriber->first : NULL;
    while (subscription != NULL && (subscription->id != id || subscription->request.kind != kind))
        subscription = subscription->next_of_connection;
    if (subscription == NULL)
        return false;
    erx_subscription_end(subscriptions, subscription);
    return true;
}

void erx_subscriptions_forget(erx_subscriptions_t *subscriptions, erx_connection_t *connection)
{
    erx_subscriber_t *subscriber = erx_server_user(connection);
    if (subscriber == NULL)
        return;
    while (subscriber->first != NULL)
        erx_subscription_end(subscriptions, subscriber->first);
    erx_server_set_user(connection, NULL);
    free(subscriber);
}

void erx_subscriptions_write_metrics(const erx_subscriptions_t *subscriptions, erx_text_t *text)
{
    erx_text_print(text, "# HELP erx_subscriptions_by_kind Subscriptions by kind.\n"
                         "# TYPE erx_subscriptions_by_kind gauge\n");
    for (uint32_t i = 0; i < ERX_SUBSCRIBE_KINDS; i++)
        erx_text_print(text, "erx_subscriptions_by_kind{kind=\"%s\"} %" PRIu32 "\n", kind_names[i],
                       subscriptions->counts[i]);
    erx_text_print(text, "# HELP erx_subscription_dropped_total Notifications that a slow reader "
                         "did not get, by subscription.\n"
                         "# TYPE erx_subscription_dropped_total counter\n");
    uint32_t shown = 0;
    for (uint32_t kind = 0; kind < ERX_SUBSCRIBE_KINDS; kind++)
        for (uint32_t i = 0; i < ERX_SUBSCRIPTION_BUCKETS; i++)
            for (const erx_subscription_t *subscription = subscriptions->buckets[kind][i];
                 subscription != NULL && shown < SLOW_SHOWN_MAX; subscription = subscription->next)
                if (subscription->feed.dropped > 0) {
                    shown++;
                    erx_text_print(text,
                                   "erx_subscription_dropped_total{kind=\"%s\",subscription=\""
                                   "%" PRIu64 "\"} %" PRIu64 "\n",
                                   kind_names[kind], subscription->id, subscription->feed.dropped);
                }
}
