/* What shared weights stand: dead holders, spoiled pages, unsafe directories.
 * The answer is always the right image, at worst a private one. */
#include "mem/weights.h"
#include "tests/mem/mem_suites.h"
#include "tests/mem/weights_fixture.h"
#include "tests/support/child.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_SECONDS 120 /* processes that wait for each other, on busy processors */
#define ALL_SEALS       (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

START_TEST(test_publication_of_a_killed_holder_is_removed)
{
    fixture_t fixture = fixture_open();
    pid_t child = erx_child_start(fixture_hold, &fixture);
    fixture_await(&fixture.meeting->attached, 1);
    erx_child_kill(child);
    char stale[256];
    ck_assert_uint_eq(fixture_count_publications(&fixture, stale), 1);

    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    ck_assert(!erx_weights_shared(weights));
    ck_assert_uint_eq(atomic_load(&fixture.meeting->fills), 2);
    char live[256];
    ck_assert_uint_eq(fixture_count_publications(&fixture, live), 1);
    ck_assert_str_ne(live, stale);
    erx_weights_detach(weights);
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_pages_outlive_the_killed_process_that_packed_them)
{
    fixture_t fixture = fixture_open();
    pid_t packer = erx_child_start(fixture_hold, &fixture);
    fixture_await(&fixture.meeting->attached, 1);
    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    ck_assert(erx_weights_shared(weights));
    erx_child_kill(packer);
    ck_assert(fixture_image_is_right(&fixture, weights));
    erx_weights_t *newcomer = fixture_attach_or_fail(&fixture);
    ck_assert(erx_weights_shared(newcomer));
    ck_assert_uint_eq(atomic_load(&fixture.meeting->fills), 1);
    erx_weights_detach(newcomer);
    erx_weights_detach(weights);
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_lock_of_a_process_killed_while_packing_is_free)
{
    fixture_t fixture = fixture_open();
    fixture.fill_ms = TIMEOUT_SECONDS * 1000;
    pid_t child = erx_child_start(fixture_hold, &fixture);
    fixture_await(&fixture.meeting->fills, 1);
    erx_child_kill(child);
    fixture.fill_ms = 0;
    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    ck_assert(!erx_weights_shared(weights));
    ck_assert(fixture_image_is_right(&fixture, weights));
    erx_weights_detach(weights);
    fixture_close(&fixture);
}
END_TEST

/* A copy of the published file, with one byte changed by flip, published in
 * its place. */
static int plant_copy(fixture_t *fixture, size_t flipped_offset, uint8_t flip, int seals)
{
    erx_weights_t *weights = fixture_attach_or_fail(fixture);
    char name[256];
    ck_assert_uint_eq(fixture_count_publications(fixture, name), 1);
    int pid;
    int published;
    ck_assert_int_eq(sscanf(name, "%d-%d", &pid, &published), 2);
    struct stat status;
    ck_assert_int_eq(fstat(published, &status), 0);
    size_t size = (size_t)status.st_size;

    int copy = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_ge(copy, 0);
    ck_assert_int_eq(ftruncate(copy, status.st_size), 0);
    uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
    ck_assert_ptr_ne(bytes, MAP_FAILED);
    memcpy(bytes, erx_weights_bytes(weights), size); /* the trailer is mapped too */
    bytes[flipped_offset] ^= flip;
    ck_assert_int_eq(munmap(bytes, size), 0);
    ck_assert_int_eq(fcntl(copy, F_ADD_SEALS, seals), 0);

    (void)snprintf(name, sizeof name, "%d-%d", pid, copy);
    fixture_plant(fixture, name);
    erx_weights_detach(weights);
    ck_assert_uint_eq(fixture_count_publications(fixture, NULL), 1);
    return copy;
}

/* Whether the next newcomer takes the planted copy. It has the right image in
 * any case, and a copy that is refused is not published any more. */
