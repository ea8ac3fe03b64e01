#include "mem/layout.h"
#include "mem/region.h"
#include "tests/mem/mem_suites.h"
#include "tests/support/child.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static erx_region_t open_region(size_t bytes, int node)
{
    erx_region_t region;
    erx_error_t error = {0};
    ck_assert_msg(erx_region_open(&region, bytes, node, &error) == ERX_OK, "%s", error.text);
    return region;
}

START_TEST(test_memory_is_zeroed_aligned_and_large_enough)
{
    static const size_t sizes[] = {
        1, 4096, 5000, ERX_HUGE_PAGE - 1, ERX_HUGE_PAGE, 3 * ERX_HUGE_PAGE + 1};
    for (size_t i = 0; i < ERX_COUNT(sizes); i++) {
        erx_region_t region = open_region(sizes[i], ERX_NODE_ANY);
        ck_assert_uint_eq((uintptr_t)region.base % ERX_HUGE_PAGE, 0);
        ck_assert_uint_ge(region.bytes, sizes[i]);
        ck_assert(region.base[0] == 0 &&
                  memcmp(region.base, region.base + 1, region.bytes - 1) == 0);
        erx_region_close(&region);
        ck_assert_ptr_null(region.base);
    }
}
END_TEST

START_TEST(test_every_page_is_present_before_use)
{
    size_t bytes = 2 * ERX_HUGE_PAGE;
    erx_region_t region = open_region(bytes, ERX_NODE_ANY);
    unsigned char present[2 * ERX_HUGE_PAGE / 4096] = {0};
    ck_assert_int_eq(mincore(region.base, bytes, present), 0);
    for (size_t page = 0; page < ERX_COUNT(present); page++)
        ck_assert_msg((present[page] & 1) != 0, "page %zu is not there", page);

    struct rusage before;
    struct rusage after;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &before), 0);
    memset(region.base, 1, bytes);
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &after), 0);
#ifndef ERX_SANITIZED /* shadow memory has page faults of its own */
    ck_assert_int_eq(after.ru_minflt, before.ru_minflt);
#endif
    erx_region_close(&region);
}
END_TEST

START_TEST(test_take_hands_out_aligned_neighbours)
{
    erx_region_t region = open_region(3 * ERX_HUGE_PAGE, ERX_NODE_ANY);
    uint8_t *first = erx_region_take(&region, 10, 64);
    uint8_t *second = erx_region_take(&region, 100, 64);
    uint8_t *third = erx_region_take(&region, 1, 4096);
    uint8_t *fourth = erx_region_take(&region, 8, ERX_HUGE_PAGE);
    ck_assert_ptr_eq(first, region.base);
    ck_assert_ptr_eq(second, region.base + 64);
    ck_assert_ptr_eq(third, region.base + 4096);
    ck_assert_ptr_eq(fourth, region.base + ERX_HUGE_PAGE);
    uint8_t *rest = erx_region_take(&region, region.bytes - region.taken, 1);
    ck_assert_ptr_eq(rest, fourth + 8);
    ck_assert_uint_eq(region.taken, region.bytes);
    erx_region_close(&region);
}
END_TEST

START_TEST(test_sealed_region_keeps_its_bytes)
{
    erx_region_t region = open_region(4096, ERX_NODE_ANY);
    uint8_t *bytes = erx_region_take(&region, 4096, 64);
    erx_region_seal(&region);
    ck_assert(region.sealed);
    memset(bytes, 0x5a, 4096);
    ck_assert_uint_eq(bytes[4095], 0x5a);
    erx_region_close(&region);
}
END_TEST

START_TEST(test_absent_node_is_not_an_error)
{
    static const int nodes[] = {0, 1, 63, 1023, 5000};
    for (size_t i = 0; i < ERX_COUNT(nodes); i++) {
        erx_region_t region = open_region(ERX_HUGE_PAGE, nodes[i]);
        memset(region.base, 1, region.bytes);
        erx_region_close(&region);
    }
}
END_TEST

START_TEST(test_too_much_memory_is_an_error_with_the_number)
{
    static const size_t sizes[] = {(size_t)1 << 62, SIZE_MAX};
    for (size_t i = 0; i < ERX_COUNT(sizes); i++) {
        erx_region_t region = {0};
        erx_error_t error = {0};
        ck_assert_int_eq(erx_region_open(&region, sizes[i], ERX_NODE_ANY, &error), ERX_ERR_MEMORY);
        char number[32];
        (void)snprintf(number, sizeof number, "%zu bytes", sizes[i]);
        ck_assert_msg(strstr(error.text, number) != NULL, "%s", error.text);
        ck_assert_ptr_null(region.base);
        erx_region_close(&region);
    }
}
END_TEST

static int take_after_seal(void *context)
{
    erx_region_t *region = context;
    erx_region_seal(region);
    (void)erx_region_take(region, 1, 1);
    return 0;
}

static int take_too_much(void *context)
{
    erx_region_t *region = context;
    (void)erx_region_take(region, region->bytes - region->taken + 1, 1);
    return 0;
}

static int take_at_odd_alignment(void *context)
{
    (void)erx_region_take(context, 1, 48);
    return 0;
}

static int take_from_closed(void *context)
{
    erx_region_close(context);
    (void)erx_region_take(context, 1, 1);
    return 0;
}

START_TEST(test_misuse_asserts)
{
    erx_region_t region = open_region(4096, ERX_NODE_ANY);
    (void)erx_region_take(&region, 100, 1);
    erx_child_expect_abort(take_after_seal, &region);
    erx_child_expect_abort(take_too_much, &region);
    erx_child_expect_abort(take_at_odd_alignment, &region);
    erx_child_expect_abort(take_from_closed, &region);
    erx_region_close(&region);
}
END_TEST

/* Walks the same layout with or without memory. */
static size_t lay_out(void *base, uint8_t *places[3])
{
    erx_layout_t layout = erx_layout_begin(base);
    places[0] = erx_layout_take(&layout, 1);
    places[1] = erx_layout_take(&layout, 64);
    places[2] = erx_layout_take(&layout, 65);
    return erx_layout_bytes(&layout);
}

START_TEST(test_layout_counts_what_it_places)
{
    uint8_t *places[3];
    size_t bytes = lay_out(NULL, places);
    ck_assert_uint_eq(bytes, 64 + 64 + 128);
    for (size_t i = 0; i < ERX_COUNT(places); i++)
        ck_assert_ptr_null(places[i]);
    erx_region_t region = open_region(bytes, ERX_NODE_ANY);
    ck_assert_uint_eq(lay_out(erx_region_take(&region, bytes, 64), places), bytes);
    ck_assert_ptr_eq(places[0], region.base);
    ck_assert_ptr_eq(places[1], region.base + 64);
    ck_assert_ptr_eq(places[2], region.base + 128);
    erx_region_close(&region);
}
END_TEST

Suite *region_suite(void)
{
    Suite *suite = suite_create("region");
    TCase *tcase = tcase_create("region");
    tcase_add_test(tcase, test_memory_is_zeroed_aligned_and_large_enough);
    tcase_add_test(tcase, test_every_page_is_present_before_use);
    tcase_add_test(tcase, test_take_hands_out_aligned_neighbours);
    tcase_add_test(tcase, test_sealed_region_keeps_its_bytes);
    tcase_add_test(tcase, test_absent_node_is_not_an_error);
    tcase_add_test(tcase, test_too_much_memory_is_an_error_with_the_number);
    tcase_add_test(tcase, test_misuse_asserts);
    tcase_add_test(tcase, test_layout_counts_what_it_places);
    suite_add_tcase(suite, tcase);
    return suite;
}
