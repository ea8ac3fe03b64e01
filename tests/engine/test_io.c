/* The rules of engine/io.h, on every device behind it; and what the real ones
 * do where the system refuses. */
#include "tests/engine/engine_suites.h"

#include "engine/data_file.h"
#include "mem/alloc.h"
#include "tests/support/child.h"
#include "tests/support/rng.h"
#include "tests/support/scratch.h"
#include "tests/support/virtual_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCK         ERX_IO_ALIGNMENT
#define FILE_BLOCKS   128u
#define MEMORY_BLOCKS 128u
#define FILES         2u
#define SECOND_NS     UINT64_C(1000000000)
#define NOBODY        65534u /* a user without rights */

/* The devices that every rule is tried on. */
enum { URING, PLAIN, VIRTUAL, DEVICES };

typedef struct {
    char scratch[ERX_SCRATCH_PATH_MAX];
    erx_data_file_t files[FILES];
    erx_virtual_disk_t *disk;
    erx_io_t *io;
    char note[ERX_IO_NOTE_MAX];
} place_t;

static alignas(ERX_IO_ALIGNMENT) uint8_t memory[MEMORY_BLOCKS * BLOCK];

static erx_status_t open_on(place_t *place, erx_io_open_fn open_fn, void *context,
                            erx_io_backend_t backend, erx_error_t *error)
{
    erx_io_file_t files[FILES];
    for (uint32_t i = 0; i < FILES; i++)
        files[i] = erx_data_file_io(&place->files[i]);
    const erx_io_buffer_t buffers[] = {{memory, sizeof memory / 2},
                                       {memory + sizeof memory / 2, sizeof memory / 2}};
    const erx_io_config_t config = {.backend = backend,
                                    .file_count = FILES,
                                    .buffer_count = ERX_COUNT(buffers),
                                    .files = files,
                                    .buffers = buffers};
    place->io = NULL;
    return open_fn(context, &config, &place->io, place->note, error);
}

/* Two files, not opened as a device yet. */
static place_t make_place(void)
{
    place_t place = {0};
    erx_scratch_make(place.scratch);
    erx_error_t error;
    for (uint32_t i = 0; i < FILES; i++)
        ck_assert_int_eq(erx_data_file_create(place.scratch, i == 0 ? "first" : "second",
                                              FILE_BLOCKS * BLOCK, NULL, NULL, &place.files[i],
                                              &error),
                         ERX_OK);
    return place;
}

/* False, with a message, where this machine has no such device. */
static bool open_place(place_t *place, int device)
{
    *place = make_place();
    erx_error_t error;
    if (device == VIRTUAL) {
        const uint64_t bytes[FILES] = {FILE_BLOCKS * BLOCK, FILE_BLOCKS * BLOCK};
        place->disk = erx_virtual_disk_create(&(erx_virtual_disk_config_t){
            .seed = erx_test_seed(), .file_count = FILES, .file_bytes = bytes});
        ck_assert_int_eq(open_on(place, erx_virtual_disk_open, place->disk, ERX_IO_AUTO, &error),
                         ERX_OK);
        return true;
    }
    erx_status_t status =
        open_on(place, erx_io_open, NULL, device == URING ? ERX_IO_URING : ERX_IO_PLAIN, &error);
    if (status != ERX_ERR_UNSUPPORTED || getenv("CI") != NULL) {
        ck_assert_msg(status == ERX_OK, "%s", error.text);
        return true;
    }
    (void)fprintf(stderr, "skipped: %s\n", error.text);
    erx_scratch_remove(place->scratch);
    return false;
}

static void close_place(place_t *place)
{
    erx_io_close(place->io);
    erx_virtual_disk_free(place->disk);
    for (uint32_t i = 0; i < FILES; i++)
        erx_data_file_close(&place->files[i]);
    erx_scratch_remove(place->scratch);
}

static uint8_t *block(uint32_t i)
{
    return memory + (size_t)i * BLOCK;
}

static erx_io_completion_t next(erx_io_t *io)
{
    erx_io_completion_t completion;
    while (erx_io_poll(io, &completion, 1, SECOND_NS) == 0) {
    }
    return completion;
}

