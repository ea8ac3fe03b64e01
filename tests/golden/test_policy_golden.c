/* The bundled policy against policy.golden, which an implementation apart from
 * this one made (make_policy.py): the scalar reference, every kernel, seats of an
 * open policy. */
#include "engine/policy.h"
#include "engine/policy_file.h"
#include "kernels/ref/policy_ref.h"
#include "kernels/select.h"
#include "tests/support/check_main.h"

#include <stdio.h>
#include <string.h>

#define MAGIC     "ERXPOLG1"
#define CASES_MAX 64u

typedef struct {
    uint64_t seed;
    uint32_t frame, player;
    erx_world_t states[ERX_POLICY_CONTEXT_MAX];
    int32_t outputs[ERX_POLICY_OUTPUTS];
    uint8_t drawn[ERX_CONTROLLER_BYTES], steady[ERX_CONTROLLER_BYTES];
} case_t;

static case_t cases[CASES_MAX];
static uint32_t case_count, context;
static erx_policy_file_t file;
static erx_error_t error;

static void take(FILE *stream, void *bytes, size_t size)
{
    ck_assert_uint_eq(fread(bytes, 1, size, stream), size);
}

static void setup(void)
{
    char magic[sizeof MAGIC - 1];
    FILE *stream = fopen(ERX_SOURCE_GOLDEN "/policy.golden", "rb");
    ck_assert_ptr_nonnull(stream);
    take(stream, magic, sizeof magic);
    ck_assert_mem_eq(magic, MAGIC, sizeof magic);
    take(stream, &case_count, sizeof case_count);
    take(stream, &context, sizeof context);
    ck_assert_uint_le(case_count, CASES_MAX);
    ck_assert_uint_le(context, ERX_POLICY_CONTEXT_MAX);
    for (uint32_t i = 0; i < case_count; i++) {
        take(stream, &cases[i].seed, sizeof cases[i].seed);
        take(stream, &cases[i].frame, sizeof cases[i].frame);
        take(stream, &cases[i].player, sizeof cases[i].player);
        take(stream, cases[i].states, context * sizeof cases[i].states[0]);
        take(stream, cases[i].outputs, sizeof cases[i].outputs);
        take(stream, cases[i].drawn, sizeof cases[i].drawn);
        take(stream, cases[i].steady, sizeof cases[i].steady);
    }
    ck_assert_int_eq(fgetc(stream), EOF);
    (void)fclose(stream);
    ck_assert_msg(erx_policy_file_open(ERX_SOURCE_MODELS "/policy", &file, &error) == ERX_OK, "%s",
                  error.text);
    ck_assert_uint_eq(file.manifest.shape.context, context);
}

static void teardown(void)
{
    erx_policy_file_close(&file);
}

START_TEST(test_reference_gives_the_outputs)
{
    for (uint32_t i = 0; i < case_count; i++) {
        int32_t outputs[ERX_POLICY_OUTPUTS];
        erx_ref_policy(&file.tensors, cases[i].states, cases[i].player, outputs);
        ck_assert_mem_eq(outputs, cases[i].outputs, sizeof outputs);
    }
}
END_TEST

START_TEST(test_decisions_follow_from_outputs_and_dice)
{
    for (uint32_t i = 0; i < case_count; i++) {
        const uint8_t *before = cases[i].states[context - 1].control[cases[i].player];
        uint64_t dice[ERX_POLICY_DICE];
        uint8_t control[ERX_CONTROLLER_BYTES];
        erx_policy_dice(cases[i].seed, cases[i].frame, cases[i].player, dice);
        erx_policy_decide(cases[i].outputs, before, dice, control);
        ck_assert_mem_eq(control, cases[i].drawn, sizeof control);
        erx_policy_decide(cases[i].outputs, before, NULL, control);
        ck_assert_mem_eq(control, cases[i].steady, sizeof control);
    }
}
END_TEST

/* Shows the states to a seat with and one without chance for every case; only
 * the answer to the newest state counts. */
static void play_cases(erx_policy_t *policy)
{
    erx_policy_turn_t turns[2 * CASES_MAX];
    for (uint32_t i = 0; i < 2 * case_count; i++) {
        const case_t *played = &cases[i / 2];
        const erx_policy_seat_terms_t terms = {
            .player = played->player, .seed = played->seed, .steady = i % 2 == 1};
        ck_assert_int_eq(erx_policy_seat_create(policy, &terms, &turns[i].seat, &error), ERX_OK);
        turns[i].frame = played->frame;
    }
    for (uint32_t k = 0; k < context; k++) {
        for (uint32_t i = 0; i < 2 * case_count; i++)
            turns[i].world = &cases[i / 2].states[k];
        erx_policy_play(policy, turns, 2 * case_count);
    }
    for (uint32_t i = 0; i < 2 * case_count; i++) {
        const uint8_t *wanted = i % 2 == 1 ? cases[i / 2].steady : cases[i / 2].drawn;
        ck_assert_mem_eq(turns[i].control, wanted, ERX_CONTROLLER_BYTES);
    }
}

START_TEST(test_seats_answer_with_every_kernel)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t count = erx_kernel_list(kernels);
    for (uint32_t k = 0; k < count; k++) {
        const erx_policy_config_t config = {.kernel = kernels[k], .seat_capacity = 2 * CASES_MAX};
        erx_policy_t *policy;
        ck_assert_int_eq(erx_policy_open(&policy, ERX_SOURCE_MODELS "/policy", &config, &error),
                         ERX_OK);
        play_cases(policy);
        erx_policy_close(policy);
    }
}
END_TEST

static Suite *policy_golden_suite(void)
{
    Suite *suite = suite_create("policy_golden");
    TCase *all = tcase_create("policy_golden");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, test_reference_gives_the_outputs);
    tcase_add_test(all, test_decisions_follow_from_outputs_and_dice);
    tcase_add_test(all, test_seats_answer_with_every_kernel);
    suite_add_tcase(suite, all);
    return suite;
}

int main(void)
{
    static const erx_suite_fn suites[] = {policy_golden_suite};
    return erx_check_run(suites, ERX_COUNT(suites));
}
