#include "engine/transaction/message.h"
#include "tests/engine/transaction/hex.h"
#include "tests/engine/transaction/packets.h"
#include "tests/engine/transaction/transaction_suites.h"
#include "tests/support/transaction_plan.h"

#include <string.h>

static void expect_key(const erx_key_t *key, const char *text)
{
    char found[ERX_KEY_TEXT_MAX];
    erx_key_text(key, found);
    ck_assert_str_eq(found, text);
}

static erx_message_t parse_hex(const char *hex, uint8_t packet[ERX_PACKET_BYTES_MAX])
{
    erx_message_t message;
    size_t bytes = erx_hex_read(hex, packet, ERX_PACKET_BYTES_MAX);
    ck_assert_int_eq(erx_message_parse(packet, bytes, &message), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(message.packet_bytes, bytes);
    return message;
}

static void expect_instruction(const erx_message_t *message, erx_message_cursor_t *cursor,
                               erx_message_instruction_t expected)
{
    erx_message_instruction_t found;
    ck_assert(erx_message_next(message, cursor, &found));
    ck_assert_uint_eq(found.program, expected.program);
    ck_assert_uint_eq(found.account_count, expected.account_count);
    ck_assert_mem_eq(found.accounts, expected.accounts, expected.account_count);
    ck_assert_uint_eq(found.data_bytes, expected.data_bytes);
    ck_assert_mem_eq(found.data, expected.data, expected.data_bytes);
}

START_TEST(test_legacy_packet_of_a_client)
{
    static const char *const keys[] = {"AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9",
                                       "9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu",
                                       "GyGKxMyg1p9SsHfm15MkNUu1u9TN2JtTspcdmrtGUdse",
                                       "11111111111111111111111111111111",
                                       "EdmxWPmx2WH6WgFfTdu9xfkYf3k1g5wD1zccTVySEEh1",
                                       "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"};
    static const uint8_t transfer[] = {2, 0, 0, 0, 0x15, 0xcd, 0x5b, 7, 0, 0, 0, 0};
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_message_t message = parse_hex(legacy_packet, packet);
    ck_assert_uint_eq(message.version, ERX_MESSAGE_LEGACY);
    ck_assert_uint_eq(message.signature_count, 2);
    ck_assert_uint_eq(message.readonly_signed_count, 1);
    ck_assert_uint_eq(message.readonly_unsigned_count, 3);
    ck_assert_uint_eq(message.key_count, ERX_COUNT(keys));
    ck_assert_uint_eq(erx_message_total_key_count(&message), ERX_COUNT(keys));
    for (uint32_t i = 0; i < ERX_COUNT(keys); i++)
        expect_key(erx_message_key(&message, i), keys[i]);
    for (uint32_t i = 0; i < ERX_KEY_BYTES; i++)
        ck_assert_uint_eq(erx_message_blockhash(&message)->bytes[i], 77);
    ck_assert_ptr_eq(erx_message_signature(&message, 1)->bytes, packet + 1 + 64);
    erx_message_cursor_t cursor = {0};
    expect_instruction(
        &message, &cursor,
        (erx_message_instruction_t){(const uint8_t[]){0, 2}, transfer, 2, sizeof transfer, 3});
    expect_instruction(
        &message, &cursor,
        (erx_message_instruction_t){(const uint8_t[]){1, 4}, (const uint8_t *)"hello", 2, 5, 5});
    erx_message_instruction_t none;
    ck_assert(!erx_message_next(&message, &cursor, &none));
    ck_assert(!erx_message_next(&message, &cursor, &none));
}
END_TEST

START_TEST(test_v0_packet_of_a_client)
{
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_message_t message = parse_hex(v0_packet, packet);
    ck_assert_uint_eq(message.version, ERX_MESSAGE_V0);
    ck_assert_uint_eq(message.key_count, 7);
    ck_assert_uint_eq(message.lookup_count, 1);
    ck_assert_uint_eq(message.looked_up_writable_count, 2);
    ck_assert_uint_eq(message.looked_up_readonly_count, 1);
    ck_assert_uint_eq(erx_message_total_key_count(&message), 10);
    ck_assert_uint_eq(message.instruction_count, 3);
    expect_key(erx_message_key(&message, 6), "WrLd111111111111111111111111111111111111111");
    erx_message_cursor_t cursor = {0};
    erx_message_instruction_t instruction;
    ck_assert(erx_message_next(&message, &cursor, &instruction));
    ck_assert(erx_message_next(&message, &cursor, &instruction));
    expect_instruction(&message, &cursor,
                       (erx_message_instruction_t){(const uint8_t[]){7, 9, 8},
                                                   (const uint8_t[]){1, 2, 3}, 3, 3, 6});
}
END_TEST

/* A packet of exactly the size that fits, and one byte more. */
START_TEST(test_largest_packet)
{
    static uint8_t packet[ERX_PLAN_BYTES_MAX];
    static const uint8_t data[ERX_PACKET_BYTES_MAX] = {1};
    erx_plan_t plan = erx_plan_legacy();
    plan.instructions[1].data = data;
    plan.instructions[1].data_bytes = 128; /* from here on the count has 2 bytes */
    size_t room = ERX_PACKET_BYTES_MAX - erx_plan_write(&plan, packet);
    plan.instructions[1].data_bytes = (uint16_t)(128 + room);
    erx_message_t message;
    ck_assert_uint_eq(erx_plan_write(&plan, packet), ERX_PACKET_BYTES_MAX);
    ck_assert_int_eq(erx_message_parse(packet, ERX_PACKET_BYTES_MAX, &message), ERX_MESSAGE_GOOD);
    plan.instructions[1].data_bytes++;
    ck_assert_uint_eq(erx_plan_write(&plan, packet), ERX_PACKET_BYTES_MAX + 1);
    ck_assert_int_eq(erx_message_parse(packet, ERX_PACKET_BYTES_MAX + 1, &message),
                     ERX_MESSAGE_TOO_LONG);
}
END_TEST

START_TEST(test_message_without_instructions)
{
    static uint8_t packet[ERX_PLAN_BYTES_MAX];
    erx_plan_t plan = erx_plan_legacy();
    plan.instruction_count = 0;
    erx_message_t message;
    ck_assert_int_eq(erx_message_parse(packet, erx_plan_write(&plan, packet), &message),
                     ERX_MESSAGE_GOOD);
    erx_message_cursor_t cursor = {0};
    erx_message_instruction_t none;
    ck_assert(!erx_message_next(&message, &cursor, &none));
}
END_TEST

Suite *message_suite(void)
{
    Suite *suite = suite_create("message");
    TCase *tcase = tcase_create("message");
    tcase_add_test(tcase, test_legacy_packet_of_a_client);
    tcase_add_test(tcase, test_v0_packet_of_a_client);
    tcase_add_test(tcase, test_largest_packet);
    tcase_add_test(tcase, test_message_without_instructions);
    suite_add_tcase(suite, tcase);
    return suite;
}
