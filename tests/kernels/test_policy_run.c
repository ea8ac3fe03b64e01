/* Policies in batches, with every kernel, against the scalar reference; and the
 * decision that follows, against what POLICY.md says of it. */
#include "kernels/ref/policy_ref.h"
#include "kernels/select.h"
#include "kernels/stack_state.h"
#include "tests/kernels/draw.h"
#include "tests/kernels/expect.h"
#include "tests/kernels/suites.h"

#include <stdlib.h>
#include <string.h>

#define LANES      ERX_POLICY_LANES
#define RESULT_MAX (UINT64_C(1) << 28) /* of one requantized row: three of them and a bias fit */
#define BIAS_MAX   (1 << 28)
#define WIDE_MAX   16256u
#define DECISIONS  20000
#define CHANCES    200000

/* One frame of one unit, odd sizes everywhere, the bundled shape, the greatest. */
static const erx_policy_shape_t shapes[] = {
    {1, 1, 1, {1, 1, 1, 1, 1, 1, 1, 1}},
    {3, 65, 17, {5, 1, 3, 2, 7, 1, 2, 9}},
    {10, 256, 128, {32, 4, 8, 2, 2, 4, 8, 4}},
    {16, 2048, 2048, {16, 2, 4, 2, 2, 4, 8, 4}},
};

/* A policy with numbers anywhere in their ranges, and what it was made of. */
typedef struct {
    erx_policy_tensors_t tensors;
    void *memory[32];
    uint32_t memory_count;
    erx_rng_t *rng;
} made_t;

static void *keep(made_t *made, size_t bytes)
{
    void *memory = calloc(1, bytes);
    ck_assert_ptr_nonnull(memory);
    made->memory[made->memory_count++] = memory;
    return memory;
}

static const int8_t *draw_weights(made_t *made, uint32_t rows, uint32_t columns)
{
    int8_t *values = keep(made, (size_t)rows * columns);
    for (uint32_t row = 0; row < rows; row++)
        erx_draw_i8(made->rng, values + (size_t)row * columns, columns, -127, 127);
    return values;
}

static const int32_t *draw_multipliers(made_t *made, const int8_t *weights, uint32_t rows,
                                       uint32_t columns, uint32_t operand_max, int32_t shift_min)
{
    int32_t *values = keep(made, rows * sizeof *values);
    for (uint32_t row = 0; row < rows; row++) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < columns; i++)
            sum += (uint64_t)abs(weights[(size_t)row * columns + i]);
        values[row] = erx_draw_multiplier(made->rng, sum * operand_max, shift_min, RESULT_MAX);
    }
    return values;
}

static const int32_t *draw_bias(made_t *made, uint32_t rows)
{
    int32_t *values = keep(made, rows * sizeof *values);
    erx_draw_i32(made->rng, values, rows, -BIAS_MAX, BIAS_MAX);
    return values;
}

static void make(made_t *made, const erx_policy_shape_t *shape, erx_rng_t *rng)
{
    erx_policy_tensors_t *tensors = &made->tensors;
    uint32_t wide = shape->context * ERX_POLICY_WIDE;
    uint32_t dense = erx_policy_dense_input(shape), outputs = erx_policy_output_count(shape);
    uint32_t H = shape->hidden, T = shape->trunk;
    *made = (made_t){.tensors.shape = *shape, .rng = rng};
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        tensors->E[i] = draw_weights(made, erx_policy_embed_rows(i), shape->embed_widths[i]);
    int32_t *fm = keep(made, ERX_CONTINUOUS * sizeof *fm);
    erx_draw_i32(rng, fm, ERX_CONTINUOUS, 0, 1 << 22);
    tensors->fm = fm;
    tensors->Wc_s = erx_draw_scalar(rng, 16, 30);
    tensors->Wd_s = erx_draw_scalar(rng, 16, 30);
    tensors->Wt_s = erx_draw_scalar(rng, 16, 30);
    tensors->Wo_s = erx_draw_scalar(rng, 16, 30);
    tensors->Wc = draw_weights(made, H, wide);
    tensors->Wc_m = draw_multipliers(made, tensors->Wc, H, wide, WIDE_MAX, tensors->Wc_s);
    tensors->Wd = draw_weights(made, H, dense);
    tensors->Wd_m = draw_multipliers(made, tensors->Wd, H, dense, 127, tensors->Wd_s);
    tensors->b1 = draw_bias(made, H);
    tensors->Wt = draw_weights(made, T, H);
    tensors->Wt_m = draw_multipliers(made, tensors->Wt, T, H, 127, tensors->Wt_s - 5);
    tensors->bt = draw_bias(made, T);
    tensors->Wo = draw_weights(made, outputs, T);
    tensors->Wo_m = draw_multipliers(made, tensors->Wo, outputs, T, 127, tensors->Wo_s - 5);
    tensors->bo = draw_bias(made, outputs);
}

