#include "engine/block.h"

#include "tests/engine/engine_suites.h"
#include "tests/engine/rig.h"

#include <string.h>

#define SESSIONS 6u
#define CAPACITY 4u /* of a block */

/* Two models without weights: a block looks at their sessions only. */
static erx_model_t models[2];
static erx_frame_t frames[CAPACITY];
static erx_block_t block;

static void setup(void)
{
    static const uint32_t one_node[] = {1};
    for (uint32_t m = 0; m < ERX_COUNT(models); m++) {
        erx_error_t error = {0};
        ck_assert_int_eq(erx_session_pool_open(&models[m].sessions, &erx_fixture_micro, SESSIONS, 1,
                                               one_node, NULL, &error),
                         ERX_OK);
    }
    block = (erx_block_t){.frame_capacity = CAPACITY, .frames = frames};
    erx_block_begin(&block, 1, 1000);
}

static void teardown(void)
{
    for (uint32_t m = 0; m < ERX_COUNT(models); m++)
        erx_session_pool_close(&models[m].sessions);
}

START_TEST(test_a_block_holds_what_was_added_in_order)
{
    erx_session_t *a = rig_session_start(&models[0], 0, 0);
    erx_session_t *b = rig_session_start(&models[1], 1, 0);
    ck_assert_int_eq(erx_block_add(&block, &models[1], b), ERX_OK);
    ck_assert_int_eq(erx_block_add(&block, &models[0], a), ERX_OK);
    ck_assert_uint_eq(block.number, 1);
    ck_assert_int_eq(block.timestamp, 1000);
    ck_assert_uint_eq(block.frame_count, 2);
    ck_assert_ptr_eq(frames[0].session, b);
    ck_assert_ptr_eq(frames[0].model, &models[1]);
    ck_assert_ptr_eq(frames[1].session, a);
    ck_assert_ptr_eq(frames[1].model, &models[0]);
}
END_TEST

START_TEST(test_a_session_is_in_a_block_at_most_once)
{
    erx_session_t *session = rig_session_start(&models[0], 0, 0);
    ck_assert_int_eq(erx_block_add(&block, &models[0], session), ERX_OK);
    ck_assert_int_eq(erx_block_add(&block, &models[0], session), ERX_ERR_STATE);
    erx_block_add_all(&block, &models[0]);
    ck_assert_uint_eq(block.frame_count, 1);
    erx_block_begin(&block, 2, 1000);
    ck_assert_uint_eq(block.frame_count, 0);
    ck_assert_int_eq(erx_block_add(&block, &models[0], session), ERX_OK);
}
END_TEST

START_TEST(test_sessions_that_are_not_active_are_refused)
{
    static const erx_session_status_t refused[] = {ERX_SESSION_CREATED, ERX_SESSION_WAITING,
                                                   ERX_SESSION_ENDED};
    erx_session_t *session = rig_session_start(&models[0], 0, 0);
    for (size_t i = 0; i < ERX_COUNT(refused); i++) {
        session->status = refused[i];
        ck_assert_int_eq(erx_block_add(&block, &models[0], session), ERX_ERR_STATE);
        erx_block_add_all(&block, &models[0]);
        ck_assert_uint_eq(block.frame_count, 0);
    }
    session->status = ERX_SESSION_ACTIVE;
    ck_assert_int_eq(erx_block_add(&block, &models[0], session), ERX_OK);
}
END_TEST

START_TEST(test_a_full_block_refuses)
{
    erx_session_t *last = NULL;
    for (uint32_t i = 0; i <= CAPACITY; i++)
        last = rig_session_start(&models[0], i, 0);
    erx_block_add_all(&block, &models[0]);
    ck_assert_uint_eq(block.frame_count, CAPACITY);
    ck_assert_int_eq(erx_block_add(&block, &models[0], last), ERX_ERR_FULL);
    /* It did not count as being in the block. */
    erx_block_begin(&block, 2, 1000);
    ck_assert_int_eq(erx_block_add(&block, &models[0], last), ERX_OK);
}
END_TEST

START_TEST(test_all_active_sessions_in_slot_order)
{
    erx_session_t *sessions[CAPACITY];
    for (uint32_t i = 0; i < CAPACITY; i++)
        sessions[i] = rig_session_start(&models[0], i, 0);
    erx_session_end(&models[0].sessions, sessions[1]);
    erx_block_add_all(&block, &models[0]);
    ck_assert_uint_eq(block.frame_count, CAPACITY - 1);
    ck_assert_ptr_eq(frames[0].session, sessions[0]);
    ck_assert_ptr_eq(frames[1].session, sessions[2]);
    ck_assert_ptr_eq(frames[2].session, sessions[3]);
}
END_TEST

/* Inputs count that were there when the session was added, and the last input
 * of a player stays until another comes. */
START_TEST(test_a_frame_takes_the_inputs_of_its_moment)
{
    static const uint8_t none[ERX_CONTROLLER_BYTES];
    uint8_t early[ERX_PLAYERS][ERX_CONTROLLER_BYTES], late[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    rig_controls(0, 0, early);
    rig_controls(1, 0, late);
    erx_session_t *session = rig_session_start(&models[0], 0, 0);
    erx_arena_input(session->arena, 0, 0, early[0]);
    ck_assert_int_eq(erx_block_add(&block, &models[0], session), ERX_OK);
    erx_arena_input(session->arena, 0, 0, late[0]);
    ck_assert_mem_eq(frames[0].control[0], early[0], ERX_CONTROLLER_BYTES);
    ck_assert_mem_eq(frames[0].control[1], none, ERX_CONTROLLER_BYTES);
    erx_block_begin(&block, 2, 1000);
    erx_arena_input(session->arena, 1, 1, late[1]);
    ck_assert_int_eq(erx_block_add(&block, &models[0], session), ERX_OK);
    ck_assert_mem_eq(frames[0].control, late, sizeof late);
}
END_TEST

Suite *block_suite(void)
{
    Suite *suite = suite_create("block");
    TCase *tcase = tcase_create("block");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_a_block_holds_what_was_added_in_order);
    tcase_add_test(tcase, test_a_session_is_in_a_block_at_most_once);
    tcase_add_test(tcase, test_sessions_that_are_not_active_are_refused);
    tcase_add_test(tcase, test_a_full_block_refuses);
    tcase_add_test(tcase, test_all_active_sessions_in_slot_order);
    tcase_add_test(tcase, test_a_frame_takes_the_inputs_of_its_moment);
    suite_add_tcase(suite, tcase);
    return suite;
}
