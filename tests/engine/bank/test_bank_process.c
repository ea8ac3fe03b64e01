/* What the bank looks at before a transaction executes, how a block's limits
 * hold, and that simulating leaves nothing behind. */
#include "engine/bank/fields.h"
#include "mem/alloc.h"
#include "tests/engine/bank/bank_suites.h"
#include "tests/engine/bank/expectations.h"

#include <stdio.h>
#include <string.h>

#define SESSION 77u

static bank_rig_t rig;
static erx_key_t rich, alice, bob;

static void open_with(const bank_rig_options_t *options)
{
    bank_rig_open(&rig, options);
    rich = bank_rig_key(51);
    alice = bank_rig_key(52);
    bob = bank_rig_key(53);
    bank_rig_fund(&rig, &rich, 100000);
}

static void setup(void)
{
    open_with(NULL);
}

static void teardown(void)
{
    bank_rig_close(&rig);
}

static void make_transfer(rig_transaction_t *transaction, const erx_key_t *to, uint64_t lamports)
{
    uint8_t data[12] = {2};
    const rig_account_t accounts[] = {{rich, RIG_SIGNS | RIG_WRITES}, {*to, RIG_WRITES}};
    erx_put_u64(data + 4, lamports);
    rig_transaction_begin(transaction, &rich);
    rig_transaction_add(transaction, &erx_key_system, accounts, 2, data, sizeof data);
}

static erx_bank_outcome_t transfer(const erx_key_t *to, uint64_t lamports)
{
    static rig_transaction_t transaction;
    make_transfer(&transaction, to, lamports);
    return bank_rig_run(&rig, &transaction);
}

/* An item of a transfer of one lamport to alice. */
static void make_item(const erx_key_t *blockhash, uint8_t packet[ERX_PACKET_BYTES_MAX],
                      erx_intake_item_t *item_out)
{
    static rig_transaction_t transaction;
    make_transfer(&transaction, &alice, 1);
    rig_transaction_write(&transaction, blockhash, packet, item_out);
}

static erx_bank_outcome_t process(const erx_intake_item_t *item)
{
    erx_bank_outcome_t outcome;
    erx_error_t error = {0};
    ck_assert_msg(erx_bank_process(rig.bank, item, &outcome, &error) == ERX_OK, "%s", error.text);
    return outcome;
}

START_TEST(test_a_repeated_transaction_is_refused)
{
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_intake_item_t item;
    make_item(erx_blockhash_latest(rig.blockhashes), packet, &item);
    erx_bank_outcome_t outcome = process(&item);
    rig_expect_ok(&outcome);
    ck_assert_mem_eq(outcome.packet, packet, item.bytes);
    outcome = process(&item);
    rig_expect_refused(&outcome, ERX_TRANSACTION_ALREADY_PROCESSED);
    bank_rig_seal(&rig);
    outcome = process(&item);
    rig_expect_refused(&outcome, ERX_TRANSACTION_ALREADY_PROCESSED);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &alice), 1);
}
END_TEST

START_TEST(test_a_blockhash_expires)
{
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_intake_item_t item;
    const erx_key_t unknown = bank_rig_key(4);
    make_item(&unknown, packet, &item);
    erx_bank_outcome_t outcome = process(&item);
    rig_expect_refused(&outcome, ERX_TRANSACTION_BLOCKHASH_NOT_FOUND);
    outcome = process(&item); /* it is not known as processed */
    rig_expect_refused(&outcome, ERX_TRANSACTION_BLOCKHASH_NOT_FOUND);
    make_item(erx_blockhash_latest(rig.blockhashes), packet, &item);
    for (uint32_t i = 0; i < 12; i++)
        bank_rig_seal(&rig);
    outcome = process(&item);
    rig_expect_refused(&outcome, ERX_TRANSACTION_BLOCKHASH_NOT_FOUND);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &alice), 0);
}
END_TEST

