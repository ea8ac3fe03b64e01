/* Models that arrive as whole accounts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"
#include "tests/support/scratch.h"

#define UPLOADED_ID 77u
#define SHARDS_MAX  4u

static abi_rig_t rig;
static char scratch[ERX_SCRATCH_PATH_MAX];
static char directory[2 * ERX_SCRATCH_PATH_MAX];

/* A model's accounts, as they were read. */
static struct {
    uint8_t *manifest;
    size_t manifest_size;
    uint32_t shard_count;
    uint8_t *shards[SHARDS_MAX];
    size_t shard_sizes[SHARDS_MAX];
} model;

static uint8_t *read_whole(const erx_pubkey_t *key, size_t *size_out)
{
    erx_account_info_t info = {.struct_size = sizeof info};
    ck_assert_int_eq(erx_rollup_read_account(rig.rollup, key, &info, 0, NULL, 0, NULL), 0);
    uint8_t *bytes = malloc(info.space);
    ck_assert_int_eq(erx_rollup_read_account(rig.rollup, key, NULL, 0, bytes, info.space, size_out),
                     0);
    ck_assert_uint_eq(*size_out, info.space);
    return bytes;
}

static void read_model(void)
{
    erx_model_info_t info = {.struct_size = sizeof info};
    ck_assert_int_eq(erx_rollup_model(rig.rollup, 0, &info), 0);
    model.manifest = read_whole(&info.manifest, &model.manifest_size);
    model.shard_count = info.shards;
    for (uint32_t i = 0; i < info.shards; i++) {
        erx_pubkey_t key;
        ck_assert_int_eq(erx_world_address(&rig.config.program, ERX_ADDRESS_WEIGHTS, ABI_MODEL_ID,
                                           (uint8_t)i, &key),
                         0);
        model.shards[i] = read_whole(&key, &model.shard_sizes[i]);
    }
}

static int32_t load(void)
{
    return erx_rollup_load_model_accounts(rig.rollup, UPLOADED_ID, model.manifest,
                                          model.manifest_size, (const uint8_t *const *)model.shards,
                                          model.shard_sizes, model.shard_count);
}

static void setup_shape(const erx_shape_t *shape)
{
    abi_rig_make_of(&rig, shape);
    erx_scratch_make(scratch);
    (void)snprintf(directory, sizeof directory, "%s", erx_scratch_file(scratch, "data"));
    rig.config.upload_models = 1;
    rig.config.upload_sessions = 2;
    rig.config.upload_session_bytes = 1u << 16;
    rig.config.account_bytes = 64u << 16;
    rig.config.journal_bytes = 32u << 20;
    abi_rig_open(&rig);
    read_model();
    /* A manifest names its shards' addresses, which follow from the model's id. */
    for (uint32_t i = 0; i < model.shard_count; i++) {
        erx_pubkey_t key;
        ck_assert_int_eq(erx_world_address(&rig.config.program, ERX_ADDRESS_WEIGHTS, UPLOADED_ID,
                                           (uint8_t)i, &key),
                         0);
        memcpy(model.manifest + 51 + 32 * i, key.bytes, sizeof key.bytes);
    }
}

static void setup(void)
{
    setup_shape(&bank_rig_shape);
}

static void setup_mlp(void)
{
    setup_shape(&erx_fixture_mlp);
}

static void teardown(void)
{
    free(model.manifest);
    for (uint32_t i = 0; i < model.shard_count; i++)
        free(model.shards[i]);
    memset(&model, 0, sizeof model);
    abi_rig_end(&rig);
    erx_scratch_remove(scratch);
}

static erx_session_ref_t start(uint64_t model_id, uint64_t session_id)
{
    erx_session_ref_t session;
    erx_session_config_t terms;
    erx_session_config_default(&terms);
    terms.model_id = model_id;
    terms.session_id = session_id;
    terms.stage = 31;
    ck_assert_msg(erx_rollup_create_session(rig.rollup, &terms, &session) == 0, "%s",
                  erx_last_error());
    return session;
}

/* The world state of a session, where its HiddenState's data begins. */
static void read_world(erx_session_ref_t session, uint8_t world_out[192])
{
    erx_session_info_t info = {.struct_size = sizeof info};
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), 0);
    ck_assert_int_eq(
        erx_rollup_read_account(rig.rollup, &info.hidden_state, NULL, 16, world_out, 192, NULL), 0);
}

START_TEST(it_plays_like_the_directory_it_came_from)
{
    uint8_t here[192], there[192];
    ck_assert_msg(load() == 0, "%s", erx_last_error());
    const erx_session_ref_t sessions[] = {start(ABI_MODEL_ID, 1), start(UPLOADED_ID, 2)};
    const uint8_t control[ERX_CONTROLLER_SIZE] = {70, 10};
    for (uint32_t i = 0; i < 20; i++) {
        for (uint32_t s = 0; s < 2; s++)
            ck_assert_int_eq(erx_rollup_input(rig.rollup, sessions[s], i % 2, control), 0);
        abi_rig_seal(&rig, true);
    }
    read_world(sessions[0], here);
    read_world(sessions[1], there);
    ck_assert_mem_eq(here, there, sizeof here);
    ck_assert_int_eq(load(), ERX_STATUS_STATE);
}
END_TEST

