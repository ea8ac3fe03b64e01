/* The main function of a folder's test program, as TESTING.md describes it. */
#ifndef ERX_TESTS_SUPPORT_CHECK_MAIN_H
#define ERX_TESTS_SUPPORT_CHECK_MAIN_H

#include <check.h>
#include <stddef.h>

typedef Suite *(*erx_suite_fn)(void);

/* Runs the suites, prints what failed and the seed of this run, and returns the
 * process' exit status. */
int erx_check_run(const erx_suite_fn *suites, size_t count);

#endif