START_TEST(test_faulty_packets_have_outcomes)
{
    static const uint8_t packet[] = {1, 2, 3};
    erx_intake_item_t item = {.packet = packet, .bytes = 3, .tag = 9};
    item.fault = erx_message_parse(packet, 3, &item.message);
    item.error = erx_message_fault_error(item.fault);
    erx_bank_outcome_t outcome = process(&item);
    rig_expect_refused(&outcome, ERX_TRANSACTION_SANITIZE_FAILURE);
    ck_assert_uint_eq(outcome.tag, 9);
    ck_assert_uint_eq(outcome.balance_count, 0);
    uint8_t good[ERX_PACKET_BYTES_MAX];
    make_item(erx_blockhash_latest(rig.blockhashes), good, &item);
    item.error = ERX_TRANSACTION_SIGNATURE_FAILURE;
    outcome = process(&item);
    rig_expect_refused(&outcome, ERX_TRANSACTION_SIGNATURE_FAILURE);
    item.error = ERX_TRANSACTION_OK; /* the real one may come after a forged one */
    outcome = process(&item);
    rig_expect_ok(&outcome);
}
END_TEST

START_TEST(test_unknown_programs_are_refused)
{
    const erx_key_t program = bank_rig_key(60);
    erx_bank_outcome_t outcome = bank_rig_call(&rig, &program, NULL, 0, "x", 1);
    rig_expect_refused(&outcome, ERX_TRANSACTION_PROGRAM_ACCOUNT_NOT_FOUND);
    ck_assert_uint_eq(outcome.log_count, 0);
}
END_TEST

START_TEST(test_accounts_that_follow_the_base_layer_are_not_written)
{
    const erx_account_entry_t clone = {.key = alice,
                                       .lamports = 5,
                                       .kind = ERX_ACCOUNT_PLAIN,
                                       .flags = ERX_ACCOUNT_READ_ONLY_CLONE};
    const erx_account_entry_t locked = {.key = bob,
                                        .lamports = 5,
                                        .kind = ERX_ACCOUNT_PLAIN,
                                        .flags = ERX_ACCOUNT_DELEGATED | ERX_ACCOUNT_LOCKED};
    bank_rig_put(&rig, &clone, NULL);
    bank_rig_put(&rig, &locked, NULL);
    erx_bank_outcome_t outcome = transfer(&alice, 1);
    rig_expect_refused(&outcome, ERX_TRANSACTION_INVALID_WRITABLE_ACCOUNT);
    outcome = transfer(&bob, 1);
    rig_expect_refused(&outcome, ERX_TRANSACTION_INVALID_WRITABLE_ACCOUNT);
}
END_TEST

START_TEST(test_with_refuse_uncloned_only_known_accounts_are_written)
{
    const bank_rig_options_t options = {.refuse_uncloned = true};
    teardown();
    open_with(&options);
    const erx_account_entry_t unknown = {.key = alice, .lamports = 5, .kind = ERX_ACCOUNT_PLAIN};
    bank_rig_put(&rig, &unknown, NULL);
    erx_bank_outcome_t outcome = transfer(&alice, 1);
    rig_expect_refused(&outcome, ERX_TRANSACTION_INVALID_WRITABLE_ACCOUNT);
    outcome = transfer(&bob, 1); /* made here */
    rig_expect_ok(&outcome);
    outcome = transfer(&bob, 1);
    rig_expect_ok(&outcome);
}
END_TEST

START_TEST(test_fees_are_paid_also_by_those_that_fail)
{
    const bank_rig_options_t options = {.fee_per_signature = 5000};
    teardown();
    open_with(&options);
    erx_bank_outcome_t outcome = transfer(&alice, 1);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(outcome.fee, 5000);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &rich), 94999);
    outcome = transfer(&alice, 90000); /* with the fee there is less */
    rig_expect_custom(&outcome, 0, 1);
    ck_assert_uint_eq(outcome.fee, 5000);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &rich), 89999);
    ck_assert_uint_eq(outcome.balances[0].lamports_before, 94999);
    ck_assert_uint_eq(outcome.balances[0].lamports_after, 89999);

    outcome = bank_rig_call(&rig, &erx_key_memo, NULL, 0, "x", 1);
    rig_expect_refused(&outcome, ERX_TRANSACTION_ACCOUNT_NOT_FOUND);
    erx_key_t payer = bank_rig_key(1);
    bank_rig_fund(&rig, &payer, 4999);
    outcome = bank_rig_call(&rig, &erx_key_memo, NULL, 0, "x", 1);
    rig_expect_refused(&outcome, ERX_TRANSACTION_INSUFFICIENT_FUNDS_FOR_FEE);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &payer), 4999);
    call_session_t terms = {.session = SESSION, .model = RIG_MODEL_ID, .player = payer};
    call_t create = call_create_session(&terms);
    outcome = call_run(&rig, &create);
    rig_expect_refused(&outcome, ERX_TRANSACTION_INSUFFICIENT_FUNDS_FOR_FEE);
}
END_TEST

