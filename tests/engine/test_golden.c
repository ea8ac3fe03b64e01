/* Every kernel, in every way to step, against frames that another
 * implementation of NUMERICS computed for trained models and real games. */
#include "engine/model_file.h"
#include "kernels/select.h"
#include "mem/alloc.h"
#include "tests/engine/engine_suites.h"
#include "tests/engine/golden_file.h"
#include "tests/engine/rig.h"
#include "tests/support/rng.h"

#include <string.h>

#define TIMEOUT_SECONDS 300
#define WORKERS_MAX     4u
#define LANES_MAX       32u
/* Frames that are played in company and split; alone, all are. */
#ifdef ERX_SANITIZED
#define COMPANY_FRAMES 21u
#define SPLIT_FRAMES   15u
#else
#define COMPANY_FRAMES 42u
#define SPLIT_FRAMES   30u
#endif

static const struct {
    const char *model, *golden;
} cases[] = {
    {"models/world", "golden/world_tf.bin"},
    {"models/world", "golden/world_ro.bin"},
    {"models/melee-tiny", "golden/tiny_tf.bin"},
    {"models/melee-tiny", "golden/tiny_ro.bin"},
};

/* A model, a golden game, and the lanes of a batch: arena 0 plays the golden
 * game, its neighbours play anything. */
