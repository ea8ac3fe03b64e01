#include "engine/journal_ring.h"

#include "engine/journal.h"
#include "tests/engine/engine_suites.h"
#include "tests/support/rng.h"

#define BYTES ((uint64_t)64 << 12)

/* Random records, of which random prefixes become needless: no place that is
 * given out may touch a record that is needed. */
START_TEST(test_a_needed_record_is_never_overwritten)
{
    erx_rng_t rng = erx_rng_open(1);
    erx_journal_ring_t ring;
    erx_error_t error;
    erx_ring_record_t given[4096];
    ck_assert_int_eq(erx_journal_ring_open(&ring, BYTES, &error), ERX_OK);
    uint64_t needed = 1, refused = 0;
    for (uint64_t sequence = 1; sequence < 4096;) {
        uint64_t length = (uint64_t)erx_rng_range(&rng, 1, 20) * ERX_JOURNAL_ALIGNMENT;
        uint64_t offset;
        if (!erx_journal_ring_fits(&ring, length, needed, &offset)) {
            /* Nothing needed: everything fits. */
            ck_assert_uint_lt(needed, sequence);
            needed = (uint64_t)erx_rng_range(&rng, (int64_t)needed + 1, (int64_t)sequence);
            refused++;
            continue;
        }
        for (uint64_t old = needed; old < sequence; old++)
            if (offset < given[old].offset + given[old].length &&
                given[old].offset < offset + length)
                ck_abort_msg("record %lu overwrites record %lu", sequence, old);
        given[sequence] = (erx_ring_record_t){sequence, offset, length};
        erx_journal_ring_push(&ring, sequence++, offset, length);
    }
    ck_assert_uint_gt(refused, 100);
    erx_journal_ring_close(&ring);
}
END_TEST

START_TEST(test_a_full_ring_gives_no_place)
{
    erx_journal_ring_t ring;
    erx_error_t error;
    uint64_t offset;
    ck_assert_int_eq(erx_journal_ring_open(&ring, BYTES, &error), ERX_OK);
    ck_assert(!erx_journal_ring_fits(&ring, BYTES + ERX_JOURNAL_ALIGNMENT, 1, &offset));
    ck_assert(erx_journal_ring_fits(&ring, BYTES, 1, &offset));
    erx_journal_ring_push(&ring, 1, offset, BYTES);
    ck_assert_uint_eq(erx_journal_ring_free(&ring), 0);
    ck_assert(!erx_journal_ring_fits(&ring, ERX_JOURNAL_ALIGNMENT, 1, &offset));
    ck_assert(erx_journal_ring_fits(&ring, ERX_JOURNAL_ALIGNMENT, 2, &offset));
    ck_assert_uint_eq(offset, 0);
    erx_journal_ring_close(&ring);
}
END_TEST

Suite *journal_ring_suite(void)
{
    Suite *suite = suite_create("journal_ring");
    TCase *tcase = tcase_create("journal_ring");
    tcase_add_test(tcase, test_a_needed_record_is_never_overwritten);
    tcase_add_test(tcase, test_a_full_ring_gives_no_place);
    suite_add_tcase(suite, tcase);
    return suite;
}
