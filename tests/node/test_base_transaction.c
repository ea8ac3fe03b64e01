/* The transactions that settle, read back from their bytes. */
#include "node/airdrop.h"
#include "node/base_delegation.h"
#include "node/base_transaction.h"
#include "node/packet_view.h"
#include "tests/node/node_suites.h"

#include <string.h>

#define SIGNED_AT (1 + ERX_SIGNATURE_SIZE)

static erx_keypair_t validator;
static erx_settlement_t settlement;
static erx_settlement_place_t place;
static uint8_t packet[ERX_PACKET_MAX];
static erx_packet_view_t view;
static const uint8_t blockhash[ERX_HASH_SIZE] = {9, 8, 7};

static void setup(void)
{
    erx_failure_t failure;
    ck_assert(erx_keypair_make(&validator, &failure));
    settlement = (erx_settlement_t){
        .session_id = 5,
        .account = {{11, 1}},
        .slot = 77,
        .hidden_hash = {1, 2, 3},
        .hidden_size = 1000,
        .state_size = ERX_SETTLED_BYTES_MAX,
        .owner = {{12, 1}},
    };
    memset(settlement.state, 0x5a, sizeof settlement.state);
    place = (erx_settlement_place_t){
        .record = {.is_delegated = true,
                   .authority = erx_keypair_public(&validator),
                   .owner = {{12, 1}}},
        .lamports = 2672640,
        .commits = 41,
        .rent_payer = {{13, 1}},
    };
}

/* Writes and reads back; the signature is the validator's over all of it. */
static void write_packet(const erx_settlement_place_t *where)
{
    size_t size = 0;
    ck_assert(erx_settlement_packet(&settlement, where, &validator, blockhash, packet, &size));
    ck_assert_uint_le(size, ERX_PACKET_MAX);
    ck_assert(erx_packet_view_read(packet, size, &view));
    ck_assert_uint_eq(view.required_signatures, 1);
    ck_assert_uint_eq(view.readonly_signed, 0);
    ck_assert_mem_eq(view.blockhash, blockhash, sizeof blockhash);
    erx_pubkey_t key = erx_keypair_public(&validator);
    ck_assert_mem_eq(view.keys, &key, sizeof key);
    ck_assert(erx_signature_check(&key, packet + SIGNED_AT, size - SIGNED_AT, packet + 1));
}

static const uint8_t *key_at(uint8_t index)
{
    ck_assert_uint_lt(index, view.key_count);
    return view.keys + (size_t)index * ERX_PUBKEY_SIZE;
}

/* Account i of an instruction is an address of the Delegation program. */
static void check_address(const erx_packet_instruction_t *instruction, uint32_t i,
                          erx_delegation_address_t kind, const erx_pubkey_t *of)
{
    erx_pubkey_t expected;
    ck_assert(erx_delegation_address(kind, of, &expected));
    ck_assert_mem_eq(key_at(instruction->accounts[i]), &expected, sizeof expected);
}

