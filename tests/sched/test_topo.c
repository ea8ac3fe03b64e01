/* The order of use on machines that this one is not: hwloc describes them from
 * HWLOC_SYNTHETIC, set in child processes. */
#include "sched/topo.h"
#include "tests/sched/suites.h"
#include "tests/support/child.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* Processors 0..15: package p has 0..7 or 8..15, core c has 2c and 2c + 1. */
#define TWO_PACKAGES "package:2 [numa(memory=1GB)] core:4 pu:2"
#define ONE_PACKAGE  "package:1 core:4 pu:1"

typedef struct {
    const char *synthetic;
    const char *cpu_list;
    uint32_t cpu_count;
    uint32_t node_count;
    erx_topo_cpu_t cpus[16]; /* in order of use */
} plan_t;

static int expect_plan(void *context)
{
    const plan_t *plan = context;
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
        ERX_CHILD_CHECK(topo.cpus[i].efficiency == 0);
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
        /* cpu, core, node, smt_index */
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

/* Runs in a child: affinity is the process' own. */
static int expect_affinity(void *context)
{
    const erx_topo_t *all = context;
    uint32_t last = all->cpus[all->cpu_count - 1].cpu;
    erx_error_t error;
    ERX_CHILD_CHECK(erx_topo_pin(all, last, &error) == ERX_OK);
    ERX_CHILD_CHECK(sched_getcpu() == (int)last);
    erx_topo_t topo;
    ERX_CHILD_CHECK(erx_topo_read(NULL, &topo, &error) == ERX_OK);
    ERX_CHILD_CHECK(topo.cpu_count == 1);
    ERX_CHILD_CHECK(topo.cpus[0].cpu == last);
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
    erx_child_run(expect_affinity, &topo);
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
    tcase_add_test(tcase, test_lists_that_name_nothing_usable_are_refused);
    tcase_add_test(tcase, test_limits);
    tcase_add_test(tcase, test_this_system_and_the_process_own_affinity);
    tcase_add_test(tcase, test_pinning_to_an_absent_processor_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
