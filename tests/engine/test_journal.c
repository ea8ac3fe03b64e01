#include "engine/journal.h"

#include <stdlib.h>
#include <string.h>

#include "tests/engine/engine_suites.h"
#include "tests/support/rng.h"

#define ROUNDS 400

static const uint8_t file_id[ERX_FILE_ID_BYTES] = {1, 2, 3};

/* A sealed record with random parts; freed by the caller. */
static erx_record_t *make_record(erx_rng_t *rng)
{
    uint32_t events = (uint32_t)erx_rng_range(rng, 0, 40);
    uint32_t frames = (uint32_t)erx_rng_range(rng, 0, 200);
    uint32_t bulk = (uint32_t)erx_rng_range(rng, 0, 9000);
    uint64_t length = erx_record_length(events, frames, bulk);
    erx_record_t *record = aligned_alloc(ERX_JOURNAL_ALIGNMENT, length);
    ck_assert_ptr_nonnull(record);
    erx_rng_fill(rng, record, length);
    memcpy(record->file_id, file_id, sizeof file_id);
    record->event_count = events;
    record->frame_count = frames;
    record->bulk_bytes = bulk;
    record->offset = 8192;
    erx_record_seal(record);
    return record;
}

static bool is_valid(const erx_record_t *record, uint64_t size, uint64_t offset)
{
    return erx_record_is_valid((const uint8_t *)record, size, file_id, offset);
}

START_TEST(test_a_sealed_record_is_valid_at_its_place_only)
{
    erx_rng_t rng = erx_rng_open(1);
    const uint8_t other_id[ERX_FILE_ID_BYTES] = {9};
    for (uint32_t round = 0; round < ROUNDS; round++) {
        erx_record_t *record = make_record(&rng);
        bool here = is_valid(record, record->length, 8192);
        bool elsewhere = is_valid(record, record->length, 4096);
        bool cut = is_valid(record, record->length - 1, 8192);
        bool foreign = erx_record_is_valid((const uint8_t *)record, record->length, other_id, 8192);
        ck_assert_msg(here && !elsewhere && !cut && !foreign && record->length % 4096 == 0,
                      "round %u: %d %d %d %d", round, here, elsewhere, cut, foreign);
        free(record);
    }
}
END_TEST

START_TEST(test_a_record_with_a_flipped_bit_is_not_valid)
{
    erx_rng_t rng = erx_rng_open(2);
    for (uint32_t round = 0; round < 40; round++) {
        erx_record_t *record = make_record(&rng);
        uint8_t *bytes = (uint8_t *)record;
        for (uint32_t flip = 0; flip < 200; flip++) {
            uint64_t bit = (uint64_t)erx_rng_range(&rng, 0, (int64_t)record->length * 8 - 1);
            /* The first half of the flips are in the header, where they matter most. */
            bit = flip % 2 == 0 ? bit % (sizeof *record * 8) : bit;
            uint64_t length = record->length;
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (is_valid(record, length, 8192))
                ck_abort_msg("round %u: flipping bit %lu is not noticed", round, bit);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(record);
    }
}
END_TEST

START_TEST(test_a_torn_record_is_not_valid)
{
    erx_rng_t rng = erx_rng_open(3);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        erx_record_t *record = make_record(&rng);
        uint64_t sector = (uint64_t)erx_rng_range(&rng, 0, record->length / 512 - 1);
        uint8_t before[512], *at = (uint8_t *)record + sector * 512;
        uint64_t length = record->length;
        memcpy(before, at, sizeof before);
        memset(at, 0, sizeof before);
        bool changed = memcmp(before, at, sizeof before) != 0;
        if (changed && is_valid(record, length, 8192))
            ck_abort_msg("round %u: a lost sector %lu is not noticed", round, sector);
        free(record);
    }
}
END_TEST

/* Any bytes are looked at without reading past them; the sanitizers watch. */
START_TEST(test_noise_is_not_a_record)
{
    erx_rng_t rng = erx_rng_open(4);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t size = (uint64_t)erx_rng_range(&rng, 0, 9000);
        uint8_t *noise = aligned_alloc(8, ERX_ALIGN_UP(size + 1, (uint64_t)8));
        erx_rng_fill(&rng, noise, size);
        if (size >= sizeof(erx_record_t)) {
            erx_record_t *record = (erx_record_t *)(void *)noise;
            memcpy(record->magic, ERX_JOURNAL_MAGIC, sizeof record->magic);
            memcpy(record->file_id, file_id, sizeof file_id);
            record->version = ERX_JOURNAL_VERSION;
            record->offset = 0;
            if (round % 2 == 0) {
                record->event_count = UINT32_MAX;
                record->frame_count = UINT32_MAX;
                record->bulk_bytes = UINT32_MAX;
            }
        }
        ck_assert(!erx_record_is_valid(noise, size, file_id, 0));
        free(noise);
    }
}
END_TEST

Suite *journal_suite(void)
{
    Suite *suite = suite_create("journal");
    TCase *tcase = tcase_create("journal");
    tcase_add_test(tcase, test_a_sealed_record_is_valid_at_its_place_only);
    tcase_add_test(tcase, test_a_record_with_a_flipped_bit_is_not_valid);
    tcase_add_test(tcase, test_a_torn_record_is_not_valid);
    tcase_add_test(tcase, test_noise_is_not_a_record);
    suite_add_tcase(suite, tcase);
    return suite;
}
