/* Sessions by instructions: what they do, and what they refuse. */
#include "tests/engine/bank/bank_suites.h"
#include "tests/engine/bank/expectations.h"

#include <string.h>

#define SESSION 41u
#define SHARDS  1u

static bank_rig_t rig;
static erx_key_t alice, bob, carol;

static void setup(void)
{
    bank_rig_open(&rig, NULL);
    alice = bank_rig_key(11);
    bob = bank_rig_key(12);
    carol = bank_rig_key(13);
}

static void teardown(void)
{
    bank_rig_close(&rig);
}

static call_session_t usual(void)
{
    return (call_session_t){
        .session = SESSION,
        .model = RIG_MODEL_ID,
        .stage = 3,
        .character = 5,
        .max_frames = 100,
        .seed = 0x1122334455667788,
        .player = alice,
    };
}

static void create(void)
{
    call_session_t terms = usual();
    call_t call = call_create_session(&terms);
    call_must(&rig, &call);
}

static void create_and_join(void)
{
    create();
    call_t call = call_join_session(SESSION, &bob, 9);
    call_must(&rig, &call);
}

/* Inputs of both players for the session's next frame. */
static void feed(uint32_t sequence)
{
    uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    rig_controls(1, sequence, control);
    call_t first = call_submit_input(SESSION, &alice, sequence, control[0]);
    call_t second = call_submit_input(SESSION, &bob, sequence, control[1]);
    call_must(&rig, &first);
    call_must(&rig, &second);
}

/* Runs a call that must fail with a world error and change nothing. */
static void expect_refusal(const call_t *call, erx_world_error_t error)
{
    uint64_t before = bank_rig_hash(&rig);
    erx_bank_outcome_t outcome = call_run(&rig, call);
    rig_expect_world(&outcome, 0, error);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
}

static void expect_error(const call_t *call, erx_instruction_error_t error)
{
    uint64_t before = bank_rig_hash(&rig);
    erx_bank_outcome_t outcome = call_run(&rig, call);
    rig_expect_error(&outcome, 0, error);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
}

static const uint8_t *session_state(void)
{
    return bank_rig_find(&rig, SESSION)->arena + ERX_ARENA_SESSION_STATE;
}

START_TEST(test_a_created_session_waits_with_its_terms)
{
    erx_key_t keys[3], manifest = bank_rig_manifest(RIG_MODEL_ID);
    uint64_t seed;
    create();
    const uint8_t *state = session_state();
    ck_assert_uint_eq(state[8], ERX_SESSION_WAITING);
    ck_assert_uint_eq(state[13], 100); /* max_frames */
    ck_assert_mem_eq(state + 17, alice.bytes, 32);
    for (uint32_t i = 0; i < 32; i++)
        ck_assert_uint_eq(state[49 + i], 0);
    ck_assert_uint_eq(state[81], 3); /* stage */
    ck_assert_mem_eq(state + 146, manifest.bytes, 32);
    memcpy(&seed, state + 194, 8);
    ck_assert_uint_eq(seed, 0x1122334455667788);
    bank_rig_session(SESSION, keys);
    static const uint32_t kinds[] = {ERX_ACCOUNT_SESSION_STATE, ERX_ACCOUNT_HIDDEN_STATE,
                                     ERX_ACCOUNT_INPUT_BUFFER};
    for (uint32_t i = 0; i < 3; i++) {
        const erx_account_entry_t *entry =
            erx_accounts_entry(rig.accounts, erx_bank_find(rig.bank, &keys[i]));
        ck_assert_uint_eq(entry->kind, kinds[i]);
        ck_assert(erx_key_equals(&entry->owner, &erx_key_world));
        ck_assert_uint_eq(entry->world_id, SESSION);
        ck_assert_uint_eq(entry->tick_divisor, i == 0 ? 2 : 0);
    }
}
END_TEST

