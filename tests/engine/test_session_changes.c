/* What happens to sessions besides frames: a second player joins, chunks of a
 * frame come, a transaction fails. */
#include "engine/block.h"
#include "engine/session.h"

#include <string.h>

#include "tests/engine/engine_suites.h"
#include "tests/engine/rig.h"

#define CAPACITY 3u

static erx_model_t model; /* without weights: only its sessions are looked at */
static erx_event_log_t session_log;
static erx_session_pool_t *const pool = &model.sessions;

static const uint8_t second_key[ERX_KEY_BYTES] = {2, 2, 2};

static void setup(void)
{
    static const uint32_t one_node[] = {1};
    erx_error_t error = {0};
    ck_assert_int_eq(
        erx_session_pool_open(pool, &erx_fixture_micro, CAPACITY, 1, one_node, NULL, &error),
        ERX_OK);
    ck_assert_int_eq(erx_event_log_open(&session_log, CAPACITY, pool->arena_bytes, &error), ERX_OK);
    pool->log = &session_log;
}

static void teardown(void)
{
    erx_event_log_close(&session_log);
    erx_session_pool_close(pool);
}

static erx_session_t *create(bool waits)
{
    erx_session_terms_t terms = {.waits = waits,
                                 .stage = 2,
                                 .characters = {1, waits ? 0 : 9},
                                 .max_frames = 77,
                                 .created_at = 1000,
                                 .players = {{1, 1, 1}}};
    if (!waits)
        memcpy(terms.players[1], second_key, sizeof second_key);
    uint64_t handle = 0;
    erx_error_t error;
    ck_assert_int_eq(erx_session_create(pool, &terms, &handle, &error), ERX_OK);
    return erx_session_find(pool, handle);
}

START_TEST(test_a_waiting_session_is_not_stepped)
{
    erx_frame_t frames[1];
    erx_block_t block = {.frame_capacity = 1, .frames = frames};
    const erx_session_t *session = create(true);
    ck_assert_int_eq(session->status, ERX_SESSION_WAITING);
    ck_assert_int_eq(erx_arena_status(session->arena), ERX_SESSION_WAITING);
    ck_assert_uint_eq(session->arena[82 + 31], 1); /* the first player's character */
    ck_assert_uint_eq(session->arena[82 + 25], 0); /* nobody has stocks yet */
    erx_block_begin(&block, 1, 1);
    erx_block_add_all(&block, &model);
    ck_assert_uint_eq(block.frame_count, 0);
}
END_TEST

START_TEST(test_who_joins_plays_as_if_both_had_started)
{
    erx_error_t error;
    erx_session_t *joined = create(true);
    ck_assert_int_eq(erx_session_join(pool, joined, second_key, 9, 1000, &error), ERX_OK);
    const erx_session_t *started = create(false);
    ck_assert_int_eq(joined->status, ERX_SESSION_ACTIVE);
    ck_assert_mem_eq(joined->arena, started->arena, pool->arena_bytes);
    ck_assert_uint_eq(joined->frame_hash, started->frame_hash);
    ck_assert_int_eq(erx_session_join(pool, joined, second_key, 9, 1000, &error), ERX_ERR_STATE);
    ck_assert_int_eq(erx_session_join(pool, create(true), second_key, ERX_CHARACTERS, 1000, &error),
                     ERX_ERR_RANGE);
}
END_TEST

START_TEST(test_a_sequence_is_the_players)
{
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {7};
    erx_session_t *session = create(false);
    erx_session_input_at(pool, session, 1, control, 50);
    ck_assert_uint_eq(erx_arena_input_sequence(session->arena, 0), 0);
    ck_assert_uint_eq(erx_arena_input_sequence(session->arena, 1), 50);
    ck_assert(!erx_arena_input_ready(session->arena, 0, 0));
    ck_assert(erx_arena_input_ready(session->arena, 0, 1));
    ck_assert(!erx_arena_input_ready(session->arena, 1, 1));
    erx_session_input(pool, session, 1, control);
    ck_assert_uint_eq(erx_arena_input_sequence(session->arena, 1), 51);
}
END_TEST

