#include "node/history.h"
#include "tests/node/node_suites.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY 100u
#define KEYS     5u
#define PER_CALL 3u /* accounts of a record */
#define RECORDS  1000u

/* In one piece of memory, as the real ones. */
typedef struct {
    erx_transaction_record_t record;
    erx_balance_t balances[PER_CALL];
    uint64_t previous[PER_CALL];
} made_t;

static erx_pubkey_t key_of(uint64_t number)
{
    erx_pubkey_t key = {{0}};
    memcpy(key.bytes + 3, &number, sizeof number);
    return key;
}

/* Signatures of even numbers share a bucket. */
static void write_signature(uint64_t number, uint8_t signature[ERX_SIGNATURE_SIZE])
{
    memset(signature, 0, ERX_SIGNATURE_SIZE);
    signature[0] = (uint8_t)(number % 2);
    memcpy(signature + 8, &number, sizeof number);
}

/* Record number, about keys number, number + 1, number + 2 of KEYS. */
static erx_transaction_record_t *make(uint64_t number)
{
    made_t *made = calloc(1, sizeof *made);
    ck_assert_ptr_nonnull(made);
    for (uint32_t i = 0; i < PER_CALL; i++)
        made->balances[i].key = key_of((number + i) % KEYS);
    made->record.slot = number;
    made->record.outcome.balances = made->balances;
    made->record.outcome.balance_count = PER_CALL;
    made->record.previous_same_key = made->previous;
    write_signature(number, made->record.outcome.signature);
    return &made->record;
}

static bool is_about(uint64_t number, uint64_t key)
{
    return (key + KEYS - number % KEYS) % KEYS < PER_CALL;
}

START_TEST(test_the_newest_are_found_and_older_ones_are_gone)
{
    uint8_t signature[ERX_SIGNATURE_SIZE];
    erx_history_t *history = erx_history_open(CAPACITY);
    ck_assert_ptr_nonnull(history);
    for (uint64_t number = 1; number <= RECORDS; number++)
        erx_history_add(history, make(number));
    for (uint64_t number = 1; number <= RECORDS; number++) {
        write_signature(number, signature);
        const erx_transaction_record_t *found = erx_history_find(history, signature);
        ck_assert_int_eq(found != NULL, number > RECORDS - CAPACITY);
        if (found != NULL)
            ck_assert_uint_eq(found->slot, number);
    }
    write_signature(RECORDS + 1, signature);
    ck_assert_ptr_null(erx_history_find(history, signature));
    erx_history_close(history);
}
END_TEST

START_TEST(test_records_of_an_account_come_newest_first)
{
    erx_history_t *history = erx_history_open(CAPACITY);
    for (uint64_t number = 1; number <= RECORDS; number++)
        erx_history_add(history, make(number));
    for (uint64_t k = 0; k < KEYS; k++) {
        erx_pubkey_t key = key_of(k);
        uint64_t before = UINT64_MAX;
        for (uint64_t number = RECORDS; number > RECORDS - CAPACITY; number--) {
            if (!is_about(number, k))
                continue;
            const erx_transaction_record_t *record = erx_history_older(history, &key, before);
            ck_assert_ptr_nonnull(record);
            ck_assert_uint_eq(record->slot, number);
            before = record->sequence;
        }
        ck_assert_ptr_null(erx_history_older(history, &key, before));
    }
    erx_pubkey_t unknown = key_of(77);
    ck_assert_ptr_null(erx_history_older(history, &unknown, UINT64_MAX));
    erx_history_close(history);
}
END_TEST

START_TEST(test_of_equal_signatures_the_newest_counts)
{
    uint8_t signature[ERX_SIGNATURE_SIZE];
    erx_history_t *history = erx_history_open(CAPACITY);
    for (uint64_t slot = 10; slot < 13; slot++) {
        erx_transaction_record_t *record = make(4);
        record->slot = slot;
        erx_history_add(history, record);
    }
    write_signature(4, signature);
    ck_assert_uint_eq(erx_history_find(history, signature)->slot, 12);
    erx_history_close(history);
}
END_TEST

START_TEST(test_an_account_that_stands_twice_is_told_once)
{
    erx_history_t *history = erx_history_open(CAPACITY);
    for (uint64_t number = 1; number <= 3; number++) {
        erx_transaction_record_t *record = make(number);
        erx_balance_t *balances = (erx_balance_t *)(void *)((made_t *)(void *)record)->balances;
        balances[1].key = balances[0].key = key_of(1);
        erx_history_add(history, record);
    }
    erx_pubkey_t key = key_of(1);
    uint64_t before = UINT64_MAX;
    for (uint64_t number = 3; number >= 1; number--) {
        const erx_transaction_record_t *record = erx_history_older(history, &key, before);
        ck_assert_ptr_nonnull(record);
        ck_assert_uint_eq(record->slot, number);
        before = record->sequence;
    }
    ck_assert_ptr_null(erx_history_older(history, &key, before));
    erx_history_close(history);
}
END_TEST

Suite *history_suite(void)
{
    Suite *suite = suite_create("history");
    TCase *cases = tcase_create("history");
    tcase_add_test(cases, test_the_newest_are_found_and_older_ones_are_gone);
    tcase_add_test(cases, test_records_of_an_account_come_newest_first);
    tcase_add_test(cases, test_of_equal_signatures_the_newest_counts);
    tcase_add_test(cases, test_an_account_that_stands_twice_is_told_once);
    suite_add_tcase(suite, cases);
    return suite;
}