START_TEST(test_joining_makes_a_session_active)
{
    create_and_join();
    const uint8_t *state = session_state();
    int32_t x[2];
    ck_assert_uint_eq(state[8], ERX_SESSION_ACTIVE);
    ck_assert_mem_eq(state + 49, bob.bytes, 32);
    for (uint32_t p = 0; p < 2; p++) {
        const uint8_t *player = state + 82 + 32 * p;
        memcpy(&x[p], player, 4);
        ck_assert_uint_eq(player[25], 4);      /* stocks */
        ck_assert_uint_eq(player[26], p == 0); /* they face each other */
        ck_assert_uint_eq(player[27], 1);      /* on the ground */
        ck_assert_uint_eq(player[30], 2);      /* jumps */
        ck_assert_uint_eq(player[31], p == 0 ? 5 : 9);
    }
    ck_assert_int_eq(x[0], -30 * 256);
    ck_assert_int_eq(x[1], 30 * 256);
}
END_TEST

START_TEST(test_create_session_refuses_what_is_wrong)
{
    call_session_t terms = usual();
    terms.stage = ERX_STAGES;
    call_t call = call_create_session(&terms);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ARGUMENT);
    terms = usual();
    terms.character = ERX_CHARACTERS;
    call = call_create_session(&terms);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ARGUMENT);
    terms = usual();
    for (uint32_t i = 0; i < 3; i++) { /* an address of another session */
        erx_key_t keys[3];
        bank_rig_session(SESSION + 1, keys);
        call = call_create_session(&terms);
        call.accounts[i].key = keys[i];
        expect_error(&call, ERX_INSTRUCTION_INVALID_SEEDS);
    }
    call = call_create_session(&terms);
    call.accounts[3].key = bank_rig_weights(RIG_MODEL_ID, 0);
    expect_refusal(&call, ERX_WORLD_ACCOUNT_MISMATCH);
    call.accounts[3].key = bank_rig_manifest(RIG_MODEL_ID + 1);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER);
    call = call_create_session(&terms);
    call.accounts[5].key = erx_key_memo;
    expect_error(&call, ERX_INSTRUCTION_INCORRECT_PROGRAM_ID);
    create();
    call = call_create_session(&terms);
    expect_error(&call, ERX_INSTRUCTION_ACCOUNT_ALREADY_INITIALIZED);
}
END_TEST

START_TEST(test_sessions_over_the_capacity_are_refused)
{
    call_session_t terms = usual();
    call_t call;
    for (uint32_t i = 0; i < RIG_SESSIONS; i++) {
        terms.session = SESSION + i;
        call = call_create_session(&terms);
        call_must(&rig, &call);
    }
    terms.session = SESSION + RIG_SESSIONS;
    call = call_create_session(&terms);
    expect_error(&call, ERX_INSTRUCTION_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED);
    call_t end = call_close_session(SESSION + 2, &alice);
    call_must(&rig, &end);
    call_must(&rig, &call);
}
END_TEST

START_TEST(test_join_session_refuses_what_is_wrong)
{
    create();
    call_t call = call_join_session(SESSION, &alice, 9);
    expect_refusal(&call, ERX_WORLD_CANNOT_JOIN_OWN_SESSION);
    call = call_join_session(SESSION, &bob, ERX_CHARACTERS);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ARGUMENT);
    call = call_join_session(SESSION, &bob, 9);
    call_must(&rig, &call);
    call = call_join_session(SESSION, &carol, 9);
    expect_refusal(&call, ERX_WORLD_INVALID_STATE_TRANSITION);
    erx_key_t keys[3];
    bank_rig_session(SESSION, keys);
    call.accounts[0].key = keys[1];
    expect_refusal(&call, ERX_WORLD_ACCOUNT_MISMATCH);
    call.accounts[0].key = bank_rig_key(77);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER);
}
END_TEST

