/* Notifications: who is told of a block, and what. */
#include "node/subscriptions_parts.h"

#include "node/key_text.h"
#include "node/transaction_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Begins {"context":{"slot":slot},"value": in the registry's text. */
static erx_json_writer_t begin_notification(erx_subscriptions_t *subscriptions, uint64_t slot)
{
    erx_text_clear(&subscriptions->text);
    erx_json_writer_t writer = erx_json_writer(&subscriptions->text);
    erx_json_object_begin(&writer);
    erx_json_key(&writer, "context");
    erx_json_object_begin(&writer);
    erx_json_put_unsigned(&writer, "slot", slot);
    erx_json_object_end(&writer);
    erx_json_key(&writer, "value");
    return writer;
}

/* The text that was written, to be shared by queues. NULL where it failed. */
static erx_payload_t *make_payload(const erx_subscriptions_t *subscriptions)
{
    const erx_text_t *text = &subscriptions->text;
    return text->overflowed ? NULL : erx_payload_make(text->bytes, text->length);
}

/* ------------------------------------------------------------- accounts */

static bool same_view(const erx_account_view_t *a, const erx_account_view_t *b)
{
    return a->encoding == b->encoding && a->has_slice == b->has_slice &&
           (!a->has_slice ||
            (a->slice_offset == b->slice_offset && a->slice_length == b->slice_length));
}

static erx_payload_t *account_payload(erx_subscriptions_t *subscriptions, uint64_t slot,
                                      const erx_pubkey_t *key, const erx_account_t *account,
                                      const erx_account_view_t *view, bool with_key)
{
    erx_json_writer_t writer = begin_notification(subscriptions, slot);
    if (with_key) {
        erx_json_object_begin(&writer);
        erx_json_key(&writer, "pubkey");
        erx_json_key_text(&writer, key);
        erx_json_key(&writer, "account");
    }
    erx_account_view_t used = *view;
    if (!erx_account_json(&writer, account, &used)) {
        used.encoding = ERX_ENCODING_BASE64; /* a notification cannot be refused */
        (void)erx_account_json(&writer, account, &used);
    }
    if (with_key)
        erx_json_object_end(&writer);
    erx_json_object_end(&writer);
    return make_payload(subscriptions);
}

static bool passes(const erx_subscription_request_t *request, const erx_account_t *account)
{
    for (uint32_t i = 0; i < request->filter_count; i++) {
        const erx_account_filter_t *filter = &request->filters[i];
        if (filter->bytes == NULL) {
            if (account->data_size != filter->size)
                return false;
        } else if (filter->offset > account->data_size ||
                   filter->size > account->data_size - filter->offset ||
                   memcmp(account->data + filter->offset, filter->bytes, filter->size) != 0) {
            return false;
        }
    }
    return true;
}

static void tell_bucket(erx_subscriptions_t *subscriptions, erx_subscription_t *subscription,
                        const erx_pubkey_t *watched, const erx_account_news_t *news)
{
    erx_payload_t *payload = NULL; /* shared by neighbours that look alike */
    const erx_account_view_t *view = NULL;
    for (; subscription != NULL; subscription = subscription->next) {
        const erx_subscription_request_t *request = &subscription->request;
        if ((request->is_processed == news->is_durable && !news->is_both) ||
            memcmp(&request->key, watched, sizeof *watched) != 0 || !passes(request, news->account))
            continue;
        if (view == NULL || !same_view(view, &request->view)) {
            erx_payload_release(payload);
            payload = account_payload(subscriptions, news->slot, news->key, news->account,
                                      &request->view, request->kind == ERX_SUBSCRIBE_PROGRAM);
            view = &request->view;
        }
        if (payload != NULL)
            erx_server_notify(subscription->connection, &subscription->feed,
                              erx_key_hash(news->key), news->since_ns, payload);
    }
    erx_payload_release(payload);
}

