#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"

static abi_rig_t rig;

static void setup(void)
{
    abi_rig_make(&rig);
}

static void teardown(void)
{
    abi_rig_end(&rig);
}

static void refuse(int32_t expected, const char *word)
{
    erx_rollup_t *rollup = NULL;
    ck_assert_int_eq(erx_rollup_open(&rig.config, &rollup), expected);
    ck_assert_ptr_null(rollup);
    ck_assert_msg(strstr(erx_last_error(), word) != NULL, "%s", erx_last_error());
}

START_TEST(a_setting_out_of_range_is_named)
{
    rig.config.account_bytes = 1;
    refuse(ERX_STATUS_RANGE, "account_bytes");
    rig.config.account_bytes = 1u << 20;
    rig.config.syscalls = 4;
    refuse(ERX_STATUS_RANGE, "syscalls");
    rig.config.syscalls = 0;
    rig.config.account_capacity = 1;
    refuse(ERX_STATUS_RANGE, "account_capacity");
    rig.config.account_capacity = 256;
    rig.config.block_transactions_max = 0;
    refuse(ERX_STATUS_RANGE, "block_transactions_max");
    rig.config.block_transactions_max = 64;
    uint32_t queue = rig.config.queue_transactions;
    rig.config.queue_transactions = 96; /* no power of two */
    refuse(ERX_STATUS_RANGE, "queue_transactions");
    rig.config.queue_transactions = queue;
    rig.config.verifier_count = 65;
    refuse(ERX_STATUS_RANGE, "verifier_count");
    rig.config.verifier_count = 0;
    rig.config.blockhash_blocks = 0;
    refuse(ERX_STATUS_RANGE, "blockhash_blocks");
    rig.config.blockhash_blocks = 150;
    rig.config.tick_divisor = 61;
    refuse(ERX_STATUS_RANGE, "tick_divisor");
    rig.config.tick_divisor = 0;
    rig.config.archive_directory = "somewhere";
    refuse(ERX_STATUS_ARGUMENT, "archive_directory");
    rig.config.archive_directory = NULL;
    rig.config.copy_directory = "somewhere";
    refuse(ERX_STATUS_ARGUMENT, "copy_directory");
    rig.config.copy_directory = NULL;
    rig.config.isa = "mmx";
    refuse(ERX_STATUS_ARGUMENT, "mmx");
    rig.config.isa = NULL;
    rig.config.struct_size = 8;
    refuse(ERX_STATUS_ARGUMENT, "struct_size");
}
END_TEST

START_TEST(calls_before_start_are_refused)
{
    uint8_t hash[ERX_HASH_SIZE];
    erx_session_ref_t session;
    erx_session_config_t terms;
    erx_session_config_default(&terms);
    ck_assert_int_eq(erx_rollup_open(&rig.config, &rig.rollup), 0);
    ck_assert_int_eq(erx_rollup_create_session(rig.rollup, &terms, &session), ERX_STATUS_STATE);
    ck_assert_int_eq(erx_rollup_blockhash(rig.rollup, hash, NULL, NULL), ERX_STATUS_STATE);
    ck_assert_int_eq(erx_rollup_load_model(rig.rollup, "nowhere", 1, 1), ERX_STATUS_NOT_FOUND);
    ck_assert_msg(strstr(erx_last_error(), "nowhere") != NULL, "%s", erx_last_error());
}
END_TEST

START_TEST(a_started_rollup_takes_no_directory_and_no_second_start)
{
    abi_rig_open(&rig);
    ck_assert_int_eq(erx_rollup_load_model(rig.rollup, rig.model.directory, 9, 1),
                     ERX_STATUS_STATE);
    ck_assert_int_eq(erx_rollup_start(rig.rollup), ERX_STATUS_STATE);
}
END_TEST

START_TEST(a_closed_rollup_is_refused_everywhere)
{
    erx_metrics_t metrics = {.struct_size = sizeof metrics};
    erx_block_config_t block;
    erx_block_config_default(&block);
    abi_rig_open(&rig);
    erx_rollup_t *dead = rig.rollup;
    abi_rig_close(&rig);
    ck_assert_int_eq(erx_rollup_close(dead), ERX_STATUS_ARGUMENT);
    ck_assert_int_eq(erx_rollup_seal(dead, &block, NULL), ERX_STATUS_ARGUMENT);
    ck_assert_int_eq(erx_rollup_metrics(dead, &metrics), ERX_STATUS_ARGUMENT);
    ck_assert_uint_eq(erx_rollup_processed_slot(dead), 0);
    ck_assert_int_eq(erx_rollup_close(NULL), 0);
}
END_TEST