START_TEST(it_is_there_after_a_restart)
{
    erx_model_info_t info = {.struct_size = sizeof info};
    uint8_t before[192], after[192];
    abi_rig_close(&rig);
    rig.config.data_directory = directory;
    abi_rig_open(&rig);
    ck_assert_msg(load() == 0, "%s", erx_last_error());
    erx_session_ref_t session = start(UPLOADED_ID, 5);
    for (uint32_t i = 0; i < 20; i++)
        abi_rig_seal(&rig, true);
    read_world(session, before);
    abi_rig_close(&rig);
    abi_rig_open(&rig);
    ck_assert_int_eq(erx_rollup_model(rig.rollup, 1, &info), 0);
    ck_assert_uint_eq(info.model_id, UPLOADED_ID);
    read_world(session, after);
    ck_assert_mem_eq(before, after, sizeof before);
    abi_rig_seal(&rig, true);
    ck_assert_uint_eq(rig.block->frame_count, 1);
}
END_TEST

START_TEST(what_does_not_belong_together_is_refused)
{
    erx_model_info_t info = {.struct_size = sizeof info};
    static const uint32_t places[] = {0, 42, 48, 50, 1330}; /* tag, d_model, layers, shards, JSON */
    for (uint32_t i = 0; i < ERX_COUNT(places); i++) {
        model.manifest[places[i]] ^= 1;
        ck_assert_int_lt(load(), 0);
        model.manifest[places[i]] ^= 1;
    }
    model.shards[0][model.shard_sizes[0] - 1] ^= 1;
    ck_assert_int_eq(load(), ERX_STATUS_HASH);
    model.shards[0][model.shard_sizes[0] - 1] ^= 1;
    model.manifest_size--;
    ck_assert_int_eq(load(), ERX_STATUS_FORMAT);
    model.manifest_size++;
    ck_assert_int_eq(erx_rollup_model(rig.rollup, 1, &info), ERX_STATUS_NOT_FOUND);
    ck_assert_msg(load() == 0, "%s", erx_last_error());
}
END_TEST

/* The addresses that its accounts have here: shards, then the manifest. */
static erx_pubkey_t part_key(uint32_t part)
{
    erx_pubkey_t key;
    erx_address_kind_t kind = part < model.shard_count ? ERX_ADDRESS_WEIGHTS : ERX_ADDRESS_MANIFEST;
    ck_assert_int_eq(erx_world_address(&rig.config.program, kind, UPLOADED_ID, (uint8_t)part, &key),
                     0);
    return key;
}

static uint32_t count_accounts(void)
{
    erx_metrics_t metrics = {.struct_size = sizeof metrics};
    ck_assert_int_eq(erx_rollup_metrics(rig.rollup, &metrics), 0);
    return metrics.accounts;
}

START_TEST(what_is_refused_leaves_nothing)
{
    uint32_t accounts = count_accounts();
    uint8_t *shard = model.shards[0];
    shard[45] = 0; /* not finalized: its authority could still change it */
    ck_assert_int_eq(load(), ERX_STATUS_FORMAT);
    shard[45] = 1;
    model.manifest[51] ^= 1; /* another shard's address */
    ck_assert_int_eq(load(), ERX_STATUS_FORMAT);
    model.manifest[51] ^= 1;
    model.manifest[1334] = '?'; /* no JSON */
    ck_assert_int_eq(load(), ERX_STATUS_FORMAT);
    model.manifest[1334] = '{';
    ck_assert_uint_eq(count_accounts(), accounts);
    abi_rig_seal(&rig, false);
    ck_assert_uint_eq(rig.block->change_count, 0);
    ck_assert_msg(load() == 0, "%s", erx_last_error());
}
END_TEST

START_TEST(its_accounts_stay_as_they_are)
{
    ck_assert_msg(load() == 0, "%s", erx_last_error());
    for (uint32_t part = 0; part <= model.shard_count; part++) {
        const erx_pubkey_t key = part_key(part);
        const erx_account_image_t image = {.struct_size = sizeof image, .key = key};
        ck_assert_int_eq(erx_rollup_put_account(rig.rollup, &image), ERX_STATUS_STATE);
        ck_assert_int_eq(erx_rollup_remove_account(rig.rollup, &key), ERX_STATUS_STATE);
    }
}
END_TEST

Suite *model_accounts_suite(void)
{
    Suite *suite = suite_create("model_accounts");
    TCase *tests = tcase_create("model_accounts");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, it_plays_like_the_directory_it_came_from);
    tcase_add_test(tests, it_is_there_after_a_restart);
    tcase_add_test(tests, what_does_not_belong_together_is_refused);
    tcase_add_test(tests, what_is_refused_leaves_nothing);
    tcase_add_test(tests, its_accounts_stay_as_they_are);
    suite_add_tcase(suite, tests);
    TCase *mlp = tcase_create("of an MLP");
    tcase_add_checked_fixture(mlp, setup_mlp, teardown);
    tcase_set_timeout(mlp, 120);
    tcase_add_test(mlp, it_plays_like_the_directory_it_came_from);
    tcase_add_test(mlp, it_is_there_after_a_restart);
    tcase_add_test(mlp, what_does_not_belong_together_is_refused);
    suite_add_tcase(suite, mlp);
    return suite;
}