static bool copy_is_taken(size_t flipped_offset, uint8_t flip, int seals)
{
    fixture_t fixture = fixture_open();
    int copy = plant_copy(&fixture, flipped_offset, flip, seals);
    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    bool taken = erx_weights_shared(weights);
    ck_assert(fixture_image_is_right(&fixture, weights));
    ck_assert_uint_eq(fixture_count_publications(&fixture, NULL), taken ? 2 : 1);
    ck_assert_uint_eq(atomic_load(&fixture.meeting->fills), taken ? 1 : 2);
    erx_weights_detach(weights);
    (void)close(copy);
    fixture_close(&fixture);
    return taken;
}

START_TEST(test_only_sealed_and_unspoiled_pages_are_taken)
{
    size_t trailer = ERX_ALIGN_UP(IMAGE_BYTES, (size_t)64);
    ck_assert(copy_is_taken(0, 0, ALL_SEALS));
    ck_assert(!copy_is_taken(0, 1, ALL_SEALS));
    ck_assert(!copy_is_taken(IMAGE_BYTES / 2, 0x80, ALL_SEALS));
    ck_assert(!copy_is_taken(IMAGE_BYTES - 1, 1, ALL_SEALS));
    ck_assert(!copy_is_taken(trailer, 1, ALL_SEALS));
    ck_assert(!copy_is_taken(trailer + 16, 1, ALL_SEALS)); /* the key */
    ck_assert(!copy_is_taken(0, 0, ALL_SEALS & ~F_SEAL_WRITE));
    ck_assert(!copy_is_taken(0, 0, ALL_SEALS & ~F_SEAL_SHRINK));
    ck_assert(!copy_is_taken(0, 0, ALL_SEALS & ~F_SEAL_SEAL));
}
END_TEST

/* A process number that was used again names anything at all. */
START_TEST(test_publications_of_other_things_are_removed)
{
    fixture_t fixture = fixture_open();
    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    int pipe_fds[2];
    ck_assert_int_eq(pipe(pipe_fds), 0);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int fds[] = {pipe_fds[0], pipe_fds[1], file, directory, 999999};
    for (size_t i = 0; i < ERX_COUNT(fds); i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%d-%d", (int)getpid(), fds[i]);
        fixture_plant(&fixture, name);
    }
    erx_weights_detach(weights);
    ck_assert_uint_eq(fixture_count_publications(&fixture, NULL), ERX_COUNT(fds));

    weights = fixture_attach_or_fail(&fixture);
    ck_assert(!erx_weights_shared(weights));
    ck_assert_uint_eq(fixture_count_publications(&fixture, NULL), 1);
    erx_weights_detach(weights);
    for (size_t i = 0; i + 1 < ERX_COUNT(fds); i++)
        (void)close(fds[i]);
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_names_that_are_not_publications_are_left_alone)
{
    static const char *const names[] = {"notes", "12",    "12-",   "-3",
                                        "0-3",   "007-3", "12-3x", "99999999999-1"};
    fixture_t fixture = fixture_open();
    erx_weights_t *weights = fixture_attach_or_fail(&fixture);
    for (size_t i = 0; i < ERX_COUNT(names); i++)
        fixture_plant(&fixture, names[i]);
    erx_weights_t *newcomer = fixture_attach_or_fail(&fixture);
    ck_assert(erx_weights_shared(newcomer));
    erx_weights_detach(newcomer);
    erx_weights_detach(weights);
    ck_assert_uint_eq(fixture_count_publications(&fixture, NULL), ERX_COUNT(names));
    fixture_close(&fixture);
}
END_TEST

/* Attaches twice and expects two private images and no publication. */
static void expect_private(fixture_t *fixture)
{
    uint32_t fills = atomic_load(&fixture->meeting->fills);
    erx_weights_t *first = fixture_attach_or_fail(fixture);
    erx_weights_t *second = fixture_attach_or_fail(fixture);
    ck_assert(!erx_weights_shared(first));
    ck_assert(!erx_weights_shared(second));
    ck_assert(fixture_image_is_right(fixture, first));
    ck_assert(fixture_image_is_right(fixture, second));
    ck_assert_uint_eq(atomic_load(&fixture->meeting->fills), fills + 2);
    ck_assert_uint_eq(fixture_count_publications(fixture, NULL), 0);
    erx_weights_detach(first);
    erx_weights_detach(second);
}

