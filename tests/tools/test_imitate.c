/* Training: it learns a rule, the same bytes whatever the threads. */
#include "tests/support/scratch.h"
#include "tests/tools/imitating_suites.h"
#include "tests/tools/policy_trial.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS 400u

static char directory[ERX_SCRATCH_PATH_MAX];
static char games_path[ERX_SCRATCH_PATH_MAX];
static erx_sequences_t sequences;
static erx_error_t error;

static void setup(void)
{
    erx_scratch_make(directory);
    (void)snprintf(games_path, sizeof games_path, "%s", erx_scratch_file(directory, "games"));
    policy_trial_games(games_path);
    ck_assert_int_eq(erx_sequences_open(&sequences, games_path, &error), ERX_OK);
}

static void teardown(void)
{
    erx_sequences_close(&sequences);
    erx_scratch_remove(directory);
}

static void measure(const erx_parameters_t *checkpoint, erx_policy_measure_t *measure_out)
{
    erx_policy_float_t policy;
    erx_policy_float_answerer_t answerer;
    erx_policy_sample_t *samples;
    uint32_t count;
    ck_assert_int_eq(erx_policy_float_bind(&policy, checkpoint, &error), ERX_OK);
    ck_assert_int_eq(erx_policy_samples_list(&sequences, true, 1, &samples, &count, &error),
                     ERX_OK);
    ck_assert_uint_eq(count, 2 * (POLICY_TRIAL_FRAMES - 1) * ERX_PLAYERS); /* of two test games */
    ck_assert_int_eq(erx_policy_float_answerer_open(&answerer, &policy, &error), ERX_OK);
    erx_policy_measure(measure_out, &sequences, samples, count, erx_policy_float_answer, &answerer);
    erx_policy_float_answerer_close(&answerer);
    free(samples);
}

START_TEST(test_a_rule_is_learned_and_holds_in_games_that_were_held_out)
{
    erx_parameters_t checkpoint;
    erx_policy_measure_t before, after;
    policy_trial_train(&sequences, 5, 0, 1, &checkpoint);
    measure(&checkpoint, &before);
    erx_parameters_close(&checkpoint);
    policy_trial_train(&sequences, 5, STEPS, 0, &checkpoint);
    measure(&checkpoint, &after);
    erx_parameters_close(&checkpoint);
    ck_assert_double_lt(after.loss, 0.6 * before.loss);
    const erx_policy_score_t *score = &after.scores[ERX_GUESS_POLICY];
    const erx_policy_score_t *again = &after.scores[ERX_GUESS_REPEAT];
    ck_assert_uint_gt(score->agreeing[0] * 100, score->moments * 97);
    ck_assert_uint_lt(again->agreeing[0] * 100, again->moments * 60);
    ck_assert_uint_eq(after.scores[ERX_GUESS_NEUTRAL].agreeing[1], score->moments);
    ck_assert_double_lt(erx_policy_score_stick(score), 0.05);
}
END_TEST

START_TEST(test_threads_do_not_change_a_byte_but_seeds_do)
{
    erx_parameters_t one, three, other;
    bool differs = false;
    policy_trial_train(&sequences, 5, 12, 1, &one);
    policy_trial_train(&sequences, 5, 12, 3, &three);
    policy_trial_train(&sequences, 6, 12, 1, &other);
    ck_assert_uint_eq(one.count, three.count);
    for (uint32_t i = 0; i < one.count; i++) {
        size_t bytes = one.tensors[i].count * sizeof(float);
        ck_assert_str_eq(one.tensors[i].name, three.tensors[i].name);
        ck_assert_mem_eq(one.tensors[i].values, three.tensors[i].values, bytes);
        differs = differs || memcmp(one.tensors[i].values, other.tensors[i].values, bytes) != 0;
    }
    ck_assert(differs);
    erx_parameters_close(&one);
    erx_parameters_close(&three);
    erx_parameters_close(&other);
}
END_TEST

START_TEST(test_a_checkpoint_file_gives_back_what_was_written)
{
    erx_parameters_t made, read;
    const char *path = erx_scratch_file(directory, "policy.safetensors");
    ck_assert_int_eq(erx_policy_checkpoint_make(&policy_trial_shape, 1, &made, &error), ERX_OK);
    ck_assert_int_eq(erx_policy_checkpoint_write(&made, NULL, path, &error), ERX_OK);
    ck_assert_msg(erx_parameters_open(&read, path, &error) == ERX_OK, "%s", error.text);
    ck_assert_int_eq(erx_parameters_kind(&read), ERX_PARAMETERS_POLICY);
    ck_assert_int_eq(read.context_len, policy_trial_shape.context);
    ck_assert(json_equal(read.encoding_config, made.encoding_config));
    ck_assert_uint_eq(read.count, made.count);
    for (uint32_t i = 0; i < read.count; i++)
        ck_assert_mem_eq(read.tensors[i].values, made.tensors[i].values,
                         made.tensors[i].count * sizeof(float));
    erx_parameters_close(&made);
    erx_parameters_close(&read);
}
END_TEST

START_TEST(test_mirroring_and_swapping_are_what_they_say)
{
    erx_float_world_t plain, mirrored, second;
    erx_policy_sample_t sample = {.game = 0, .frame = 9, .player = 0};
    erx_policy_sample_world(&sequences, &sample, 2, 1, &plain);
    sample.mirrored = true;
    erx_policy_sample_world(&sequences, &sample, 2, 1, &mirrored);
    sample = (erx_policy_sample_t){.game = 0, .frame = 9, .player = 1};
    erx_policy_sample_world(&sequences, &sample, 2, 1, &second);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        ck_assert(mirrored.continuous[p][ERX_S_X] == -plain.continuous[p][ERX_S_X]);
        ck_assert(mirrored.continuous[p][ERX_S_Y] == plain.continuous[p][ERX_S_Y]);
        ck_assert_int_eq(mirrored.binary[p][0], 1 - plain.binary[p][0]);
        ck_assert_int_eq((int8_t)mirrored.control[p][0], -(int8_t)plain.control[p][0]);
        ck_assert_mem_eq(second.continuous[p], plain.continuous[1 - p], sizeof plain.continuous[p]);
        ck_assert_mem_eq(second.control[p], plain.control[1 - p], ERX_CONTROLLER_BYTES);
        ck_assert_uint_eq(second.category[p * ERX_PLAYER_CATEGORIES],
                          plain.category[(1 - p) * ERX_PLAYER_CATEGORIES]);
    }
    ck_assert_uint_eq(second.category[ERX_C_STAGE], plain.category[ERX_C_STAGE]);
}
END_TEST

Suite *imitate_suite(void)
{
    Suite *suite = suite_create("imitate");
    TCase *all = tcase_create("imitate");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, test_a_rule_is_learned_and_holds_in_games_that_were_held_out);
    tcase_add_test(all, test_threads_do_not_change_a_byte_but_seeds_do);
    tcase_add_test(all, test_a_checkpoint_file_gives_back_what_was_written);
    tcase_add_test(all, test_mirroring_and_swapping_are_what_they_say);
    suite_add_tcase(suite, all);
    return suite;
}
