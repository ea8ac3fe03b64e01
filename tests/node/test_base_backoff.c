#include "node/base_backoff.h"
#include "tests/node/node_suites.h"

#define DRAWS 200u

START_TEST(test_waits_double_up_to_a_limit_and_are_partly_random)
{
    const uint32_t failures[] = {1, 2, 3, 7, 8, 9, 1000, UINT32_MAX};
    const uint64_t wholes_ms[] = {100, 200, 400, 6400, 10000, 10000, 10000, 10000};
    for (size_t i = 0; i < ERX_ARRAY_COUNT(failures); i++) {
        uint64_t whole = wholes_ms[i] * ERX_MILLISECOND_NS, first = 0;
        bool differ = false;
        for (uint32_t draw = 0; draw < DRAWS; draw++) {
            uint64_t wait = erx_backoff_wait(failures[i]);
            ck_assert_msg(wait >= whole / 2 && wait < whole, "%u failures: %llu ns", failures[i],
                          (unsigned long long)wait);
            differ |= draw > 0 && wait != first;
            first = draw == 0 ? wait : first;
        }
        ck_assert(differ);
    }
}
END_TEST

Suite *base_backoff_suite(void)
{
    Suite *suite = suite_create("base_backoff");
    TCase *tests = tcase_create("base_backoff");
    tcase_add_test(tests, test_waits_double_up_to_a_limit_and_are_partly_random);
    suite_add_tcase(suite, tests);
    return suite;
}