static bool read_whole(erx_subscriptions_t *subscriptions, const erx_pubkey_t *key,
                       erx_account_t *account_out)
{
    erx_account_info_t info = {.struct_size = sizeof info};
    size_t size = 0;
    if (erx_rollup_read_account(subscriptions->rollup, key, &info, 0, NULL, 0, &size) !=
        ERX_STATUS_OK)
        return false;
    if (info.space > subscriptions->account_capacity || subscriptions->account_data == NULL) {
        uint8_t *data = realloc(subscriptions->account_data, (size_t)info.space + 1);
        if (data == NULL)
            return false;
        subscriptions->account_data = data;
        subscriptions->account_capacity = info.space;
    }
    if (erx_rollup_read_account(subscriptions->rollup, key, &info, 0, subscriptions->account_data,
                                subscriptions->account_capacity, &size) != ERX_STATUS_OK)
        return false;
    *account_out = (erx_account_t){info.owner, info.lamports, subscriptions->account_data,
                                   (uint32_t)size, info.executable};
    return true;
}

static erx_subscription_t *account_bucket(const erx_subscriptions_t *subscriptions,
                                          erx_subscription_kind_t kind, const erx_pubkey_t *key)
{
    return subscriptions->buckets[kind][erx_subscription_key_bucket(key)];
}

void erx_subscriptions_tell_account(erx_subscriptions_t *subscriptions,
                                    const erx_account_news_t *news)
{
    tell_bucket(subscriptions, account_bucket(subscriptions, ERX_SUBSCRIBE_ACCOUNT, news->key),
                news->key, news);
}

static void tell_change(erx_subscriptions_t *subscriptions, const erx_block_event_t *event,
                        const erx_account_change_t *change, bool is_durable)
{
    erx_account_t account = {change->owner, change->lamports, change->data, change->data_size,
                             change->executable};
    erx_account_news_t news = {.slot = event->slot,
                               .since_ns = event->finished_ns,
                               .is_durable = is_durable,
                               .key = &change->key,
                               .account = &account};
    bool is_part = change->data_size < change->space;
    erx_subscription_t *bucket = account_bucket(subscriptions, ERX_SUBSCRIBE_ACCOUNT, &change->key);
    /* Of a HiddenState the block tells only the header; who asked for all of it
     * gets the newest. */
    if (bucket != NULL && is_part && !read_whole(subscriptions, &change->key, &account))
        return;
    if (is_durable || !erx_subscriptions_hold_back(subscriptions, event, change))
        tell_bucket(subscriptions, bucket, &change->key, &news);
    if (!is_part)
        tell_bucket(subscriptions,
                    account_bucket(subscriptions, ERX_SUBSCRIBE_PROGRAM, &change->owner),
                    &change->owner, &news);
}

void erx_subscriptions_resync(erx_subscriptions_t *subscriptions, uint64_t slot)
{
    erx_subscriptions_unfollow(subscriptions);
    for (uint32_t i = 0; i < ERX_SUBSCRIPTION_BUCKETS; i++) {
        erx_subscription_t *subscription = subscriptions->buckets[ERX_SUBSCRIBE_ACCOUNT][i];
        for (; subscription != NULL; subscription = subscription->next) {
            erx_account_t account;
            if (!read_whole(subscriptions, &subscription->request.key, &account))
                continue;
            erx_account_news_t news = {.slot = slot,
                                       .is_both = true,
                                       .key = &subscription->request.key,
                                       .account = &account};
            tell_bucket(subscriptions, subscription, news.key, &news);
        }
    }
}

/* --------------------------------------------------------- transactions */

