/* What is packed, when it is dropped, and that nobody reads bytes that are
 * gone. */
#include "engine/matmul/matrix_cache.h"
#include "engine/matmul/product.h"
#include "kernels/select.h"
#include "mem/alloc.h"
#include "tests/engine/matmul/matmul_program.h"
#include "tests/engine/matmul/matmul_suites.h"
#include "tests/support/rng.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define ROWS      64u
#define COLUMNS   256u
#define MATRIX    (ROWS * COLUMNS)
#define IDLE_LONG UINT64_C(3600000000000)
#define THREADS   4u
#define ACCOUNTS  6u
#define VERSIONS  3u
#define STRESS    3000u
#define WIDE_ROWS (4 * ERX_PANEL_ROWS)

/* Room for some matrices of WIDE_ROWS and the most columns. */
#define WIDE_CACHE (5 * WIDE_ROWS / ROWS * ERX_MATVEC_COLUMNS_MAX / COLUMNS)

static const erx_kernel_t *kernel;
static erx_matrix_cache_t *cache;
static int8_t weights[ACCOUNTS * VERSIONS][MATRIX];
static int8_t input[COLUMNS];

static void setup(void)
{
    erx_rng_t rng = erx_rng_open(80);
    kernel = erx_kernel_best();
    erx_rng_fill(&rng, weights, sizeof weights);
    erx_rng_fill(&rng, input, sizeof input);
}

static void teardown(void)
{
    erx_matrix_cache_close(cache);
    cache = NULL;
}

/* A cache with room for that many matrices. */
static void open_cache(size_t matrices, uint64_t idle_ns)
{
    const erx_matrix_cache_config_t config = {
        .kernel = kernel, .bytes_max = matrices * kernel->panel_bytes(COLUMNS), .idle_ns = idle_ns};
    erx_error_t error;
    ck_assert_int_eq(erx_matrix_cache_open(&config, &cache, &error), ERX_OK);
}

static erx_matrix_name_t name_of(uint8_t account, uint64_t version)
{
    erx_matrix_name_t name = {.version = version, .rows = ROWS, .columns = COLUMNS};
    memset(name.account, account, sizeof name.account);
    return name;
}

static const int8_t *weights_of(uint8_t account, uint64_t version)
{
    return weights[account * VERSIONS + version % VERSIONS];
}

static bool has(const erx_matrix_name_t *name, const int8_t *bytes)
{
    const erx_packed_t *packed = erx_matrix_cache_take(cache, name, bytes);
    if (packed != NULL)
        erx_matrix_cache_put(cache, packed);
    return packed != NULL;
}

/* Looks for it, which has it packed; whether it was there. */
static bool look(uint8_t account, uint64_t version)
{
    erx_matrix_name_t name = name_of(account, version);
    bool is_there = has(&name, weights_of(account, version));
    erx_matrix_cache_settle(cache);
    return is_there;
}

static bool is_product(const erx_packed_t *packed, const int8_t *bytes)
{
    int32_t output[ROWS], expected[ROWS];
    erx_product_alone(kernel, erx_packed_matrix(packed), ROWS, input, output);
    erx_plain_product(bytes, input, expected, ROWS, COLUMNS);
    return memcmp(output, expected, sizeof output) == 0;
}

START_TEST(test_first_look_packs)
{
    open_cache(4, 0);
    ck_assert(!look(1, 1));
    ck_assert(look(1, 1));
    erx_matrix_name_t name = name_of(1, 1);
    const erx_packed_t *packed = erx_matrix_cache_take(cache, &name, weights_of(1, 1));
    ck_assert(is_product(packed, weights_of(1, 1)));
    erx_matrix_cache_put(cache, packed);
    erx_matrix_cache_counters_t counters = erx_matrix_cache_counters(cache);
    ck_assert_uint_eq(counters.misses, 1);
    ck_assert_uint_eq(counters.hits, 2);
    ck_assert_uint_eq(counters.packed, 1);
    ck_assert_uint_eq(counters.entries, 1);
    ck_assert_uint_eq(counters.bytes, kernel->panel_bytes(COLUMNS));
}
END_TEST

