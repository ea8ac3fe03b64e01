#include "node/base_follow_parts.h"

#include "node/base_delegation.h"
#include "node/node_clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#define POLL_NS (5 * ERX_SECOND_NS) /* between looks without a connection */

erx_follow_t *erx_follow_open(const char *path, erx_failure_t *failure)
{
    erx_follow_t *follow = calloc(1, sizeof *follow);
    if (follow == NULL) {
        (void)erx_failure_set(failure, "no memory for followed accounts");
        return NULL;
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&follow->lock, NULL);
    (void)pthread_cond_init(&follow->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    follow->path = strdup(path);
    follow->next_request = 1;
    if (follow->path != NULL && erx_follow_load(follow, failure))
        return follow;
    erx_follow_close(follow);
    return NULL;
}

void erx_follow_close(erx_follow_t *follow)
{
    if (follow == NULL)
        return;
    (void)pthread_cond_destroy(&follow->changed);
    (void)pthread_mutex_destroy(&follow->lock);
    free(follow->path);
    free(follow);
}

/* --------------------------------------------------------------- entries */

erx_followed_t *erx_follow_find(erx_follow_t *follow, const erx_pubkey_t *key)
{
    for (uint32_t i = 0; i < follow->used; i++)
        if (follow->entries[i].is_used && memcmp(&follow->entries[i].key, key, sizeof *key) == 0)
            return &follow->entries[i];
    return NULL;
}

erx_followed_t *erx_follow_add(erx_follow_t *follow, const erx_pubkey_t *key)
{
    erx_pubkey_t record;
    uint32_t i = 0;
    while (i < follow->used && follow->entries[i].is_used)
        i++;
    if (i == ERX_FOLLOW_ACCOUNTS_MAX ||
        !erx_delegation_address(ERX_DELEGATION_RECORD, key, &record))
        return NULL;
    if (i == follow->used)
        follow->used++;
    follow->entries[i] = (erx_followed_t){
        .is_used = true,
        .is_dirty = true,
        .key = *key,
        .record = record,
        .order = follow->next_order++,
    };
    return &follow->entries[i];
}

void erx_follow_drop(erx_follow_t *follow, erx_followed_t *entry)
{
    for (uint32_t i = 0; i < 2; i++)
        if (entry->subscriptions[i].state == ERX_SUBSCRIPTION_ON &&
            follow->end_count < ERX_FOLLOW_ENDS_MAX)
            follow->ends[follow->end_count++] = entry->subscriptions[i].id;
    follow->is_unsaved |= entry->is_followed;
    entry->is_used = false;
}

/* The one that came first of those that can go. */
static erx_followed_t *find_oldest(erx_follow_t *follow)
{
    erx_followed_t *oldest = NULL;
    for (uint32_t i = 0; i < follow->used; i++) {
        erx_followed_t *entry = &follow->entries[i];
        if (entry->is_used && !entry->is_asked && !entry->is_busy &&
            (oldest == NULL || entry->order < oldest->order))
            oldest = entry;
    }
    return oldest;
}

bool erx_follow_want(erx_follow_t *follow, const erx_pubkey_t *key, erx_pubkey_t *put_out)
{
    bool is_put_out = false;
    (void)pthread_mutex_lock(&follow->lock);
    erx_followed_t *entry = erx_follow_find(follow, key);
    if (entry == NULL)
        entry = erx_follow_add(follow, key);
    if (entry == NULL) {
        erx_followed_t *oldest = find_oldest(follow);
        is_put_out = true;
        *put_out = oldest != NULL ? oldest->key : *key;
        if (oldest != NULL)
            erx_follow_drop(follow, oldest);
        entry = oldest != NULL ? erx_follow_add(follow, key) : NULL;
    }
    if (entry != NULL)
        entry->is_asked = true;
    (void)pthread_cond_signal(&follow->changed);
    (void)pthread_mutex_unlock(&follow->lock);
    return is_put_out;
}

/* -------------------------------------------------------------- fetching */

/* In turn, so that one that cannot be fetched does not keep others waiting. */
static uint32_t take_due(erx_follow_t *follow, erx_follow_ticket_t *tickets, uint32_t capacity)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < follow->used && count < capacity; i++) {
        erx_followed_t *entry = &follow->entries[follow->next_take++ % follow->used];
        if (!entry->is_used || entry->is_busy || !(entry->is_asked || entry->is_dirty))
            continue;
        tickets[count++] = (erx_follow_ticket_t){entry->key, entry->record, entry->is_asked};
        entry->is_asked = entry->is_dirty = false;
        entry->is_busy = true;
    }
    return count;
}

