#include "node/metrics_text.h"
#include "node/node_clock.h"
#include "node/telemetry.h"
#include "node/thread_cpu.h"
#include "tests/node/node_suites.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static bool has_line(const erx_text_t *text, const char *line)
{
    return memmem(text->bytes, text->length, line, strlen(line)) != NULL;
}

START_TEST(test_what_is_counted_is_shown)
{
    erx_telemetry_t *telemetry = erx_telemetry_open();
    erx_text_t text;
    erx_text_open(&text, 1 << 20);
    erx_telemetry_add(telemetry, ERX_METRIC_FRAMES, 3);
    erx_telemetry_add(telemetry, ERX_METRIC_FRAMES, 4);
    erx_telemetry_set(telemetry, ERX_METRIC_CPU_NETWORK_NS, 1500000000);
    erx_telemetry_observe(telemetry, ERX_TIMING_COMMIT, 30000);
    erx_telemetry_observe(telemetry, ERX_TIMING_COMMIT, UINT64_C(1) << 50);
    erx_telemetry_observe_batch(telemetry, 5);
    erx_telemetry_write(telemetry, &text);
    ck_assert(has_line(&text, "\nerx_frames_total 7\n"));
    ck_assert(has_line(&text, "\nerx_cpu_network_seconds_total 1.500000000\n"));
    ck_assert(has_line(&text, "\nerx_commit_seconds_bucket{le=\"0.000020000\"} 0\n"));
    ck_assert(has_line(&text, "\nerx_commit_seconds_bucket{le=\"0.000040000\"} 1\n"));
    ck_assert(has_line(&text, "\nerx_commit_seconds_bucket{le=\"+Inf\"} 2\n"));
    ck_assert(has_line(&text, "\nerx_commit_seconds_count 2\n"));
    ck_assert(has_line(&text, "\nerx_batch_sessions_bucket{le=\"8\"} 1\n"));
    erx_text_close(&text);
    erx_telemetry_close(telemetry);
}
END_TEST

START_TEST(test_quantiles_are_upper_bounds)
{
    erx_telemetry_t *telemetry = erx_telemetry_open();
    ck_assert_uint_eq(erx_telemetry_quantile(telemetry, ERX_TIMING_RPC, 990), 0);
    for (int i = 0; i < 99; i++)
        erx_telemetry_observe(telemetry, ERX_TIMING_RPC, 15000);
    erx_telemetry_observe(telemetry, ERX_TIMING_RPC, 900000);
    ck_assert_uint_eq(erx_telemetry_quantile(telemetry, ERX_TIMING_RPC, 990), 20000);
    ck_assert_uint_eq(erx_telemetry_quantile(telemetry, ERX_TIMING_RPC, 1000), 1280000);
    erx_telemetry_close(telemetry);
}
END_TEST

START_TEST(test_what_is_shown_can_be_read)
{
    erx_telemetry_t *telemetry = erx_telemetry_open();
    erx_text_t before, text;
    erx_text_open(&before, 1 << 20);
    erx_text_open(&text, 1 << 20);
    erx_telemetry_observe(telemetry, ERX_TIMING_BLOCK, 5000000); /* before the first reading */
    erx_telemetry_write(telemetry, &before);
    erx_telemetry_add(telemetry, ERX_METRIC_TICKS, 42);
    for (int i = 0; i < 9; i++)
        erx_telemetry_observe(telemetry, ERX_TIMING_BLOCK, 100000);
    erx_telemetry_observe(telemetry, ERX_TIMING_BLOCK, 1000000);
    erx_telemetry_write(telemetry, &text);
    ck_assert_double_eq(erx_metrics_text_value(text.bytes, text.length, "erx_ticks_total"), 42);
    ck_assert_double_eq(erx_metrics_text_value(text.bytes, text.length, "erx_ticks"), 0);
    ck_assert_double_eq(erx_metrics_text_quantile(text.bytes, text.length, before.bytes,
                                                  before.length, "erx_block_seconds", 0.9),
                        0.00016);
    ck_assert_double_eq(erx_metrics_text_quantile(text.bytes, text.length, before.bytes,
                                                  before.length, "erx_block_seconds", 0.99),
                        0.00128);
    ck_assert_double_eq(erx_metrics_text_quantile(text.bytes, text.length, text.bytes, text.length,
                                                  "erx_block_seconds", 0.5),
                        0);
    erx_text_close(&before);
    erx_text_close(&text);
    erx_telemetry_close(telemetry);
}
END_TEST

