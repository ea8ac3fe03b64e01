/* What the frame path does not do: allocate, and call the system. Both are
 * measured on the workers themselves, by jobs that the test gives them between
 * blocks, and each measurement is shown to grow when it should. */
#include "mem/alloc.h"
#include "sched/clock.h"
#include "tests/engine/engine_suites.h"
#include "tests/engine/rig.h"
#include "tests/support/child.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define TIMEOUT_SECONDS 120
#define WORKERS         2u
#define SESSIONS        21u
#define BLOCKS          300u
#define WARM_BLOCKS     5u
/* Some sessions end and start anew while blocks are counted. */
#define SESSION_FRAMES 100u

typedef struct {
    erx_engine_t *engine;
    erx_model_t *model;
    erx_session_t *sessions[SESSIONS];
} play_t;

static rig_model_t files;

static void setup(void)
{
    rig_model_open(&files, &erx_fixture_small, 1);
}

static void teardown(void)
{
    rig_model_close(&files);
}

/* Works in a child process too. */
static bool play_open(play_t *play, erx_schedule_t schedule)
{
    const erx_engine_config_t config = {.worker_count = WORKERS, .schedule = schedule};
    erx_error_t error;
    if (rig_engine_try(NULL, &config, &play->engine, &error) != ERX_OK ||
        erx_engine_load_model(play->engine, files.directory, SESSIONS, &play->model, &error) !=
            ERX_OK)
        return false;
    for (uint32_t i = 0; i < SESSIONS; i++)
        play->sessions[i] = rig_session_start(play->model, i, i % 3 == 0 ? SESSION_FRAMES : 0);
    return true;
}

static void play_blocks(play_t *play, uint32_t count)
{
    for (uint32_t b = 0; b < count; b++) {
        for (uint32_t i = 0; i < SESSIONS; i++) {
            if (play->sessions[i]->status == ERX_SESSION_ENDED) {
                erx_session_end(&play->model->sessions, play->sessions[i]);
                play->sessions[i] = rig_session_start(play->model, i, SESSION_FRAMES);
            }
            rig_session_feed(play->sessions[i], i);
        }
        erx_block_t *block = erx_engine_begin_block(play->engine, b);
        erx_block_add_all(block, play->model);
        erx_engine_rouse(play->engine);
        erx_engine_execute(play->engine);
    }
}

/* ---- allocation ---- */

/* By worker; the leader is behind them. */
typedef struct {
    uint64_t bytes[WORKERS + 1];
} heap_use_t;

static void read_own_use(void *context, uint32_t worker)
{
    heap_use_t *use = context;
    use->bytes[worker] = erx_alloc_thread_bytes();
}

static heap_use_t read_use(play_t *play)
{
    heap_use_t use;
    erx_gang_run(erx_engine_gang(play->engine), read_own_use, &use);
    use.bytes[WORKERS] = erx_alloc_thread_bytes();
    return use;
}

static void allocate(void *context, uint32_t worker)
{
    void **memory = context;
    memory[worker] = malloc(1000);
}

static bool can_count_allocations(void)
{
    uint64_t before = erx_alloc_thread_bytes();
    erx_free(erx_alloc(1, 1000));
    if (erx_alloc_thread_bytes() > before)
        return true;
    rig_skip("this build's allocator does not count by thread");
    return false;
}

START_TEST(test_blocks_allocate_nothing)
{
    if (!can_count_allocations())
        return;
    play_t play;
    ck_assert(play_open(&play, (erx_schedule_t)_i));
    play_blocks(&play, WARM_BLOCKS);
    heap_use_t before = read_use(&play);
    play_blocks(&play, BLOCKS);
    heap_use_t after = read_use(&play);
    for (uint32_t thread = 0; thread <= WORKERS; thread++)
        ck_assert_msg(before.bytes[thread] == after.bytes[thread],
                      "%s %u allocated %ju bytes in %u blocks",
                      thread < WORKERS ? "worker" : "leader", thread,
                      (uintmax_t)(after.bytes[thread] - before.bytes[thread]), BLOCKS);
    erx_engine_close(play.engine);
}
END_TEST

START_TEST(test_an_allocation_on_a_worker_would_be_seen)
{
    if (!can_count_allocations())
        return;
    play_t play;
    void *memory[WORKERS] = {NULL};
    ck_assert(play_open(&play, ERX_SCHEDULE_AUTO));
    heap_use_t before = read_use(&play);
    erx_gang_run(erx_engine_gang(play.engine), allocate, memory);
    heap_use_t after = read_use(&play);
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        ck_assert_uint_ge(after.bytes[worker], before.bytes[worker] + 1000);
        free(memory[worker]);
    }
    ck_assert_uint_eq(after.bytes[WORKERS], before.bytes[WORKERS]);
    erx_engine_close(play.engine);
}
END_TEST

/* ---- system calls ---- */

#if defined(__x86_64__)
#define AUDIT_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static atomic_uint trapped_count;
static atomic_int trapped_number; /* of the last one */
static atomic_uint refused_count; /* workers that could not be watched */