START_TEST(test_every_part_of_a_name_counts)
{
    open_cache(16, 0);
    erx_matrix_name_t name = name_of(1, 1);
    ck_assert(!has(&name, weights[0]));
    name.offset = 64;
    ck_assert(!has(&name, weights[1]));
    name.offset = 0;
    name.rows = ROWS / 2;
    ck_assert(!has(&name, weights[2]));
    name.rows = ROWS;
    name.columns = COLUMNS / 2;
    ck_assert(!has(&name, weights[3]));
    name.columns = COLUMNS;
    name.account[31] = 2;
    ck_assert(!has(&name, weights[4]));
    erx_matrix_cache_settle(cache);
    ck_assert_uint_eq(erx_matrix_cache_counters(cache).entries, 5);
}
END_TEST

START_TEST(test_other_version_replaces)
{
    open_cache(4, 0);
    (void)look(1, 1);
    erx_matrix_name_t old = name_of(1, 1), new = name_of(1, 2);
    const erx_packed_t *packed = erx_matrix_cache_take(cache, &old, weights_of(1, 1));
    ck_assert_ptr_nonnull(packed);
    ck_assert(!look(1, 2));
    /* Who uses the old one may finish. */
    ck_assert(is_product(packed, weights_of(1, 1)));
    ck_assert_uint_eq(erx_matrix_cache_counters(cache).bytes, 2 * kernel->panel_bytes(COLUMNS));
    erx_matrix_cache_put(cache, packed);
    ck_assert_uint_eq(erx_matrix_cache_counters(cache).bytes, kernel->panel_bytes(COLUMNS));
    packed = erx_matrix_cache_take(cache, &new, weights_of(1, 2));
    ck_assert(is_product(packed, weights_of(1, 2)));
    erx_matrix_cache_put(cache, packed);
    ck_assert_uint_eq(erx_matrix_cache_counters(cache).dropped, 1);
    ck_assert(!look(1, 1));
}
END_TEST

START_TEST(test_forget_drops_one_account)
{
    open_cache(4, 0);
    (void)look(1, 1);
    (void)look(2, 1);
    erx_matrix_cache_forget(cache, name_of(1, 1).account);
    ck_assert(look(2, 1));
    ck_assert(!look(1, 1));
    ck_assert_uint_eq(erx_matrix_cache_counters(cache).dropped, 1);
}
END_TEST

START_TEST(test_release_keeps_what_is_packed)
{
    open_cache(4, 0);
    (void)look(1, 1);
    erx_matrix_cache_release(cache, name_of(1, 1).account);
    ck_assert(look(1, 1));
}
END_TEST

START_TEST(test_least_recently_used_goes_first)
{
    open_cache(3, 0);
    (void)look(0, 0);
    (void)look(1, 0);
    (void)look(2, 0);
    ck_assert(look(0, 0));
    ck_assert(!look(3, 0)); /* throws 1 out */
    ck_assert(look(0, 0));
    ck_assert(look(2, 0));
    ck_assert(look(3, 0));
    ck_assert_uint_eq(erx_matrix_cache_counters(cache).evicted, 1);
    ck_assert(!look(1, 0)); /* throws 0 out */
    ck_assert(!look(0, 0));
}
END_TEST

START_TEST(test_matrix_in_use_is_not_thrown_out)
{
    open_cache(1, 0);
    (void)look(0, 0);
    erx_matrix_name_t name = name_of(0, 0);
    const erx_packed_t *packed = erx_matrix_cache_take(cache, &name, weights_of(0, 0));
    ck_assert(!look(1, 0));
    ck_assert(!look(1, 0));
    ck_assert(look(0, 0));
    ck_assert(is_product(packed, weights_of(0, 0)));
    erx_matrix_cache_put(cache, packed);
    ck_assert(!look(1, 0));
    ck_assert(look(1, 0));
}
END_TEST