START_TEST(test_who_could_not_pay_may_come_again)
{
    const bank_rig_options_t options = {.fee_per_signature = 5000};
    teardown();
    open_with(&options);
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_intake_item_t item;
    static rig_transaction_t transaction;
    const erx_key_t payer = bank_rig_key(1);
    const erx_account_entry_t empty = {.key = bank_rig_key(2), .kind = ERX_ACCOUNT_PLAIN};
    bank_rig_put(&rig, &empty, NULL);
    rig_transaction_begin(&transaction, &empty.key);
    rig_transaction_add(&transaction, &erx_key_memo, NULL, 0, "x", 1);
    erx_bank_outcome_t outcome = bank_rig_run(&rig, &transaction);
    rig_expect_refused(&outcome, ERX_TRANSACTION_ACCOUNT_NOT_FOUND);
    rig_transaction_begin(&transaction, &payer);
    rig_transaction_add(&transaction, &erx_key_memo, NULL, 0, "x", 1);
    rig_transaction_write(&transaction, erx_blockhash_latest(rig.blockhashes), packet, &item);
    outcome = process(&item);
    rig_expect_refused(&outcome, ERX_TRANSACTION_ACCOUNT_NOT_FOUND);
    bank_rig_fund(&rig, &payer, 5001);
    outcome = process(&item);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &payer), 1);
    /* Looked at before what the transaction loads. */
    const erx_key_t program = bank_rig_key(60);
    outcome = bank_rig_call(&rig, &program, NULL, 0, "x", 1);
    rig_expect_refused(&outcome, ERX_TRANSACTION_INSUFFICIENT_FUNDS_FOR_FEE);
    ck_assert_uint_eq(outcome.fee, 0);
}
END_TEST

START_TEST(test_an_unknown_program_costs_the_fee)
{
    const bank_rig_options_t options = {.fee_per_signature = 5000};
    teardown();
    open_with(&options);
    const erx_key_t program = bank_rig_key(60), payer = bank_rig_key(1);
    bank_rig_fund(&rig, &payer, 5000);
    erx_bank_outcome_t outcome = bank_rig_call(&rig, &program, NULL, 0, "x", 1);
    rig_expect_refused(&outcome, ERX_TRANSACTION_PROGRAM_ACCOUNT_NOT_FOUND);
    ck_assert_uint_eq(outcome.fee, 5000);
    ck_assert_uint_eq(erx_bank_find(rig.bank, &payer), ERX_ACCOUNT_NONE);
}
END_TEST

START_TEST(test_a_wallet_that_pays_its_last_lamports_is_gone)
{
    const bank_rig_options_t options = {.fee_per_signature = 5000};
    teardown();
    open_with(&options);
    erx_key_t payer = bank_rig_key(1);
    bank_rig_fund(&rig, &payer, 10000);
    erx_bank_outcome_t outcome = bank_rig_call(&rig, &erx_key_memo, NULL, 0, "\xff", 1);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &payer), 5000);
    outcome = bank_rig_call(&rig, &erx_key_memo, NULL, 0, "x", 1);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(erx_bank_find(rig.bank, &payer), ERX_ACCOUNT_NONE);
}
END_TEST

