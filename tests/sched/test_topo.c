/* The order of use on machines that this one is not: hwloc describes them from
 * HWLOC_SYNTHETIC, set in child processes. */
#include "sched/topo.h"
#include "tests/sched/sched_suites.h"
#include "tests/support/child.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Processors 0..15: package p has 0..7 or 8..15, core c has 2c and 2c + 1. */
#define TWO_PACKAGES "package:2 [numa(memory=1GB)] core:4 pu:2"
#define ONE_PACKAGE  "package:1 core:4 pu:1"

/* Two efficient cores of one thread (processors 0 and 1), then two fast ones of
 * two threads (2, 3 and 4, 5). Synthetic descriptions know no kinds, so this
 * machine is in the form that hwloc exports. */
#define SETS(mask)                                                                                 \
    " cpuset='" mask "' complete_cpuset='" mask "' nodeset='0x1' complete_nodeset='0x1'"
#define THREAD(number, mask) "<object type='PU' os_index='" number "'" SETS(mask) "/>"
#define CORE(number, mask)   "<object type='Core' os_index='" number "'" SETS(mask) ">"
static const char hybrid_machine[] =
    "<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE topology SYSTEM 'hwloc2.dtd'>"
    "<topology version='2.0'>"
    "<object type='Machine' os_index='0' allowed_cpuset='0x3f' allowed_nodeset='0x1'" SETS(
        "0x3f") ">"
                "<object type='NUMANode' os_index='0' local_memory='1073741824'" SETS(
                    "0x3f") "/>" CORE("0", "0x1") THREAD("0", "0x1") "</object>" CORE("1", "0x2")
                    THREAD("1", "0x2") "</object>" CORE("2", "0xc") THREAD("2", "0x4")
                        THREAD("3", "0x8") "</object>" CORE("3", "0x30") THREAD("4", "0x10") THREAD(
                            "5", "0x20") "</object>"
                                         "</object>"
                                         "<cpukind cpuset='0x3' forced_efficiency='0'/><cpukind "
                                         "cpuset='0x3c' forced_efficiency='1'/>"
                                         "</topology>";

typedef struct {
    const char *synthetic; /* NULL: the hybrid machine */
    const char *cpu_list;
    uint32_t cpu_count;
    uint32_t node_count;
    erx_topo_cpu_t cpus[16]; /* in order of use */
} plan_t;

static void imagine_hybrid_machine(void)
{
    int fd = memfd_create("hybrid", 0);
    ERX_CHILD_CHECK(fd >= 0);
    size_t bytes = strlen(hybrid_machine);
    ERX_CHILD_CHECK(write(fd, hybrid_machine, bytes) == (ssize_t)bytes);
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ERX_CHILD_CHECK(setenv("HWLOC_XMLFILE", path, 1) == 0);
}

static int expect_plan(void *context)
{
    const plan_t *plan = context;
    if (plan->synthetic == NULL)
        imagine_hybrid_machine();
    else
        ERX_CHILD_CHECK(setenv("HWLOC_SYNTHETIC", plan->synthetic, 1) == 0);
    erx_topo_t topo;
    erx_error_t error;
    ERX_CHILD_CHECK(erx_topo_read(plan->cpu_list, &topo, &error) == ERX_OK);
    ERX_CHILD_CHECK(!topo.this_system);
    ERX_CHILD_CHECK(topo.cpu_count == plan->cpu_count);
    ERX_CHILD_CHECK(topo.node_count == plan->node_count);
    for (uint32_t i = 0; i < plan->cpu_count; i++) {
        ERX_CHILD_CHECK(topo.cpus[i].cpu == plan->cpus[i].cpu);
        ERX_CHILD_CHECK(topo.cpus[i].core == plan->cpus[i].core);
        ERX_CHILD_CHECK(topo.cpus[i].node == plan->cpus[i].node);
        ERX_CHILD_CHECK(topo.cpus[i].smt_index == plan->cpus[i].smt_index);
        ERX_CHILD_CHECK(topo.cpus[i].efficiency == plan->cpus[i].efficiency);
        /* Not this machine: pinning to any processor is accepted and ignored. */
        ERX_CHILD_CHECK(erx_topo_pin(&topo, topo.cpus[i].cpu, &error) == ERX_OK);
    }
    return 0;
}

