/* Calls in any order with any handles: each is refused or done, none crashes. */
#include <stdlib.h>
#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"
#include "tests/support/rng.h"

#define CALLS   4000u
#define HANDLES 6u

static abi_rig_t rig;

static void setup(void)
{
    abi_rig_make(&rig);
}

static void teardown(void)
{
    abi_rig_end(&rig);
}

/* What the calls are made with: live, dead and made-up handles. */
typedef struct {
    erx_rng_t rng;
    erx_rollup_t *rollups[HANDLES];
    erx_watch_t *watches[HANDLES];
    erx_matmul_gate_t *gates[HANDLES];
    erx_matmul_seat_t *seats[HANDLES];
    erx_simulation_t *simulations[HANDLES];
    erx_session_ref_t sessions[HANDLES];
    uint8_t bytes[2048];
} monkey_t;

/* A number below limit. */
static uint32_t draw(monkey_t *monkey, uint32_t limit)
{
    return (uint32_t)erx_rng_range(&monkey->rng, 0, limit - 1);
}

static uint32_t any(monkey_t *monkey)
{
    return draw(monkey, HANDLES);
}

static void call_control(monkey_t *monkey, erx_rollup_t *rollup)
{
    const erx_block_result_t *result;
    erx_block_config_t block;
    erx_session_config_t terms;
    erx_account_image_t image = {.struct_size = sizeof image, .key = abi_rig_key(3)};
    erx_session_ref_t *session = &monkey->sessions[any(monkey)];
    size_t size;
    erx_block_config_default(&block);
    block.slot = erx_rollup_processed_slot(rollup) + draw(monkey, 3);
    block.crank = true;
    erx_session_config_default(&terms);
    terms.model_id = ABI_MODEL_ID + (draw(monkey, 8) == 0);
    terms.session_id = draw(monkey, 6);
    terms.stage = (uint8_t)draw(monkey, 40);
    terms.wait_for_join = draw(monkey, 2) == 0;
    switch (draw(monkey, 12)) {
    case 0:
    case 1:
    case 2:
        (void)erx_rollup_seal(rollup, &block, &result);
        break;
    case 3:
    case 4:
        (void)erx_rollup_create_session(rollup, &terms, session);
        break;
    case 5:
        (void)erx_rollup_join_session(rollup, *session, &image.key, terms.stage);
        break;
    case 6:
        (void)erx_rollup_close_session(rollup, *session);
        break;
    case 7:
        (void)erx_rollup_export_session(rollup, *session, monkey->bytes, sizeof monkey->bytes,
                                        &size);
        break;
    case 8:
        (void)erx_rollup_import_session(rollup, monkey->bytes, sizeof monkey->bytes, session);
        break;
    case 9:
        (void)erx_rollup_put_account(rollup, &image);
        break;
    case 10:
        (void)erx_rollup_remove_account(rollup, &image.key);
        break;
    default:
        (void)erx_rollup_seat_bot(rollup, *session, terms.stage % 3, "nowhere");
        break;
    }
}

static void call_any_thread(monkey_t *monkey, erx_rollup_t *rollup)
{
    erx_metrics_t metrics = {.struct_size = sizeof metrics};
    erx_session_info_t info = {.struct_size = sizeof info};
    erx_watch_event_t event = {.struct_size = sizeof event};
    erx_pubkey_t key = abi_rig_key(3);
    uint32_t i = any(monkey);
    switch (draw(monkey, 13)) {
    case 0:
        (void)erx_rollup_input(rollup, monkey->sessions[i], i % 3, monkey->bytes);
        break;
    case 1:
        (void)erx_rollup_session(rollup, monkey->sessions[i], &info);
        break;
    case 2:
        (void)erx_rollup_metrics(rollup, &metrics);
        break;
    case 3:
        erx_watch_close(monkey->watches[i]);
        (void)erx_rollup_watch(rollup, &key, NULL, i, &monkey->watches[i]);
        break;
    case 4:
        (void)erx_watch_next(monkey->watches[i], &event);
        break;
    case 5:
        (void)erx_matmul_gate_close(monkey->gates[i]);
        (void)erx_matmul_gate_open(rollup, i, 1000, &monkey->gates[i]);
        break;
    case 6:
        erx_matmul_gate_leave(monkey->seats[i]);
        (void)erx_matmul_gate_join(monkey->gates[any(monkey)], &monkey->seats[i]);
        break;
    case 7:
        erx_simulation_close(monkey->simulations[i]);
        (void)erx_rollup_simulate(rollup, monkey->bytes, any(monkey) * 40, NULL,
                                  &monkey->simulations[i]);
        break;
    case 8:
        (void)erx_rollup_submit(rollup, monkey->bytes, any(monkey) * 40, NULL);
        break;
    case 9:
        (void)erx_rollup_find_session(rollup, &key, &info);
        break;
    case 10:
        (void)erx_rollup_health(rollup);
        break;
    case 11:
        (void)erx_simulation_result(monkey->simulations[i]);
        break;
    default:
        (void)erx_rollup_blockhash(rollup, monkey->bytes, NULL, NULL);
        break;
    }
}