START_TEST(test_inputs_reach_the_buffer_with_their_sequence)
{
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint32_t sequence;
    create_and_join();
    call_t call = call_submit_input(SESSION, &bob, 1000, control);
    call_must(&rig, &call);
    const uint8_t *input = bank_rig_find(&rig, SESSION)->arena + ERX_ARENA_INPUT_BUFFER;
    ck_assert_mem_eq(input + 20, control, sizeof control);
    ck_assert_uint_eq(input[28], 0);
    ck_assert_uint_eq(input[29], 1);
    memcpy(&sequence, input + 34, 4);
    ck_assert_uint_eq(sequence, 1000);
}
END_TEST

START_TEST(test_submit_input_refuses_what_is_wrong)
{
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {1};
    erx_key_t keys[3];
    create();
    call_t call = call_submit_input(SESSION, &alice, 1, control);
    expect_refusal(&call, ERX_WORLD_SESSION_NOT_ACTIVE);
    call_t join = call_join_session(SESSION, &bob, 9);
    call_must(&rig, &join);
    call = call_submit_input(SESSION, &carol, 1, control);
    expect_refusal(&call, ERX_WORLD_UNAUTHORIZED_PLAYER);
    call = call_submit_input(SESSION, &alice, 0, control);
    expect_refusal(&call, ERX_WORLD_STALE_INPUT);
    call = call_submit_input(SESSION, &alice, 5, control);
    call_must(&rig, &call);
    expect_refusal(&call, ERX_WORLD_STALE_INPUT);
    call = call_submit_input(SESSION, &alice, 4, control);
    expect_refusal(&call, ERX_WORLD_STALE_INPUT);
    call_session_t other = usual();
    other.session = SESSION + 1;
    call_t second = call_create_session(&other);
    call_must(&rig, &second);
    bank_rig_session(SESSION + 1, keys);
    call = call_submit_input(SESSION, &alice, 6, control);
    call.accounts[1].key = keys[2];
    expect_refusal(&call, ERX_WORLD_ACCOUNT_MISMATCH);
}
END_TEST

START_TEST(test_a_frame_is_executed_with_the_block)
{
    create_and_join();
    feed(1);
    call_t call = call_run_inference(SESSION, RIG_MODEL_ID, SHARDS);
    erx_bank_outcome_t outcome = call_run(&rig, &call);
    rig_expect_ok(&outcome);
    erx_compute_units_t units =
        erx_compute_units_frame(&erx_compute_table_default, &bank_rig_shape);
    ck_assert_uint_eq(outcome.units, erx_compute_units_total(&units));
    ck_assert_uint_eq(bank_rig_find(&rig, SESSION)->frame, 0);
    uint32_t count;
    erx_error_t error;
    ck_assert_int_eq(erx_bank_execute(rig.bank, &error), ERX_OK);
    const erx_bank_frame_t *frames = erx_bank_frames(rig.bank, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(frames[0].frame, 1);
    ck_assert_uint_eq(bank_rig_find(&rig, SESSION)->frame, 1);
    erx_bank_begin(rig.bank, ++rig.slot, ++rig.timestamp);
}
END_TEST

START_TEST(test_run_inference_refuses_what_is_wrong)
{
    call_t call = call_run_inference(SESSION, RIG_MODEL_ID, SHARDS);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER);
    create();
    expect_refusal(&call, ERX_WORLD_SESSION_NOT_ACTIVE);
    call_t join = call_join_session(SESSION, &bob, 9);
    call_must(&rig, &join);
    expect_refusal(&call, ERX_WORLD_INPUTS_NOT_READY);
    uint8_t control[ERX_CONTROLLER_BYTES] = {0};
    call_t input = call_submit_input(SESSION, &alice, 1, control);
    call_must(&rig, &input);
    expect_refusal(&call, ERX_WORLD_INPUTS_NOT_READY);
    input = call_submit_input(SESSION, &bob, 1, control);
    call_must(&rig, &input);

    erx_key_t keys[3];
    call_session_t other = usual();
    other.session = SESSION + 1;
    call_t second = call_create_session(&other);
    call_must(&rig, &second);
    bank_rig_session(SESSION + 1, keys);
    call_t wrong = call;
    wrong.accounts[1].key = keys[1];
    expect_refusal(&wrong, ERX_WORLD_HIDDEN_STATE_MISMATCH);
    wrong = call;
    wrong.accounts[2].key = keys[2];
    expect_refusal(&wrong, ERX_WORLD_ACCOUNT_MISMATCH);
    wrong = call;
    wrong.accounts[4].key = bank_rig_manifest(RIG_MODEL_ID);
    expect_refusal(&wrong, ERX_WORLD_ACCOUNT_MISMATCH);
    wrong = call;
    wrong.account_count = 4;
    expect_error(&wrong, ERX_INSTRUCTION_NOT_ENOUGH_ACCOUNT_KEYS);
    call_must(&rig, &call);
}
END_TEST