START_TEST(test_a_block_has_its_units)
{
    const bank_rig_options_t options = {.block_units_max = 400};
    teardown();
    open_with(&options);
    erx_bank_outcome_t outcome = transfer(&alice, 1);
    rig_expect_ok(&outcome);
    outcome = transfer(&alice, 1);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(erx_bank_block_units(rig.bank), 300);
    uint64_t before = bank_rig_hash(&rig);
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_intake_item_t item;
    make_item(erx_blockhash_latest(rig.blockhashes), packet, &item);
    outcome = process(&item);
    rig_expect_refused(&outcome, ERX_TRANSACTION_WOULD_EXCEED_MAX_BLOCK_COST_LIMIT);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
    ck_assert_uint_eq(outcome.units, 0);
    bank_rig_seal(&rig);
    outcome = process(&item); /* the next block has room for it */
    rig_expect_ok(&outcome);
}
END_TEST

START_TEST(test_a_block_has_room_for_so_many_transactions)
{
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_intake_item_t item;
    erx_bank_outcome_t outcome;
    erx_error_t error;
    for (uint32_t i = 0; i < RIG_TRANSACTIONS_MAX; i++) {
        outcome = transfer(&alice, 1);
        rig_expect_ok(&outcome);
    }
    make_item(erx_blockhash_latest(rig.blockhashes), packet, &item);
    ck_assert_int_eq(erx_bank_process(rig.bank, &item, &outcome, &error), ERX_ERR_FULL);
    bank_rig_seal(&rig);
    outcome = process(&item);
    rig_expect_ok(&outcome);
}
END_TEST

START_TEST(test_a_full_write_log_is_emptied_within_a_block)
{
    const bank_rig_options_t options = {.write_log_bytes = 1u << 16};
    teardown();
    open_with(&options);
    for (uint32_t i = 0; i < RIG_TRANSACTIONS_MAX; i++) {
        erx_bank_outcome_t outcome = transfer(&alice, 1);
        rig_expect_ok(&outcome);
    }
    ck_assert_uint_eq(bank_rig_lamports(&rig, &alice), RIG_TRANSACTIONS_MAX);
}
END_TEST

START_TEST(test_the_log_ends_where_it_is_too_long)
{
    static rig_transaction_t transaction;
    char text[60];
    memset(text, 'm', sizeof text);
    const erx_key_t payer = bank_rig_key(1);
    rig_transaction_begin(&transaction, &payer);
    rig_account_t signer = {payer, RIG_SIGNS};
    for (uint32_t i = 0; i < RIG_INSTRUCTIONS_MAX; i++)
        rig_transaction_add(&transaction, &erx_key_memo, &signer, 1, text, 20);
    erx_bank_outcome_t outcome = bank_rig_run(&rig, &transaction);
    rig_expect_ok(&outcome);
    size_t bytes = 0;
    for (uint32_t i = 0; i + 1 < outcome.log_count; i++)
        bytes += strlen(outcome.logs[i]);
    ck_assert_uint_lt(bytes, ERX_BANK_LOG_BYTES_MAX);
    ck_assert_uint_gt(bytes, ERX_BANK_LOG_BYTES_MAX - 200);
    ck_assert_str_eq(outcome.logs[outcome.log_count - 1], "Log truncated");
}
END_TEST

START_TEST(test_changed_accounts_are_told_once_in_order)
{
    erx_key_t keys[3];
    uint32_t count;
    call_session_t terms = {.session = SESSION, .model = RIG_MODEL_ID, .player = alice};
    bank_rig_seal(&rig);
    call_t call = call_create_session(&terms);
    call_must(&rig, &call);
    erx_bank_outcome_t outcome = transfer(&bob, 10);
    rig_expect_ok(&outcome);
    call = call_join_session(SESSION, &bob, 1);
    call_must(&rig, &call);
    outcome = transfer(&bob, 10);
    rig_expect_ok(&outcome);
    bank_rig_session(SESSION, keys);
    const erx_bank_change_t *changes = erx_bank_changed(rig.bank, &count);
    ck_assert_uint_eq(count, 5);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_uint_eq(changes[i].index, erx_bank_find(rig.bank, &changes[i].key));
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t found = 0;
        for (uint32_t c = 0; c < count; c++)
            found += erx_key_equals(&changes[c].key, &keys[i]);
        ck_assert_uint_eq(found, 1);
    }
    call = call_close_session(SESSION, &alice);
    call_must(&rig, &call);
    changes = erx_bank_changed(rig.bank, &count);
    ck_assert_uint_eq(count, 5);
    for (uint32_t c = 0; c < count; c++)
        ck_assert_uint_eq(changes[c].index, erx_bank_find(rig.bank, &changes[c].key));
}
END_TEST

