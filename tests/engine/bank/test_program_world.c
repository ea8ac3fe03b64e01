/* What all instructions of the world program have in common: discriminators,
 * lengths, accounts, and what hostile ones leave behind. */
#include "tests/engine/bank/bank_suites.h"
#include "tests/engine/bank/expectations.h"
#include "tests/support/rng.h"

#include <stdio.h>
#include <string.h>

#define SESSION     3u
#define MODEL       12u
#define CALLS       12u
#define HOSTILE_MAX 20000u

static bank_rig_t rig;
static erx_key_t alice, bob;
static call_t calls[CALLS];
static const char *const names[CALLS] = {
    "InitManifest",  "UploadManifest",  "FinalizeManifest",  "InitWeights",
    "UploadWeights", "FinalizeWeights", "CreateSession",     "JoinSession",
    "SubmitInput",   "RunInference",    "RunInferenceChunk", "CloseSession",
};

static void setup(void)
{
    static const uint8_t hash[32], control[8];
    const call_manifest_t manifest = {MODEL, 1, 100, 50};
    bank_rig_open(&rig, NULL);
    alice = bank_rig_key(11);
    bob = bank_rig_key(12);
    const call_session_t terms = {.session = SESSION, .model = RIG_MODEL_ID, .player = alice};
    const call_t all[CALLS] = {
        call_init_manifest(&manifest, &alice),
        call_upload_manifest(MODEL, &alice, 0, hash, 32),
        call_finalize_manifest(MODEL, 1, &alice, hash),
        call_init_weights(MODEL, 0, 100, &alice),
        call_upload_weights(MODEL, 0, &alice, 0, hash, 32),
        call_finalize_weights(MODEL, 0, &alice, hash),
        call_create_session(&terms),
        call_join_session(SESSION, &bob, 1),
        call_submit_input(SESSION, &alice, 1, control),
        call_run_inference(SESSION, RIG_MODEL_ID, 1),
        call_run_inference_chunk(SESSION, RIG_MODEL_ID, 1, 0, 1),
        call_close_session(SESSION, &alice),
    };
    memcpy(calls, all, sizeof all);
}

static void teardown(void)
{
    bank_rig_close(&rig);
}

START_TEST(test_discriminators_are_known)
{
    for (uint32_t i = 0; i < CALLS; i++) {
        char line[80];
        erx_bank_outcome_t outcome = call_run(&rig, &calls[i]);
        (void)snprintf(line, sizeof line, "Program log: Instruction: %s", names[i]);
        ck_assert_str_eq(outcome.logs[1], line);
        ck_assert(rig_outcome_logs(
            &outcome, "Program WrLd111111111111111111111111111111111111111 consumed "));
    }
}
END_TEST

START_TEST(test_other_lengths_are_refused)
{
    uint64_t before = bank_rig_hash(&rig);
    for (uint32_t i = 0; i < CALLS; i++) {
        for (int32_t change = -1; change <= 1; change += 2) {
            call_t call = calls[i];
            call.data_bytes = (uint32_t)((int32_t)call.data_bytes + change);
            erx_bank_outcome_t outcome = call_run(&rig, &call);
            rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
        }
    }
    call_t call = calls[0];
    call.data[0] ^= 1;
    erx_bank_outcome_t outcome = call_run(&rig, &call);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
}
END_TEST