static int32_t write_block(erx_io_t *io, uint32_t file, uint64_t at, bool then_flush)
{
    erx_io_submit_write(io, 0, file, at * BLOCK, block(0), BLOCK, then_flush);
    return next(io).result;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

START_TEST(test_what_is_written_is_read)
{
    place_t place;
    if (!open_place(&place, _i))
        return;
    erx_rng_t rng = erx_rng_open(20);
    erx_rng_fill(&rng, memory, sizeof memory);
    erx_io_submit_write(place.io, 5, 1, 3 * BLOCK, block(0), 4 * BLOCK, true);
    erx_io_submit_write(place.io, 9, 0, 0, block(70), BLOCK, false);
    ck_assert_uint_eq(erx_io_in_flight(place.io), 2);
    uint32_t slots = next(place.io).slot;
    slots += next(place.io).slot;
    ck_assert_uint_eq(slots, 5 + 9);
    erx_io_submit_flush(place.io, 63, 0);
    erx_io_completion_t completion = next(place.io);
    ck_assert_uint_eq(completion.slot, 63);
    ck_assert_int_eq(completion.result, 0);
    ck_assert_uint_eq(erx_io_in_flight(place.io), 0);
    ck_assert_int_eq(erx_io_read(place.io, 1, 3 * BLOCK, block(10), 4 * BLOCK), 0);
    ck_assert_mem_eq(block(10), block(0), 4 * BLOCK);
    ck_assert_int_eq(erx_io_read(place.io, 0, 0, block(10), BLOCK), 0);
    ck_assert_mem_eq(block(10), block(70), BLOCK);
    ck_assert_int_eq(erx_io_read(place.io, 0, BLOCK, block(10), BLOCK), 0);
    ck_assert_int_eq(block(10)[0] | block(10)[BLOCK - 1], 0);
    erx_error_t error;
    ck_assert_int_eq(erx_io_health(place.io, &error), ERX_OK);
    close_place(&place);
}
END_TEST

START_TEST(test_every_slot_can_be_in_flight_again_and_again)
{
    place_t place;
    if (!open_place(&place, _i))
        return;
    uint64_t allocated = erx_alloc_thread_bytes();
    uint32_t wrong = 0;
    for (uint32_t round = 0; round < 8; round++) {
        memset(memory, (int)round, sizeof memory);
        for (uint32_t slot = 0; slot < ERX_IO_SLOTS_MAX; slot++) {
            memory[(size_t)slot * BLOCK] = (uint8_t)slot;
            erx_io_submit_write(place.io, slot, slot % FILES, (uint64_t)slot * BLOCK, block(slot),
                                BLOCK, slot % 8 == 0);
        }
        uint64_t seen = 0;
        while (erx_io_in_flight(place.io) > 0) {
            erx_io_completion_t completions[7];
            uint32_t count = erx_io_poll(place.io, completions, ERX_COUNT(completions), SECOND_NS);
            for (uint32_t i = 0; i < count; i++) {
                wrong += completions[i].result != 0 || (seen >> completions[i].slot & 1) != 0;
                seen |= UINT64_C(1) << completions[i].slot;
            }
        }
        wrong += seen != UINT64_MAX;
    }
    if (_i != VIRTUAL)
        ck_assert_uint_eq(erx_alloc_thread_bytes(), allocated);
    ck_assert_uint_eq(wrong, 0);
    for (uint32_t slot = 0; slot < ERX_IO_SLOTS_MAX; slot++) {
        ck_assert_int_eq(
            erx_io_read(place.io, slot % FILES, (uint64_t)slot * BLOCK, block(100), BLOCK), 0);
        ck_assert_mem_eq(block(100), block(slot), BLOCK);
    }
    close_place(&place);
}
END_TEST

START_TEST(test_nothing_completes_inside_submit)
{
    place_t place;
    if (!open_place(&place, _i))
        return;
    for (uint32_t slot = 0; slot < 4; slot++)
        erx_io_submit_write(place.io, slot, 0, (uint64_t)slot * BLOCK, block(slot), BLOCK, true);
    ck_assert_uint_eq(erx_io_in_flight(place.io), 4);
    /* Closing waits for them. */
    close_place(&place);
}
END_TEST

static void *wake_later(void *context)
{
    (void)usleep(20000);
    erx_io_wake(context);
    return NULL;
}

START_TEST(test_a_poll_waits_no_longer_than_asked_or_until_woken)
{
    place_t place;
    if (!open_place(&place, _i))
        return;
    erx_io_completion_t completion;
    uint64_t begin = now_ns();
    ck_assert_uint_eq(erx_io_poll(place.io, &completion, 1, 0), 0);
    ck_assert_uint_eq(erx_io_poll(place.io, &completion, 1, SECOND_NS / 100), 0);
    if (_i != VIRTUAL)
        ck_assert_uint_ge(now_ns() - begin, SECOND_NS / 100);
    /* A wake from before ends the next wait. */
    erx_io_wake(place.io);
    erx_io_wake(place.io);
    begin = now_ns();
    ck_assert_uint_eq(erx_io_poll(place.io, &completion, 1, 30 * SECOND_NS), 0);
    ck_assert_uint_lt(now_ns() - begin, 20 * SECOND_NS);
    if (_i != VIRTUAL) {
        /* Two wakes end two waits at the most. */
        ck_assert_uint_eq(erx_io_poll(place.io, &completion, 1, SECOND_NS / 100), 0);
        begin = now_ns();
        ck_assert_uint_eq(erx_io_poll(place.io, &completion, 1, SECOND_NS / 100), 0);
        ck_assert_uint_ge(now_ns() - begin, SECOND_NS / 100);
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, wake_later, place.io), 0);
        begin = now_ns();
        ck_assert_uint_eq(erx_io_poll(place.io, &completion, 1, 30 * SECOND_NS), 0);
        ck_assert_uint_lt(now_ns() - begin, 20 * SECOND_NS);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
    ck_assert_int_eq(write_block(place.io, 0, 0, true), 0);
    close_place(&place);
}
END_TEST