static uint64_t number_at(const uint8_t *bytes, uint32_t count)
{
    uint64_t number = 0;
    for (uint32_t i = count; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

static void check_commit(uint64_t lamports, bool is_final)
{
    const erx_packet_instruction_t *commit = &view.instructions[0];
    erx_pubkey_t program = erx_delegation_program();
    ck_assert_mem_eq(key_at(commit->program), &program, sizeof program);
    ck_assert_uint_eq(commit->account_count, 9);
    ck_assert_mem_eq(key_at(commit->accounts[1]), &settlement.account, ERX_PUBKEY_SIZE);
    check_address(commit, 2, ERX_DELEGATION_COMMIT_STATE, &settlement.account);
    check_address(commit, 3, ERX_DELEGATION_COMMIT_RECORD, &settlement.account);
    check_address(commit, 4, ERX_DELEGATION_RECORD, &settlement.account);
    check_address(commit, 5, ERX_DELEGATION_METADATA, &settlement.account);
    ck_assert(erx_packet_is_writable(&view, commit->accounts[2]));
    ck_assert_uint_eq(commit->data_size, 29 + settlement.state_size);
    ck_assert_uint_eq(number_at(commit->data, 8), 1);
    ck_assert_uint_eq(number_at(commit->data + 8, 8), place.commits + 1);
    ck_assert_uint_eq(number_at(commit->data + 16, 8), lamports);
    ck_assert_uint_eq(commit->data[24], is_final);
    ck_assert_uint_eq(number_at(commit->data + 25, 4), settlement.state_size);
    ck_assert_mem_eq(commit->data + 29, settlement.state, settlement.state_size);
}

static void check_note(const erx_packet_instruction_t *memo, bool has_state)
{
    ck_assert_uint_eq(memo->account_count, 0);
    ck_assert(memmem(memo->data, memo->data_size, "\"slot\":77", 9) != NULL);
    ck_assert(memmem(memo->data, memo->data_size, "\"hiddenSize\":1000", 17) != NULL);
    ck_assert((memmem(memo->data, memo->data_size, "\"state\"", 7) != NULL) == has_state);
}

START_TEST(test_a_session_that_is_played_is_committed_and_stays)
{
    write_packet(&place);
    ck_assert_uint_eq(view.instruction_count, 3);
    check_commit(place.lamports, false);
    ck_assert_uint_eq(number_at(view.instructions[1].data, 8), 2);
    ck_assert_uint_eq(view.instructions[1].account_count, 8);
    ck_assert(erx_packet_is_writable(&view, view.instructions[1].accounts[1]));
    check_note(&view.instructions[2], false);
}
END_TEST

START_TEST(test_a_session_that_is_over_is_given_back)
{
    settlement.is_final = true;
    write_packet(&place);
    ck_assert_uint_eq(view.instruction_count, 4);
    check_commit(place.lamports, true);
    const erx_packet_instruction_t *undelegate = &view.instructions[2];
    ck_assert_uint_eq(number_at(undelegate->data, 8), 3);
    ck_assert_uint_eq(undelegate->account_count, 12);
    ck_assert_mem_eq(key_at(undelegate->accounts[2]), &settlement.owner, ERX_PUBKEY_SIZE);
    check_address(undelegate, 3, ERX_DELEGATION_UNDELEGATE_BUFFER, &settlement.account);
    ck_assert_mem_eq(key_at(undelegate->accounts[8]), &place.rent_payer, ERX_PUBKEY_SIZE);
    ck_assert(erx_packet_is_writable(&view, undelegate->accounts[8]));
    check_note(&view.instructions[3], false);
}
END_TEST

START_TEST(test_a_session_without_a_place_has_a_note_with_its_state)
{
    write_packet(NULL);
    ck_assert_uint_eq(view.instruction_count, 1);
    ck_assert_uint_eq(view.key_count, 2);
    check_note(&view.instructions[0], true);
}
END_TEST

START_TEST(test_a_plain_account_brings_its_lamports_and_no_note)
{
    settlement.is_plain = true;
    settlement.lamports = UINT64_C(0x0123456789abcdef);
    settlement.state_size = 0;
    write_packet(&place);
    ck_assert_uint_eq(view.instruction_count, 2);
    check_commit(settlement.lamports, false);
    size_t size = 0;
    ck_assert(!erx_settlement_packet(&settlement, NULL, &validator, blockhash, packet, &size));
}
END_TEST

Suite *base_transaction_suite(void)
{
    Suite *suite = suite_create("base_transaction");
    TCase *tests = tcase_create("base_transaction");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, test_a_session_that_is_played_is_committed_and_stays);
    tcase_add_test(tests, test_a_session_that_is_over_is_given_back);
    tcase_add_test(tests, test_a_session_without_a_place_has_a_note_with_its_state);
    tcase_add_test(tests, test_a_plain_account_brings_its_lamports_and_no_note);
    suite_add_tcase(suite, tests);
    return suite;
}
