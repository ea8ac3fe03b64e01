#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"

#define ASKED_MAX 16u

static abi_rig_t rig;
static uint32_t asked_count, settled_count;
static erx_pubkey_t asked[ASKED_MAX];
static erx_session_info_t settled;
static uint8_t settled_state[256], settled_hash[ERX_HASH_SIZE];
static uint32_t settled_hidden;

static void clone(void *context, const erx_pubkey_t *key)
{
    (void)context;
    ck_assert_uint_lt(asked_count, ASKED_MAX);
    asked[asked_count++] = *key;
}

static void settle(void *context, const erx_session_info_t *session, const uint8_t *state,
                   size_t size, const uint8_t hash[ERX_HASH_SIZE], uint32_t hidden_size)
{
    (void)context;
    settled = *session;
    ck_assert_uint_eq(size, sizeof settled_state);
    memcpy(settled_state, state, size);
    memcpy(settled_hash, hash, sizeof settled_hash);
    settled_hidden = hidden_size;
    settled_count++;
}

/* Opens a rollup with this base layer. */
static void setup(void)
{
    const erx_base_layer_t base_layer = {
        .struct_size = sizeof base_layer, .clone = clone, .settle = settle};
    asked_count = settled_count = 0;
    abi_rig_make(&rig);
    ck_assert_int_eq(erx_rollup_open(&rig.config, &rig.rollup), 0);
    ck_assert_int_eq(
        erx_rollup_load_model(rig.rollup, rig.model.directory, ABI_MODEL_ID, ABI_SESSIONS), 0);
    ck_assert_int_eq(erx_rollup_set_base_layer(rig.rollup, &base_layer), 0);
    ck_assert_int_eq(erx_rollup_start(rig.rollup), 0);
    ck_assert_int_eq(erx_rollup_set_base_layer(rig.rollup, &base_layer), ERX_STATUS_STATE);
}

static void teardown(void)
{
    abi_rig_end(&rig);
}

/* System transfer from signer 1 to another key. */
static call_t transfer_to(const erx_key_t *to, uint64_t lamports)
{
    call_t call = {.account_count = 2, .data_bytes = 12, .data = {2}};
    call.accounts[0] =
        (rig_account_t){.key = erx_plan_signer(1).key, .flags = RIG_SIGNS | RIG_WRITES};
    call.accounts[1] = (rig_account_t){.key = *to, .flags = RIG_WRITES};
    memcpy(call.data + 4, &lamports, sizeof lamports);
    return call;
}

static void submit_transfer(const erx_key_t *to, uint64_t lamports)
{
    uint8_t packet[ERX_PACKET_MAX];
    call_t call = transfer_to(to, lamports);
    size_t size = abi_rig_system_packet(&rig, &call, packet);
    ck_assert_msg(erx_rollup_submit(rig.rollup, packet, size, NULL) == 0, "%s", erx_last_error());
}

START_TEST(a_transaction_waits_for_its_accounts)
{
    erx_plan_signer_t to = erx_plan_signer(5);
    erx_account_info_t info = {.struct_size = sizeof info};
    const erx_pubkey_t payer = abi_rig_key(1), receiver = abi_rig_key(5);
    const erx_account_image_t image = {.struct_size = sizeof image,
                                       .key = payer,
                                       .lamports = 1000,
                                       .flags = ERX_ACCOUNT_IMAGE_DELEGATED};
    submit_transfer(&to.key, 300);
    abi_rig_seal(&rig, false);
    ck_assert_uint_eq(rig.block->transaction_count, 0);
    ck_assert_uint_eq(asked_count, 2);
    ck_assert_int_eq(erx_rollup_put_account(rig.rollup, &image), 0);
    ck_assert_int_eq(erx_rollup_clone_done(rig.rollup, &payer), 0);
    abi_rig_seal(&rig, false);
    ck_assert_uint_eq(rig.block->transaction_count, 0); /* the other is still asked for */
    ck_assert_int_eq(erx_rollup_clone_done(rig.rollup, &receiver), 0);
    abi_rig_seal(&rig, false);
    ck_assert_uint_eq(rig.block->transaction_count, 1);
    ck_assert_int_eq(rig.block->transactions[0].code, ERX_TX_OK);
    ck_assert_uint_eq(asked_count, 2);
    ck_assert_int_eq(erx_rollup_read_account(rig.rollup, &receiver, &info, 0, NULL, 0, NULL), 0);
    ck_assert_uint_eq(info.lamports, 300);
}
END_TEST

START_TEST(others_do_not_wait)
{
    erx_plan_signer_t to = erx_plan_signer(5);
    const uint8_t control[8] = {1};
    const erx_pubkey_t payer = abi_rig_key(1);
    submit_transfer(&to.key, 300);
    abi_rig_seal(&rig, false);
    ck_assert_int_eq(erx_rollup_clone_done(rig.rollup, &payer), 0); /* it does not exist */
    (void)abi_rig_session(&rig, 4);
    erx_plan_signer_t player = erx_plan_signer(1);
    call_t call = call_submit_input(4, &player.key, 1, control);
    const erx_transaction_outcome_t *outcome = abi_rig_run(&rig, &call);
    ck_assert_int_eq(outcome->code, ERX_TX_OK);
    ck_assert_uint_eq(asked_count, 2);
}
END_TEST

