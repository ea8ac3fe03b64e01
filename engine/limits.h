/* Every maximum of the engine, and how they relate. */
#ifndef ERX_ENGINE_LIMITS_H
#define ERX_ENGINE_LIMITS_H

#include "engine/step.h"
#include "sched/topo.h"

#define ERX_MODELS_MAX   14u        /* models of one engine */
#define ERX_SESSIONS_MAX 65536u     /* sessions of one model */
#define ERX_FRAMES_MAX   (1u << 31) /* a session's frame counter stays below */

/* Sessions that one worker carries through the layers together: enough that
 * weights are read rarely, few enough that their states of one layer, fetched
 * during in_proj, are still in the second-level cache when the scan needs
 * them. */
#define ERX_GROUP_MIN         8u
#define ERX_GROUP_MAX         32u
#define ERX_GROUP_STATE_BYTES ((size_t)640 << 10)

ERX_STATIC_ASSERT(ERX_GROUP_MAX <= ERX_LANES_MAX, "a group is a batch");
ERX_STATIC_ASSERT(ERX_GROUP_MIN <= ERX_GROUP_MAX, "group sizes are a range");

#endif
