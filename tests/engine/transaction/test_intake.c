#include "engine/transaction/intake.h"
#include "mem/alloc.h"
#include "sched/clock.h"
#include "tests/engine/transaction/transaction_suites.h"
#include "tests/support/rng.h"
#include "tests/support/transaction_plan.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define TIMEOUT_SECONDS 120
#define PACKETS         48u /* different ones; every third is good */
#define SENDERS         4u
#define ROUNDS          24u /* of random shapes */
#define WAIT_NS         UINT64_C(60000000000)

typedef enum { GOOD, BAD_SIGNATURE, MALFORMED, KINDS } kind_t;

typedef struct {
    uint8_t bytes[ERX_PACKET_BYTES_MAX];
    size_t size;
} packet_t;

/* Made before threads start, which then only read them. */
static packet_t packets[PACKETS];

static kind_t kind_of(uint64_t number)
{
    return number % PACKETS % KINDS;
}

static void make_packets(void)
{
    for (uint64_t i = 0; i < PACKETS; i++) {
        packets[i].size = erx_plan_numbered(i, packets[i].bytes);
        if (kind_of(i) == BAD_SIGNATURE)
            packets[i].bytes[1] ^= 1;
        if (kind_of(i) == MALFORMED)
            packets[i].size--;
    }
}

static erx_intake_t *open_intake(uint32_t slot_count, uint32_t worker_count)
{
    const erx_intake_settings_t settings = {slot_count, worker_count};
    erx_intake_t *intake = NULL;
    erx_error_t error = {0};
    make_packets();
    ck_assert_msg(erx_intake_open(&settings, &intake, &error) == ERX_OK, "%s", error.text);
    return intake;
}

static erx_status_t submit(erx_intake_t *intake, uint64_t number)
{
    const packet_t *packet = &packets[number % PACKETS];
    return erx_intake_submit(intake, packet->bytes, packet->size, number);
}

/* Whether the item is what its tag says. */
static bool is_right(const erx_intake_item_t *item)
{
    static const erx_transaction_error_t errors[KINDS] = {
        ERX_TRANSACTION_OK, ERX_TRANSACTION_SIGNATURE_FAILURE, ERX_TRANSACTION_SANITIZE_FAILURE};
    static const erx_key_t no_hash;
    const packet_t *packet = &packets[item->tag % PACKETS];
    kind_t kind = kind_of(item->tag);
    return item->bytes == packet->size && memcmp(item->packet, packet->bytes, item->bytes) == 0 &&
           item->error == errors[kind] &&
           item->fault == (kind == MALFORMED ? ERX_MESSAGE_TRUNCATED : ERX_MESSAGE_GOOD) &&
           item->message.packet == (kind == MALFORMED ? NULL : item->packet) &&
           erx_key_equals(&item->message_hash, &no_hash) == (kind != GOOD);
}

static const erx_intake_item_t *take_waiting(erx_intake_t *intake)
{
    uint64_t deadline = erx_clock_now() + WAIT_NS;
    const erx_intake_item_t *item;
    while ((item = erx_intake_take(intake)) == NULL && erx_clock_now() < deadline)
        sched_yield();
    ck_assert_msg(item != NULL, "nothing was verified in time");
    return item;
}

START_TEST(test_without_threads_packets_are_ready_at_once)
{
    erx_intake_t *intake = open_intake(4, ERX_INTAKE_WORKERS_INLINE);
    ck_assert_ptr_null(erx_intake_take(intake));
    for (uint64_t number = 0; number < 100; number++) {
        ck_assert_int_eq(submit(intake, number), ERX_OK);
        const erx_intake_item_t *item = erx_intake_take(intake);
        ck_assert_ptr_nonnull(item);
        ck_assert_uint_eq(item->tag, number);
        ck_assert(is_right(item));
        ck_assert_ptr_null(erx_intake_take(intake));
        erx_intake_release(intake, 1);
    }
    erx_intake_counts_t counts = erx_intake_counts(intake);
    ck_assert_uint_eq(counts.accepted, 100);
    ck_assert_uint_eq(counts.refused, 0);
    ck_assert_uint_eq(counts.bad, 66); /* all but every third, from the first */
    erx_intake_close(intake);
}
END_TEST

START_TEST(test_all_slots_in_use_until_released)
{
    erx_intake_t *intake = open_intake(4, ERX_INTAKE_WORKERS_INLINE);
    for (uint64_t number = 0; number < 4; number++)
        ck_assert_int_eq(submit(intake, number), ERX_OK);
    ck_assert_int_eq(submit(intake, 4), ERX_ERR_FULL);
    const erx_intake_item_t *first = erx_intake_take(intake);
    const erx_intake_item_t *second = erx_intake_take(intake);
    ck_assert_int_eq(submit(intake, 4), ERX_ERR_FULL); /* taken, and still in use */
    ck_assert(is_right(first) && first->tag == 0);
    ck_assert(is_right(second) && second->tag == 1);
    erx_intake_release(intake, 1);
    ck_assert_int_eq(submit(intake, 4), ERX_OK);
    ck_assert_int_eq(submit(intake, 5), ERX_ERR_FULL);
    ck_assert(is_right(second) && second->tag == 1);
    ck_assert_uint_eq(erx_intake_counts(intake).accepted, 5);
    ck_assert_uint_eq(erx_intake_counts(intake).refused, 3);
    erx_intake_close(intake);
}
END_TEST

