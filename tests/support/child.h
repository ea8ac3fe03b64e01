/* Parts of a test that need a process of their own: because they are killed,
 * abort, change the environment, or share memory with another one. */
#ifndef ERX_TESTS_SUPPORT_CHILD_H
#define ERX_TESTS_SUPPORT_CHILD_H

#include "mem/base.h"

#include <sys/types.h>

/* Runs in the child; what it returns (0: as expected) is the child's exit
 * status. It must use ERX_CHILD_CHECK in place of Check's assertions, which
 * only work in the test's own process. */
typedef int (*erx_child_fn)(void *context);

/* Inside an erx_child_fn: reports a condition that does not hold and ends the
 * child with a failure. */
#define ERX_CHILD_CHECK(condition)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            erx_child_fail(#condition, __FILE__, __LINE__);                                        \
    } while (0)

_Noreturn void erx_child_fail(const char *condition, const char *file, int line);

/* Starts body in a child process. Fails the test when it cannot. */
pid_t erx_child_start(erx_child_fn body, void *context);

/* Waits for it and fails the test unless it ended with status 0. */
void erx_child_finish(pid_t child);

/* start, then finish. */
void erx_child_run(erx_child_fn body, void *context);

/* Kills it as kill -9 does, and waits. */
void erx_child_kill(pid_t child);

/* Fails the test unless body is ended by an assertion (SIGABRT). */
void erx_child_expect_abort(erx_child_fn body, void *context);

/* Fails the test unless body is ended by a memory fault, as the system or a
 * sanitizer reports it. */
void erx_child_expect_fault(erx_child_fn body, void *context);

/* Memory that parent and children both see, zeroed. */
void *erx_child_share(size_t bytes);

#endif
