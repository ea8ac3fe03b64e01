/* Bots: seats of sessions that policies take. Before a session's frame its bots
 * see its world and leave their controllers like anybody; what they press is
 * journaled, they themselves are not: whoever opens a rollup again seats them
 * again.
 *
 * Thread rule: the control thread, between blocks. Playing allocates nothing. */
#ifndef ERX_ENGINE_BANK_BOTS_H
#define ERX_ENGINE_BANK_BOTS_H

#include "engine/bank/bank.h"
#include "engine/policy.h"

#define ERX_BOT_POLICIES_MAX 8u

typedef struct erx_bots erx_bots_t;

/* Room for capacity bots of every policy. Errors: ERX_ERR_MEMORY. */
erx_status_t erx_bots_open(erx_engine_t *engine, uint32_t capacity, erx_bots_t **bots_out,
                           erx_error_t *error);

/* NULL is allowed. Before the engine closes. */
void erx_bots_close(erx_bots_t *bots);

/* Seats a policy, which is loaded the first time that its directory is named;
 * the bot that had the seat leaves it. directory NULL: the seat is free again.
 * Errors: those of erx_policy_open, ERX_ERR_FULL. */
erx_status_t erx_bots_seat(erx_bots_t *bots, uint32_t pool, const erx_session_t *session,
                           uint32_t player, const char *directory, erx_error_t *error);

/* Lets the bots of those sessions play whose next frame is in the block at hand:
 * is_due says which. Bots whose session has ended leave. */
void erx_bots_play(erx_bots_t *bots, erx_bank_t *bank,
                   bool (*is_due)(void *context, uint32_t pool, const erx_session_t *session),
                   void *context);

#endif