START_TEST(test_missing_accounts_signatures_and_rights_are_refused)
{
    /* Accounts of finalize_manifest and run_inference that follow the fixed ones. */
    static const uint32_t variable[CALLS] = {0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0};
    const erx_key_t payer = bank_rig_key(1);
    uint64_t before = bank_rig_hash(&rig);
    for (uint32_t i = 0; i < CALLS; i++) {
        call_t call = calls[i];
        call.account_count -= 1 + variable[i];
        erx_bank_outcome_t outcome = call_run(&rig, &call);
        rig_expect_error(&outcome, 0, ERX_INSTRUCTION_NOT_ENOUGH_ACCOUNT_KEYS);
        for (uint32_t a = 0; a < calls[i].account_count; a++) {
            static rig_transaction_t transaction;
            uint8_t flags = calls[i].accounts[a].flags;
            for (uint8_t flag = RIG_SIGNS; flag <= RIG_WRITES; flag++) {
                if ((flags & flag) == 0)
                    continue;
                call = calls[i];
                call.accounts[a].flags = flags & (uint8_t)~flag;
                rig_transaction_begin(&transaction, &payer);
                call_add(&transaction, &call);
                outcome = bank_rig_run(&rig, &transaction);
                rig_expect_error(&outcome, 0,
                                 flag == RIG_SIGNS ? ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE
                                                   : ERX_INSTRUCTION_READONLY_DATA_MODIFIED);
                if (rig.nonce % (RIG_TRANSACTIONS_MAX - 2) == 0) {
                    bank_rig_seal(&rig);
                    ck_assert_uint_eq(bank_rig_hash(&rig), before);
                }
            }
        }
    }
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
}
END_TEST

/* Changes a call in one of many ways. */
static void spoil(erx_rng_t *rng, call_t *call)
{
    uint32_t a = (uint32_t)erx_rng_range(rng, 0, call->account_count - 1);
    uint32_t d = (uint32_t)erx_rng_range(rng, 0, call->data_bytes - 1);
    const call_t *other = &calls[erx_rng_range(rng, 0, CALLS - 1)];
    switch (erx_rng_range(rng, 0, 6)) {
    case 0:
        call->accounts[a].key =
            other->accounts[erx_rng_range(rng, 0, other->account_count - 1)].key;
        break;
    case 1:
        call->accounts[a].flags = (uint8_t)erx_rng_range(rng, 0, 3);
        break;
    case 2:
        call->data[d] ^= (uint8_t)erx_rng_range(rng, 1, 255);
        break;
    case 3:
        call->data_bytes = d + 1;
        break;
    case 4:
        call->account_count = a + 1;
        break;
    case 5:
        memcpy(call->data, other->data, 8);
        break;
    default:
        memset(call->data + d, 0xff, ERX_MIN(call->data_bytes - d, 4u));
        break;
    }
}

/* In any state, whatever is sent either succeeds or changes nothing, and what
 * the bank knows of its sessions agrees with the table. */
START_TEST(test_spoilt_instructions_change_nothing_where_they_fail)
{
    erx_rng_t rng = erx_rng_open(1);
    uint32_t good = 0;
    for (uint32_t i = 0; i < HOSTILE_MAX; i++) {
        call_t call = calls[erx_rng_range(&rng, 0, CALLS - 1)];
        if (erx_rng_range(&rng, 0, 2) > 0)
            spoil(&rng, &call);
        if (i % (RIG_TRANSACTIONS_MAX / 2) == 0)
            bank_rig_seal(&rig); /* from here on no frame waits */
        bool is_watched = i % (RIG_TRANSACTIONS_MAX / 2) == 0;
        uint64_t before = is_watched ? bank_rig_hash(&rig) : 0;
        erx_bank_outcome_t outcome = call_run(&rig, &call);
        good += outcome.result.error == ERX_TRANSACTION_OK;
        if (is_watched && outcome.result.error != ERX_TRANSACTION_OK &&
            strstr(outcome.log_count == 0 ? "" : outcome.logs[outcome.log_count - 1], "failed"))
            ck_assert_uint_eq(bank_rig_hash(&rig), before);
    }
    ck_assert_uint_gt(good, HOSTILE_MAX / 100);
}
END_TEST

Suite *program_world_suite(void)
{
    Suite *suite = suite_create("program_world");
    TCase *tests = tcase_create("program_world");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_discriminators_are_known);
    tcase_add_test(tests, test_other_lengths_are_refused);
    tcase_add_test(tests, test_missing_accounts_signatures_and_rights_are_refused);
    tcase_add_test(tests, test_spoilt_instructions_change_nothing_where_they_fail);
    suite_add_tcase(suite, tests);
    return suite;
}
