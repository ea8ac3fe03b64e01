#include "tests/support/child.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn void erx_child_fail(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: in a child process: %s does not hold\n", file, line, condition);
    _exit(EXIT_FAILURE);
}

static pid_t start(erx_child_fn body, void *context, bool silent)
{
    (void)fflush(NULL);
    pid_t parent = getpid();
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child > 0)
        return child;
    /* No orphans when the test fails, no core files from expected aborts. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    if (silent)
        (void)freopen("/dev/null", "w", stderr);
    int status = getppid() == parent ? body(context) : EXIT_FAILURE;
    (void)fflush(NULL);
    _exit(status);
}

pid_t erx_child_start(erx_child_fn body, void *context)
{
    return start(body, context, false);
}

static int wait_for(pid_t child)
{
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

void erx_child_finish(pid_t child)
{
    int status = wait_for(child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child ended with status %#x",
                  (unsigned)status);
}

void erx_child_run(erx_child_fn body, void *context)
{
    erx_child_finish(erx_child_start(body, context));
}

void erx_child_kill(pid_t child)
{
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    int status = wait_for(child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void erx_child_expect_abort(erx_child_fn body, void *context)
{
    int status = wait_for(start(body, context, true));
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                  "expected an abort, child ended with status %#x", (unsigned)status);
}

void erx_child_expect_fault(erx_child_fn body, void *context)
{
    int status = wait_for(start(body, context, true));
#ifdef ERX_SANITIZED
    bool faulted = !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#else
    bool faulted = WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
#endif
    ck_assert_msg(faulted, "expected a fault, child ended with status %#x", (unsigned)status);
}

void *erx_child_share(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    return memory;
}