START_TEST(test_a_session_ends_at_its_last_frame)
{
    call_session_t terms = usual();
    terms.max_frames = 2;
    call_t call = call_create_session(&terms);
    call_must(&rig, &call);
    call = call_join_session(SESSION, &bob, 9);
    call_must(&rig, &call);
    call = call_run_inference(SESSION, RIG_MODEL_ID, SHARDS);
    for (uint32_t frame = 0; frame < 2; frame++) {
        feed(frame + 1);
        call_must(&rig, &call);
        bank_rig_seal(&rig);
    }
    ck_assert_uint_eq(session_state()[8], ERX_SESSION_ENDED);
    expect_refusal(&call, ERX_WORLD_SESSION_NOT_ACTIVE);
}
END_TEST

START_TEST(test_a_frame_over_the_budget_fails_as_a_whole)
{
    static rig_transaction_t transaction;
    const uint8_t limit[5] = {2, 0, 0x10, 0, 0}; /* 4096 units */
    create_and_join();
    feed(1);
    uint64_t before = bank_rig_hash(&rig);
    call_t call = call_run_inference(SESSION, RIG_MODEL_ID, SHARDS);
    rig_transaction_begin(&transaction, &alice);
    rig_transaction_add(&transaction, &erx_key_compute_budget, NULL, 0, limit, sizeof limit);
    call_add(&transaction, &call);
    erx_bank_outcome_t outcome = bank_rig_run(&rig, &transaction);
    rig_expect_world(&outcome, 1, ERX_WORLD_COMPUTE_BUDGET_EXCEEDED);
    ck_assert_uint_eq(outcome.units, 4096);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
}
END_TEST

/* Steps the session until frame, in chunks as splits says (sums of layers that
 * end frames), or whole where splits is NULL. Returns the hash of its state. */
static uint64_t play(const uint8_t *splits, uint32_t split_count, uint32_t frames, bool one_block)
{
    create_and_join();
    for (uint32_t frame = 0; frame < frames; frame++) {
        feed(frame + 1);
        uint8_t layer = 0;
        for (uint32_t i = 0; i < split_count; i++) {
            call_t chunk =
                call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, layer, splits[i]);
            call_must(&rig, &chunk);
            layer = (uint8_t)(layer + splits[i]);
            if (!one_block)
                bank_rig_seal(&rig);
        }
        if (split_count == 0) {
            call_t whole = call_run_inference(SESSION, RIG_MODEL_ID, SHARDS);
            call_must(&rig, &whole);
        }
    }
    bank_rig_seal(&rig);
    const erx_session_t *session = bank_rig_find(&rig, SESSION);
    ck_assert_uint_eq(session->frame, frames);
    uint64_t hash = rig_session_hash(session, &bank_rig_shape);
    call_t end = call_close_session(SESSION, &alice);
    call_must(&rig, &end);
    return hash;
}

START_TEST(test_every_split_into_chunks_equals_the_whole)
{
    static const uint8_t splits[][3] = {{3}, {1, 2}, {2, 1}, {1, 1, 1}};
    static const uint32_t counts[] = {1, 2, 2, 3};
    uint64_t whole = play(NULL, 0, 5, true);
    ck_assert_uint_eq(play(NULL, 0, 5, false), whole);
    for (uint32_t i = 0; i < ERX_COUNT(counts); i++) {
        ck_assert_uint_eq(play(splits[i], counts[i], 5, true), whole);
        ck_assert_uint_eq(play(splits[i], counts[i], 5, false), whole);
    }
}
END_TEST

