#include "engine/session.h"

#include "tests/engine/engine_suites.h"
#include "tests/engine/rig.h"
#include "tests/support/rng.h"

#include <string.h>

#define CAPACITY 5u

/* The shape of the 15M model. */
static const erx_shape_t large_shape = {.d_model = 512,
                                        .d_inner = 1024,
                                        .d_state = 16,
                                        .layer_count = 12,
                                        .head_count = 16,
                                        .head_dim = 64};

static erx_session_pool_t pool;

static erx_status_t open_pool(uint32_t capacity, uint32_t node_count, const uint32_t *node_shares,
                              erx_error_t *error)
{
    return erx_session_pool_open(&pool, &erx_fixture_micro, capacity, node_count, node_shares, NULL,
                                 error);
}

static void setup(void)
{
    static const uint32_t one_node[] = {1};
    erx_error_t error = {0};
    ck_assert_msg(open_pool(CAPACITY, 1, one_node, &error) == ERX_OK, "%s", error.text);
}

static void teardown(void)
{
    erx_session_pool_close(&pool);
}

static uint64_t create(void)
{
    const erx_session_terms_t terms = {.stage = 2, .characters = {1, 9}, .max_frames = 77};
    uint64_t handle = 0;
    erx_error_t error = {0};
    ck_assert_msg(erx_session_create(&pool, &terms, &handle, &error) == ERX_OK, "%s", error.text);
    return handle;
}

/* Slots that the pool holds to be free. */
static uint32_t free_count(void)
{
    uint32_t count = 0;
    for (uint32_t word = 0; word < ERX_CEIL_DIV(CAPACITY, 64); word++)
        count += (uint32_t)__builtin_popcountll(pool.free_bits[word]);
    return count;
}

START_TEST(test_a_new_session_is_found_by_its_handle)
{
    uint64_t handle = create();
    erx_session_t *session = erx_session_find(&pool, handle);
    ck_assert_ptr_nonnull(session);
    ck_assert_uint_eq(erx_session_handle(session), handle);
    ck_assert_int_eq(session->status, ERX_SESSION_ACTIVE);
    ck_assert_uint_eq(session->frame, 0);
    ck_assert_uint_eq(session->max_frames, 77);
    ck_assert_uint_eq(pool.used_count, 1);
    ck_assert_uint_eq(free_count(), CAPACITY - 1);
    ck_assert_uint_eq((uintptr_t)session->arena % ERX_CACHE_LINE, 0);
}
END_TEST

START_TEST(test_handles_that_never_were_are_refused)
{
    uint64_t handle = create();
    ck_assert_ptr_null(erx_session_find(&pool, 0));
    ck_assert_ptr_null(erx_session_find(&pool, UINT64_MAX));
    for (uint32_t bit = 0; bit < 64; bit++)
        ck_assert_ptr_null(erx_session_find(&pool, handle ^ UINT64_C(1) << bit));
    for (uint32_t slot = 0; slot < 2 * CAPACITY; slot++)
        ck_assert_ptr_null(erx_session_find(&pool, slot)); /* generation 0 */
}
END_TEST

START_TEST(test_a_full_pool_refuses_and_changes_nothing)
{
    const erx_session_terms_t terms = {0};
    uint64_t handle = 42;
    erx_error_t error = {0};
    for (uint32_t i = 0; i < CAPACITY; i++)
        (void)create();
    ck_assert_int_eq(erx_session_create(&pool, &terms, &handle, &error), ERX_ERR_FULL);
    ck_assert_msg(strstr(error.text, "all 5 sessions") != NULL, "%s", error.text);
    ck_assert_uint_eq(handle, 42);
    ck_assert_uint_eq(pool.used_count, CAPACITY);
}
END_TEST

