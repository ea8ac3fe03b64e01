/* The gate: answers that do not depend on who else is there, no waiting for
 * those who do not come, and no order of events that ends in a deadlock. */
#include "engine/matmul/gate.h"
#include "engine/matmul/matmul.h"
#include "kernels/select.h"
#include "sched/clock.h"
#include "tests/engine/matmul/matmul_program.h"
#include "tests/engine/matmul/matmul_suites.h"
#include "tests/support/rng.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define MATRICES  (ERX_GATE_GROUPS + 2) /* more than there are groups */
#define ROWS      190u                  /* not whole panels */
#define COLUMNS   100u
#define PANELS    ERX_CEIL_DIV(ROWS, ERX_PANEL_ROWS)
#define SEATS     8u
#define SCHEDULES 60u
#define STEPS     60u

/* Nobody waits this long in a test that succeeds. */
#define WINDOW_LONG ERX_GATE_WINDOW_MAX_NS

static const erx_kernel_t *kernel;
static erx_gate_t *gate;
static int8_t weights[MATRICES][ROWS * COLUMNS];
static alignas(ERX_CACHE_LINE) uint8_t panels[MATRICES][PANELS * ERX_PANEL_ROWS * (COLUMNS + 64)];
static erx_matrix_t matrices[MATRICES];

static void pack(uint32_t m)
{
    size_t bytes = kernel->panel_bytes(COLUMNS);
    ck_assert_uint_le(PANELS * bytes, sizeof panels[m]);
    for (uint32_t p = 0; p < PANELS; p++) {
        const int8_t *rows[ERX_PANEL_ROWS] = {NULL};
        for (uint32_t i = 0; i < ERX_PANEL_ROWS && p * ERX_PANEL_ROWS + i < ROWS; i++)
            rows[i] = weights[m] + (size_t)(p * ERX_PANEL_ROWS + i) * COLUMNS;
        kernel->panel_pack(panels[m] + p * bytes, rows, COLUMNS);
    }
    matrices[m] = (erx_matrix_t){
        .panels = panels[m], .panel_count = PANELS, .columns = COLUMNS, .panel_bytes = bytes};
}

static void setup(void)
{
    erx_rng_t rng = erx_rng_open(100);
    kernel = erx_kernel_best();
    erx_rng_fill(&rng, weights, sizeof weights);
    for (uint32_t m = 0; m < MATRICES; m++)
        pack(m);
}

static void teardown(void)
{
    erx_gate_close(gate);
    gate = NULL;
}

static void open_gate(uint32_t seats, uint64_t window_ns)
{
    const erx_gate_config_t config = {.kernel = kernel, .window_ns = window_ns, .seats = seats};
    erx_error_t error;
    ck_assert_int_eq(erx_gate_open(&config, &gate, &error), ERX_OK);
}

static erx_gate_seat_t *join(void)
{
    erx_gate_seat_t *seat;
    erx_error_t error;
    ck_assert_int_eq(erx_gate_join(gate, &seat, &error), ERX_OK);
    return seat;
}

/* Whether a product of a random vector is the plain loop's. */
static bool multiply(erx_gate_seat_t *seat, uint32_t m, erx_rng_t *rng)
{
    int8_t input[COLUMNS];
    int32_t expected[ROWS];
    uint8_t output[ROWS * sizeof(int32_t) + 2];
    erx_rng_fill(rng, input, sizeof input);
    memset(output, 0x5a, sizeof output);
    erx_gate_multiply(seat, &matrices[m], ROWS, input, output + 1);
    erx_plain_product(weights[m], input, expected, ROWS, COLUMNS);
    return memcmp(output + 1, expected, sizeof expected) == 0 && output[0] == 0x5a &&
           output[sizeof output - 1] == 0x5a;
}

/* A thread that makes some products from a seat of its own, and leaves. */
typedef struct {
    pthread_t thread;
    erx_gate_seat_t *seat;
    uint32_t matrix;
    uint32_t count;
    uint64_t stream;
    bool is_right;
} worker_t;