START_TEST(test_chunks_out_of_order_are_refused)
{
    create_and_join();
    feed(1);
    call_t call = call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, 1, 1);
    expect_refusal(&call, ERX_WORLD_LAYER_OUT_OF_ORDER);
    call = call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, 0, 0);
    expect_refusal(&call, ERX_WORLD_LAYER_OUT_OF_ORDER);
    call = call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, 0, 4);
    expect_refusal(&call, ERX_WORLD_LAYER_OUT_OF_ORDER);
    call = call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, 0, 1);
    call_must(&rig, &call);
    expect_refusal(&call, ERX_WORLD_LAYER_OUT_OF_ORDER);
    call = call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, 2, 1);
    expect_refusal(&call, ERX_WORLD_LAYER_OUT_OF_ORDER);
    call = call_run_inference(SESSION, RIG_MODEL_ID, SHARDS);
    expect_refusal(&call, ERX_WORLD_LAYER_OUT_OF_ORDER);
    call = call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, 1, 2);
    call_must(&rig, &call);
}
END_TEST

START_TEST(test_inputs_between_chunks_are_for_the_next_frame)
{
    static const uint8_t late[ERX_CONTROLLER_BYTES] = {0x7f, 0x80, 1, 2, 3, 4, 5, 6};
    uint64_t plain[2];
    for (uint32_t disturbed = 0; disturbed < 2; disturbed++) {
        create_and_join();
        feed(1);
        call_t chunk = call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, 0, 2);
        call_must(&rig, &chunk);
        if (disturbed != 0) {
            call_t input = call_submit_input(SESSION, &bob, 2, late);
            call_must(&rig, &input);
        }
        chunk = call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, 2, 1);
        call_must(&rig, &chunk);
        bank_rig_seal(&rig);
        const erx_session_t *session = bank_rig_find(&rig, SESSION);
        plain[disturbed] = rig_session_hash(session, &bank_rig_shape);
        if (disturbed != 0)
            ck_assert_mem_eq(session->arena + ERX_ARENA_INPUT_BUFFER + 20, late, sizeof late);
        call_t end = call_close_session(SESSION, &alice);
        call_must(&rig, &end);
    }
    ck_assert_uint_eq(plain[0], plain[1]);
}
END_TEST

START_TEST(test_one_transaction_does_not_touch_a_session_after_its_frame)
{
    static rig_transaction_t transaction;
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {1};
    create_and_join();
    feed(1);
    uint64_t before = bank_rig_hash(&rig);
    call_t frame = call_run_inference(SESSION, RIG_MODEL_ID, SHARDS);
    const call_t after[] = {call_submit_input(SESSION, &alice, 2, control), frame,
                            call_close_session(SESSION, &alice)};
    for (uint32_t i = 0; i < ERX_COUNT(after); i++) {
        rig_transaction_begin(&transaction, &alice);
        call_add(&transaction, &frame);
        call_add(&transaction, &after[i]);
        erx_bank_outcome_t outcome = bank_rig_run(&rig, &transaction);
        rig_expect_world(&outcome, 1, ERX_WORLD_INVALID_STATE_TRANSITION);
        ck_assert_uint_eq(bank_rig_hash(&rig), before);
    }
}
END_TEST

START_TEST(test_a_later_transaction_sees_the_frame_executed)
{
    create_and_join();
    for (uint32_t frame = 0; frame < 4; frame++) { /* in one block */
        feed(frame + 1);
        ck_assert_uint_eq(bank_rig_find(&rig, SESSION)->frame, frame);
        call_t call = call_run_inference(SESSION, RIG_MODEL_ID, SHARDS);
        call_must(&rig, &call);
    }
    erx_error_t error;
    uint32_t count;
    ck_assert_int_eq(erx_bank_execute(rig.bank, &error), ERX_OK);
    const erx_bank_frame_t *frames = erx_bank_frames(rig.bank, &count);
    ck_assert_uint_eq(count, 4);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_uint_eq(frames[i].frame, i + 1);
    erx_bank_begin(rig.bank, ++rig.slot, ++rig.timestamp);
}
END_TEST

