/* Assertions, in two tiers by cost.
 *
 * ERX_ASSERT is always compiled in: O(1) checks of what our own code promised.
 * ERX_VERIFY is compiled in only with -Dverify=true (test builds): checks that
 * cost as much as the work they guard. Neither is for bad input: that gets an
 * erx_error_t. */
#ifndef ERX_MEM_ASSERT_H
#define ERX_MEM_ASSERT_H

#include "mem/base.h"

/* Prints the broken condition and its place to stderr and aborts. */
_Noreturn void erx_assert_failed(const char *condition, const char *file, int line);

#define ERX_ASSERT(condition)                                                                      \
    (ERX_LIKELY(condition) ? (void)0 : erx_assert_failed(#condition, __FILE__, __LINE__))

#ifdef ERX_VERIFY_ENABLED
#define ERX_VERIFY(condition) ERX_ASSERT(condition)
#else
#define ERX_VERIFY(condition) ((void)sizeof(condition))
#endif

#endif
