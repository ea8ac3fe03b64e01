#include "tests/support/file.h"
#include "tests/support/rng.h"
#include "tests/support/scratch.h"
#include "tests/support/shared.h"
#include "tests/tools/tools_suites.h"
#include "tools/trace.h"

#include <stdio.h>
#include <string.h>

/* Two games, the later frames listed first: frames 3..4, then 0..2. */
#define GAMES       2u
#define FRAMES      5u
#define TABLE       16u
#define CONTROLLERS (TABLE + 12u * GAMES)
#define SIZE        (CONTROLLERS + 16u * FRAMES)

static uint8_t bytes[SIZE + 16];
static erx_trace_t trace;
static erx_error_t error;

static void put_u32(size_t offset, uint32_t value)
{
    memcpy(bytes + offset, &value, sizeof value);
}

static void setup(void)
{
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, "ERXTRAC1", 8);
    put_u32(8, GAMES);
    put_u32(12, FRAMES);
    put_u32(TABLE, 3);
    put_u32(TABLE + 4, 2);
    memcpy(bytes + TABLE + 8, (uint8_t[]){32, 1, 32, 0}, 4);
    put_u32(TABLE + 12, 0);
    put_u32(TABLE + 16, 3);
    memcpy(bytes + TABLE + 20, (uint8_t[]){8, 22, 0, 0}, 4);
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        bytes[CONTROLLERS + 16 * frame] = (uint8_t)(10 + frame);
        bytes[CONTROLLERS + 16 * frame + 8] = (uint8_t)(20 + frame);
    }
}

static void expect_refused(size_t size, erx_status_t status, const char *text)
{
    ck_assert_int_eq(erx_trace_read(bytes, size, &trace, &error), status);
    ck_assert_ptr_null(trace.bytes);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' does not say '%s'", error.text, text);
}

START_TEST(test_games_are_views_of_the_bytes)
{
    ck_assert_int_eq(erx_trace_read(bytes, SIZE, &trace, &error), ERX_OK);
    ck_assert_uint_eq(trace.game_count, GAMES);
    ck_assert_uint_eq(trace.frame_count, FRAMES);
    erx_trace_game_t first = erx_trace_game(&trace, 0);
    ck_assert_uint_eq(first.frame_count, 2);
    ck_assert_uint_eq(first.stage, 32);
    ck_assert_uint_eq(first.characters[0], 1);
    ck_assert_uint_eq(first.characters[1], 32);
    ck_assert_ptr_eq(first.controllers, bytes + CONTROLLERS + 48);
    erx_trace_game_t second = erx_trace_game(&trace, 1);
    ck_assert_uint_eq(second.frame_count, 3);
    ck_assert_uint_eq(second.stage, 8);
    ck_assert_uint_eq(second.characters[0], 22);
    ck_assert_ptr_eq(second.controllers, bytes + CONTROLLERS);
}
END_TEST

START_TEST(test_inputs_start_over_past_the_end_of_a_game)
{
    ck_assert_int_eq(erx_trace_read(bytes, SIZE, &trace, &error), ERX_OK);
    erx_trace_game_t game = erx_trace_game(&trace, 0);
    for (uint64_t frame = 0; frame < 7; frame++) {
        ck_assert_uint_eq(erx_trace_controllers(&game, frame)[0][0], 13 + frame % 2);
        ck_assert_uint_eq(erx_trace_controllers(&game, frame)[1][0], 23 + frame % 2);
    }
    /* 2^64 - 1 is odd. */
    ck_assert_uint_eq(erx_trace_controllers(&game, UINT64_MAX)[0][0], 14);
}
END_TEST

START_TEST(test_every_length_but_the_right_one_is_refused)
{
    for (size_t size = 0; size < SIZE; size++)
        expect_refused(size, ERX_ERR_FORMAT, size < 16 ? "header:" : "the end is missing");
    expect_refused(SIZE + 1, ERX_ERR_FORMAT, "bytes trail");
    expect_refused(SIZE + 16, ERX_ERR_FORMAT, "size:");
}
END_TEST

START_TEST(test_magic)
{
    bytes[7] = '2';
    expect_refused(SIZE, ERX_ERR_FORMAT, "magic:");
}
END_TEST

START_TEST(test_counts)
{
    put_u32(8, 0);
    expect_refused(SIZE, ERX_ERR_RANGE, "games: 0");
    put_u32(8, UINT32_MAX);
    expect_refused(SIZE, ERX_ERR_RANGE, "games: 4294967295");
    put_u32(8, GAMES);
    put_u32(12, 0);
    expect_refused(SIZE, ERX_ERR_RANGE, "frames: 0");
    put_u32(12, UINT32_MAX);
    expect_refused(SIZE, ERX_ERR_RANGE, "frames: 4294967295");
}
END_TEST

START_TEST(test_game_out_of_the_frames)
{
    put_u32(TABLE + 4, 3);
    expect_refused(SIZE, ERX_ERR_RANGE, "game 0: first frame 3 and 3 frames");
    put_u32(TABLE, UINT32_MAX);
    put_u32(TABLE + 4, 2); /* their sum would wrap to 1 */
    expect_refused(SIZE, ERX_ERR_RANGE, "game 0: first frame 4294967295");
}
END_TEST

START_TEST(test_game_without_frames)
{
    put_u32(TABLE + 16, 0);
    expect_refused(SIZE, ERX_ERR_RANGE, "game 1: frames: 0");
}
END_TEST

START_TEST(test_games_that_share_a_frame)
{
    put_u32(TABLE, 2);
    expect_refused(SIZE, ERX_ERR_FORMAT, "games: those at first frame 0 and 2 overlap");
    put_u32(TABLE, 0);
    expect_refused(SIZE, ERX_ERR_FORMAT, "overlap");
}
END_TEST

