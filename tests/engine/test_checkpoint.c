#include "engine/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "tests/engine/engine_suites.h"
#include "tests/support/rng.h"

#define ARENA_BYTES 5000u
#define IMAGE_BYTES (ERX_CHECKPOINT_HEADER_BYTES + 8192u)

static const uint8_t file_id[ERX_FILE_ID_BYTES] = {4, 5, 6};
static const erx_checkpoint_place_t place = {
    .file_id = file_id, .pool = 2, .slot = 7, .image = 1, .arena_bytes = ARENA_BYTES};

/* A sealed image at that place; freed by the caller. */
static erx_checkpoint_t *make_image(erx_rng_t *rng, uint32_t generation)
{
    erx_checkpoint_t *image = aligned_alloc(ERX_JOURNAL_ALIGNMENT, IMAGE_BYTES);
    ck_assert_ptr_nonnull(image);
    erx_rng_fill(rng, image, IMAGE_BYTES);
    memcpy(image->file_id, file_id, sizeof file_id);
    image->pool = place.pool;
    image->slot = place.slot;
    image->image = place.image;
    image->generation = generation;
    image->arena_bytes = generation % 2 == 1 ? ARENA_BYTES : 0;
    uint32_t bytes = erx_checkpoint_seal(image);
    ck_assert_uint_eq(bytes, generation % 2 == 1 ? IMAGE_BYTES : ERX_CHECKPOINT_HEADER_BYTES);
    return image;
}

START_TEST(test_images_of_a_pool_do_not_overlap)
{
    uint64_t stride = erx_checkpoint_stride(ARENA_BYTES);
    ck_assert_uint_eq(stride, IMAGE_BYTES);
    for (uint32_t i = 0; i < 10; i++)
        ck_assert_uint_eq(erx_checkpoint_offset(ARENA_BYTES, i / 2, i % 2), i * stride);
    ck_assert_uint_eq(erx_checkpoint_file_bytes(ARENA_BYTES, 5), 10 * stride);
}
END_TEST

START_TEST(test_an_image_is_valid_at_its_place_only)
{
    erx_rng_t rng = erx_rng_open(1);
    for (uint32_t generation = 1; generation < 5; generation++) {
        const uint8_t other_id[ERX_FILE_ID_BYTES] = {9};
        erx_checkpoint_place_t wrong[5] = {place, place, place, place, place};
        erx_checkpoint_t *image = make_image(&rng, generation);
        ck_assert(erx_checkpoint_is_valid(image, &place));
        wrong[0].file_id = other_id;
        wrong[1].pool++;
        wrong[2].slot++;
        wrong[3].image--;
        wrong[4].arena_bytes += 64;
        uint32_t count = generation % 2 == 1 ? 5 : 4; /* a free slot has no arena */
        for (uint32_t i = 0; i < count; i++)
            ck_assert(!erx_checkpoint_is_placed(image, &wrong[i]));
        free(image);
    }
}
END_TEST

