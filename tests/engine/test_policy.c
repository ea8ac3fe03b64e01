/* Seats of policies: what they answer does not depend on company, workers or
 * history beyond the context; playing allocates nothing. */
#include "engine/policy.h"
#include "kernels/ref/policy_ref.h"
#include "kernels/select.h"
#include "mem/alloc.h"
#include "tests/engine/engine_suites.h"
#include "tests/support/policy_fixture.h"
#include "tests/support/rng.h"
#include "tests/support/scratch.h"

#include <string.h>

#define SEATS   75u
#define FRAMES  12u
#define CONTEXT 3u /* of the fixture */

static char directory[ERX_SCRATCH_PATH_MAX];
static erx_policy_fixture_t fixture;
static erx_policy_tensors_t tensors;
static erx_error_t error;
static erx_world_t worlds[FRAMES][SEATS]; /* what seat i is shown in each frame */
static uint8_t answers[FRAMES][SEATS][ERX_CONTROLLER_BYTES];

static void setup(void)
{
    erx_rng_t rng = erx_rng_open(0);
    erx_scratch_make(directory);
    erx_policy_fixture_make(&erx_policy_fixture_small, 3, &fixture);
    erx_policy_fixture_write(&fixture, directory);
    erx_policy_bind(&fixture.shape, fixture.weights, &tensors);
    for (uint32_t f = 0; f < FRAMES; f++)
        for (uint32_t i = 0; i < SEATS; i++) {
            const uint8_t characters[ERX_PLAYERS] = {(uint8_t)(i % 26), 2};
            erx_world_t *world = &worlds[f][i];
            erx_world_start(world, 31, characters);
            for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
                world->S[p][ERX_S_X] = (int32_t)erx_rng_range(&rng, -(100 << 16), 100 << 16);
                world->S[p][ERX_S_Y] = (int32_t)erx_rng_range(&rng, 0, 50 << 16);
                world->category[p * ERX_PLAYER_CATEGORIES] = (uint16_t)erx_rng_range(&rng, 0, 399);
                erx_rng_fill(&rng, world->control[p], ERX_CONTROLLER_BYTES);
            }
        }
}

static void teardown(void)
{
    erx_policy_fixture_free(&fixture);
    erx_scratch_remove(directory);
}

static erx_policy_t *open_policy(erx_gang_t *gang, uint32_t capacity)
{
    const erx_policy_config_t config = {
        .kernel = erx_kernel_best(), .gang = gang, .seat_capacity = capacity};
    erx_policy_t *policy = NULL;
    ck_assert_msg(erx_policy_open(&policy, directory, &config, &error) == ERX_OK, "%s", error.text);
    return policy;
}

static erx_policy_seat_terms_t terms_of(uint32_t i)
{
    return (erx_policy_seat_terms_t){.player = i % 2, .seed = i * 7, .steady = i % 5 == 0};
}

static uint32_t take_seat(erx_policy_t *policy, uint32_t i)
{
    const erx_policy_seat_terms_t terms = terms_of(i);
    uint32_t seat = UINT32_MAX;
    ck_assert_int_eq(erx_policy_seat_create(policy, &terms, &seat, &error), ERX_OK);
    return seat;
}

/* The definition, one seat at a time: the reference and the dice. */
static void expect_answers(void)
{
    for (uint32_t f = 0; f < FRAMES; f++)
        for (uint32_t i = 0; i < SEATS; i++) {
            const erx_policy_seat_terms_t terms = terms_of(i);
            erx_world_t seen[CONTEXT];
            int32_t outputs[ERX_POLICY_OUTPUTS];
            uint64_t dice[ERX_POLICY_DICE];
            uint8_t control[ERX_CONTROLLER_BYTES];
            for (uint32_t k = 0; k < CONTEXT; k++)
                seen[k] = worlds[f + k < CONTEXT - 1 ? 0 : f + k - (CONTEXT - 1)][i];
            erx_ref_policy(&tensors, seen, terms.player, outputs);
            erx_policy_dice(terms.seed, f, terms.player, dice);
            erx_policy_decide(outputs, worlds[f][i].control[terms.player],
                              terms.steady ? NULL : dice, control);
            ck_assert_mem_eq(answers[f][i], control, sizeof control);
        }
}

/* Plays all seats of all frames in calls of at most `some` turns. */
static void play_all(erx_policy_t *policy, uint32_t some)
{
    uint32_t seats[SEATS];
    for (uint32_t i = 0; i < SEATS; i++)
        seats[i] = take_seat(policy, i);
    for (uint32_t f = 0; f < FRAMES; f++)
        for (uint32_t first = 0; first < SEATS; first += some) {
            erx_policy_turn_t turns[SEATS];
            uint32_t count = ERX_MIN(some, SEATS - first);
            for (uint32_t i = 0; i < count; i++)
                turns[i] = (erx_policy_turn_t){
                    .seat = seats[first + i], .frame = f, .world = &worlds[f][first + i]};
            erx_policy_play(policy, turns, count);
            for (uint32_t i = 0; i < count; i++)
                memcpy(answers[f][first + i], turns[i].control, ERX_CONTROLLER_BYTES);
        }
}