START_TEST(test_stage_and_characters)
{
    bytes[TABLE + 8] = 33;
    expect_refused(SIZE, ERX_ERR_RANGE, "game 0: stage: 33");
    bytes[TABLE + 8] = 2;
    bytes[TABLE + 12 + 9] = 33;
    expect_refused(SIZE, ERX_ERR_RANGE, "game 1: character of player 1: 33");
    bytes[TABLE + 12 + 9] = 0;
    bytes[TABLE + 12 + 10] = 255;
    expect_refused(SIZE, ERX_ERR_RANGE, "game 1: character of player 2: 255");
    bytes[TABLE + 12 + 10] = 0;
    bytes[TABLE + 12 + 11] = 1;
    expect_refused(SIZE, ERX_ERR_FORMAT, "game 1: last byte: 1");
}
END_TEST

START_TEST(test_written_games_are_read_back)
{
    erx_rng_t rng = erx_rng_open(1);
    static uint8_t controllers[3][64 * ERX_TRACE_FRAME_BYTES];
    erx_rng_fill(&rng, controllers, sizeof controllers);
    erx_trace_game_t games[3];
    for (uint32_t k = 0; k < 3; k++)
        games[k] = (erx_trace_game_t){
            .frame_count = (uint32_t)erx_rng_range(&rng, 1, 64),
            .stage = (uint8_t)erx_rng_range(&rng, 0, 32),
            .characters = {(uint8_t)erx_rng_range(&rng, 0, 32),
                           (uint8_t)erx_rng_range(&rng, 0, 32)},
            .controllers = controllers[k],
        };
    char directory[ERX_SCRATCH_PATH_MAX];
    erx_scratch_make(directory);
    const char *path = erx_scratch_file(directory, "games.trace");
    ck_assert_int_eq(erx_trace_write(path, games, 3, &error), ERX_OK);
    ck_assert_int_eq(erx_trace_open(path, &trace, &error), ERX_OK);
    ck_assert_uint_eq(trace.game_count, 3);
    for (uint32_t k = 0; k < 3; k++) {
        erx_trace_game_t game = erx_trace_game(&trace, k);
        ck_assert_uint_eq(game.frame_count, games[k].frame_count);
        ck_assert_uint_eq(game.stage, games[k].stage);
        ck_assert_mem_eq(game.characters, games[k].characters, sizeof game.characters);
        ck_assert_mem_eq(game.controllers, games[k].controllers,
                         game.frame_count * ERX_TRACE_FRAME_BYTES);
    }
    erx_trace_close(&trace);
    erx_scratch_remove(directory);
}
END_TEST

START_TEST(test_games_that_could_not_be_read_are_not_written)
{
    char directory[ERX_SCRATCH_PATH_MAX];
    erx_scratch_make(directory);
    const char *path = erx_scratch_file(directory, "games.trace");
    const erx_trace_game_t game = {.frame_count = 1, .stage = 33, .controllers = bytes};
    ck_assert_int_eq(erx_trace_write(path, &game, 1, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "game 0: stage: 33"));
    ck_assert_int_eq(erx_trace_write(path, &game, 0, &error), ERX_ERR_RANGE);
    ck_assert_int_eq(erx_scratch_count(directory), 0);
    erx_scratch_remove(directory);
}
END_TEST

START_TEST(test_errors_of_files_name_the_file)
{
    char directory[ERX_SCRATCH_PATH_MAX];
    erx_scratch_make(directory);
    const char *path = erx_scratch_file(directory, "absent");
    ck_assert_int_eq(erx_trace_open(path, &trace, &error), ERX_ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(error.text, path));
    ck_assert_int_eq(erx_trace_open(directory, &trace, &error), ERX_ERR_FORMAT);
    path = erx_scratch_file(directory, "empty");
    erx_file_write(path, "", 0);
    ck_assert_int_eq(erx_trace_open(path, &trace, &error), ERX_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "empty: header: the file is empty"));
    erx_scratch_remove(directory);
}
END_TEST

START_TEST(test_recorded_games_are_read)
{
    erx_shared_file_t file;
    if (!erx_shared_map("data/traces.bin", &file))
        return;
    ck_assert_int_eq(erx_trace_read(file.bytes, file.size, &trace, &error), ERX_OK);
    ck_assert_uint_eq(trace.game_count, 58);
    ck_assert_uint_eq(trace.frame_count, 176484);
    erx_trace_game_t last = erx_trace_game(&trace, 57);
    ck_assert_ptr_eq(last.controllers + last.frame_count * ERX_TRACE_FRAME_BYTES,
                     file.bytes + file.size);
}
END_TEST

Suite *trace_suite(void)
{
    Suite *suite = suite_create("trace");
    TCase *tcase = tcase_create("trace");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, test_games_are_views_of_the_bytes);
    tcase_add_test(tcase, test_inputs_start_over_past_the_end_of_a_game);
    tcase_add_test(tcase, test_every_length_but_the_right_one_is_refused);
    tcase_add_test(tcase, test_magic);
    tcase_add_test(tcase, test_counts);
    tcase_add_test(tcase, test_game_out_of_the_frames);
    tcase_add_test(tcase, test_game_without_frames);
    tcase_add_test(tcase, test_games_that_share_a_frame);
    tcase_add_test(tcase, test_stage_and_characters);
    tcase_add_test(tcase, test_written_games_are_read_back);
    tcase_add_test(tcase, test_games_that_could_not_be_read_are_not_written);
    tcase_add_test(tcase, test_errors_of_files_name_the_file);
    tcase_add_test(tcase, test_recorded_games_are_read);
    suite_add_tcase(suite, tcase);
    return suite;
}
