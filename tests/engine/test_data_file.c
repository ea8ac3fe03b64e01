/* Files of a data directory, on disks that are full, read-only, gone. */
#include "tests/engine/engine_suites.h"

#include "engine/data_file.h"
#include "mem/alloc.h"
#include "tests/support/child.h"
#include "tests/support/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB    ((uint64_t)1 << 20)
#define BYTES  (3 * MIB) /* of the files that are made: more than one chunk */
#define NOBODY 65534u    /* a user without rights */

static char scratch[ERX_SCRATCH_PATH_MAX];
static erx_error_t error;

static void setup(void)
{
    erx_scratch_make(scratch);
}

static void teardown(void)
{
    erx_scratch_remove(scratch);
}

static const char *path_of(const char *name)
{
    return erx_scratch_file(scratch, name);
}

static erx_status_t create(const char *directory, uint64_t bytes, erx_data_file_t *file)
{
    return erx_data_file_create(directory, "file", bytes, NULL, NULL, file, &error);
}

/* Works in tests and in their children. */
static bool fails_with(erx_status_t status, erx_status_t expected, const char *words)
{
    if (status == expected && strstr(error.text, words) != NULL)
        return true;
    (void)fprintf(stderr, "got %s: %s\n", erx_status_text(status), error.text);
    return false;
}

typedef struct {
    uint64_t done;
    uint32_t calls;
    bool in_order;
} seen_t;

static void see(void *context, uint64_t done, uint64_t total)
{
    seen_t *seen = context;
    seen->in_order = seen->in_order && done > seen->done && done <= total;
    seen->done = done;
    seen->calls++;
}

START_TEST(test_a_file_is_made_of_written_zeros)
{
    seen_t seen = {.in_order = true};
    erx_data_file_t file;
    ck_assert_int_eq(erx_data_file_create(scratch, "file", BYTES, see, &seen, &file, &error),
                     ERX_OK);
    ck_assert(seen.in_order);
    ck_assert_uint_eq(seen.done, BYTES);
    ck_assert_uint_ge(seen.calls, 2);
    struct stat facts;
    ck_assert_int_eq(stat(path_of("file"), &facts), 0);
    ck_assert_int_eq(facts.st_size, (off_t)BYTES);
    ck_assert_int_ge(facts.st_blocks * 512, (off_t)BYTES);
    ck_assert_int_eq(erx_scratch_count(scratch), 1);
    erx_data_file_close(&file);

    ck_assert_int_eq(erx_data_file_open(scratch, "file", BYTES, &file, &error), ERX_OK);
    ck_assert_uint_eq(file.bytes, BYTES);
    ck_assert_str_eq(file.path, path_of("file"));
    static alignas(ERX_IO_ALIGNMENT) uint8_t read[BYTES];
    memset(read, 1, sizeof read);
    ck_assert_int_eq(pread(file.descriptor, read, sizeof read, 0), (ssize_t)sizeof read);
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof read; i++)
        wrong += read[i] != 0;
    ck_assert_uint_eq(wrong, 0);
    erx_data_file_close(&file);
    erx_data_file_close(&file);
}
END_TEST

START_TEST(test_what_exists_is_not_made_again)
{
    erx_data_file_t file;
    ck_assert_int_eq(create(scratch, MIB, &file), ERX_OK);
    erx_data_file_close(&file);
    ck_assert(fails_with(create(scratch, BYTES, &file), ERX_ERR_STATE, "File exists"));
    ck_assert_int_eq(erx_data_file_open(scratch, "file", 0, &file, &error), ERX_OK);
    ck_assert_uint_eq(file.bytes, MIB);
    erx_data_file_close(&file);
}
END_TEST

START_TEST(test_a_creation_that_was_killed_leaves_nothing_in_the_way)
{
    ck_assert_int_eq(erx_data_small_write(scratch, "file.new", "half", 4, &error), ERX_OK);
    erx_data_file_t file;
    ck_assert(fails_with(erx_data_file_open(scratch, "file", 0, &file, &error), ERX_ERR_NOT_FOUND,
                         "No such file"));
    ck_assert_int_eq(create(scratch, MIB, &file), ERX_OK);
    ck_assert_int_eq(erx_scratch_count(scratch), 1);
    erx_data_file_close(&file);
}
END_TEST

