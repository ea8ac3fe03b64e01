/* Sessions with frames in only some ticks: what is told of them in between. */
#include "node/subscriptions_parts.h"

#include <stdlib.h>
#include <string.h>

/* Sessions that are followed at once; those beyond are told frame by frame. Far
 * more than a node executes, and under 3 MB. */
#define FOLLOWED_MAX 4096u

/* An account that somebody watches at commitment processed. */
struct erx_followed {
    erx_followed_t *next;
    erx_pubkey_t key, owner;
    uint64_t lamports;
    bool is_session; /* with a frame in only some ticks; else only known not to be one */
    erx_interpolation_t interpolation;
};

static erx_followed_t **place_of(erx_subscriptions_t *subscriptions, const erx_pubkey_t *key)
{
    erx_followed_t **place = &subscriptions->followed[erx_subscription_key_bucket(key)];
    while (*place != NULL && memcmp(&(*place)->key, key, sizeof *key) != 0)
        place = &(*place)->next;
    return place;
}

static void forget(erx_subscriptions_t *subscriptions, erx_followed_t **place)
{
    erx_followed_t *followed = *place;
    *place = followed->next;
    free(followed);
    subscriptions->followed_count--;
}

/* Begins to follow an account, unless it is one too many: it is told as it is now. */
static void follow(erx_subscriptions_t *subscriptions, const erx_account_change_t *change)
{
    if (subscriptions->followed_count == FOLLOWED_MAX)
        return;
    erx_followed_t *followed = calloc(1, sizeof *followed);
    if (followed == NULL)
        return;
    erx_session_info_t info = {.struct_size = sizeof info};
    followed->is_session =
        erx_rollup_find_session(subscriptions->rollup, &change->key, &info) == ERX_STATUS_OK &&
        memcmp(&info.session_state, &change->key, sizeof change->key) == 0 && info.tick_divisor > 1;
    followed->key = change->key;
    erx_interpolation_start(&followed->interpolation, info.tick_divisor, change->data);
    followed->next = subscriptions->followed[erx_subscription_key_bucket(&change->key)];
    subscriptions->followed[erx_subscription_key_bucket(&change->key)] = followed;
    subscriptions->followed_count++;
}

/* Whether anybody is told of an account when it is executed. */
static bool is_watched(const erx_subscriptions_t *subscriptions, const erx_pubkey_t *key)
{
    const erx_subscription_t *subscription =
        subscriptions->buckets[ERX_SUBSCRIBE_ACCOUNT][erx_subscription_key_bucket(key)];
    while (subscription != NULL && (!subscription->request.is_processed ||
                                    memcmp(&subscription->request.key, key, sizeof *key) != 0))
        subscription = subscription->next;
    return subscription != NULL;
}

bool erx_subscriptions_hold_back(erx_subscriptions_t *subscriptions, const erx_block_event_t *event,
                                 const erx_account_change_t *change)
{
    if (!subscriptions->interpolates)
        return false;
    erx_followed_t **place = place_of(subscriptions, &change->key);
    bool may_be_session = !change->removed && change->data_size == ERX_SESSION_STATE_SIZE;
    erx_followed_t *followed = *place;
    if (followed == NULL) {
        if (may_be_session && is_watched(subscriptions, &change->key))
            follow(subscriptions, change);
        return false;
    }
    if (!may_be_session) {
        forget(subscriptions, place);
        return false;
    }
    if (!followed->is_session)
        return false;
    followed->owner = change->owner;
    followed->lamports = change->lamports;
    return !erx_interpolation_take(&followed->interpolation, change->data, event->is_tick,
                                   event->tick);
}

static void tell_followed(erx_subscriptions_t *subscriptions, const erx_block_event_t *event,
                          erx_followed_t *followed)
{
    uint8_t state[ERX_SESSION_STATE_SIZE];
    if (!followed->is_session ||
        !erx_interpolation_at(&followed->interpolation, event->tick, state))
        return;
    erx_account_t account = {followed->owner, followed->lamports, state, sizeof state, false};
    erx_account_news_t news = {.slot = event->slot,
                               .since_ns = event->finished_ns,
                               .key = &followed->key,
                               .account = &account};
    erx_subscriptions_tell_account(subscriptions, &news);
}

void erx_subscriptions_tell_between(erx_subscriptions_t *subscriptions,
                                    const erx_block_event_t *event)
{
    if (!event->is_tick || subscriptions->followed_count == 0)
        return;
    for (uint32_t i = 0; i < ERX_SUBSCRIPTION_BUCKETS; i++) {
        erx_followed_t **place = &subscriptions->followed[i];
        while (*place != NULL) {
            erx_followed_t *followed = *place;
            if (!is_watched(subscriptions, &followed->key)) {
                forget(subscriptions, place);
                continue;
            }
            tell_followed(subscriptions, event, followed);
            place = &followed->next;
        }
    }
}

void erx_subscriptions_unfollow(erx_subscriptions_t *subscriptions)
{
    for (uint32_t i = 0; i < ERX_SUBSCRIPTION_BUCKETS; i++)
        while (subscriptions->followed[i] != NULL)
            forget(subscriptions, &subscriptions->followed[i]);
}