static void poll_without_connection(erx_follow_t *follow, uint64_t now)
{
    if (follow->is_connected || now - follow->polled_ns < POLL_NS)
        return;
    follow->polled_ns = now;
    for (uint32_t i = 0; i < follow->used; i++)
        follow->entries[i].is_dirty |= follow->entries[i].is_used;
}

/* With the lock; false where the time is over. */
static bool wait_until(erx_follow_t *follow, uint64_t due_ns)
{
    const struct timespec due = {
        .tv_sec = (time_t)(due_ns / ERX_SECOND_NS),
        .tv_nsec = (long)(due_ns % ERX_SECOND_NS),
    };
    return pthread_cond_timedwait(&follow->changed, &follow->lock, &due) != ETIMEDOUT;
}

void erx_follow_pause(erx_follow_t *follow, uint64_t due_ns)
{
    (void)pthread_mutex_lock(&follow->lock);
    while (!follow->is_stopping && wait_until(follow, due_ns)) {
    }
    (void)pthread_mutex_unlock(&follow->lock);
}

uint32_t erx_follow_take(erx_follow_t *follow, uint64_t due_ns, erx_follow_ticket_t *tickets,
                         uint32_t capacity)
{
    uint32_t count = 0;
    bool is_time = true;
    (void)pthread_mutex_lock(&follow->lock);
    while (!follow->is_stopping && is_time) {
        poll_without_connection(follow, erx_node_now());
        count = take_due(follow, tickets, capacity);
        if (count > 0)
            break;
        is_time = wait_until(follow, due_ns);
    }
    (void)pthread_mutex_unlock(&follow->lock);
    return count;
}

void erx_follow_stop(erx_follow_t *follow)
{
    (void)pthread_mutex_lock(&follow->lock);
    follow->is_stopping = true;
    (void)pthread_cond_broadcast(&follow->changed);
    (void)pthread_mutex_unlock(&follow->lock);
}

void erx_follow_put_back(erx_follow_t *follow, const erx_follow_ticket_t *tickets, uint32_t count)
{
    (void)pthread_mutex_lock(&follow->lock);
    for (uint32_t i = 0; i < count; i++) {
        erx_followed_t *entry = erx_follow_find(follow, &tickets[i].key);
        if (entry == NULL)
            continue;
        entry->is_busy = false;
        entry->is_dirty = true;
        entry->is_asked |= tickets[i].was_asked;
    }
    (void)pthread_mutex_unlock(&follow->lock);
}

static uint64_t digest_of(const erx_base_account_t *account)
{
    uint64_t digest = XXH3_64bits(account->data, account->data_size);
    digest = XXH3_64bits_withSeed(&account->owner, sizeof account->owner, digest);
    digest = XXH3_64bits_withSeed(&account->lamports, sizeof account->lamports, digest);
    return (digest ^ account->executable) | 1; /* never 0 */
}

static bool note(erx_follow_t *follow, erx_followed_t *entry, bool was_asked,
                 const erx_base_account_t *account, const erx_delegation_t *delegation)
{
    entry->is_busy = false;
    if (account->base_slot < entry->min_slot) {
        entry->is_dirty = true;
        entry->is_asked |= was_asked;
        return false;
    }
    uint64_t digest = digest_of(account);
    bool is_news = was_asked || digest != entry->digest;
    entry->digest = digest;
    entry->delegation = delegation != NULL ? *delegation : (erx_delegation_t){0};
    if (!account->exists || account->is_delegated_here) {
        if (!entry->is_asked) /* again, while it was fetched: then it is fetched once more */
            erx_follow_drop(follow, entry);
        return true;
    }
    follow->is_unsaved |= !entry->is_followed;
    entry->is_followed = true;
    return is_news;
}

bool erx_follow_note(erx_follow_t *follow, const erx_follow_ticket_t *ticket,
                     const erx_base_account_t *account, const erx_delegation_t *delegation)
{
    (void)pthread_mutex_lock(&follow->lock);
    erx_followed_t *entry = erx_follow_find(follow, &ticket->key);
    bool is_news = entry != NULL && note(follow, entry, ticket->was_asked, account, delegation);
    (void)pthread_mutex_unlock(&follow->lock);
    return is_news;
}

bool erx_follow_delegation(erx_follow_t *follow, const erx_pubkey_t *key,
                           erx_delegation_t *delegation_out)
{
    (void)pthread_mutex_lock(&follow->lock);
    const erx_followed_t *entry = erx_follow_find(follow, key);
    bool is_known = entry != NULL && entry->is_followed;
    if (is_known)
        *delegation_out = entry->delegation;
    (void)pthread_mutex_unlock(&follow->lock);
    return is_known;
}
