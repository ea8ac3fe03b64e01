#ifndef ERX_TESTS_TOOLS_IMITATING_SUITES_H
#define ERX_TESTS_TOOLS_IMITATING_SUITES_H

#include "tests/support/check_main.h"

Suite *imitate_suite(void);
Suite *policy_make_suite(void);
Suite *policy_seats_suite(void);

#endif