/* A packet's whole way, on the calling thread. */
START_TEST(test_nothing_is_allocated_after_open)
{
    erx_intake_t *intake = open_intake(8, ERX_INTAKE_WORKERS_INLINE);
    erx_message_keys_t keys;
    uint32_t resolved = 0;
    uint64_t before = erx_alloc_thread_bytes();
    for (uint64_t number = 0; number < 30; number++) {
        bool accepted = submit(intake, number) == ERX_OK;
        const erx_intake_item_t *item = erx_intake_take(intake);
        resolved += accepted && item->error == ERX_TRANSACTION_OK &&
                    erx_message_resolve(&item->message, 1, NULL, NULL, &keys) == ERX_MESSAGE_GOOD;
        erx_intake_release(intake, 1);
    }
    uint64_t after = erx_alloc_thread_bytes();
    ck_assert_uint_eq(resolved, 10);
    ck_assert_uint_eq(after - before, 0);
    erx_intake_close(intake);
}
END_TEST

START_TEST(test_packets_of_impossible_sizes_are_refused)
{
    static const uint8_t bytes[ERX_PACKET_BYTES_MAX + 1];
    erx_intake_t *intake = open_intake(2, ERX_INTAKE_WORKERS_INLINE);
    ck_assert_int_eq(erx_intake_submit(intake, bytes, 0, 1), ERX_ERR_RANGE);
    ck_assert_int_eq(erx_intake_submit(intake, bytes, sizeof bytes, 1), ERX_ERR_RANGE);
    ck_assert_uint_eq(erx_intake_counts(intake).accepted, 0);
    ck_assert_int_eq(erx_intake_submit(intake, bytes, ERX_PACKET_BYTES_MAX, 1), ERX_OK);
    ck_assert_int_eq(erx_intake_take(intake)->error, ERX_TRANSACTION_SANITIZE_FAILURE);
    erx_intake_close(intake);
}
END_TEST

/* Malformed packets are done long before good ones, by other workers. */
START_TEST(test_order_is_that_of_submission)
{
    static const uint32_t workers[] = {1, 2, 4};
    erx_intake_t *intake = open_intake(16, workers[_i]);
    uint64_t sent = 0;
    for (uint64_t taken = 0; taken < 1000;) {
        while (sent < 1000 && submit(intake, sent) == ERX_OK)
            sent++;
        const erx_intake_item_t *item = take_waiting(intake);
        ck_assert_uint_eq(item->tag, taken);
        ck_assert(is_right(item));
        taken++;
        erx_intake_release(intake, 1);
    }
    ck_assert_ptr_null(erx_intake_take(intake));
    ck_assert_uint_eq(erx_intake_counts(intake).accepted, 1000);
    erx_intake_close(intake);
}
END_TEST

typedef struct {
    erx_intake_t *intake;
    uint64_t count; /* of packets to send */
    uint64_t stream;
    uint32_t index;
    uint64_t refused;
} sender_t;

/* Sends its own numbers in order, at a pace that follows from the seed. */
static void *send_all(void *argument)
{
    sender_t *sender = argument;
    erx_rng_t rng = erx_rng_open(sender->stream);
    for (uint64_t i = 0; i < sender->count; i++) {
        while (submit(sender->intake, sender->index + SENDERS * i) == ERX_ERR_FULL) {
            sender->refused++;
            sched_yield();
        }
        if (erx_rng_range(&rng, 0, 7) == 0)
            sched_yield();
    }
    return NULL;
}

/* Takes total packets in groups of a random size, held for a while as a block
 * holds them, and checks that each sender's packets are in its order. */
static void take_all(erx_intake_t *intake, uint32_t slot_count, uint64_t total, erx_rng_t *rng)
{
    uint64_t next[SENDERS] = {0};
    for (uint64_t taken = 0; taken < total;) {
        const erx_intake_item_t *held[4];
        uint32_t wanted = (uint32_t)erx_rng_range(rng, 1, ERX_MIN(4, slot_count));
        uint32_t count = 0;
        while (count < wanted && taken + count < total)
            held[count++] = take_waiting(intake);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t sender = (uint32_t)(held[i]->tag % SENDERS);
            if (!is_right(held[i]) || held[i]->tag / SENDERS != next[sender]++)
                ck_abort_msg("packet %llu", (unsigned long long)held[i]->tag);
        }
        erx_intake_release(intake, count);
        taken += count;
    }
}