START_TEST(test_an_ended_session_is_gone_and_its_slot_is_free)
{
    uint64_t handles[CAPACITY];
    for (uint32_t i = 0; i < CAPACITY; i++)
        handles[i] = create();
    erx_session_t *session = erx_session_find(&pool, handles[3]);
    memset(session->arena, 0xff, erx_arena_bytes(&pool.shape));
    session->block_number = 12;
    session->frame = 34;
    erx_session_end(&pool, session);
    ck_assert_ptr_null(erx_session_find(&pool, handles[3]));
    ck_assert_int_eq(session->status, ERX_SESSION_ENDED);
    uint64_t next = create();
    ck_assert_ptr_eq(erx_session_find(&pool, next), session);
    ck_assert_uint_ne(next, handles[3]);
    ck_assert_ptr_null(erx_session_find(&pool, handles[3]));
    ck_assert_uint_eq(session->frame, 0);
    ck_assert_uint_eq(session->block_number, 0);
    for (uint32_t i = 0; i < CAPACITY; i++)
        if (i != 3)
            ck_assert_ptr_nonnull(erx_session_find(&pool, handles[i]));
}
END_TEST

/* Nothing of a slot's last session is left to its next. */
START_TEST(test_a_reused_slot_equals_a_fresh_one)
{
    erx_session_t *fresh = erx_session_find(&pool, create());
    erx_session_t *used = erx_session_find(&pool, create());
    memset(used->arena, 0xa5, erx_arena_bytes(&pool.shape));
    erx_session_end(&pool, used);
    ck_assert_ptr_eq(erx_session_find(&pool, create()), used);
    ck_assert_mem_eq(used->arena, fresh->arena, erx_arena_bytes(&pool.shape));
}
END_TEST

START_TEST(test_any_order_of_starts_and_ends)
{
    uint64_t live[CAPACITY];
    uint32_t count = 0;
    erx_rng_t rng = erx_rng_open(0);
    for (uint32_t step = 0; step < 3000; step++) {
        bool start = erx_rng_range(&rng, 0, 1) == 1;
        if (start && count < CAPACITY) {
            live[count++] = create();
        } else if (!start && count > 0) {
            uint32_t i = (uint32_t)erx_rng_range(&rng, 0, count - 1);
            erx_session_end(&pool, erx_session_find(&pool, live[i]));
            if (erx_session_find(&pool, live[i]) != NULL)
                ck_abort_msg("step %u: an ended session is found", step);
            live[i] = live[--count];
        }
        uint64_t slots = 0;
        for (uint32_t i = 0; i < count; i++) {
            const erx_session_t *session = erx_session_find(&pool, live[i]);
            if (session == NULL || (slots & UINT64_C(1) << session->slot) != 0)
                ck_abort_msg("step %u: a session is lost or shares a slot", step);
            slots |= UINT64_C(1) << session->slot;
        }
        if (pool.used_count != count || free_count() != CAPACITY - count)
            ck_abort_msg("step %u: the counts are wrong", step);
    }
}
END_TEST

START_TEST(test_arenas_do_not_overlap)
{
    uint8_t *arenas[CAPACITY];
    size_t bytes = erx_arena_bytes(&pool.shape);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        arenas[i] = erx_session_find(&pool, create())->arena;
        memset(arenas[i], (int)i + 1, bytes);
    }
    for (uint32_t i = 0; i < CAPACITY; i++)
        for (size_t at = 0; at < bytes; at++)
            if (arenas[i][at] != i + 1)
                ck_abort_msg("arena %u overlaps another at %zu", i, at);
}
END_TEST

START_TEST(test_unknown_stages_and_characters_are_refused)
{
    static const struct {
        erx_session_terms_t terms;
        const char *text;
    } refused[] = {
        {{.stage = ERX_STAGES}, "stage: 33"},
        {{.stage = 255}, "stage: 255"},
        {{.characters = {ERX_CHARACTERS, 0}}, "character of player 1: 33"},
        {{.characters = {0, 200}}, "character of player 2: 200"},
    };
    for (size_t i = 0; i < ERX_COUNT(refused); i++) {
        uint64_t handle = 0;
        erx_error_t error = {0};
        ck_assert_int_eq(erx_session_create(&pool, &refused[i].terms, &handle, &error),
                         ERX_ERR_RANGE);
        ck_assert_msg(strstr(error.text, refused[i].text) != NULL, "%s", error.text);
        ck_assert_uint_eq(pool.used_count, 0);
    }
}
END_TEST

