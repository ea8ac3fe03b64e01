#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"

static abi_rig_t rig;

static void setup(void)
{
    abi_rig_make(&rig);
    abi_rig_open(&rig);
}

static void teardown(void)
{
    abi_rig_end(&rig);
}

START_TEST(a_slow_reader_gets_the_newest_state)
{
    erx_session_ref_t session = abi_rig_session(&rig, 1);
    erx_session_info_t info = {.struct_size = sizeof info};
    erx_watch_event_t event = {.struct_size = sizeof event};
    erx_watch_t *watch;
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), 0);
    ck_assert_int_eq(erx_rollup_watch(rig.rollup, &info.session_state, NULL, 1, &watch), 0);
    ck_assert(!erx_watch_next(watch, &event));
    abi_rig_play(&rig, &session, 1, 5);
    ck_assert(erx_watch_next(watch, &event));
    ck_assert_uint_eq(event.slot, rig.slot);
    ck_assert_uint_eq(event.dropped, 4);
    ck_assert(!erx_watch_next(watch, &event));
    ck_assert_int_eq(erx_rollup_close_session(rig.rollup, session), 0);
    abi_rig_seal(&rig, false);
    ck_assert(erx_watch_next(watch, &event));
    ck_assert(event.removed);
    erx_watch_close(watch);
    ck_assert(!erx_watch_next(watch, &event));
}
END_TEST

START_TEST(a_watch_of_an_owner_tells_of_all_its_accounts)
{
    erx_watch_t *watch;
    erx_watch_event_t event = {.struct_size = sizeof event};
    erx_metrics_t metrics = {.struct_size = sizeof metrics};
    uint32_t count = 0;
    ck_assert_int_eq(erx_rollup_watch(rig.rollup, NULL, &rig.config.program, 2, &watch), 0);
    erx_session_ref_t session = abi_rig_session(&rig, 1);
    abi_rig_play(&rig, &session, 1, 1);
    while (erx_watch_next(watch, &event))
        count++;
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(event.dropped, 1);
    ck_assert_int_eq(erx_rollup_metrics(rig.rollup, &metrics), 0);
    ck_assert_uint_eq(metrics.watch_drops, 1);
    ck_assert_uint_eq(metrics.frames, 1);
    ck_assert_uint_eq(metrics.sessions[2], 1);
    erx_watch_close(watch);
    ck_assert_int_eq(erx_rollup_watch(rig.rollup, NULL, NULL, 2, &watch), ERX_STATUS_ARGUMENT);
    ck_assert_int_eq(erx_rollup_watch(rig.rollup, NULL, &rig.config.program, 0, &watch),
                     ERX_STATUS_RANGE);
}
END_TEST

static bool count_key(void *context, const erx_pubkey_t *key)
{
    (void)key;
    (*(uint32_t *)context)++;
    return true;
}

START_TEST(a_scan_filters_by_size_and_bytes)
{
    static const uint8_t tag[8] = {0x51, 0x73, 0xa3, 0xc2, 0xfd, 0x5a, 0x76, 0x27};
    uint32_t count = 0;
    const erx_account_filter_t filters[] = {{.size = 256}, {.bytes = tag, .size = sizeof tag}};
    (void)abi_rig_session(&rig, 1);
    (void)abi_rig_session(&rig, 2);
    abi_rig_seal(&rig, true);
    ck_assert_int_eq(
        erx_rollup_scan_accounts(rig.rollup, &rig.config.program, filters, 2, count_key, &count),
        0);
    ck_assert_uint_eq(count, 2);
    count = 0;
    ck_assert_int_eq(
        erx_rollup_scan_accounts(rig.rollup, &rig.config.program, NULL, 0, count_key, &count), 0);
    ck_assert_uint_ge(count, 8);
    ck_assert_int_eq(
        erx_rollup_scan_accounts(rig.rollup, &rig.config.program, filters, 9, count_key, &count),
        ERX_STATUS_RANGE);
}
END_TEST

Suite *watches_suite(void)
{
    Suite *suite = suite_create("watches");
    TCase *tests = tcase_create("watches");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_slow_reader_gets_the_newest_state);
    tcase_add_test(tests, a_watch_of_an_owner_tells_of_all_its_accounts);
    tcase_add_test(tests, a_scan_filters_by_size_and_bytes);
    suite_add_tcase(suite, tests);
    return suite;
}
