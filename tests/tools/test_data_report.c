/* What `erx inspect` says of a data directory and of an archive, which hold
 * nothing but accounts. */
#include "tools/data_report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "engine/archive.h"
#include "engine/engine.h"
#include "tests/support/scratch.h"
#include "tests/tools/tools_suites.h"
#include "tools/archive_report.h"

#define BLOCKS   12u
#define ACCOUNTS 5u

static char root[ERX_SCRATCH_PATH_MAX];
static char data_path[ERX_SCRATCH_PATH_MAX], archive_path[ERX_SCRATCH_PATH_MAX];
static erx_error_t error;

static void append(void *context, const erx_record_t *record)
{
    erx_archive_append(context, record);
}

static void write_account(erx_accounts_t *accounts, uint8_t name)
{
    uint32_t index;
    erx_account_entry_t entry = {.kind = ERX_ACCOUNT_PLAIN, .data_length = 300};
    entry.key.bytes[0] = (uint8_t)(name % ACCOUNTS);
    index = erx_accounts_find(accounts, &entry.key);
    erx_accounts_begin(accounts);
    if (index == ERX_ACCOUNT_NONE)
        ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_write(accounts, index, 0, &name, 1, &error), ERX_OK);
    erx_accounts_commit(accounts);
}

/* A directory without models, and blocks that write one account each. */
static void make_directories(void)
{
    static erx_data_directory_t data; /* large */
    const erx_accounts_config_t accounts_config = {
        .account_capacity = ERX_ACCOUNTS_CAPACITY_MIN,
        .heap_bytes = ERX_ACCOUNTS_PAGE_BYTES,
        .write_log_bytes = 8192,
        .undo_log_bytes = 8192,
    };
    const erx_data_plan_t plan = {.journal_bytes = 1 << 18, .accounts = &accounts_config};
    erx_accounts_t *accounts;
    erx_archive_t *archive;
    erx_engine_t *engine;
    erx_recovery_t recovery;
    ck_assert_int_eq(erx_engine_open(&(erx_engine_config_t){.worker_count = 1}, &engine, &error),
                     ERX_OK);
    ck_assert_int_eq(erx_accounts_open(&accounts_config, &accounts, &error), ERX_OK);
    ck_assert_msg(erx_data_directory_open(&data, data_path, &plan, &error) == ERX_OK, "%s",
                  error.text);
    ck_assert_int_eq(erx_archive_open(&archive, archive_path, &data, &error), ERX_OK);
    erx_store_config_t config = {.accounts = accounts,
                                 .checkpoint_frames = 2,
                                 .threaded = true,
                                 .archive = append,
                                 .context = archive};
    erx_data_directory_configure(&data, &config);
    config.io.backend = ERX_IO_PLAIN;
    ck_assert_msg(erx_engine_open_store(engine, &config, &recovery, &error) == ERX_OK, "%s",
                  error.text);
    for (uint8_t i = 0; i < BLOCKS; i++) {
        write_account(accounts, i);
        erx_engine_begin_block(engine, 1000 + i)->slot = 70 + i;
        erx_engine_execute(engine);
        ck_assert_int_eq(erx_store_sync(erx_engine_store(engine), &error), ERX_OK);
    }
    erx_engine_close(engine);
    erx_archive_close(archive);
    erx_accounts_close(accounts);
    erx_data_directory_close(&data);
}

static void setup(void)
{
    erx_scratch_make(root);
    (void)snprintf(data_path, sizeof data_path, "%s", erx_scratch_file(root, "data"));
    (void)snprintf(archive_path, sizeof archive_path, "%s", erx_scratch_file(root, "archive"));
    make_directories();
}

static void teardown(void)
{
    erx_scratch_remove(root);
}

static json_int_t number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    ck_assert_msg(json_is_integer(value), "%s", key);
    return json_integer_value(value);
}

START_TEST(test_a_data_directory_shows_its_accounts)
{
    const char *file = erx_scratch_file(root, "report.json");
    ck_assert(erx_data_report_applies(data_path) && !erx_archive_report_applies(data_path));
    ck_assert_msg(erx_data_report(data_path, file, &error) == ERX_OK, "%s", error.text);
    json_t *report = json_load_file(file, 0, NULL);
    ck_assert_ptr_nonnull(report);
    const json_t *accounts = json_object_get(report, "accounts");
    ck_assert_int_eq(number(report, "last_sequence"), BLOCKS);
    ck_assert_int_eq(number(report, "last_slot"), 70 + BLOCKS - 1);
    ck_assert_int_eq(number(accounts, "accounts"), ACCOUNTS);
    ck_assert_int_eq(number(accounts, "capacity"), ERX_ACCOUNTS_CAPACITY_MIN);
    ck_assert_int_eq(number(accounts, "pages"), 2); /* one of entries, one of data */
    ck_assert_uint_eq(json_array_size(json_object_get(report, "models")), 0);
    json_decref(report);
}
END_TEST

START_TEST(test_an_archive_shows_what_happened)
{
    const char *file = erx_scratch_file(root, "report.json");
    ck_assert(erx_archive_report_applies(archive_path));
    ck_assert_msg(erx_archive_report(archive_path, file, &error) == ERX_OK, "%s", error.text);
    json_t *report = json_load_file(file, 0, NULL);
    ck_assert_ptr_nonnull(report);
    ck_assert_int_eq(number(report, "records"), BLOCKS);
    ck_assert_int_eq(number(report, "first_timestamp"), 1000);
    ck_assert_int_eq(number(report, "last_slot"), 70 + BLOCKS - 1);
    /* A page of entries and one of data, each block. */
    ck_assert_int_eq(number(json_object_get(report, "events"), "pages"), 2 * BLOCKS);
    ck_assert_int_eq(number(json_object_get(report, "events"), "created"), 0);
    json_decref(report);
}
END_TEST

START_TEST(test_a_damaged_archive_is_reported_up_to_the_damage)
{
    char records[ERX_SCRATCH_PATH_MAX + 16];
    const char *file = erx_scratch_file(root, "report.json");
    (void)snprintf(records, sizeof records, "%s/records", archive_path);
    FILE *stream = fopen(records, "r+b");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(fseek(stream, 3 * 4096 + 300, SEEK_SET), 0);
    (void)fputc(0x5a, stream);
    (void)fclose(stream);
    ck_assert_int_eq(erx_archive_report(archive_path, file, &error), ERX_ERR_HASH);
    ck_assert_msg(strstr(error.text, "record 4 is damaged") != NULL, "%s", error.text);
    json_t *report = json_load_file(file, 0, NULL);
    ck_assert_int_eq(number(report, "records"), 3);
    json_decref(report);
}
END_TEST

Suite *data_report_suite(void)
{
    Suite *suite = suite_create("data_report");
    TCase *tcase = tcase_create("data_report");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_a_data_directory_shows_its_accounts);
    tcase_add_test(tcase, test_an_archive_shows_what_happened);
    tcase_add_test(tcase, test_a_damaged_archive_is_reported_up_to_the_damage);
    suite_add_tcase(suite, tcase);
    return suite;
}
