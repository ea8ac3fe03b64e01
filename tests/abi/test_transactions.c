#include <pthread.h>
#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"

static abi_rig_t rig;
static erx_plan_signer_t first, second;

static void setup(void)
{
    first = erx_plan_signer(1);
    second = erx_plan_signer(2);
    abi_rig_make(&rig);
    abi_rig_open(&rig);
}

static void teardown(void)
{
    abi_rig_end(&rig);
}

static void must(const call_t *call)
{
    const erx_transaction_outcome_t *outcome = abi_rig_run(&rig, call);
    ck_assert_msg(outcome->code == ERX_TX_OK, "%s, instruction %u: %s %u",
                  erx_tx_code_name(outcome->code), outcome->instruction_index,
                  erx_ix_code_name(outcome->instruction_code), outcome->instruction_custom);
}

static void start_session(uint64_t id)
{
    const call_session_t terms = {
        .session = id, .model = ABI_MODEL_ID, .stage = 31, .character = 2, .player = first.key};
    call_t call = call_create_session(&terms);
    must(&call);
    call = call_join_session(id, &second.key, 5);
    must(&call);
}

static erx_session_info_t session_info(uint64_t id)
{
    erx_pubkey_t state;
    erx_session_info_t info = {.struct_size = sizeof info};
    ck_assert_int_eq(
        erx_world_address(&rig.config.program, ERX_ADDRESS_SESSION_STATE, id, 0, &state), 0);
    ck_assert_int_eq(erx_rollup_find_session(rig.rollup, &state, &info), 0);
    return info;
}

START_TEST(a_game_is_played_by_transactions_alone)
{
    const uint8_t control[8] = {80, 0};
    start_session(4);
    for (uint32_t sequence = 1; sequence <= 5; sequence++) {
        call_t call = call_submit_input(4, &first.key, sequence, control);
        must(&call);
        call = call_submit_input(4, &second.key, sequence, control);
        must(&call);
        call = call_run_inference(4, ABI_MODEL_ID, rig.model.fixture.manifest.shard_count);
        must(&call);
        ck_assert_uint_eq(rig.block->frame_count, 1);
        ck_assert_uint_gt(rig.block->transactions[0].units, 0);
    }
    ck_assert_uint_eq(session_info(4).frame, 5);
    call_t call = call_close_session(4, &second.key);
    must(&call);
    erx_pubkey_t state;
    erx_session_info_t info = {.struct_size = sizeof info};
    ck_assert_int_eq(
        erx_world_address(&rig.config.program, ERX_ADDRESS_SESSION_STATE, 4, 0, &state), 0);
    ck_assert_int_eq(erx_rollup_find_session(rig.rollup, &state, &info), ERX_STATUS_NOT_FOUND);
}
END_TEST

START_TEST(an_error_has_its_code_and_its_log)
{
    call_t call = call_run_inference(4, ABI_MODEL_ID, rig.model.fixture.manifest.shard_count);
    start_session(4);
    const erx_transaction_outcome_t *outcome = abi_rig_run(&rig, &call);
    ck_assert_int_eq(outcome->code, ERX_TX_INSTRUCTION_ERROR);
    ck_assert_int_eq(outcome->instruction_code, ERX_IX_CUSTOM);
    ck_assert_uint_eq(outcome->instruction_custom, 6004);
    bool found = false;
    for (uint32_t i = 0; i < outcome->log_count; i++)
        found |= strstr(outcome->logs[i], "Error Code: InputsNotReady.") != NULL;
    ck_assert(found);
}
END_TEST

START_TEST(a_transaction_runs_once_and_its_status_is_kept)
{
    uint8_t packet[ERX_PACKET_MAX], signature[ERX_SIGNATURE_SIZE];
    erx_signature_status_t status = {.struct_size = sizeof status};
    const uint8_t control[8] = {1};
    start_session(4);
    call_t call = call_submit_input(4, &first.key, 1, control);
    size_t size = abi_rig_packet(&rig, &call, packet);
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, packet, size, signature), 0);
    ck_assert_int_eq(erx_rollup_signature_status(rig.rollup, signature, &status),
                     ERX_STATUS_NOT_FOUND);
    abi_rig_seal(&rig, false);
    ck_assert_int_eq(rig.block->transactions[0].code, ERX_TX_OK);
    ck_assert_int_eq(erx_rollup_signature_status(rig.rollup, signature, &status), 0);
    ck_assert_uint_eq(status.slot, rig.slot);
    ck_assert_int_eq(status.code, ERX_TX_OK);
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, packet, size, signature), 0);
    abi_rig_seal(&rig, false);
    ck_assert_int_eq(rig.block->transactions[0].code, ERX_TX_ALREADY_PROCESSED);
}
END_TEST

