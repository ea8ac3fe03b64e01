#include "engine/data_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "tests/engine/engine_suites.h"
#include "tests/support/child.h"
#include "tests/support/model_fixture.h"

#define JOURNAL_BYTES ((uint64_t)256 << 10)

/* A scratch directory with two models, an engine with one of them loaded. */
typedef struct {
    char root[64];
    char models[2][96];
    char data[96];
    erx_engine_t *engine;
    erx_data_plan_t plan;
    const char *model_directory;
} place_t;

static void run(const char *format, const char *path)
{
    char command[256];
    (void)snprintf(command, sizeof command, format, path);
    ck_assert_int_eq(system(command), 0);
}

static void load(place_t *place, uint32_t model, uint32_t sessions)
{
    const erx_engine_config_t config = {.worker_count = 1};
    erx_model_t *loaded;
    erx_error_t error;
    erx_engine_close(place->engine);
    ck_assert_int_eq(erx_engine_open(&config, &place->engine, &error), ERX_OK);
    place->model_directory = place->models[model];
    ck_assert_int_eq(
        erx_engine_load_model(place->engine, place->models[model], sessions, &loaded, &error),
        ERX_OK);
    place->plan = (erx_data_plan_t){
        .journal_bytes = JOURNAL_BYTES,
        .model_directories = &place->model_directory,
    };
    place->plan.models = erx_engine_models(place->engine, &place->plan.model_count);
}

