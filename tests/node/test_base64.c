#include "node/base64.h"
#include "tests/node/node_suites.h"
#include "tests/support/rng.h"

#include <string.h>

START_TEST(test_known_texts)
{
    static const char *const pairs[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
    for (size_t i = 0; i < ERX_ARRAY_COUNT(pairs); i++) {
        char text[16];
        size_t size = strlen(pairs[i][0]);
        erx_base64_encode((const uint8_t *)pairs[i][0], size, text);
        ck_assert_str_eq(text, pairs[i][1]);
        ck_assert_uint_eq(erx_base64_length(size), strlen(pairs[i][1]));
    }
}
END_TEST

START_TEST(test_every_size_comes_back)
{
    erx_rng_t rng = erx_rng_open(1);
    for (size_t size = 0; size < 200; size++) {
        uint8_t bytes[200], back[200];
        char text[300];
        size_t count = 1000;
        erx_rng_fill(&rng, bytes, size);
        erx_base64_encode(bytes, size, text);
        ck_assert(erx_base64_decode(text, strlen(text), back, size, &count));
        ck_assert_uint_eq(count, size);
        ck_assert_mem_eq(back, bytes, size);
        if (size > 0)
            ck_assert(!erx_base64_decode(text, strlen(text), back, size - 1, &count));
    }
}
END_TEST

START_TEST(test_what_is_no_base64_is_refused)
{
    static const char *const wrong[] = {"Z",        "Zg",     "Zg=",  "Zg= ",    "Z===",    "====",
                                        "Zm8=Zm8=", "Zm9v\n", "Zm-v", "Zm9\xff", " Zm9v   "};
    for (size_t i = 0; i < ERX_ARRAY_COUNT(wrong); i++) {
        uint8_t bytes[32];
        size_t count;
        ck_assert_msg(!erx_base64_decode(wrong[i], strlen(wrong[i]), bytes, sizeof bytes, &count),
                      "'%s' was read", wrong[i]);
    }
}
END_TEST

Suite *base64_suite(void)
{
    Suite *suite = suite_create("base64");
    TCase *tests = tcase_create("base64");
    tcase_add_test(tests, test_known_texts);
    tcase_add_test(tests, test_every_size_comes_back);
    tcase_add_test(tests, test_what_is_no_base64_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