static void on_trap(int signal, siginfo_t *information, void *context)
{
    ucontext_t *registers = context;
    (void)signal;
    atomic_fetch_add(&trapped_count, 1);
    atomic_store(&trapped_number, information->si_syscall);
#if defined(__x86_64__)
    registers->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
    registers->uc_mcontext.regs[0] = (uint64_t)-ENOSYS;
#endif
}

/* Parking and waking are futex; a barrier yields where its workers have no
 * processor each; the rest is the trap's own return and the end. */
#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* From now on every other system call of this thread is counted, not made. */
static void watch_calls(void *context, uint32_t worker)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_futex),
        ALLOW(SYS_sched_yield),
        ALLOW(SYS_rt_sigreturn),
        ALLOW(SYS_exit),
        ALLOW(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    const struct sock_fprog program = {.len = ERX_COUNT(code), .filter = code};
    sigset_t trap;
    (void)context;
    (void)worker;
    (void)sigemptyset(&trap);
    (void)sigaddset(&trap, SIGSYS);
    if (pthread_sigmask(SIG_UNBLOCK, &trap, NULL) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        atomic_fetch_add(&refused_count, 1);
}

static void call_system(void *context, uint32_t worker)
{
    (void)context;
    (void)worker;
    (void)syscall(SYS_getppid);
}

static void read_clock(void *context, uint32_t worker)
{
    (void)context;
    (void)worker;
    (void)erx_clock_now();
}

/* Puts the workers under watch. False where the system does not let us. */
static bool watch_workers(play_t *play)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    (void)sigemptyset(&action.sa_mask);
    ERX_CHILD_CHECK(sigaction(SIGSYS, &action, NULL) == 0);
    erx_gang_run(erx_engine_gang(play->engine), watch_calls, NULL);
    if (atomic_load(&refused_count) > 0) {
        rig_skip("this system refuses seccomp filters");
        return false;
    }
    erx_gang_run(erx_engine_gang(play->engine), read_clock, NULL);
    if (atomic_exchange(&trapped_count, 0) > 0) {
        rig_skip("this system has no clock that can be read without a system call");
        return false;
    }
    return true;
}

/* The workers end with the process: they cannot be joined, since the end of a
 * thread is made of system calls too. */
static int expect_no_calls(void *context)
{
    play_t play;
    ERX_CHILD_CHECK(play_open(&play, *(const erx_schedule_t *)context));
    play_blocks(&play, WARM_BLOCKS);
    if (!watch_workers(&play))
        return EXIT_SUCCESS;
    play_blocks(&play, BLOCKS);
    erx_clock_sleep_until(erx_clock_now() + UINT64_C(5000000)); /* they park */
    play_blocks(&play, 1);
    if (atomic_load(&trapped_count) != 0)
        (void)fprintf(stderr, "%u system calls, the last one number %d\n",
                      atomic_load(&trapped_count), atomic_load(&trapped_number));
    ERX_CHILD_CHECK(atomic_load(&trapped_count) == 0);
    return EXIT_SUCCESS;
}

static int expect_calls_are_seen(void *context)
{
    play_t play;
    (void)context;
    ERX_CHILD_CHECK(play_open(&play, ERX_SCHEDULE_AUTO));
    if (!watch_workers(&play))
        return EXIT_SUCCESS;
    erx_gang_run(erx_engine_gang(play.engine), call_system, NULL);
    ERX_CHILD_CHECK(atomic_load(&trapped_count) == WORKERS);
    ERX_CHILD_CHECK(atomic_load(&trapped_number) == SYS_getppid);
    return EXIT_SUCCESS;
}

static bool can_watch_calls(void)
{
#ifdef ERX_SANITIZED
    rig_skip("a sanitizer makes system calls of its own");
    return false;
#else
    return true;
#endif
}

START_TEST(test_workers_make_no_system_calls_in_a_block)
{
    erx_schedule_t schedule = (erx_schedule_t)_i;
    if (can_watch_calls())
        erx_child_run(expect_no_calls, &schedule);
}
END_TEST

START_TEST(test_a_system_call_of_a_worker_would_be_seen)
{
    if (can_watch_calls())
        erx_child_run(expect_calls_are_seen, NULL);
}
END_TEST

Suite *frame_path_suite(void)
{
    Suite *suite = suite_create("frame_path");
    TCase *tcase = tcase_create("frame_path");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_blocks_allocate_nothing, 0, ERX_SCHEDULE_SPLIT + 1);
    tcase_add_test(tcase, test_an_allocation_on_a_worker_would_be_seen);
    tcase_add_loop_test(tcase, test_workers_make_no_system_calls_in_a_block, 0,
                        ERX_SCHEDULE_SPLIT + 1);
    tcase_add_test(tcase, test_a_system_call_of_a_worker_would_be_seen);
    suite_add_tcase(suite, tcase);
    return suite;
}