START_TEST(test_answers_are_the_reference_for_any_number_of_turns)
{
    static const uint32_t sizes[] = {1, 7, ERX_POLICY_LANES, SEATS};
    erx_policy_t *policy = open_policy(NULL, SEATS);
    ck_assert_str_eq(erx_policy_name(policy), "fixture");
    play_all(policy, sizes[_i]);
    erx_policy_close(policy);
    expect_answers();
}
END_TEST

START_TEST(test_answers_are_the_same_from_several_workers)
{
    erx_topo_t topo;
    erx_gang_t *gang;
    ck_assert_int_eq(erx_topo_read(NULL, &topo, &error), ERX_OK);
    ck_assert_int_eq(erx_gang_open(&topo, ERX_MIN(topo.cpu_count, 2u), &gang, &error), ERX_OK);
    erx_policy_t *policy = open_policy(gang, SEATS);
    play_all(policy, SEATS);
    erx_policy_close(policy);
    erx_gang_close(gang);
    expect_answers();
}
END_TEST

START_TEST(test_a_new_seat_remembers_nothing)
{
    erx_policy_t *policy = open_policy(NULL, 1);
    erx_policy_turn_t turn = {.frame = 0, .world = &worlds[0][4]};
    turn.seat = take_seat(policy, 4);
    for (uint32_t f = 5; f < 9; f++) {
        turn.world = &worlds[f][4];
        erx_policy_play(policy, &turn, 1);
    }
    erx_policy_seat_end(policy, turn.seat);
    turn = (erx_policy_turn_t){.seat = take_seat(policy, 4), .world = &worlds[0][4]};
    erx_policy_play(policy, &turn, 1);
    uint8_t again[ERX_CONTROLLER_BYTES];
    memcpy(again, turn.control, sizeof again);
    erx_policy_close(policy);
    policy = open_policy(NULL, 1);
    turn = (erx_policy_turn_t){.seat = take_seat(policy, 4), .world = &worlds[0][4]};
    erx_policy_play(policy, &turn, 1);
    ck_assert_mem_eq(turn.control, again, sizeof again);
    erx_policy_close(policy);
}
END_TEST

START_TEST(test_seats_are_counted)
{
    erx_policy_t *policy = open_policy(NULL, 2);
    const erx_policy_seat_terms_t wrong = {.player = 2}, right = {.player = 1};
    uint32_t seat;
    ck_assert_int_eq(erx_policy_seat_create(policy, &wrong, &seat, &error), ERX_ERR_RANGE);
    ck_assert_uint_eq(take_seat(policy, 0), 0);
    ck_assert_uint_eq(take_seat(policy, 1), 1);
    ck_assert_int_eq(erx_policy_seat_create(policy, &right, &seat, &error), ERX_ERR_FULL);
    erx_policy_seat_end(policy, 0);
    ck_assert_uint_eq(take_seat(policy, 3), 0);
    erx_policy_close(policy);
}
END_TEST

START_TEST(test_impossible_capacities_are_refused)
{
    const uint32_t capacities[] = {0, ERX_POLICY_SEATS_MAX + 1};
    for (uint32_t i = 0; i < ERX_COUNT(capacities); i++) {
        const erx_policy_config_t config = {.kernel = erx_kernel_best(),
                                            .seat_capacity = capacities[i]};
        erx_policy_t *policy;
        ck_assert_int_eq(erx_policy_open(&policy, directory, &config, &error), ERX_ERR_RANGE);
    }
}
END_TEST

START_TEST(test_playing_allocates_nothing)
{
    erx_policy_t *policy = open_policy(NULL, SEATS);
    play_all(policy, SEATS);
    erx_policy_turn_t turns[SEATS];
    for (uint32_t i = 0; i < SEATS; i++)
        turns[i] = (erx_policy_turn_t){.seat = i, .world = &worlds[0][i]};
    uint64_t before = erx_alloc_thread_bytes();
    erx_policy_play(policy, turns, SEATS);
    uint64_t after = erx_alloc_thread_bytes();
    ck_assert_uint_eq(after, before);
    erx_policy_close(policy);
}
END_TEST

Suite *policy_suite(void)
{
    Suite *suite = suite_create("policy");
    TCase *all = tcase_create("policy");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_loop_test(all, test_answers_are_the_reference_for_any_number_of_turns, 0, 4);
    tcase_add_test(all, test_answers_are_the_same_from_several_workers);
    tcase_add_test(all, test_a_new_seat_remembers_nothing);
    tcase_add_test(all, test_seats_are_counted);
    tcase_add_test(all, test_impossible_capacities_are_refused);
    tcase_add_test(all, test_playing_allocates_nothing);
    suite_add_tcase(suite, all);
    return suite;
}
