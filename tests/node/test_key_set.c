#include "node/key_set.h"
#include "tests/node/node_suites.h"

#include <string.h>

static erx_key_set_t set;

static erx_pubkey_t key_of(uint32_t number)
{
    erx_pubkey_t key = {{0}};
    memcpy(key.bytes + ERX_PUBKEY_SIZE - sizeof number, &number, sizeof number);
    return key;
}

START_TEST(test_a_set_has_every_key_once)
{
    erx_pubkey_t keys[3] = {key_of(1), key_of(2), key_of(3)};
    memset(&set, 0, sizeof set);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 3; i++)
            ck_assert(erx_key_set_add(&set, &keys[i]));
    ck_assert_uint_eq(set.count, 3);
    ck_assert_mem_eq(set.keys, keys, sizeof keys);
    erx_key_set_clear(&set);
    ck_assert_uint_eq(set.count, 0);
    ck_assert(erx_key_set_add(&set, &keys[2]));
    ck_assert_uint_eq(set.count, 1);
    ck_assert_mem_eq(&set.keys[0], &keys[2], sizeof keys[2]);
}
END_TEST

/* All keys fall into the same bucket: their hashes are equal. */
START_TEST(test_keys_of_one_bucket_are_told_apart)
{
    memset(&set, 0, sizeof set);
    for (uint8_t i = 0; i < 200; i++) {
        erx_pubkey_t key = {{i}};
        ck_assert(erx_key_set_add(&set, &key));
    }
    ck_assert_uint_eq(set.count, 200);
}
END_TEST

START_TEST(test_a_full_set_takes_what_it_has_only)
{
    memset(&set, 0, sizeof set);
    for (uint32_t i = 0; i < ERX_KEY_SET_MAX; i++) {
        erx_pubkey_t key = key_of(i);
        ck_assert(erx_key_set_add(&set, &key));
    }
    erx_pubkey_t known = key_of(7), other = key_of(ERX_KEY_SET_MAX);
    ck_assert(erx_key_set_add(&set, &known));
    ck_assert(!erx_key_set_add(&set, &other));
    ck_assert_uint_eq(set.count, ERX_KEY_SET_MAX);
}
END_TEST

Suite *key_set_suite(void)
{
    Suite *suite = suite_create("key_set");
    TCase *tests = tcase_create("key_set");
    tcase_add_test(tests, test_a_set_has_every_key_once);
    tcase_add_test(tests, test_keys_of_one_bucket_are_told_apart);
    tcase_add_test(tests, test_a_full_set_takes_what_it_has_only);
    suite_add_tcase(suite, tests);
    return suite;
}