static void tell_logs_bucket(erx_subscriptions_t *subscriptions, erx_subscription_t *subscription,
                             const erx_pubkey_t *mentioned, bool is_durable, uint64_t since_ns,
                             const erx_transaction_record_t *record, erx_payload_t **payload)
{
    for (; subscription != NULL; subscription = subscription->next) {
        const erx_subscription_request_t *request = &subscription->request;
        bool is_meant = mentioned == NULL ? request->is_all
                                          : !request->is_all && memcmp(&request->key, mentioned,
                                                                       sizeof *mentioned) == 0;
        if (!is_meant || request->is_processed == is_durable)
            continue;
        if (*payload == NULL) {
            erx_json_writer_t writer = begin_notification(subscriptions, record->slot);
            erx_json_object_begin(&writer);
            erx_json_key(&writer, "signature");
            erx_json_base58(&writer, record->outcome.signature, ERX_SIGNATURE_SIZE);
            erx_json_key(&writer, "err");
            erx_fate_json(&writer, erx_outcome_fate(&record->outcome));
            erx_json_key(&writer, "logs");
            erx_logs_json(&writer, &record->outcome);
            erx_json_object_end(&writer);
            erx_json_object_end(&writer);
            *payload = make_payload(subscriptions);
        }
        if (*payload != NULL) /* no two transactions are about the same thing */
            erx_server_notify(subscription->connection, &subscription->feed,
                              record->slot << 20 | record->index, since_ns, *payload);
    }
}

static void tell_logs(erx_subscriptions_t *subscriptions, const erx_transaction_record_t *record,
                      bool is_durable, uint64_t since_ns)
{
    erx_payload_t *payload = NULL;
    tell_logs_bucket(subscriptions, subscriptions->buckets[ERX_SUBSCRIBE_LOGS][0], NULL, is_durable,
                     since_ns, record, &payload);
    for (uint32_t i = 0; i < record->outcome.balance_count; i++) {
        const erx_pubkey_t *key = &record->outcome.balances[i].key;
        tell_logs_bucket(subscriptions, account_bucket(subscriptions, ERX_SUBSCRIBE_LOGS, key), key,
                         is_durable, since_ns, record, &payload);
    }
    erx_payload_release(payload);
}

/* A signature's notifications go out like replies: there are so few that none may
 * be dropped. fate is NULL while it is only received. */
static void send_signature(erx_subscriptions_t *subscriptions,
                           const erx_subscription_t *subscription, uint64_t slot,
                           const erx_transaction_fate_t *fate)
{
    erx_text_t *text = &subscriptions->text;
    erx_text_clear(text);
    erx_text_print(text,
                   "{\"jsonrpc\":\"2.0\",\"method\":\"signatureNotification\",\"params\":"
                   "{\"result\":{\"context\":{\"slot\":%" PRIu64 "},\"value\":",
                   slot);
    erx_json_writer_t writer = erx_json_writer(text);
    if (fate == NULL) {
        erx_json_text(&writer, "receivedSignature");
    } else {
        erx_json_object_begin(&writer);
        erx_json_key(&writer, "err");
        erx_fate_json(&writer, *fate);
        erx_json_object_end(&writer);
    }
    erx_text_print(text, "},\"subscription\":%" PRIu64 "}}", subscription->id);
    erx_telemetry_add(subscriptions->telemetry, ERX_METRIC_NOTIFICATIONS, 1);
    erx_server_send(subscription->connection, text);
}

/* The last notification of a signature; its subscription ends with it. */
static void tell_signature(erx_subscriptions_t *subscriptions, erx_subscription_t *subscription,
                           uint64_t slot, erx_transaction_fate_t fate)
{
    send_signature(subscriptions, subscription, slot, &fate);
    erx_subscription_end(subscriptions, subscription);
}

void erx_subscriptions_received(erx_subscriptions_t *subscriptions,
                                const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    const erx_subscription_t *subscription =
        subscriptions
            ->buckets[ERX_SUBSCRIBE_SIGNATURE][erx_subscription_signature_bucket(signature)];
    for (; subscription != NULL; subscription = subscription->next)
        if (subscription->request.is_eager &&
            memcmp(subscription->request.signature, signature, ERX_SIGNATURE_SIZE) == 0)
            send_signature(subscriptions, subscription,
                           erx_rollup_processed_slot(subscriptions->rollup), NULL);
}

