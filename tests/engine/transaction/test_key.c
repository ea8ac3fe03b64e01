#include "engine/transaction/key.h"
#include "tests/engine/transaction/transaction_suites.h"

#include <string.h>

typedef struct {
    const erx_key_t *key;
    const char *text;
    bool reserved;
} named_t;

static const named_t named[] = {
    {&erx_key_system, "11111111111111111111111111111111", true},
    {&erx_key_compute_budget, "ComputeBudget111111111111111111111111111111", true},
    {&erx_key_memo, "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr", false},
    {&erx_key_memo_v1, "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo", false},
    {&erx_key_address_lookup_table, "AddressLookupTab1e1111111111111111111111111", true},
    {&erx_key_native_loader, "NativeLoader1111111111111111111111111111111", true},
    {&erx_key_upgradeable_loader, "BPFLoaderUpgradeab1e11111111111111111111111", true},
    {&erx_key_world, "WrLd111111111111111111111111111111111111111", false},
    {&erx_key_delegation, "DELeGGvXpWV2fqJUhqcF5ZSYMS4JTLjteaAMARRSaeSh", false},
    {&erx_key_sysvar, "Sysvar1111111111111111111111111111111111111", true},
    {&erx_key_sysvar_clock, "SysvarC1ock11111111111111111111111111111111", true},
    {&erx_key_sysvar_epoch_schedule, "SysvarEpochSchedu1e111111111111111111111111", true},
    {&erx_key_sysvar_instructions, "Sysvar1nstructions1111111111111111111111111", true},
    {&erx_key_sysvar_recent_blockhashes, "SysvarRecentB1ockHashes11111111111111111111", true},
    {&erx_key_sysvar_rent, "SysvarRent111111111111111111111111111111111", true},
    {&erx_key_sysvar_slot_hashes, "SysvarS1otHashes111111111111111111111111111", true},
};

static const char *const reserved_others[] = {
    "BPFLoader1111111111111111111111111111111111", "BPFLoader2111111111111111111111111111111111",
    "LoaderV411111111111111111111111111111111111", "Config1111111111111111111111111111111111111",
    "Ed25519SigVerify111111111111111111111111111", "KeccakSecp256k11111111111111111111111111111",
    "Secp256r1SigVerify1111111111111111111111111", "Feature111111111111111111111111111111111111",
    "StakeConfig11111111111111111111111111111111", "Stake11111111111111111111111111111111111111",
    "Vote111111111111111111111111111111111111111", "ZkTokenProof1111111111111111111111111111111",
    "ZkE1Gama1Proof11111111111111111111111111111", "SysvarEpochRewards1111111111111111111111111",
    "SysvarFees111111111111111111111111111111111", "SysvarLastRestartS1ot1111111111111111111111",
    "SysvarRewards111111111111111111111111111111", "SysvarS1otHistory11111111111111111111111111",
    "SysvarStakeHistory1111111111111111111111111",
};

START_TEST(test_named_keys_are_their_texts)
{
    erx_key_t key;
    char text[ERX_KEY_TEXT_MAX];
    erx_key_text(named[_i].key, text);
    ck_assert_str_eq(text, named[_i].text);
    ck_assert(erx_key_parse(named[_i].text, &key));
    ck_assert(erx_key_equals(&key, named[_i].key));
    ck_assert_int_eq(erx_key_is_reserved(&key), named[_i].reserved);
}
END_TEST

START_TEST(test_other_reserved_keys)
{
    erx_key_t key;
    ck_assert(erx_key_parse(reserved_others[_i], &key));
    ck_assert(erx_key_is_reserved(&key));
    key.bytes[31] ^= 1;
    ck_assert(!erx_key_is_reserved(&key));
}
END_TEST

START_TEST(test_keys_are_ordered_by_their_bytes)
{
    erx_key_t low = {{1, 2}}, high = {{1, 3}};
    ck_assert_int_lt(erx_key_compare(&low, &high), 0);
    ck_assert_int_gt(erx_key_compare(&high, &low), 0);
    ck_assert_int_eq(erx_key_compare(&low, &low), 0);
    low.bytes[31] = 255;
    ck_assert_int_lt(erx_key_compare(&low, &high), 0);
    high = low;
    high.bytes[0] = 0x80; /* bytes have no sign */
    ck_assert_int_lt(erx_key_compare(&low, &high), 0);
    ck_assert(!erx_key_equals(&low, &high));
}
END_TEST

START_TEST(test_texts_of_other_sizes_are_no_keys)
{
    static const char *const texts[] = {
        "",
        "1",
        "1111111111111111111111111111111",              /* 31 zeros */
        "111111111111111111111111111111111",            /* 33 zeros */
        "WrLd1111111111111111111111111111111111111111", /* 33 bytes */
        "WrLd11111111111111111111111111111111111111 ",
        " rLd111111111111111111111111111111111111111",
        "0rLd111111111111111111111111111111111111111",
        "JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFH", /* 2^256 */
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    };
    for (size_t i = 0; i < ERX_COUNT(texts); i++) {
        erx_key_t key = erx_key_memo;
        ck_assert_msg(!erx_key_parse(texts[i], &key), "\"%s\"", texts[i]);
        ck_assert(erx_key_equals(&key, &erx_key_memo));
    }
}
END_TEST

Suite *key_suite(void)
{
    Suite *suite = suite_create("key");
    TCase *tcase = tcase_create("key");
    tcase_add_loop_test(tcase, test_named_keys_are_their_texts, 0, ERX_COUNT(named));
    tcase_add_loop_test(tcase, test_other_reserved_keys, 0, ERX_COUNT(reserved_others));
    tcase_add_test(tcase, test_keys_are_ordered_by_their_bytes);
    tcase_add_test(tcase, test_texts_of_other_sizes_are_no_keys);
    suite_add_tcase(suite, tcase);
    return suite;
}
