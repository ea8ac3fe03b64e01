#include "node/outbox.h"
#include "tests/node/node_suites.h"

#include <stdio.h>
#include <string.h>

static void notify(erx_outbox_t *outbox, erx_feed_t *feed, uint64_t key, const char *text)
{
    erx_payload_t *payload = erx_payload_make(text, strlen(text));
    (void)erx_outbox_notify(outbox, feed, key, 0, payload);
    erx_payload_release(payload);
}

static void reply(erx_outbox_t *outbox, const char *text)
{
    ck_assert(erx_outbox_reply(outbox, erx_payload_make(text, strlen(text))));
}

/* The texts in the order in which they would be written, with spaces between. */
static void expect(erx_outbox_t *outbox, const char *expected)
{
    char found[1000] = "";
    size_t length = 0;
    erx_outbox_item_t item;
    while (erx_outbox_next(outbox, &item)) {
        length +=
            (size_t)snprintf(found + length, sizeof found - length, "%s%.*s", length > 0 ? " " : "",
                             (int)item.payload->length, item.payload->bytes);
        erx_payload_release(item.payload);
    }
    ck_assert_str_eq(found, expected);
    ck_assert(erx_outbox_is_empty(outbox));
    ck_assert_uint_eq(outbox->bytes, 0);
    ck_assert_uint_eq(outbox->entry_count, 0);
}

START_TEST(test_replies_come_first_and_feeds_take_turns)
{
    erx_outbox_t outbox;
    erx_feed_t a = {0}, b = {0};
    erx_outbox_open(&outbox, 8, 1000);
    notify(&outbox, &a, 1, "a1");
    notify(&outbox, &a, 1, "a2");
    notify(&outbox, &a, 1, "a3");
    notify(&outbox, &b, 2, "b1");
    reply(&outbox, "r1");
    reply(&outbox, "r2");
    expect(&outbox, "r1 r2 a1 b1 a2 a3");
    ck_assert_uint_eq(a.dropped, 0);
    erx_outbox_close(&outbox);
}
END_TEST

START_TEST(test_the_newest_state_of_every_account_stays)
{
    erx_outbox_t outbox;
    erx_feed_t feed = {0};
    erx_outbox_open(&outbox, 4, 1000);
    notify(&outbox, &feed, 9, "rare");
    for (int i = 0; i < 100; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "f%d", i);
        notify(&outbox, &feed, 1, text);
    }
    ck_assert_uint_eq(feed.dropped, 97);
    expect(&outbox, "rare f97 f98 f99");
    erx_outbox_close(&outbox);
}
END_TEST

START_TEST(test_the_oldest_makes_way_where_nothing_is_the_same)
{
    erx_outbox_t outbox;
    erx_feed_t feed = {0};
    erx_outbox_open(&outbox, 3, 1000);
    for (uint64_t key = 1; key <= 5; key++)
        notify(&outbox, &feed, key, (char[]){(char)('0' + key), '\0'});
    ck_assert_uint_eq(feed.dropped, 2);
    expect(&outbox, "3 4 5");
    erx_outbox_close(&outbox);
}
END_TEST

START_TEST(test_too_many_bytes_leave_one_of_each)
{
    erx_outbox_t outbox;
    erx_feed_t a = {0}, b = {0};
    erx_outbox_open(&outbox, 100, 10);
    notify(&outbox, &a, 1, "aaaa");
    notify(&outbox, &a, 1, "bbbb");
    notify(&outbox, &a, 1, "cccc"); /* 12 bytes would be too many */
    notify(&outbox, &b, 1, "dddddddddddddddd");
    ck_assert_uint_eq(a.dropped, 2);
    ck_assert_uint_eq(b.dropped, 0);
    expect(&outbox, "cccc dddddddddddddddd");
    erx_outbox_close(&outbox);
}
END_TEST

START_TEST(test_a_closed_feed_leaves_nothing)
{
    erx_outbox_t outbox;
    erx_feed_t a = {0}, b = {0};
    erx_outbox_open(&outbox, 8, 1000);
    notify(&outbox, &a, 1, "a1");
    notify(&outbox, &b, 1, "b1");
    notify(&outbox, &a, 2, "a2");
    erx_outbox_close_feed(&outbox, &a);
    notify(&outbox, &b, 1, "b2");
    expect(&outbox, "b1 b2");
    reply(&outbox, "unsent");
    erx_outbox_close(&outbox); /* a leak would be the sanitizers' find */
}
END_TEST

Suite *outbox_suite(void)
{
    Suite *suite = suite_create("outbox");
    TCase *tests = tcase_create("outbox");
    tcase_add_test(tests, test_replies_come_first_and_feeds_take_turns);
    tcase_add_test(tests, test_the_newest_state_of_every_account_stays);
    tcase_add_test(tests, test_the_oldest_makes_way_where_nothing_is_the_same);
    tcase_add_test(tests, test_too_many_bytes_leave_one_of_each);
    tcase_add_test(tests, test_a_closed_feed_leaves_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}
