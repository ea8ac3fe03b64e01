/* The virtual disk, because the proofs of durability are only as good as it is:
 * what it must keep it keeps, and what it may do it does. */
#include "tests/engine/engine_suites.h"

#include "mem/base.h"
#include "tests/support/child.h"
#include "tests/support/rng.h"
#include "tests/support/virtual_disk.h"

#include <errno.h>
#include <string.h>

#define FILE_BYTES ((uint64_t)64 * ERX_IO_ALIGNMENT)
#define BLOCK      ERX_IO_ALIGNMENT
#define SECTOR     512u
#define SEEDS      400u
#define SECOND_NS  UINT64_C(1000000000)

static const uint64_t file_bytes[] = {FILE_BYTES, FILE_BYTES};
static alignas(ERX_IO_ALIGNMENT) uint8_t memory[16 * BLOCK];

static erx_virtual_disk_t *create(uint64_t seed)
{
    return erx_virtual_disk_create(&(erx_virtual_disk_config_t){
        .seed = seed, .file_count = ERX_COUNT(file_bytes), .file_bytes = file_bytes});
}

static erx_io_t *open_disk(erx_virtual_disk_t *disk)
{
    static const erx_io_file_t files[] = {{-1, FILE_BYTES, "first"}, {-1, FILE_BYTES, "second"}};
    const erx_io_buffer_t buffer = {memory, sizeof memory};
    const erx_io_config_t config = {
        .file_count = ERX_COUNT(files), .buffer_count = 1, .files = files, .buffers = &buffer};
    erx_io_t *io;
    char note[ERX_IO_NOTE_MAX];
    erx_error_t error;
    ck_assert_int_eq(erx_virtual_disk_open(disk, &config, &io, note, &error), ERX_OK);
    return io;
}

/* Block i of memory, filled with a value. */
static uint8_t *block(uint32_t i, uint8_t value)
{
    return memset(memory + (size_t)i * BLOCK, value, BLOCK);
}

/* Polls until one operation completes. */
static erx_io_completion_t next(erx_io_t *io)
{
    erx_io_completion_t completion;
    ck_assert_uint_gt(erx_io_in_flight(io), 0);
    while (erx_io_poll(io, &completion, 1, SECOND_NS) == 0) {
    }
    return completion;
}

static int32_t write_block(erx_io_t *io, uint64_t at, uint8_t value, bool then_flush)
{
    erx_io_submit_write(io, 0, 0, at * BLOCK, block(0, value), BLOCK, then_flush);
    return next(io).result;
}

static int32_t flush(erx_io_t *io, uint32_t file)
{
    erx_io_submit_flush(io, 1, file);
    return next(io).result;
}

/* Sectors of a block of the first file that hold a value throughout. */
static uint32_t sectors_of(erx_virtual_disk_t *disk, uint64_t at, uint8_t value)
{
    const uint8_t *bytes = erx_virtual_disk_bytes(disk, 0) + at * BLOCK;
    uint32_t count = 0;
    for (uint32_t i = 0; i < BLOCK / SECTOR; i++) {
        uint32_t same = 0;
        for (uint32_t k = 0; k < SECTOR; k++)
            same += bytes[i * SECTOR + k] == value;
        count += same == SECTOR;
    }
    return count;
}

static void end(erx_virtual_disk_t *disk, erx_io_t *io)
{
    erx_io_close(io);
    erx_virtual_disk_free(disk);
}

START_TEST(test_what_was_flushed_survives_every_cut)
{
    erx_rng_t rng = erx_rng_open(1);
    for (uint32_t i = 0; i < SEEDS; i++) {
        erx_virtual_disk_t *disk = create(erx_rng_next(&rng));
        erx_io_t *io = open_disk(disk);
        ck_assert_int_eq(write_block(io, 3, 0xaa, true), 0);
        ck_assert_int_eq(write_block(io, 5, 0xbb, false), 0);
        ck_assert_int_eq(flush(io, 0), 0);
        erx_virtual_disk_cut(disk);
        ck_assert_uint_eq(sectors_of(disk, 3, 0xaa), BLOCK / SECTOR);
        ck_assert_uint_eq(sectors_of(disk, 5, 0xbb), BLOCK / SECTOR);
        end(disk, io);
    }
}
END_TEST

