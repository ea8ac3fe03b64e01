/* Account bytes, read by a decoder of the test's own at the offsets that
 * clients use. */
#include "engine/account.h"

#include "engine/sha256.h"
#include "mem/alloc.h"
#include "tests/engine/engine_suites.h"
#include "tests/engine/rig.h"
#include "tests/support/rng.h"

#include <string.h>

static uint8_t *arena;
static erx_session_terms_t terms;

static const uint8_t *session_account(void)
{
    return arena + ERX_ARENA_SESSION_STATE;
}

static const uint8_t *input_account(void)
{
    return arena + ERX_ARENA_INPUT_BUFFER;
}

static const uint8_t *hidden_account(void)
{
    return arena + ERX_ARENA_HIDDEN;
}

/* An unsigned little-endian number of size bytes. */
static uint64_t number_at(const uint8_t *account, size_t offset, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)account[offset + i] << (8 * i);
    return value;
}

static int64_t signed_at(const uint8_t *account, size_t offset, size_t size)
{
    uint64_t value = number_at(account, offset, size);
    uint64_t sign = UINT64_C(1) << (8 * size - 1);
    return (int64_t)((value ^ sign) - sign);
}

static void setup(void)
{
    erx_rng_t rng = erx_rng_open(0);
    terms = (erx_session_terms_t){
        .stage = 31,
        .characters = {4, 20},
        .max_frames = 0x12345678,
        .seed = UINT64_C(0xfedcba9876543210),
        .created_at = INT64_C(-1234567890123),
    };
    erx_rng_fill(&rng, terms.players, sizeof terms.players);
    erx_rng_fill(&rng, terms.model, sizeof terms.model);
    arena = erx_alloc(1, erx_arena_bytes(&erx_fixture_small));
    ck_assert_ptr_nonnull(arena);
    erx_arena_start(arena, &erx_fixture_small, &terms);
}

static void teardown(void)
{
    erx_free(arena);
}

static void expect_discriminator(const uint8_t *account, const char *name)
{
    erx_error_t error;
    uint8_t digest[ERX_SHA256_BYTES];
    const erx_sha256_part_t part = {name, strlen(name)};
    ck_assert_int_eq(erx_sha256(&part, 1, digest, &error), ERX_OK);
    ck_assert_mem_eq(account, digest, 8);
}

START_TEST(test_discriminators_are_those_of_the_names)
{
    expect_discriminator(session_account(), "account:SessionState");
    expect_discriminator(input_account(), "account:InputBuffer");
}
END_TEST

START_TEST(test_session_state_has_its_terms)
{
    const uint8_t *account = session_account();
    ck_assert_uint_eq(account[8], 2); /* active */
    ck_assert_uint_eq(number_at(account, 9, 4), 0);
    ck_assert_uint_eq(number_at(account, 13, 4), 0x12345678);
    ck_assert_mem_eq(account + 17, terms.players[0], 32);
    ck_assert_mem_eq(account + 49, terms.players[1], 32);
    ck_assert_uint_eq(account[81], 31);
    ck_assert_mem_eq(account + 146, terms.model, 32);
    ck_assert_int_eq(signed_at(account, 178, 8), INT64_C(-1234567890123));
    ck_assert_int_eq(signed_at(account, 186, 8), INT64_C(-1234567890123));
    ck_assert_uint_eq(number_at(account, 194, 8), UINT64_C(0xfedcba9876543210));
    for (size_t at = 202; at < 256; at++)
        ck_assert_uint_eq(account[at], 0);
}
END_TEST

/* The start of every session: x -30 and +30, facing each other, 4 stocks, 2
 * jumps, shield 60. */
START_TEST(test_players_start_as_the_rules_say)
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        const uint8_t *player = session_account() + 82 + 32 * p;
        ck_assert_int_eq(signed_at(player, 0, 4), (p == 0 ? -30 : 30) * 256);
        ck_assert_int_eq(signed_at(player, 4, 4), 0);
        ck_assert_uint_eq(number_at(player, 8, 2), 0);
        ck_assert_uint_eq(number_at(player, 10, 2), 60 * 256);
        for (size_t at = 12; at < 25; at++)
            ck_assert_uint_eq(player[at], 0); /* speeds, age, hitlag */
        ck_assert_uint_eq(player[25], 4);
        ck_assert_uint_eq(player[26], p == 0);
        ck_assert_uint_eq(player[27], 1);
        ck_assert_uint_eq(player[30], 2);
        ck_assert_uint_eq(player[31], terms.characters[p]);
    }
}
END_TEST