START_TEST(test_closing_removes_the_accounts)
{
    erx_key_t keys[3];
    create_and_join();
    call_t call = call_close_session(SESSION, &carol);
    expect_refusal(&call, ERX_WORLD_UNAUTHORIZED_PLAYER);
    call = call_close_session(SESSION, &bob);
    call_must(&rig, &call);
    bank_rig_session(SESSION, keys);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_uint_eq(erx_bank_find(rig.bank, &keys[i]), ERX_ACCOUNT_NONE);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER);
    create_and_join();
}
END_TEST

START_TEST(test_lamports_on_a_closed_session_stay_at_its_keys)
{
    static const uint8_t amount[12] = {2, 0, 0, 0, 100};
    erx_key_t keys[3];
    create_and_join();
    bank_rig_session(SESSION, keys);
    bank_rig_fund(&rig, &carol, 1000);
    const rig_account_t accounts[] = {{carol, RIG_SIGNS | RIG_WRITES}, {keys[1], RIG_WRITES}};
    erx_bank_outcome_t outcome =
        bank_rig_call(&rig, &erx_key_system, accounts, 2, amount, sizeof amount);
    rig_expect_ok(&outcome);
    call_t call = call_close_session(SESSION, &bob);
    call_must(&rig, &call);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &keys[1]), 100);
    create_and_join(); /* over the wallet that is left */
    ck_assert_uint_eq(bank_rig_lamports(&rig, &keys[1]), 100);
}
END_TEST

START_TEST(test_everything_before_a_failing_instruction_is_undone)
{
    static rig_transaction_t transaction;
    static const uint8_t control[ERX_CONTROLLER_BYTES] = {9};
    call_session_t terms = usual();
    terms.session = SESSION + 1;
    create_and_join();
    feed(1);
    const call_t steps[] = {
        call_create_session(&terms),
        call_join_session(SESSION + 1, &bob, 4),
        call_submit_input(SESSION + 1, &alice, 7, control),
        call_submit_input(SESSION, &bob, 7, control),
        call_run_inference_chunk(SESSION, RIG_MODEL_ID, SHARDS, 0, 1),
        call_close_session(SESSION + 1, &alice),
        call_join_session(SESSION, &carol, 1), /* fails */
    };
    uint64_t before = bank_rig_hash(&rig);
    for (uint32_t first = 0; first < ERX_COUNT(steps) - 1; first++) {
        rig_transaction_begin(&transaction, &alice);
        for (uint32_t i = 0; i <= first; i++)
            call_add(&transaction, &steps[i]);
        call_add(&transaction, &steps[ERX_COUNT(steps) - 1]);
        erx_bank_outcome_t outcome = bank_rig_run(&rig, &transaction);
        rig_expect_world(&outcome, first + 1, ERX_WORLD_INVALID_STATE_TRANSITION);
        ck_assert_uint_eq(bank_rig_hash(&rig), before);
    }
}
END_TEST

START_TEST(test_a_session_may_be_replaced_in_one_transaction)
{
    static rig_transaction_t transaction;
    call_session_t terms = usual();
    create_and_join();
    terms.stage = 8;
    const call_t steps[] = {call_close_session(SESSION, &alice), call_create_session(&terms),
                            call_join_session(SESSION, &carol, 2)};
    rig_transaction_begin(&transaction, &alice);
    for (uint32_t i = 0; i < ERX_COUNT(steps); i++)
        call_add(&transaction, &steps[i]);
    erx_bank_outcome_t outcome = bank_rig_run(&rig, &transaction);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(session_state()[81], 8);
    ck_assert_mem_eq(session_state() + 49, carol.bytes, 32);
    const erx_session_t *session = bank_rig_find(&rig, SESSION);
    uint32_t accounts[3];
    ck_assert(erx_bank_session_accounts(rig.bank, 0, session->slot, accounts));
    bank_rig_seal(&rig);
}
END_TEST

