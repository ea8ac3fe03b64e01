/* Every maximum of the engine, and how they relate. */
#ifndef ERX_ENGINE_LIMITS_H
#define ERX_ENGINE_LIMITS_H

#include "engine/step.h"
#include "sched/topo.h"

#define ERX_MODELS_MAX   14u                   /* models of one engine, and places for later ones */
#define ERX_POOLS_MAX    (ERX_MODELS_MAX + 1u) /* and the pages of the accounts */
#define ERX_SESSIONS_MAX 65536u                /* sessions of one model */
#define ERX_FRAMES_MAX   (1u << 31)            /* a session's frame counter stays below */

/* Of one session: what a journal's record can hold beside all else, and twice
 * what the largest shape needs. */
#define ERX_ARENA_BYTES_MAX ((uint32_t)1 << 26)

#endif
