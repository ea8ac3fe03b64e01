#include "tests/support/file.h"
#include "tests/support/scratch.h"
#include "tests/tools/parameters_fixture.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/calibration_data.h"

#include <stdlib.h>
#include <string.h>

#define GAMES  3u
#define FRAMES 5u

static char directory[ERX_SCRATCH_PATH_MAX];
static uint8_t *bytes;
static size_t size;
static erx_sequences_t sequences;
static erx_error_t error;

static void setup(void)
{
    erx_scratch_make(directory);
    bytes = erx_sequences_fixture_file(GAMES, FRAMES, &size);
}

static void teardown(void)
{
    free(bytes);
    erx_scratch_remove(directory);
}

static erx_status_t open_file(void)
{
    const char *path = erx_scratch_file(directory, "games.safetensors");
    erx_file_write(path, bytes, size);
    return erx_sequences_open(&sequences, path, &error);
}

/* Where a tensor's values lie in the file. */
static uint8_t *values(const char *name)
{
    erx_safetensors_t file;
    ck_assert_int_eq(erx_safetensors_read(bytes, size, &file, &error), ERX_OK);
    const erx_safetensor_t *tensor = erx_safetensors_find(&file, name);
    ck_assert_ptr_nonnull(tensor);
    uint8_t *place = bytes + (tensor->bytes - bytes);
    erx_safetensors_close(&file);
    return place;
}

static void expect_refused(const char *text)
{
    ck_assert_int_lt(open_file(), 0);
    ck_assert_ptr_null(sequences.games);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' does not say '%s'", error.text, text);
    ck_assert_ptr_nonnull(strstr(error.text, "games.safetensors"));
}

START_TEST(test_frames_are_read_as_stored)
{
    float x;
    int16_t action;
    erx_float_world_t world;
    ck_assert_int_eq(open_file(), ERX_OK);
    ck_assert_uint_eq(sequences.game_count, GAMES);
    ck_assert(sequences.games[1].is_test && !sequences.games[2].is_test);
    erx_sequences_world(&sequences, &sequences.games[2], 1, &world);
    size_t row = 2 * FRAMES + 1;
    memcpy(&x, values("cont") + (row * 26 + 14) * sizeof x, sizeof x);
    memcpy(&action, values("cat") + row * 14 * sizeof action, sizeof action);
    ck_assert_float_eq(world.continuous[1][ERX_S_X], x);
    ck_assert_int_eq(world.category[ERX_C_ACTION], action);
    ck_assert_int_eq(world.category[ERX_C_STAGE], 8);
    ck_assert_mem_eq(world.control, values("ctrl") + row * 16, 16);
    ck_assert_mem_eq(erx_sequences_control(&sequences, &sequences.games[2], 1), world.control, 16);
    erx_sequences_close(&sequences);
}
END_TEST

START_TEST(test_values_no_game_has_are_named)
{
    const float infinite = 1.0f / 0.0f;
    memcpy(values("cont") + 3 * 26 * sizeof infinite, &infinite, sizeof infinite);
    expect_refused("tensor cont row 3");
    memset(values("cont") + 3 * 26 * sizeof infinite, 0, sizeof infinite);
    values("binary")[6 * 4 + 1] = 2;
    expect_refused("tensor binary row 4: value 1");
    values("binary")[6 * 4 + 1] = 1;
    const int16_t action = 400;
    memcpy(values("cat") + 2 * 14 * sizeof action, &action, sizeof action);
    expect_refused("tensor cat row 2: value 0 is 400");
}
END_TEST

START_TEST(test_games_must_lie_in_order)
{
    const int64_t wrong = 11;
    memcpy(values("game_off") + sizeof wrong, &wrong, sizeof wrong);
    expect_refused("tensor game_off: game 1");
}
END_TEST

START_TEST(test_foreign_files_are_refused)
{
    erx_parameters_t checkpoint;
    const erx_shape_t shape = {32, 64, 2, 1, 1, 64};
    erx_parameters_fixture(&shape, 1, &checkpoint);
    free(bytes);
    bytes = erx_parameters_fixture_file(&checkpoint, &size);
    erx_parameters_close(&checkpoint);
    expect_refused("tensor cont is missing");
}
END_TEST

Suite *calibration_data_suite(void)
{
    Suite *suite = suite_create("calibration_data");
    TCase *tests = tcase_create("open");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_frames_are_read_as_stored);
    tcase_add_test(tests, test_values_no_game_has_are_named);
    tcase_add_test(tests, test_games_must_lie_in_order);
    tcase_add_test(tests, test_foreign_files_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
