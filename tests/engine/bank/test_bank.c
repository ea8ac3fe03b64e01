#include "mem/base.h"
#include "tests/engine/bank/bank_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        bank_process_suite,  program_system_suite, program_world_suite,
        world_session_suite, world_upload_suite,
    };
    return erx_check_run(suites, ERX_COUNT(suites));
}