#define ROUNDS 200u

/* A thread that polls, and answers each round that it is told of. */
typedef struct {
    erx_io_t *io;
    atomic_uint asked;
    atomic_uint answered;
    uint64_t longest_ns; /* of its waits for a round */
} server_t;

static void *serve(void *context)
{
    server_t *server = context;
    uint32_t answered = 0;
    erx_io_completion_t completion;
    while (answered < ROUNDS) {
        uint32_t asked = atomic_load(&server->asked);
        if (asked == answered) {
            uint64_t begin = now_ns();
            (void)erx_io_poll(server->io, &completion, 1, 20 * SECOND_NS);
            server->longest_ns = ERX_MAX(server->longest_ns, now_ns() - begin);
            continue;
        }
        erx_io_submit_write(server->io, 0, 0, 0, block(0), BLOCK, false);
        while (erx_io_in_flight(server->io) > 0)
            (void)erx_io_poll(server->io, &completion, 1, SECOND_NS);
        answered = asked;
        atomic_store(&server->answered, answered);
    }
    return NULL;
}

START_TEST(test_a_device_is_handed_to_a_thread_and_no_wake_is_lost)
{
    place_t place;
    if (!open_place(&place, _i))
        return;
    ck_assert_int_eq(write_block(place.io, 0, 1, true), 0); /* from this thread first */
    server_t server = {.io = place.io};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, &server), 0);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        atomic_store(&server.asked, round);
        erx_io_wake(place.io);
        while (atomic_load(&server.answered) < round)
            (void)usleep(20);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    /* A wait whose wake was lost ends by its time. */
    ck_assert_uint_lt(server.longest_ns, 20 * SECOND_NS);
    ck_assert_int_eq(write_block(place.io, 0, 2, true), 0); /* and back */
    close_place(&place);
}
END_TEST

/* Failure is final ---------------------------------------------------------- */