/* Watches, gates and seats of a rollup end before it. */
static void close_parts(monkey_t *monkey)
{
    for (uint32_t i = 0; i < HANDLES; i++) {
        erx_watch_close(monkey->watches[i]);
        erx_matmul_gate_leave(monkey->seats[i]);
        erx_simulation_close(monkey->simulations[i]);
    }
    for (uint32_t i = 0; i < HANDLES; i++)
        (void)erx_matmul_gate_close(monkey->gates[i]);
}

START_TEST(any_calls_in_any_order)
{
    static monkey_t monkey;
    monkey.rng = erx_rng_open(0xab1);
    erx_rng_fill(&monkey.rng, monkey.bytes, sizeof monkey.bytes);
    abi_rig_open(&rig);
    monkey.rollups[0] = rig.rollup;
    ck_assert_int_eq(erx_rollup_open(&rig.config, &monkey.rollups[1]), 0);
    monkey.rollups[2] = NULL;
    monkey.rollups[3] = (erx_rollup_t *)(uintptr_t)erx_rng_next(&monkey.rng);
    ck_assert_int_eq(erx_rollup_open(&rig.config, &monkey.rollups[4]), 0);
    ck_assert_int_eq(erx_rollup_close(monkey.rollups[4]), 0);
    monkey.rollups[5] = rig.rollup;
    for (uint32_t i = 0; i < CALLS; i++) {
        erx_rollup_t *rollup = monkey.rollups[any(&monkey)];
        if (draw(&monkey, 2) == 0)
            call_control(&monkey, rollup);
        else
            call_any_thread(&monkey, rollup);
    }
    close_parts(&monkey);
    ck_assert_int_eq(erx_rollup_close(monkey.rollups[1]), 0);
    ck_assert_int_eq(erx_rollup_health(rig.rollup), 0);
}
END_TEST

START_TEST(what_contradicts_itself_is_refused)
{
    const uint8_t *const seeds[] = {NULL};
    const size_t sizes[] = {4};
    erx_pubkey_t address;
    erx_session_ref_t session;
    erx_session_config_t terms;
    abi_rig_open(&rig);
    ck_assert_int_eq(erx_find_program_address(seeds, sizes, 1, &rig.config.program, &address, NULL),
                     ERX_STATUS_ARGUMENT);
    erx_session_config_default(&terms);
    terms.session_id = 3;
    terms.model_id = ABI_MODEL_ID;
    terms.stage = 31;
    terms.players[0].bytes[0] = terms.players[1].bytes[0] = 9;
    ck_assert_int_eq(erx_rollup_create_session(rig.rollup, &terms, &session), ERX_STATUS_ARGUMENT);
    terms.players[1].bytes[0] = 8;
    ck_assert_int_eq(erx_rollup_create_session(rig.rollup, &terms, &session), 0);
    const erx_account_image_t image = {.struct_size = sizeof image, .flags = 8};
    ck_assert_int_eq(erx_rollup_put_account(rig.rollup, &image), ERX_STATUS_RANGE);
}
END_TEST

START_TEST(a_struct_too_small_takes_nothing_away)
{
    erx_watch_t *watch;
    erx_watch_event_t event = {.struct_size = 4};
    abi_rig_open(&rig);
    ck_assert_int_eq(erx_rollup_watch(rig.rollup, NULL, &rig.config.program, 8, &watch), 0);
    (void)abi_rig_session(&rig, 1);
    abi_rig_seal(&rig, false);
    ck_assert(!erx_watch_next(watch, &event));
    event.struct_size = sizeof event;
    for (uint32_t i = 0; i < 3; i++) /* a session's accounts */
        ck_assert(erx_watch_next(watch, &event));
    ck_assert(!erx_watch_next(watch, &event));
    erx_watch_close(watch);
}
END_TEST

Suite *misuse_suite(void)
{
    Suite *suite = suite_create("misuse");
    TCase *tests = tcase_create("misuse");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, any_calls_in_any_order);
    tcase_add_test(tests, what_contradicts_itself_is_refused);
    tcase_add_test(tests, a_struct_too_small_takes_nothing_away);
    suite_add_tcase(suite, tests);
    return suite;
}
