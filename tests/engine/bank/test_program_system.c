/* The programs that come with every validator: system, compute budget, memo. */
#include "engine/bank/fields.h"
#include "engine/transaction/address.h"
#include "tests/engine/bank/bank_suites.h"
#include "tests/engine/bank/expectations.h"

#include <string.h>

static bank_rig_t rig;
static erx_key_t rich, poor, fresh;

static void setup(void)
{
    bank_rig_open(&rig, NULL);
    rich = bank_rig_key(31);
    poor = bank_rig_key(32);
    fresh = bank_rig_key(33);
    bank_rig_fund(&rig, &rich, 1000);
    bank_rig_fund(&rig, &poor, 5);
}

static void teardown(void)
{
    bank_rig_close(&rig);
}

/* Data of an instruction: its kind, then what is put behind. */
typedef struct {
    uint32_t bytes;
    uint8_t data[256];
} fields_t;

static fields_t kind(uint32_t number)
{
    fields_t fields = {.bytes = 4};
    erx_put_u32(fields.data, number);
    return fields;
}

static void put(fields_t *fields, const void *bytes, size_t size)
{
    memcpy(fields->data + fields->bytes, bytes, size);
    fields->bytes += (uint32_t)size;
}

static void put_u64(fields_t *fields, uint64_t value)
{
    put(fields, &value, sizeof value);
}

static void put_seed(fields_t *fields, const char *seed)
{
    put_u64(fields, strlen(seed));
    put(fields, seed, strlen(seed));
}

static erx_bank_outcome_t call(const fields_t *fields, const rig_account_t *accounts,
                               uint32_t account_count)
{
    return bank_rig_call(&rig, &erx_key_system, accounts, account_count, fields->data,
                         fields->bytes);
}

static erx_bank_outcome_t transfer(const erx_key_t *from, uint8_t from_flags, const erx_key_t *to,
                                   uint64_t lamports)
{
    fields_t fields = kind(2);
    put_u64(&fields, lamports);
    const rig_account_t accounts[] = {{*from, from_flags}, {*to, RIG_WRITES}};
    return call(&fields, accounts, 2);
}

static erx_bank_outcome_t create(uint64_t lamports, uint64_t space, const erx_key_t *owner,
                                 uint8_t flags)
{
    fields_t fields = kind(0);
    put_u64(&fields, lamports);
    put_u64(&fields, space);
    put(&fields, owner, sizeof *owner);
    const rig_account_t accounts[] = {{rich, RIG_SIGNS | RIG_WRITES}, {fresh, flags}};
    return call(&fields, accounts, 2);
}

START_TEST(test_a_transfer_moves_lamports)
{
    erx_bank_outcome_t outcome = transfer(&rich, RIG_SIGNS | RIG_WRITES, &fresh, 300);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &rich), 700);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &fresh), 300);
    ck_assert_uint_eq(outcome.units, 150);
    ck_assert_uint_eq(outcome.log_count, 2);
    ck_assert_str_eq(outcome.logs[0], "Program 11111111111111111111111111111111 invoke [1]");
    ck_assert_str_eq(outcome.logs[1], "Program 11111111111111111111111111111111 success");
    bool seen = false;
    for (uint32_t i = 0; i < outcome.balance_count; i++)
        if (erx_key_equals(&outcome.balances[i].key, &rich)) {
            seen = true;
            ck_assert_uint_eq(outcome.balances[i].lamports_before, 1000);
            ck_assert_uint_eq(outcome.balances[i].lamports_after, 700);
        }
    ck_assert(seen);
}
END_TEST

START_TEST(test_a_wallet_without_lamports_is_gone)
{
    erx_bank_outcome_t outcome = transfer(&poor, RIG_SIGNS | RIG_WRITES, &rich, 5);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(erx_bank_find(rig.bank, &poor), ERX_ACCOUNT_NONE);
    uint32_t count;
    const erx_bank_change_t *changes = erx_bank_changed(rig.bank, &count);
    ck_assert_uint_eq(count, 2); /* each once, though funded in this block as well */
    for (uint32_t i = 0; i < count; i++)
        ck_assert_uint_eq(changes[i].index, erx_bank_find(rig.bank, &changes[i].key));
}
END_TEST