/* All senders send count packets each to an intake of that shape. */
static void run_senders(erx_intake_settings_t shape, uint64_t count, uint64_t stream)
{
    erx_intake_t *intake = open_intake(shape.slot_count, shape.worker_count);
    erx_rng_t rng = erx_rng_open(stream);
    pthread_t threads[SENDERS];
    sender_t senders[SENDERS];
    for (uint32_t i = 0; i < SENDERS; i++) {
        senders[i] = (sender_t){intake, count, erx_rng_next(&rng), i, 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    take_all(intake, shape.slot_count, SENDERS * count, &rng);
    uint64_t refused = 0;
    for (uint32_t i = 0; i < SENDERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        refused += senders[i].refused;
    }
    ck_assert_ptr_null(erx_intake_take(intake));
    ck_assert_uint_eq(erx_intake_counts(intake).accepted, SENDERS * count);
    ck_assert_uint_eq(erx_intake_counts(intake).refused, refused);
    erx_intake_close(intake);
}

START_TEST(test_many_senders_and_workers)
{
    static const erx_intake_settings_t shapes[] = {{4, 1}, {4, 3}, {64, 2}, {64, 0}};
    run_senders(shapes[_i], 400, (uint64_t)_i);
}
END_TEST

START_TEST(test_random_shapes)
{
    erx_rng_t rng = erx_rng_open(77);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const erx_intake_settings_t shape = {
            .slot_count = 2u << erx_rng_range(&rng, 0, 4),
            .worker_count = (uint32_t)erx_rng_range(&rng, 0, 5),
        };
        run_senders(shape, (uint64_t)erx_rng_range(&rng, 0, 60), erx_rng_next(&rng));
    }
}
END_TEST

/* At every moment, also with packets that nobody verified or took. */
START_TEST(test_close_under_load)
{
    for (uint64_t round = 0; round < 60; round++) {
        erx_intake_t *intake = open_intake(64, 1 + (uint32_t)round % 3);
        for (uint64_t number = 0; number < round; number++)
            ck_assert_int_eq(submit(intake, number), ERX_OK);
        if (round % 2 == 0 && round > 0)
            (void)take_waiting(intake);
        erx_intake_close(intake);
    }
    erx_intake_close(NULL);
}
END_TEST

/* Priorities of this process' threads with that name; returns how many. */
static uint32_t read_priorities(const char *prefix, int *priority_out)
{
    DIR *directory = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(directory);
    uint32_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[300], name[32] = "";
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fgets(name, sizeof name, file) != NULL && strncmp(name, prefix, strlen(prefix)) == 0) {
            count++;
            *priority_out = getpriority(PRIO_PROCESS, (id_t)strtoul(entry->d_name, NULL, 10));
        }
        (void)fclose(file);
    }
    (void)closedir(directory);
    return count;
}

START_TEST(test_workers_have_low_priority)
{
    int before = getpriority(PRIO_PROCESS, 0);
    erx_intake_t *intake = open_intake(4, 2);
    for (uint64_t number = 0; number < 8; number++) {
        ck_assert_int_eq(submit(intake, number), ERX_OK);
        (void)take_waiting(intake);
        erx_intake_release(intake, 1);
    }
    int priority = -100;
    ck_assert_uint_eq(read_priorities("erx-verify-", &priority), 2);
    ck_assert_int_eq(read_priorities("erx-verify-1", &priority), 1);
    ck_assert_int_eq(priority, ERX_MAX(before, 10));
    ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), before); /* ours is as it was */
    erx_intake_close(intake);
    ck_assert_uint_eq(read_priorities("erx-verify-", &priority), 0);
}
END_TEST

START_TEST(test_settings_out_of_range_are_refused)
{
    static const erx_intake_settings_t settings[] = {
        {0, 1}, {1, 1}, {3, 1}, {6, 1}, {ERX_INTAKE_SLOTS_MAX * 2, 1}, {UINT32_MAX, 1}, {4, 65}};
    for (size_t i = 0; i < ERX_COUNT(settings); i++) {
        erx_intake_t *intake = NULL;
        erx_error_t error;
        ck_assert_int_eq(erx_intake_open(&settings[i], &intake, &error), ERX_ERR_RANGE);
        ck_assert_ptr_null(intake);
        const char *name = settings[i].worker_count == 1 ? "slot_count is" : "worker_count is";
        ck_assert_msg(strstr(error.text, name) != NULL, "%s", error.text);
    }
}
END_TEST

Suite *intake_suite(void)
{
    Suite *suite = suite_create("intake");
    TCase *tcase = tcase_create("intake");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_test(tcase, test_without_threads_packets_are_ready_at_once);
    tcase_add_test(tcase, test_all_slots_in_use_until_released);
    tcase_add_test(tcase, test_nothing_is_allocated_after_open);
    tcase_add_test(tcase, test_packets_of_impossible_sizes_are_refused);
    tcase_add_loop_test(tcase, test_order_is_that_of_submission, 0, 3);
    tcase_add_loop_test(tcase, test_many_senders_and_workers, 0, 4);
    tcase_add_test(tcase, test_random_shapes);
    tcase_add_test(tcase, test_close_under_load);
    tcase_add_test(tcase, test_workers_have_low_priority);
    tcase_add_test(tcase, test_settings_out_of_range_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