START_TEST(test_what_is_no_data_file_is_refused)
{
    erx_data_file_t file;
    ck_assert_int_eq(create(scratch, MIB, &file), ERX_OK);
    erx_data_file_close(&file);
    ck_assert(fails_with(erx_data_file_open(scratch, "file", BYTES, &file, &error), ERX_ERR_FORMAT,
                         "has 1048576 bytes, must have 3145728"));
    ck_assert_int_eq(truncate(path_of("file"), 4097), 0);
    ck_assert(fails_with(erx_data_file_open(scratch, "file", 0, &file, &error), ERX_ERR_FORMAT,
                         "whole blocks"));
    ck_assert_int_eq(truncate(path_of("file"), 0), 0);
    ck_assert(fails_with(erx_data_file_open(scratch, "file", 0, &file, &error), ERX_ERR_FORMAT,
                         "whole blocks"));
    ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
    ck_assert(fails_with(erx_data_file_open_read_only(scratch, "pipe", &file, &error),
                         ERX_ERR_FORMAT, "regular file"));
    int before = dup(0);
    (void)close(before);
    ck_assert(fails_with(erx_data_file_open(scratch, "pipe", 0, &file, &error), ERX_ERR_FORMAT,
                         "regular file"));
    int after = dup(0); /* the same number, unless a descriptor was left open */
    (void)close(after);
    ck_assert_int_eq(before, after);
}
END_TEST

START_TEST(test_an_inspection_cannot_write)
{
    erx_data_file_t file;
    ck_assert_int_eq(create(scratch, MIB, &file), ERX_OK);
    erx_data_file_close(&file);
    ck_assert_int_eq(erx_data_file_open_read_only(scratch, "file", &file, &error), ERX_OK);
    ck_assert_int_eq(fcntl(file.descriptor, F_GETFL) & O_ACCMODE, O_RDONLY);
    erx_data_file_close(&file);
}
END_TEST

START_TEST(test_a_directory_is_made_or_taken)
{
    char path[2 * ERX_SCRATCH_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", path_of("data"));
    ck_assert_int_eq(erx_data_directory_prepare(path, &error), ERX_OK);
    ck_assert_int_eq(erx_data_directory_prepare(path, &error), ERX_OK);
    ck_assert_int_eq(erx_data_small_write(path, "a", "1", 1, &error), ERX_OK);
    ck_assert(fails_with(erx_data_directory_prepare(path_of("data/a"), &error), ERX_ERR_NOT_FOUND,
                         "name a directory"));
    ck_assert(fails_with(erx_data_directory_prepare(path_of("none/data"), &error),
                         ERX_ERR_NOT_FOUND, "create the directory"));
}
END_TEST

START_TEST(test_a_removed_directory_is_reported)
{
    erx_data_file_t file;
    char gone[2 * ERX_SCRATCH_PATH_MAX];
    (void)snprintf(gone, sizeof gone, "%s", path_of("gone"));
    ck_assert(fails_with(create(gone, MIB, &file), ERX_ERR_NOT_FOUND, "create the directory"));
    ck_assert(fails_with(erx_data_directory_sync(gone, &error), ERX_ERR_NOT_FOUND, "gone"));
    ck_assert(fails_with(erx_data_directory_space(gone, 1, &error), ERX_ERR_NOT_FOUND, "gone"));
    ck_assert(
        fails_with(erx_data_small_write(gone, "a", "1", 1, &error), ERX_ERR_NOT_FOUND, "gone/a"));
}
END_TEST

START_TEST(test_more_space_than_there_is_is_refused)
{
    ck_assert_int_eq(erx_data_directory_space(scratch, 1, &error), ERX_OK);
    ck_assert(fails_with(erx_data_directory_space(scratch, UINT64_MAX, &error), ERX_ERR_FULL,
                         "MiB free"));
}
END_TEST

START_TEST(test_small_files_are_replaced_as_a_whole)
{
    void *bytes;
    size_t size;
    ck_assert(fails_with(erx_data_small_read(scratch, "a", &bytes, &size, &error),
                         ERX_ERR_NOT_FOUND, "/a: cannot open"));
    ck_assert_int_eq(erx_data_small_write(scratch, "a", "", 0, &error), ERX_OK);
    ck_assert_int_eq(erx_data_small_write(scratch, "a", "second", 6, &error), ERX_OK);
    ck_assert_int_eq(erx_data_small_read(scratch, "a", &bytes, &size, &error), ERX_OK);
    ck_assert_uint_eq(size, 6);
    ck_assert_str_eq(bytes, "second");
    erx_free(bytes);
    ck_assert_int_eq(erx_scratch_count(scratch), 1);
    ck_assert_int_eq(truncate(path_of("a"), ERX_DATA_SMALL_FILE_MAX + 1), 0);
    ck_assert(fails_with(erx_data_small_read(scratch, "a", &bytes, &size, &error), ERX_ERR_RANGE,
                         "at most"));
    ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
    ck_assert(fails_with(erx_data_small_read(scratch, "pipe", &bytes, &size, &error), ERX_ERR_RANGE,
                         "regular file"));
}
END_TEST

START_TEST(test_a_path_that_is_too_long_is_refused)
{
    static char directory[ERX_DATA_PATH_MAX];
    memset(directory, 'd', sizeof directory - 1);
    erx_data_file_t file;
    ck_assert(fails_with(create(directory, MIB, &file), ERX_ERR_ARGUMENT, "shorter path"));
    ck_assert(fails_with(erx_data_directory_prepare(directory, &error), ERX_ERR_ARGUMENT,
                         "shorter path"));
}
END_TEST

/* Systems that refuse -------------------------------------------------------- */

static int create_beyond_a_size_limit(void *context)
{
    (void)context;
    ERX_CHILD_CHECK(erx_data_small_write(scratch, "a", "old", 3, &error) == ERX_OK);
    ERX_CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){2 * MIB, 2 * MIB}) == 0);
    erx_data_file_t file;
    ERX_CHILD_CHECK(fails_with(create(scratch, BYTES, &file), ERX_ERR_FULL, "ulimit -f"));
    static uint8_t bytes[BYTES];
    ERX_CHILD_CHECK(fails_with(erx_data_small_write(scratch, "a", bytes, BYTES, &error),
                               ERX_ERR_FULL, "ulimit -f"));
    ERX_CHILD_CHECK(erx_scratch_count(scratch) == 1);
    void *old;
    size_t size;
    ERX_CHILD_CHECK(erx_data_small_read(scratch, "a", &old, &size, &error) == ERX_OK);
    ERX_CHILD_CHECK(size == 3 && memcmp(old, "old", 3) == 0);
    erx_free(old);
    return 0;
}

