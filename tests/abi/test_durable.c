#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"
#include "tests/support/scratch.h"

static abi_rig_t rig;
static char scratch[ERX_SCRATCH_PATH_MAX];
static char directory[2 * ERX_SCRATCH_PATH_MAX];
static atomic_uint_fast64_t told;

static void on_confirmed(void *context, uint64_t slot)
{
    (void)context;
    atomic_store(&told, slot);
}

static void setup_shape(const erx_shape_t *shape)
{
    abi_rig_make_of(&rig, shape);
    erx_scratch_make(scratch);
    (void)snprintf(directory, sizeof directory, "%s", erx_scratch_file(scratch, "data"));
    rig.config.data_directory = directory;
    rig.config.journal_bytes = 32u << 20;
    rig.config.upload_models = 1;
    rig.config.upload_sessions = 2;
    rig.config.upload_session_bytes = 1u << 16;
    rig.config.on_confirmed = on_confirmed;
}

static void setup(void)
{
    setup_shape(&bank_rig_shape);
}

static void setup_mlp(void)
{
    setup_shape(&erx_fixture_mlp);
}

static void teardown(void)
{
    abi_rig_end(&rig);
    erx_scratch_remove(scratch);
}

START_TEST(the_second_copy_of_the_journal_is_where_it_was_asked_for)
{
    char copy[2 * ERX_SCRATCH_PATH_MAX], elsewhere[2 * ERX_SCRATCH_PATH_MAX];
    (void)snprintf(copy, sizeof copy, "%s", erx_scratch_file(scratch, "copy"));
    (void)snprintf(elsewhere, sizeof elsewhere, "%s", erx_scratch_file(scratch, "elsewhere"));
    rig.config.copy_directory = copy;
    abi_rig_open(&rig);
    abi_rig_seal(&rig, false);
    uint64_t slot = rig.slot;
    abi_rig_close(&rig);
    ck_assert_int_gt(erx_scratch_count(copy), 0);
    rig.config.copy_directory = NULL; /* the data directory knows */
    abi_rig_open(&rig);
    ck_assert_uint_eq(rig.slot, slot);
    abi_rig_close(&rig);
    ck_assert_int_eq(rename(copy, elsewhere), 0);
    rig.config.copy_directory = elsewhere;
    abi_rig_open(&rig);
    ck_assert_uint_eq(rig.slot, slot);
}
END_TEST

START_TEST(sessions_and_accounts_are_there_again)
{
    erx_session_info_t info = {.struct_size = sizeof info};
    erx_account_info_t account = {.struct_size = sizeof account};
    uint8_t data[5];
    size_t size;
    erx_account_image_t image = {.struct_size = sizeof image,
                                 .key = abi_rig_key(3),
                                 .owner = abi_rig_key(4),
                                 .lamports = 77,
                                 .data = (const uint8_t *)"bytes",
                                 .data_size = 5};
    abi_rig_open(&rig);
    erx_session_ref_t session = abi_rig_session(&rig, 5);
    ck_assert_int_eq(erx_rollup_put_account(rig.rollup, &image), 0);
    abi_rig_play(&rig, &session, 1, 30);
    uint64_t hash = abi_rig_frame_hash(&rig, session), slot = rig.slot;
    ck_assert_int_eq(erx_rollup_sync(rig.rollup), 0);
    ck_assert_uint_eq(erx_rollup_confirmed_slot(rig.rollup), slot);
    ck_assert_uint_eq(atomic_load(&told), slot);
    abi_rig_close(&rig);

    abi_rig_open(&rig);
    ck_assert_uint_eq(rig.slot, slot);
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), 0);
    ck_assert_uint_eq(info.frame_hash, hash);
    ck_assert_uint_eq(info.frame, 30);
    ck_assert_uint_eq(info.tick_divisor, 1);
    ck_assert_int_eq(
        erx_rollup_read_account(rig.rollup, &image.key, &account, 0, data, sizeof data, &size), 0);
    ck_assert_mem_eq(data, "bytes", 5);
    ck_assert_uint_eq(account.lamports, 77);
    abi_rig_play(&rig, &session, 1, 30);
    uint64_t resumed = abi_rig_frame_hash(&rig, session);
    abi_rig_close(&rig);

    /* A rollup that nobody disturbed comes to the same. */
    rig.config.data_directory = NULL;
    abi_rig_open(&rig);
    session = abi_rig_session(&rig, 5);
    abi_rig_play(&rig, &session, 1, 60);
    ck_assert_uint_eq(abi_rig_frame_hash(&rig, session), resumed);
}
END_TEST

START_TEST(two_rollups_never_share_a_directory)
{
    erx_rollup_t *second;
    abi_rig_open(&rig);
    ck_assert_int_eq(erx_rollup_open(&rig.config, &second), 0);
    ck_assert_int_eq(erx_rollup_load_model(second, rig.model.directory, ABI_MODEL_ID, ABI_SESSIONS),
                     0);
    ck_assert_int_eq(erx_rollup_start(second), ERX_STATUS_STATE);
    ck_assert_msg(strstr(erx_last_error(), "in use") != NULL, "%s", erx_last_error());
    ck_assert_int_eq(erx_rollup_close(second), 0);
}
END_TEST

START_TEST(transactions_are_there_again)
{
    erx_session_info_t info = {.struct_size = sizeof info};
    erx_pubkey_t state;
    erx_plan_signer_t player = erx_plan_signer(1), other = erx_plan_signer(2);
    const call_session_t terms = {
        .session = 8, .model = ABI_MODEL_ID, .stage = 31, .character = 2, .player = player.key};
    abi_rig_open(&rig);
    call_t call = call_create_session(&terms);
    ck_assert_int_eq(abi_rig_run(&rig, &call)->code, ERX_TX_OK);
    call = call_join_session(8, &other.key, 5);
    ck_assert_int_eq(abi_rig_run(&rig, &call)->code, ERX_TX_OK);
    ck_assert_int_eq(
        erx_world_address(&rig.config.program, ERX_ADDRESS_SESSION_STATE, 8, 0, &state), 0);
    abi_rig_close(&rig);
    abi_rig_open(&rig);
    ck_assert_int_eq(erx_rollup_find_session(rig.rollup, &state, &info), 0);
    ck_assert_uint_eq(info.status, 2);
    ck_assert_uint_eq(info.session_id, 8);
}
END_TEST

Suite *durable_suite(void)
{
    Suite *suite = suite_create("durable");
    TCase *tests = tcase_create("durable");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, the_second_copy_of_the_journal_is_where_it_was_asked_for);
    tcase_add_test(tests, sessions_and_accounts_are_there_again);
    tcase_add_test(tests, two_rollups_never_share_a_directory);
    tcase_add_test(tests, transactions_are_there_again);
    suite_add_tcase(suite, tests);
    TCase *mlp = tcase_create("of an MLP");
    tcase_add_checked_fixture(mlp, setup_mlp, teardown);
    tcase_set_timeout(mlp, 120);
    tcase_add_test(mlp, sessions_and_accounts_are_there_again);
    tcase_add_test(mlp, transactions_are_there_again);
    suite_add_tcase(suite, mlp);
    return suite;
}