START_TEST(test_an_image_with_a_flipped_bit_is_not_valid)
{
    erx_rng_t rng = erx_rng_open(2);
    erx_checkpoint_t *image = make_image(&rng, 3);
    uint8_t *bytes = (uint8_t *)image;
    for (uint32_t flip = 0; flip < 4000; flip++) {
        uint64_t bit = (uint64_t)erx_rng_range(&rng, 0, (int64_t)IMAGE_BYTES * 8 - 1);
        bit = flip % 2 == 0 ? bit % 1024 : bit; /* the header's fields matter most */
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (erx_checkpoint_is_valid(image, &place))
            ck_abort_msg("flipping bit %lu is not noticed", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert(erx_checkpoint_is_valid(image, &place));
    free(image);
}
END_TEST

/* A write that was torn between two states of the same slot. */
START_TEST(test_a_torn_image_is_not_valid)
{
    erx_rng_t rng = erx_rng_open(3);
    erx_checkpoint_t *before = make_image(&rng, 3), *after = make_image(&rng, 3);
    for (uint32_t sectors = 1; sectors < IMAGE_BYTES / 512; sectors++) {
        uint8_t *torn = aligned_alloc(ERX_JOURNAL_ALIGNMENT, IMAGE_BYTES);
        memcpy(torn, before, IMAGE_BYTES);
        memcpy(torn, after, sectors * 512u);
        /* Behind the arena both are zero: there the later one is whole. */
        bool whole = sectors * 512u >= ERX_CHECKPOINT_HEADER_BYTES + ARENA_BYTES;
        bool valid = erx_checkpoint_is_valid((erx_checkpoint_t *)(void *)torn, &place);
        if (valid != whole)
            ck_abort_msg("%u sectors: %d", sectors, valid);
        free(torn);
    }
    free(before);
    free(after);
}
END_TEST

START_TEST(test_noise_is_not_an_image)
{
    erx_rng_t rng = erx_rng_open(4);
    erx_checkpoint_t *noise = aligned_alloc(ERX_JOURNAL_ALIGNMENT, IMAGE_BYTES);
    for (uint32_t round = 0; round < 300; round++) {
        erx_rng_fill(&rng, noise, IMAGE_BYTES);
        ck_assert(!erx_checkpoint_is_placed(noise, &place));
        memcpy(noise->magic, ERX_CHECKPOINT_MAGIC, sizeof noise->magic);
        memcpy(noise->file_id, file_id, sizeof file_id);
        noise->version = ERX_CHECKPOINT_VERSION;
        noise->pool = place.pool;
        noise->slot = place.slot;
        noise->image = place.image;
        noise->arena_bytes = noise->generation % 2 == 1 ? ARENA_BYTES : 0;
        ck_assert(erx_checkpoint_is_placed(noise, &place));
        ck_assert(!erx_checkpoint_is_valid(noise, &place));
    }
    free(noise);
}
END_TEST

/* 400 sessions of 130 us on two workers, 1.2 s of reading, 4 s for all of it. */
START_TEST(test_the_pace_follows_from_what_a_restart_costs)
{
    const erx_restart_t usual = {
        .target_ns = 4000000000,
        .read_ns = 1200000000,
        .frame_ns = 130000,
        .session_count = 400,
        .worker_count = 2,
    };
    uint32_t frames = erx_checkpoint_frames_for(&usual);
    uint64_t replay_ns = (uint64_t)frames * 400 / 2 * 130000 / 2;
    ck_assert_uint_ge(usual.read_ns + replay_ns, 2500000000);
    ck_assert_uint_le(usual.read_ns + replay_ns, 2700000000);
    erx_restart_t restart = usual;
    restart.worker_count = 4;
    ck_assert_uint_ge(erx_checkpoint_frames_for(&restart), 2 * frames);
    restart = usual;
    restart.frame_ns *= 2;
    ck_assert_uint_le(erx_checkpoint_frames_for(&restart), frames / 2);
    restart = usual;
    restart.read_ns = 0;
    ck_assert_uint_gt(erx_checkpoint_frames_for(&restart), frames);
    restart.read_ns = UINT64_MAX; /* no restart is in time then */
    ck_assert_uint_ge(erx_checkpoint_frames_for(&restart), ERX_CHECKPOINT_FRAMES_MIN);
    restart = usual;
    restart.session_count = 0;
    ck_assert_uint_eq(erx_checkpoint_frames_for(&restart), ERX_CHECKPOINT_FRAMES_MAX);
    restart = usual;
    restart.session_count = 1000000;
    ck_assert_uint_eq(erx_checkpoint_frames_for(&restart), ERX_CHECKPOINT_FRAMES_MIN);
}
END_TEST

Suite *checkpoint_suite(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *tcase = tcase_create("checkpoint");
    tcase_add_test(tcase, test_images_of_a_pool_do_not_overlap);
    tcase_add_test(tcase, test_an_image_is_valid_at_its_place_only);
    tcase_add_test(tcase, test_an_image_with_a_flipped_bit_is_not_valid);
    tcase_add_test(tcase, test_a_torn_image_is_not_valid);
    tcase_add_test(tcase, test_noise_is_not_an_image);
    tcase_add_test(tcase, test_the_pace_follows_from_what_a_restart_costs);
    suite_add_tcase(suite, tcase);
    return suite;
}
