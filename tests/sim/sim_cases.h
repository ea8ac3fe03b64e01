/* The kinds of cases. Each plays one case from a seed on engine a (b is a
 * second one, for looking at forks) and leaves the reason in sim->why where
 * something is wrong. */
#ifndef ERX_TESTS_SIM_SIM_CASES_H
#define ERX_TESTS_SIM_SIM_CASES_H

#include "tests/sim/sim.h"

typedef void (*sim_case_fn)(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed);

/* Several lives on one disk, each ended by a cut, a kill or in order. */
void sim_case_crash(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed);

/* As crash, with an operation that fails, in some life, once or for ever, also
 * during recovery. */
void sim_case_error(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed);

/* One life in which operation number n fails, n and the way from the seed:
 * consecutive seeds try every operation. */
void sim_case_nth(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed);

/* As crash, with an operation that lies: lost, misdirected, a bit flipped.
 * Recovery may refuse, but never be wrong. */
void sim_case_lie(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed);

/* Everything is durable; then bits flip, sectors tear or go stale on one copy
 * of the journal (nothing may be lost) or in the checkpoints (refused or
 * right). */
void sim_case_damage(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed);

/* One long life; at every submission and outcome the disk is forked as a power
 * cut might leave it, and recovered on the second engine. */
void sim_case_prefix(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed);

#endif
