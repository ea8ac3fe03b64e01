#include "node/verdicts.h"

#include <stdlib.h>
#include <string.h>

void erx_verdicts_want(erx_verdicts_t *verdicts)
{
    atomic_fetch_add_explicit(&verdicts->wanted, 1, memory_order_relaxed);
}

void erx_verdicts_want_no_more(erx_verdicts_t *verdicts)
{
    atomic_fetch_sub_explicit(&verdicts->wanted, 1, memory_order_relaxed);
}

bool erx_verdicts_add(erx_verdicts_t *verdicts, const uint8_t signature[ERX_SIGNATURE_SIZE],
                      bool is_good, bool more)
{
    /* Who wants this one said so before the transaction was handed over. */
    if (atomic_load_explicit(&verdicts->wanted, memory_order_relaxed) == 0)
        return false;
    uint32_t quiet = atomic_fetch_add_explicit(&verdicts->quiet, 1, memory_order_relaxed) + 1;
    bool wakes = !more || quiet >= ERX_VERDICTS_TOGETHER;
    if (wakes)
        atomic_store_explicit(&verdicts->quiet, 0, memory_order_relaxed);
    erx_verdict_t *verdict = malloc(sizeof *verdict);
    if (verdict == NULL)
        return wakes;
    memcpy(verdict->signature, signature, ERX_SIGNATURE_SIZE);
    verdict->is_good = is_good;
    verdict->next = atomic_load_explicit(&verdicts->newest, memory_order_relaxed);
    /* The list is only ever taken whole, so that a first element which is the same
     * again leads to the same rest. */
    while (!atomic_compare_exchange_weak_explicit(&verdicts->newest, &verdict->next, verdict,
                                                  memory_order_release, memory_order_relaxed))
        continue;
    return wakes;
}

erx_verdict_t *erx_verdicts_take(erx_verdicts_t *verdicts)
{
    erx_verdict_t *newest = atomic_exchange_explicit(&verdicts->newest, NULL, memory_order_acquire);
    erx_verdict_t *oldest = NULL;
    while (newest != NULL) {
        erx_verdict_t *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}