START_TEST(test_a_memo_sets_the_rate_of_sessions_created_after_it)
{
    static const struct {
        const char *memo;
        bool is_good;
        uint8_t divisor;
    } cases[] = {
        {"erx tick_divisor 4", true, 4},
        {"erx tick_divisor 60", true, 60},
        {"erx tick_divisor 0", false, 0},
        {"erx tick_divisor 61", false, 0},
        {"erx tick_divisor ", false, 0},
        {"erx tick_divisor 4x", false, 0},
        {"erx tick_divisor 004", false, 0},
        {"erx tick-divisor 4", true, 2}, /* the configuration's */
    };
    for (uint32_t i = 0; i < ERX_COUNT(cases); i++) {
        rig_transaction_t transaction;
        erx_key_t payer = bank_rig_key(1), keys[3];
        const call_session_t terms = {
            .session = 40 + i, .model = RIG_MODEL_ID, .stage = 31, .player = payer};
        call_t call = call_create_session(&terms);
        rig_transaction_begin(&transaction, &payer);
        rig_transaction_add(&transaction, &erx_key_memo, NULL, 0, cases[i].memo,
                            (uint32_t)strlen(cases[i].memo));
        call_add(&transaction, &call);
        erx_bank_outcome_t outcome = bank_rig_run(&rig, &transaction);
        bank_rig_session(40 + i, keys);
        uint32_t index = erx_bank_find(rig.bank, &keys[0]);
        if (!cases[i].is_good) {
            rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
            ck_assert_uint_eq(index, ERX_ACCOUNT_NONE);
            continue;
        }
        rig_expect_ok(&outcome);
        ck_assert_uint_eq(erx_accounts_entry(rig.accounts, index)->tick_divisor, cases[i].divisor);
        call = call_close_session(40 + i, &payer);
        call_must(&rig, &call);
    }
}
END_TEST

Suite *world_session_suite(void)
{
    Suite *suite = suite_create("world_session");
    TCase *tests = tcase_create("world_session");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_a_memo_sets_the_rate_of_sessions_created_after_it);
    tcase_add_test(tests, test_a_created_session_waits_with_its_terms);
    tcase_add_test(tests, test_joining_makes_a_session_active);
    tcase_add_test(tests, test_create_session_refuses_what_is_wrong);
    tcase_add_test(tests, test_sessions_over_the_capacity_are_refused);
    tcase_add_test(tests, test_join_session_refuses_what_is_wrong);
    tcase_add_test(tests, test_inputs_reach_the_buffer_with_their_sequence);
    tcase_add_test(tests, test_submit_input_refuses_what_is_wrong);
    tcase_add_test(tests, test_a_frame_is_executed_with_the_block);
    tcase_add_test(tests, test_run_inference_refuses_what_is_wrong);
    tcase_add_test(tests, test_a_session_ends_at_its_last_frame);
    tcase_add_test(tests, test_a_frame_over_the_budget_fails_as_a_whole);
    tcase_add_test(tests, test_every_split_into_chunks_equals_the_whole);
    tcase_add_test(tests, test_chunks_out_of_order_are_refused);
    tcase_add_test(tests, test_inputs_between_chunks_are_for_the_next_frame);
    tcase_add_test(tests, test_one_transaction_does_not_touch_a_session_after_its_frame);
    tcase_add_test(tests, test_a_later_transaction_sees_the_frame_executed);
    tcase_add_test(tests, test_closing_removes_the_accounts);
    tcase_add_test(tests, test_lamports_on_a_closed_session_stay_at_its_keys);
    tcase_add_test(tests, test_everything_before_a_failing_instruction_is_undone);
    tcase_add_test(tests, test_a_session_may_be_replaced_in_one_transaction);
    suite_add_tcase(suite, tests);
    return suite;
}