START_TEST(test_transfers_that_fail)
{
    uint64_t before = bank_rig_hash(&rig);
    erx_bank_outcome_t outcome = transfer(&poor, RIG_SIGNS | RIG_WRITES, &rich, 6);
    rig_expect_custom(&outcome, 0, 1);
    ck_assert(rig_outcome_logs(&outcome, "Transfer: insufficient lamports 5, need 6"));
    ck_assert_str_eq(outcome.logs[outcome.log_count - 1],
                     "Program 11111111111111111111111111111111 failed: custom program error: 0x1");
    outcome = transfer(&poor, RIG_WRITES, &rich, 1);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE);
    outcome = transfer(&poor, RIG_SIGNS, &rich, 1);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_READONLY_LAMPORT_CHANGE);
    fields_t fields = kind(2);
    outcome = call(&fields, NULL, 0); /* no amount */
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    put_u64(&fields, 1);
    const rig_account_t one = {rich, RIG_SIGNS | RIG_WRITES};
    outcome = call(&fields, &one, 1);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_NOT_ENOUGH_ACCOUNT_KEYS);
    fields = kind(4);
    outcome = call(&fields, &one, 1);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
}
END_TEST

START_TEST(test_lamports_do_not_overflow)
{
    const erx_account_entry_t entry = {
        .key = fresh, .lamports = UINT64_MAX - 3, .kind = ERX_ACCOUNT_PLAIN};
    bank_rig_put(&rig, &entry, NULL);
    erx_bank_outcome_t outcome = transfer(&rich, RIG_SIGNS | RIG_WRITES, &fresh, 4);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_ARITHMETIC_OVERFLOW);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &rich), 1000);
    outcome = transfer(&rich, RIG_SIGNS | RIG_WRITES, &rich, 1000); /* to itself */
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &rich), 1000);
}
END_TEST

START_TEST(test_an_account_is_created_with_lamports_space_and_owner)
{
    erx_key_t owner = bank_rig_key(80);
    erx_bank_outcome_t outcome = create(100, 64, &owner, RIG_SIGNS | RIG_WRITES);
    rig_expect_ok(&outcome);
    const erx_account_entry_t *entry =
        erx_accounts_entry(rig.accounts, erx_bank_find(rig.bank, &fresh));
    ck_assert_uint_eq(entry->lamports, 100);
    ck_assert_uint_eq(entry->data_length, 64);
    ck_assert(erx_key_equals(&entry->owner, &owner));
    outcome = create(1, 1, &owner, RIG_SIGNS | RIG_WRITES);
    rig_expect_custom(&outcome, 0, 0);
    ck_assert(rig_outcome_logs(&outcome, "already in use"));
    outcome = transfer(&fresh, RIG_SIGNS | RIG_WRITES, &rich, 1);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_ARGUMENT); /* it carries data */
}
END_TEST

START_TEST(test_creations_that_fail)
{
    erx_key_t owner = bank_rig_key(80);
    uint64_t before = bank_rig_hash(&rig);
    erx_bank_outcome_t outcome = create(100, 64, &owner, RIG_WRITES);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE);
    outcome = create(1001, 64, &owner, RIG_SIGNS | RIG_WRITES);
    rig_expect_custom(&outcome, 0, 1);
    outcome = create(1, (10u << 20) + 1, &owner, RIG_SIGNS | RIG_WRITES);
    rig_expect_custom(&outcome, 0, 3);
    outcome = create(1, 10u << 20, &owner, RIG_SIGNS | RIG_WRITES); /* more than the heap */
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED);
    outcome = create(1, 8, &owner, RIG_SIGNS);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_READONLY_DATA_MODIFIED);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
}
END_TEST

START_TEST(test_allocate_and_assign)
{
    erx_key_t owner = bank_rig_key(80);
    fields_t fields = kind(8);
    put_u64(&fields, 300);
    const rig_account_t account = {poor, RIG_SIGNS | RIG_WRITES};
    erx_bank_outcome_t outcome = call(&fields, &account, 1);
    rig_expect_ok(&outcome);
    outcome = call(&fields, &account, 1);
    rig_expect_custom(&outcome, 0, 0);
    fields = kind(1);
    put(&fields, &owner, sizeof owner);
    outcome = call(&fields, &account, 1);
    rig_expect_ok(&outcome);
    outcome = call(&fields, &account, 1); /* it is that owner's already */
    rig_expect_ok(&outcome);
    fields = kind(1);
    put(&fields, &rich, sizeof rich);
    outcome = call(&fields, &account, 1);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_MODIFIED_PROGRAM_ID);
}
END_TEST