START_TEST(test_what_is_not_known_is_not_shown)
{
    erx_telemetry_t *telemetry = erx_telemetry_open();
    erx_text_t text;
    erx_text_open(&text, 1 << 20);
    erx_telemetry_set(telemetry, ERX_METRIC_CPU_WORKERS_NS, ERX_METRIC_UNKNOWN);
    erx_telemetry_write(telemetry, &text);
    ck_assert(!has_line(&text, "erx_cpu_workers_seconds_total"));
    ck_assert(has_line(&text, "\nerx_cpu_verify_seconds_total 0.000000000\n"));
    erx_telemetry_set(telemetry, ERX_METRIC_CPU_WORKERS_NS, 20000000);
    erx_telemetry_write(telemetry, &text);
    ck_assert(has_line(&text, "\nerx_cpu_workers_seconds_total 0.020000000\n"));
    erx_text_close(&text);
    erx_telemetry_close(telemetry);
}
END_TEST

START_TEST(test_lines_about_threads_are_read)
{
    static const char *const wrong[] = {"", "7 erx-verify R 1", "7 (a) R 1 2 3", "7 )(",
                                        "7 (a-name-too-long-for-it) R 1 1 1 1 1 1 1 1 1 1 2 3"};
    char name[16];
    uint64_t ticks;
    ck_assert(
        erx_thread_stat_read("71 (erx-worker-1) S 1 2 3 4 -1 5 6 7 8 9 40 2 0 0 20", name, &ticks));
    ck_assert_str_eq(name, "erx-worker-1");
    ck_assert_uint_eq(ticks, 42);
    ck_assert(erx_thread_stat_read("71 (a) (b) R 1 2 3 4 -1 5 6 7 8 9 1 0", name, &ticks));
    ck_assert_str_eq(name, "a) (b");
    for (size_t i = 0; i < ERX_ARRAY_COUNT(wrong); i++)
        ck_assert_msg(!erx_thread_stat_read(wrong[i], name, &ticks), "%s", wrong[i]);
}
END_TEST

/* Runs until it is told to stop, so that it has taken time. */
static void *take_time(void *stop)
{
    while (!atomic_load_explicit((atomic_bool *)stop, memory_order_relaxed))
        continue;
    return NULL;
}

START_TEST(test_time_of_threads_is_found_by_name)
{
    atomic_bool stop = false;
    pthread_t thread;
    erx_thread_group_t groups[] = {{.prefix = "busy-test"}, {.prefix = "no-such-thread"}};
    ck_assert_int_eq(pthread_create(&thread, NULL, take_time, &stop), 0);
    ck_assert_int_eq(pthread_setname_np(thread, "busy-test-1"), 0);
    uint64_t give_up = erx_node_now() + 20 * ERX_SECOND_NS;
    do
        erx_thread_cpu_read(groups, ERX_ARRAY_COUNT(groups));
    while (groups[0].ns == 0 && erx_node_now() < give_up);
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(groups[0].threads, 1);
    ck_assert_uint_gt(groups[0].ns, 0);
    ck_assert_uint_eq(groups[1].threads, 0);
}
END_TEST

Suite *telemetry_suite(void)
{
    Suite *suite = suite_create("telemetry");
    TCase *tests = tcase_create("telemetry");
    tcase_add_test(tests, test_what_is_counted_is_shown);
    tcase_add_test(tests, test_quantiles_are_upper_bounds);
    tcase_add_test(tests, test_what_is_shown_can_be_read);
    tcase_add_test(tests, test_what_is_not_known_is_not_shown);
    tcase_add_test(tests, test_lines_about_threads_are_read);
    tcase_add_test(tests, test_time_of_threads_is_found_by_name);
    suite_add_tcase(suite, tests);
    return suite;
}