START_TEST(test_directory_that_others_may_enter_is_not_used)
{
    static const mode_t modes[] = {0755, 0711, 0770, 0701, 0777, 01700};
    fixture_t fixture = fixture_open();
    for (size_t i = 0; i < ERX_COUNT(modes); i++) {
        ck_assert_int_eq(mkdir(fixture.user_directory, 0700), 0);
        ck_assert_int_eq(chmod(fixture.user_directory, modes[i]), 0);
        expect_private(&fixture);
        ck_assert_int_eq(rmdir(fixture.user_directory), 0);
    }
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_directory_of_another_user_is_not_used)
{
    if (geteuid() != 0) {
        (void)fprintf(stderr, "skipped: only root can give a directory to another user\n");
        return;
    }
    fixture_t fixture = fixture_open();
    ck_assert_int_eq(mkdir(fixture.user_directory, 0700), 0);
    ck_assert_int_eq(chown(fixture.user_directory, 12345, 12345), 0);
    expect_private(&fixture);
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_link_in_place_of_the_directory_is_not_followed)
{
    fixture_t fixture = fixture_open();
    char target[64];
    (void)snprintf(target, sizeof target, "%s/target", fixture.root);
    ck_assert_int_eq(mkdir(target, 0700), 0);
    ck_assert_int_eq(symlink(target, fixture.user_directory), 0);
    expect_private(&fixture);
    fixture_close(&fixture);
}
END_TEST

START_TEST(test_root_that_is_absent_means_private)
{
    fixture_t fixture = fixture_open();
    fixture_t elsewhere = fixture;
    (void)snprintf(elsewhere.root, sizeof elsewhere.root, "/nowhere");
    expect_private(&elsewhere);
    fixture_close(&fixture);
}
END_TEST

static erx_status_t fill_with_ones(void *context, uint8_t *bytes, size_t size, erx_error_t *error)
{
    (void)context;
    (void)error;
    memset(bytes, 1, size);
    return ERX_OK;
}

START_TEST(test_no_root_means_private)
{
    erx_weights_key_t key = {.layout = "private"};
    erx_error_t error = {0};
    for (int round = 0; round < 2; round++) {
        erx_weights_t *weights = NULL;
        ck_assert_int_eq(
            erx_weights_attach_at(NULL, &key, 100, 0, fill_with_ones, NULL, &weights, &error),
            ERX_OK);
        ck_assert(!erx_weights_shared(weights));
        ck_assert_uint_eq(erx_weights_bytes(weights)[99], 1);
        erx_weights_detach(weights);
    }
}
END_TEST

Suite *weights_faults_suite(void)
{
    Suite *suite = suite_create("weights_faults");
    TCase *tcase = tcase_create("weights_faults");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_test(tcase, test_publication_of_a_killed_holder_is_removed);
    tcase_add_test(tcase, test_pages_outlive_the_killed_process_that_packed_them);
    tcase_add_test(tcase, test_lock_of_a_process_killed_while_packing_is_free);
    tcase_add_test(tcase, test_only_sealed_and_unspoiled_pages_are_taken);
    tcase_add_test(tcase, test_publications_of_other_things_are_removed);
    tcase_add_test(tcase, test_names_that_are_not_publications_are_left_alone);
    tcase_add_test(tcase, test_directory_that_others_may_enter_is_not_used);
    tcase_add_test(tcase, test_directory_of_another_user_is_not_used);
    tcase_add_test(tcase, test_link_in_place_of_the_directory_is_not_followed);
    tcase_add_test(tcase, test_root_that_is_absent_means_private);
    tcase_add_test(tcase, test_no_root_means_private);
    suite_add_tcase(suite, tcase);
    return suite;
}
