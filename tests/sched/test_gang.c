#include "sched/clock.h"
#include "sched/gang.h"
#include "tests/sched/sched_suites.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define WORKERS_MAX     8u
#define TIMEOUT_SECONDS 60
/* Longer than workers spin: they are parked after it. */
#define PARK_NS UINT64_C(5000000)

/* A machine with more processors than this one: nothing is pinned, and workers
 * share the real processors, which is the hardest case for the barrier. */
static erx_topo_t imagine_processors(uint32_t count)
{
    erx_topo_t topo = {.cpu_count = count, .node_count = 2, .this_system = false};
    for (uint32_t i = 0; i < count; i++)
        topo.cpus[i] = (erx_topo_cpu_t){.cpu = i, .core = i, .node = i % 2};
    return topo;
}

static erx_gang_t *open_gang(uint32_t worker_count)
{
    erx_topo_t topo = imagine_processors(worker_count);
    erx_gang_t *gang = NULL;
    erx_error_t error = {0};
    ck_assert_msg(erx_gang_open(&topo, worker_count, &gang, &error) == ERX_OK, "%s", error.text);
    return gang;
}

/* What follows is plain memory on purpose: the gang alone makes it visible,
 * and the thread sanitizer would report it if it did not. */
typedef struct {
    uint64_t runs[WORKERS_MAX];
    uint64_t argument;
    uint64_t sums[WORKERS_MAX];
} tally_t;

static void count_run(void *context, uint32_t worker)
{
    tally_t *tally = context;
    tally->runs[worker]++;
    tally->sums[worker] += tally->argument;
}

static void expect_tally(const tally_t *tally, uint32_t workers, uint64_t runs, uint64_t sum)
{
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        ck_assert_uint_eq(tally->runs[i], i < workers ? runs : 0);
        ck_assert_uint_eq(tally->sums[i], i < workers ? sum : 0);
    }
}

START_TEST(test_every_worker_runs_every_job)
{
    static const uint32_t counts[] = {1, 2, 3, WORKERS_MAX};
    for (size_t i = 0; i < ERX_COUNT(counts); i++) {
        erx_gang_t *gang = open_gang(counts[i]);
        ck_assert_uint_eq(erx_gang_worker_count(gang), counts[i]);
        for (uint32_t worker = 0; worker < counts[i]; worker++)
            ck_assert_uint_eq(erx_gang_worker_node(gang, worker), worker % 2);
        tally_t tally = {0};
        uint64_t sum = 0;
        for (uint64_t job = 0; job < 2000; job++) {
            tally.argument = job;
            sum += job;
            erx_gang_run(gang, count_run, &tally);
        }
        expect_tally(&tally, counts[i], 2000, sum);
        erx_gang_close(gang);
    }
}
END_TEST

START_TEST(test_jobs_after_parking)
{
    erx_gang_t *gang = open_gang(3);
    tally_t tally = {.argument = 1};
    for (int job = 0; job < 20; job++) {
        erx_clock_sleep_until(erx_clock_now() + PARK_NS);
        erx_gang_run(gang, count_run, &tally);
    }
    expect_tally(&tally, 3, 20, 20);
    erx_gang_close(gang);
}
END_TEST

START_TEST(test_starts_at_the_moment_of_parking)
{
    erx_gang_t *gang = open_gang(2);
    tally_t tally = {.argument = 1};
    /* The gap passes slowly over the time that workers spin. */
    for (uint64_t job = 0; job < 500; job++) {
        erx_clock_sleep_until(erx_clock_now() + job * 1000);
        erx_gang_run(gang, count_run, &tally);
    }
    expect_tally(&tally, 2, 500, 500);
    erx_gang_close(gang);
}
END_TEST

