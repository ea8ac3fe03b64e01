#include "engine/transaction/status_cache.h"
#include "tests/engine/transaction/transaction_suites.h"

#include <string.h>

static erx_status_cache_t *open_cache(uint32_t capacity)
{
    erx_status_cache_t *cache = NULL;
    erx_error_t error = {0};
    ck_assert_msg(erx_status_cache_open(capacity, 5, &cache, &error) == ERX_OK, "%s", error.text);
    return cache;
}

/* Signature and message of a number. */
static erx_signature_t signature_of(uint64_t number)
{
    erx_signature_t signature = {{0}};
    memcpy(signature.bytes + 20, &number, sizeof number);
    return signature;
}

static erx_key_t message_of(uint64_t number)
{
    erx_key_t message = {{0}};
    memcpy(message.bytes + 24, &number, sizeof number);
    return message;
}

static erx_status_t insert(erx_status_cache_t *cache, uint64_t number, uint64_t slot)
{
    erx_signature_t signature = signature_of(number);
    erx_key_t message = message_of(number);
    const erx_status_cache_entry_t entry = {
        .slot = slot,
        .result = {ERX_TRANSACTION_INSTRUCTION_ERROR, 3, ERX_INSTRUCTION_CUSTOM, (uint32_t)number},
    };
    return erx_status_cache_insert(cache, &signature, &message, &entry);
}

static void expect(const erx_status_cache_t *cache, uint64_t number, bool expected, uint64_t slot)
{
    erx_signature_t signature = signature_of(number);
    erx_key_t message = message_of(number);
    erx_status_cache_entry_t entry;
    ck_assert_int_eq(erx_status_cache_has_message(cache, &message), expected);
    ck_assert_int_eq(erx_status_cache_find(cache, &signature, &entry), expected);
    if (!expected)
        return;
    ck_assert_uint_eq(entry.slot, slot);
    ck_assert_int_eq(entry.result.error, ERX_TRANSACTION_INSTRUCTION_ERROR);
    ck_assert_uint_eq(entry.result.index, 3);
    ck_assert_int_eq(entry.result.instruction, ERX_INSTRUCTION_CUSTOM);
    ck_assert_uint_eq(entry.result.custom, number);
}

START_TEST(test_transactions_are_found_until_purged)
{
    erx_status_cache_t *cache = open_cache(100);
    for (uint64_t number = 0; number < 100; number++)
        ck_assert_int_eq(insert(cache, number, number / 10), ERX_OK);
    ck_assert_uint_eq(erx_status_cache_count(cache), 100);
    for (uint64_t first_slot = 0; first_slot <= 11; first_slot++) {
        erx_status_cache_purge(cache, first_slot);
        for (uint64_t number = 0; number < 101; number++)
            expect(cache, number, number < 100 && number / 10 >= first_slot, number / 10);
    }
    ck_assert_uint_eq(erx_status_cache_count(cache), 0);
    ck_assert_uint_eq(erx_status_cache_room(cache), 100);
    erx_status_cache_close(cache);
}
END_TEST

START_TEST(test_full_cache_refuses_and_forgets_nothing)
{
    erx_status_cache_t *cache = open_cache(3);
    for (uint64_t number = 0; number < 3; number++)
        ck_assert_int_eq(insert(cache, number, number), ERX_OK);
    ck_assert_uint_eq(erx_status_cache_room(cache), 0);
    ck_assert_int_eq(insert(cache, 3, 3), ERX_ERR_FULL);
    for (uint64_t number = 0; number < 4; number++)
        expect(cache, number, number < 3, number);
    erx_status_cache_purge(cache, 1);
    ck_assert_int_eq(insert(cache, 3, 3), ERX_OK);
    for (uint64_t number = 0; number < 4; number++)
        expect(cache, number, number > 0, number);
    erx_status_cache_close(cache);
}
END_TEST

/* The same message, signed once more in another way, is the same transaction. */
START_TEST(test_message_is_told_whatever_its_signature)
{
    erx_status_cache_t *cache = open_cache(4);
    ck_assert_int_eq(insert(cache, 1, 1), ERX_OK);
    erx_signature_t other = signature_of(2);
    erx_key_t message = message_of(1);
    erx_status_cache_entry_t entry;
    ck_assert(!erx_status_cache_find(cache, &other, &entry));
    ck_assert(erx_status_cache_has_message(cache, &message));
    erx_status_cache_close(cache);
}
END_TEST

START_TEST(test_many_generations)
{
    erx_status_cache_t *cache = open_cache(50);
    for (uint64_t slot = 0; slot < 2000; slot++) {
        erx_status_cache_purge(cache, slot < 10 ? 0 : slot - 9);
        for (uint64_t k = 0; k < slot % 6; k++)
            ck_assert_int_eq(insert(cache, slot * 10 + k, slot), ERX_OK);
        if (slot % 6 > 0)
            expect(cache, slot * 10, true, slot);
        if (slot >= 19 && (slot - 10) % 6 > 0)
            expect(cache, (slot - 10) * 10, false, 0);
        if (slot >= 19 && (slot - 9) % 6 > 0)
            expect(cache, (slot - 9) * 10, true, slot - 9);
    }
    erx_status_cache_close(cache);
}
END_TEST

START_TEST(test_capacities_out_of_range_are_refused)
{
    static const uint32_t capacities[] = {0, ERX_STATUS_CACHE_CAPACITY_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < ERX_COUNT(capacities); i++) {
        erx_status_cache_t *cache = NULL;
        erx_error_t error;
        ck_assert_int_eq(erx_status_cache_open(capacities[i], 5, &cache, &error), ERX_ERR_RANGE);
        ck_assert_ptr_null(cache);
        ck_assert_msg(strstr(error.text, "status cache: capacity") != NULL, "%s", error.text);
    }
    erx_status_cache_close(NULL);
}
END_TEST

Suite *status_cache_suite(void)
{
    Suite *suite = suite_create("status_cache");
    TCase *tcase = tcase_create("status_cache");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_transactions_are_found_until_purged);
    tcase_add_test(tcase, test_full_cache_refuses_and_forgets_nothing);
    tcase_add_test(tcase, test_message_is_told_whatever_its_signature);
    tcase_add_test(tcase, test_many_generations);
    tcase_add_test(tcase, test_capacities_out_of_range_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