START_TEST(a_forged_signature_and_an_old_blockhash_are_refused)
{
    uint8_t packet[ERX_PACKET_MAX], hash[ERX_HASH_SIZE];
    const uint8_t control[8] = {1};
    start_session(4);
    call_t call = call_submit_input(4, &first.key, 1, control);
    size_t size = abi_rig_packet(&rig, &call, packet);
    ck_assert_int_eq(erx_rollup_blockhash(rig.rollup, hash, NULL, NULL), 0);
    packet[10] ^= 1;
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, packet, size, NULL), 0);
    abi_rig_seal(&rig, false);
    ck_assert_int_eq(rig.block->transactions[0].code, ERX_TX_SIGNATURE_FAILURE);
    size = abi_rig_packet(&rig, &call, packet);
    for (uint32_t i = 0; i <= rig.config.blockhash_blocks; i++)
        abi_rig_seal(&rig, false);
    ck_assert(!erx_rollup_blockhash_valid(rig.rollup, hash));
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, packet, size, NULL), 0);
    abi_rig_seal(&rig, false);
    ck_assert_int_eq(rig.block->transactions[0].code, ERX_TX_BLOCKHASH_NOT_FOUND);
}
END_TEST

START_TEST(bytes_that_are_no_transaction_are_refused_at_once)
{
    uint8_t packet[ERX_PACKET_MAX + 1] = {1};
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, packet, sizeof packet, NULL), ERX_STATUS_FORMAT);
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, packet, 0, NULL), ERX_STATUS_FORMAT);
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, NULL, 5, NULL), ERX_STATUS_ARGUMENT);
}
END_TEST

START_TEST(a_full_queue_pushes_back)
{
    uint8_t packet[ERX_PACKET_MAX];
    const uint8_t control[8] = {1};
    call_t call = call_submit_input(4, &first.key, 1, control);
    int32_t result = 0;
    uint32_t accepted = 0;
    for (; accepted <= rig.config.queue_transactions && result == 0; accepted += result == 0)
        result = erx_rollup_submit(rig.rollup, packet, abi_rig_packet(&rig, &call, packet), NULL);
    ck_assert_int_eq(result, ERX_STATUS_FULL);
    ck_assert_uint_eq(accepted, rig.config.queue_transactions);
    abi_rig_seal(&rig, false);
    ck_assert_uint_eq(rig.block->transaction_count, accepted);
}
END_TEST

START_TEST(a_simulation_tells_and_changes_nothing)
{
    uint8_t packet[ERX_PACKET_MAX];
    const uint8_t control[8] = {9, 9};
    erx_simulation_t *simulation;
    start_session(4);
    erx_session_info_t info = session_info(4);
    call_t call = call_submit_input(4, &first.key, 1, control);
    size_t size = abi_rig_packet(&rig, &call, packet);
    const erx_simulation_config_t config = {.struct_size = sizeof config,
                                            .verify_signatures = true,
                                            .accounts = &info.input_buffer,
                                            .account_count = 1};
    ck_assert_int_eq(erx_rollup_simulate(rig.rollup, packet, size, &config, &simulation), 0);
    ck_assert_int_eq(erx_simulation_result(simulation)->code, ERX_TX_OK);
    ck_assert_uint_gt(erx_simulation_result(simulation)->log_count, 2);
    const erx_simulated_account_t *account = erx_simulation_account(simulation, 0);
    ck_assert(account->exists);
    ck_assert_uint_eq(account->data_size, 40);
    ck_assert_mem_eq(account->data + 12, control, sizeof control);
    ck_assert_ptr_null(erx_simulation_account(simulation, 1));
    erx_simulation_close(simulation);
    ck_assert_ptr_null(erx_simulation_result(simulation));
    uint8_t now[40];
    ck_assert_int_eq(
        erx_rollup_read_account(rig.rollup, &info.input_buffer, NULL, 0, now, sizeof now, NULL), 0);
    ck_assert_uint_eq(now[12], 0);
    packet[10] ^= 1;
    ck_assert_int_eq(erx_rollup_simulate(rig.rollup, packet, size, &config, &simulation), 0);
    ck_assert_int_eq(erx_simulation_result(simulation)->code, ERX_TX_SIGNATURE_FAILURE);
    erx_simulation_close(simulation);
}
END_TEST

