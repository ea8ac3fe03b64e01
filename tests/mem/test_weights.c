#include "mem/weights.h"
#include "tests/mem/mem_suites.h"
#include "tests/mem/weights_fixture.h"
#include "tests/support/child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Every test has seconds to wait for other processes on a busy machine. */
#define TIMEOUT_SECONDS 120

START_TEST(test_first_holder_packs_and_publishes)
{
    fixture_t fixture = fixture_open();
    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    ck_assert(!erx_weights_shared(weights));
    ck_assert(fixture_image_is_right(&fixture, weights));
    ck_assert_uint_eq((uintptr_t)erx_weights_bytes(weights) % ERX_HUGE_PAGE, 0);
    ck_assert_uint_eq(atomic_load(&fixture.meeting->fills), 1);
    ck_assert_uint_eq(fixture_count_publications(&fixture, NULL), 1);
    erx_weights_detach(weights);
    char directory[128];
    ck_assert(!fixture_find_key_directory(&fixture, directory)); /* the last one cleans up */
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_same_process_shares_with_itself)
{
    fixture_t fixture = fixture_open();
    erx_weights_t *first = fixture_attach_or_fail(&fixture);
    erx_weights_t *second = fixture_attach_or_fail(&fixture);
    ck_assert(erx_weights_shared(second));
    ck_assert_uint_eq(fixture_count_publications(&fixture, NULL), 2);
    erx_weights_detach(first);
    ck_assert(fixture_image_is_right(&fixture, second));
    erx_weights_t *third = fixture_attach_or_fail(&fixture); /* from the second */
    ck_assert(erx_weights_shared(third));
    ck_assert_uint_eq(atomic_load(&fixture.meeting->fills), 1);
    erx_weights_detach(second);
    erx_weights_detach(third);
    ck_assert_uint_eq(fixture_count_publications(&fixture, NULL), 0);
    erx_weights_detach(NULL);
    fixture_close(&fixture);
}
END_TEST

typedef struct {
    uint64_t rss_kb;
    uint64_t pss_kb;
} usage_t;

/* What the kernel says about the mapping that holds address. */
static usage_t read_usage(const void *address)
{
    usage_t usage = {0};
    FILE *file = fopen("/proc/self/smaps", "r");
    if (file == NULL)
        return usage;
    bool inside = false;
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        uintptr_t begin;
        uintptr_t end;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2)
            inside = (uintptr_t)address >= begin && (uintptr_t)address < end;
        else if (inside && sscanf(line, "Rss: %" SCNu64, &usage.rss_kb) != 1)
            (void)sscanf(line, "Pss: %" SCNu64, &usage.pss_kb);
    }
    (void)fclose(file);
    return usage;
}

/* Half of the resident pages belong to each of two processes: within 5 %. */
static bool is_half(usage_t usage)
{
    return usage.rss_kb >= IMAGE_BYTES / 1024 && usage.pss_kb * 100 >= usage.rss_kb * 45 &&
           usage.pss_kb * 100 <= usage.rss_kb * 55;
}

static int attach_and_measure(void *context)
{
    fixture_t *fixture = context;
    erx_error_t error;
    erx_weights_t *weights = fixture_attach(fixture, &error);
    ERX_CHILD_CHECK(weights != NULL);
    ERX_CHILD_CHECK(erx_weights_shared(weights));
    ERX_CHILD_CHECK(fixture_image_is_right(fixture, weights));
    ERX_CHILD_CHECK(is_half(read_usage(erx_weights_bytes(weights))));
    (void)atomic_fetch_add(&fixture->meeting->attached, 1);
    fixture_await(&fixture->meeting->may_leave, 1);
    erx_weights_detach(weights);
    return 0;
}

/* The child starts before the parent attaches, so that it inherits no mapping
 * and has to find the pages. */
static int attach_after_parent(void *context)
{
    const fixture_t *fixture = context;
    fixture_await(&fixture->meeting->fills, 1);
    return attach_and_measure(context);
}

