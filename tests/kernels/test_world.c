/* The game state around the network: where it starts, what the network sees of
 * it, and how its answers come back, limits included. */
#include "kernels/world.h"
#include "tests/kernels/draw.h"
#include "tests/kernels/expect.h"
#include "tests/kernels/suites.h"

#include <string.h>

#define DRAWS 2000

/* NUMERICS 7, in whole game units. */
static const int32_t low[ERX_CONTINUOUS] = {0, -300, -200, 0, -60, -60, -60, -60, -60, -1, 0, 0, 0};
static const int32_t high[ERX_CONTINUOUS] = {999, 300, 300,  60, 60, 60, 60,
                                             60,  60,  1023, 50, 4,  50};
static const int32_t limits[ERX_CONTINUOUS] = {999, 300, 300,  60, 60, 60, 60,
                                               60,  60,  1023, 50, 4,  50};

/* The row of `regressions` that feeds continuous value j of player p. */
static uint32_t regression_row(uint32_t p, uint32_t j)
{
    if (j <= ERX_S_SHIELD)
        return p * 4 + j;
    if (j < ERX_S_STATE_AGE)
        return 14 + p * 5 + (j - ERX_S_SPEED_AIR_X);
    return 24 + p * 3 + (j - ERX_S_HITLAG);
}

static void draw_world(erx_rng_t *rng, erx_world_t *world)
{
    memset(world, 0, sizeof *world);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            world->S[p][j] =
                (int32_t)erx_draw_value(rng, erx_draw_style(rng), low[j] * 65536, high[j] * 65536);
        for (uint32_t i = 0; i < ERX_BINARIES; i++)
            world->binary[p][i] = (uint8_t)erx_rng_range(rng, 0, 1);
    }
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        world->category[k] = (uint16_t)erx_rng_range(rng, 0, erx_category_counts[k] - 1);
    erx_rng_fill(rng, world->control, sizeof world->control);
}

START_TEST(test_start)
{
    const uint8_t characters[ERX_PLAYERS] = {7, 32};
    erx_world_t world;
    memset(&world, 0x5a, sizeof world);
    erx_world_start(&world, 31, characters);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        const uint16_t *category = world.category + p * ERX_PLAYER_CATEGORIES;
        const int32_t S[ERX_CONTINUOUS] = {
            0, (p == 0 ? -30 : 30) * 65536, 0, 60 * 65536, 0, 0, 0, 0, 0, 0, 0, 4 * 65536, 0,
        };
        const uint8_t binary[ERX_BINARIES] = {p == 0, 0, 1};
        const uint16_t categories[ERX_PLAYER_CATEGORIES] = {14, 2, characters[p], 0, 0, 1, 0};
        ck_assert_mem_eq(world.S[p], S, sizeof S);
        ck_assert_mem_eq(world.binary[p], binary, sizeof binary);
        ck_assert_mem_eq(category, categories, sizeof categories);
    }
    ERX_EXPECT(world.category[ERX_C_STAGE], ==, 31);
    const uint8_t zeros[sizeof world.control + sizeof world.padding] = {0};
    ck_assert_mem_eq(world.control, zeros, sizeof world.control);
    ck_assert_mem_eq(world.padding, zeros, sizeof world.padding);
}
END_TEST

START_TEST(test_control_features)
{
    /* Byte and bit of A, B, X, Y, Z, L, R, D-up. */
    static const uint8_t buttons[8][2] = {{6, 1},  {6, 2}, {6, 4}, {6, 8},
                                          {6, 16}, {7, 4}, {7, 8}, {7, 1}};
    int16_t features[13];
    const uint8_t neutral[ERX_CONTROLLER_BYTES] = {0};
    erx_world_control_features(neutral, features);
    for (uint32_t i = 0; i < 13; i++)
        ERX_EXPECT(features[i], ==, i < 4 ? 128 * 128 : 0);
    for (uint32_t value = 0; value < 256; value++) {
        uint8_t byte = (uint8_t)value;
        const uint8_t control[ERX_CONTROLLER_BYTES] = {
            byte, (uint8_t)(byte ^ 0xff), 0x80, 0x7f, byte, 100, byte, byte};
        erx_world_control_features(control, features);
        ERX_EXPECT(features[0], ==, ((int8_t)byte + 128) * 128);
        ERX_EXPECT(features[1], ==, ((int8_t)(byte ^ 0xff) + 128) * 128);
        ERX_EXPECT(features[2], ==, 0);
        ERX_EXPECT(features[3], ==, 255 * 128);
        ERX_EXPECT(features[4], ==, (byte > 100 ? byte : 100) * 128);
        for (uint32_t i = 0; i < ERX_COUNT(buttons); i++)
            ERX_EXPECT(features[5 + i], ==,
                       (control[buttons[i][0]] & buttons[i][1]) != 0 ? 16384 : 0);
    }
}
END_TEST