START_TEST(test_a_frame_in_chunks_has_the_first_ones_controllers)
{
    static const uint8_t early[ERX_CONTROLLER_BYTES] = {1}, late[ERX_CONTROLLER_BYTES] = {2};
    erx_frame_t frames[1];
    erx_block_t block = {.frame_capacity = 1, .frames = frames};
    erx_session_t *session = create(false);
    erx_session_input(pool, session, 0, early);
    erx_session_chunk(pool, session, 3);
    erx_session_input(pool, session, 0, late);
    erx_session_chunk(pool, session, 5);
    ck_assert_uint_eq(erx_arena_next_layer(session->arena), 5);
    erx_block_begin(&block, 1, 1);
    ck_assert_int_eq(erx_block_add(&block, &model, session), ERX_OK);
    ck_assert_mem_eq(frames[0].control[0], early, sizeof early);
    /* The frame is over: the next one has what InputBuffer holds. */
    erx_arena_publish(session->arena, 1, ERX_SESSION_ACTIVE, 5);
    ck_assert_uint_eq(erx_arena_next_layer(session->arena), 0);
    erx_block_begin(&block, 2, 1);
    ck_assert_int_eq(erx_block_add(&block, &model, session), ERX_OK);
    ck_assert_mem_eq(frames[0].control[0], late, sizeof late);
}
END_TEST

START_TEST(test_what_a_failed_transaction_did_is_undone)
{
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {9, 9};
    erx_error_t error;
    erx_session_mark_t marks[4];
    erx_session_t *waiting = create(true), *active = create(false);
    erx_session_input(pool, active, 0, control);
    uint8_t arenas[2][ERX_ARENA_RECURRENT];
    memcpy(arenas[0], waiting->arena, sizeof arenas[0]);
    memcpy(arenas[1], active->arena, sizeof arenas[1]);
    const erx_session_t entries[] = {*waiting, *active};
    const erx_event_log_mark_t held = session_log.held;

    erx_session_mark(pool, waiting, &marks[0]);
    ck_assert_int_eq(erx_session_join(pool, waiting, second_key, 4, 3, &error), ERX_OK);
    erx_session_input(pool, waiting, 1, control);
    erx_session_mark(pool, NULL, &marks[1]);
    erx_session_t *third = create(false);
    erx_session_mark(pool, active, &marks[2]);
    erx_session_chunk(pool, active, 1);
    erx_session_mark(pool, NULL, &marks[3]); /* the pool is full */
    ck_assert_ptr_null(marks[3].session);
    ck_assert_uint_ne(session_log.held.event_count, held.event_count);
    for (uint32_t i = ERX_COUNT(marks); i > 0; i--)
        erx_session_restore(pool, &marks[i - 1]);

    ck_assert_mem_eq(waiting->arena, arenas[0], sizeof arenas[0]);
    ck_assert_mem_eq(active->arena, arenas[1], sizeof arenas[1]);
    ck_assert_mem_eq(waiting, &entries[0], sizeof entries[0]);
    ck_assert_mem_eq(active, &entries[1], sizeof entries[1]);
    ck_assert_mem_eq(&session_log.held, &held, sizeof held);
    ck_assert_uint_eq(pool->used_count, 2);
    ck_assert_uint_eq(third->generation, 0);
    ck_assert_ptr_eq(create(false), third);
}
END_TEST

START_TEST(test_a_spare_pool_takes_one_model_that_fits)
{
    static const uint32_t one_node[] = {1};
    erx_session_pool_t spare;
    erx_error_t error;
    uint32_t bytes = (uint32_t)erx_arena_bytes(&erx_fixture_micro);
    ck_assert_int_eq(
        erx_session_pool_open_spare(&spare, bytes + 1, CAPACITY, 1, one_node, NULL, &error),
        ERX_ERR_RANGE);
    ck_assert_int_eq(
        erx_session_pool_open_spare(&spare, bytes, CAPACITY, 1, one_node, NULL, &error), ERX_OK);
    ck_assert_int_eq(erx_session_pool_bind(&spare, &erx_fixture_small, &error), ERX_ERR_RANGE);
    ck_assert(!spare.has_model);
    ck_assert_int_eq(erx_session_pool_bind(&spare, &erx_fixture_micro, &error), ERX_OK);
    ck_assert_int_eq(erx_session_pool_bind(&spare, &erx_fixture_micro, &error), ERX_ERR_STATE);
    erx_session_pool_release(&spare);
    ck_assert_int_eq(erx_session_pool_bind(&spare, &erx_fixture_micro, &error), ERX_OK);
    erx_session_pool_close(&spare);
}
END_TEST

Suite *session_changes_suite(void)
{
    Suite *suite = suite_create("session_changes");
    TCase *tcase = tcase_create("session_changes");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_a_waiting_session_is_not_stepped);
    tcase_add_test(tcase, test_who_joins_plays_as_if_both_had_started);
    tcase_add_test(tcase, test_a_sequence_is_the_players);
    tcase_add_test(tcase, test_a_frame_in_chunks_has_the_first_ones_controllers);
    tcase_add_test(tcase, test_what_a_failed_transaction_did_is_undone);
    tcase_add_test(tcase, test_a_spare_pool_takes_one_model_that_fits);
    suite_add_tcase(suite, tcase);
    return suite;
}
