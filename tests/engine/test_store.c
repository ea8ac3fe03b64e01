/* A store on real files: a model of a directory, a place for one that arrives,
 * and accounts; closed and opened again, and verified. */
#include "engine/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/audit.h"
#include "tests/engine/engine_suites.h"
#include "tests/engine/rig.h"

#define JOURNAL_BYTES ((uint64_t)1 << 20)
#define SESSIONS      3u
#define BLOCKS        40u

typedef struct {
    rig_model_t files;
    erx_fixture_t arriving;
    char data[ERX_SCRATCH_PATH_MAX + 8];
    erx_engine_t *engine;
    erx_accounts_t *accounts;
    uint32_t place;
    erx_recovery_t recovery;
    uint32_t binds;
} node_t;

static erx_data_directory_t directory; /* large */
static node_t node;

static const erx_accounts_config_t accounts_config = {
    .account_capacity = ERX_ACCOUNTS_CAPACITY_MIN,
    .heap_bytes = 4 * ERX_ACCOUNTS_PAGE_BYTES,
    .write_log_bytes = 1u << 17,
    .undo_log_bytes = 1u << 17,
};

static void setup(void)
{
    memset(&node, 0, sizeof node);
    rig_model_open(&node.files, &erx_fixture_micro, 21);
    erx_fixture_model(&erx_fixture_micro, 22, &node.arriving);
    (void)snprintf(node.data, sizeof node.data, "%s/data", node.files.directory);
}

static void teardown(void)
{
    rig_model_close(&node.files);
    erx_fixture_free(&node.arriving);
}

static erx_model_bytes_t arriving_bytes(void)
{
    return (erx_model_bytes_t){
        .manifest = node.arriving.text,
        .manifest_bytes = node.arriving.text_bytes,
        .weights = node.arriving.weights,
        .weight_bytes = node.arriving.weight_bytes,
    };
}

/* Fetches the model for whoever replays, if the accounts have its manifest. */
typedef struct {
    erx_engine_t *engine;
    erx_accounts_t *accounts;
} binder_t;

static erx_status_t bind(void *context, uint32_t pool, erx_error_t *error)
{
    const binder_t *binder = context;
    const erx_model_bytes_t bytes = arriving_bytes();
    erx_model_t *model;
    node.binds++;
    if (erx_accounts_scan_pool(binder->accounts, pool) == ERX_ACCOUNT_NONE)
        return erx_error_set(error, ERX_ERR_NOT_FOUND, "no manifest");
    return erx_engine_load_model_bytes(binder->engine, &bytes, pool, 0, &model, error);
}

static void open_engine(uint32_t arena_bytes)
{
    erx_error_t error;
    node.engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 2});
    (void)rig_engine_load(node.engine, node.files.directory, SESSIONS);
    ck_assert_int_eq(erx_engine_add_place(node.engine, arena_bytes, SESSIONS, &node.place, &error),
                     ERX_OK);
    ck_assert_int_eq(erx_accounts_open(&accounts_config, &node.accounts, &error), ERX_OK);
}

static erx_status_t open_directory(const erx_accounts_config_t *accounts, erx_error_t *error)
{
    const char *const directories[] = {node.files.directory};
    erx_data_plan_t plan = {
        .journal_bytes = JOURNAL_BYTES,
        .model_directories = directories,
        .accounts = accounts,
    };
    plan.models = erx_engine_models(node.engine, &plan.model_count);
    return erx_data_directory_open(&directory, node.data, &plan, error);
}

static erx_status_t open_store(erx_store_bind_fn bind_fn, erx_error_t *error)
{
    static binder_t binder;
    binder = (binder_t){node.engine, node.accounts};
    erx_store_config_t config = {
        .accounts = node.accounts,
        .checkpoint_frames = 1000,
        .threaded = true,
        .bind = bind_fn,
        .bind_context = &binder,
    };
    erx_data_directory_configure(&directory, &config);
    config.io.backend = ERX_IO_PLAIN;
    return erx_engine_open_store(node.engine, &config, &node.recovery, error);
}

static void open_all(void)
{
    erx_error_t error = {0};
    open_engine((uint32_t)erx_arena_bytes(&erx_fixture_micro) + ERX_CACHE_LINE);
    ck_assert_msg(open_directory(&accounts_config, &error) == ERX_OK, "%s", error.text);
    ck_assert_msg(open_store(bind, &error) == ERX_OK, "%s", error.text);
}

