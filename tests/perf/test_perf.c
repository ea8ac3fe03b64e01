#include "mem/base.h"
#include "tests/perf/perf_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {histogram_suite};
    return erx_check_run(suites, ERX_COUNT(suites));
}