static void discard(made_t *made)
{
    for (uint32_t i = 0; i < made->memory_count; i++)
        free(made->memory[i]);
}

static void draw_world(erx_rng_t *rng, erx_world_t *world)
{
    memset(world, 0, sizeof *world);
    erx_draw_i32(rng, world->S[0], ERX_PLAYERS * ERX_CONTINUOUS, INT32_MIN, INT32_MAX);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        for (uint32_t i = 0; i < ERX_BINARIES; i++)
            world->binary[p][i] = (uint8_t)erx_rng_range(rng, 0, 1);
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        world->category[k] = (uint16_t)erx_draw_scalar(rng, 0, erx_category_counts[k] - 1);
    erx_rng_fill(rng, world->control, sizeof world->control);
}

/* What every lane sees, and what the reference makes of it. */
static erx_world_t worlds[LANES][ERX_POLICY_CONTEXT_MAX];
static int32_t expected[LANES][ERX_POLICY_OUTPUTS];

static void prepare(const made_t *made, uint32_t count)
{
    for (uint32_t lane = 0; lane < count; lane++) {
        for (uint32_t k = 0; k < made->tensors.shape.context; k++)
            draw_world(made->rng, &worlds[lane][k]);
        erx_ref_policy(&made->tensors, worlds[lane], lane % 2, expected[lane]);
    }
}

static uint8_t *aligned(size_t bytes)
{
    uint8_t *memory = aligned_alloc(ERX_CACHE_LINE, ERX_ALIGN_UP(bytes, (size_t)ERX_CACHE_LINE));
    ck_assert_ptr_nonnull(memory);
    memset(memory, 0, bytes);
    return memory;
}

/* Runs lanes [0, count), whose rings begin anywhere, with one kernel. */
static void expect_lanes(const made_t *made, const erx_kernel_t *kernel, uint32_t count)
{
    const erx_policy_shape_t *shape = &made->tensors.shape;
    size_t frame_bytes = erx_policy_frame_bytes(shape);
    uint8_t *packed = aligned(erx_policy_image_bytes(kernel, shape));
    uint8_t *work = aligned(erx_policy_scratch_bytes(kernel, shape));
    int8_t *frames = (int8_t *)aligned(LANES * shape->context * frame_bytes);
    int32_t outputs[LANES][ERX_POLICY_OUTPUTS];
    erx_policy_lane_t lanes[LANES] = {0};
    erx_policy_image_t image;
    erx_policy_scratch_t scratch;
    erx_policy_image_pack(kernel, &made->tensors, packed, &image);
    erx_policy_scratch_init(&scratch, kernel, shape, work);
    for (uint32_t lane = 0; lane < count; lane++) {
        int8_t *ring = frames + lane * shape->context * frame_bytes;
        lanes[lane] = (erx_policy_lane_t){ring, lane % shape->context};
        for (uint32_t k = 0; k < shape->context; k++)
            erx_policy_encode(&image, &worlds[lane][k], lane % 2,
                              ring + (lane + k) % shape->context * frame_bytes);
    }
    erx_policy_run(kernel, &image, &scratch, lanes, count, outputs);
    for (uint32_t lane = 0; lane < count; lane++)
        ck_assert_msg(memcmp(outputs[lane], expected[lane], sizeof outputs[lane]) == 0,
                      "%s: lane %u of %u differs from the reference", kernel->name, lane, count);
    free(packed);
    free(work);
    free(frames);
}

START_TEST(test_every_kernel_and_batch_equals_the_reference)
{
    static const uint32_t counts[] = {1, 2, 3, 7, 8, 17, LANES};
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    erx_rng_t rng = erx_rng_open((uint64_t)_i);
    made_t made;
    make(&made, &shapes[_i], &rng);
    for (uint32_t c = 0; c < ERX_COUNT(counts); c++) {
        /* The greatest shape takes long in the reference. */
        if (_i + 1 == (int)ERX_COUNT(shapes) && counts[c] > 8)
            continue;
        prepare(&made, counts[c]);
        for (uint32_t k = 0; k < kernel_count; k++)
            expect_lanes(&made, kernels[k], counts[c]);
    }
    discard(&made);
}
END_TEST