/* After the first failure nothing succeeds, and nothing reaches the disk. */
static void expect_dead(place_t *place, const char *name, const char *words)
{
    erx_error_t error;
    ck_assert_int_eq(erx_io_health(place->io, &error), ERX_ERR_IO);
    ck_assert_msg(strstr(error.text, name) != NULL && strstr(error.text, words) != NULL, "%s",
                  error.text);
    memset(block(0), 0x99, BLOCK);
    erx_io_submit_write(place->io, 7, 1, 0, block(0), BLOCK, true);
    erx_io_submit_flush(place->io, 8, 1);
    ck_assert_int_eq(next(place->io).result, -EIO);
    ck_assert_int_eq(next(place->io).result, -EIO);
    ck_assert_int_eq(erx_io_read(place->io, 1, 0, block(1), BLOCK), 0);
    ck_assert_int_ne(block(1)[0], 0x99);
    erx_error_t again;
    ck_assert_int_eq(erx_io_health(place->io, &again), ERX_ERR_IO);
    ck_assert_str_eq(again.text, error.text);
}

/* Replaces the descriptor of the first file and opens the device anew. */
static void reopen_with(place_t *place, int device, int descriptor)
{
    erx_io_close(place->io);
    (void)close(place->files[0].descriptor);
    place->files[0].descriptor = descriptor;
    erx_error_t error;
    ck_assert_int_eq(
        open_on(place, erx_io_open, NULL, device == URING ? ERX_IO_URING : ERX_IO_PLAIN, &error),
        ERX_OK);
}

START_TEST(test_after_a_failed_write_nothing_succeeds)
{
    place_t place;
    if (!open_place(&place, _i))
        return;
    reopen_with(&place, _i, open(place.files[0].path, O_RDONLY | O_CLOEXEC));
    ck_assert_int_eq(write_block(place.io, 0, 0, true), -EBADF);
    expect_dead(&place, "first", "bring the device back");
    close_place(&place);
}
END_TEST

START_TEST(test_a_file_that_was_removed_takes_nothing_durable)
{
    place_t place;
    if (!open_place(&place, _i))
        return;
    ck_assert_int_eq(write_block(place.io, 0, 0, true), 0);
    ck_assert_int_eq(unlink(place.files[0].path), 0);
    ck_assert_int_eq(write_block(place.io, 0, 0, true), -ENOENT);
    expect_dead(&place, "first", "the file was removed");
    close_place(&place);
}
END_TEST

START_TEST(test_after_a_failed_flush_nothing_succeeds)
{
    place_t place;
    if (!open_place(&place, _i))
        return;
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0); /* a pipe cannot be synced */
    reopen_with(&place, _i, ends[0]);
    erx_io_submit_flush(place.io, 2, 0);
    ck_assert_int_eq(next(place.io).result, -EINVAL);
    expect_dead(&place, "first", "making writes durable failed");
    (void)close(ends[1]);
    close_place(&place);
}
END_TEST

START_TEST(test_what_is_in_flight_when_another_fails_is_not_confirmed)
{
    static const erx_virtual_fault_t fault = {
        .kind = ERX_VIRTUAL_ERROR, .target = ERX_VIRTUAL_FLUSHES, .error_number = EIO};
    static const erx_virtual_fault_t none[1];
    place_t place;
    ck_assert(open_place(&place, VIRTUAL));
    erx_virtual_disk_set_faults(place.disk, &fault, 1);
    erx_io_submit_flush(place.io, 1, 0); /* fails */
    erx_virtual_disk_set_faults(place.disk, none, 0);
    for (uint32_t slot = 2; slot < 10; slot++)
        erx_io_submit_write(place.io, slot, 1, (uint64_t)slot * BLOCK, block(slot), BLOCK, true);
    bool failed = false;
    while (erx_io_in_flight(place.io) > 0) {
        erx_io_completion_t completion = next(place.io);
        failed = failed || completion.slot == 1;
        ck_assert_int_eq(completion.result, failed ? -EIO : 0);
    }
    ck_assert(failed);
    close_place(&place);
}
END_TEST

