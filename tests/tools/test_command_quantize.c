/* The commands as a whole, on made-up files. */
#include "engine/model_file.h"
#include "tests/support/file.h"
#include "tests/support/model_fixture.h"
#include "tests/support/scratch.h"
#include "tests/tools/parameters_fixture.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/command.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16

static char directory[ERX_SCRATCH_PATH_MAX];
static char checkpoint_path[ERX_SCRATCH_PATH_MAX];
static char games_path[ERX_SCRATCH_PATH_MAX];
static char out_path[ERX_SCRATCH_PATH_MAX];
static char json_path[ERX_SCRATCH_PATH_MAX];

static void set_path(char path[ERX_SCRATCH_PATH_MAX], const char *name)
{
    (void)snprintf(path, ERX_SCRATCH_PATH_MAX, "%s", erx_scratch_file(directory, name));
}

static void write_checkpoint(const erx_shape_t *shape)
{
    size_t size;
    erx_parameters_t checkpoint;
    erx_parameters_fixture(shape, 8, &checkpoint);
    uint8_t *bytes = erx_parameters_fixture_file(&checkpoint, &size);
    erx_file_write(checkpoint_path, bytes, size);
    free(bytes);
    erx_parameters_close(&checkpoint);
}

static void setup(void)
{
    size_t size;
    erx_scratch_make(directory);
    set_path(checkpoint_path, "small.model.safetensors");
    set_path(games_path, "games.safetensors");
    set_path(out_path, "out");
    set_path(json_path, "report.json");
    write_checkpoint(&erx_fixture_small);
    uint8_t *bytes = erx_sequences_fixture_file(4, 200, &size);
    erx_file_write(games_path, bytes, size);
    free(bytes);
}

static void teardown(void)
{
    if (erx_scratch_count(out_path) >= 0)
        erx_scratch_remove(out_path);
    erx_scratch_remove(directory);
}