START_TEST(test_working_set_that_does_not_fit_is_not_packed_over_and_over)
{
    open_cache(2, IDLE_LONG);
    for (uint32_t round = 0; round < 10; round++)
        for (uint8_t account = 0; account < 4; account++)
            (void)look(account, 0);
    erx_matrix_cache_counters_t counters = erx_matrix_cache_counters(cache);
    ck_assert_uint_eq(counters.packed, 2);
    ck_assert_uint_eq(counters.evicted, 0);
    ck_assert_uint_eq(counters.hits, 2 * 9);
}
END_TEST

START_TEST(test_room_between_others_is_found)
{
    open_cache(4, IDLE_LONG);
    for (uint8_t account = 0; account < 4; account++)
        (void)look(account, 0);
    erx_matrix_cache_forget(cache, name_of(1, 0).account);
    (void)look(4, 0);
    ck_assert(look(4, 0));
    ck_assert(look(0, 0) && look(2, 0) && look(3, 0));
    ck_assert_uint_eq(erx_matrix_cache_counters(cache).bytes, 4 * kernel->panel_bytes(COLUMNS));
}
END_TEST

START_TEST(test_matrix_larger_than_the_cache_is_never_asked_for)
{
    open_cache(1, 0);
    erx_matrix_name_t name = name_of(0, 0);
    name.rows = ROWS + 1;
    ck_assert(!has(&name, weights[0]));
    erx_matrix_cache_settle(cache);
    ck_assert(!has(&name, weights[0]));
    ck_assert_uint_eq(erx_matrix_cache_counters(cache).packed, 0);
}
END_TEST

/* A gap is no place for a matrix that is longer. */
START_TEST(test_room_is_as_long_as_the_matrix)
{
    open_cache(5, IDLE_LONG);
    for (uint8_t account = 0; account < 3; account++)
        (void)look(account, 0);
    erx_matrix_cache_forget(cache, name_of(0, 0).account);
    erx_matrix_name_t longer = name_of(9, 0), kept = name_of(1, 0);
    longer.rows = 2 * ROWS; /* account 3, versions 0 and 1 */
    ck_assert(!has(&longer, weights_of(3, 0)));
    erx_matrix_cache_settle(cache);
    const erx_packed_t *packed = erx_matrix_cache_take(cache, &kept, weights_of(1, 0));
    ck_assert(is_product(packed, weights_of(1, 0)));
    erx_matrix_cache_put(cache, packed);
    packed = erx_matrix_cache_take(cache, &longer, weights_of(3, 0));
    ck_assert_ptr_nonnull(packed);
    ck_assert(is_product(packed, weights_of(3, 0)));
    erx_matrix_cache_put(cache, packed);
}
END_TEST

static size_t wide_bytes(void)
{
    return (size_t)WIDE_ROWS * ERX_MATVEC_COLUMNS_MAX;
}