static void close_all(void)
{
    erx_engine_close(node.engine);
    erx_accounts_close(node.accounts);
    node.engine = NULL;
    node.accounts = NULL;
    erx_data_directory_close(&directory);
}

static erx_model_t *models(void)
{
    uint32_t count;
    return erx_engine_models(node.engine, &count);
}

static uint64_t state(void)
{
    uint64_t hash =
        rig_hash(RIG_FNV_BASIS, erx_accounts_image(node.accounts),
                 (size_t)erx_accounts_page_count(node.accounts) * ERX_ACCOUNTS_PAGE_BYTES);
    for (uint32_t pool = 0; pool <= node.place; pool++)
        for (uint32_t slot = 0; slot < SESSIONS; slot++)
            hash = rig_hash(hash, models()[pool].sessions.sessions[slot].arena,
                            models()[pool].sessions.arena_bytes);
    return hash;
}

/* A block in which every account that there is counts the blocks. */
static void play_block(uint32_t number)
{
    erx_error_t error;
    erx_accounts_begin(node.accounts);
    for (uint32_t i = 0; i < erx_accounts_capacity(node.accounts); i++)
        if (erx_accounts_is_used(node.accounts, i))
            ck_assert_int_eq(
                erx_accounts_write(node.accounts, i, 4 * (number % 8), &number, 4, &error), ERX_OK);
    erx_accounts_commit(node.accounts);
    erx_block_t *block = erx_engine_begin_block(node.engine, number);
    block->slot = 100 + number;
    for (uint32_t pool = 0; pool <= node.place; pool++)
        for (uint32_t slot = 0; slot < SESSIONS; slot++) {
            erx_session_t *session = &models()[pool].sessions.sessions[slot];
            uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
            if (session->generation % 2 == 0)
                continue;
            rig_controls(slot, number, control);
            erx_session_input(&models()[pool].sessions, session, number % 2, control[0]);
        }
    erx_block_add_all(block, &models()[0]);
    erx_block_add_all(block, &models()[node.place]);
    erx_engine_execute(node.engine);
}

static void add_account(uint8_t name, uint32_t length, uint32_t pool)
{
    erx_error_t error;
    uint32_t index;
    erx_account_entry_t entry = {.data_length = length, .kind = ERX_ACCOUNT_PLAIN, .pool = pool};
    entry.key.bytes[0] = name;
    erx_accounts_begin(node.accounts);
    ck_assert_int_eq(erx_accounts_create(node.accounts, &entry, &index, &error), ERX_OK);
    erx_accounts_commit(node.accounts);
}

/* Sessions of both models; the second one's arrives after some blocks. */
static void play(void)
{
    binder_t binder = {node.engine, node.accounts};
    erx_error_t error = {0};
    (void)rig_session_start(&models()[0], 0, 0);
    add_account(1, ERX_ACCOUNTS_PAGE_BYTES + 100, 0);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        if (i == 5) {
            add_account(2, 64, node.place + 1);
            ck_assert_msg(bind(&binder, node.place, &error) == ERX_OK, "%s", error.text);
            (void)rig_session_start(&models()[node.place], 1, 0);
        }
        play_block(i);
    }
    ck_assert_int_eq(erx_store_sync(erx_engine_store(node.engine), &error), ERX_OK);
}

START_TEST(test_accounts_and_a_model_that_arrived_are_there_again)
{
    open_all();
    ck_assert_uint_eq(node.recovery.sequence, 0);
    play();
    uint64_t before = state();
    close_all();
    node.binds = 0;
    open_all();
    ck_assert_uint_eq(node.recovery.sequence, BLOCKS);
    ck_assert_uint_eq(node.recovery.slot, 100 + BLOCKS - 1);
    ck_assert_int_eq(node.recovery.timestamp, BLOCKS - 1);
    ck_assert_uint_gt(node.recovery.replayed_frames, 2 * (BLOCKS - 5) - 1);
    ck_assert_uint_eq(node.binds, 1);
    ck_assert_uint_eq(state(), before);
    ck_assert_uint_eq(erx_accounts_count(node.accounts), 2);
    /* It goes on where it was. */
    play_block(BLOCKS);
    ck_assert_uint_eq(erx_store_submitted(erx_engine_store(node.engine)), BLOCKS + 1);
    close_all();
}
END_TEST

