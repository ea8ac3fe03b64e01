/* Transactions' wire bytes: those that the validator makes itself, cut and bent. */
#include "node/airdrop.h"
#include "node/keypair.h"
#include "node/packet_view.h"
#include "tests/node/node_suites.h"
#include "tests/support/rng.h"

#include <string.h>

static uint8_t packet[ERX_PACKET_MAX];
static size_t packet_size;
static erx_keypair_t faucet;
static const erx_pubkey_t receiver = {{7}};

static void make_packet(void)
{
    static const uint8_t blockhash[ERX_HASH_SIZE] = {9};
    erx_failure_t failure;
    ck_assert(erx_keypair_make(&faucet, &failure));
    ck_assert(
        erx_airdrop_packet(faucet.bytes, &receiver, 1234, 5, blockhash, packet, &packet_size));
}

START_TEST(test_an_airdrop_reads_as_it_was_meant)
{
    erx_packet_view_t view;
    ck_assert(erx_packet_view_read(packet, packet_size, &view));
    ck_assert(!view.is_versioned);
    ck_assert_uint_eq(view.signature_count, 1);
    ck_assert_uint_eq(view.key_count, 4);
    ck_assert_mem_eq(view.keys, faucet.bytes + 32, 32);
    ck_assert_mem_eq(view.keys + 32, receiver.bytes, 32);
    ck_assert_uint_eq(view.instruction_count, 2);
    ck_assert(erx_packet_is_signer(&view, 0) && erx_packet_is_writable(&view, 0));
    ck_assert(!erx_packet_is_signer(&view, 1) && erx_packet_is_writable(&view, 1));
    ck_assert(!erx_packet_is_writable(&view, 2) && !erx_packet_is_writable(&view, 3));
    erx_pubkey_t key = erx_keypair_public(&faucet);
    const uint8_t *message = packet + 1 + ERX_SIGNATURE_SIZE;
    size_t size = packet_size - 1 - ERX_SIGNATURE_SIZE;
    ck_assert(erx_signature_check(&key, message, size, packet + 1));
    ck_assert(!erx_signature_check(&key, message, size - 1, packet + 1));
    ck_assert(erx_message_view_read(message, size, &view));
}
END_TEST

START_TEST(test_every_cut_is_refused)
{
    erx_packet_view_t view;
    for (size_t size = 0; size < packet_size; size++)
        ck_assert(!erx_packet_view_read(packet, size, &view));
    packet[packet_size] = 0;
    ck_assert(!erx_packet_view_read(packet, packet_size + 1, &view));
}
END_TEST

START_TEST(test_bent_bytes_lead_nowhere_else)
{
    erx_rng_t rng = erx_rng_open(4);
    for (int round = 0; round < 20000; round++) {
        uint8_t bent[ERX_PACKET_MAX];
        erx_packet_view_t view;
        memcpy(bent, packet, packet_size);
        for (int i = 0; i < 3; i++)
            bent[erx_rng_range(&rng, 0, (int64_t)packet_size - 1)] = (uint8_t)erx_rng_next(&rng);
        if (!erx_packet_view_read(bent, packet_size, &view))
            continue;
        const uint8_t *end = bent + packet_size;
        ck_assert(view.keys + (size_t)view.key_count * ERX_PUBKEY_SIZE <= end);
        for (uint16_t i = 0; i < view.instruction_count; i++) {
            const erx_packet_instruction_t *instruction = &view.instructions[i];
            ck_assert(instruction->data >= bent &&
                      instruction->data + instruction->data_size <= end);
        }
    }
}
END_TEST

Suite *packet_view_suite(void)
{
    Suite *suite = suite_create("packet_view");
    TCase *tests = tcase_create("packet_view");
    tcase_add_checked_fixture(tests, make_packet, NULL);
    tcase_add_test(tests, test_an_airdrop_reads_as_it_was_meant);
    tcase_add_test(tests, test_every_cut_is_refused);
    tcase_add_test(tests, test_bent_bytes_lead_nowhere_else);
    suite_add_tcase(suite, tests);
    return suite;
}