/* The file size limit cuts a write short, as a full disk or a quota may. */
static int write_past_a_limit(void *context)
{
    const int *device = context;
    place_t place;
    if (!open_place(&place, *device))
        return 0;
    (void)signal(SIGXFSZ, SIG_IGN);
    ERX_CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){6 * BLOCK, RLIM_INFINITY}) == 0);
    erx_io_submit_write(place.io, 0, 0, 4 * BLOCK, block(0), 4 * BLOCK, true);
    ERX_CHILD_CHECK(next(place.io).result == -EIO);
    erx_error_t error;
    ERX_CHILD_CHECK(erx_io_health(place.io, &error) == ERX_ERR_IO);
    ERX_CHILD_CHECK(strstr(error.text, "stopped after 8192 of 16384 bytes") != NULL);
    ERX_CHILD_CHECK(strstr(error.text, "free space") != NULL);
    ERX_CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}) == 0);
    ERX_CHILD_CHECK(write_block(place.io, 1, 0, true) == -EIO);
    close_place(&place);
    return 0;
}

START_TEST(test_a_short_write_is_a_failure)
{
    erx_child_run(write_past_a_limit, &_i);
}
END_TEST

/* Refusals ------------------------------------------------------------------ */

/* Answers one system call with EPERM from here on, as a container does. */
static void refuse_call(unsigned number)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {ERX_COUNT(code), code};
    ERX_CHILD_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    ERX_CHILD_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
}

static int open_where_a_call_is_refused(void *context)
{
    const unsigned *number = context;
    place_t place = make_place();
    refuse_call(*number);
    erx_error_t error;
    ERX_CHILD_CHECK(open_on(&place, erx_io_open, NULL, ERX_IO_URING, &error) ==
                    ERX_ERR_UNSUPPORTED);
    ERX_CHILD_CHECK(strstr(error.text, "refuses io_uring") != NULL);
    ERX_CHILD_CHECK(open_on(&place, erx_io_open, NULL, ERX_IO_AUTO, &error) == ERX_OK);
    ERX_CHILD_CHECK(strcmp(erx_io_name(place.io), "pwritev2") == 0);
    ERX_CHILD_CHECK(strstr(place.note, "seccomp") != NULL);
    ERX_CHILD_CHECK(strstr(place.note, "using pwritev2 and fdatasync") != NULL);
    ERX_CHILD_CHECK(write_block(place.io, 0, 1, true) == 0);
    close_place(&place);
    return 0;
}

START_TEST(test_refused_io_uring_falls_back_to_plain_and_says_so)
{
    static unsigned numbers[] = {SYS_io_uring_setup, SYS_io_uring_enter};
    erx_child_run(open_where_a_call_is_refused, &numbers[_i]);
}
END_TEST

/* Rings and registered buffers count against a limit for whoever may not lock
 * memory: here one has no room for a ring, the other none for the buffers. */
static const rlim_t lock_limits[] = {0, sizeof memory / 2};

typedef struct {
    place_t place;
    rlim_t limit;
} locked_t;

static int open_without_locked_memory(void *context)
{
    locked_t *locked = context;
    place_t *place = &locked->place;
    ERX_CHILD_CHECK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){locked->limit, locked->limit}) == 0);
    if (geteuid() == 0)
        ERX_CHILD_CHECK(setresuid(NOBODY, NOBODY, NOBODY) == 0);
    erx_error_t error;
    ERX_CHILD_CHECK(open_on(place, erx_io_open, NULL, ERX_IO_AUTO, &error) == ERX_OK);
    /* What is counted differs from kernel to kernel. */
    bool ring = strcmp(erx_io_name(place->io), "io_uring") == 0;
    ERX_CHILD_CHECK(strstr(place->note, ring ? "cannot be registered" : "using pwritev2") != NULL);
    ERX_CHILD_CHECK(strstr(place->note, "ulimit -l") != NULL ||
                    strstr(place->note, "Operation not permitted") != NULL);
    memset(block(0), 0x44, BLOCK);
    ERX_CHILD_CHECK(write_block(place->io, 0, 1, true) == 0);
    ERX_CHILD_CHECK(erx_io_read(place->io, 0, BLOCK, block(1), BLOCK) == 0);
    ERX_CHILD_CHECK(memcmp(block(0), block(1), BLOCK) == 0);
    erx_io_close(place->io);
    return 0;
}