START_TEST(test_without_its_model_a_place_is_refused_by_name)
{
    erx_error_t error;
    open_all();
    play();
    close_all();
    open_engine((uint32_t)erx_arena_bytes(&erx_fixture_micro) + ERX_CACHE_LINE);
    ck_assert_int_eq(open_directory(&accounts_config, &error), ERX_OK);
    ck_assert_int_eq(open_store(NULL, &error), ERX_ERR_NOT_FOUND);
    ck_assert_msg(strstr(error.text, "model of pool 1") != NULL, "%s", error.text);
    ck_assert_uint_eq(erx_accounts_count(node.accounts), 0);
    ck_assert_uint_eq(models()[0].sessions.used_count, 0);
    close_all();
}
END_TEST

START_TEST(test_other_sizes_than_it_was_made_for_are_refused)
{
    erx_error_t error;
    uint32_t bytes = (uint32_t)erx_arena_bytes(&erx_fixture_micro) + ERX_CACHE_LINE;
    erx_accounts_config_t larger = accounts_config;
    larger.heap_bytes += ERX_ACCOUNTS_PAGE_BYTES;
    open_all();
    close_all();
    open_engine(bytes);
    ck_assert_int_eq(open_directory(&larger, &error), ERX_ERR_DIFFERS);
    ck_assert_ptr_nonnull(strstr(error.text, "64 accounts and a heap of 262144 bytes"));
    ck_assert_int_eq(open_directory(NULL, &error), ERX_ERR_DIFFERS);
    close_all();
    open_engine(bytes + ERX_CACHE_LINE);
    ck_assert_int_eq(open_directory(&accounts_config, &error), ERX_ERR_DIFFERS);
    ck_assert_ptr_nonnull(strstr(error.text, "places of"));
    close_all();
}
END_TEST

START_TEST(test_verification_re_executes_accounts_and_arrivals)
{
    erx_error_t error = {0};
    erx_audit_t audit;
    open_all();
    play();
    close_all();
    ck_assert_int_eq(erx_data_directory_read(&directory, node.data, ERX_DATA_READ_LOCKED, &error),
                     ERX_OK);
    erx_audit_plan_t plan = {
        .engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 1}),
        .data = &directory,
        .bind = bind,
    };
    ck_assert_msg(erx_audit_load(&plan, &error) == ERX_OK, "%s", error.text);
    binder_t binder = {plan.engine, plan.accounts};
    plan.bind_context = &binder;
    ck_assert_msg(erx_audit_data(&plan, &audit, &error) == ERX_OK, "%s", error.text);
    ck_assert_uint_eq(audit.first_sequence, 1);
    ck_assert_uint_eq(audit.last_sequence, BLOCKS);
    ck_assert_uint_eq(audit.frames, BLOCKS + BLOCKS - 5);
    ck_assert_uint_eq(erx_accounts_count(plan.accounts), 2);
    erx_audit_unload(&plan);
    erx_engine_close(plan.engine);
    erx_data_directory_close(&directory);
}
END_TEST

START_TEST(test_a_journal_too_small_for_the_accounts_is_refused)
{
    erx_accounts_config_t config = accounts_config;
    erx_error_t error;
    config.write_log_bytes = 1u << 20;
    open_engine((uint32_t)erx_arena_bytes(&erx_fixture_micro));
    erx_accounts_close(node.accounts);
    ck_assert_int_eq(erx_accounts_open(&config, &node.accounts, &error), ERX_OK);
    ck_assert_int_eq(open_directory(&config, &error), ERX_OK);
    ck_assert_int_eq(open_store(bind, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "and the accounts"));
    close_all();
}
END_TEST

/* --- models from memory --- */

