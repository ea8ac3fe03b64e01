#include "engine/model.h"

#include "engine/engine.h"
#include "engine/model_file.h"
#include "kernels/select.h"
#include "mem/alloc.h"
#include "tests/engine/engine_suites.h"
#include "tests/engine/mapping.h"
#include "tests/engine/rig.h"
#include "tests/support/child.h"
#include "tests/support/rng.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TIMEOUT_SECONDS 60
#define WEIGHTS_NAME    "erx-weights" /* of the shared file, as the system lists it */
#define SESSIONS        9u

static rig_model_t files;

/* The seed makes the model this test run's own: nobody else shares it. */
static void setup(void)
{
    rig_model_open(&files, &erx_fixture_small, erx_test_seed());
}

static void teardown(void)
{
    rig_model_close(&files);
}

START_TEST(test_a_model_says_what_it_is)
{
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 2});
    const erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    erx_model_file_t file;
    erx_error_t error = {0};
    ck_assert_int_eq(erx_model_file_open(files.directory, &file, &error), ERX_OK);
    ck_assert_str_eq(model->name, "fixture");
    ck_assert_mem_eq(model->hash, file.model_hash, sizeof model->hash);
    ck_assert_mem_eq(&model->shape, &erx_fixture_small, sizeof model->shape);
    ck_assert_ptr_eq(model->kernel, erx_engine_kernel(engine));
    ck_assert_uint_eq(model->worker_count, 2);
    ck_assert_uint_eq(model->sessions.capacity, SESSIONS);
    ck_assert_uint_ge(model->group_size, ERX_GROUP_MIN);
    ck_assert_uint_le(model->group_size, ERX_GROUP_MAX);
    erx_model_file_close(&file);
    erx_engine_close(engine);
}
END_TEST

START_TEST(test_costs_are_measured)
{
    uint32_t worker_count = (uint32_t)_i;
    const erx_engine_config_t config = {.worker_count = worker_count};
    erx_engine_t *engine = rig_engine_open(NULL, &config);
    const erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    const erx_cost_t *cost = &model->cost;
    ck_assert_uint_ge(cost->point_count, 2);
    ck_assert_uint_eq(cost->counts[0], 1);
    ck_assert_uint_eq(cost->counts[cost->point_count - 1], model->group_size);
    for (uint32_t i = 0; i < cost->point_count; i++) {
        ck_assert(i == 0 || cost->counts[i] > cost->counts[i - 1]);
        ck_assert_uint_gt(cost->slice_ns[i], 0);
        ck_assert_uint_gt(cost->split_ns[i], 0);
        ck_assert(worker_count > 1 || cost->slice_ns[i] == cost->split_ns[i]);
    }
    erx_engine_close(engine);
}
END_TEST

/* The image as this test packs it. */
static uint8_t *pack_image(const erx_kernel_t *kernel)
{
    uint8_t *image = erx_alloc(1, erx_image_bytes(kernel, &files.fixture.shape));
    ck_assert_ptr_nonnull(image);
    erx_image_pack(kernel, &files.fixture.tensors, image);
    return image;
}

START_TEST(test_every_node_has_one_copy_of_the_weights)
{
    erx_engine_t *engine = rig_engine_open(RIG_TWO_NODES, &(erx_engine_config_t){0});
    const erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    uint8_t *image = pack_image(model->kernel);
    mapping_t mappings[2];
    ck_assert_uint_eq(model->node_count, 2);
    for (uint32_t n = 0; n < 2; n++) {
        const uint8_t *bytes = erx_weights_bytes(model->weights[n]);
        ck_assert_mem_eq(bytes, image, model->image_bytes);
        ck_assert_ptr_eq(model->steps[n].image, &model->images[n]);
        const uint8_t *panels = model->images[n].layers[0].project.panels;
        ck_assert(panels >= bytes && panels < bytes + model->image_bytes);
        ck_assert(mapping_find(bytes, &mappings[n]));
        ck_assert(!mappings[n].writable);
    }
    ck_assert_uint_ne(mappings[0].inode, mappings[1].inode);
    ck_assert_uint_eq(mapping_count(WEIGHTS_NAME), 2);
    erx_free(image);
    erx_engine_close(engine);
}
END_TEST

/* ---- other processes ---- */

/* Two processes that have the same model at the same time. */
typedef struct {
    atomic_uint loaded;  /* by the child */
    atomic_uint measure; /* set by the parent when it has loaded too */
    atomic_uint measured;
    atomic_uint leave;
    mapping_t mapping; /* the child's */
} meeting_t;

static void await(const atomic_uint *flag)
{
    while (atomic_load(flag) == 0)
        (void)usleep(1000);
}