START_TEST(test_the_second_seat_swaps_the_players)
{
    erx_rng_t rng = erx_rng_open(20);
    made_t made;
    make(&made, &shapes[1], &rng);
    prepare(&made, 1);
    for (uint32_t k = 0; k < shapes[1].context; k++) {
        const erx_world_t from = worlds[0][k];
        erx_world_t *to = &worlds[1][k];
        *to = from;
        for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
            memcpy(to->S[p], from.S[1 - p], sizeof from.S[p]);
            memcpy(to->binary[p], from.binary[1 - p], sizeof from.binary[p]);
            memcpy(to->control[p], from.control[1 - p], sizeof from.control[p]);
            for (uint32_t c = 0; c < ERX_PLAYER_CATEGORIES; c++)
                to->category[p * ERX_PLAYER_CATEGORIES + c] =
                    from.category[(1 - p) * ERX_PLAYER_CATEGORIES + c];
        }
    }
    memcpy(expected[1], expected[0], sizeof expected[0]); /* lane 1 is the second seat */
    expect_lanes(&made, erx_kernel_best(), 2);
    discard(&made);
}
END_TEST

/* ---- world models (MLP.md) ---- */

static const erx_policy_shape_t world_shapes[] = {
    {1, 1, 1, {1, 1, 1, 1, 1, 1, 1, 1}, true},
    {3, 65, 17, {5, 1, 3, 2, 7, 1, 2, 9}, true},
    {10, 512, 256, {32, 4, 8, 2, 2, 4, 8, 4}, true},
};

static uint8_t controls[LANES][ERX_PLAYERS][ERX_CONTROLLER_BYTES];
static int32_t expected_world[LANES][ERX_REGRESSIONS + ERX_LOGITS];

/* Lane i sees steps states, fewer than K or more; what is missing is its first. */
static void prepare_worlds(const made_t *made, uint32_t lane, uint32_t steps, erx_world_t *seen)
{
    uint32_t K = made->tensors.shape.context;
    erx_world_t stack[ERX_POLICY_CONTEXT_MAX];
    for (uint32_t s = 0; s < steps; s++)
        draw_world(made->rng, &seen[s]);
    for (uint32_t k = 0; k < K; k++)
        stack[k] = seen[steps + k < K ? 0 : steps + k - K];
    erx_rng_fill(made->rng, controls[lane], sizeof controls[lane]);
    erx_ref_policy_world(&made->tensors, stack,
                         (const uint8_t(*)[ERX_CONTROLLER_BYTES])controls[lane],
                         expected_world[lane]);
}

#define STEPS (2 * ERX_POLICY_CONTEXT_MAX)
static erx_world_t seen[LANES][STEPS];

/* Lane i saw 1 + i states, beginning anew after STEPS. */
static uint32_t steps_of(uint32_t lane)
{
    return 1 + lane % STEPS;
}

/* Pushes what each lane saw into its ring and runs all of them with one kernel. */
static void expect_worlds(const made_t *made, const erx_kernel_t *kernel, uint32_t count)
{
    const erx_policy_shape_t *shape = &made->tensors.shape;
    size_t ring_bytes = erx_stack_state_bytes(shape);
    uint8_t *packed = aligned(erx_policy_image_bytes(kernel, shape));
    uint8_t *work = aligned(erx_policy_scratch_bytes(kernel, shape));
    uint8_t *rings = aligned(LANES * ring_bytes);
    erx_policy_lane_t lanes[LANES] = {0};
    erx_policy_image_t image;
    erx_policy_scratch_t scratch;
    erx_policy_image_pack(kernel, &made->tensors, packed, &image);
    erx_policy_image_map(kernel, &made->tensors, packed, &image);
    erx_policy_scratch_init(&scratch, kernel, shape, work);
    for (uint32_t lane = 0; lane < count; lane++) {
        for (uint32_t s = 0; s < steps_of(lane); s++)
            erx_stack_state_push(&image, &seen[lane][s], rings + lane * ring_bytes, &lanes[lane]);
        lanes[lane].control = (const uint8_t(*)[ERX_CONTROLLER_BYTES])controls[lane];
    }
    erx_policy_forward(kernel, &image, &scratch, lanes, count);
    for (uint32_t lane = 0; lane < count; lane++)
        ck_assert_msg(memcmp(erx_policy_outputs(&scratch, lane), expected_world[lane],
                             sizeof expected_world[lane]) == 0,
                      "%s: lane %u differs from the reference", kernel->name, lane);
    free(packed);
    free(work);
    free(rings);
}