START_TEST(test_what_was_not_flushed_meets_every_fate)
{
    uint32_t kept = 0, dropped = 0, parts = 0, torn = 0, reordered = 0;
    erx_rng_t rng = erx_rng_open(2);
    for (uint32_t i = 0; i < SEEDS; i++) {
        erx_virtual_disk_t *disk = create(erx_rng_next(&rng));
        erx_io_t *io = open_disk(disk);
        ck_assert_int_eq(write_block(io, 3, 0xaa, false), 0);
        ck_assert_int_eq(write_block(io, 4, 0xbb, false), 0);
        erx_virtual_disk_cut(disk);
        uint32_t fresh = sectors_of(disk, 3, 0xaa);
        uint32_t stale = sectors_of(disk, 3, 0);
        kept += fresh == BLOCK / SECTOR;
        dropped += stale == BLOCK / SECTOR;
        parts += fresh > 0 && stale > 0;
        torn += fresh + stale < BLOCK / SECTOR;
        reordered += stale == BLOCK / SECTOR && sectors_of(disk, 4, 0xbb) == BLOCK / SECTOR;
        end(disk, io);
    }
    ck_assert_uint_gt(kept, SEEDS / 20);
    ck_assert_uint_gt(dropped, SEEDS / 20);
    ck_assert_uint_gt(parts, SEEDS / 20);
    ck_assert_uint_gt(torn, SEEDS / 20);
    ck_assert_uint_gt(reordered, 0);
}
END_TEST

START_TEST(test_a_write_in_flight_may_be_there_or_not)
{
    uint32_t kept = 0, dropped = 0;
    erx_rng_t rng = erx_rng_open(3);
    for (uint32_t i = 0; i < SEEDS; i++) {
        erx_virtual_disk_t *disk = create(erx_rng_next(&rng));
        erx_io_t *io = open_disk(disk);
        erx_io_submit_write(io, 0, 0, 0, block(0, 0xcc), BLOCK, true);
        if (i % 2 == 0)
            erx_virtual_disk_kill(disk);
        else
            erx_virtual_disk_cut(disk);
        uint32_t fresh = sectors_of(disk, 0, 0xcc);
        kept += fresh == BLOCK / SECTOR;
        dropped += sectors_of(disk, 0, 0) == BLOCK / SECTOR;
        /* The kill of a process tears nothing. */
        ck_assert(i % 2 != 0 || fresh == 0 || fresh == BLOCK / SECTOR);
        ck_assert_int_eq(next(io).result, -EIO);
        end(disk, io);
    }
    ck_assert_uint_gt(kept, 0);
    ck_assert_uint_gt(dropped, 0);
}
END_TEST

START_TEST(test_a_flush_covers_only_what_had_completed)
{
    uint32_t lost = 0;
    erx_rng_t rng = erx_rng_open(4);
    for (uint32_t i = 0; i < SEEDS; i++) {
        erx_virtual_disk_t *disk = create(erx_rng_next(&rng));
        erx_io_t *io = open_disk(disk);
        erx_io_submit_flush(io, 1, 0); /* before the write completes */
        erx_io_submit_write(io, 0, 0, 0, block(0, 0xdd), BLOCK, false);
        ck_assert_int_eq(next(io).result, 0);
        ck_assert_int_eq(next(io).result, 0);
        ck_assert_int_eq(flush(io, 1), 0); /* of another file */
        erx_virtual_disk_cut(disk);
        lost += sectors_of(disk, 0, 0xdd) != BLOCK / SECTOR;
        end(disk, io);
    }
    ck_assert_uint_gt(lost, SEEDS / 4);
}
END_TEST

START_TEST(test_after_a_failed_flush_no_later_one_helps)
{
    static const erx_virtual_fault_t fault = {
        .kind = ERX_VIRTUAL_ERROR, .target = ERX_VIRTUAL_FLUSHES, .error_number = EIO};
    uint32_t lost = 0;
    erx_rng_t rng = erx_rng_open(5);
    for (uint32_t i = 0; i < SEEDS; i++) {
        erx_virtual_disk_t *disk = create(erx_rng_next(&rng));
        erx_virtual_disk_set_faults(disk, &fault, 1);
        erx_io_t *io = open_disk(disk);
        ck_assert_int_eq(write_block(io, 0, 0xee, true), -EIO);
        erx_io_close(io);
        io = open_disk(disk); /* as a process would that forgets the failure */
        ck_assert_int_eq(flush(io, 0), 0);
        uint8_t *read = block(2, 0);
        ck_assert_int_eq(erx_io_read(io, 0, 0, read, BLOCK), 0);
        ck_assert_int_eq(read[0], 0xee); /* it still looks right */
        erx_virtual_disk_cut(disk);
        lost += sectors_of(disk, 0, 0xee) != BLOCK / SECTOR;
        end(disk, io);
    }
    ck_assert_uint_gt(lost, SEEDS / 4);
}
END_TEST