static int hold_model(void *context)
{
    meeting_t *meeting = context;
    erx_engine_t *engine;
    erx_model_t *model;
    erx_error_t error;
    const erx_engine_config_t config = {.worker_count = 1};
    ERX_CHILD_CHECK(rig_engine_try(NULL, &config, &engine, &error) == ERX_OK);
    ERX_CHILD_CHECK(erx_engine_load_model(engine, files.directory, SESSIONS, &model, &error) ==
                    ERX_OK);
    atomic_store(&meeting->loaded, 1);
    await(&meeting->measure);
    ERX_CHILD_CHECK(mapping_find(erx_weights_bytes(model->weights[0]), &meeting->mapping));
    atomic_store(&meeting->measured, 1);
    await(&meeting->leave);
    erx_engine_close(engine);
    return EXIT_SUCCESS;
}

static void expect_half(const mapping_t *mapping)
{
    ck_assert_uint_gt(mapping->rss_kib, 0);
    ck_assert_uint_ge(20 * mapping->pss_kib, 9 * mapping->rss_kib);
    ck_assert_uint_le(20 * mapping->pss_kib, 11 * mapping->rss_kib);
}

/* Loads the model while the other process has it. */
static void share_with(meeting_t *meeting, uint32_t worker_count)
{
    const erx_engine_config_t config = {.worker_count = worker_count};
    erx_engine_t *engine = rig_engine_open(NULL, &config);
    const erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    mapping_t mapping;
    ck_assert(erx_weights_shared(model->weights[0]));
    atomic_store(&meeting->measure, 1);
    await(&meeting->measured);
    ck_assert(mapping_find(erx_weights_bytes(model->weights[0]), &mapping));
    ck_assert_uint_eq(mapping.inode, meeting->mapping.inode);
    ck_assert(!mapping.writable && !meeting->mapping.writable);
    expect_half(&mapping);
    expect_half(&meeting->mapping);
    erx_engine_close(engine);
}

/* Kernels of another layout have an image of their own. */
static void expect_own_image(const char *isa, const meeting_t *meeting)
{
    const erx_engine_config_t config = {.worker_count = 1, .isa = isa};
    erx_engine_t *engine = rig_engine_open(NULL, &config);
    const erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    mapping_t mapping;
    ck_assert(!erx_weights_shared(model->weights[0]));
    ck_assert(mapping_find(erx_weights_bytes(model->weights[0]), &mapping));
    ck_assert_uint_ne(mapping.inode, meeting->mapping.inode);
    erx_engine_close(engine);
}

START_TEST(test_processes_share_the_pages_of_the_weights)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    meeting_t *meeting = erx_child_share(sizeof *meeting);
    pid_t child = erx_child_start(hold_model, meeting);
    await(&meeting->loaded);
    share_with(meeting, 2);
    for (uint32_t k = 1; k < kernel_count; k++)
        expect_own_image(kernels[k]->name, meeting);
    atomic_store(&meeting->leave, 1);
    erx_child_finish(child);
    /* The last one has left: who comes now packs anew. */
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 1});
    ck_assert(!erx_weights_shared(rig_engine_load(engine, files.directory, 1)->weights[0]));
    erx_engine_close(engine);
}
END_TEST

/* ---- failures ---- */

/* What the process holds. */
typedef struct {
    size_t heap_bytes;
    uint32_t weight_mappings, open_files;
} holdings_t;

static holdings_t read_holdings(void)
{
    return (holdings_t){
        .heap_bytes = erx_alloc_arena_bytes(),
        .weight_mappings = mapping_count(WEIGHTS_NAME),
        .open_files = mapping_open_files(),
    };
}

static bool same_holdings(const holdings_t *a, const holdings_t *b)
{
    return a->heap_bytes == b->heap_bytes && a->weight_mappings == b->weight_mappings &&
           a->open_files == b->open_files;
}

START_TEST(test_a_failed_load_leaves_nothing_behind)
{
    static const struct {
        uint32_t sessions;
        erx_status_t status;
        const char *text;
    } refused[] = {
        {0, ERX_ERR_RANGE, "sessions: 0 is not in 1 to 65536"},
        {ERX_SESSIONS_MAX + 1, ERX_ERR_RANGE, "sessions: 65537 is not in 1 to 65536"},
    };
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 2});
    (void)rig_engine_load(engine, files.directory, SESSIONS);
    holdings_t before = read_holdings();
    for (size_t i = 0; i < ERX_COUNT(refused); i++) {
        erx_model_t *model = NULL;
        erx_error_t error = {0};
        ck_assert_int_eq(
            erx_engine_load_model(engine, files.directory, refused[i].sessions, &model, &error),
            refused[i].status);
        ck_assert_ptr_null(model);
        ck_assert_msg(strstr(error.text, refused[i].text) != NULL, "%s", error.text);
        holdings_t after = read_holdings();
        ck_assert(same_holdings(&before, &after));
    }
    ck_assert_uint_eq(erx_engine_begin_block(engine, 0)->frame_capacity, SESSIONS);
    erx_engine_close(engine);
}
END_TEST