START_TEST(test_hidden_state_header_of_an_mlp)
{
    uint8_t *stack = erx_alloc(1, erx_arena_bytes(&erx_fixture_mlp));
    ck_assert_ptr_nonnull(stack);
    erx_arena_start(stack, &erx_fixture_mlp, &terms);
    const uint8_t *account = stack + (hidden_account() - arena);
    ck_assert_uint_eq(number_at(account, 0, 5), 0); /* no layers, no widths of theirs */
    ck_assert_uint_eq(number_at(account, 5, 4), erx_hidden_data_bytes(&erx_fixture_mlp));
    ck_assert_uint_eq(number_at(account, 13, 1), 1);
    ck_assert_uint_eq(number_at(account, 14, 1), 8);
    erx_free(stack);
}
END_TEST

START_TEST(test_hidden_state_header)
{
    const uint8_t *account = hidden_account();
    const size_t conv_bytes = 6 * (192 + 2 * 10), state_bytes = 2 * 192 * 10;
    const size_t data_bytes = 192 + 2 * (conv_bytes + state_bytes);
    ck_assert_uint_eq(erx_hidden_data_bytes(&erx_fixture_small), data_bytes);
    ck_assert_uint_eq(account[0], 2);
    ck_assert_uint_eq(number_at(account, 1, 2), 192);
    ck_assert_uint_eq(number_at(account, 3, 2), 10);
    ck_assert_uint_eq(number_at(account, 5, 4), data_bytes);
    ck_assert_uint_eq(number_at(account, 9, 4), 0);
    ck_assert_uint_eq(account[13], 1);
    ck_assert_uint_eq(account[14], 16);
    ck_assert_uint_eq(account[15], 0);
    /* The data follow the header: the world state block, then zero states. */
    ck_assert_ptr_eq(account + 16, (const uint8_t *)erx_arena_world(arena));
    for (size_t at = 192; at < data_bytes; at++)
        if (account[16 + at] != 0)
            ck_abort_msg("byte %zu of a new session's recurrent state is %u", at, account[16 + at]);
}
END_TEST

/* value in Q16 as units x 256, and as whole units: halves go up. */
static int64_t units256(int32_t value)
{
    return ((int64_t)value + 128) >> 8;
}

static int64_t units(int32_t value, int64_t greatest)
{
    int64_t whole = ((int64_t)value + 32768) >> 16;
    return whole < 0 ? 0 : whole > greatest ? greatest : whole;
}

/* A state of random values inside the bounds that NUMERICS 7 keeps. */
static void randomize_world(erx_rng_t *rng, erx_world_t *world)
{
    static const int16_t low[ERX_CONTINUOUS] = {0,   -300, -200, 0, -60, -60, -60,
                                                -60, -60,  -1,   0, 0,   0};
    static const int16_t high[ERX_CONTINUOUS] = {999, 300, 300,  60, 60, 60, 60,
                                                 60,  60,  1023, 50, 4,  50};
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            world->S[p][j] =
                (int32_t)erx_rng_range(rng, low[j] * INT64_C(65536), high[j] * INT64_C(65536));
        for (uint32_t j = 0; j < ERX_BINARIES; j++)
            world->binary[p][j] = (uint8_t)erx_rng_range(rng, 0, 1);
    }
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        world->category[k] = (uint16_t)erx_rng_range(rng, 0, erx_category_counts[k] - 1);
}

static void expect_player(const uint8_t *player, const erx_world_t *world, uint32_t p)
{
    const int32_t *S = world->S[p];
    const uint16_t *category = world->category + 7 * p;
    ck_assert_int_eq(signed_at(player, 0, 4), units256(S[1]));
    ck_assert_int_eq(signed_at(player, 4, 4), units256(S[2]));
    ck_assert_int_eq((int64_t)number_at(player, 8, 2), units(S[0], 65535));
    ck_assert_int_eq((int64_t)number_at(player, 10, 2), units256(S[3]));
    for (uint32_t i = 0; i < 5; i++)
        ck_assert_int_eq(signed_at(player, 12 + 2 * i, 2), units256(S[4 + i]));
    ck_assert_int_eq((int64_t)number_at(player, 22, 2), units(S[9], 65535));
    ck_assert_int_eq(player[24], units(S[10], 255));
    ck_assert_int_eq(player[25], units(S[11], 255));
    ck_assert_uint_eq(player[26], world->binary[p][0]);
    ck_assert_uint_eq(player[27], world->binary[p][2]);
    ck_assert_uint_eq(number_at(player, 28, 2), category[0]);
    ck_assert_uint_eq(player[30], category[1]);
    ck_assert_uint_eq(player[31], category[2]);
}

