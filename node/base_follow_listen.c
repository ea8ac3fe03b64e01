/* Which subscriptions stand, are asked for, and are to be ended. */
#include "node/base_follow_parts.h"

static bool next_end(erx_follow_t *follow, erx_follow_request_t *request_out)
{
    if (follow->end_count == 0)
        return false;
    *request_out = (erx_follow_request_t){
        .id = follow->next_request++,
        .subscription = follow->ends[--follow->end_count],
    };
    return true;
}

static bool next_wanted(erx_follow_t *follow, erx_follow_request_t *request_out)
{
    for (uint32_t i = 0; i < follow->used * 2; i++) {
        erx_followed_t *entry = &follow->entries[i / 2];
        erx_subscription_t *subscription = &entry->subscriptions[i % 2];
        if (!entry->is_used || subscription->state != ERX_SUBSCRIPTION_WANTED)
            continue;
        *subscription = (erx_subscription_t){ERX_SUBSCRIPTION_ASKED, follow->next_request++};
        *request_out = (erx_follow_request_t){
            .is_subscribe = true,
            .id = subscription->id,
            .key = i % 2 == 0 ? entry->key : entry->record,
        };
        return true;
    }
    return false;
}

bool erx_follow_next(erx_follow_t *follow, erx_follow_request_t *request_out)
{
    (void)pthread_mutex_lock(&follow->lock);
    bool is_there = next_end(follow, request_out) || next_wanted(follow, request_out);
    (void)pthread_mutex_unlock(&follow->lock);
    return is_there;
}

/* The entry that has a subscription of this state and id. */
static erx_followed_t *find_subscription(erx_follow_t *follow, erx_subscription_state_t state,
                                         uint64_t id, erx_subscription_t **subscription_out)
{
    for (uint32_t i = 0; i < follow->used * 2; i++) {
        erx_followed_t *entry = &follow->entries[i / 2];
        erx_subscription_t *subscription = &entry->subscriptions[i % 2];
        if (entry->is_used && subscription->state == state && subscription->id == id) {
            *subscription_out = subscription;
            return entry;
        }
    }
    return NULL;
}

static void end(erx_follow_t *follow, uint64_t subscription)
{
    if (follow->end_count < ERX_FOLLOW_ENDS_MAX)
        follow->ends[follow->end_count++] = subscription;
}

void erx_follow_confirmed(erx_follow_t *follow, uint64_t id, uint64_t subscription)
{
    erx_subscription_t *asked;
    (void)pthread_mutex_lock(&follow->lock);
    erx_followed_t *entry = find_subscription(follow, ERX_SUBSCRIPTION_ASKED, id, &asked);
    if (entry != NULL) {
        *asked = (erx_subscription_t){ERX_SUBSCRIPTION_ON, subscription};
        entry->is_dirty = true; /* it may have changed since it was fetched */
        (void)pthread_cond_signal(&follow->changed);
    } else {
        end(follow, subscription);
    }
    (void)pthread_mutex_unlock(&follow->lock);
}

void erx_follow_notified(erx_follow_t *follow, uint64_t subscription, uint64_t slot)
{
    erx_subscription_t *on;
    (void)pthread_mutex_lock(&follow->lock);
    erx_followed_t *entry = find_subscription(follow, ERX_SUBSCRIPTION_ON, subscription, &on);
    if (entry != NULL) {
        entry->is_dirty = true;
        if (slot > entry->min_slot)
            entry->min_slot = slot;
        (void)pthread_cond_signal(&follow->changed);
    } else {
        end(follow, subscription);
    }
    (void)pthread_mutex_unlock(&follow->lock);
}

void erx_follow_connected(erx_follow_t *follow, bool is_connected)
{
    (void)pthread_mutex_lock(&follow->lock);
    follow->is_connected = is_connected;
    follow->end_count = 0;
    for (uint32_t i = 0; i < follow->used * 2; i++)
        follow->entries[i / 2].subscriptions[i % 2] = (erx_subscription_t){0};
    (void)pthread_mutex_unlock(&follow->lock);
}
