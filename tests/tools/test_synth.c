#include "tests/tools/tools_suites.h"
#include "tools/presets.h"
#include "tools/synth.h"
#include "tools/synth_health.h"

#include <string.h>

#define SEED 11u

static erx_error_t error;

static void make(const erx_shape_t *shape, uint64_t seed, erx_model_draft_t *draft,
                 erx_health_t *health)
{
    erx_status_t status = erx_model_draft_open(draft, shape, "synth", &error);
    ck_assert_msg(status == ERX_OK, "%s", error.text);
    status = erx_synth(draft, seed, health, &error);
    ck_assert_msg(status == ERX_OK, "%s", error.text);
}

START_TEST(test_presets_are_valid_and_live)
{
    erx_model_draft_t draft;
    erx_health_t health;
    make(&erx_presets[_i].shape, SEED, &draft, &health);
    ck_assert_int_eq(erx_tensors_check(&draft.tensors, &error), ERX_OK);
    if (!health.healthy)
        erx_health_print(&health, stdout);
    ck_assert_msg(health.healthy, "%s: see the table above", erx_presets[_i].name);
    erx_model_draft_close(&draft);
}
END_TEST

START_TEST(test_profile_2_is_valid_and_live)
{
    erx_shape_t shape = erx_preset_find("micro")->shape;
    erx_model_draft_t draft;
    erx_health_t health;
    shape.profile = ERX_PROFILE_2;
    make(&shape, SEED, &draft, &health);
    ck_assert_uint_eq(draft.tensors.shape.profile, ERX_PROFILE_2);
    ck_assert(health.healthy);
    erx_model_draft_close(&draft);
}
END_TEST

/* The least and the greatest of each size. */
START_TEST(test_extreme_shapes_are_valid)
{
    static const erx_shape_t shapes[] = {
        {.d_model = 32,
         .d_inner = 64,
         .d_state = 2,
         .layer_count = 1,
         .head_count = 1,
         .head_dim = 64},
        {.d_model = 32,
         .d_inner = 64,
         .d_state = 128,
         .layer_count = 2,
         .head_count = 4,
         .head_dim = 16},
        {.d_model = 1024,
         .d_inner = 2048,
         .d_state = 2,
         .layer_count = 1,
         .head_count = 128,
         .head_dim = 16},
        {.d_model = 96,
         .d_inner = 192,
         .d_state = 10,
         .layer_count = 3,
         .head_count = 4,
         .head_dim = 48},
    };
    erx_model_draft_t draft;
    erx_health_t health;
    make(&shapes[_i], SEED, &draft, &health);
    ck_assert_int_eq(erx_tensors_check(&draft.tensors, &error), ERX_OK);
    erx_model_draft_close(&draft);
}
END_TEST

START_TEST(test_seed_decides_the_bytes)
{
    const erx_shape_t *micro = &erx_preset_find("micro")->shape;
    erx_model_draft_t one, again, other;
    erx_health_t health;
    make(micro, SEED, &one, &health);
    make(micro, SEED, &again, &health);
    make(micro, SEED + 1, &other, &health);
    ck_assert_mem_eq(one.weights, again.weights, one.manifest.weight_bytes);
    ck_assert_mem_ne(one.weights, other.weights, one.manifest.weight_bytes);
    erx_model_draft_close(&one);
    erx_model_draft_close(&again);
    erx_model_draft_close(&other);
}
END_TEST

/* Frozen: benchmarks and bug reports name models by shape and seed. Another
 * compiler, processor or instruction set must not change the bytes. */
START_TEST(test_bytes_are_the_same_everywhere)
{
    erx_model_draft_t draft;
    erx_health_t health;
    make(&erx_preset_find("micro")->shape, 1, &draft, &health);
    char text[ERX_SHA256_TEXT_MAX];
    erx_sha256_text(draft.manifest.weight_sha256, text);
    ck_assert_str_eq(text, "b2f3a90797940d3c361c2b358814489338313049a5e612e84ba005efc577cb96");
    erx_model_draft_close(&draft);
}
END_TEST

/* The judge must be able to say no. */
START_TEST(test_dead_network_is_not_healthy)
{
    erx_model_draft_t draft;
    erx_health_t health;
    make(&erx_preset_find("micro")->shape, SEED, &draft, &health);
    ck_assert(health.healthy);
    const erx_shape_t *shape = &draft.manifest.shape;
    memset(erx_model_draft_layer(&draft, 2, "md"), 0, shape->head_count * sizeof(int32_t));
    ck_assert_int_eq(erx_model_draft_seal(&draft, &error), ERX_OK);
    ck_assert_int_eq(erx_health_measure(&draft, SEED, &health, &error), ERX_OK);
    ck_assert(!health.healthy);
    erx_model_draft_close(&draft);
}
END_TEST

START_TEST(test_impossible_shape_is_refused)
{
    const erx_shape_t shape = {.d_model = 33,
                               .d_inner = 66,
                               .d_state = 16,
                               .layer_count = 1,
                               .head_count = 1,
                               .head_dim = 66};
    erx_model_draft_t draft;
    ck_assert_int_eq(erx_model_draft_open(&draft, &shape, "synth", &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "d_model: 33"));
    ck_assert_ptr_null(draft.weights);
}
END_TEST

Suite *synth_suite(void)
{
    Suite *suite = suite_create("synth");
    TCase *tcase = tcase_create("models");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, test_presets_are_valid_and_live, 0, (int)ERX_PRESETS);
    tcase_add_test(tcase, test_profile_2_is_valid_and_live);
    tcase_add_loop_test(tcase, test_extreme_shapes_are_valid, 0, 4);
    tcase_add_test(tcase, test_seed_decides_the_bytes);
    tcase_add_test(tcase, test_bytes_are_the_same_everywhere);
    tcase_add_test(tcase, test_dead_network_is_not_healthy);
    tcase_add_test(tcase, test_impossible_shape_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