static void open_place(place_t *place)
{
    memset(place, 0, sizeof *place);
    (void)snprintf(place->root, sizeof place->root, "/tmp/erx-data-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place->root));
    (void)snprintf(place->data, sizeof place->data, "%s/data", place->root);
    for (uint32_t i = 0; i < 2; i++) {
        erx_fixture_t fixture;
        (void)snprintf(place->models[i], sizeof place->models[i], "%s/model%u", place->root, i);
        run("mkdir %s", place->models[i]);
        erx_fixture_model(&erx_fixture_micro, i + 1, &fixture);
        erx_fixture_write(&fixture, place->models[i]);
        erx_fixture_free(&fixture);
    }
    load(place, 0, 3);
}

static void close_place(place_t *place)
{
    erx_engine_close(place->engine);
    run("rm -r %s", place->root);
}

static erx_data_directory_t data; /* large */

static erx_status_t open_data(const place_t *place, erx_error_t *error)
{
    return erx_data_directory_open(&data, place->data, &place->plan, error);
}

START_TEST(test_the_first_start_makes_it_and_the_next_opens_it)
{
    place_t place;
    erx_error_t error;
    uint8_t id[ERX_FILE_ID_BYTES];
    open_place(&place);
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    ck_assert(data.made);
    memcpy(id, data.file_id, sizeof id);
    ck_assert_int_eq(erx_data_directory_claim(&data, 41, 3, true, &error), ERX_OK);
    erx_data_directory_close(&data);
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    ck_assert(!data.made && data.closed);
    ck_assert_mem_eq(data.file_id, id, sizeof id);
    ck_assert_uint_eq(data.claimed, 41);
    ck_assert_uint_eq(data.claimed_epoch, 3);
    ck_assert_uint_eq(data.journal_bytes, JOURNAL_BYTES);
    erx_data_directory_close(&data);
    close_place(&place);
}
END_TEST

static int try_to_open(void *context)
{
    erx_error_t error;
    const place_t *place = context;
    ERX_CHILD_CHECK(open_data(place, &error) == ERX_ERR_STATE);
    ERX_CHILD_CHECK(strstr(error.text, "in use") != NULL);
    return 0;
}

START_TEST(test_two_processes_never_share_it)
{
    place_t place;
    erx_error_t error;
    open_place(&place);
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    ck_assert(erx_data_directory_in_use(place.data));
    erx_child_run(try_to_open, &place);
    erx_data_directory_close(&data);
    ck_assert(!erx_data_directory_in_use(place.data));
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    erx_data_directory_close(&data);
    close_place(&place);
}
END_TEST

START_TEST(test_another_model_or_number_of_sessions_is_refused)
{
    place_t place;
    erx_error_t error;
    open_place(&place);
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    erx_data_directory_close(&data);
    load(&place, 1, 3);
    ck_assert_int_eq(open_data(&place, &error), ERX_ERR_DIFFERS);
    ck_assert_ptr_nonnull(strstr(error.text, "another model"));
    load(&place, 0, 4);
    ck_assert_int_eq(open_data(&place, &error), ERX_ERR_DIFFERS);
    ck_assert_ptr_nonnull(strstr(error.text, "3 sessions"));
    load(&place, 0, 3);
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    erx_data_directory_close(&data);
    close_place(&place);
}
END_TEST

START_TEST(test_a_foreign_directory_is_refused_and_left_alone)
{
    place_t place;
    erx_error_t error;
    open_place(&place);
    run("mkdir %s", place.data);
    run("touch %s/letters.txt", place.data);
    ck_assert_int_eq(open_data(&place, &error), ERX_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(error.text, "letters.txt"));
    run("test -e %s/letters.txt", place.data);
    run("test ! -e %s/journal-1", place.data);
    close_place(&place);
}
END_TEST

/* What is damaged or from another time is refused with its name. */
START_TEST(test_another_format_and_damage_are_refused)
{
    static const struct {
        const char *change;
        const char *named;
    } cases[] = {
        {"sed -i s/erx_data_v2/erx_data_v9/ %s/data.json", "erx_data_v9"},
        {"sed -i 's/\"journal_bytes\": [0-9]*/\"journal_bytes\": -4/' %s/data.json",
         "journal_bytes"},
        {"echo '{' > %s/data.json", "data.json"},
        {"truncate -s 4096 %s/journal-2", "journal-2"},
        {"rm %s/checkpoints-0", "checkpoints-0"},
        {"echo '{}' > %s/claim.json", "claim.json"},
    };
    for (uint32_t i = 0; i < ERX_COUNT(cases); i++) {
        place_t place;
        erx_error_t error;
        open_place(&place);
        ck_assert_int_eq(open_data(&place, &error), ERX_OK);
        ck_assert_int_eq(erx_data_directory_claim(&data, 1, 1, true, &error), ERX_OK);
        erx_data_directory_close(&data);
        run(cases[i].change, place.data);
        ck_assert_int_ne(open_data(&place, &error), ERX_OK);
        ck_assert_msg(strstr(error.text, cases[i].named) != NULL, "%s: %s", cases[i].named,
                      error.text);
        close_place(&place);
    }
}
END_TEST

START_TEST(test_an_interrupted_first_start_is_made_good)
{
    place_t place;
    erx_error_t error;
    open_place(&place);
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    erx_data_directory_close(&data);
    run("rm %s/data.json", place.data);
    run("truncate -s 100 %s/journal-2", place.data);
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    ck_assert(data.made);
    ck_assert_uint_eq(data.files[1].bytes, JOURNAL_BYTES);
    erx_data_directory_close(&data);
    close_place(&place);
}
END_TEST

/* The journal's second copy in a directory of its own, which may be moved. */
START_TEST(test_the_second_copy_may_be_elsewhere)
{
    place_t place;
    erx_error_t error;
    char copy[96], moved[96];
    open_place(&place);
    (void)snprintf(copy, sizeof copy, "%s/copy", place.root);
    (void)snprintf(moved, sizeof moved, "%s/moved", place.root);
    place.plan.copy_path = copy;
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    erx_data_directory_close(&data);
    run("test ! -e %s/journal-2", place.data);
    run("test -e %s/journal-2", copy);
    place.plan.copy_path = NULL; /* the description says it */
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    erx_data_directory_close(&data);
    ck_assert_int_eq(rename(copy, moved), 0);
    ck_assert_int_eq(open_data(&place, &error), ERX_ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(error.text, "second copy"));
    place.plan.copy_path = moved;
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    erx_data_directory_close(&data);
    close_place(&place);
}
END_TEST

START_TEST(test_a_second_copy_of_another_directory_is_refused_and_left_alone)
{
    place_t place;
    erx_error_t error;
    char copy[96], other[96];
    open_place(&place);
    (void)snprintf(copy, sizeof copy, "%s/copy", place.root);
    (void)snprintf(other, sizeof other, "%s/other", place.root);
    place.plan.copy_path = copy;
    ck_assert_int_eq(open_data(&place, &error), ERX_OK);
    erx_data_directory_close(&data);
    ck_assert_int_eq(erx_data_directory_open(&data, other, &place.plan, &error), ERX_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(error.text, "copy.json"));
    run("test -e %s/journal-2", copy);
    place.plan.copy_path = NULL;
    ck_assert_int_eq(erx_data_directory_open(&data, other, &place.plan, &error), ERX_OK);
    erx_data_directory_close(&data);
    place.plan.copy_path = copy; /* the other directory has both copies itself */
    ck_assert_int_eq(erx_data_directory_open(&data, other, &place.plan, &error), ERX_ERR_DIFFERS);
    run("sed -i 's/\"id\": \"../\"id\": \"00/' %s/copy.json", copy);
    run("sed -i 's/\"id\": \"../\"id\": \"11/' %s/copy.json", copy);
    ck_assert_int_eq(open_data(&place, &error), ERX_ERR_DIFFERS);
    ck_assert_ptr_nonnull(strstr(error.text, "another data directory"));
    close_place(&place);
}
END_TEST

Suite *data_directory_suite(void)
{
    Suite *suite = suite_create("data_directory");
    TCase *tcase = tcase_create("data_directory");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_the_first_start_makes_it_and_the_next_opens_it);
    tcase_add_test(tcase, test_two_processes_never_share_it);
    tcase_add_test(tcase, test_another_model_or_number_of_sessions_is_refused);
    tcase_add_test(tcase, test_a_foreign_directory_is_refused_and_left_alone);
    tcase_add_test(tcase, test_another_format_and_damage_are_refused);
    tcase_add_test(tcase, test_an_interrupted_first_start_is_made_good);
    tcase_add_test(tcase, test_the_second_copy_may_be_elsewhere);
    tcase_add_test(tcase, test_a_second_copy_of_another_directory_is_refused_and_left_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}
