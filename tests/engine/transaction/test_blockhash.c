#include "engine/transaction/blockhash.h"
#include "tests/engine/transaction/hex.h"
#include "tests/engine/transaction/transaction_suites.h"

#include <string.h>

static erx_blockhash_t *open_blockhash(uint32_t valid_blocks)
{
    erx_blockhash_settings_t settings = {
        .number = 10, .valid_blocks = valid_blocks, .hash_seed = 99};
    memset(settings.epoch, 7, sizeof settings.epoch);
    erx_blockhash_t *blockhash = NULL;
    erx_error_t error = {0};
    ck_assert_msg(erx_blockhash_open(&settings, &blockhash, &error) == ERX_OK, "%s", error.text);
    return blockhash;
}

static void advance(erx_blockhash_t *blockhash, uint64_t number)
{
    const erx_blockhash_block_t block = {.number = number};
    erx_error_t error = {0};
    ck_assert_msg(erx_blockhash_advance(blockhash, &block, &error) == ERX_OK, "%s", error.text);
}

static void expect_latest(const erx_blockhash_t *blockhash, const char *hex)
{
    uint8_t expected[32];
    ck_assert_uint_eq(erx_hex_read(hex, expected, sizeof expected), sizeof expected);
    ck_assert_mem_eq(erx_blockhash_latest(blockhash)->bytes, expected, sizeof expected);
}

/* Computed with another program's SHA-256. */
START_TEST(test_chain_of_hashes)
{
    erx_blockhash_t *blockhash = open_blockhash(ERX_BLOCKHASH_VALID_DEFAULT);
    erx_blockhash_block_t block = {.number = 11, .timestamp = 1763000000};
    erx_error_t error;
    expect_latest(blockhash, "0707070707070707070707070707070707070707070707070707070707070707");
    memset(block.frames_hash, 1, sizeof block.frames_hash);
    ck_assert_int_eq(erx_blockhash_advance(blockhash, &block, &error), ERX_OK);
    expect_latest(blockhash, "029ae40de4f7e6f1fe21fca0cb3e37cc8781af6f0ed67bf185d25ba6b8ef5d85");
    block.number = 15;
    block.timestamp = -5;
    for (uint8_t i = 0; i < 32; i++)
        block.frames_hash[i] = i;
    ck_assert_int_eq(erx_blockhash_advance(blockhash, &block, &error), ERX_OK);
    expect_latest(blockhash, "ed264b9478046d4fd66dee5007329d64ad9582a8a8ab916631d73c46deff91a6");
    ck_assert_uint_eq(erx_blockhash_number(blockhash), 15);
    ck_assert_uint_eq(erx_blockhash_height(blockhash), 12);
    ck_assert_uint_eq(erx_blockhash_last_valid_height(blockhash), 162);
    erx_blockhash_close(blockhash);
}
END_TEST

/* A hash is found while valid_blocks blocks follow it, and not after one more. */
START_TEST(test_hashes_expire)
{
    erx_blockhash_t *blockhash = open_blockhash(3);
    erx_key_t first = *erx_blockhash_latest(blockhash);
    uint64_t last_valid = erx_blockhash_last_valid_height(blockhash);
    for (uint32_t blocks = 0; blocks < 10; blocks++) {
        uint32_t age = 99;
        bool found = erx_blockhash_find(blockhash, &first, &age);
        ck_assert_int_eq(found, erx_blockhash_height(blockhash) <= last_valid);
        ck_assert_int_eq(found, blocks <= 3);
        if (found)
            ck_assert_uint_eq(age, blocks);
        ck_assert(erx_blockhash_find(blockhash, erx_blockhash_latest(blockhash), NULL));
        advance(blockhash, 20 + blocks);
    }
    erx_blockhash_close(blockhash);
}
END_TEST

START_TEST(test_other_hashes_are_not_found)
{
    erx_blockhash_t *blockhash = open_blockhash(2);
    erx_key_t hash = *erx_blockhash_latest(blockhash);
    for (uint32_t i = 0; i < ERX_KEY_BYTES; i++) {
        hash.bytes[i] ^= 0x40;
        ck_assert(!erx_blockhash_find(blockhash, &hash, NULL));
        hash.bytes[i] ^= 0x40;
    }
    ck_assert(erx_blockhash_find(blockhash, &hash, NULL));
    erx_blockhash_close(blockhash);
}
END_TEST

START_TEST(test_settings_out_of_range_are_refused)
{
    static const uint32_t values[] = {0, ERX_BLOCKHASH_VALID_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < ERX_COUNT(values); i++) {
        const erx_blockhash_settings_t settings = {.valid_blocks = values[i]};
        erx_blockhash_t *blockhash = NULL;
        erx_error_t error;
        ck_assert_int_eq(erx_blockhash_open(&settings, &blockhash, &error), ERX_ERR_RANGE);
        ck_assert_ptr_null(blockhash);
        ck_assert_msg(strstr(error.text, "valid_blocks") != NULL, "%s", error.text);
    }
    erx_blockhash_close(NULL);
}
END_TEST

Suite *blockhash_suite(void)
{
    Suite *suite = suite_create("blockhash");
    TCase *tcase = tcase_create("blockhash");
    tcase_add_test(tcase, test_chain_of_hashes);
    tcase_add_test(tcase, test_hashes_expire);
    tcase_add_test(tcase, test_other_hashes_are_not_found);
    tcase_add_test(tcase, test_settings_out_of_range_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
