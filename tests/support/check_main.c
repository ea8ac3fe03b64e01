#include "tests/support/check_main.h"

#include "tests/support/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int erx_check_run(const erx_suite_fn *suites, size_t count)
{
    /* Before any test, so that tests in processes of their own share it. */
    printf("seed: ERX_SEED=%" PRIu64 "\n", erx_test_seed());
    (void)fflush(stdout); /* or every child would print it again */
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < count; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