static void *work(void *argument)
{
    worker_t *worker = argument;
    erx_rng_t rng = erx_rng_open(worker->stream);
    worker->is_right = true;
    for (uint32_t i = 0; i < worker->count; i++)
        worker->is_right &= multiply(worker->seat, worker->matrix, &rng);
    erx_gate_leave(worker->seat);
    return NULL;
}

static void start(worker_t *worker, uint32_t matrix, uint32_t count, uint64_t stream)
{
    *worker = (worker_t){.matrix = matrix, .count = count, .stream = stream, .seat = join()};
    ck_assert_int_eq(pthread_create(&worker->thread, NULL, work, worker), 0);
}

static void finish(worker_t *worker)
{
    ck_assert_int_eq(pthread_join(worker->thread, NULL), 0);
    ck_assert(worker->is_right);
}

START_TEST(test_limits_are_checked)
{
    erx_gate_config_t config = {.kernel = kernel, .seats = 0};
    erx_gate_seat_t *seat;
    erx_error_t error;
    ck_assert_int_eq(erx_gate_open(&config, &gate, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "seats"));
    config.seats = ERX_GATE_SEATS_MAX + 1;
    ck_assert_int_eq(erx_gate_open(&config, &gate, &error), ERX_ERR_RANGE);
    config.seats = 1;
    config.window_ns = ERX_GATE_WINDOW_MAX_NS + 1;
    ck_assert_int_eq(erx_gate_open(&config, &gate, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "window_ns"));
    open_gate(1, 0);
    erx_gate_seat_t *first = join();
    ck_assert_int_eq(erx_gate_join(gate, &seat, &error), ERX_ERR_FULL);
    erx_gate_leave(first);
    erx_gate_leave(join());
}
END_TEST

START_TEST(test_lone_seat_does_not_wait)
{
    erx_rng_t rng = erx_rng_open(101);
    open_gate(SEATS, WINDOW_LONG);
    erx_gate_seat_t *seat = join();
    uint64_t begin = erx_clock_now();
    for (uint32_t i = 0; i < 20; i++)
        ck_assert(multiply(seat, i % MATRICES, &rng));
    ck_assert_uint_lt(erx_clock_now() - begin, WINDOW_LONG);
    erx_gate_leave(seat);
    erx_gate_counters_t counters = erx_gate_counters(gate);
    ck_assert_uint_eq(counters.products, 20);
    ck_assert_uint_eq(counters.late, 0);
}
END_TEST

START_TEST(test_seats_share_products)
{
    worker_t workers[SEATS];
    open_gate(SEATS, WINDOW_LONG);
    erx_gate_seat_t *first = join(); /* nobody starts before all have joined */
    for (uint32_t i = 0; i < SEATS - 1; i++)
        start(&workers[i], 0, 10, 110 + i);
    erx_gate_leave(first);
    for (uint32_t i = 0; i < SEATS - 1; i++)
        finish(&workers[i]);
    erx_gate_counters_t counters = erx_gate_counters(gate);
    ck_assert_uint_eq(counters.answers, (SEATS - 1) * 10);
    ck_assert_uint_lt(counters.products, counters.answers);
    ck_assert_uint_eq(counters.late, 0);
}
END_TEST

START_TEST(test_seat_that_leaves_frees_those_who_wait)
{
    worker_t worker;
    open_gate(2, WINDOW_LONG);
    erx_gate_seat_t *seat = join();
    start(&worker, 0, 1, 120);
    erx_gate_leave(seat);
    finish(&worker);
    ck_assert_uint_eq(erx_gate_counters(gate).late, 0);
}
END_TEST

START_TEST(test_resting_seat_is_not_waited_for)
{
    worker_t worker;
    erx_rng_t rng = erx_rng_open(121);
    open_gate(2, WINDOW_LONG);
    erx_gate_seat_t *seat = join();
    erx_gate_rest(seat);
    start(&worker, 0, 5, 122);
    finish(&worker);
    /* It comes back by multiplying. */
    ck_assert(multiply(seat, 1, &rng));
    erx_gate_rest(seat);
    erx_gate_rest(seat);
    erx_gate_leave(seat);
    ck_assert_uint_eq(erx_gate_counters(gate).late, 0);
}
END_TEST

