#include "mem/base.h"
#include "tests/sched/sched_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {clock_suite, cpu_list_suite, topo_suite, gang_suite};
    return erx_check_run(suites, ERX_COUNT(suites));
}