/* One write, then flush, under a fault; what is on the disk after it. */
static erx_virtual_disk_t *struck(erx_virtual_fault_t fault, int32_t result)
{
    erx_virtual_disk_t *disk = create(erx_test_seed());
    erx_virtual_disk_set_faults(disk, &fault, 1);
    erx_io_t *io = open_disk(disk);
    ck_assert_int_eq(write_block(io, 2, 0x77, true), result);
    ck_assert_uint_eq(erx_virtual_disk_strikes(disk), 1);
    erx_error_t error;
    ck_assert_int_eq(erx_io_health(io, &error), result == 0 ? ERX_OK : ERX_ERR_IO);
    erx_io_close(io);
    return disk;
}

START_TEST(test_writes_fail_in_the_way_that_was_asked)
{
    erx_virtual_disk_t *disk = struck((erx_virtual_fault_t){.kind = ERX_VIRTUAL_SHORT}, -EIO);
    uint32_t fresh = sectors_of(disk, 2, 0x77);
    ck_assert(fresh >= 1 && fresh < BLOCK / SECTOR);
    erx_virtual_disk_free(disk);
    erx_virtual_disk_free(
        struck((erx_virtual_fault_t){.kind = ERX_VIRTUAL_ERROR, .error_number = ENOSPC}, -ENOSPC));
    erx_virtual_disk_free(struck((erx_virtual_fault_t){.kind = ERX_VIRTUAL_CANCELLED}, -ECANCELED));

    disk = struck((erx_virtual_fault_t){.kind = ERX_VIRTUAL_LOST}, 0);
    ck_assert_uint_eq(sectors_of(disk, 2, 0), BLOCK / SECTOR);
    erx_virtual_disk_free(disk);

    disk = struck((erx_virtual_fault_t){.kind = ERX_VIRTUAL_FLIPPED}, 0);
    ck_assert_uint_eq(sectors_of(disk, 2, 0x77), BLOCK / SECTOR - 1);
    erx_virtual_disk_free(disk);

    disk = struck((erx_virtual_fault_t){.kind = ERX_VIRTUAL_MISDIRECTED}, 0);
    ck_assert_uint_eq(sectors_of(disk, 2, 0), BLOCK / SECTOR);
    uint32_t elsewhere = 0;
    for (uint64_t at = 0; at < FILE_BYTES / BLOCK; at++)
        elsewhere += sectors_of(disk, at, 0x77);
    ck_assert_uint_eq(elsewhere, BLOCK / SECTOR);
    erx_virtual_disk_free(disk);
}
END_TEST

START_TEST(test_a_flush_that_lies_keeps_nothing)
{
    static const erx_virtual_fault_t fault = {.kind = ERX_VIRTUAL_LOST,
                                              .target = ERX_VIRTUAL_FLUSHES};
    uint32_t lost = 0;
    erx_rng_t rng = erx_rng_open(6);
    for (uint32_t i = 0; i < SEEDS; i++) {
        erx_virtual_disk_t *disk = create(erx_rng_next(&rng));
        erx_virtual_disk_set_faults(disk, &fault, 1);
        erx_io_t *io = open_disk(disk);
        ck_assert_int_eq(write_block(io, 0, 0x11, true), 0);
        erx_virtual_disk_cut(disk);
        lost += sectors_of(disk, 0, 0x11) != BLOCK / SECTOR;
        end(disk, io);
    }
    ck_assert_uint_gt(lost, SEEDS / 4);
}
END_TEST

START_TEST(test_faults_strike_the_operation_that_they_name)
{
    for (uint64_t from = 0; from < 12; from++) {
        const erx_virtual_fault_t fault = {
            .kind = ERX_VIRTUAL_ERROR, .from = from, .error_number = EIO};
        erx_virtual_disk_t *disk = create(from);
        erx_virtual_disk_set_faults(disk, &fault, 1);
        erx_io_t *io = open_disk(disk);
        /* Six times two operations. */
        uint64_t failed_at = UINT64_MAX;
        for (uint64_t i = 0; i < 6; i++)
            if (write_block(io, i, 1, true) != 0 && failed_at == UINT64_MAX)
                failed_at = i;
        ck_assert_uint_eq(failed_at, from / 2);
        /* And nothing succeeds, or reaches the disk, any more. */
        uint64_t operations = erx_virtual_disk_operations(disk);
        ck_assert_int_eq(write_block(io, 9, 1, false), -EIO);
        ck_assert_int_eq(flush(io, 1), -EIO);
        ck_assert_uint_eq(erx_virtual_disk_operations(disk), operations);
        ck_assert_uint_eq(sectors_of(disk, 9, 0), BLOCK / SECTOR);
        end(disk, io);
    }
}
END_TEST

