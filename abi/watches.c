/* Watches of accounts. */
#include "abi/rollup.h"
#include "mem/alloc.h"

/* What stands behind a watch's handle. Of the rollup the handle and not the
 * state: a watch may be closed late. */
typedef struct {
    const erx_rollup_t *rollup;
    erx_account_watch_t *watch;
} watch_state_t;

int32_t erx_rollup_watch(erx_rollup_t *rollup, const erx_pubkey_t *key, const erx_pubkey_t *owner,
                         uint32_t queue_accounts, erx_watch_t **watch_out)
{
    int32_t result;
    erx_error_t error;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (watch_out == NULL)
        return erx_result_missing("watch_out");
    if ((key == NULL) == (owner == NULL))
        return erx_result_refuse(ERX_STATUS_ARGUMENT, "key, owner: name one of them");
    watch_state_t *own = erx_alloc(1, sizeof *own);
    if (own == NULL)
        return erx_result_refuse(ERX_STATUS_MEMORY, "no memory for a watch");
    own->rollup = rollup;
    erx_status_t status = erx_runtime_watch(state->runtime, erx_key_of(key), erx_key_of(owner),
                                            queue_accounts, &own->watch, &error);
    if (status != ERX_OK) {
        erx_free(own);
        return erx_result_keep(&error);
    }
    *watch_out = erx_handle_make(ERX_HANDLE_WATCH, own);
    if (*watch_out != NULL)
        return ERX_STATUS_OK;
    erx_runtime_unwatch(state->runtime, own->watch);
    erx_free(own);
    return erx_result_refuse(ERX_STATUS_FULL, "%u handles are live", ERX_HANDLES_MAX);
}

bool erx_watch_next(erx_watch_t *watch, erx_watch_event_t *event_out)
{
    erx_account_news_t news;
    const watch_state_t *own = erx_handle_object(ERX_HANDLE_WATCH, watch);
    if (own == NULL || event_out == NULL ||
        erx_result_fits(event_out, sizeof *event_out) != ERX_STATUS_OK)
        return false;
    const erx_rollup_state_t *state = erx_rollup_of(own->rollup);
    if (state == NULL)
        return false;
    erx_runtime_read_begin(state->runtime, false);
    bool found = erx_account_watch_next(own->watch, &news);
    erx_runtime_read_end(state->runtime);
    if (!found)
        return false;
    const erx_watch_event_t event = {
        .key = erx_pubkey_from(&news.key),
        .slot = news.slot,
        .version = news.version,
        .removed = news.removed,
        .dropped = news.dropped,
    };
    return erx_result_give(event_out, &event, sizeof event, sizeof event) == ERX_STATUS_OK;
}

void erx_watch_close(erx_watch_t *watch)
{
    watch_state_t *own = erx_handle_end(ERX_HANDLE_WATCH, watch);
    if (own == NULL)
        return;
    const erx_rollup_state_t *state = erx_rollup_of(own->rollup);
    if (state != NULL)
        erx_runtime_unwatch(state->runtime, own->watch);
    else
        erx_account_watch_close(own->watch);
    erx_free(own);
}