typedef struct {
    const char *name;
    golden_file_t golden;
    erx_model_file_t file;
    uint8_t *packed;
    erx_image_t image;
    erx_step_model_t step;
    uint32_t worker_count;
    erx_gang_t *gang; /* NULL: one worker, alone */
    erx_scratch_t scratches[WORKERS_MAX];
    uint8_t *scratch_memory[WORKERS_MAX];
    uint8_t *arenas[LANES_MAX];
    uint8_t controls[LANES_MAX][ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    erx_lane_t lanes[LANES_MAX];
    uint32_t count;
    uint32_t position; /* of the golden lane */
} stage_t;

static stage_t stage;

/* Opens the files of a case; false where they are absent. */
static bool open_case(int number)
{
    char path[ERX_SHARED_PATH_MAX];
    erx_error_t error;
    stage = (stage_t){.name = cases[number].golden};
    if (!erx_shared_path(cases[number].model, path) ||
        !golden_file_open(cases[number].golden, &stage.golden))
        return false;
    ck_assert_msg(erx_model_file_open(path, &stage.file, &error) == ERX_OK, "%s", error.text);
    return true;
}

static void close_case(void)
{
    erx_model_file_close(&stage.file);
    golden_file_close(&stage.golden);
}

static void *take(size_t bytes)
{
    void *memory = erx_alloc(1, bytes);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static void open_lanes(const erx_shape_t *shape)
{
    for (uint32_t i = 0; i < LANES_MAX; i++) {
        const uint8_t characters[ERX_PLAYERS] = {(uint8_t)i, (uint8_t)(LANES_MAX - i)};
        stage.arenas[i] = take(erx_arena_bytes(shape));
        erx_world_start(erx_arena_world(stage.arenas[i]), (uint8_t)i, characters);
    }
}

/* A fresh stage for a kernel; worker_count 1 is a worker alone. */
static void open_stage(const erx_kernel_t *kernel, uint32_t worker_count)
{
    const erx_shape_t *shape = &stage.file.manifest.shape;
    erx_error_t error = {0};
    stage.packed = take(erx_image_bytes(kernel, shape));
    erx_image_pack(kernel, &stage.file.tensors, stage.packed);
    erx_image_map(kernel, &stage.file.tensors, stage.packed, &stage.image);
    stage.step = (erx_step_model_t){.kernel = kernel, .image = &stage.image};
    stage.worker_count = worker_count;
    stage.gang = NULL;
    if (worker_count > 1) {
        erx_topo_t topo = rig_imagine_processors(worker_count);
        ck_assert_msg(erx_gang_open(&topo, worker_count, &stage.gang, &error) == ERX_OK, "%s",
                      error.text);
    }
    for (uint32_t w = 0; w < worker_count; w++) {
        stage.scratch_memory[w] = take(erx_scratch_bytes(kernel, shape, LANES_MAX));
        erx_scratch_init(&stage.scratches[w], kernel, shape, LANES_MAX, stage.scratch_memory[w]);
    }
    open_lanes(shape);
}

static void close_stage(void)
{
    erx_gang_close(stage.gang);
    for (uint32_t w = 0; w < stage.worker_count; w++)
        erx_free(stage.scratch_memory[w]);
    for (uint32_t i = 0; i < LANES_MAX; i++)
        erx_free(stage.arenas[i]);
    erx_free(stage.packed);
}

/* Puts count lanes on the stage: the golden one at position, as neighbours the
 * others from first on. */
static void arrange(uint32_t frame, uint32_t count, uint32_t position, uint32_t first)
{
    stage.count = count;
    stage.position = position;
    for (uint32_t lane = 0; lane < count; lane++) {
        uint32_t i = lane == position ? 0 : 1 + (first + lane) % (LANES_MAX - 1);
        if (i != 0)
            rig_controls(i, frame, stage.controls[i]);
        stage.lanes[lane] = (erx_lane_t){
            .world = erx_arena_world(stage.arenas[i]),
            .recurrent = stage.arenas[i] + ERX_ARENA_RECURRENT,
            .control = (const uint8_t(*)[ERX_CONTROLLER_BYTES])stage.controls[i],
        };
    }
}

static void step_part(void *context, uint32_t worker)
{
    (void)context;
    const erx_step_part_t part = {
        .worker = worker,
        .worker_count = stage.worker_count,
        .gang = stage.gang,
    };
    erx_step(&stage.step, &stage.scratches[0], &stage.scratches[worker], &part, stage.lanes,
             stage.count);
}

static void step_lanes(void)
{
    if (stage.gang == NULL)
        step_part(NULL, 0);
    else
        erx_gang_run(stage.gang, step_part, NULL);
}

static void expect_equal(bool equal, uint32_t frame, const char *what)
{
    if (!equal)
        ck_abort_msg("%s, frame %u, kernel %s, %u workers, lane %u of %u: %s differ", stage.name,
                     frame, stage.step.kernel->name, stage.worker_count, stage.position,
                     stage.count, what);
}

/* What the golden lane's step gave. */
static void expect_outputs(uint32_t frame, const golden_frame_t *expected)
{
    const erx_scratch_t *rows = &stage.scratches[0];
    const int32_t *regressions = rows->regressions + stage.position * rows->regressions_stride;
    const int32_t *logits = rows->logits + stage.position * rows->logits_stride;
    uint64_t hash = rig_hash(RIG_FNV_BASIS, stage.arenas[0] + ERX_ARENA_RECURRENT,
                             erx_recurrent_bytes(&stage.image.shape));
    expect_equal(memcmp(regressions, expected->regressions, ERX_REGRESSIONS * sizeof(int32_t)) == 0,
                 frame, "regressions");
    expect_equal(memcmp(logits, expected->logits, ERX_LOGITS * sizeof(int32_t)) == 0, frame,
                 "logits");
    expect_equal(hash == expected->hash, frame, "recurrent states");
}

/* One frame of the golden game in the company of others. */
static void play_frame(uint32_t frame, uint32_t count, uint32_t position, uint32_t first)
{
    golden_frame_t expected = golden_file_frame(&stage.golden, frame);
    uint8_t *world = stage.arenas[0] + ERX_ARENA_WORLD;
    arrange(frame, count, position, first);
    if (frame <= stage.golden.warm)
        memcpy(world, expected.world, GOLDEN_WORLD_BYTES);
    expect_equal(memcmp(world, expected.world, GOLDEN_WORLD_BYTES) == 0, frame,
                 "world states (closed loop)");
    memcpy(stage.controls[0], expected.control, sizeof stage.controls[0]);
    step_lanes();
    expect_outputs(frame, &expected);
}

START_TEST(test_frames_stepped_alone)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    if (!open_case(_i))
        return;
    for (uint32_t k = 0; k < kernel_count; k++) {
        open_stage(kernels[k], 1);
        for (uint32_t frame = 0; frame < stage.golden.frame_count; frame++)
            play_frame(frame, 1, 0, 0);
        close_stage();
    }
    close_case();
}
END_TEST

/* Plays with another batch size, position and neighbours in every frame. */
static void play_in_company(uint32_t frame_count, uint32_t size_count)
{
    static const uint8_t sizes[] = {1, 2, 5, 6, 7, 13, 32};
    erx_rng_t rng = erx_rng_open(0);
    ck_assert_uint_le(size_count, ERX_COUNT(sizes));
    ck_assert_uint_le(frame_count, stage.golden.frame_count);
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        uint32_t count = sizes[frame % size_count];
        uint32_t position = (uint32_t)erx_rng_range(&rng, 0, count - 1);
        uint32_t first = (uint32_t)erx_rng_range(&rng, 0, LANES_MAX - 2);
        play_frame(frame, count, position, first);
    }
}

START_TEST(test_frames_in_batches_of_mixed_company)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    if (!open_case(_i))
        return;
    for (uint32_t k = 0; k < kernel_count; k++) {
        open_stage(kernels[k], 1);
        play_in_company(COMPANY_FRAMES, 7);
        close_stage();
    }
    close_case();
}
END_TEST

START_TEST(test_frames_split_over_workers)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    if (!open_case(_i))
        return;
    for (uint32_t k = 0; k < kernel_count; k++) {
        for (uint32_t worker_count = 2; worker_count <= WORKERS_MAX; worker_count++) {
            open_stage(kernels[k], worker_count);
            play_in_company(SPLIT_FRAMES, 5);
            close_stage();
        }
    }
    close_case();
}
END_TEST

Suite *golden_suite(void)
{
    Suite *suite = suite_create("golden");
    TCase *tcase = tcase_create("golden");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_loop_test(tcase, test_frames_stepped_alone, 0, ERX_COUNT(cases));
    tcase_add_loop_test(tcase, test_frames_in_batches_of_mixed_company, 0, ERX_COUNT(cases));
    tcase_add_loop_test(tcase, test_frames_split_over_workers, 0, ERX_COUNT(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}
