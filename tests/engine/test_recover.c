#include "engine/recover.h"

#include <stdlib.h>
#include <string.h>

#include "tests/engine/engine_suites.h"
#include "tests/support/rng.h"

#define PAGE    ERX_JOURNAL_ALIGNMENT
#define PAGES   24u
#define RECORDS 6u /* of the journals made here, one page each */

static const uint8_t file_id[ERX_FILE_ID_BYTES] = {7};

/* Two copies of a journal in memory. */
typedef struct {
    uint8_t *copies[ERX_JOURNAL_COPIES];
} journal_t;

static void journal_open(journal_t *journal)
{
    for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++) {
        journal->copies[copy] = aligned_alloc(PAGE, PAGES * PAGE);
        memset(journal->copies[copy], 0, PAGES * PAGE);
    }
}

static void journal_close(journal_t *journal)
{
    for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++)
        free(journal->copies[copy]);
}

/* Writes a record of one page after previous (all zero: the first) into both
 * copies; returns its hash. */
static erx_digest_t put(journal_t *journal, uint32_t page, uint64_t sequence, uint64_t epoch,
                        const erx_digest_t *previous, uint64_t durable)
{
    erx_record_t *record = (erx_record_t *)(void *)(journal->copies[0] + page * PAGE);
    memset(record, 0, PAGE);
    memcpy(record->file_id, file_id, sizeof file_id);
    record->sequence = sequence;
    record->epoch = epoch;
    record->offset = page * PAGE;
    record->previous = *previous;
    record->durable = durable;
    record->block = sequence;
    erx_record_seal(record);
    memcpy(journal->copies[1] + page * PAGE, record, PAGE);
    return record->hash;
}

/* Records 1 to count, each claiming the one before; hashes_out[i] of record i. */
static void put_chain(journal_t *journal, uint32_t count, erx_digest_t hashes_out[RECORDS + 1])
{
    memset(&hashes_out[0], 0, sizeof hashes_out[0]);
    for (uint32_t i = 1; i <= count; i++)
        hashes_out[i] = put(journal, i - 1, i, 1, &hashes_out[i - 1], i - 1);
}

static void lose(journal_t *journal, uint32_t copy, uint32_t page)
{
    journal->copies[copy][page * PAGE + 100] ^= 1;
}

static erx_status_t recover(const journal_t *journal, uint64_t claimed, erx_chain_t *chain_out)
{
    erx_error_t error;
    const erx_recover_input_t input = {
        .copies = {journal->copies[0], journal->copies[1]},
        .bytes = PAGES * PAGE,
        .file_id = file_id,
        .claimed = claimed,
        .name = "test",
    };
    return erx_recover_chain(&input, chain_out, &error);
}

/* The rules, said once more and in another way than the table says them. */
START_TEST(test_every_row_of_the_table_follows_the_rules)
{
    for (int first = 0; first < ERX_COPY_STATES; first++) {
        for (int second = 0; second < ERX_COPY_STATES; second++) {
            for (int claimed = 0; claimed < 2; claimed++) {
                erx_recover_action_t action = erx_recover_table[first][second][claimed];
                bool have[] = {first == ERX_COPY_MATCH, second == ERX_COPY_MATCH};
                bool takes = action == ERX_RECOVER_TAKE || action == ERX_RECOVER_TAKE_MEND_1 ||
                             action == ERX_RECOVER_TAKE_MEND_2;
                ck_assert(takes == (have[0] || have[1]));
                ck_assert((action == ERX_RECOVER_TAKE_MEND_1) == (!have[0] && have[1]));
                ck_assert((action == ERX_RECOVER_TAKE_MEND_2) == (have[0] && !have[1]));
                ck_assert((action == ERX_RECOVER_HALT) == (!takes && claimed));
                ck_assert((action == ERX_RECOVER_END) == (!takes && !claimed));
            }
        }
    }
}
END_TEST

START_TEST(test_an_empty_journal_is_an_empty_chain)
{
    journal_t journal;
    erx_chain_t chain;
    journal_open(&journal);
    ck_assert_int_eq(recover(&journal, 0, &chain), ERX_OK);
    ck_assert_uint_eq(chain.count, 0);
    ck_assert_uint_eq(chain.last_sequence, 0);
    erx_chain_free(&chain);
    ck_assert_int_eq(recover(&journal, 3, &chain), ERX_ERR_HASH);
    journal_close(&journal);
}
END_TEST

/* Each record is whole, lost in one copy, in the other, or in both: all 4^6
 * ways. Losing both copies of record k ends the journal there, or halts when a
 * later valid record claims it. */
