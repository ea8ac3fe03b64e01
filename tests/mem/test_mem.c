#include "mem/base.h"
#include "tests/mem/mem_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        alloc_suite, region_suite, status_suite, weights_suite, weights_faults_suite,
    };
    return erx_check_run(suites, ERX_COUNT(suites));
}
