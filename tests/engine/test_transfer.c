#include "engine/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "tests/engine/engine_suites.h"
#include "tests/support/model_fixture.h"
#include "tests/support/rng.h"
#include "tests/support/scratch.h"

#define FRAMES 20u

typedef struct {
    erx_engine_t *engine;
    erx_model_t *model;
} player_t;

static void open_player(player_t *player, const char *directory, uint32_t sessions)
{
    const erx_engine_config_t config = {.worker_count = 1};
    erx_error_t error;
    ck_assert_int_eq(erx_engine_open(&config, &player->engine, &error), ERX_OK);
    ck_assert_int_eq(
        erx_engine_load_model(player->engine, directory, sessions, &player->model, &error), ERX_OK);
}

static uint64_t create(player_t *player)
{
    const erx_session_terms_t terms = {.stage = 2, .characters = {1, 2}, .seed = 9};
    uint64_t handle;
    erx_error_t error;
    ck_assert_int_eq(erx_session_create(&player->model->sessions, &terms, &handle, &error), ERX_OK);
    return handle;
}

static void play(player_t *player, erx_session_t *session, erx_rng_t *rng, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        uint8_t control[ERX_CONTROLLER_BYTES];
        erx_rng_fill(rng, control, sizeof control);
        erx_session_input(&player->model->sessions, session, i % 2, control);
        erx_block_t *block = erx_engine_begin_block(player->engine, i);
        ck_assert_int_eq(erx_block_add(block, player->model, session), ERX_OK);
        erx_engine_execute(player->engine);
    }
}

static char directory[ERX_SCRATCH_PATH_MAX];

static void make_model(void)
{
    erx_fixture_t fixture;
    erx_scratch_make(directory);
    erx_fixture_model(&erx_fixture_small, 3, &fixture);
    erx_fixture_write(&fixture, directory);
    erx_fixture_free(&fixture);
}

static void remove_model(void)
{
    erx_scratch_remove(directory);
}

START_TEST(test_an_imported_session_goes_on_identically)
{
    player_t here, there;
    erx_error_t error;
    erx_rng_t inputs = {.state = 5};
    make_model();
    open_player(&here, directory, 2);
    open_player(&there, directory, 5);
    (void)create(&there); /* so that the slots differ */
    erx_session_t *session = erx_session_find(&here.model->sessions, create(&here));
    play(&here, session, &inputs, FRAMES);
    size_t size = erx_transfer_bytes(&here.model->shape);
    uint8_t *bytes = malloc(size);
    erx_transfer_export(here.model, session, bytes);
    uint64_t handle;
    ck_assert_int_eq(erx_transfer_import(there.model, bytes, size, &handle, &error), ERX_OK);
    erx_session_t *copy = erx_session_find(&there.model->sessions, handle);
    erx_rng_t again = inputs;
    play(&here, session, &inputs, FRAMES);
    play(&there, copy, &again, FRAMES);
    ck_assert_mem_eq(copy->arena, session->arena, erx_arena_bytes(&here.model->shape));
    ck_assert_uint_eq(copy->frame, 2 * FRAMES);
    free(bytes);
    erx_engine_close(here.engine);
    erx_engine_close(there.engine);
    remove_model();
}
END_TEST

/* Seals bytes that were changed, as somebody with bad intent would. */
static void seal(uint8_t *bytes, size_t size)
{
    erx_digest_t hash = erx_digest(bytes + sizeof hash, size - sizeof hash);
    memcpy(bytes, &hash, sizeof hash);
}

START_TEST(test_what_is_not_an_exported_session_is_refused)
{
    player_t player;
    erx_error_t error;
    uint64_t handle;
    make_model();
    open_player(&player, directory, 3);
    erx_session_t *session = erx_session_find(&player.model->sessions, create(&player));
    size_t size = erx_transfer_bytes(&player.model->shape);
    uint8_t *good = malloc(size), *bad = malloc(size);
    erx_transfer_export(player.model, session, good);
    for (size_t cut = 0; cut < size; cut += 97)
        ck_assert_int_eq(erx_transfer_import(player.model, good, cut, &handle, &error),
                         ERX_ERR_FORMAT);
    for (size_t at = 0; at < size; at += 61) {
        memcpy(bad, good, size);
        bad[at] ^= 4;
        ck_assert_int_ne(erx_transfer_import(player.model, bad, size, &handle, &error), ERX_OK);
    }
    memcpy(bad, good, size);
    uint16_t category = 400;
    memcpy(bad + 128 + ERX_ARENA_WORLD + offsetof(erx_world_t, category), &category,
           sizeof category);
    seal(bad, size);
    ck_assert_int_eq(erx_transfer_import(player.model, bad, size, &handle, &error), ERX_ERR_RANGE);
    memcpy(bad, good, size);
    int16_t least = INT16_MIN;
    memcpy(bad + 128 + ERX_ARENA_RECURRENT, &least, sizeof least);
    seal(bad, size);
    ck_assert_int_eq(erx_transfer_import(player.model, bad, size, &handle, &error), ERX_ERR_RANGE);
    ck_assert_uint_eq(player.model->sessions.used_count, 1);
    free(good);
    free(bad);
    erx_engine_close(player.engine);
    remove_model();
}
END_TEST

Suite *transfer_suite(void)
{
    Suite *suite = suite_create("transfer");
    TCase *tcase = tcase_create("transfer");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_an_imported_session_goes_on_identically);
    tcase_add_test(tcase, test_what_is_not_an_exported_session_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