START_TEST(test_rouse_start_and_wait_repeated)
{
    erx_gang_t *gang = open_gang(2);
    tally_t tally = {.argument = 1};
    for (int job = 0; job < 100; job++) {
        if (job % 10 == 0)
            erx_clock_sleep_until(erx_clock_now() + PARK_NS);
        for (int rouse = 0; rouse < job % 4; rouse++)
            erx_gang_rouse(gang);
        erx_gang_start(gang, count_run, &tally);
        erx_gang_wait(gang);
        erx_gang_wait(gang); /* nothing under way: returns at once */
    }
    expect_tally(&tally, 2, 100, 100);
    /* More rouses than the bell counts: they must not look like a job. */
    for (int rouse = 0; rouse < 1000; rouse++)
        erx_gang_rouse(gang);
    erx_gang_run(gang, count_run, &tally);
    expect_tally(&tally, 2, 101, 101);
    erx_gang_close(gang);
}
END_TEST

static void take_long(void *context, uint32_t worker)
{
    if (worker == 1)
        erx_clock_sleep_until(erx_clock_now() + PARK_NS);
    count_run(context, worker);
}

START_TEST(test_leader_parks_while_a_worker_is_busy)
{
    erx_gang_t *gang = open_gang(2);
    tally_t tally = {.argument = 1};
    for (int job = 0; job < 10; job++)
        erx_gang_run(gang, take_long, &tally);
    expect_tally(&tally, 2, 10, 10);
    erx_gang_close(gang);
}
END_TEST

typedef struct {
    erx_gang_t *gang;
    uint32_t rounds;
    uint64_t mail[WORKERS_MAX];   /* plain: handed on by the barrier alone */
    uint64_t errors[WORKERS_MAX]; /* values that were not the expected ones */
} relay_t;

/* In every round each worker leaves a value, meets the others, reads what each
 * of them left, and meets them again before the next value. */
static void relay(void *context, uint32_t worker)
{
    relay_t *relay = context;
    uint32_t count = erx_gang_worker_count(relay->gang);
    for (uint64_t round = 0; round < relay->rounds; round++) {
        relay->mail[worker] = round * WORKERS_MAX + worker;
        erx_gang_barrier(relay->gang, worker);
        for (uint32_t other = 0; other < count; other++)
            relay->errors[worker] += relay->mail[other] != round * WORKERS_MAX + other;
        erx_gang_barrier(relay->gang, worker);
    }
}

static void expect_relay(uint32_t worker_count, uint32_t rounds, uint32_t jobs)
{
    relay_t context = {.gang = open_gang(worker_count), .rounds = rounds};
    for (uint32_t job = 0; job < jobs; job++)
        erx_gang_run(context.gang, relay, &context);
    for (uint32_t worker = 0; worker < worker_count; worker++) {
        ck_assert_uint_eq(context.errors[worker], 0);
        ck_assert_uint_eq(context.mail[worker], (uint64_t)(rounds - 1) * WORKERS_MAX + worker);
    }
    erx_gang_close(context.gang);
}

START_TEST(test_barrier_hands_data_on_ten_thousand_times)
{
    expect_relay(2, 5000, 1); /* two barriers a round */
    expect_relay(1, 5000, 1);
}
END_TEST

START_TEST(test_barrier_with_more_workers_than_processors)
{
    expect_relay(4, 100, 3);
}
END_TEST

typedef struct {
    char names[WORKERS_MAX][16];
    int processors_allowed[WORKERS_MAX];
    uint32_t pinned_to[WORKERS_MAX];
    int signals_open[WORKERS_MAX]; /* of SIGINT, SIGTERM, SIGUSR1 */
} identity_t;

static void identify(void *context, uint32_t worker)
{
    identity_t *identity = context;
    (void)pthread_getname_np(pthread_self(), identity->names[worker],
                             sizeof identity->names[worker]);
    cpu_set_t set;
    CPU_ZERO(&set);
    (void)sched_getaffinity(0, sizeof set, &set);
    identity->processors_allowed[worker] = CPU_COUNT(&set);
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set))
            identity->pinned_to[worker] = cpu;
    sigset_t blocked;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    identity->signals_open[worker] = !sigismember(&blocked, SIGINT) +
                                     !sigismember(&blocked, SIGTERM) +
                                     !sigismember(&blocked, SIGUSR1);
}