/* What a rollup told of signatures. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t grew;
    uint32_t good, bad;
    uint8_t last[ERX_SIGNATURE_SIZE];
} verdicts_t;

static void on_verified(void *context, const uint8_t signature[ERX_SIGNATURE_SIZE], bool is_good,
                        bool more)
{
    verdicts_t *verdicts = context;
    (void)more;
    (void)pthread_mutex_lock(&verdicts->lock);
    verdicts->good += is_good;
    verdicts->bad += !is_good;
    memcpy(verdicts->last, signature, ERX_SIGNATURE_SIZE);
    (void)pthread_cond_broadcast(&verdicts->grew);
    (void)pthread_mutex_unlock(&verdicts->lock);
}

static void wait_for_verdicts(verdicts_t *verdicts, uint32_t count)
{
    (void)pthread_mutex_lock(&verdicts->lock);
    while (verdicts->good + verdicts->bad < count)
        (void)pthread_cond_wait(&verdicts->grew, &verdicts->lock);
    (void)pthread_mutex_unlock(&verdicts->lock);
}

/* _i: threads that verify. */
START_TEST(a_verdict_on_signatures_comes_before_the_block)
{
    uint8_t packet[ERX_PACKET_MAX], signature[ERX_SIGNATURE_SIZE];
    verdicts_t verdicts = {.lock = PTHREAD_MUTEX_INITIALIZER, .grew = PTHREAD_COND_INITIALIZER};
    abi_rig_close(&rig);
    rig.config.verifier_count = (uint32_t)_i;
    ck_assert_int_eq(erx_rollup_open(&rig.config, &rig.rollup), 0);
    ck_assert_int_eq(
        erx_rollup_load_model(rig.rollup, rig.model.directory, ABI_MODEL_ID, ABI_SESSIONS), 0);
    ck_assert_int_eq(erx_rollup_set_verified(NULL, on_verified, &verdicts), ERX_STATUS_ARGUMENT);
    ck_assert_int_eq(erx_rollup_set_verified(rig.rollup, on_verified, &verdicts), 0);
    ck_assert_int_eq(erx_rollup_start(rig.rollup), 0);
    ck_assert_int_eq(erx_rollup_set_verified(rig.rollup, NULL, NULL), ERX_STATUS_STATE);
    call_t call = call_join_session(4, &second.key, 5);
    size_t size = abi_rig_packet(&rig, &call, packet);
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, packet, size, signature), 0);
    wait_for_verdicts(&verdicts, 1);
    ck_assert_uint_eq(verdicts.good, 1);
    ck_assert_mem_eq(verdicts.last, signature, sizeof signature);
    packet[size - 1] ^= 1;
    ck_assert_int_eq(erx_rollup_submit(rig.rollup, packet, size, NULL), 0);
    wait_for_verdicts(&verdicts, 2);
    ck_assert_uint_eq(verdicts.bad, 1);
    abi_rig_close(&rig); /* before what was told goes */
}
END_TEST

START_TEST(a_simulation_stops_at_the_units_it_is_given)
{
    uint8_t packet[ERX_PACKET_MAX];
    erx_simulation_t *simulation;
    erx_simulation_config_t config = {.struct_size = sizeof config, .never_waits = true};
    start_session(4);
    call_t call = call_run_inference(4, ABI_MODEL_ID, rig.model.fixture.manifest.shard_count);
    const uint8_t control[8] = {0};
    call_t inputs[] = {call_submit_input(4, &first.key, 1, control),
                       call_submit_input(4, &second.key, 1, control)};
    must(&inputs[0]);
    must(&inputs[1]);
    size_t size = abi_rig_packet(&rig, &call, packet);
    ck_assert_int_eq(erx_rollup_simulate(rig.rollup, packet, size, &config, &simulation), 0);
    const erx_transaction_outcome_t *outcome = erx_simulation_result(simulation);
    ck_assert_int_eq(outcome->code, ERX_TX_OK);
    config.units_max = outcome->units;
    erx_simulation_close(simulation);
    ck_assert_int_eq(erx_rollup_simulate(rig.rollup, packet, size, &config, &simulation), 0);
    ck_assert_int_eq(erx_simulation_result(simulation)->code, ERX_TX_OK);
    erx_simulation_close(simulation);
    config.units_max--;
    ck_assert_int_eq(erx_rollup_simulate(rig.rollup, packet, size, &config, &simulation), 0);
    ck_assert_int_eq(erx_simulation_result(simulation)->code, ERX_TX_INSTRUCTION_ERROR);
    erx_simulation_close(simulation);
    /* A program that was linked before these limits has a shorter config. */
    config.struct_size = offsetof(erx_simulation_config_t, units_max);
    ck_assert_int_eq(erx_rollup_simulate(rig.rollup, packet, size, &config, &simulation), 0);
    ck_assert_int_eq(erx_simulation_result(simulation)->code, ERX_TX_OK);
    erx_simulation_close(simulation);
}
END_TEST

Suite *transactions_suite(void)
{
    Suite *suite = suite_create("transactions");
    TCase *tests = tcase_create("transactions");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_game_is_played_by_transactions_alone);
    tcase_add_test(tests, an_error_has_its_code_and_its_log);
    tcase_add_test(tests, a_transaction_runs_once_and_its_status_is_kept);
    tcase_add_test(tests, a_forged_signature_and_an_old_blockhash_are_refused);
    tcase_add_test(tests, bytes_that_are_no_transaction_are_refused_at_once);
    tcase_add_test(tests, a_full_queue_pushes_back);
    tcase_add_test(tests, a_simulation_tells_and_changes_nothing);
    tcase_add_test(tests, a_simulation_stops_at_the_units_it_is_given);
    tcase_add_loop_test(tests, a_verdict_on_signatures_comes_before_the_block, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}
