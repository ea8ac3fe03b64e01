#include <stdlib.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"

static abi_rig_t rig;

static void setup(void)
{
    abi_rig_make(&rig);
    abi_rig_open(&rig);
}

static void setup_mlp(void)
{
    abi_rig_make_of(&rig, &erx_fixture_mlp);
    abi_rig_open(&rig);
}

static void teardown(void)
{
    abi_rig_end(&rig);
}

START_TEST(an_exported_session_goes_on_elsewhere)
{
    erx_session_ref_t session = abi_rig_session(&rig, 3), imported;
    size_t size, again;
    abi_rig_play(&rig, &session, 1, 10);
    ck_assert_int_eq(erx_rollup_export_session(rig.rollup, session, NULL, 0, &size), 0);
    uint8_t *bytes = malloc(size);
    ck_assert_int_eq(erx_rollup_export_session(rig.rollup, session, bytes, size - 1, &again),
                     ERX_STATUS_FULL);
    ck_assert_int_eq(erx_rollup_export_session(rig.rollup, session, bytes, size, &again), 0);
    ck_assert_uint_eq(size, again);
    /* Its addresses are in use here. */
    ck_assert_int_eq(erx_rollup_import_session(rig.rollup, bytes, size, &imported),
                     ERX_STATUS_STATE);
    uint64_t slot = rig.slot;
    abi_rig_play(&rig, &session, 1, 10);
    uint64_t expected = rig.block->frames[0].frame_hash;
    uint8_t here[16], there[16];
    erx_session_info_t info = {.struct_size = sizeof info};
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), 0);
    ck_assert_int_eq(
        erx_rollup_read_account(rig.rollup, &info.hidden_state, NULL, 400, here, sizeof here, NULL),
        0);
    abi_rig_close(&rig);

    abi_rig_open(&rig);
    rig.slot = slot;
    ck_assert_msg(erx_rollup_import_session(rig.rollup, bytes, size, &imported) == 0, "%s",
                  erx_last_error());
    abi_rig_play(&rig, &imported, 1, 10);
    ck_assert_int_eq(erx_rollup_read_account(rig.rollup, &info.hidden_state, NULL, 400, there,
                                             sizeof there, NULL),
                     0);
    ck_assert_mem_eq(here, there, sizeof here);
    ck_assert_uint_eq(rig.block->frames[0].frame_hash, expected);
    free(bytes);
}
END_TEST

START_TEST(damaged_bytes_are_refused)
{
    erx_session_ref_t session = abi_rig_session(&rig, 3), imported;
    size_t size;
    abi_rig_play(&rig, &session, 1, 3);
    ck_assert_int_eq(erx_rollup_export_session(rig.rollup, session, NULL, 0, &size), 0);
    uint8_t *bytes = malloc(size);
    ck_assert_int_eq(erx_rollup_export_session(rig.rollup, session, bytes, size, &size), 0);
    ck_assert_int_eq(erx_rollup_close_session(rig.rollup, session), 0);
    abi_rig_seal(&rig, false);
    for (size_t at = 0; at < size; at += size / 13 + 1) {
        if (at >= 8 && at < 24)
            continue; /* the session's id may be anything */
        bytes[at] ^= 0x40;
        ck_assert_int_lt(erx_rollup_import_session(rig.rollup, bytes, size, &imported), 0);
        bytes[at] ^= 0x40;
    }
    ck_assert_int_lt(erx_rollup_import_session(rig.rollup, bytes, size - 1, &imported), 0);
    ck_assert_int_lt(erx_rollup_import_session(rig.rollup, bytes, 3, &imported), 0);
    ck_assert_int_eq(erx_rollup_import_session(rig.rollup, bytes, size, &imported), 0);
    free(bytes);
}
END_TEST

Suite *session_transfer_suite(void)
{
    Suite *suite = suite_create("session_transfer");
    TCase *tests = tcase_create("transfer"), *mlp = tcase_create("of an MLP");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_checked_fixture(mlp, setup_mlp, teardown);
    tcase_set_timeout(tests, 60);
    tcase_set_timeout(mlp, 60);
    tcase_add_test(tests, an_exported_session_goes_on_elsewhere);
    tcase_add_test(tests, damaged_bytes_are_refused);
    tcase_add_test(mlp, an_exported_session_goes_on_elsewhere);
    tcase_add_test(mlp, damaged_bytes_are_refused);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, mlp);
    return suite;
}
