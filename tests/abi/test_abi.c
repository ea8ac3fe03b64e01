#include "mem/base.h"
#include "tests/abi/abi_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        base_layer_suite, blocks_suite,         durable_suite,          handle_suite,
        misuse_suite,     model_accounts_suite, rollup_suite,           vm_suite,
        threads_suite,    transactions_suite,   session_transfer_suite, watches_suite,
    };
    return erx_check_run(suites, ERX_COUNT(suites));
}