START_TEST(test_numbers_of_sessions_out_of_range_are_refused)
{
    static const uint32_t counts[] = {0, ERX_SESSIONS_MAX + 1, UINT32_MAX};
    static const uint32_t one_node[] = {1};
    for (size_t i = 0; i < ERX_COUNT(counts); i++) {
        erx_session_pool_t refused = {0};
        erx_error_t error = {0};
        ck_assert_int_eq(erx_session_pool_open(&refused, &erx_fixture_micro, counts[i], 1, one_node,
                                               NULL, &error),
                         ERX_ERR_RANGE);
        ck_assert_msg(strstr(error.text, "is not in 1 to 65536") != NULL, "%s", error.text);
        ck_assert_ptr_null(refused.sessions);
    }
}
END_TEST

START_TEST(test_sessions_spread_over_nodes_by_their_workers)
{
    static const uint32_t shares[] = {3, 0, 1};
    erx_error_t error = {0};
    teardown();
    ck_assert_int_eq(open_pool(41, ERX_COUNT(shares), shares, &error), ERX_OK);
    uint32_t counts[ERX_COUNT(shares)] = {0};
    for (uint32_t slot = 0; slot < 41; slot++) {
        uint32_t node = pool.sessions[slot].node;
        ck_assert_uint_lt(node, ERX_COUNT(shares));
        counts[node]++;
        /* So that also a few sessions are spread. */
        ck_assert_uint_le(counts[0], 3 * counts[2] + 3);
        ck_assert_uint_le(3 * counts[2], counts[0]);
        const erx_region_t *region = &pool.regions[node];
        ck_assert(pool.sessions[slot].arena >= region->base &&
                  pool.sessions[slot].arena < region->base + region->bytes);
    }
    ck_assert_uint_eq(counts[0], 31);
    ck_assert_uint_eq(counts[1], 0);
    ck_assert_uint_eq(counts[2], 10);
    ck_assert_ptr_null(pool.regions[1].base);
}
END_TEST

START_TEST(test_a_session_costs_little_more_than_its_accounts)
{
    const erx_shape_t *shapes[] = {&erx_fixture_micro, &erx_fixture_small, &large_shape};
    ck_assert_uint_eq(erx_recurrent_bytes(&large_shape), 469248);
    for (size_t i = 0; i < ERX_COUNT(shapes); i++) {
        size_t accounts = 256 + 40 + 16 + 192 + erx_recurrent_bytes(shapes[i]);
        ck_assert_uint_le(erx_session_bytes(shapes[i]), accounts + 3 * ERX_CACHE_LINE);
        ck_assert_uint_ge(erx_session_bytes(shapes[i]), accounts);
    }
}
END_TEST

/* What is mapped, huge pages and all. */
START_TEST(test_a_pool_takes_what_its_sessions_cost)
{
    static const uint32_t one_node[] = {1};
    const uint32_t capacity = 60;
    erx_session_pool_t large;
    erx_error_t error = {0};
    size_t accounts = 256 + 40 + 16 + 192 + erx_recurrent_bytes(&large_shape);
    ck_assert_int_eq(
        erx_session_pool_open(&large, &large_shape, capacity, 1, one_node, NULL, &error), ERX_OK);
    size_t taken = large.regions[0].bytes + capacity * (sizeof(erx_session_t) + sizeof(uint32_t));
    ck_assert_uint_le(10 * taken, 11 * capacity * accounts);
    ck_assert(large.regions[0].sealed);
    erx_session_pool_close(&large);
}
END_TEST

Suite *session_suite(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("session");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_a_new_session_is_found_by_its_handle);
    tcase_add_test(tcase, test_handles_that_never_were_are_refused);
    tcase_add_test(tcase, test_a_full_pool_refuses_and_changes_nothing);
    tcase_add_test(tcase, test_an_ended_session_is_gone_and_its_slot_is_free);
    tcase_add_test(tcase, test_a_reused_slot_equals_a_fresh_one);
    tcase_add_test(tcase, test_any_order_of_starts_and_ends);
    tcase_add_test(tcase, test_arenas_do_not_overlap);
    tcase_add_test(tcase, test_unknown_stages_and_characters_are_refused);
    tcase_add_test(tcase, test_numbers_of_sessions_out_of_range_are_refused);
    tcase_add_test(tcase, test_sessions_spread_over_nodes_by_their_workers);
    tcase_add_test(tcase, test_a_session_costs_little_more_than_its_accounts);
    tcase_add_test(tcase, test_a_pool_takes_what_its_sessions_cost);
    suite_add_tcase(suite, tcase);
    return suite;
}