START_TEST(test_workers_are_named_pinned_and_take_no_signals)
{
    erx_topo_t topo;
    erx_error_t error = {0};
    ck_assert_msg(erx_topo_read(NULL, &topo, &error) == ERX_OK, "%s", error.text);
    uint32_t count = ERX_MIN(topo.cpu_count, WORKERS_MAX);
    erx_gang_t *gang = NULL;
    ck_assert_msg(erx_gang_open(&topo, count, &gang, &error) == ERX_OK, "%s", error.text);
    identity_t identity = {0};
    erx_gang_run(gang, identify, &identity);
    for (uint32_t worker = 0; worker < count; worker++) {
        char name[32];
        (void)snprintf(name, sizeof name, "erx-worker-%u", worker);
        ck_assert_str_eq(identity.names[worker], name);
        ck_assert_int_eq(identity.processors_allowed[worker], 1);
        ck_assert_uint_eq(identity.pinned_to[worker], topo.cpus[worker].cpu);
        ck_assert_int_eq(identity.signals_open[worker], 0);
    }
    erx_gang_close(gang);
    /* The leader's own signals are as they were. */
    sigset_t blocked;
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    ck_assert(!sigismember(&blocked, SIGTERM));
}
END_TEST

START_TEST(test_numbers_of_workers_out_of_range_are_refused)
{
    static const uint32_t counts[] = {0, 3, UINT32_MAX};
    erx_topo_t topo = imagine_processors(2);
    for (size_t i = 0; i < ERX_COUNT(counts); i++) {
        erx_gang_t *gang = NULL;
        erx_error_t error = {0};
        ck_assert_int_eq(erx_gang_open(&topo, counts[i], &gang, &error), ERX_ERR_RANGE);
        ck_assert_ptr_null(gang);
        char text[64];
        (void)snprintf(text, sizeof text, "%u workers asked for, 2 processors", counts[i]);
        ck_assert_msg(strstr(error.text, text) != NULL, "%s", error.text);
    }
}
END_TEST

START_TEST(test_worker_that_cannot_be_pinned_is_an_error)
{
    erx_topo_t topo = imagine_processors(2);
    topo.this_system = true;
    topo.cpus[0].cpu = 0;
    topo.cpus[1].cpu = ERX_CPUS_MAX - 1;
    erx_gang_t *gang = NULL;
    erx_error_t error = {0};
    ck_assert_int_eq(erx_gang_open(&topo, 2, &gang, &error), ERX_ERR_PERMISSION);
    ck_assert_ptr_null(gang);
    ck_assert_msg(strstr(error.text, "processor 1023") != NULL, "%s", error.text);
}
END_TEST

START_TEST(test_open_and_close_repeated)
{
    for (int round = 0; round < 50; round++)
        erx_gang_close(open_gang(3));
    erx_gang_close(NULL);
}
END_TEST

Suite *gang_suite(void)
{
    Suite *suite = suite_create("gang");
    TCase *tcase = tcase_create("gang");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_test(tcase, test_every_worker_runs_every_job);
    tcase_add_test(tcase, test_jobs_after_parking);
    tcase_add_test(tcase, test_starts_at_the_moment_of_parking);
    tcase_add_test(tcase, test_rouse_start_and_wait_repeated);
    tcase_add_test(tcase, test_leader_parks_while_a_worker_is_busy);
    tcase_add_test(tcase, test_barrier_hands_data_on_ten_thousand_times);
    tcase_add_test(tcase, test_barrier_with_more_workers_than_processors);
    tcase_add_test(tcase, test_workers_are_named_pinned_and_take_no_signals);
    tcase_add_test(tcase, test_numbers_of_workers_out_of_range_are_refused);
    tcase_add_test(tcase, test_worker_that_cannot_be_pinned_is_an_error);
    tcase_add_test(tcase, test_open_and_close_repeated);
    suite_add_tcase(suite, tcase);
    return suite;
}