START_TEST(test_cores_before_threads_and_nodes_in_turn)
{
    plan_t plan = {
        .synthetic = TWO_PACKAGES,
        .cpu_count = 16,
        .node_count = 2,
        /* cpu, core, node, smt_index, efficiency */
        .cpus = {{0, 0, 0, 0, 0},
                 {8, 4, 1, 0, 0},
                 {2, 1, 0, 0, 0},
                 {10, 5, 1, 0, 0},
                 {4, 2, 0, 0, 0},
                 {12, 6, 1, 0, 0},
                 {6, 3, 0, 0, 0},
                 {14, 7, 1, 0, 0},
                 {1, 0, 0, 1, 0},
                 {9, 4, 1, 1, 0},
                 {3, 1, 0, 1, 0},
                 {11, 5, 1, 1, 0},
                 {5, 2, 0, 1, 0},
                 {13, 6, 1, 1, 0},
                 {7, 3, 0, 1, 0},
                 {15, 7, 1, 1, 0}},
    };
    erx_child_run(expect_plan, &plan);
}
END_TEST

START_TEST(test_list_restricts)
{
    plan_t plan = {
        .synthetic = TWO_PACKAGES,
        .cpu_list = "0-4,9,900", /* 900 does not exist: left away */
        .cpu_count = 6,
        .node_count = 2,
        .cpus = {{0, 0, 0, 0, 0},
                 {9, 4, 1, 0, 0}, /* a second thread that has its core alone */
                 {2, 1, 0, 0, 0},
                 {4, 2, 0, 0, 0},
                 {1, 0, 0, 1, 0},
                 {3, 1, 0, 1, 0}},
    };
    erx_child_run(expect_plan, &plan);
}
END_TEST

START_TEST(test_nodes_without_a_listed_processor_are_not_counted)
{
    plan_t plan = {
        .synthetic = TWO_PACKAGES,
        .cpu_list = "12-13",
        .cpu_count = 2,
        .node_count = 1,
        .cpus = {{12, 6, 0, 0, 0}, {13, 6, 0, 1, 0}},
    };
    erx_child_run(expect_plan, &plan);
}
END_TEST

START_TEST(test_machine_without_second_threads)
{
    plan_t plan = {
        .synthetic = ONE_PACKAGE,
        .cpu_count = 4,
        .node_count = 1,
        .cpus = {{0, 0, 0, 0, 0}, {1, 1, 0, 0, 0}, {2, 2, 0, 0, 0}, {3, 3, 0, 0, 0}},
    };
    erx_child_run(expect_plan, &plan);
}
END_TEST

START_TEST(test_fast_cores_before_efficient_ones_before_second_threads)
{
    plan_t plan = {
        .cpu_count = 6,
        .node_count = 1,
        .cpus = {{2, 2, 0, 0, 1},
                 {4, 3, 0, 0, 1},
                 {0, 0, 0, 0, 0},
                 {1, 1, 0, 0, 0},
                 {3, 2, 0, 1, 1},
                 {5, 3, 0, 1, 1}},
    };
    erx_child_run(expect_plan, &plan);
}
END_TEST

static int expect_errors(void *context)
{
    (void)context;
    static const struct {
        const char *cpu_list;
        const char *text;
    } cases[] = {
        {"4-7", "choose from 0-3"},
        {"1000", "choose from 0-3"},
        {"zero", "a number is missing"},
        {"", "a number is missing"},
    };
    ERX_CHILD_CHECK(setenv("HWLOC_SYNTHETIC", ONE_PACKAGE, 1) == 0);
    for (size_t i = 0; i < ERX_COUNT(cases); i++) {
        erx_topo_t topo = {.cpu_count = 77};
        erx_error_t error = {0};
        ERX_CHILD_CHECK(erx_topo_read(cases[i].cpu_list, &topo, &error) == ERX_ERR_ARGUMENT);
        ERX_CHILD_CHECK(strstr(error.text, cases[i].text) != NULL);
        ERX_CHILD_CHECK(topo.cpu_count == 77); /* no effect */
    }
    return 0;
}

