/* Assertions for inner loops. Check's own report every assertion that holds to
 * the parent process, which takes longer than most of what is checked here. */
#ifndef ERX_TESTS_KERNELS_EXPECT_H
#define ERX_TESTS_KERNELS_EXPECT_H

#include <check.h>
#include <stdint.h>

/* ERX_EXPECT(value, ==, 3): compares in 64 bits. */
#define ERX_EXPECT(actual, relation, expected)                                                     \
    do {                                                                                           \
        int64_t actual_ = (int64_t)(actual);                                                       \
        int64_t expected_ = (int64_t)(expected);                                                   \
        if (!(actual_ relation expected_))                                                         \
            ck_abort_msg("%s is %jd, must be %s %jd", #actual, (intmax_t)actual_, #relation,       \
                         (intmax_t)expected_);                                                     \
    } while (0)

#endif