START_TEST(test_worlds_equal_the_reference_through_their_rings)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    erx_rng_t rng = erx_rng_open(40 + (uint64_t)_i);
    uint32_t kernel_count = erx_kernel_list(kernels);
    made_t made;
    make(&made, &world_shapes[_i], &rng);
    for (uint32_t lane = 0; lane < LANES; lane++)
        prepare_worlds(&made, lane, steps_of(lane), seen[lane]);
    for (uint32_t k = 0; k < kernel_count; k++) {
        expect_worlds(&made, kernels[k], LANES);
        expect_worlds(&made, kernels[k], 1);
    }
    discard(&made);
}
END_TEST

START_TEST(test_rings_from_outside_are_checked)
{
    const erx_policy_shape_t *shape = &world_shapes[1];
    uint8_t *ring = aligned(erx_stack_state_bytes(shape));
    ck_assert(erx_stack_state_is_valid(shape, ring));
    ring[4] = 2; /* the last frame of three */
    ck_assert(erx_stack_state_is_valid(shape, ring));
    ring[4] = 3;
    ck_assert(!erx_stack_state_is_valid(shape, ring));
    ring[4] = 0;
    ring[0] = 2;
    ck_assert(!erx_stack_state_is_valid(shape, ring));
    free(ring);
}
END_TEST

/* ---- decisions ---- */

START_TEST(test_without_chance_what_is_likelier_is_done)
{
    int32_t outputs[ERX_POLICY_OUTPUTS];
    const uint8_t held[ERX_CONTROLLER_BYTES] = {100, 0, 0, 0, 0, 0, 0, 0};
    uint8_t control[ERX_CONTROLLER_BYTES];
    for (uint32_t i = 0; i < ERX_POLICY_OUTPUTS; i++)
        outputs[i] = i < ERX_POLICY_ANALOGS ? 0 : i % 2 == 1 ? 70000 : -70000;
    outputs[0] = 20000;                       /* a mean of 147: nearer to the middle than to 228 */
    outputs[2] = 1 << 20;                     /* C stick to the right */
    outputs[3] = -(1 << 20);                  /* and down, which is not a place of one circle */
    outputs[ERX_POLICY_ANALOGS - 1] = 300000; /* a shoulder pressed */
    erx_policy_decide(outputs, held, NULL, control);
    const uint8_t wanted[ERX_CONTROLLER_BYTES] = {0, 0, 89, (uint8_t)-89, 255, 0, 1 | 4 | 16, 8};
    ck_assert_mem_eq(control, wanted, sizeof wanted);
    outputs[0] = 80000; /* a mean of 197 */
    erx_policy_decide(outputs, held, NULL, control);
    ck_assert_uint_eq(control[0], 100);
}
END_TEST

/* Levels of an axis and a button over many draws come to the mean that the
 * outputs ask for. */