/* Versions of a session's accounts. */
static void versions(uint64_t out[3])
{
    erx_key_t keys[3];
    bank_rig_session(SESSION, keys);
    for (uint32_t i = 0; i < 3; i++)
        out[i] = erx_bank_version(rig.bank, erx_bank_find(rig.bank, &keys[i]));
}

START_TEST(test_versions_grow_with_every_change)
{
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {3};
    uint64_t old[3], new[3];
    call_session_t terms = {.session = SESSION, .model = RIG_MODEL_ID, .player = alice};
    call_t call = call_create_session(&terms);
    call_must(&rig, &call);
    versions(old);
    call = call_join_session(SESSION, &bob, 1);
    call_must(&rig, &call);
    versions(new);
    ck_assert_uint_gt(new[0], old[0]);
    ck_assert_uint_gt(new[1], old[1]);
    for (uint32_t frame = 1; frame < 4; frame++) {
        versions(old);
        call = call_submit_input(SESSION, &alice, 10 * frame, control);
        call_must(&rig, &call);
        versions(new);
        ck_assert_uint_gt(new[2], old[2]);
        call = call_submit_input(SESSION, &bob, frame, control);
        call_must(&rig, &call);
        call = call_run_inference(SESSION, RIG_MODEL_ID, 1);
        call_must(&rig, &call);
        bank_rig_seal(&rig);
        versions(new);
        for (uint32_t i = 0; i < 3; i++)
            ck_assert_uint_gt(new[i], old[i]);
    }
}
END_TEST

START_TEST(test_direct_changes_do_what_instructions_do)
{
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {1, 2, 3};
    erx_error_t error = {0};
    erx_key_t keys[3];
    uint64_t handle;
    erx_bank_session_t terms = {
        .session_id = SESSION,
        .pool = 0,
        .tick_divisor = 3,
        .terms = {.waits = true, .stage = 2, .characters = {4}, .created_at = rig.timestamp},
    };
    memcpy(terms.terms.players[0], alice.bytes, sizeof alice);
    ck_assert_int_eq(erx_bank_create_session(rig.bank, &terms, &handle, &error), ERX_OK);
    ck_assert_int_eq(erx_bank_create_session(rig.bank, &terms, &handle, &error), ERX_ERR_STATE);
    erx_session_t *session = bank_rig_find(&rig, SESSION);
    ck_assert_uint_eq(erx_session_handle(session), handle);
    ck_assert_int_eq(erx_bank_join_session(rig.bank, 0, session, &alice, 1, &error),
                     ERX_ERR_ARGUMENT);
    ck_assert_int_eq(erx_bank_join_session(rig.bank, 0, session, &bob, 1, &error), ERX_OK);
    ck_assert_int_eq(erx_bank_join_session(rig.bank, 0, session, &bob, 1, &error), ERX_ERR_STATE);
    ck_assert_int_eq(erx_bank_input(rig.bank, 0, session, 1, control, &error), ERX_OK);
    ck_assert_int_eq(erx_bank_add_frame(rig.bank, 0, session), ERX_OK);
    ck_assert_int_eq(erx_bank_add_frame(rig.bank, 0, session), ERX_ERR_STATE);
    ck_assert_int_eq(erx_bank_input(rig.bank, 0, session, 0, control, &error), ERX_ERR_STATE);
    ck_assert_int_eq(erx_bank_close_session(rig.bank, 0, session, &error), ERX_ERR_STATE);
    bank_rig_seal(&rig);
    ck_assert_uint_eq(session->frame, 1);
    ck_assert_int_eq(erx_bank_close_session(rig.bank, 0, session, &error), ERX_OK);
    bank_rig_session(SESSION, keys);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_uint_eq(erx_bank_find(rig.bank, &keys[i]), ERX_ACCOUNT_NONE);
    terms.terms.stage = ERX_STAGES;
    ck_assert_int_eq(erx_bank_create_session(rig.bank, &terms, &handle, &error), ERX_ERR_RANGE);
}
END_TEST