/* A cache that has just begun to pack matrices in memory of their own. */
static uint8_t *start_packing(erx_matrix_name_t *name, uint32_t count)
{
    uint8_t *memory =
        mmap(NULL, wide_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    name->rows = WIDE_ROWS;
    name->columns = ERX_MATVEC_COLUMNS_MAX;
    for (name->offset = 0; name->offset < count; name->offset++)
        ck_assert(!has(name, (const int8_t *)memory));
    while (erx_matrix_cache_counters(cache).bytes == 0)
        (void)sched_yield();
    return memory;
}

/* Memory that is gone as soon as the cache was told, while a panel of a
 * mebibyte is being packed: a read of it would be a fault. */
START_TEST(test_nobody_reads_what_was_released)
{
    open_cache(WIDE_CACHE, 0);
    for (uint32_t round = 0; round < 20; round++) {
        erx_matrix_name_t name = name_of(5, round);
        uint8_t *memory = start_packing(&name, 3);
        if (round % 2 == 0)
            erx_matrix_cache_release(cache, name.account);
        else
            erx_matrix_cache_forget(cache, name.account);
        ck_assert_int_eq(munmap(memory, wide_bytes()), 0);
        erx_matrix_cache_forget(cache, name.account);
        ck_assert_uint_eq(erx_matrix_cache_counters(cache).bytes, 0);
    }
}
END_TEST

START_TEST(test_closing_gives_up_what_is_not_packed)
{
    open_cache(WIDE_CACHE, 0);
    erx_matrix_name_t name = name_of(5, 0);
    uint8_t *memory = start_packing(&name, 4);
    teardown();
    ck_assert_int_eq(munmap(memory, wide_bytes()), 0);
}
END_TEST

START_TEST(test_looking_allocates_nothing)
{
    open_cache(2, 0);
    (void)look(0, 0);
    uint64_t before = erx_alloc_thread_bytes();
    for (uint8_t i = 0; i < 100; i++) {
        erx_matrix_name_t name = name_of(i % ACCOUNTS, 0);
        (void)has(&name, weights_of(i % ACCOUNTS, 0));
    }
    erx_matrix_cache_forget(cache, name_of(0, 0).account);
    uint64_t after = erx_alloc_thread_bytes();
    ck_assert_uint_eq(before, after);
}
END_TEST

/* Threads multiply by changing accounts while others forget them. */
static atomic_uint wrong;

static void *stress(void *argument)
{
    erx_rng_t rng = erx_rng_open(90 + *(const uint32_t *)argument);
    for (uint32_t i = 0; i < STRESS; i++) {
        uint8_t account = (uint8_t)erx_rng_range(&rng, 0, ACCOUNTS - 1);
        uint64_t version = (uint64_t)erx_rng_range(&rng, 0, VERSIONS - 1);
        erx_matrix_name_t name = name_of(account, version);
        const erx_packed_t *packed =
            erx_matrix_cache_take(cache, &name, weights_of(account, version));
        if (packed != NULL) {
            if (!is_product(packed, weights_of(account, version)))
                atomic_fetch_add(&wrong, 1);
            erx_matrix_cache_put(cache, packed);
        }
        switch (erx_rng_range(&rng, 0, 40)) {
        case 0:
            erx_matrix_cache_forget(cache, name.account);
            break;
        case 1:
            erx_matrix_cache_release(cache, name.account);
            break;
        case 2:
            erx_matrix_cache_settle(cache);
            break;
        default:
            break;
        }
    }
    return NULL;
}

START_TEST(test_threads_see_the_version_they_asked_for)
{
    pthread_t threads[THREADS];
    uint32_t streams[THREADS];
    open_cache(4, 0);
    atomic_store(&wrong, 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        streams[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, stress, &streams[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_uint_eq(atomic_load(&wrong), 0);
    erx_matrix_cache_counters_t counters = erx_matrix_cache_counters(cache);
    ck_assert_uint_le(counters.bytes, 4 * kernel->panel_bytes(COLUMNS));
    ck_assert_uint_gt(counters.hits, 0);
    ck_assert_uint_gt(counters.dropped, 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, test_first_look_packs);
    tcase_add_test(tcase, test_every_part_of_a_name_counts);
    tcase_add_test(tcase, test_other_version_replaces);
    tcase_add_test(tcase, test_forget_drops_one_account);
    tcase_add_test(tcase, test_release_keeps_what_is_packed);
    tcase_add_test(tcase, test_least_recently_used_goes_first);
    tcase_add_test(tcase, test_matrix_in_use_is_not_thrown_out);
    tcase_add_test(tcase, test_working_set_that_does_not_fit_is_not_packed_over_and_over);
    tcase_add_test(tcase, test_room_between_others_is_found);
    tcase_add_test(tcase, test_room_is_as_long_as_the_matrix);
    tcase_add_test(tcase, test_matrix_larger_than_the_cache_is_never_asked_for);
    tcase_add_test(tcase, test_nobody_reads_what_was_released);
    tcase_add_test(tcase, test_closing_gives_up_what_is_not_packed);
    tcase_add_test(tcase, test_looking_allocates_nothing);
    tcase_add_test(tcase, test_threads_see_the_version_they_asked_for);
}

Suite *matrix_cache_suite(void)
{
    Suite *suite = suite_create("matrix_cache");
    TCase *tcase = tcase_create("cache");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    add_tests(tcase);
    suite_add_tcase(suite, tcase);
    return suite;
}