START_TEST(test_program_that_faults_is_not_waited_for)
{
    erx_matmul_config_t config = erx_matmul_config_default();
    erx_matmul_t *matmul;
    erx_matmul_fault_t fault;
    erx_program_t program;
    erx_error_t error;
    worker_t worker;
    config.cache_bytes = 0;
    ck_assert_int_eq(erx_matmul_open(&config, &matmul, &error), ERX_OK);
    open_gate(2, WINDOW_LONG);
    erx_program_open(&program);
    program.machine.seat = join();
    program.budget = 0;
    start(&worker, 0, 1, 123);
    ck_assert_int_eq(erx_program_multiply(&program, matmul, 1, 1, &fault),
                     ERX_MATMUL_COMPUTE_EXHAUSTED);
    finish(&worker);
    erx_gate_leave(program.machine.seat);
    erx_matmul_close(matmul);
    ck_assert_uint_eq(erx_gate_counters(gate).late, 0);
}
END_TEST

START_TEST(test_window_ends_the_wait_for_a_busy_seat)
{
    worker_t worker;
    open_gate(2, 1000000);
    erx_gate_seat_t *busy = join();
    start(&worker, 0, 3, 124);
    finish(&worker);
    erx_gate_leave(busy);
    erx_gate_counters_t counters = erx_gate_counters(gate);
    ck_assert_uint_eq(counters.late, 3);
    ck_assert_uint_eq(counters.products, 3);
}
END_TEST

/* Each waits for the other by another matrix: nobody runs, so both are answered. */
START_TEST(test_different_matrices_do_not_wait_for_each_other)
{
    worker_t workers[2];
    open_gate(3, WINDOW_LONG);
    erx_gate_seat_t *first = join();
    start(&workers[0], 0, 1, 130);
    start(&workers[1], 1, 1, 131);
    erx_gate_leave(first);
    finish(&workers[0]);
    finish(&workers[1]);
    erx_gate_counters_t counters = erx_gate_counters(gate);
    ck_assert_uint_eq(counters.products, 2);
    ck_assert_uint_eq(counters.late, 0);
}
END_TEST

/* A gate through the syscall: named weights, packed at first sight, shared from
 * then on. */
static erx_matmul_t *matmul;

static void *run_program(void *argument)
{
    worker_t *worker = argument;
    erx_rng_t rng = erx_rng_open(worker->stream);
    int8_t input[COLUMNS];
    int32_t output[ROWS], expected[ROWS];
    erx_program_t program;
    erx_matmul_fault_t fault;
    erx_program_open(&program);
    erx_program_map_product(&program, weights[0], input, output, ROWS, COLUMNS, 7, 7);
    program.machine.seat = worker->seat;
    worker->is_right = true;
    for (uint32_t i = 0; i < worker->count; i++) {
        erx_rng_fill(&rng, input, sizeof input);
        erx_plain_product(weights[0], input, expected, ROWS, COLUMNS);
        worker->is_right &=
            erx_program_multiply(&program, matmul, ROWS, COLUMNS, &fault) == ERX_MATMUL_OK &&
            memcmp(output, expected, sizeof output) == 0;
    }
    erx_gate_leave(worker->seat);
    return NULL;
}

START_TEST(test_programs_share_products)
{
    worker_t workers[SEATS];
    erx_matmul_config_t config = erx_matmul_config_default();
    erx_error_t error;
    config.cache_bytes = (size_t)1 << 20;
    ck_assert_int_eq(erx_matmul_open(&config, &matmul, &error), ERX_OK);
    open_gate(SEATS, 200000);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < SEATS; i++)
            workers[i] = (worker_t){.seat = join(), .count = 20, .stream = 140 + i};
        for (uint32_t i = 0; i < SEATS; i++)
            ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, run_program, &workers[i]), 0);
        for (uint32_t i = 0; i < SEATS; i++)
            finish(&workers[i]);
        erx_matrix_cache_settle(erx_matmul_cache(matmul));
    }
    /* All of the second round at least. */
    ck_assert_uint_ge(erx_gate_counters(gate).answers, SEATS * 20);
    erx_matmul_close(matmul);
}
END_TEST

