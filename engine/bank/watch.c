#include "engine/bank/watch.h"

#include "mem/alloc.h"

struct erx_account_watch {
    bool by_key;
    erx_key_t subject; /* key, or owner */
    uint64_t dropped;
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
    erx_account_news_t queue[];
};

erx_status_t erx_account_watch_open(const erx_key_t *key, const erx_key_t *owner,
                                    uint32_t queue_accounts, erx_account_watch_t **watch_out,
                                    erx_error_t *error)
{
    if (queue_accounts == 0 || queue_accounts > ERX_WATCH_QUEUE_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "queue_accounts: %u is not in 1 to %u",
                             queue_accounts, ERX_WATCH_QUEUE_MAX);
    erx_account_watch_t *watch =
        erx_alloc(1, sizeof *watch + queue_accounts * sizeof watch->queue[0]);
    if (watch == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a queue of %u accounts",
                             queue_accounts);
    watch->by_key = key != NULL;
    watch->subject = *(key != NULL ? key : owner);
    watch->capacity = queue_accounts;
    *watch_out = watch;
    return ERX_OK;
}

void erx_account_watch_close(erx_account_watch_t *watch)
{
    erx_free(watch);
}

static bool concerns(const erx_account_watch_t *watch, const erx_key_t *key, const erx_key_t *owner)
{
    if (watch->by_key)
        return erx_key_equals(&watch->subject, key);
    return owner == NULL || erx_key_equals(&watch->subject, owner);
}

uint32_t erx_account_watch_tell(erx_account_watch_t *watch, const erx_account_news_t *news,
                                const erx_key_t *owner)
{
    if (!concerns(watch, &news->key, owner))
        return 0;
    for (uint32_t i = 0; i < watch->count; i++) {
        erx_account_news_t *queued = &watch->queue[(watch->first + i) % watch->capacity];
        if (!erx_key_equals(&queued->key, &news->key))
            continue;
        *queued = *news;
        watch->dropped++;
        return 1;
    }
    if (watch->count == watch->capacity) {
        watch->dropped++;
        return 1;
    }
    watch->queue[(watch->first + watch->count) % watch->capacity] = *news;
    watch->count++;
    return 0;
}

bool erx_account_watch_next(erx_account_watch_t *watch, erx_account_news_t *news_out)
{
    if (watch->count == 0)
        return false;
    *news_out = watch->queue[watch->first];
    news_out->dropped = watch->dropped;
    watch->first = (watch->first + 1) % watch->capacity;
    watch->count--;
    return true;
}
