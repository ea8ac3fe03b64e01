/* What base_settler.c and base_settle_round.c share. */
#ifndef ERX_NODE_BASE_SETTLER_PARTS_H
#define ERX_NODE_BASE_SETTLER_PARTS_H

#include "node/base_settler.h"
#include "node/base_transaction.h"
#include "node/base_wire.h"

/* Each needs three accounts of a getMultipleAccounts. */
#define ERX_SETTLE_ROUND_MAX (ERX_BASE_KEYS_MAX / 3)

typedef enum {
    ERX_SETTLE_WAITS,
    ERX_SETTLE_SENT,
    ERX_SETTLE_LANDED,    /* the base layer has it */
    ERX_SETTLE_REFUSED,   /* the node or the program said no */
    ERX_SETTLE_ELSEWHERE, /* another validator's: there is nothing to hope for */
} erx_settle_state_t;

typedef struct erx_settle_job {
    struct erx_settle_job *next;
    erx_settlement_t settlement;
    uint64_t asked_ns;
    uint64_t due_ns; /* not before */
    uint32_t refusals;
    bool is_busy;
    erx_settle_state_t state;
    bool has_place;
    erx_settlement_place_t place;
    uint8_t signature[ERX_SIGNATURE_SIZE];
} erx_settle_job_t;

typedef struct {
    erx_base_wire_t *wire;
    const erx_keypair_t *identity;
    void *context; /* of pause */
    /* Waits a little; false where the settler is to stop. */
    bool (*pause)(void *context, uint64_t ns);
} erx_settle_round_t;

/* Looks where the jobs' accounts stand, sends transactions, waits until they
 * landed; sets every job's state. False where the node could not be asked: jobs
 * that did not land are to be tried again. */
bool erx_settle_round_run(const erx_settle_round_t *round, erx_settle_job_t *const *jobs,
                          uint32_t count, erx_failure_t *failure);

#endif