START_TEST(test_without_locked_memory_it_works_and_says_so)
{
    locked_t locked = {.place = make_place(), .limit = lock_limits[_i]};
    erx_child_run(open_without_locked_memory, &locked);
    close_place(&locked.place);
}
END_TEST

START_TEST(test_where_nothing_is_refused_nothing_is_said)
{
    place_t place;
    if (!open_place(&place, URING))
        return;
    if (geteuid() == 0)
        ck_assert_str_eq(place.note, "");
    ck_assert_str_eq(erx_io_name(place.io), "io_uring");
    close_place(&place);
}
END_TEST

/* Misuse -------------------------------------------------------------------- */

enum { TAKEN_SLOT, PAST_THE_END, MISALIGNED, FOREIGN_MEMORY, NO_SUCH_FILE, MISUSES };

typedef struct {
    erx_io_t *io;
    int kind;
} misuse_t;

static int misuse(void *context)
{
    static alignas(ERX_IO_ALIGNMENT) uint8_t foreign[BLOCK];
    const misuse_t *misuse = context;
    erx_io_submit_write(misuse->io, 0, 0, 0, block(0), BLOCK, false);
    switch (misuse->kind) {
    case TAKEN_SLOT:
        erx_io_submit_flush(misuse->io, 0, 0);
        break;
    case PAST_THE_END:
        erx_io_submit_write(misuse->io, 1, 0, FILE_BLOCKS * BLOCK, block(0), BLOCK, false);
        break;
    case MISALIGNED:
        erx_io_submit_write(misuse->io, 1, 0, 512, block(0), BLOCK, false);
        break;
    case FOREIGN_MEMORY:
        erx_io_submit_write(misuse->io, 1, 0, 0, foreign, BLOCK, false);
        break;
    default:
        erx_io_submit_flush(misuse->io, 1, FILES);
        break;
    }
    return 0;
}

START_TEST(test_misuse_is_an_assertion)
{
    place_t place;
    ck_assert(open_place(&place, PLAIN));
    erx_child_expect_abort(misuse, &(misuse_t){place.io, _i});
    close_place(&place);
}
END_TEST

Suite *io_suite(void)
{
    Suite *suite = suite_create("io");
    TCase *tests = tcase_create("io");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, test_what_is_written_is_read, 0, DEVICES);
    tcase_add_loop_test(tests, test_every_slot_can_be_in_flight_again_and_again, 0, DEVICES);
    tcase_add_loop_test(tests, test_nothing_completes_inside_submit, 0, DEVICES);
    tcase_add_loop_test(tests, test_a_poll_waits_no_longer_than_asked_or_until_woken, 0, DEVICES);
    tcase_add_loop_test(tests, test_a_device_is_handed_to_a_thread_and_no_wake_is_lost, 0, VIRTUAL);
    tcase_add_loop_test(tests, test_after_a_failed_write_nothing_succeeds, 0, VIRTUAL);
    tcase_add_loop_test(tests, test_a_file_that_was_removed_takes_nothing_durable, 0, VIRTUAL);
    tcase_add_loop_test(tests, test_after_a_failed_flush_nothing_succeeds, 0, VIRTUAL);
    tcase_add_test(tests, test_what_is_in_flight_when_another_fails_is_not_confirmed);
    tcase_add_loop_test(tests, test_a_short_write_is_a_failure, 0, VIRTUAL);
    tcase_add_loop_test(tests, test_refused_io_uring_falls_back_to_plain_and_says_so, 0, 2);
    tcase_add_loop_test(tests, test_without_locked_memory_it_works_and_says_so, 0,
                        ERX_COUNT(lock_limits));
    tcase_add_test(tests, test_where_nothing_is_refused_nothing_is_said);
    tcase_add_loop_test(tests, test_misuse_is_an_assertion, 0, MISUSES);
    suite_add_tcase(suite, tests);
    return suite;
}