START_TEST(test_reads_fail_alone_and_for_as_long_as_asked)
{
    static const erx_virtual_fault_t faults[] = {
        {.kind = ERX_VIRTUAL_ERROR, .target = ERX_VIRTUAL_READS, .from = 3, .error_number = EIO},
        {.kind = ERX_VIRTUAL_FLIPPED, .target = ERX_VIRTUAL_READS, .from = 5, .for_ever = true},
    };
    erx_virtual_disk_t *disk = create(7);
    erx_virtual_disk_set_faults(disk, faults, ERX_COUNT(faults));
    erx_io_t *io = open_disk(disk);
    ck_assert_int_eq(write_block(io, 0, 0x55, true), 0); /* 0 and 1 */
    const uint8_t *good = block(3, 0x55);
    uint8_t *read = block(2, 0);
    ck_assert_int_eq(erx_io_read(io, 0, 0, read, BLOCK), 0);
    ck_assert_int_eq(erx_io_read(io, 0, 0, read, BLOCK), -EIO);
    ck_assert_int_eq(erx_io_read(io, 0, 0, read, BLOCK), 0);
    ck_assert_mem_eq(read, good, BLOCK);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(erx_io_read(io, 0, 0, read, BLOCK), 0);
        ck_assert_int_ne(memcmp(read, good, BLOCK), 0);
    }
    ck_assert_int_eq(write_block(io, 1, 0x55, true), 0);
    end(disk, io);
}
END_TEST

START_TEST(test_completions_come_late_and_out_of_order)
{
    static const erx_virtual_fault_t late = {.kind = ERX_VIRTUAL_LATE, .delay_ns = SECOND_NS};
    erx_virtual_disk_t *disk = create(8);
    erx_virtual_disk_set_faults(disk, &late, 1);
    erx_io_t *io = open_disk(disk);
    for (uint32_t slot = 0; slot < 8; slot++)
        erx_io_submit_write(io, slot, 0, (uint64_t)slot * BLOCK, block(slot, 1), BLOCK, true);
    uint32_t inversions = 0;
    uint32_t before = 0;
    for (uint32_t i = 0; i < 7; i++) {
        uint32_t slot = next(io).slot;
        ck_assert_uint_ne(slot, 0);
        inversions += slot < before;
        before = slot;
    }
    ck_assert_uint_gt(inversions, 0);
    ck_assert_uint_lt(erx_virtual_disk_now(disk), SECOND_NS);
    ck_assert_uint_eq(next(io).slot, 0);
    ck_assert_uint_gt(erx_virtual_disk_now(disk), SECOND_NS);
    end(disk, io);
}
END_TEST

/* A run with everything in it; its completions and its disk as one number. */
static uint64_t fingerprint(uint64_t seed)
{
    static const erx_virtual_fault_t fault = {.kind = ERX_VIRTUAL_MISDIRECTED, .from = 9};
    erx_virtual_disk_t *disk = create(seed);
    erx_virtual_disk_set_faults(disk, &fault, 1);
    erx_io_t *io = open_disk(disk);
    uint64_t hash = 0;
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t slot = 0; slot < 8; slot++)
            erx_io_submit_write(io, slot, slot % 2, (round * 8ull + slot) * BLOCK,
                                block(slot, (uint8_t)(1 + slot)), BLOCK, slot % 3 == 0);
        while (erx_io_in_flight(io) > 0)
            hash = hash * 31 + next(io).slot;
    }
    erx_virtual_disk_cut(disk);
    for (uint32_t file = 0; file < 2; file++)
        for (uint64_t i = 0; i < FILE_BYTES; i++)
            hash = hash * 31 + erx_virtual_disk_bytes(disk, file)[i];
    hash = hash * 31 + erx_virtual_disk_now(disk);
    end(disk, io);
    return hash;
}