START_TEST(test_features)
{
    erx_rng_t rng = erx_rng_open(0);
    int32_t fm[ERX_CONTINUOUS];
    int16_t features[ERX_FEATURES_PADDED], control[13];
    erx_world_t world;
    for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
        fm[j] = (256 * 32000 + limits[j] / 2) / limits[j];
    for (uint32_t i = 0; i < DRAWS; i++) {
        draw_world(&rng, &world);
        memset(features, 0x5a, sizeof features);
        erx_world_features(&world, fm, features);
        for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
            const int16_t *own = features + p * 29;
            /* 32000 at the limit; the scale's own rounding is a part in 8192 / limit. */
            for (uint32_t j = 0; j < ERX_CONTINUOUS; j++) {
                double expected = 32000.0 * world.S[p][j] / (65536.0 * limits[j]);
                ck_assert_double_le(own[j] - expected, 3);
                ck_assert_double_ge(own[j] - expected, -3);
            }
            for (uint32_t b = 0; b < ERX_BINARIES; b++)
                ERX_EXPECT(own[13 + b], ==, world.binary[p][b] * 16384);
            erx_world_control_features(world.control[p], control);
            ck_assert_mem_eq(own + 16, control, sizeof control);
        }
        for (uint32_t j = ERX_FEATURES; j < ERX_FEATURES_PADDED; j++)
            ERX_EXPECT(features[j], ==, 0);
    }
}
END_TEST

START_TEST(test_features_saturate)
{
    erx_world_t world;
    int32_t fm[ERX_CONTINUOUS];
    int16_t features[ERX_FEATURES_PADDED];
    memset(&world, 0, sizeof world);
    for (uint32_t j = 0; j < ERX_CONTINUOUS; j++) {
        fm[j] = INT32_MAX;
        world.S[0][j] = INT32_MIN;
        world.S[1][j] = INT32_MAX;
    }
    erx_world_features(&world, fm, features);
    for (uint32_t j = 0; j < ERX_CONTINUOUS; j++) {
        ERX_EXPECT(features[j], ==, -32767);
        ERX_EXPECT(features[29 + j], ==, 32767);
    }
}
END_TEST

START_TEST(test_controls)
{
    erx_rng_t rng = erx_rng_open(1);
    uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    int16_t controls[ERX_CONTROLS_PADDED], expected[13];
    erx_rng_fill(&rng, control, sizeof control);
    memset(controls, 0x5a, sizeof controls);
    erx_world_controls((const uint8_t(*)[ERX_CONTROLLER_BYTES])control, controls);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        erx_world_control_features(control[p], expected);
        ck_assert_mem_eq(controls + p * 13, expected, sizeof expected);
    }
    for (uint32_t i = ERX_CONTROLS; i < ERX_CONTROLS_PADDED; i++)
        ERX_EXPECT(controls[i], ==, 0);
}
END_TEST

/* What continuous value j of player p becomes, before its limits. */
static int64_t advanced(const erx_world_t *before, uint32_t p, uint32_t j,
                        const int32_t *regressions, bool same_action)
{
    if (j == ERX_S_STATE_AGE)
        return same_action ? (int64_t)before->S[p][j] + 65536 : 0;
    int64_t regression = regressions[regression_row(p, j)];
    return j < ERX_S_STATE_AGE ? before->S[p][j] + regression : regression;
}

static void check_continuous(const erx_world_t *before, const erx_world_t *after,
                             const int32_t *regressions, const uint32_t *choices)
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        bool same = choices[p] == before->category[p * ERX_PLAYER_CATEGORIES + ERX_C_ACTION];
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++) {
            int64_t value = advanced(before, p, j, regressions, same);
            value = ERX_MAX(ERX_MIN(value, high[j] * 65536), low[j] * 65536);
            ERX_EXPECT(after->S[p][j], ==, value);
        }
    }
}

