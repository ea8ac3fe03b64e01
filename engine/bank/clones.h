/* Transactions that wait for accounts of the base layer.
 *
 * A transaction that names an account which the table lacks is parked, and the
 * embedder asked for each such account once; others go on. It is executed when
 * every account was put or is known not to exist. What is known not to exist is
 * asked for again after some blocks.
 *
 * Thread rule: the control thread. Nothing allocates after open. */
#ifndef ERX_ENGINE_BANK_CLONES_H
#define ERX_ENGINE_BANK_CLONES_H

#include "engine/bank/accounts.h"
#include "engine/transaction/intake.h"

#define ERX_CLONES_PARKED_MAX     64u   /* transactions; one more does not wait */
#define ERX_CLONES_KEYS_MAX       1024u /* asked for, or known to be missing */
#define ERX_CLONES_MISSING_BLOCKS 600u  /* ten seconds of a busy rollup */

typedef struct erx_clones erx_clones_t;

typedef struct {
    const erx_accounts_t *accounts;
    erx_key_t program; /* the world program, which is no account to ask for */
    void (*ask)(void *context, const erx_key_t *key);
    void *context;
} erx_clones_config_t;

/* Errors: ERX_ERR_MEMORY. */
erx_status_t erx_clones_open(const erx_clones_config_t *config, erx_clones_t **clones_out,
                             erx_error_t *error);

/* NULL is allowed. */
void erx_clones_close(erx_clones_t *clones);

/* Parks a transaction that has to wait, copying it: true. False: it need not, or
 * there is no room for it. clones NULL: false. */
bool erx_clones_park(erx_clones_t *clones, const erx_intake_item_t *item);

/* A parked transaction whose accounts are all known now, oldest first; NULL. It
 * stays valid until the next erx_clones_begin_block. clones NULL: NULL. */
const erx_intake_item_t *erx_clones_take(erx_clones_t *clones);

/* The embedder has put an account, or it does not exist. */
void erx_clones_done(erx_clones_t *clones, const erx_key_t *key);

/* Frees what was taken, and counts the block. NULL is allowed. */
void erx_clones_begin_block(erx_clones_t *clones);

#endif