START_TEST(test_a_seed_decides_everything)
{
    uint64_t seed = erx_test_seed();
    ck_assert_uint_eq(fingerprint(seed), fingerprint(seed));
    ck_assert_uint_ne(fingerprint(seed), fingerprint(seed + 1));
}
END_TEST

typedef struct {
    uint32_t calls;
    uint32_t whole; /* forks that have the block */
} watch_t;

static void watch(void *context, erx_virtual_disk_t *disk)
{
    watch_t *seen = context;
    seen->calls++;
    erx_virtual_disk_t *fork = erx_virtual_disk_fork(disk, seen->calls);
    bool whole = sectors_of(fork, 6, 0x66) == BLOCK / SECTOR;
    /* Submission, write, flush: after the third nothing may be missing. */
    ck_assert(seen->calls < 3 || whole);
    seen->whole += whole;
    erx_virtual_disk_free(fork);
}

START_TEST(test_every_moment_can_be_forked)
{
    erx_virtual_disk_t *disk = create(9);
    watch_t seen = {0};
    erx_virtual_disk_observe(disk, watch, &seen);
    erx_io_t *io = open_disk(disk);
    ck_assert_int_eq(write_block(io, 6, 0x66, true), 0);
    ck_assert_uint_eq(seen.calls, 3);
    ck_assert_uint_ge(seen.whole, 1);
    ck_assert_uint_eq(sectors_of(disk, 6, 0x66), BLOCK / SECTOR);
    end(disk, io);
}
END_TEST

START_TEST(test_a_killed_process_leaves_what_completed)
{
    erx_virtual_disk_t *disk = create(10);
    erx_io_t *io = open_disk(disk);
    ck_assert_int_eq(write_block(io, 1, 0x22, false), 0);
    erx_virtual_disk_kill(disk);
    erx_io_t *again = open_disk(disk); /* while the dead one is still to be closed */
    ck_assert_int_eq(write_block(io, 1, 0x33, true), -EIO);
    uint8_t *read = block(2, 0);
    ck_assert_int_eq(erx_io_read(io, 0, BLOCK, read, BLOCK), -EIO);
    ck_assert_int_eq(erx_io_read(again, 0, BLOCK, read, BLOCK), 0);
    ck_assert_int_eq(read[BLOCK - 1], 0x22);
    erx_io_close(io);
    end(disk, again);
}
END_TEST

static int change_a_buffer_in_flight(void *context)
{
    (void)context;
    erx_io_t *io = open_disk(create(11));
    erx_io_submit_write(io, 0, 0, 0, block(0, 1), BLOCK, false);
    memory[17] = 2;
    erx_io_completion_t completion;
    (void)erx_io_poll(io, &completion, 1, SECOND_NS);
    return 0;
}

static int overlap_two_writes(void *context)
{
    (void)context;
    erx_io_t *io = open_disk(create(12));
    erx_io_submit_write(io, 0, 0, 0, memory, 2 * BLOCK, false);
    erx_io_submit_write(io, 1, 0, BLOCK, memory, BLOCK, false);
    return 0;
}

START_TEST(test_misuse_is_noticed)
{
    erx_child_expect_abort(change_a_buffer_in_flight, NULL);
    erx_child_expect_abort(overlap_two_writes, NULL);
}
END_TEST

Suite *virtual_disk_suite(void)
{
    Suite *suite = suite_create("virtual_disk");
    TCase *tests = tcase_create("virtual_disk");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_what_was_flushed_survives_every_cut);
    tcase_add_test(tests, test_what_was_not_flushed_meets_every_fate);
    tcase_add_test(tests, test_a_write_in_flight_may_be_there_or_not);
    tcase_add_test(tests, test_a_flush_covers_only_what_had_completed);
    tcase_add_test(tests, test_after_a_failed_flush_no_later_one_helps);
    tcase_add_test(tests, test_writes_fail_in_the_way_that_was_asked);
    tcase_add_test(tests, test_a_flush_that_lies_keeps_nothing);
    tcase_add_test(tests, test_faults_strike_the_operation_that_they_name);
    tcase_add_test(tests, test_reads_fail_alone_and_for_as_long_as_asked);
    tcase_add_test(tests, test_completions_come_late_and_out_of_order);
    tcase_add_test(tests, test_a_seed_decides_everything);
    tcase_add_test(tests, test_every_moment_can_be_forked);
    tcase_add_test(tests, test_a_killed_process_leaves_what_completed);
    tcase_add_test(tests, test_misuse_is_noticed);
    suite_add_tcase(suite, tests);
    return suite;
}