START_TEST(test_lists_that_name_nothing_usable_are_refused)
{
    erx_child_run(expect_errors, NULL);
}
END_TEST

static int expect_large_machine(void *context)
{
    (void)context;
    ERX_CHILD_CHECK(setenv("HWLOC_SYNTHETIC", "package:4 core:300 pu:1", 1) == 0);
    erx_topo_t topo;
    erx_error_t error;
    ERX_CHILD_CHECK(erx_topo_read(NULL, &topo, &error) == ERX_OK);
    ERX_CHILD_CHECK(topo.cpu_count == ERX_CPUS_MAX);
    ERX_CHILD_CHECK(setenv("HWLOC_SYNTHETIC", "package:65 [numa(memory=1GB)] core:1 pu:1", 1) == 0);
    ERX_CHILD_CHECK(erx_topo_read(NULL, &topo, &error) == ERX_ERR_UNSUPPORTED);
    ERX_CHILD_CHECK(strstr(error.text, "65 NUMA nodes") != NULL);
    ERX_CHILD_CHECK(erx_topo_read("0-63", &topo, &error) == ERX_OK);
    ERX_CHILD_CHECK(topo.node_count == ERX_NODES_MAX);
    return 0;
}

START_TEST(test_limits)
{
    erx_child_run(expect_large_machine, NULL);
}
END_TEST

static erx_topo_t read_this_system(void)
{
    erx_topo_t topo;
    erx_error_t error = {0};
    ck_assert_msg(erx_topo_read(NULL, &topo, &error) == ERX_OK, "%s", error.text);
    return topo;
}

/* In a child whose parent was pinned before it started, as under taskset. */
static int expect_affinity(void *context)
{
    const uint32_t *cpu = context;
    ERX_CHILD_CHECK(sched_getcpu() == (int)*cpu);
    erx_topo_t topo;
    erx_error_t error;
    ERX_CHILD_CHECK(erx_topo_read(NULL, &topo, &error) == ERX_OK);
    ERX_CHILD_CHECK(topo.cpu_count == 1);
    ERX_CHILD_CHECK(topo.cpus[0].cpu == *cpu);
    ERX_CHILD_CHECK(topo.cpus[0].smt_index == 0);
    return 0;
}

START_TEST(test_this_system_and_the_process_own_affinity)
{
    erx_topo_t topo = read_this_system();
    ck_assert(topo.this_system);
    cpu_set_t allowed;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    ck_assert_uint_eq(topo.cpu_count, (uint32_t)CPU_COUNT(&allowed));
    for (uint32_t i = 0; i < topo.cpu_count; i++)
        ck_assert(CPU_ISSET(topo.cpus[i].cpu, &allowed));

    uint32_t last = topo.cpus[topo.cpu_count - 1].cpu;
    erx_error_t error = {0};
    ck_assert_int_eq(erx_topo_pin(&topo, last, &error), ERX_OK);
    erx_child_run(expect_affinity, &last);
    ck_assert_int_eq(sched_setaffinity(0, sizeof allowed, &allowed), 0);
}
END_TEST

START_TEST(test_pinning_to_an_absent_processor_is_an_error)
{
    erx_topo_t topo = read_this_system();
    erx_error_t error = {0};
    ck_assert_int_eq(erx_topo_pin(&topo, ERX_CPUS_MAX - 1, &error), ERX_ERR_PERMISSION);
    ck_assert_msg(strstr(error.text, "processor 1023") != NULL, "%s", error.text);
}
END_TEST

Suite *topo_suite(void)
{
    Suite *suite = suite_create("topo");
    TCase *tcase = tcase_create("topo");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, test_cores_before_threads_and_nodes_in_turn);
    tcase_add_test(tcase, test_list_restricts);
    tcase_add_test(tcase, test_nodes_without_a_listed_processor_are_not_counted);
    tcase_add_test(tcase, test_machine_without_second_threads);
    tcase_add_test(tcase, test_fast_cores_before_efficient_ones_before_second_threads);
    tcase_add_test(tcase, test_lists_that_name_nothing_usable_are_refused);
    tcase_add_test(tcase, test_limits);
    tcase_add_test(tcase, test_this_system_and_the_process_own_affinity);
    tcase_add_test(tcase, test_pinning_to_an_absent_processor_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