START_TEST(a_model_is_described_and_its_accounts_are_readable)
{
    erx_model_info_t info = {.struct_size = sizeof info};
    erx_account_info_t account = {.struct_size = sizeof account};
    uint8_t head[64];
    size_t size;
    erx_pubkey_t weights;
    abi_rig_open(&rig);
    ck_assert_int_eq(erx_rollup_model(rig.rollup, 0, &info), 0);
    ck_assert_uint_eq(info.model_id, ABI_MODEL_ID);
    ck_assert_uint_eq(info.layers, bank_rig_shape.layer_count);
    ck_assert_uint_eq(info.session_capacity, ABI_SESSIONS);
    ck_assert_uint_gt(info.frame_units, 0);
    uint64_t units = info.frame_units;
    abi_rig_close(&rig);
    rig.config.matmul_unit_divisor /= 2; /* frames' products follow the syscall's price */
    abi_rig_open(&rig);
    ck_assert_int_eq(erx_rollup_model(rig.rollup, 0, &info), 0);
    ck_assert_uint_gt(info.frame_units, units);
    ck_assert_int_eq(erx_rollup_model(rig.rollup, 1, &info), ERX_STATUS_NOT_FOUND);
    ck_assert_int_eq(
        erx_rollup_read_account(rig.rollup, &info.manifest, &account, 0, head, sizeof head, &size),
        0);
    ck_assert_uint_eq(size, sizeof head);
    ck_assert_uint_eq(head[0], 0x82);
    ck_assert_uint_gt(account.space, 1334);
    ck_assert_mem_eq(account.owner.bytes, rig.config.program.bytes, ERX_PUBKEY_SIZE);
    ck_assert_int_eq(
        erx_world_address(&rig.config.program, ERX_ADDRESS_WEIGHTS, ABI_MODEL_ID, 0, &weights), 0);
    /* Across the header's end, into the weights. */
    ck_assert_int_eq(
        erx_rollup_read_account(rig.rollup, &weights, &account, 70, head, sizeof head, &size), 0);
    ck_assert_uint_eq(size, sizeof head);
    ck_assert_mem_eq(head + 12, rig.model.fixture.weights, sizeof head - 12);
    ck_assert_int_eq(erx_rollup_read_account(rig.rollup, &weights, &account, account.space, head,
                                             sizeof head, &size),
                     0);
    ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(keys_have_text_and_addresses_are_the_known_ones)
{
    char text[ERX_BASE58_SIZE];
    erx_pubkey_t key, again;
    uint8_t bump;
    const uint8_t *seeds[] = {(const uint8_t *)"session"};
    const size_t sizes[] = {7};
    ck_assert_int_eq(erx_base58_from_bytes(rig.config.program.bytes, ERX_PUBKEY_SIZE, text), 0);
    ck_assert_str_eq(text, "WrLd111111111111111111111111111111111111111");
    ck_assert_int_eq(erx_base58_to_bytes(text, key.bytes, ERX_PUBKEY_SIZE), 0);
    ck_assert_mem_eq(key.bytes, rig.config.program.bytes, ERX_PUBKEY_SIZE);
    ck_assert_int_eq(erx_base58_to_bytes("0OIl", key.bytes, 3), ERX_STATUS_FORMAT);
    ck_assert_int_eq(erx_base58_from_bytes(key.bytes, 65, text), ERX_STATUS_RANGE);
    ck_assert_int_eq(erx_find_program_address(seeds, sizes, 1, &key, &again, &bump), 0);
    ck_assert_int_eq(erx_find_program_address(seeds, sizes, 16, &key, &again, &bump),
                     ERX_STATUS_RANGE);
    ck_assert_int_eq(erx_world_address(&key, (erx_address_kind_t)9, 1, 0, &again),
                     ERX_STATUS_ARGUMENT);
}
END_TEST

START_TEST(names_of_codes_are_the_runtime_s)
{
    ck_assert_str_eq(erx_tx_code_name(ERX_TX_BLOCKHASH_NOT_FOUND), "BlockhashNotFound");
    ck_assert_str_eq(erx_ix_code_name(ERX_IX_CUSTOM), "Custom");
    ck_assert_str_eq(erx_tx_code_name(-5), "Unknown");
    ck_assert_ptr_nonnull(erx_strerror(-1000));
    ck_assert_str_eq(erx_version(), "0.1.0");
}
END_TEST

Suite *rollup_suite(void)
{
    Suite *suite = suite_create("rollup");
    TCase *tests = tcase_create("rollup");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_setting_out_of_range_is_named);
    tcase_add_test(tests, calls_before_start_are_refused);
    tcase_add_test(tests, a_started_rollup_takes_no_directory_and_no_second_start);
    tcase_add_test(tests, a_closed_rollup_is_refused_everywhere);
    tcase_add_test(tests, a_model_is_described_and_its_accounts_are_readable);
    tcase_add_test(tests, keys_have_text_and_addresses_are_the_known_ones);
    tcase_add_test(tests, names_of_codes_are_the_runtime_s);
    suite_add_tcase(suite, tests);
    return suite;
}
