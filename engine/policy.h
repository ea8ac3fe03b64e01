/* Policies at play: seats of sessions that a network takes instead of a person.
 *
 * A seat sees the session's world state before every frame, keeps the last K
 * of them, and says which controller its player presses. That controller goes
 * through erx_session_input like anybody's, so it is journaled like any input
 * and recovery needs no policy.
 *
 * What a seat says depends on the policy, the states that it saw, its seed and
 * the frame numbers alone: not on the instruction set, on who else plays, or on
 * the number of workers. After a restart a seat has seen nothing yet and takes
 * its first state for all K; from K frames on it is as if it had always been
 * there, but for what it did differently meanwhile.
 *
 * Thread rule: one control thread, between blocks. Playing allocates nothing. */
#ifndef ERX_ENGINE_POLICY_H
#define ERX_ENGINE_POLICY_H

#include "kernels/policy_net.h"
#include "mem/status.h"
#include "sched/gang.h"

#define ERX_POLICY_SEATS_MAX (1u << 17)

typedef struct erx_policy erx_policy_t;

typedef struct {
    const erx_kernel_t *kernel;
    erx_gang_t *gang; /* whose workers share the work; outlives the policy. NULL: the caller */
    uint32_t seat_capacity;
} erx_policy_config_t;

typedef struct {
    uint32_t player; /* 0 or 1 */
    uint64_t seed;   /* of its chance */
    bool steady;     /* no chance: does what is likelier than not */
} erx_policy_seat_terms_t;

/* One seat's turn. */
typedef struct {
    uint32_t seat;
    uint32_t frame; /* the session's frame that the state is of */
    const erx_world_t *world;
    uint8_t control[ERX_CONTROLLER_BYTES]; /* the answer */
} erx_policy_turn_t;

/* Loads a policy directory and takes memory for its seats. Errors: those of
 * erx_policy_file_open, ERX_ERR_RANGE (seat_capacity is 0 or above
 * ERX_POLICY_SEATS_MAX), ERX_ERR_MEMORY. */
erx_status_t erx_policy_open(erx_policy_t **policy_out, const char *directory,
                             const erx_policy_config_t *config, erx_error_t *error);

/* NULL is allowed. */
void erx_policy_close(erx_policy_t *policy);

/* The name that its manifest gives it. */
const char *erx_policy_name(const erx_policy_t *policy);

/* Takes the lowest free seat. Errors: ERX_ERR_RANGE (player), ERX_ERR_FULL. */
erx_status_t erx_policy_seat_create(erx_policy_t *policy, const erx_policy_seat_terms_t *terms,
                                    uint32_t *seat_out, erx_error_t *error);

/* Gives a seat back. */
void erx_policy_seat_end(erx_policy_t *policy, uint32_t seat);

/* Shows every seat its state and fills in what it presses. A seat has at most
 * one turn a call; turns of many sessions belong in one call, which reads the
 * weights once for up to ERX_POLICY_LANES of them. */
void erx_policy_play(erx_policy_t *policy, erx_policy_turn_t *turns, uint32_t count);

#endif