/* What a simulation saw of an account. */
typedef struct {
    erx_key_t key;
    uint32_t index;
    uint64_t lamports;
} seen_t;

static void inspect(void *context, const erx_bank_t *bank)
{
    seen_t *seen = context;
    seen->index = erx_bank_find(bank, &seen->key);
    seen->lamports = bank_rig_lamports(&rig, &seen->key);
}

START_TEST(test_simulations_show_what_would_be_and_leave_nothing)
{
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_intake_item_t item;
    erx_bank_outcome_t outcome;
    const erx_key_t unknown = bank_rig_key(4);
    seen_t seen = {.key = alice};
    erx_bank_simulation_t simulation = {
        .slot = rig.slot + 1, .timestamp = 5, .inspect = inspect, .context = &seen};
    uint64_t before = bank_rig_hash(&rig);
    make_item(erx_blockhash_latest(rig.blockhashes), packet, &item);
    erx_bank_simulate(rig.bank, &item, &simulation, &outcome);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(outcome.units, 150);
    ck_assert_uint_eq(seen.lamports, 1);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
    make_item(&unknown, packet, &item);
    erx_bank_simulate(rig.bank, &item, &simulation, &outcome);
    rig_expect_refused(&outcome, ERX_TRANSACTION_BLOCKHASH_NOT_FOUND);
    simulation.replace_blockhash = true;
    erx_bank_simulate(rig.bank, &item, &simulation, &outcome);
    rig_expect_ok(&outcome);
    make_item(erx_blockhash_latest(rig.blockhashes), packet, &item);
    outcome = process(&item); /* a simulation is not an execution */
    rig_expect_ok(&outcome);
}
END_TEST

START_TEST(test_simulated_frames_are_charged_and_not_executed)
{
    static rig_transaction_t transaction;
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {3};
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_intake_item_t item;
    erx_bank_outcome_t outcome;
    const erx_bank_simulation_t simulation = {.slot = rig.slot + 1, .timestamp = 5};
    call_session_t terms = {.session = SESSION, .model = RIG_MODEL_ID, .player = alice};
    const call_t steps[] = {
        call_create_session(&terms),
        call_join_session(SESSION, &bob, 3),
        call_submit_input(SESSION, &alice, 1, control),
        call_submit_input(SESSION, &bob, 1, control),
        call_run_inference(SESSION, RIG_MODEL_ID, 1),
    };
    rig_transaction_begin(&transaction, &alice);
    for (uint32_t i = 0; i < ERX_COUNT(steps); i++)
        call_add(&transaction, &steps[i]);
    rig_transaction_write(&transaction, erx_blockhash_latest(rig.blockhashes), packet, &item);
    uint64_t before = bank_rig_hash(&rig);
    erx_bank_simulate(rig.bank, &item, &simulation, &outcome);
    rig_expect_ok(&outcome);
    erx_compute_units_t units =
        erx_compute_units_frame(&erx_compute_table_default, &bank_rig_shape);
    ck_assert_uint_gt(outcome.units, erx_compute_units_total(&units));
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
    outcome = process(&item); /* all of it in one transaction */
    rig_expect_ok(&outcome);
    bank_rig_seal(&rig);
    ck_assert_uint_eq(bank_rig_find(&rig, SESSION)->frame, 1);
}
END_TEST