static void check_choices(const erx_world_t *before, const erx_world_t *after,
                          const int32_t *regressions, const uint32_t *choices)
{
    /* The categorical that each pair of heads feeds. */
    static const uint8_t fed[] = {ERX_C_ACTION,  ERX_C_JUMPS,  ERX_C_L_CANCEL,
                                  ERX_C_HURTBOX, ERX_C_GROUND, ERX_C_LAST_ATTACK};
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        const uint16_t *category = after->category + p * ERX_PLAYER_CATEGORIES;
        for (uint32_t i = 0; i < ERX_COUNT(fed); i++)
            ERX_EXPECT(category[fed[i]], ==, choices[2 * i + p]);
        ERX_EXPECT(category[ERX_C_CHARACTER], ==,
                   before->category[p * ERX_PLAYER_CATEGORIES + ERX_C_CHARACTER]);
        for (uint32_t i = 0; i < ERX_BINARIES; i++)
            ERX_EXPECT(after->binary[p][i], ==, regressions[8 + p * 3 + i] > 0);
    }
    ERX_EXPECT(after->category[ERX_C_STAGE], ==, before->category[ERX_C_STAGE]);
}

START_TEST(test_advance)
{
    erx_rng_t rng = erx_rng_open(2);
    erx_world_t before, after;
    int32_t regressions[ERX_REGRESSIONS];
    uint32_t choices[ERX_LOGIT_HEADS];
    uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    for (uint32_t i = 0; i < DRAWS; i++) {
        draw_world(&rng, &before);
        /* Within a few units, or anything that 32 bits hold. */
        int64_t limit = erx_rng_range(&rng, 0, 1) != 0 ? 10 * 65536 : INT32_MAX;
        erx_draw_i32(&rng, regressions, ERX_REGRESSIONS, -limit - 1, limit);
        for (uint32_t head = 0; head < ERX_LOGIT_HEADS; head++)
            choices[head] = (uint32_t)erx_rng_range(&rng, 0, erx_logit_widths[head] - 1);
        if (erx_rng_range(&rng, 0, 1) != 0)
            choices[i % 2] = before.category[(i % 2) * ERX_PLAYER_CATEGORIES + ERX_C_ACTION];
        erx_rng_fill(&rng, control, sizeof control);
        after = before;
        erx_world_advance(&after, regressions, choices,
                          (const uint8_t(*)[ERX_CONTROLLER_BYTES])control);
        check_continuous(&before, &after, regressions, choices);
        check_choices(&before, &after, regressions, choices);
        ck_assert_mem_eq(after.control, control, sizeof control);
        ck_assert_mem_eq(after.padding, before.padding, sizeof after.padding);
    }
}
END_TEST

/* The heads' widths cover the logits, and each pair of heads has as many
 * classes as the categorical that it feeds. */
START_TEST(test_heads_fit_the_categoricals)
{
    uint32_t total = 0;
    for (uint32_t head = 0; head < ERX_LOGIT_HEADS; head++)
        total += erx_logit_widths[head];
    ERX_EXPECT(total, ==, ERX_LOGITS);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        const uint16_t *counts = erx_category_counts + p * ERX_PLAYER_CATEGORIES;
        ERX_EXPECT(erx_logit_widths[p], ==, counts[ERX_C_ACTION]);
        ERX_EXPECT(erx_logit_widths[2 + p], ==, counts[ERX_C_JUMPS]);
        ERX_EXPECT(erx_logit_widths[4 + p], ==, counts[ERX_C_L_CANCEL]);
        ERX_EXPECT(erx_logit_widths[6 + p], ==, counts[ERX_C_HURTBOX]);
        ERX_EXPECT(erx_logit_widths[8 + p], ==, counts[ERX_C_GROUND]);
        ERX_EXPECT(erx_logit_widths[10 + p], ==, counts[ERX_C_LAST_ATTACK]);
        ERX_EXPECT(counts[ERX_C_CHARACTER], ==, ERX_CHARACTERS);
    }
    ERX_EXPECT(erx_category_counts[ERX_C_STAGE], ==, ERX_STAGES);
}
END_TEST

Suite *world_suite(void)
{
    Suite *suite = suite_create("world");
    TCase *tcase = tcase_create("world");
    tcase_add_test(tcase, test_start);
    tcase_add_test(tcase, test_control_features);
    tcase_add_test(tcase, test_features);
    tcase_add_test(tcase, test_features_saturate);
    tcase_add_test(tcase, test_controls);
    tcase_add_test(tcase, test_advance);
    tcase_add_test(tcase, test_heads_fit_the_categoricals);
    suite_add_tcase(suite, tcase);
    return suite;
}