START_TEST(test_chance_keeps_the_means)
{
    static const uint8_t held[][ERX_CONTROLLER_BYTES] = {
        {0}, {127, 0, 0, 0, 40, 0, 0, 0}, {(uint8_t)-60, 0, 0, 0, 255, 0, 0, 0}};
    static const int32_t logits[] = {-150000, -20000, 500, 60000, 200000};
    for (uint32_t h = 0; h < ERX_COUNT(held); h++)
        for (uint32_t l = 0; l < ERX_COUNT(logits); l++) {
            int32_t outputs[ERX_POLICY_OUTPUTS] = {0};
            int64_t stick = 0, shoulder = 0, pressed = 0;
            outputs[0] = outputs[4] = outputs[5] = logits[l];
            for (uint32_t frame = 0; frame < CHANCES; frame++) {
                uint64_t dice[ERX_POLICY_DICE];
                uint8_t control[ERX_CONTROLLER_BYTES];
                erx_policy_dice(7, frame, 1, dice);
                erx_policy_decide(outputs, held[h], dice, control);
                stick += (int8_t)control[0];
                shoulder += control[4];
                pressed += control[6] & 1;
            }
            /* exp of a Q16 number by its series: libm is not linked here. */
            double x = -logits[l] / 65536.0, term = 1.0, sum = 1.0;
            for (int i = 1; i < 40; i++) {
                term *= x / i;
                sum += term;
            }
            double share = 1.0 / (1.0 + sum);
            ck_assert_double_le_tol((double)pressed / CHANCES, share, 0.005);
            ck_assert_double_ge_tol((double)pressed / CHANCES, share, 0.005);
            ck_assert_double_le_tol((double)shoulder / CHANCES, 255.0 * share, 1.0);
            ck_assert_double_ge_tol((double)shoulder / CHANCES, 255.0 * share, 1.0);
            ck_assert_double_le_tol((double)stick / CHANCES, 255.0 * share - 128.0, 2.0);
            ck_assert_double_ge_tol((double)stick / CHANCES, 255.0 * share - 128.0, 2.0);
        }
}
END_TEST

START_TEST(test_sticks_stay_in_their_circle_and_out_of_the_dead_zone)
{
    erx_rng_t rng = erx_rng_open(21);
    for (uint32_t i = 0; i < DECISIONS; i++) {
        int32_t outputs[ERX_POLICY_OUTPUTS];
        uint8_t held[ERX_CONTROLLER_BYTES], control[ERX_CONTROLLER_BYTES];
        uint64_t dice[ERX_POLICY_DICE];
        erx_rng_fill(&rng, held, sizeof held);
        erx_draw_i32(&rng, outputs, ERX_POLICY_OUTPUTS, INT32_MIN, INT32_MAX);
        erx_policy_dice(erx_rng_next(&rng), i, i % 2, dice);
        erx_policy_decide(outputs, held, dice, control);
        for (uint32_t stick = 0; stick < 4; stick += 2) {
            int32_t x = (int8_t)control[stick], y = (int8_t)control[stick + 1];
            ERX_EXPECT(x * x + y * y, <=, 127 * 127);
        }
        ERX_EXPECT(control[5], ==, 0);
        ERX_EXPECT(control[6] & 0xe0, ==, 0);
        ERX_EXPECT(control[7] & ~13, ==, 0);
    }
}
END_TEST

START_TEST(test_dice_differ_by_seed_frame_and_player)
{
    uint64_t first[ERX_POLICY_DICE], other[ERX_POLICY_DICE];
    erx_policy_dice(1, 2, 0, first);
    const struct {
        uint64_t seed;
        uint32_t frame, player;
    } others[] = {{2, 2, 0}, {1, 3, 0}, {1, 2, 1}, {1, 1, 1}};
    for (uint32_t i = 0; i < ERX_COUNT(others); i++) {
        erx_policy_dice(others[i].seed, others[i].frame, others[i].player, other);
        for (uint32_t k = 0; k < ERX_POLICY_DICE; k++)
            ck_assert_uint_ne(other[k], first[k]);
    }
    erx_policy_dice(1, 2, 0, other);
    ck_assert_mem_eq(other, first, sizeof first);
}
END_TEST

Suite *policy_run_suite(void)
{
    Suite *suite = suite_create("policy_run");
    TCase *run = tcase_create("run");
    tcase_set_timeout(run, 120);
    tcase_add_loop_test(run, test_every_kernel_and_batch_equals_the_reference, 0,
                        (int)ERX_COUNT(shapes));
    tcase_add_test(run, test_the_second_seat_swaps_the_players);
    tcase_add_loop_test(run, test_worlds_equal_the_reference_through_their_rings, 0,
                        (int)ERX_COUNT(world_shapes));
    tcase_add_test(run, test_rings_from_outside_are_checked);
    suite_add_tcase(suite, run);
    TCase *decide = tcase_create("decide");
    tcase_set_timeout(decide, 60);
    tcase_add_test(decide, test_without_chance_what_is_likelier_is_done);
    tcase_add_test(decide, test_chance_keeps_the_means);
    tcase_add_test(decide, test_sticks_stay_in_their_circle_and_out_of_the_dead_zone);
    tcase_add_test(decide, test_dice_differ_by_seed_frame_and_player);
    suite_add_tcase(suite, decide);
    return suite;
}
