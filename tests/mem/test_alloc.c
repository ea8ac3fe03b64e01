#include "mem/alloc.h"
#include "tests/mem/mem_suites.h"
#include "tests/support/rng.h"

#include <stdlib.h>
#include <string.h>

static bool all_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

START_TEST(test_memory_is_zeroed_and_aligned)
{
    erx_rng_t rng = erx_rng_open(1);
    for (int round = 0; round < 200; round++) {
        size_t size = (size_t)erx_rng_range(&rng, 1, 70000);
        uint8_t *memory = erx_alloc(1, size);
        ck_assert_ptr_nonnull(memory);
        ck_assert_uint_eq((uintptr_t)memory % ERX_CACHE_LINE, 0);
        ck_assert(all_zero(memory, size));
        memset(memory, 0xff, size); /* so that the next block of this place shows it */
        erx_free(memory);
    }
}
END_TEST

START_TEST(test_count_times_size)
{
    uint64_t *numbers = erx_alloc(1000, sizeof *numbers);
    ck_assert_ptr_nonnull(numbers);
    for (size_t i = 0; i < 1000; i++)
        numbers[i] = i;
    ck_assert_uint_eq(numbers[999], 999);
    erx_free(numbers);
}
END_TEST

START_TEST(test_product_that_overflows_is_refused)
{
    ck_assert_ptr_null(erx_alloc(SIZE_MAX / 2, 3));
    ck_assert_ptr_null(erx_alloc(SIZE_MAX, SIZE_MAX));
}
END_TEST

START_TEST(test_nothing_is_still_a_pointer)
{
    void *one = erx_alloc(0, 16);
    void *two = erx_alloc(16, 0);
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_nonnull(two);
    ck_assert_ptr_ne(one, two);
    erx_free(one);
    erx_free(two);
    erx_free(NULL);
}
END_TEST

#ifdef ERX_SANITIZED

START_TEST(test_counters_are_zero_without_jemalloc)
{
    void *memory = erx_alloc(1, 4096);
    ck_assert_uint_eq(erx_alloc_thread_bytes(), 0);
    ck_assert_uint_eq(erx_alloc_arena_bytes(), 0);
    erx_free(memory);
}
END_TEST

#else

START_TEST(test_arena_counts_only_the_engine)
{
    size_t before = erx_alloc_arena_bytes();
    void *foreign = malloc(1 << 20);
    ck_assert_ptr_nonnull(foreign);
    ck_assert_uint_eq(erx_alloc_arena_bytes(), before);

    void *small = erx_alloc(1, 1000);
    void *large = erx_alloc(1, 1 << 20);
    size_t during = erx_alloc_arena_bytes();
    ck_assert_uint_ge(during, before + 1000 + (1 << 20));
    ck_assert_uint_le(during, before + (1 << 20) + (1 << 18)); /* rounding, not more */

    erx_free(small);
    erx_free(large);
    ck_assert_uint_eq(erx_alloc_arena_bytes(), before);
    free(foreign);
}
END_TEST

START_TEST(test_thread_counts_every_caller)
{
    /* All counts first: Check's assertions allocate too. */
    uint64_t start = erx_alloc_thread_bytes();
    uint64_t again = erx_alloc_thread_bytes();
    void *own = erx_alloc(1, 5000);
    uint64_t after_own = erx_alloc_thread_bytes();
    void *volatile foreign = malloc(7000); /* volatile: the pair must not be optimized away */
    uint64_t after_foreign = erx_alloc_thread_bytes();
    free(foreign);
    erx_free(own);
    uint64_t end = erx_alloc_thread_bytes();

    ck_assert_uint_eq(again, start); /* counting allocates nothing */
    ck_assert_uint_ge(after_own, start + 5000);
    ck_assert_uint_ge(after_foreign, after_own + 7000);
    ck_assert_uint_eq(end, after_foreign); /* ever, not now */
}
END_TEST

#endif

Suite *alloc_suite(void)
{
    Suite *suite = suite_create("alloc");
    TCase *tcase = tcase_create("alloc");
    tcase_add_test(tcase, test_memory_is_zeroed_and_aligned);
    tcase_add_test(tcase, test_count_times_size);
    tcase_add_test(tcase, test_product_that_overflows_is_refused);
    tcase_add_test(tcase, test_nothing_is_still_a_pointer);
#ifdef ERX_SANITIZED
    tcase_add_test(tcase, test_counters_are_zero_without_jemalloc);
#else
    tcase_add_test(tcase, test_arena_counts_only_the_engine);
    tcase_add_test(tcase, test_thread_counts_every_caller);
#endif
    suite_add_tcase(suite, tcase);
    return suite;
}