START_TEST(test_second_process_maps_the_same_pages)
{
    fixture_t fixture = fixture_open();
    pid_t child = erx_child_start(attach_after_parent, &fixture);
    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    ck_assert(!erx_weights_shared(weights));
    fixture_await(&fixture.meeting->attached, 1);
    usage_t usage = read_usage(erx_weights_bytes(weights));
    ck_assert_msg(is_half(usage), "Rss %" PRIu64 " kB, Pss %" PRIu64 " kB", usage.rss_kb,
                  usage.pss_kb);
    atomic_store(&fixture.meeting->may_leave, 1);
    erx_child_finish(child);
    ck_assert_uint_eq(atomic_load(&fixture.meeting->fills), 1);
    ck_assert_uint_eq(fixture_count_publications(&fixture, NULL), 1);
    erx_weights_detach(weights);
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_four_newcomers_at_once_pack_once)
{
    enum { PROCESSES = 4 };
    fixture_t fixture = fixture_open();
    fixture.fill_ms = 50; /* the others arrive while the first one packs */
    pid_t children[PROCESSES];
    for (size_t i = 0; i < PROCESSES; i++)
        children[i] = erx_child_start(fixture_hold, &fixture);
    fixture_await(&fixture.meeting->attached, PROCESSES);
    ck_assert_uint_eq(atomic_load(&fixture.meeting->fills), 1);
    ck_assert_uint_eq(atomic_load(&fixture.meeting->shared), PROCESSES - 1);
    ck_assert_uint_eq(fixture_count_publications(&fixture, NULL), PROCESSES);
    atomic_store(&fixture.meeting->may_leave, 1);
    for (size_t i = 0; i < PROCESSES; i++)
        erx_child_finish(children[i]);
    char directory[128];
    ck_assert(!fixture_find_key_directory(&fixture, directory));
    fixture_close(&fixture);
}
END_TEST

/* Attaches and detaches often, without waiting for anybody. */
static int come_and_go(void *context)
{
    fixture_t *fixture = context;
    for (int round = 0; round < 100; round++) {
        erx_error_t error;
        erx_weights_t *weights = fixture_attach(fixture, &error);
        ERX_CHILD_CHECK(weights != NULL);
        ERX_CHILD_CHECK(fixture_image_is_right(fixture, weights));
        erx_weights_detach(weights);
    }
    return 0;
}

START_TEST(test_coming_and_going_leaves_nothing)
{
    enum { PROCESSES = 4 };
    fixture_t fixture = fixture_open();
    fixture.size = 5000; /* little to pack: much of the time goes into the protocol */
    pid_t children[PROCESSES];
    for (size_t i = 0; i < PROCESSES; i++)
        children[i] = erx_child_start(come_and_go, &fixture);
    for (size_t i = 0; i < PROCESSES; i++)
        erx_child_finish(children[i]);
    /* Two that leave at the same instant may each see the other one: what is
     * left then is removed by the next holder. */
    erx_weights_detach(fixture_attach_or_fail(&fixture));
    char directory[128];
    ck_assert(!fixture_find_key_directory(&fixture, directory));
    fixture_close(&fixture);
}
END_TEST

/* Attaches with changed instead of the fixture's key, beside a holder of the
 * latter; whether they share. */
static bool shares(fixture_t *fixture, const erx_weights_key_t *changed)
{
    erx_weights_t *holder = fixture_attach_or_fail(fixture);
    fixture_t other = *fixture;
    other.key = *changed;
    erx_weights_t *newcomer = fixture_attach_or_fail(&other);
    bool shared = erx_weights_shared(newcomer);
    ck_assert(fixture_image_is_right(fixture, newcomer));
    erx_weights_detach(newcomer);
    erx_weights_detach(holder);
    return shared;
}

