#include "abi/handle.h"

#include "tests/abi/abi_suites.h"

START_TEST(a_handle_gives_its_object_until_it_ends)
{
    int object;
    void *handle = erx_handle_make(ERX_HANDLE_WATCH, &object);
    ck_assert_ptr_nonnull(handle);
    ck_assert_ptr_eq(erx_handle_object(ERX_HANDLE_WATCH, handle), &object);
    ck_assert_ptr_null(erx_handle_object(ERX_HANDLE_GATE, handle));
    ck_assert_ptr_null(erx_handle_end(ERX_HANDLE_GATE, handle));
    ck_assert_ptr_eq(erx_handle_end(ERX_HANDLE_WATCH, handle), &object);
    ck_assert_ptr_null(erx_handle_end(ERX_HANDLE_WATCH, handle));
    ck_assert_ptr_null(erx_handle_object(ERX_HANDLE_WATCH, handle));
}
END_TEST

START_TEST(no_invented_pointer_is_a_handle)
{
    int object;
    void *handle = erx_handle_make(ERX_HANDLE_SEAT, &object);
    uint64_t tag = (uint64_t)(uintptr_t)handle;
    ck_assert_ptr_null(erx_handle_object(ERX_HANDLE_SEAT, NULL));
    for (uint32_t bit = 0; bit < 64; bit++)
        for (int kind = ERX_HANDLE_ROLLUP; kind <= ERX_HANDLE_SEAT; kind++) {
            const void *other = (const void *)(uintptr_t)(tag ^ UINT64_C(1) << bit);
            ck_assert_ptr_null(erx_handle_object((erx_handle_kind_t)kind, other));
        }
    ck_assert_ptr_null(erx_handle_object(ERX_HANDLE_SEAT, &object));
    ck_assert_ptr_eq(erx_handle_end(ERX_HANDLE_SEAT, handle), &object);
}
END_TEST

START_TEST(all_handles_can_be_live_and_one_more_is_refused)
{
    static void *handles[ERX_HANDLES_MAX];
    int object;
    uint32_t count = 0;
    while (count < ERX_HANDLES_MAX &&
           (handles[count] = erx_handle_make(ERX_HANDLE_GATE, &object)) != NULL)
        count++;
    ck_assert_uint_eq(count, ERX_HANDLES_MAX);
    ck_assert_ptr_null(erx_handle_make(ERX_HANDLE_GATE, &object));
    for (uint32_t i = 0; i < count; i++)
        ck_assert_ptr_eq(erx_handle_end(ERX_HANDLE_GATE, handles[i]), &object);
}
END_TEST

Suite *handle_suite(void)
{
    Suite *suite = suite_create("handle");
    TCase *tests = tcase_create("handle");
    tcase_add_test(tests, a_handle_gives_its_object_until_it_ends);
    tcase_add_test(tests, no_invented_pointer_is_a_handle);
    tcase_add_test(tests, all_handles_can_be_live_and_one_more_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
