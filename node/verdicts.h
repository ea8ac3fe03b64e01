/* What became of transactions' signatures, on its way from the threads that verify
 * them to the network thread: a list that grows without a lock at one end and is
 * taken whole. */
#ifndef ERX_NODE_VERDICTS_H
#define ERX_NODE_VERDICTS_H

#include "abi/erx.h"

#include <stdatomic.h>

/* Verdicts that are told together at most: some hundred microseconds of verifying. */
#define ERX_VERDICTS_TOGETHER 16u

typedef struct erx_verdict {
    struct erx_verdict *next;
    uint8_t signature[ERX_SIGNATURE_SIZE]; /* the transaction's first */
    bool is_good;                          /* all of its signatures are */
} erx_verdict_t;

/* Its owner embeds it, zeroed. */
typedef struct {
    _Atomic(erx_verdict_t *) newest;
    _Atomic uint32_t wanted; /* answers that wait for a verdict */
    _Atomic uint32_t quiet;  /* added since the taker was woken */
} erx_verdicts_t;

/* An answer begins, before its transaction is handed over, or ends to wait for a
 * verdict. Any thread. */
void erx_verdicts_want(erx_verdicts_t *verdicts);
void erx_verdicts_want_no_more(erx_verdicts_t *verdicts);

/* Adds one where some are wanted, and whether the taker should be woken: not for every
 * one where more follow. One that there is no memory for is left out: its block says
 * it as well, later. Any thread. */
bool erx_verdicts_add(erx_verdicts_t *verdicts, const uint8_t signature[ERX_SIGNATURE_SIZE],
                      bool is_good, bool more);

/* Takes all, in the order in which they came; the caller frees each with free().
 * One thread. */
erx_verdict_t *erx_verdicts_take(erx_verdicts_t *verdicts);

#endif