START_TEST(test_publishing_decodes_the_world_state)
{
    erx_rng_t rng = erx_rng_open(1);
    erx_world_t *world = erx_arena_world(arena);
    for (uint32_t frame = 1; frame <= 50; frame++) {
        randomize_world(&rng, world);
        erx_arena_publish(arena, frame * 0x1000193, ERX_SESSION_ENDED, -(int64_t)frame);
        const uint8_t *account = session_account();
        ck_assert_uint_eq(number_at(account, 9, 4), frame * 0x1000193);
        ck_assert_uint_eq(number_at(hidden_account(), 9, 4), frame * 0x1000193);
        ck_assert_uint_eq(account[8], 3);
        ck_assert_int_eq(signed_at(account, 186, 8), -(int64_t)frame);
        expect_player(account + 82, world, 0);
        expect_player(account + 82 + 32, world, 1);
        ck_assert_int_eq(signed_at(account, 178, 8), INT64_C(-1234567890123)); /* as created */
    }
}
END_TEST

/* Publishing writes its fields and nothing beside them. */
START_TEST(test_publishing_leaves_the_rest_alone)
{
    uint8_t before[ERX_ARENA_RECURRENT], after[ERX_ARENA_RECURRENT];
    memcpy(before, arena, sizeof before);
    erx_arena_publish(arena, 1, ERX_SESSION_ACTIVE, 1);
    memcpy(after, arena, sizeof after);
    static const struct {
        size_t begin, end;
    } written[] = {{9, 13}, {82, 146}, {186, 194}, {ERX_ARENA_HIDDEN + 9, ERX_ARENA_HIDDEN + 13}};
    for (size_t i = 0; i < ERX_COUNT(written); i++) {
        memset(before + written[i].begin, 0, written[i].end - written[i].begin);
        memset(after + written[i].begin, 0, written[i].end - written[i].begin);
    }
    ck_assert_mem_eq(before, after, sizeof before);
}
END_TEST

START_TEST(test_inputs_are_kept_by_player_and_frame)
{
    static const uint8_t first[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t second[8] = {255, 254, 253, 252, 251, 250, 249, 248};
    const uint8_t *account = input_account();
    erx_arena_input(arena, 7, 0, first);
    ck_assert_uint_eq(number_at(account, 8, 4), 7);
    ck_assert_mem_eq(account + 12, first, 8);
    ck_assert_uint_eq(account[28], 1);
    ck_assert_uint_eq(account[29], 0);
    erx_arena_input(arena, 7, 1, second);
    ck_assert_mem_eq(account + 12, first, 8);
    ck_assert_mem_eq(account + 20, second, 8);
    ck_assert_uint_eq(account[28], 1);
    ck_assert_uint_eq(account[29], 1);
    /* A new frame takes the other's readiness, and nothing else of it. */
    erx_arena_input(arena, 8, 1, first);
    ck_assert_uint_eq(number_at(account, 8, 4), 8);
    ck_assert_uint_eq(account[28], 0);
    ck_assert_uint_eq(account[29], 1);
    ck_assert_mem_eq(account + 12, first, 8);
    ck_assert_mem_eq(account + 20, first, 8);
    /* The last input of a player and frame counts. */
    erx_arena_input(arena, 8, 1, second);
    ck_assert_mem_eq(account + 20, second, 8);
    ck_assert_uint_eq(number_at(account, 30, 4), 1);
    ck_assert_uint_eq(number_at(account, 34, 4), 3);
    for (size_t at = 38; at < 40; at++)
        ck_assert_uint_eq(account[at], 0);
}
END_TEST

START_TEST(test_controllers_are_read_as_they_were_put)
{
    uint8_t put[ERX_PLAYERS][ERX_CONTROLLER_BYTES], got[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    erx_arena_controls(arena, got);
    for (size_t i = 0; i < sizeof got; i++)
        ck_assert_uint_eq(got[i / 8][i % 8], 0); /* before the first input */
    for (uint32_t frame = 0; frame < 10; frame++) {
        rig_controls(1, frame, put);
        for (uint32_t p = 0; p < ERX_PLAYERS; p++)
            erx_arena_input(arena, frame, p, put[p]);
        erx_arena_controls(arena, got);
        ck_assert_mem_eq(put, got, sizeof put);
    }
}
END_TEST

Suite *account_suite(void)
{
    Suite *suite = suite_create("account");
    TCase *tcase = tcase_create("account");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_discriminators_are_those_of_the_names);
    tcase_add_test(tcase, test_session_state_has_its_terms);
    tcase_add_test(tcase, test_players_start_as_the_rules_say);
    tcase_add_test(tcase, test_hidden_state_header);
    tcase_add_test(tcase, test_hidden_state_header_of_an_mlp);
    tcase_add_test(tcase, test_publishing_decodes_the_world_state);
    tcase_add_test(tcase, test_publishing_leaves_the_rest_alone);
    tcase_add_test(tcase, test_inputs_are_kept_by_player_and_frame);
    tcase_add_test(tcase, test_controllers_are_read_as_they_were_put);
    suite_add_tcase(suite, tcase);
    return suite;
}