/* Seeded schedules: threads join, multiply, dawdle, rest, leave and join again. */

static void dawdle(erx_rng_t *rng)
{
    switch (erx_rng_range(rng, 0, 5)) {
    case 0:
        (void)sched_yield();
        break;
    case 1:
        erx_clock_sleep_until(erx_clock_now() + (uint64_t)erx_rng_range(rng, 0, 300000));
        break;
    case 2:
        for (volatile int64_t i = erx_rng_range(rng, 0, 20000); i > 0; i--)
            ;
        break;
    default:
        break;
    }
}

static void *wander(void *argument)
{
    worker_t *worker = argument;
    erx_rng_t rng = erx_rng_open(worker->stream);
    uint32_t favourite = 0;
    worker->is_right = true;
    for (uint32_t i = 0; i < STEPS; i++) {
        switch (erx_rng_range(&rng, 0, 19)) {
        case 0:
            erx_gate_rest(worker->seat);
            break;
        case 1:
            erx_gate_leave(worker->seat);
            dawdle(&rng);
            worker->seat = join();
            break;
        case 2:
            favourite = (uint32_t)erx_rng_range(&rng, 0, MATRICES - 1);
            break;
        default:
            dawdle(&rng);
            worker->is_right &= multiply(worker->seat, favourite, &rng);
        }
    }
    erx_gate_leave(worker->seat);
    return NULL;
}

START_TEST(test_schedules)
{
    erx_rng_t rng = erx_rng_open(150);
    for (uint32_t schedule = 0; schedule < SCHEDULES; schedule++) {
        worker_t workers[SEATS];
        uint32_t count = (uint32_t)erx_rng_range(&rng, 1, SEATS);
        /* No window, short ones, and one that only a deadlock would reach. */
        uint64_t windows[] = {0, 1, 50000, 300000, 2000000};
        open_gate(SEATS, windows[erx_rng_range(&rng, 0, ERX_COUNT(windows) - 1)]);
        for (uint32_t i = 0; i < count; i++)
            workers[i] = (worker_t){.seat = join(), .stream = erx_rng_next(&rng)};
        for (uint32_t i = 0; i < count; i++)
            ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, wander, &workers[i]), 0);
        for (uint32_t i = 0; i < count; i++)
            finish(&workers[i]);
        teardown();
    }
}
END_TEST

/* Without dawdling seats nothing but the arrival of all ends a wait: a lost
 * wake-up would show as a late product. */
START_TEST(test_nobody_is_late_when_all_multiply)
{
    for (uint32_t round = 0; round < 20; round++) {
        worker_t workers[SEATS];
        open_gate(SEATS, WINDOW_LONG);
        for (uint32_t i = 0; i < SEATS; i++)
            start(&workers[i], (i + round) % 3, 50, 160 + i);
        for (uint32_t i = 0; i < SEATS; i++)
            finish(&workers[i]);
        ck_assert_uint_eq(erx_gate_counters(gate).late, 0);
        ck_assert_uint_eq(erx_gate_counters(gate).answers, SEATS * 50);
        teardown();
    }
}
END_TEST

Suite *gate_suite(void)
{
    Suite *suite = suite_create("gate");
    TCase *tcase = tcase_create("seats");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_limits_are_checked);
    tcase_add_test(tcase, test_lone_seat_does_not_wait);
    tcase_add_test(tcase, test_seats_share_products);
    tcase_add_test(tcase, test_seat_that_leaves_frees_those_who_wait);
    tcase_add_test(tcase, test_resting_seat_is_not_waited_for);
    tcase_add_test(tcase, test_program_that_faults_is_not_waited_for);
    tcase_add_test(tcase, test_window_ends_the_wait_for_a_busy_seat);
    tcase_add_test(tcase, test_different_matrices_do_not_wait_for_each_other);
    tcase_add_test(tcase, test_programs_share_products);
    tcase_add_test(tcase, test_schedules);
    tcase_add_test(tcase, test_nobody_is_late_when_all_multiply);
    suite_add_tcase(suite, tcase);
    return suite;
}