START_TEST(test_a_file_size_limit_is_an_error_and_no_signal)
{
    erx_child_run(create_beyond_a_size_limit, NULL);
}
END_TEST

static int create_without_rights(void *context)
{
    (void)context;
    ERX_CHILD_CHECK(chmod(scratch, 0555) == 0);
    if (geteuid() == 0)
        ERX_CHILD_CHECK(setresuid(NOBODY, NOBODY, NOBODY) == 0);
    erx_data_file_t file;
    ERX_CHILD_CHECK(
        fails_with(create(scratch, MIB, &file), ERX_ERR_PERMISSION, "let this user write there"));
    ERX_CHILD_CHECK(fails_with(erx_data_directory_prepare(scratch, &error), ERX_ERR_PERMISSION,
                               "let this user write there"));
    return 0;
}

START_TEST(test_a_directory_without_rights_is_refused)
{
    erx_child_run(create_without_rights, NULL);
    ck_assert_int_eq(chmod(scratch, 0755), 0);
}
END_TEST

/* In a child: mounts a file system of its own over the scratch directory. False
 * where this machine does not let tests mount. */
static bool mount_own(const char *type, const char *options)
{
    uid_t user = geteuid();
    bool mounted = unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
                   mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                   mount("none", scratch, type, 0, options) == 0;
    if (!mounted)
        (void)fprintf(stderr, "skipped: cannot mount %s here: %s\n", type, strerror(errno));
    ERX_CHILD_CHECK(mounted || user != 0 || getenv("CI") == NULL);
    return mounted;
}

static int create_on_a_full_disk(void *context)
{
    (void)context;
    if (!mount_own("tmpfs", "size=2m"))
        return 0;
    erx_data_file_t file;
    ERX_CHILD_CHECK(fails_with(erx_data_directory_space(scratch, BYTES, &error), ERX_ERR_FULL,
                               "needs 3 MiB, but the file system has 2 MiB free"));
    ERX_CHILD_CHECK(fails_with(create(scratch, BYTES, &file), ERX_ERR_FULL, "free space"));
    ERX_CHILD_CHECK(erx_scratch_count(scratch) == 0);
    static uint8_t bytes[BYTES];
    ERX_CHILD_CHECK(fails_with(erx_data_small_write(scratch, "a", bytes, BYTES, &error),
                               ERX_ERR_FULL, "free space"));
    ERX_CHILD_CHECK(erx_scratch_count(scratch) == 0);
    ERX_CHILD_CHECK(create(scratch, MIB, &file) == ERX_OK);
    char note[ERX_IO_NOTE_MAX];
    erx_data_directory_note(scratch, note);
    ERX_CHILD_CHECK(strstr(note, "nothing there survives") != NULL);
    return 0;
}