/* Runs a command; what it prints goes to a file in the directory. */
static int run(int (*command)(int argc, char **argv), const char *const *arguments)
{
    char *argv[ARGUMENTS_MAX + 1] = {NULL};
    int count = 0;
    for (; arguments[count] != NULL; count++) {
        ck_assert_int_lt(count, ARGUMENTS_MAX);
        argv[count] = (char *)(uintptr_t)arguments[count];
    }
    const char *path = erx_scratch_file(directory, "printed");
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int output = dup(STDOUT_FILENO), errors = dup(STDERR_FILENO);
    ck_assert(file >= 0 && output >= 0 && errors >= 0);
    (void)fflush(NULL);
    ck_assert(dup2(file, STDOUT_FILENO) >= 0 && dup2(file, STDERR_FILENO) >= 0);
    int status = command(count, argv);
    (void)fflush(NULL);
    ck_assert(dup2(output, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0);
    (void)close(file);
    (void)close(output);
    (void)close(errors);
    return status;
}

static void expect_printed(const char *text)
{
    char printed[8192] = {0};
    FILE *file = fopen(erx_scratch_file(directory, "printed"), "rb");
    ck_assert_ptr_nonnull(file);
    (void)fread(printed, 1, sizeof printed - 1, file);
    (void)fclose(file);
    ck_assert_msg(strstr(printed, text) != NULL, "'%s' does not say '%s'", printed, text);
}

static int quantize(const char *source_option, const char *source, const char *games)
{
    const char *const arguments[] = {"quantize", source_option, source,     "--calib", games,
                                     "--out",    out_path,      "--report", json_path, NULL};
    return run(erx_command_quantize, arguments);
}

START_TEST(test_a_checkpoint_becomes_a_model)
{
    erx_model_file_t model;
    erx_error_t error;
    const char *const arguments[] = {"quantize",      "--calib",       games_path, "--out",
                                     out_path,        "--report",      json_path,  "--name",
                                     "from the test", checkpoint_path, NULL};
    ck_assert_int_eq(run(erx_command_quantize, arguments), ERX_EXIT_OK);
    expect_printed("calibrated  on 2 sequences of 199 frames");
    expect_printed("warning: calibrated on sequences of 199 frames");
    ck_assert_msg(erx_model_file_open(out_path, &model, &error) == ERX_OK, "%s", error.text);
    ck_assert_str_eq(model.manifest.name, "from the test");
    ck_assert_ptr_nonnull(strstr(model.manifest.fidelity, "snr_db"));
    ck_assert_ptr_nonnull(strstr(model.manifest.provenance, "small.model.safetensors"));
    erx_model_file_close(&model);
    json_t *report = json_load_file(json_path, 0, NULL);
    ck_assert_uint_gt(json_array_size(json_object_get(report, "weights")), 50);
    json_decref(report);
    const char *const again[] = {"fidelity",      out_path,  "--checkpoint",
                                 checkpoint_path, "--data",  games_path,
                                 "--json",        json_path, NULL};
    ck_assert_int_eq(run(erx_command_fidelity, again), ERX_EXIT_OK);
    report = json_load_file(json_path, 0, NULL);
    ck_assert_uint_eq(json_object_size(json_object_get(report, "heads")), 16);
    json_decref(report);
}
END_TEST

/* Only Mamba2 world models have a choice of profiles. */
START_TEST(test_a_profile_is_chosen)
{
    const erx_shape_t mlp = {.stack = {3, 40, 32, {4, 4, 4, 4, 4, 4, 4, 4}, 1}};
    erx_model_file_t model;
    erx_error_t error;
    const char *const arguments[] = {
        "quantize", checkpoint_path,      "--calib", games_path, "--out",
        out_path,   "--profile=i16ssm-2", NULL};
    ck_assert_int_eq(run(erx_command_quantize, arguments), ERX_EXIT_OK);
    ck_assert_msg(erx_model_file_open(out_path, &model, &error) == ERX_OK, "%s", error.text);
    ck_assert_uint_eq(model.manifest.shape.profile, ERX_PROFILE_2);
    erx_model_file_close(&model);
    const char *const inspect[] = {"inspect", out_path, NULL};
    ck_assert_int_eq(run(erx_command_inspect, inspect), ERX_EXIT_OK);
    expect_printed("i16ssm-2");
    const char *const measure[] = {"fidelity", out_path, "--checkpoint", checkpoint_path, "--data",
                                   games_path, NULL};
    ck_assert_int_eq(run(erx_command_fidelity, measure), ERX_EXIT_OK);
    erx_scratch_remove(out_path);
    write_checkpoint(&mlp);
    ck_assert_int_eq(run(erx_command_quantize, arguments), ERX_EXIT_FAILED);
    expect_printed("--profile");
    ck_assert_int_eq(erx_scratch_count(out_path), -1);
}
END_TEST

START_TEST(test_a_published_directory_is_a_source)
{
    char published[ERX_SCRATCH_PATH_MAX];
    set_path(published, "published");
    const char *const arguments[] = {"quantize", "--format",      "published", "--out",
                                     published,  checkpoint_path, NULL};
    ck_assert_int_eq(run(erx_command_quantize, arguments), ERX_EXIT_OK);
    ck_assert_int_eq(erx_scratch_count(published), 2);
    ck_assert_int_eq(quantize("--from", published, games_path), ERX_EXIT_OK);
    ck_assert_int_eq(erx_scratch_count(out_path), 3);
    erx_scratch_remove(published);
}
END_TEST

/* An MLP world model, from its checkpoint and from the published form of it. */
START_TEST(test_an_mlp_becomes_a_model)
{
    const erx_shape_t shape = {.stack = {3, 40, 32, {4, 4, 4, 4, 4, 4, 4, 4}, 1}};
    char published[ERX_SCRATCH_PATH_MAX];
    erx_model_file_t model;
    erx_error_t error;
    write_checkpoint(&shape);
    set_path(published, "published");
    const char *const publish[] = {"quantize", "--format",      "published", "--out",
                                   published,  checkpoint_path, NULL};
    ck_assert_int_eq(run(erx_command_quantize, publish), ERX_EXIT_OK);
    ck_assert_int_eq(quantize("--from", published, games_path), ERX_EXIT_OK);
    expect_printed("calibrated  on at most 8192 moments");
    ck_assert_msg(erx_model_file_open(out_path, &model, &error) == ERX_OK, "%s", error.text);
    ck_assert_uint_eq(model.manifest.shape.stack.context, 3);
    ck_assert_uint_eq(model.manifest.shape.stack.is_world, 1);
    erx_model_file_close(&model);
    const char *const measure[] = {"fidelity",      out_path,  "--checkpoint",
                                   checkpoint_path, "--data",  games_path,
                                   "--json",        json_path, NULL};
    ck_assert_int_eq(run(erx_command_fidelity, measure), ERX_EXIT_OK);
    json_t *report = json_load_file(json_path, 0, NULL);
    ck_assert_double_gt(json_number_value(json_object_get(report, "snr_db")), 20.0);
    json_decref(report);
    erx_scratch_remove(published);
}
END_TEST

START_TEST(test_nothing_is_written_on_failure)
{
    int before = erx_scratch_count(directory);
    ck_assert_int_eq(quantize("--threads=1", checkpoint_path, checkpoint_path), ERX_EXIT_FAILED);
    expect_printed("tensor cont is missing");
    ck_assert_int_eq(quantize("--threads=1", games_path, games_path), ERX_EXIT_FAILED);
    expect_printed("erx quantize: ");
    ck_assert_int_eq(erx_scratch_count(out_path), -1);
    ck_assert_int_eq(erx_scratch_count(directory), before + 1); /* what was printed */
}
END_TEST

/* What cannot be done is said before the work, with both files; nothing stays. */
START_TEST(test_what_cannot_be_is_said_first)
{
    size_t size;
    uint8_t *bytes = erx_sequences_fixture_file(1, 1, &size);
    const char *games = erx_scratch_file(directory, "one.safetensors");
    erx_file_write(games, bytes, size);
    free(bytes);
    char one[ERX_SCRATCH_PATH_MAX];
    (void)snprintf(one, sizeof one, "%s", games);
    ck_assert_int_ne(quantize("--threads=1", checkpoint_path, one), ERX_EXIT_OK);
    expect_printed("small.model.safetensors calibrated with ");
    expect_printed("one.safetensors: the calibration set has no training game");
    set_path(json_path, "absent/report.json");
    ck_assert_int_ne(quantize("--threads=1", checkpoint_path, games_path), ERX_EXIT_OK);
    expect_printed("absent/report.json");
    ck_assert_int_lt(erx_scratch_count(out_path), 0);
}
END_TEST

Suite *command_quantize_suite(void)
{
    Suite *suite = suite_create("command_quantize");
    TCase *tests = tcase_create("run");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_a_checkpoint_becomes_a_model);
    tcase_add_test(tests, test_a_profile_is_chosen);
    tcase_add_test(tests, test_a_published_directory_is_a_source);
    tcase_add_test(tests, test_an_mlp_becomes_a_model);
    tcase_add_test(tests, test_what_cannot_be_is_said_first);
    tcase_add_test(tests, test_nothing_is_written_on_failure);
    suite_add_tcase(suite, tests);
    return suite;
}
