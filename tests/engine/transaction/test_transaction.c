#include "mem/base.h"
#include "tests/engine/transaction/transaction_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        base58_suite,          key_suite,
        address_suite,         transaction_error_suite,
        message_suite,         message_faults_suite,
        message_resolve_suite, verify_suite,
        recent_suite,          blockhash_suite,
        status_cache_suite,    intake_suite,
    };
    return erx_check_run(suites, ERX_COUNT(suites));
}