START_TEST(test_accounts_with_seeds)
{
    erx_key_t owner = bank_rig_key(80), derived;
    erx_error_t error;
    ck_assert_int_eq(erx_address_create_with_seed(&rich, "vault", 5, &owner, &derived, &error),
                     ERX_OK);
    fields_t fields = kind(3);
    put(&fields, &rich, sizeof rich);
    put_seed(&fields, "vault");
    put_u64(&fields, 50);
    put_u64(&fields, 16);
    put(&fields, &owner, sizeof owner);
    rig_account_t accounts[] = {{rich, RIG_SIGNS | RIG_WRITES}, {fresh, RIG_WRITES}};
    erx_bank_outcome_t outcome = call(&fields, accounts, 2);
    rig_expect_custom(&outcome, 0, 5);
    accounts[1].key = derived;
    outcome = call(&fields, accounts, 2);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &derived), 50);
    fields = kind(3);
    put(&fields, &rich, sizeof rich);
    put_seed(&fields, "a seed of more than thirty-two characters");
    put_u64(&fields, 1);
    put_u64(&fields, 1);
    put(&fields, &owner, sizeof owner);
    outcome = call(&fields, accounts, 2);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_MAX_SEED_LENGTH_EXCEEDED);
    fields.data[4 + 32] = 0xff; /* a length beyond the data */
    fields.data[4 + 39] = 0xff;
    outcome = call(&fields, accounts, 2);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
}
END_TEST

START_TEST(test_transfers_and_changes_with_seeds)
{
    erx_key_t derived;
    erx_error_t error;
    ck_assert_int_eq(
        erx_address_create_with_seed(&rich, "purse", 5, &erx_key_system, &derived, &error), ERX_OK);
    erx_bank_outcome_t outcome = transfer(&rich, RIG_SIGNS | RIG_WRITES, &derived, 90);
    rig_expect_ok(&outcome);
    fields_t fields = kind(11);
    put_u64(&fields, 40);
    put_seed(&fields, "purse");
    put(&fields, &erx_key_system, sizeof erx_key_system);
    rig_account_t accounts[] = {{derived, RIG_WRITES}, {rich, RIG_SIGNS}, {fresh, RIG_WRITES}};
    outcome = call(&fields, accounts, 3);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(bank_rig_lamports(&rig, &fresh), 40);
    accounts[1].flags = 0;
    outcome = call(&fields, accounts, 3);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE);
    fields = kind(9);
    put(&fields, &rich, sizeof rich);
    put_seed(&fields, "purse");
    put_u64(&fields, 24);
    put(&fields, &erx_key_system, sizeof erx_key_system);
    accounts[1].flags = RIG_SIGNS;
    outcome = call(&fields, accounts, 2);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(erx_bank_space(rig.bank, erx_bank_find(rig.bank, &derived)), 24);
}
END_TEST

START_TEST(test_memos_are_text_that_their_accounts_signed)
{
    const char *text = "tick \"60\"\n";
    const rig_account_t signer = {rich, RIG_SIGNS};
    erx_bank_outcome_t outcome =
        bank_rig_call(&rig, &erx_key_memo, &signer, 1, text, (uint32_t)strlen(text));
    rig_expect_ok(&outcome);
    ck_assert(rig_outcome_logs(&outcome, "Program log: Memo (len 10): \"tick \\\"60\\\"\\n\""));
    ck_assert(rig_outcome_logs(&outcome, "Program log: Signed by "));
    ck_assert(rig_outcome_logs(&outcome, " compute units"));
    const rig_account_t other = {poor, 0};
    outcome = bank_rig_call(&rig, &erx_key_memo, &other, 1, text, 4);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE);
    static const char *const bad[] = {"\x80",         "\xc0\x80",         "\xe0\x9f\xbf",
                                      "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                                      "ab\xe2\x82"};
    for (uint32_t i = 0; i < ERX_COUNT(bad); i++) {
        const erx_key_t *programs[] = {&erx_key_memo, &erx_key_memo_v1};
        outcome = bank_rig_call(&rig, programs[i % 2], NULL, 0, bad[i], (uint32_t)strlen(bad[i]));
        rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    }
    text = "\xe2\x82\xac \xf0\x9f\x8e\xae \xed\x9f\xbf";
    outcome = bank_rig_call(&rig, &erx_key_memo, NULL, 0, text, (uint32_t)strlen(text));
    rig_expect_ok(&outcome);
}
END_TEST

/* Executes compute budget instructions, then a transfer that costs 150 units. */
static erx_bank_outcome_t with_budget(const fields_t *budgets, uint32_t count)
{
    static rig_transaction_t transaction;
    fields_t fields = kind(2);
    put_u64(&fields, 1);
    const rig_account_t accounts[] = {{rich, RIG_SIGNS | RIG_WRITES}, {fresh, RIG_WRITES}};
    rig_transaction_begin(&transaction, &rich);
    for (uint32_t i = 0; i < count; i++)
        rig_transaction_add(&transaction, &erx_key_compute_budget, NULL, 0, budgets[i].data,
                            budgets[i].bytes);
    rig_transaction_add(&transaction, &erx_key_system, accounts, 2, fields.data, fields.bytes);
    return bank_rig_run(&rig, &transaction);
}