START_TEST(test_executing_allocates_nothing)
{
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {3};
    static rig_transaction_t transaction;
    static uint8_t packets[4][ERX_PACKET_BYTES_MAX];
    static erx_intake_item_t items[4];
    static erx_bank_outcome_t outcomes[4];
    erx_error_t error;
    call_session_t terms = {.session = SESSION, .model = RIG_MODEL_ID, .player = alice};
    call_t call = call_create_session(&terms);
    call_must(&rig, &call);
    call = call_join_session(SESSION, &bob, 3);
    call_must(&rig, &call);
    const call_t steps[] = {
        call_submit_input(SESSION, &alice, 1, control),
        call_submit_input(SESSION, &bob, 1, control),
        call_run_inference(SESSION, RIG_MODEL_ID, 1),
    };
    for (uint32_t i = 0; i < ERX_COUNT(steps); i++) {
        rig_transaction_begin(&transaction, &alice);
        call_add(&transaction, &steps[i]);
        rig_transaction_write(&transaction, erx_blockhash_latest(rig.blockhashes), packets[i],
                              &items[i]);
    }
    make_item(erx_blockhash_latest(rig.blockhashes), packets[3], &items[3]);
    uint64_t before = erx_alloc_thread_bytes();
    for (uint32_t i = 0; i < 4; i++)
        (void)erx_bank_process(rig.bank, &items[i], &outcomes[i], &error);
    erx_status_t status = erx_bank_execute(rig.bank, &error);
    uint64_t after = erx_alloc_thread_bytes();
    ck_assert_int_eq(status, ERX_OK);
    for (uint32_t i = 0; i < 4; i++)
        rig_expect_ok(&outcomes[i]);
    ck_assert_uint_eq(after, before);
    erx_bank_begin(rig.bank, ++rig.slot, ++rig.timestamp);
}
END_TEST

START_TEST(test_settings_out_of_range_are_named)
{
    erx_bank_t *bank;
    erx_error_t error = {0};
    erx_bank_config_t config = {
        .engine = rig.engine,
        .accounts = rig.accounts,
        .blockhashes = rig.blockhashes,
        .statuses = rig.statuses,
        .models = erx_models_interface(rig.models),
        .program = erx_key_world,
        .compute = erx_compute_table_default,
        .transaction_units_max = RIG_UNITS_MAX,
        .block_units_max = RIG_UNITS_MAX,
        .block_transactions_max = 0,
    };
    ck_assert_int_eq(erx_bank_open(&config, &bank, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "block_transactions_max"));
    config.block_transactions_max = 4;
    config.transaction_units_max = UINT64_MAX;
    ck_assert_int_eq(erx_bank_open(&config, &bank, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "transaction_units_max"));
    config.transaction_units_max = 1;
    config.fee_per_signature = UINT64_MAX;
    ck_assert_int_eq(erx_bank_open(&config, &bank, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "fee_per_signature"));
}
END_TEST

Suite *bank_process_suite(void)
{
    Suite *suite = suite_create("bank_process");
    TCase *tests = tcase_create("bank_process");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_a_repeated_transaction_is_refused);
    tcase_add_test(tests, test_a_blockhash_expires);
    tcase_add_test(tests, test_faulty_packets_have_outcomes);
    tcase_add_test(tests, test_unknown_programs_are_refused);
    tcase_add_test(tests, test_accounts_that_follow_the_base_layer_are_not_written);
    tcase_add_test(tests, test_with_refuse_uncloned_only_known_accounts_are_written);
    tcase_add_test(tests, test_fees_are_paid_also_by_those_that_fail);
    tcase_add_test(tests, test_who_could_not_pay_may_come_again);
    tcase_add_test(tests, test_an_unknown_program_costs_the_fee);
    tcase_add_test(tests, test_a_wallet_that_pays_its_last_lamports_is_gone);
    tcase_add_test(tests, test_a_block_has_its_units);
    tcase_add_test(tests, test_a_block_has_room_for_so_many_transactions);
    tcase_add_test(tests, test_a_full_write_log_is_emptied_within_a_block);
    tcase_add_test(tests, test_the_log_ends_where_it_is_too_long);
    tcase_add_test(tests, test_changed_accounts_are_told_once_in_order);
    tcase_add_test(tests, test_versions_grow_with_every_change);
    tcase_add_test(tests, test_direct_changes_do_what_instructions_do);
    tcase_add_test(tests, test_simulations_show_what_would_be_and_leave_nothing);
    tcase_add_test(tests, test_simulated_frames_are_charged_and_not_executed);
    tcase_add_test(tests, test_executing_allocates_nothing);
    tcase_add_test(tests, test_settings_out_of_range_are_named);
    suite_add_tcase(suite, tests);
    return suite;
}