START_TEST(test_every_part_of_the_key_counts)
{
    fixture_t fixture = fixture_open();
    erx_weights_key_t key = fixture.key;
    ck_assert(shares(&fixture, &key));
    key.model_hash[31] ^= 1;
    ck_assert(!shares(&fixture, &key));
    key = fixture.key;
    key.layout[0] = 'R';
    ck_assert(!shares(&fixture, &key));
    key = fixture.key;
    key.layout_version++;
    ck_assert(!shares(&fixture, &key));
    key = fixture.key;
    key.node++;
    ck_assert(!shares(&fixture, &key));
    key = fixture.key;
    key.layout[sizeof key.layout - 1] = 'x'; /* behind the end of the name */
    ck_assert(shares(&fixture, &key));
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_another_size_is_not_shared)
{
    fixture_t fixture = fixture_open();
    erx_weights_t *holder = fixture_attach_or_fail(&fixture);
    fixture_t other = fixture;
    other.size = IMAGE_BYTES - 1; /* in a file of the same length */
    erx_weights_t *newcomer = fixture_attach_or_fail(&other);
    ck_assert(!erx_weights_shared(newcomer));
    ck_assert(fixture_image_is_right(&other, newcomer));
    erx_weights_detach(newcomer);
    erx_weights_detach(holder);
    fixture_close(&fixture);
}
END_TEST

static int write_to_image(void *context)
{
    volatile uint8_t *byte = context;
    *byte = 1;
    return 0;
}

START_TEST(test_nobody_can_write)
{
    fixture_t fixture = fixture_open();
    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    erx_child_expect_fault(write_to_image, (void *)(uintptr_t)erx_weights_bytes(weights));

    char name[256];
    ck_assert_uint_eq(fixture_count_publications(&fixture, name), 1);
    int pid;
    int published;
    ck_assert_int_eq(sscanf(name, "%d-%d", &pid, &published), 2);
    ck_assert_int_eq(pid, (int)getpid());
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", published);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_ne(ftruncate(fd, 0), 0);
    (void)close(fd);
    erx_weights_detach(weights);

    fixture_t elsewhere = fixture;
    (void)snprintf(elsewhere.root, sizeof elsewhere.root, "/nowhere");
    erx_weights_t *private = fixture_attach_or_fail(&elsewhere);
    erx_child_expect_fault(write_to_image, (void *)(uintptr_t)erx_weights_bytes(private));
    erx_weights_detach(private);
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_failure_to_pack_is_passed_on_and_leaves_nothing)
{
    fixture_t fixture = fixture_open();
    fixture.fill_status = ERX_ERR_HASH;
    erx_error_t error = {0};
    ck_assert_ptr_null(fixture_attach(&fixture, &error));
    ck_assert_int_eq(error.status, ERX_ERR_HASH);
    ck_assert_str_eq(error.text, "packing failed as told");
    char directory[128];
    ck_assert(!fixture_find_key_directory(&fixture, directory));
    fixture.fill_status = ERX_OK;
    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    ck_assert(!erx_weights_shared(weights));
    erx_weights_detach(weights);
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_sizes_beyond_memory_are_refused)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 8};
    fixture_t fixture = fixture_open();
    for (size_t i = 0; i < ERX_COUNT(sizes); i++) {
        fixture.size = sizes[i];
        erx_error_t error = {0};
        ck_assert_ptr_null(fixture_attach(&fixture, &error));
        ck_assert_int_eq(error.status, ERX_ERR_MEMORY);
        ck_assert_str_ne(error.text, "");
    }
    ck_assert_uint_eq(atomic_load(&fixture.meeting->fills), 0);
    fixture_close(&fixture);
}
END_TEST

Suite *weights_suite(void)
{
    Suite *suite = suite_create("weights");
    TCase *tcase = tcase_create("weights");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_test(tcase, test_first_holder_packs_and_publishes);
    tcase_add_test(tcase, test_same_process_shares_with_itself);
    tcase_add_test(tcase, test_second_process_maps_the_same_pages);
    tcase_add_test(tcase, test_four_newcomers_at_once_pack_once);
    tcase_add_test(tcase, test_coming_and_going_leaves_nothing);
    tcase_add_test(tcase, test_every_part_of_the_key_counts);
    tcase_add_test(tcase, test_another_size_is_not_shared);
    tcase_add_test(tcase, test_nobody_can_write);
    tcase_add_test(tcase, test_failure_to_pack_is_passed_on_and_leaves_nothing);
    tcase_add_test(tcase, test_sizes_beyond_memory_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