START_TEST(test_a_directory_without_a_model_leaves_nothing_behind)
{
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 1});
    erx_model_t *model = NULL;
    erx_error_t error = {0};
    holdings_t before = read_holdings();
    ck_assert_int_eq(erx_engine_load_model(engine, "/nowhere", 1, &model, &error),
                     ERX_ERR_NOT_FOUND);
    ck_assert_ptr_null(model);
    ck_assert_msg(strstr(error.text, "/nowhere/manifest.json") != NULL, "%s", error.text);
    /* The engine takes a good one after it. */
    holdings_t after = read_holdings();
    ck_assert(same_holdings(&before, &after));
    (void)rig_engine_load(engine, files.directory, 1);
    erx_engine_close(engine);
}
END_TEST

/* Sessions that do not fit into memory: found out after weights and work space
 * are there. */
static int load_beyond_memory(void *context)
{
    (void)context;
    erx_engine_t *engine;
    erx_model_t *model = NULL;
    erx_error_t error;
    const erx_engine_config_t config = {.worker_count = 1};
    ERX_CHILD_CHECK(rig_engine_try(NULL, &config, &engine, &error) == ERX_OK);
    ERX_CHILD_CHECK(erx_engine_load_model(engine, files.directory, 1, &model, &error) == ERX_OK);
    size_t needed = ERX_SESSIONS_MAX * erx_arena_bytes(&files.fixture.shape);
    FILE *sizes = fopen("/proc/self/statm", "r");
    size_t pages = 0;
    ERX_CHILD_CHECK(sizes != NULL && fscanf(sizes, "%zu", &pages) == 1);
    (void)fclose(sizes);
    size_t limit = pages * (size_t)sysconf(_SC_PAGESIZE) + needed / 2;
    ERX_CHILD_CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) == 0);
    holdings_t before = read_holdings();
    erx_status_t status =
        erx_engine_load_model(engine, files.directory, ERX_SESSIONS_MAX, &model, &error);
    holdings_t after = read_holdings();
    ERX_CHILD_CHECK(status == ERX_ERR_MEMORY);
    ERX_CHILD_CHECK(strstr(error.text, "arenas of 65536 sessions") != NULL);
    ERX_CHILD_CHECK(same_holdings(&before, &after));
    erx_engine_close(engine);
    return EXIT_SUCCESS;
}

static bool can_limit_memory(void)
{
#ifdef ERX_SANITIZED
    rig_skip("a sanitizer needs more address space than a limit leaves");
    return false;
#else
    return true;
#endif
}

START_TEST(test_sessions_beyond_memory_are_refused)
{
    if (can_limit_memory())
        erx_child_run(load_beyond_memory, NULL);
}
END_TEST

START_TEST(test_closing_gives_everything_back)
{
    holdings_t before = read_holdings();
    erx_engine_t *engine = rig_engine_open(RIG_TWO_NODES, &(erx_engine_config_t){0});
    (void)rig_engine_load(engine, files.directory, SESSIONS);
    (void)rig_engine_load(engine, files.directory, SESSIONS);
    holdings_t open = read_holdings();
    ck_assert(!same_holdings(&before, &open));
    erx_engine_close(engine);
    holdings_t after = read_holdings();
    ck_assert_uint_eq(after.heap_bytes, before.heap_bytes);
    ck_assert_uint_eq(after.weight_mappings, before.weight_mappings);
    ck_assert_uint_eq(after.open_files, before.open_files);
}
END_TEST

Suite *model_suite(void)
{
    Suite *suite = suite_create("model");
    TCase *tcase = tcase_create("model");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_a_model_says_what_it_is);
    tcase_add_loop_test(tcase, test_costs_are_measured, 1, 4);
    tcase_add_test(tcase, test_every_node_has_one_copy_of_the_weights);
    tcase_add_test(tcase, test_processes_share_the_pages_of_the_weights);
    tcase_add_test(tcase, test_a_failed_load_leaves_nothing_behind);
    tcase_add_test(tcase, test_a_directory_without_a_model_leaves_nothing_behind);
    tcase_add_test(tcase, test_sessions_beyond_memory_are_refused);
    tcase_add_test(tcase, test_closing_gives_everything_back);
    suite_add_tcase(suite, tcase);
    return suite;
}