START_TEST(test_every_way_to_lose_copies)
{
    for (uint32_t ways = 0; ways < 1u << (2 * RECORDS); ways++) {
        journal_t journal;
        erx_digest_t hashes[RECORDS + 1];
        erx_chain_t chain;
        uint64_t gone = RECORDS + 1, claimed = 0;
        journal_open(&journal);
        put_chain(&journal, RECORDS, hashes);
        for (uint32_t i = 1; i <= RECORDS; i++) {
            uint32_t lost = ways >> (2 * (i - 1)) & 3;
            for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++)
                if (lost >> copy & 1)
                    lose(&journal, copy, i - 1);
            if (lost == 3)
                gone = ERX_MIN(gone, i);
            else
                claimed = i - 1;
        }
        bool claimed_lost = claimed > 0 && (ways >> (2 * (claimed - 1)) & 3) == 3;
        erx_status_t status = recover(&journal, 0, &chain);
        if (claimed_lost) {
            if (status != ERX_ERR_HASH)
                ck_abort_msg("ways %x: record %lu was claimed and is lost", ways, claimed);
        } else if (claimed == 0) {
            if (status != ERX_OK || chain.last_sequence != (gone > 1 ? 1u : 0u))
                ck_abort_msg("ways %x: the chain ends at %lu", ways, chain.last_sequence);
        } else if (status != ERX_OK || chain.last_sequence != claimed + 1) {
            ck_abort_msg("ways %x: ends at %lu and not %lu", ways, chain.last_sequence,
                         claimed + 1);
        }
        if (status == ERX_OK)
            erx_chain_free(&chain);
        journal_close(&journal);
    }
}
END_TEST

START_TEST(test_what_one_copy_lost_is_mended)
{
    journal_t journal;
    erx_digest_t hashes[RECORDS + 1];
    erx_chain_t chain;
    journal_open(&journal);
    put_chain(&journal, RECORDS, hashes);
    lose(&journal, 0, 1);
    lose(&journal, 1, 3);
    ck_assert_int_eq(recover(&journal, 0, &chain), ERX_OK);
    ck_assert_uint_eq(chain.count, RECORDS);
    for (uint64_t i = 1; i <= RECORDS; i++) {
        ck_assert(erx_chain_link(&chain, i)->mend[0] == (i == 2));
        ck_assert(erx_chain_link(&chain, i)->mend[1] == (i == 4));
    }
    erx_chain_free(&chain);
    journal_close(&journal);
}
END_TEST

/* A crash lost record 3 and left record 4; the next life wrote another 3. */
START_TEST(test_a_chain_that_was_cut_off_is_not_taken_up_again)
{
    journal_t journal;
    erx_digest_t hashes[RECORDS + 1];
    erx_chain_t chain;
    journal_open(&journal);
    put_chain(&journal, 4, hashes);
    erx_digest_t third = put(&journal, 2, 3, 2, &hashes[2], 2);
    ck_assert_int_eq(recover(&journal, 0, &chain), ERX_OK);
    /* Record 4 claims that its record 3 is durable, and some record 3 is. */
    ck_assert_uint_eq(chain.last_sequence, 3);
    ck_assert(erx_digest_equal(&erx_chain_link(&chain, 3)->record->hash, &third));
    ck_assert_uint_eq(chain.epoch, 2);
    erx_chain_free(&chain);
    journal_close(&journal);
}
END_TEST

/* Two records follow the same one; the later epoch's counts. */
START_TEST(test_the_latest_epoch_counts)
{
    journal_t journal;
    erx_digest_t hashes[RECORDS + 1];
    erx_chain_t chain;
    journal_open(&journal);
    put_chain(&journal, 2, hashes);
    (void)put(&journal, 5, 3, 1, &hashes[2], 0);
    (void)put(&journal, 9, 3, 4, &hashes[2], 0);
    (void)put(&journal, 7, 3, 2, &hashes[2], 0);
    ck_assert_int_eq(recover(&journal, 0, &chain), ERX_OK);
    ck_assert_uint_eq(chain.last_sequence, 3);
    ck_assert_uint_eq(erx_chain_link(&chain, 3)->record->epoch, 4);
    erx_chain_free(&chain);
    journal_close(&journal);
}
END_TEST

START_TEST(test_old_records_whose_place_was_taken_are_dropped)
{
    journal_t journal;
    erx_digest_t previous = {{0}};
    erx_chain_t chain;
    journal_open(&journal);
    for (uint32_t i = 1; i <= PAGES; i++)
        previous = put(&journal, i - 1, i, 1, &previous, i - 1);
    /* The next lap's first record reached one copy; the other has record 1. */
    uint8_t *kept = aligned_alloc(PAGE, PAGE);
    memcpy(kept, journal.copies[1], PAGE);
    (void)put(&journal, 0, PAGES + 1, 1, &previous, PAGES);
    memcpy(journal.copies[1], kept, PAGE);
    ck_assert_int_eq(recover(&journal, 0, &chain), ERX_OK);
    ck_assert_uint_eq(chain.first_sequence, 2);
    ck_assert_uint_eq(chain.last_sequence, PAGES + 1);
    ck_assert(erx_chain_link(&chain, PAGES + 1)->mend[1]);
    free(kept);
    erx_chain_free(&chain);
    journal_close(&journal);
}
END_TEST

Suite *recover_suite(void)
{
    Suite *suite = suite_create("recover");
    TCase *tcase = tcase_create("recover");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_every_row_of_the_table_follows_the_rules);
    tcase_add_test(tcase, test_an_empty_journal_is_an_empty_chain);
    tcase_add_test(tcase, test_every_way_to_lose_copies);
    tcase_add_test(tcase, test_what_one_copy_lost_is_mended);
    tcase_add_test(tcase, test_a_chain_that_was_cut_off_is_not_taken_up_again);
    tcase_add_test(tcase, test_the_latest_epoch_counts);
    tcase_add_test(tcase, test_old_records_whose_place_was_taken_are_dropped);
    suite_add_tcase(suite, tcase);
    return suite;
}
