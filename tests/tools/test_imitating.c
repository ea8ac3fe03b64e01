#include "mem/base.h"
#include "tests/tools/imitating_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {imitate_suite, policy_make_suite, policy_seats_suite};
    return erx_check_run(suites, ERX_COUNT(suites));
}