START_TEST(test_a_full_disk_refuses_at_creation)
{
    erx_child_run(create_on_a_full_disk, NULL);
}
END_TEST

static int create_on_a_read_only_disk(void *context)
{
    (void)context;
    if (!mount_own("tmpfs", "size=2m"))
        return 0;
    erx_data_file_t file;
    ERX_CHILD_CHECK(create(scratch, MIB, &file) == ERX_OK);
    erx_data_file_close(&file);
    ERX_CHILD_CHECK(mount("none", scratch, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    ERX_CHILD_CHECK(fails_with(erx_data_directory_prepare(scratch, &error), ERX_ERR_PERMISSION,
                               "mount the file system for writing"));
    ERX_CHILD_CHECK(fails_with(erx_data_file_open(scratch, "file", MIB, &file, &error),
                               ERX_ERR_PERMISSION, "mount the file system for writing"));
    ERX_CHILD_CHECK(fails_with(erx_data_small_write(scratch, "a", "1", 1, &error),
                               ERX_ERR_PERMISSION, "mount the file system for writing"));
    ERX_CHILD_CHECK(erx_data_file_open_read_only(scratch, "file", &file, &error) == ERX_OK);
    return 0;
}

START_TEST(test_a_read_only_disk_is_refused)
{
    erx_child_run(create_on_a_read_only_disk, NULL);
}
END_TEST

/* ramfs has no O_DIRECT; the files work all the same, through the page cache. */
static int create_without_direct(void *context)
{
    static alignas(ERX_IO_ALIGNMENT) uint8_t memory[2 * ERX_IO_ALIGNMENT];
    (void)context;
    if (!mount_own("ramfs", NULL))
        return 0;
    erx_data_file_t file;
    ERX_CHILD_CHECK(create(scratch, MIB, &file) == ERX_OK);
    ERX_CHILD_CHECK(!file.direct);
    erx_io_file_t files = erx_data_file_io(&file);
    erx_io_buffer_t buffers = {memory, sizeof memory};
    erx_io_config_t config = {
        .file_count = 1, .buffer_count = 1, .files = &files, .buffers = &buffers};
    erx_io_t *io;
    char note[ERX_IO_NOTE_MAX];
    ERX_CHILD_CHECK(erx_io_open(NULL, &config, &io, note, &error) == ERX_OK);
    memset(memory, 0x21, ERX_IO_ALIGNMENT);
    erx_io_submit_write(io, 0, 0, 0, memory, ERX_IO_ALIGNMENT, true);
    erx_io_completion_t completion;
    while (erx_io_poll(io, &completion, 1, UINT64_C(1000000000)) == 0) {
    }
    ERX_CHILD_CHECK(completion.result == 0);
    ERX_CHILD_CHECK(erx_io_read(io, 0, 0, memory + ERX_IO_ALIGNMENT, ERX_IO_ALIGNMENT) == 0);
    ERX_CHILD_CHECK(memory[2 * ERX_IO_ALIGNMENT - 1] == 0x21);
    erx_io_close(io);
    return 0;
}

START_TEST(test_a_file_system_without_direct_access_works)
{
    erx_child_run(create_without_direct, NULL);
}
END_TEST

Suite *data_file_suite(void)
{
    Suite *suite = suite_create("data_file");
    TCase *tests = tcase_create("data_file");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_a_file_is_made_of_written_zeros);
    tcase_add_test(tests, test_what_exists_is_not_made_again);
    tcase_add_test(tests, test_a_creation_that_was_killed_leaves_nothing_in_the_way);
    tcase_add_test(tests, test_what_is_no_data_file_is_refused);
    tcase_add_test(tests, test_an_inspection_cannot_write);
    tcase_add_test(tests, test_a_directory_is_made_or_taken);
    tcase_add_test(tests, test_a_removed_directory_is_reported);
    tcase_add_test(tests, test_more_space_than_there_is_is_refused);
    tcase_add_test(tests, test_small_files_are_replaced_as_a_whole);
    tcase_add_test(tests, test_a_path_that_is_too_long_is_refused);
    tcase_add_test(tests, test_a_file_size_limit_is_an_error_and_no_signal);
    tcase_add_test(tests, test_a_directory_without_rights_is_refused);
    tcase_add_test(tests, test_a_full_disk_refuses_at_creation);
    tcase_add_test(tests, test_a_read_only_disk_is_refused);
    tcase_add_test(tests, test_a_file_system_without_direct_access_works);
    suite_add_tcase(suite, tests);
    return suite;
}
