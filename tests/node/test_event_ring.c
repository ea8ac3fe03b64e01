#include "node/event_ring.h"
#include "tests/node/node_suites.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define EVENTS 200000u

static erx_event_ring_t ring;

START_TEST(test_a_full_ring_refuses_and_loses_nothing)
{
    static erx_block_event_t events[ERX_EVENT_RING_SLOTS + 1];
    memset(&ring, 0, sizeof ring);
    ck_assert_ptr_null(erx_event_ring_pop(&ring));
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < ERX_EVENT_RING_SLOTS; i++)
            ck_assert(erx_event_ring_push(&ring, &events[i]));
        ck_assert(!erx_event_ring_push(&ring, &events[ERX_EVENT_RING_SLOTS]));
        ck_assert_uint_eq(erx_event_ring_depth(&ring), ERX_EVENT_RING_SLOTS);
        for (uint32_t i = 0; i < ERX_EVENT_RING_SLOTS; i++)
            ck_assert_ptr_eq(erx_event_ring_pop(&ring), &events[i]);
        ck_assert_ptr_null(erx_event_ring_pop(&ring));
        ck_assert_uint_eq(erx_event_ring_depth(&ring), 0);
    }
}
END_TEST

/* Counters that are about to wrap, as after months. */
START_TEST(test_counters_wrap)
{
    erx_block_event_t event;
    memset(&ring, 0, sizeof ring);
    atomic_store(&ring.written, UINT32_MAX - 2);
    atomic_store(&ring.read, UINT32_MAX - 2);
    for (uint32_t i = 0; i < 8; i++) {
        ck_assert(erx_event_ring_push(&ring, &event));
        ck_assert_uint_eq(erx_event_ring_depth(&ring), 1);
        ck_assert_ptr_eq(erx_event_ring_pop(&ring), &event);
        ck_assert_ptr_null(erx_event_ring_pop(&ring));
    }
}
END_TEST

static erx_block_event_t pool[2 * ERX_EVENT_RING_SLOTS]; /* none is reused while it waits */

static void *write_events(void *context)
{
    (void)context;
    for (uint64_t slot = 1; slot <= EVENTS; slot++) {
        erx_block_event_t *event = &pool[slot % (2 * ERX_EVENT_RING_SLOTS)];
        while (erx_event_ring_depth(&ring) == ERX_EVENT_RING_SLOTS)
            (void)sched_yield();
        event->slot = slot;
        while (!erx_event_ring_push(&ring, event))
            (void)sched_yield();
    }
    return NULL;
}

START_TEST(test_two_threads_see_every_event_in_order)
{
    pthread_t writer;
    memset(&ring, 0, sizeof ring);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_events, NULL), 0);
    uint64_t disordered = 0;
    for (uint64_t slot = 1; slot <= EVENTS; slot++) {
        erx_block_event_t *event;
        while ((event = erx_event_ring_pop(&ring)) == NULL)
            (void)sched_yield();
        disordered += event->slot != slot;
    }
    (void)pthread_join(writer, NULL);
    ck_assert_uint_eq(disordered, 0);
}
END_TEST

START_TEST(test_a_watched_key_is_never_missed)
{
    static erx_watch_filter_t filter;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 1000; i++) {
            erx_pubkey_t key = {{0}};
            memcpy(key.bytes + 8, &i, sizeof i);
            erx_watch_filter_add(&filter, &key);
            erx_watch_filter_add(&filter, &key);
            erx_watch_filter_remove(&filter, &key);
            ck_assert(erx_watch_filter_has(&filter, &key));
        }
        for (uint32_t i = 0; i < 1000; i++) {
            erx_pubkey_t key = {{0}};
            memcpy(key.bytes + 8, &i, sizeof i);
            ck_assert(erx_watch_filter_has(&filter, &key));
            erx_watch_filter_remove(&filter, &key);
        }
        for (uint32_t i = 0; i < ERX_WATCH_FILTER_SLOTS; i++)
            ck_assert_uint_eq(filter.counts[i], 0);
    }
}
END_TEST

Suite *event_ring_suite(void)
{
    Suite *suite = suite_create("event_ring");
    TCase *cases = tcase_create("event_ring");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, test_a_full_ring_refuses_and_loses_nothing);
    tcase_add_test(cases, test_counters_wrap);
    tcase_add_test(cases, test_two_threads_see_every_event_in_order);
    tcase_add_test(cases, test_a_watched_key_is_never_missed);
    suite_add_tcase(suite, cases);
    return suite;
}