static fields_t budget(uint8_t number, uint64_t value, uint32_t bytes)
{
    fields_t fields = {.bytes = 1 + bytes, .data = {number}};
    memcpy(fields.data + 1, &value, bytes);
    return fields;
}

START_TEST(test_budgets_are_kept)
{
    fields_t budgets[4] = {budget(2, 300, 4), budget(3, 77, 8), budget(1, 65536, 4),
                           budget(4, 1000, 4)};
    erx_bank_outcome_t outcome = with_budget(budgets, 1);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(outcome.units, 300);
    budgets[0] = budget(2, 299, 4);
    outcome = with_budget(budgets, 1);
    rig_expect_error(&outcome, 1, ERX_INSTRUCTION_COMPUTATIONAL_BUDGET_EXCEEDED);
    ck_assert_uint_eq(outcome.units, 299);
    budgets[0] = budget(2, UINT32_MAX, 4); /* as much as there is */
    outcome = with_budget(budgets, 4);
    rig_expect_ok(&outcome);
    ck_assert_uint_eq(outcome.units, 5 * 150);
}
END_TEST

START_TEST(test_budgets_that_are_refused)
{
    fields_t budgets[2] = {budget(2, 1000, 4), budget(2, 1000, 4)};
    erx_bank_outcome_t outcome = with_budget(budgets, 2);
    rig_expect_refused(&outcome, ERX_TRANSACTION_DUPLICATE_INSTRUCTION);
    ck_assert_uint_eq(outcome.result.index, 1);
    static const struct {
        uint8_t number;
        uint32_t value;
        uint32_t bytes;
    } bad[] = {{0, 0, 4}, {5, 0, 4}, {2, 0, 3}, {1, 1024, 4}, {1, 40000, 4}, {1, 1 << 19, 4}};
    for (uint32_t i = 0; i < ERX_COUNT(bad); i++) {
        budgets[1] = budget(bad[i].number, bad[i].value, bad[i].bytes);
        outcome = with_budget(budgets, 2);
        rig_expect_error(&outcome, 1, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
        ck_assert_uint_eq(outcome.log_count, 0);
    }
    budgets[1] = budget(4, 0, 4);
    outcome = with_budget(budgets, 2);
    rig_expect_refused(&outcome, ERX_TRANSACTION_INVALID_LOADED_ACCOUNTS_DATA_SIZE_LIMIT);
    const fields_t values_last[3] = {budget(1, 1, 4), budget(4, 0, 4), budget(1, 65536, 4)};
    outcome = with_budget(values_last, 3); /* forms first, then the heap */
    rig_expect_refused(&outcome, ERX_TRANSACTION_DUPLICATE_INSTRUCTION);
    ck_assert_uint_eq(outcome.result.index, 2);
    outcome = with_budget(values_last, 2);
    rig_expect_error(&outcome, 0, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    const uint8_t data[2000] = {1};
    const erx_account_entry_t entry = {
        .key = fresh, .lamports = 1, .data_length = 2000, .kind = ERX_ACCOUNT_PLAIN};
    bank_rig_put(&rig, &entry, data);
    budgets[1] = budget(4, 1999, 4);
    outcome = with_budget(budgets, 2);
    rig_expect_refused(&outcome, ERX_TRANSACTION_MAX_LOADED_ACCOUNTS_DATA_SIZE_EXCEEDED);
    budgets[1] = budget(4, 2000, 4);
    outcome = with_budget(budgets, 2);
    rig_expect_ok(&outcome);
}
END_TEST

Suite *program_system_suite(void)
{
    Suite *suite = suite_create("program_system");
    TCase *tests = tcase_create("program_system");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_a_transfer_moves_lamports);
    tcase_add_test(tests, test_a_wallet_without_lamports_is_gone);
    tcase_add_test(tests, test_transfers_that_fail);
    tcase_add_test(tests, test_lamports_do_not_overflow);
    tcase_add_test(tests, test_an_account_is_created_with_lamports_space_and_owner);
    tcase_add_test(tests, test_creations_that_fail);
    tcase_add_test(tests, test_allocate_and_assign);
    tcase_add_test(tests, test_accounts_with_seeds);
    tcase_add_test(tests, test_transfers_and_changes_with_seeds);
    tcase_add_test(tests, test_memos_are_text_that_their_accounts_signed);
    tcase_add_test(tests, test_budgets_are_kept);
    tcase_add_test(tests, test_budgets_that_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