static void tell_signatures(erx_subscriptions_t *subscriptions,
                            const erx_transaction_record_t *record, bool is_durable)
{
    const uint8_t *signature = record->outcome.signature;
    erx_subscription_t *subscription =
        subscriptions
            ->buckets[ERX_SUBSCRIBE_SIGNATURE][erx_subscription_signature_bucket(signature)];
    while (subscription != NULL) {
        erx_subscription_t *next = subscription->next;
        if (subscription->request.is_processed != is_durable &&
            memcmp(subscription->request.signature, signature, ERX_SIGNATURE_SIZE) == 0)
            tell_signature(subscriptions, subscription, record->slot,
                           erx_outcome_fate(&record->outcome));
        subscription = next;
    }
}

/* Tells one that had landed before it was subscribed to, unless it still waits
 * to be durable. */
static void tell_if_landed(erx_subscriptions_t *subscriptions, erx_subscription_t *subscription)
{
    const uint8_t *signature = subscription->request.signature;
    const erx_transaction_record_t *record = erx_history_find(subscriptions->history, signature);
    erx_signature_status_t status = {.struct_size = sizeof status};
    erx_transaction_fate_t fate;
    if (record != NULL) {
        status.slot = record->slot;
        fate = erx_outcome_fate(&record->outcome);
    } else if (erx_rollup_signature_status(subscriptions->rollup, signature, &status) ==
               ERX_STATUS_OK) {
        fate = (erx_transaction_fate_t){status.code, status.instruction_index,
                                        status.instruction_code, status.instruction_custom};
    } else {
        return;
    }
    if (subscription->request.is_processed ||
        status.slot <= erx_rollup_confirmed_slot(subscriptions->rollup))
        tell_signature(subscriptions, subscription, status.slot, fate);
}

void erx_subscriptions_settle(erx_subscriptions_t *subscriptions, erx_connection_t *connection)
{
    if (subscriptions->unsettled == 0)
        return;
    subscriptions->unsettled = 0;
    erx_subscriber_t *subscriber = erx_server_user(connection);
    erx_subscription_t *subscription = subscriber != NULL ? subscriber->first : NULL;
    while (subscription != NULL) {
        erx_subscription_t *next = subscription->next_of_connection;
        if (subscription->request.kind == ERX_SUBSCRIBE_SIGNATURE)
            tell_if_landed(subscriptions, subscription);
        subscription = next;
    }
}

/* ---------------------------------------------------------------- blocks */

static void tell_slot(erx_subscriptions_t *subscriptions, const erx_block_event_t *event)
{
    erx_subscription_t *subscription = subscriptions->buckets[ERX_SUBSCRIBE_SLOT][0];
    if (subscription == NULL)
        return;
    erx_text_clear(&subscriptions->text);
    erx_text_print(&subscriptions->text,
                   "{\"slot\":%" PRIu64 ",\"parent\":%" PRIu64 ",\"root\":%" PRIu64 "}",
                   event->slot, event->parent, erx_rollup_confirmed_slot(subscriptions->rollup));
    erx_payload_t *payload = make_payload(subscriptions);
    if (payload == NULL)
        return;
    for (; subscription != NULL; subscription = subscription->next)
        erx_server_notify(subscription->connection, &subscription->feed, 0, event->finished_ns,
                          payload);
    erx_payload_release(payload);
}

static void tell_transaction(erx_subscriptions_t *subscriptions,
                             const erx_transaction_record_t *record, bool is_durable,
                             uint64_t since_ns)
{
    if (!record->landed)
        return;
    tell_signatures(subscriptions, record, is_durable);
    if (subscriptions->counts[ERX_SUBSCRIBE_LOGS] > 0)
        tell_logs(subscriptions, record, is_durable, since_ns);
}

void erx_subscriptions_tell(erx_subscriptions_t *subscriptions, const erx_block_event_t *event,
                            bool is_durable)
{
    if (!is_durable)
        tell_slot(subscriptions, event);
    for (uint32_t i = 0; i < event->change_count; i++)
        tell_change(subscriptions, event, &event->changes[i], is_durable);
    if (!is_durable)
        erx_subscriptions_tell_between(subscriptions, event);
    for (uint32_t i = 0; i < event->record_count; i++)
        tell_transaction(subscriptions, event->records[i], is_durable, event->finished_ns);
}
