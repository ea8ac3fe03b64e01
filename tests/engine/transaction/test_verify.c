#include "engine/transaction/verify.h"
#include "tests/engine/transaction/hex.h"
#include "tests/engine/transaction/packets.h"
#include "tests/engine/transaction/transaction_suites.h"
#include "tests/support/transaction_plan.h"

#include <string.h>

static erx_message_t parse(const uint8_t *packet, size_t bytes)
{
    erx_message_t message;
    ck_assert_int_eq(erx_message_parse(packet, bytes, &message), ERX_MESSAGE_GOOD);
    return message;
}

START_TEST(test_signatures_of_clients)
{
    const char *const packets[] = {legacy_packet, v0_packet};
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    size_t bytes = erx_hex_read(packets[_i], packet, sizeof packet);
    erx_message_t message = parse(packet, bytes);
    ck_assert(erx_verify_message(&message));
}
END_TEST

/* Every bit of the signature, and one of every byte that is signed. */
START_TEST(test_any_changed_bit_spoils_it)
{
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    size_t bytes = erx_plan_numbered(5, packet);
    erx_message_t message = parse(packet, bytes);
    ck_assert(erx_verify_message(&message));
    for (uint32_t bit = 0; bit < 8 * ERX_SIGNATURE_BYTES; bit++) {
        packet[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_msg(!erx_verify_message(&message), "bit %u of the signature", bit);
        packet[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t at = message.message_offset; at < bytes; at++) {
        packet[at] ^= 1;
        ck_assert_msg(!erx_verify_message(&message), "byte %zu of the packet", at);
        packet[at] ^= 1;
    }
    ck_assert(erx_verify_message(&message));
}
END_TEST

START_TEST(test_all_signers_count)
{
    static uint8_t packet[ERX_PLAN_BYTES_MAX];
    erx_plan_t plan = erx_plan_legacy();
    size_t bytes = erx_plan_write(&plan, packet);
    erx_message_t message = parse(packet, bytes);
    ck_assert(!erx_verify_message(&message)); /* zeros are no signature */
    erx_plan_sign(&plan, packet, bytes);
    ck_assert(erx_verify_message(&message));
    uint8_t first[ERX_SIGNATURE_BYTES];
    memcpy(first, packet + 1, sizeof first);
    memcpy(packet + 1 + 64, first, sizeof first); /* the payer's for both */
    ck_assert(!erx_verify_message(&message));
}
END_TEST

/* Adding the group's order to the scalar makes another encoding of the same
 * signature, with which a transaction could be sent twice. */
START_TEST(test_scalar_that_is_not_reduced_is_refused)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_message_t message = parse(packet, erx_plan_numbered(6, packet));
    uint8_t *scalar = packet + 1 + 32;
    uint32_t carry = 0;
    for (uint32_t i = 0; i < 32; i++) {
        carry += (uint32_t)scalar[i] + order[i];
        scalar[i] = (uint8_t)carry;
        carry >>= 8;
    }
    ck_assert_uint_eq(carry, 0);
    ck_assert(!erx_verify_message(&message));
}
END_TEST

/* The neutral element as key and commitment, zero as scalar: without the test
 * for small orders this is a signature of everything. */
START_TEST(test_keys_of_small_order_are_refused)
{
    static const uint8_t others[] = {0x01, 0xec, 0x00}; /* y = 1, -1 and 0, lowest byte */
    for (size_t i = 0; i < ERX_COUNT(others); i++) {
        erx_key_t key = {{others[i]}};
        if (others[i] == 0xec) {
            memset(key.bytes + 1, 0xff, 30);
            key.bytes[31] = 0x7f;
        }
        erx_signature_t signature = {{1}};
        ck_assert(!erx_verify_signature(&signature, &key, "x", 1));
        memcpy(signature.bytes, key.bytes, sizeof key.bytes);
        ck_assert(!erx_verify_signature(&signature, &key, "x", 1));
    }
}
END_TEST

START_TEST(test_hash_is_of_what_is_signed)
{
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_message_t message = parse(packet, erx_plan_numbered(7, packet));
    erx_key_t hash, other;
    erx_message_hash(&message, &hash);
    packet[1] ^= 1; /* the signature */
    erx_message_hash(&message, &other);
    ck_assert(erx_key_equals(&hash, &other));
    packet[message.packet_bytes - 1] ^= 1;
    erx_message_hash(&message, &other);
    ck_assert(!erx_key_equals(&hash, &other));
    /* SHA-256 of "abc", which the packet's last bytes become. */
    static const uint8_t expected[4] = {0xba, 0x78, 0x16, 0xbf};
    memcpy(packet + message.packet_bytes - 3, "abc", 3);
    message.message_offset = (uint16_t)(message.packet_bytes - 3);
    erx_message_hash(&message, &hash);
    ck_assert_mem_eq(hash.bytes, expected, sizeof expected);
}
END_TEST

Suite *verify_suite(void)
{
    Suite *suite = suite_create("verify");
    TCase *tcase = tcase_create("verify");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_signatures_of_clients, 0, 2);
    tcase_add_test(tcase, test_any_changed_bit_spoils_it);
    tcase_add_test(tcase, test_all_signers_count);
    tcase_add_test(tcase, test_scalar_that_is_not_reduced_is_refused);
    tcase_add_test(tcase, test_keys_of_small_order_are_refused);
    tcase_add_test(tcase, test_hash_is_of_what_is_signed);
    suite_add_tcase(suite, tcase);
    return suite;
}