START_TEST(what_follows_the_base_layer_is_not_written)
{
    erx_plan_signer_t to = erx_plan_signer(5);
    const erx_account_image_t images[] = {
        {.struct_size = sizeof images[0],
         .key = abi_rig_key(1),
         .lamports = 1000,
         .flags = ERX_ACCOUNT_IMAGE_DELEGATED},
        {.struct_size = sizeof images[0],
         .key = abi_rig_key(5),
         .lamports = 1,
         .flags = ERX_ACCOUNT_IMAGE_READ_ONLY},
    };
    for (uint32_t i = 0; i < ERX_COUNT(images); i++)
        ck_assert_int_eq(erx_rollup_put_account(rig.rollup, &images[i]), 0);
    submit_transfer(&to.key, 300);
    abi_rig_seal(&rig, false);
    ck_assert_int_eq(rig.block->transactions[0].code, ERX_TX_INVALID_WRITABLE_ACCOUNT);
    ck_assert_int_eq(erx_rollup_remove_account(rig.rollup, &images[1].key), 0);
    ck_assert_int_eq(erx_rollup_lock_account(rig.rollup, &images[1].key), ERX_STATUS_NOT_FOUND);
    ck_assert_int_eq(erx_rollup_lock_account(rig.rollup, &images[0].key), 0);
    submit_transfer(&to.key, 301);
    abi_rig_seal(&rig, false);
    ck_assert_uint_eq(rig.block->transaction_count, 0); /* the removed one is asked for again */
    ck_assert_int_eq(erx_rollup_clone_done(rig.rollup, &images[1].key), 0);
    abi_rig_seal(&rig, false);
    ck_assert_int_eq(rig.block->transactions[0].code, ERX_TX_INVALID_WRITABLE_ACCOUNT);
    ck_assert_int_eq(erx_rollup_unlock_account(rig.rollup, &images[1].key), ERX_STATUS_NOT_FOUND);
    ck_assert_int_eq(erx_rollup_unlock_account(rig.rollup, &images[0].key), 0);
    submit_transfer(&to.key, 302);
    abi_rig_seal(&rig, false);
    ck_assert_int_eq(rig.block->transactions[0].code, ERX_TX_OK);
}
END_TEST

static void expect_settled(uint8_t status, uint32_t frame)
{
    ck_assert_uint_eq(settled_state[8], status);
    ck_assert_uint_eq(settled.frame, frame);
    ck_assert_uint_eq(settled.session_id, 6);
    erx_pubkey_t address;
    ck_assert_int_eq(
        erx_world_address(&rig.config.program, ERX_ADDRESS_SESSION_STATE, 6, 0, &address), 0);
    ck_assert_mem_eq(settled.session_state.bytes, address.bytes, sizeof address.bytes);
}

START_TEST(sessions_are_settled_when_asked_and_when_they_end)
{
    erx_session_ref_t session = abi_rig_session(&rig, 6);
    uint8_t hash[ERX_HASH_SIZE], *hidden;
    erx_session_info_t info = {.struct_size = sizeof info};
    erx_account_info_t account = {.struct_size = sizeof account};
    abi_rig_play(&rig, &session, 1, 3);
    ck_assert_uint_eq(settled_count, 0);
    ck_assert_int_eq(erx_rollup_settle_session(rig.rollup, session), 0);
    abi_rig_play(&rig, &session, 1, 1);
    ck_assert_uint_eq(settled_count, 1);
    expect_settled(2, 4);
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), 0);
    ck_assert_int_eq(
        erx_rollup_read_account(rig.rollup, &info.hidden_state, &account, 0, NULL, 0, NULL), 0);
    ck_assert_uint_eq(settled_hidden, account.space - 16);
    hidden = calloc(1, account.space);
    ck_assert_int_eq(erx_rollup_read_account(rig.rollup, &info.hidden_state, NULL, 16, hidden,
                                             settled_hidden, NULL),
                     0);
    (void)SHA256(hidden, settled_hidden, hash);
    ck_assert_mem_eq(hash, settled_hash, sizeof hash);
    free(hidden);
    erx_plan_signer_t player = erx_plan_signer(2);
    call_t call = call_close_session(6, &player.key);
    uint8_t packet[ERX_PACKET_MAX];
    size_t size = abi_rig_packet(&rig, &call, packet);
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, packet, size, NULL), 0);
    abi_rig_seal(&rig, false);
    for (uint32_t i = 0; i < asked_count; i++) /* wallets of the players: there are none */
        ck_assert_int_eq(erx_rollup_clone_done(rig.rollup, &asked[i]), 0);
    abi_rig_seal(&rig, false);
    ck_assert_uint_eq(rig.block->transaction_count, 1);
    ck_assert_int_eq(rig.block->transactions[0].code, ERX_TX_OK);
    ck_assert_uint_eq(settled_count, 2);
    expect_settled(3, 4); /* it is over */
    ck_assert_int_eq(erx_rollup_settle_session(rig.rollup, session), ERX_STATUS_NOT_FOUND);
}
END_TEST

Suite *base_layer_suite(void)
{
    Suite *suite = suite_create("base_layer");
    TCase *tests = tcase_create("base_layer");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_transaction_waits_for_its_accounts);
    tcase_add_test(tests, others_do_not_wait);
    tcase_add_test(tests, what_follows_the_base_layer_is_not_written);
    tcase_add_test(tests, sessions_are_settled_when_asked_and_when_they_end);
    suite_add_tcase(suite, tests);
    return suite;
}
