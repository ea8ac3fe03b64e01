/* Every maximum of the engine, and how they relate. */
#ifndef ERX_ENGINE_LIMITS_H
#define ERX_ENGINE_LIMITS_H

#include "engine/step.h"
#include "sched/topo.h"

#define ERX_MODELS_MAX   14u        /* models of one engine */
#define ERX_SESSIONS_MAX 65536u     /* sessions of one model */
#define ERX_FRAMES_MAX   (1u << 31) /* a session's frame counter stays below */

#endif