START_TEST(test_a_model_from_memory_is_the_one_of_its_directory)
{
    erx_error_t error;
    erx_model_t *from_memory;
    node.engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 2});
    erx_model_t *from_files = rig_engine_load(node.engine, node.files.directory, SESSIONS);
    const erx_fixture_t *fixture = &node.files.fixture;
    const erx_model_bytes_t bytes = {
        .manifest = fixture->text,
        .manifest_bytes = fixture->text_bytes,
        .weights = fixture->weights,
        .weight_bytes = fixture->weight_bytes,
    };
    /* It comes while a block is begun, whose frames stay in it. */
    erx_session_t *first = rig_session_start(from_files, 4, 0);
    rig_session_feed(first, 4);
    erx_block_t *block = erx_engine_begin_block(node.engine, 1);
    ck_assert_int_eq(erx_block_add(block, from_files, first), ERX_OK);
    ck_assert_int_eq(erx_engine_load_model_bytes(node.engine, &bytes, ERX_POOL_NONE, SESSIONS,
                                                 &from_memory, &error),
                     ERX_OK);
    ck_assert_mem_eq(from_memory->hash, from_files->hash, sizeof from_files->hash);
    erx_session_t *second = rig_session_start(from_memory, 4, 0);
    rig_session_feed(second, 4);
    ck_assert_int_eq(erx_block_add(block, from_memory, second), ERX_OK);
    erx_engine_execute(node.engine);
    ck_assert_uint_eq(second->frame, 1);
    ck_assert_mem_eq(first->arena, second->arena, from_files->sessions.arena_bytes);
    erx_session_end(&from_memory->sessions, second);
    erx_engine_unload_model(node.engine, 1);
    erx_engine_close(node.engine);
}
END_TEST

START_TEST(test_a_place_takes_one_good_model)
{
    erx_error_t error;
    erx_model_t *model;
    const erx_model_bytes_t bytes = arriving_bytes();
    uint32_t small, fitting;
    node.engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 1});
    uint32_t arena_bytes = (uint32_t)erx_arena_bytes(&erx_fixture_micro);
    ck_assert_int_eq(
        erx_engine_add_place(node.engine, arena_bytes - ERX_CACHE_LINE, SESSIONS, &small, &error),
        ERX_OK);
    ck_assert_int_eq(erx_engine_add_place(node.engine, arena_bytes, SESSIONS, &fitting, &error),
                     ERX_OK);
    ck_assert_int_eq(erx_engine_load_model_bytes(node.engine, &bytes, small, 0, &model, &error),
                     ERX_ERR_RANGE);
    erx_model_bytes_t damaged = bytes;
    damaged.weight_bytes -= 64;
    ck_assert_int_eq(erx_engine_load_model_bytes(node.engine, &damaged, fitting, 0, &model, &error),
                     ERX_ERR_FORMAT);
    ck_assert_msg(strstr(error.text, "weights_int8.bin") != NULL, "%s", error.text);
    damaged = bytes;
    damaged.manifest_bytes /= 2;
    ck_assert_int_eq(erx_engine_load_model_bytes(node.engine, &damaged, fitting, 0, &model, &error),
                     ERX_ERR_FORMAT);
    for (uint32_t round = 0; round < 2; round++) {
        ck_assert_int_eq(
            erx_engine_load_model_bytes(node.engine, &bytes, fitting, 0, &model, &error), ERX_OK);
        ck_assert_int_eq(
            erx_engine_load_model_bytes(node.engine, &bytes, fitting, 0, &model, &error),
            ERX_ERR_STATE);
        erx_session_t *session = rig_session_start(model, 0, 0);
        erx_block_t *block = erx_engine_begin_block(node.engine, 1);
        erx_block_add_all(block, model);
        erx_engine_execute(node.engine);
        ck_assert_uint_eq(session->frame, 1);
        erx_session_end(&model->sessions, session);
        erx_engine_unload_model(node.engine, fitting);
    }
    erx_engine_close(node.engine);
}
END_TEST

Suite *store_suite(void)
{
    Suite *suite = suite_create("store");
    TCase *tcase = tcase_create("store");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_accounts_and_a_model_that_arrived_are_there_again);
    tcase_add_test(tcase, test_without_its_model_a_place_is_refused_by_name);
    tcase_add_test(tcase, test_other_sizes_than_it_was_made_for_are_refused);
    tcase_add_test(tcase, test_verification_re_executes_accounts_and_arrivals);
    tcase_add_test(tcase, test_a_journal_too_small_for_the_accounts_is_refused);
    tcase_add_test(tcase, test_a_model_from_memory_is_the_one_of_its_directory);
    tcase_add_test(tcase, test_a_place_takes_one_good_model);
    suite_add_tcase(suite, tcase);
    return suite;
}
