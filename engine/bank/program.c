#include "engine/bank/program.h"

#include "engine/bank/program_world.h"

/* Units as the runtime charges them for its own programs. Those of a memo stand
 * for its byte code, which checks every byte. */
#define BUILTIN_UNITS 150u
#define MEMO_UNITS    1000u

static const erx_program_t system_program = {BUILTIN_UNITS, false, erx_program_system};
static const erx_program_t budget_program = {BUILTIN_UNITS, false, erx_program_compute_budget};
static const erx_program_t memo_program = {MEMO_UNITS, true, erx_program_memo};
static const erx_program_t memo_v1_program = {MEMO_UNITS, true, erx_program_memo_v1};
static const erx_program_t world_program = {ERX_WORLD_UNITS, true, erx_program_world};

const erx_program_t *erx_program_find(const erx_key_t *id, const erx_key_t *world)
{
    const struct {
        const erx_key_t *id;
        const erx_program_t *program;
    } programs[] = {
        {world, &world_program},
        {&erx_key_compute_budget, &budget_program},
        {&erx_key_system, &system_program},
        {&erx_key_memo, &memo_program},
        {&erx_key_memo_v1, &memo_v1_program},
    };
    for (size_t i = 0; i < ERX_COUNT(programs); i++)
        if (erx_key_equals(id, programs[i].id))
            return programs[i].program;
    return NULL;
}
