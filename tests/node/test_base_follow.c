/* What is fetched, subscribed to and handed on, step by step. */
#include "node/base_follow.h"
#include "tests/node/node_suites.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <string.h>

#define TICKETS 8u

static char directory[ERX_SCRATCH_PATH_MAX];
static char path[ERX_SCRATCH_PATH_MAX + 16];
static erx_follow_t *follow;
static erx_follow_ticket_t tickets[TICKETS];
static const erx_pubkey_t first = {{1, 1}}, second = {{2, 1}};

static void open_follow(void)
{
    erx_failure_t failure;
    follow = erx_follow_open(path, &failure);
    ck_assert_msg(follow != NULL, "%s", failure.text);
    erx_follow_connected(follow, true); /* or all is fetched now and then */
}

static void setup(void)
{
    erx_scratch_make(directory);
    (void)snprintf(path, sizeof path, "%s/followed", directory);
    open_follow();
}

static void teardown(void)
{
    erx_follow_close(follow);
    erx_scratch_remove(directory);
}

static bool same(const erx_pubkey_t *a, const erx_pubkey_t *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* What is due now. */
static uint32_t take(void)
{
    return erx_follow_take(follow, 0, tickets, TICKETS);
}

static void want(const erx_pubkey_t *key)
{
    erx_pubkey_t put_out;
    ck_assert(!erx_follow_want(follow, key, &put_out));
}

static erx_base_account_t account_of(const erx_pubkey_t *key, uint64_t lamports, uint64_t slot)
{
    return (erx_base_account_t){
        .key = *key, .exists = true, .lamports = lamports, .base_slot = slot};
}

/* The only ticket that is due is fetched: whether that is news. */
static bool fetch(const erx_pubkey_t *key, uint64_t lamports, uint64_t slot)
{
    ck_assert_uint_eq(take(), 1);
    ck_assert(same(&tickets[0].key, key));
    erx_base_account_t account = account_of(key, lamports, slot);
    return erx_follow_note(follow, &tickets[0], &account, NULL);
}

/* Has the account's and its record's subscriptions confirmed, as id and id + 1. */
static void subscribe(const erx_pubkey_t *key, uint64_t id)
{
    erx_follow_request_t request;
    for (uint64_t i = 0; i < 2; i++) {
        ck_assert(erx_follow_next(follow, &request));
        ck_assert(request.is_subscribe);
        ck_assert(same(&request.key, key) == (i == 0));
        erx_follow_confirmed(follow, request.id, id + i);
    }
    ck_assert(!erx_follow_next(follow, &request));
}

START_TEST(test_what_is_wanted_is_fetched_once)
{
    want(&first);
    want(&first);
    ck_assert_uint_eq(take(), 1);
    ck_assert(same(&tickets[0].key, &first) && tickets[0].was_asked);
    ck_assert_uint_eq(take(), 0); /* it is being fetched */
    erx_follow_put_back(follow, tickets, 1);
    ck_assert(fetch(&first, 5, 1));
    ck_assert_uint_eq(take(), 0);
}
END_TEST

START_TEST(test_what_changes_is_fetched_again_and_told_when_it_is_news)
{
    want(&first);
    ck_assert(fetch(&first, 5, 1));
    subscribe(&first, 70);
    ck_assert(!fetch(&first, 5, 2)); /* it may have changed before, and has not */
    erx_follow_notified(follow, 71, 9);
    ck_assert(!fetch(&first, 6, 8)); /* from before what was told */
    ck_assert(fetch(&first, 6, 9));
    ck_assert_uint_eq(take(), 0);
}
END_TEST

START_TEST(test_what_is_delegated_here_or_gone_is_followed_no_longer)
{
    erx_follow_request_t request;
    erx_delegation_t delegation;
    want(&first);
    ck_assert(fetch(&first, 5, 1));
    subscribe(&first, 70);
    ck_assert(erx_follow_delegation(follow, &first, &delegation) && !delegation.is_delegated);
    ck_assert_uint_eq(take(), 1);
    erx_base_account_t account = account_of(&first, 5, 2);
    account.is_delegated_here = true;
    ck_assert(erx_follow_note(follow, &tickets[0], &account, NULL));
    ck_assert(!erx_follow_delegation(follow, &first, &delegation));
    uint64_t ended = 0;
    while (erx_follow_next(follow, &request)) {
        ck_assert(!request.is_subscribe);
        ended += request.subscription;
    }
    ck_assert_uint_eq(ended, 70 + 71);
    erx_follow_notified(follow, 70, 3); /* on its way when it was ended */
    ck_assert_uint_eq(take(), 0);
}
END_TEST

START_TEST(test_a_new_connection_subscribes_to_all_again)
{
    want(&first);
    ck_assert(fetch(&first, 5, 1));
    subscribe(&first, 70);
    ck_assert(!fetch(&first, 5, 1));
    erx_follow_connected(follow, false);
    erx_follow_connected(follow, true);
    subscribe(&first, 90);
    ck_assert(fetch(&first, 7, 4)); /* what changed meanwhile is not missed */
}
END_TEST

START_TEST(test_without_a_connection_all_is_looked_at)
{
    want(&first);
    ck_assert(fetch(&first, 5, 1));
    ck_assert_uint_eq(take(), 0);
    erx_follow_connected(follow, false);
    ck_assert(fetch(&first, 6, 2));
    ck_assert_uint_eq(take(), 0); /* not again at once */
}
END_TEST

START_TEST(test_another_life_follows_the_same_accounts)
{
    erx_failure_t failure;
    want(&first);
    ck_assert(fetch(&first, 5, 1));
    want(&second);
    ck_assert_uint_eq(take(), 1);
    erx_base_account_t gone = {.key = second, .base_slot = 1};
    ck_assert(erx_follow_note(follow, &tickets[0], &gone, NULL));
    ck_assert(erx_follow_save(follow, &failure));
    erx_follow_close(follow);
    open_follow();
    ck_assert(fetch(&first, 5, 2)); /* nothing was handed on in this life */
    ck_assert(!tickets[0].was_asked);
    ck_assert_uint_eq(take(), 0);
}
END_TEST

START_TEST(test_a_file_with_something_else_is_refused)
{
    erx_failure_t failure;
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    (void)fputs("no key\n", file);
    (void)fclose(file);
    ck_assert_ptr_null(erx_follow_open(path, &failure));
    ck_assert(strstr(failure.text, path) != NULL && strstr(failure.text, "no key") != NULL);
}
END_TEST

START_TEST(test_one_too_many_puts_out_the_first)
{
    erx_pubkey_t put_out, key = {{3}};
    for (uint32_t i = 0; i < ERX_FOLLOW_ACCOUNTS_MAX; i++) {
        memcpy(key.bytes + 4, &i, sizeof i);
        ck_assert(!erx_follow_want(follow, &key, &put_out));
        ck_assert_uint_eq(take(), 1);
        erx_base_account_t account = account_of(&key, 1, 1);
        ck_assert(erx_follow_note(follow, &tickets[0], &account, NULL));
    }
    ck_assert(erx_follow_want(follow, &first, &put_out));
    memset(key.bytes + 4, 0, sizeof(uint32_t));
    ck_assert(same(&put_out, &key));
    ck_assert(fetch(&first, 5, 1));
}
END_TEST

Suite *base_follow_suite(void)
{
    Suite *suite = suite_create("base_follow");
    TCase *tests = tcase_create("base_follow");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_what_is_wanted_is_fetched_once);
    tcase_add_test(tests, test_what_changes_is_fetched_again_and_told_when_it_is_news);
    tcase_add_test(tests, test_what_is_delegated_here_or_gone_is_followed_no_longer);
    tcase_add_test(tests, test_a_new_connection_subscribes_to_all_again);
    tcase_add_test(tests, test_without_a_connection_all_is_looked_at);
    tcase_add_test(tests, test_another_life_follows_the_same_accounts);
    tcase_add_test(tests, test_a_file_with_something_else_is_refused);
    tcase_add_test(tests, test_one_too_many_puts_out_the_first);
    suite_add_tcase(suite, tests);
    return suite;
}
