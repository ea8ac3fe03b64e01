#include "mem/base.h"
#include "tests/kernels/suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        requant_suite, policy_run_suite, decay_suite,  world_suite, image_suite,
        select_suite,  gemm_suite,       matvec_suite, ops_suite,   state_ops_suite,
    };
    return erx_check_run(suites, ERX_COUNT(suites));
}
