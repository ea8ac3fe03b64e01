#include "node/airdrop.h"
#include "node/keypair.h"
#include "tests/node/node_suites.h"
#include "tests/support/file.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char folder[ERX_SCRATCH_PATH_MAX];

static void make_folder(void)
{
    erx_scratch_make(folder);
}

static void remove_folder(void)
{
    erx_scratch_remove(folder);
}

START_TEST(test_a_file_comes_back_and_is_private)
{
    erx_failure_t failure;
    erx_keypair_t made, again;
    struct stat status;
    const char *path = erx_scratch_file(folder, "key.json");
    ck_assert(erx_keypair_ensure(path, &made, &failure));
    ck_assert(erx_keypair_ensure(path, &again, &failure));
    ck_assert_mem_eq(&made, &again, sizeof made);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    ck_assert(!erx_keypair_write(path, &made, &failure)); /* nothing is overwritten */
    ck_assert_ptr_nonnull(strstr(failure.text, "key.json"));
}
END_TEST

/* Seed and public key of the first test of RFC 8032. */
#define SEED                                                                                       \
    "157,97,177,157,239,253,90,96,186,132,74,244,146,236,44,196,68,73,197,105,123,50,105,25,112,"  \
    "59,172,3,28,174,127,96"
#define PUBLIC                                                                                     \
    "215,90,152,1,130,177,10,183,213,75,254,211,201,100,7,58,14,225,114,243,218,166,35,37,175,2,"  \
    "26,104,247,7,81,26"

static bool read_text(const char *text, erx_keypair_t *keypair_out, erx_failure_t *failure)
{
    const char *path = erx_scratch_file(folder, "text.json");
    erx_file_write(path, text, strlen(text));
    return erx_keypair_read(path, keypair_out, failure);
}

START_TEST(test_known_key_is_read)
{
    erx_failure_t failure;
    erx_keypair_t keypair;
    ck_assert_msg(read_text("[" SEED "," PUBLIC "]\n", &keypair, &failure), "%s", failure.text);
    erx_pubkey_t key = erx_keypair_public(&keypair);
    ck_assert_uint_eq(key.bytes[0], 215);
    ck_assert_uint_eq(key.bytes[31], 26);
}
END_TEST

START_TEST(test_other_files_are_refused_by_name)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "[1,2,3]",
        "[" SEED "]",
        "[" SEED "," SEED "]", /* not its public key */
        "[" PUBLIC "," SEED "]",
        "[" SEED "," PUBLIC ",1]",
        "[" SEED "," PUBLIC "",
        "[-" SEED "," PUBLIC "]",
        "[\"" SEED "\"," PUBLIC "]",
        "[1.5," SEED "," PUBLIC "]",
        "[256," PUBLIC "," PUBLIC "]",
    };
    for (size_t i = 0; i < ERX_ARRAY_COUNT(texts); i++) {
        erx_failure_t failure = {""};
        erx_keypair_t keypair;
        ck_assert_msg(!read_text(texts[i], &keypair, &failure), "%s", texts[i]);
        ck_assert_ptr_nonnull(strstr(failure.text, "text.json"));
    }
    erx_failure_t failure;
    erx_keypair_t keypair;
    ck_assert(!erx_keypair_read(erx_scratch_file(folder, "none"), &keypair, &failure));
    ck_assert_ptr_nonnull(strstr(failure.text, "No such file"));
}
END_TEST

START_TEST(test_signatures_hold_for_their_bytes_and_key_alone)
{
    erx_failure_t failure;
    erx_keypair_t keypair, other;
    uint8_t bytes[] = "what is signed";
    uint8_t signature[ERX_SIGNATURE_SIZE];
    ck_assert(erx_keypair_make(&keypair, &failure) && erx_keypair_make(&other, &failure));
    erx_pubkey_t key = erx_keypair_public(&keypair), wrong = erx_keypair_public(&other);
    ck_assert(erx_sign(keypair.bytes, bytes, sizeof bytes, signature));
    ck_assert(erx_signature_check(&key, bytes, sizeof bytes, signature));
    ck_assert(!erx_signature_check(&wrong, bytes, sizeof bytes, signature));
    ck_assert(!erx_signature_check(&key, bytes, sizeof bytes - 1, signature));
    for (uint32_t i = 0; i < ERX_SIGNATURE_SIZE; i += 7) {
        signature[i] ^= 1;
        ck_assert(!erx_signature_check(&key, bytes, sizeof bytes, signature));
        signature[i] ^= 1;
    }
}
END_TEST

START_TEST(test_equal_airdrops_differ)
{
    erx_failure_t failure;
    erx_keypair_t faucet;
    const erx_pubkey_t to = {{9}};
    const uint8_t blockhash[ERX_HASH_SIZE] = {7};
    uint8_t packets[2][ERX_PACKET_MAX];
    size_t sizes[2];
    ck_assert(erx_keypair_make(&faucet, &failure));
    erx_pubkey_t payer = erx_keypair_public(&faucet);
    for (uint64_t nonce = 0; nonce < 2; nonce++)
        ck_assert(erx_airdrop_packet(faucet.bytes, &to, 5, nonce, blockhash, packets[nonce],
                                     &sizes[nonce]));
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_mem_ne(packets[0] + 1, packets[1] + 1, ERX_SIGNATURE_SIZE);
    ck_assert(erx_signature_check(&payer, packets[1] + 1 + ERX_SIGNATURE_SIZE,
                                  sizes[1] - 1 - ERX_SIGNATURE_SIZE, packets[1] + 1));
}
END_TEST

Suite *keypair_suite(void)
{
    Suite *suite = suite_create("keypair");
    TCase *cases = tcase_create("keypair");
    tcase_add_checked_fixture(cases, make_folder, remove_folder);
    tcase_add_test(cases, test_a_file_comes_back_and_is_private);
    tcase_add_test(cases, test_known_key_is_read);
    tcase_add_test(cases, test_other_files_are_refused_by_name);
    tcase_add_test(cases, test_signatures_hold_for_their_bytes_and_key_alone);
    tcase_add_test(cases, test_equal_airdrops_differ);
    suite_add_tcase(suite, cases);
    return suite;
}
