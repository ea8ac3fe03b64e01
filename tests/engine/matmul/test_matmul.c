#include "mem/base.h"
#include "tests/engine/matmul/matmul_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        compute_units_suite,
        gate_suite,
        matmul_call_suite,
        matrix_cache_suite,
    };
    return erx_check_run(suites, ERX_COUNT(suites));
}
