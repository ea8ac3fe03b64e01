/* Instructions in words: every layout, and what does not fit one. */
#include "node/key_text.h"
#include "node/parsed_instruction.h"
#include "tests/node/node_suites.h"

#include <string.h>

#define KEY_A "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi"
#define KEY_B "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR"

static const char *const programs[] = {"11111111111111111111111111111111",
                                       "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
                                       "ComputeBudget111111111111111111111111111111"};
static const uint8_t accounts[] = {0, 1, 0};
static erx_balance_t balances[5];
static erx_text_t text;

/* Writes the instruction of programs[program] with that data; false as it says. */
static bool write(uint8_t program, uint16_t account_count, const uint8_t *data, size_t size)
{
    const erx_transaction_outcome_t outcome = {.balances = balances, .balance_count = 5};
    const erx_packet_instruction_t instruction = {.program = (uint8_t)(2 + program),
                                                  .accounts = accounts,
                                                  .account_count = account_count,
                                                  .data = data,
                                                  .data_size = (uint16_t)size};
    erx_text_clear(&text);
    erx_json_writer_t writer = erx_json_writer(&text);
    return erx_parsed_instruction_json(&writer, &instruction, &outcome);
}

static void expect(const char *info, const char *type)
{
    char expected[1024];
    int length = snprintf(expected, sizeof expected,
                          "{\"program\":\"system\",\"programId\":\"%s\",\"parsed\":{\"info\":{%s},"
                          "\"type\":\"%s\"},\"stackHeight\":1}",
                          programs[0], info, type);
    ck_assert_uint_eq(text.length, (size_t)length);
    ck_assert_mem_eq(text.bytes, expected, text.length);
}

static void set_up(void)
{
    memset(balances, 0, sizeof balances);
    memset(balances[0].key.bytes, 1, ERX_PUBKEY_SIZE);
    memset(balances[1].key.bytes, 2, ERX_PUBKEY_SIZE);
    for (size_t i = 0; i < ERX_ARRAY_COUNT(programs); i++)
        ck_assert_int_eq(
            erx_base58_to_bytes(programs[i], balances[2 + i].key.bytes, ERX_PUBKEY_SIZE),
            ERX_STATUS_OK);
    erx_text_open(&text, 4096);
}

static void tear_down(void)
{
    erx_text_close(&text);
}

START_TEST(test_a_transfer_is_exact)
{
    const uint8_t data[12] = {2, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255};
    ck_assert(write(0, 2, data, sizeof data));
    expect("\"source\":\"" KEY_A "\",\"destination\":\"" KEY_B
           "\",\"lamports\":18446744073709551615",
           "transfer");
    for (size_t size = 0; size < sizeof data; size++)
        ck_assert(!write(0, 2, data, size));
    ck_assert(!write(0, 1, data, sizeof data));
    ck_assert_uint_eq(text.length, 0);
}
END_TEST

START_TEST(test_a_seed_ends_where_it_says)
{
    uint8_t data[4 + 32 + 8 + 3 + 8 + 32] = {9, 0, 0, 0};
    memset(data + 4, 2, 32);
    data[36] = 3;
    memcpy(data + 44, "abc", 3);
    data[47] = 40;
    memset(data + 55, 1, 32);
    ck_assert(write(0, 1, data, sizeof data));
    expect("\"account\":\"" KEY_A "\",\"base\":\"" KEY_B
           "\",\"seed\":\"abc\",\"space\":40,\"owner\":\"" KEY_A "\"",
           "allocateWithSeed");
    data[36] = 4;
    ck_assert(!write(0, 1, data, sizeof data));
    memset(data + 36, 255, 8);
    ck_assert(!write(0, 1, data, sizeof data));
}
END_TEST

START_TEST(test_others_are_left_as_they_are)
{
    const uint8_t unknown[12] = {7, 0, 0, 0};
    ck_assert(!write(0, 3, unknown, sizeof unknown));
    ck_assert(!write(2, 0, unknown, sizeof unknown));
    ck_assert(!write(3, 0, unknown, sizeof unknown)); /* no such account */
    ck_assert(write(1, 0, (const uint8_t *)"hi \"you\"", 8));
    const char *memo = "\"parsed\":\"hi \\\"you\\\"\"";
    ck_assert_ptr_nonnull(memmem(text.bytes, text.length, memo, strlen(memo)));
}
END_TEST

Suite *parsed_instruction_suite(void)
{
    Suite *suite = suite_create("parsed_instruction");
    TCase *tests = tcase_create("parsed_instruction");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_a_transfer_is_exact);
    tcase_add_test(tests, test_a_seed_ends_where_it_says);
    tcase_add_test(tests, test_others_are_left_as_they_are);
    suite_add_tcase(suite, tests);
    return suite;
}
