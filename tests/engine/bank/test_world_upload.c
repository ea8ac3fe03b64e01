/* Models by instructions: uploaded in chunks, they play like those of a
 * directory; and what is refused on the way. */
#include "engine/bank/fields.h"
#include "engine/sha256.h"
#include "tests/engine/bank/bank_suites.h"
#include "tests/engine/bank/expectations.h"

#include <string.h>

#define MODEL   900u
#define SHARDS  3u
#define CHUNK   1000u
#define LUTS    1024u
#define SESSION 5u

static bank_rig_t rig;
static erx_key_t owner, stranger;
static uint8_t luts[LUTS];

/* The rig's model, cut into three shards. */
static erx_fixture_t fixture;

static void setup(void)
{
    bank_rig_open(&rig, NULL);
    owner = bank_rig_key(21);
    stranger = bank_rig_key(22);
    erx_fixture_model(&bank_rig_shape, 20260101, &fixture);
    fixture.shard_bytes = ERX_ALIGN_UP(fixture.weight_bytes / SHARDS, (size_t)4096);
    erx_fixture_seal(&fixture);
    ck_assert_uint_eq(fixture.manifest.shard_count, SHARDS);
    for (uint32_t i = 0; i < LUTS; i++)
        luts[i] = (uint8_t)(i * 7);
}

static void teardown(void)
{
    erx_fixture_free(&fixture);
    bank_rig_close(&rig);
}

static void expect_refusal(const call_t *call, erx_world_error_t error)
{
    uint64_t before = bank_rig_hash(&rig);
    erx_bank_outcome_t outcome = call_run(&rig, call);
    rig_expect_world(&outcome, 0, error);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
}

static void expect_error(const call_t *call, erx_instruction_error_t error)
{
    uint64_t before = bank_rig_hash(&rig);
    erx_bank_outcome_t outcome = call_run(&rig, call);
    rig_expect_error(&outcome, 0, error);
    ck_assert_uint_eq(bank_rig_hash(&rig), before);
}

static void hash_parts(const void *first, size_t first_bytes, const void *second,
                       size_t second_bytes, uint8_t digest_out[32])
{
    erx_error_t error;
    const erx_sha256_part_t parts[] = {{first, first_bytes}, {second, second_bytes}};
    ck_assert_int_eq(erx_sha256(parts, 2, digest_out, &error), ERX_OK);
}

/* Executes a call; a block that is full is sealed first. */
static void must(const call_t *call)
{
    static uint32_t count;
    if (++count % (RIG_TRANSACTIONS_MAX / 2) == 0)
        bank_rig_seal(&rig);
    call_must(&rig, call);
}

static const uint8_t *shard_data(uint8_t shard)
{
    return fixture.weights + fixture.manifest.shards[shard].offset;
}

static uint32_t shard_bytes(uint8_t shard)
{
    return (uint32_t)fixture.manifest.shards[shard].bytes;
}

static void init_shard(uint8_t shard)
{
    call_t call = call_init_weights(MODEL, shard, shard_bytes(shard), &owner);
    must(&call);
}

/* Uploads a shard from its end to its start. */
static void fill_shard(uint8_t shard)
{
    uint32_t bytes = shard_bytes(shard);
    for (uint32_t chunk = ERX_CEIL_DIV(bytes, CHUNK); chunk-- > 0;) {
        uint32_t offset = chunk * CHUNK;
        call_t call = call_upload_weights(MODEL, shard, &owner, offset, shard_data(shard) + offset,
                                          ERX_MIN(CHUNK, bytes - offset));
        must(&call);
    }
}

static void finalize_shard(uint8_t shard)
{
    call_t call =
        call_finalize_weights(MODEL, shard, &owner, fixture.manifest.shards[shard].sha256);
    must(&call);
}

static call_manifest_t manifest_terms(void)
{
    return (call_manifest_t){
        .model = MODEL,
        .shard_count = SHARDS,
        .weight_bytes = (uint32_t)fixture.weight_bytes,
        .json_bytes = (uint32_t)fixture.text_bytes,
    };
}

static void fill_manifest(void)
{
    uint8_t chunk[CHUNK];
    uint32_t total = LUTS + (uint32_t)fixture.text_bytes;
    for (uint32_t offset = 0; offset < total; offset += CHUNK) {
        uint32_t bytes = ERX_MIN(CHUNK, total - offset);
        for (uint32_t i = 0; i < bytes; i++)
            chunk[i] =
                offset + i < LUTS ? luts[offset + i] : (uint8_t)fixture.text[offset + i - LUTS];
        call_t call = call_upload_manifest(MODEL, &owner, offset, chunk, bytes);
        must(&call);
    }
}

static call_t finalize_manifest_call(void)
{
    uint8_t hash[32];
    hash_parts(luts, LUTS, fixture.text, fixture.text_bytes, hash);
    return call_finalize_manifest(MODEL, SHARDS, &owner, hash);
}

/* Everything but the manifest's finalization. */
static void upload_all(void)
{
    for (uint8_t shard = 0; shard < SHARDS; shard++) {
        init_shard(shard);
        fill_shard(shard);
        finalize_shard(shard);
    }
    call_manifest_t terms = manifest_terms();
    call_t call = call_init_manifest(&terms, &owner);
    must(&call);
    fill_manifest();
}

static const uint8_t *account(const erx_key_t *key)
{
    uint32_t index = erx_bank_find(rig.bank, key);
    ck_assert_uint_ne(index, ERX_ACCOUNT_NONE);
    return erx_accounts_data(rig.accounts, index);
}

START_TEST(test_weights_are_laid_out_as_documented)
{
    erx_key_t key = bank_rig_weights(MODEL, 1);
    init_shard(1);
    const uint8_t *data = account(&key);
    static const uint8_t tag[] = {0xa7, 0xde, 0xd9, 0x17, 0x8d, 0x1d, 0x17, 0xee};
    ck_assert_mem_eq(data, tag, sizeof tag);
    ck_assert_uint_eq(data[8], 1);
    ck_assert_uint_eq(erx_get_u32(data + 9), shard_bytes(1));
    ck_assert_mem_eq(data + 13, owner.bytes, 32);
    ck_assert_uint_eq(data[45], 0);
    ck_assert_uint_eq(erx_get_u32(data + 78), 0);
    fill_shard(1);
    ck_assert_uint_eq(erx_get_u32(data + 78), shard_bytes(1));
    ck_assert_mem_eq(data + 82, shard_data(1), shard_bytes(1));
    finalize_shard(1);
    ck_assert_uint_eq(data[45], 1);
    ck_assert_mem_eq(data + 46, fixture.manifest.shards[1].sha256, 32);
}
END_TEST

START_TEST(test_init_weights_refuses_what_is_wrong)
{
    call_t call = call_init_weights(MODEL, 4, 100, &owner);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ARGUMENT);
    call = call_init_weights(MODEL, 0, 0, &owner);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ARGUMENT);
    call = call_init_weights(MODEL, 0, (10u << 20) - 81, &owner);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ARGUMENT);
    call = call_init_weights(MODEL, 0, (10u << 20) - 82, &owner); /* more than the heap has */
    expect_error(&call, ERX_INSTRUCTION_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED);
    call = call_init_weights(MODEL, 0, 100, &owner);
    call.accounts[0].key = bank_rig_weights(MODEL, 1);
    expect_error(&call, ERX_INSTRUCTION_INVALID_SEEDS);
    init_shard(0);
    call = call_init_weights(MODEL, 0, 100, &owner);
    expect_error(&call, ERX_INSTRUCTION_ACCOUNT_ALREADY_INITIALIZED);
}
END_TEST

START_TEST(test_upload_weights_refuses_what_is_wrong)
{
    static uint8_t data[1001];
    uint32_t bytes = shard_bytes(0);
    init_shard(0);
    call_t call = call_upload_weights(MODEL, 0, &stranger, 0, data, 10);
    expect_refusal(&call, ERX_WORLD_UNAUTHORIZED);
    call = call_upload_weights(MODEL, 0, &owner, 0, data, 1001);
    expect_refusal(&call, ERX_WORLD_CHUNK_TOO_LARGE);
    call = call_upload_weights(MODEL, 0, &owner, bytes - 9, data, 10);
    expect_refusal(&call, ERX_WORLD_CHUNK_OUT_OF_BOUNDS);
    call = call_upload_weights(MODEL, 0, &owner, UINT32_MAX, data, 10);
    expect_refusal(&call, ERX_WORLD_CHUNK_OUT_OF_BOUNDS);
    call = call_upload_weights(MODEL, 0, &owner, 0, data, 10);
    call.data[12] = 11; /* the length says more than there is */
    expect_error(&call, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    call = call_upload_weights(MODEL, 0, &owner, 0, data, 10);
    call.accounts[0].key = bank_rig_manifest(RIG_MODEL_ID);
    expect_refusal(&call, ERX_WORLD_ACCOUNT_MISMATCH);
    call.accounts[0].key = bank_rig_key(70);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER);
    erx_key_t validator = bank_rig_key(99); /* whose the directory's model is */
    call = call_upload_weights(RIG_MODEL_ID, 0, &validator, 0, data, 10);
    expect_refusal(&call, ERX_WORLD_ALREADY_FINALIZED);
}
END_TEST

START_TEST(test_finalize_weights_refuses_what_is_wrong)
{
    uint8_t hash[32];
    memcpy(hash, fixture.manifest.shards[0].sha256, sizeof hash);
    init_shard(0);
    call_t call = call_finalize_weights(MODEL, 0, &owner, hash);
    expect_refusal(&call, ERX_WORLD_INCOMPLETE_UPLOAD);
    fill_shard(0);
    hash[31] ^= 1;
    call_t wrong = call_finalize_weights(MODEL, 0, &owner, hash);
    expect_refusal(&wrong, ERX_WORLD_HASH_MISMATCH);
    wrong = call;
    wrong.accounts[1].key = stranger;
    expect_refusal(&wrong, ERX_WORLD_UNAUTHORIZED);
    call_must(&rig, &call);
    expect_refusal(&call, ERX_WORLD_ALREADY_FINALIZED);
    call = call_upload_weights(MODEL, 0, &owner, 0, hash, 32);
    expect_refusal(&call, ERX_WORLD_ALREADY_FINALIZED);
}
END_TEST

START_TEST(test_a_manifest_is_laid_out_as_documented)
{
    erx_key_t key = bank_rig_manifest(MODEL);
    upload_all();
    call_t call = finalize_manifest_call();
    call_must(&rig, &call);
    const uint8_t *data = account(&key);
    static const uint8_t tag[] = {0x82, 0xa4, 0x60, 0x7b, 0xcc, 0x6c, 0x3d, 0xaf};
    ck_assert_mem_eq(data, tag, sizeof tag);
    ck_assert_mem_eq(data + 8, "micro", 6);
    ck_assert_uint_eq(erx_get_u16(data + 40), 1);
    ck_assert_uint_eq(erx_get_u16(data + 42), bank_rig_shape.d_model);
    ck_assert_uint_eq(erx_get_u16(data + 44), bank_rig_shape.d_inner);
    ck_assert_uint_eq(erx_get_u16(data + 46), bank_rig_shape.d_state);
    ck_assert_uint_eq(data[48], 3);
    ck_assert_uint_eq(data[49], 1);
    ck_assert_uint_eq(data[50], SHARDS);
    for (uint8_t i = 0; i < SHARDS; i++) {
        erx_key_t shard = bank_rig_weights(MODEL, i);
        ck_assert_mem_eq(data + 51 + 32 * i, shard.bytes, 32);
        ck_assert_uint_eq(erx_get_u32(data + 179 + 4 * i), shard_bytes(i));
    }
    ck_assert_mem_eq(data + 259, luts, LUTS);
    ck_assert_uint_eq(data[1283], 0x11);
    ck_assert_uint_eq(erx_get_u16(data + 1284), 0x2222);
    ck_assert_uint_eq(data[1286], 0x33);
    ck_assert_uint_eq(erx_get_u16(data + 1287), 0x4444);
    ck_assert_mem_eq(data + 1289, owner.bytes, 32);
    ck_assert_uint_eq(data[1321], 1);
    ck_assert_uint_eq(erx_get_u32(data + 1322), 0x55555555);
    ck_assert_uint_eq(erx_get_u32(data + 1326), fixture.weight_bytes);
    ck_assert_uint_eq(erx_get_u32(data + 1330), fixture.text_bytes);
    ck_assert_mem_eq(data + 1334, fixture.text, fixture.text_bytes);
}
END_TEST

START_TEST(test_manifest_instructions_refuse_what_is_wrong)
{
    static uint8_t data[1001];
    call_manifest_t terms = manifest_terms();
    terms.shard_count = 5;
    call_t call = call_init_manifest(&terms, &owner);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ARGUMENT);
    terms.shard_count = 0;
    call = call_init_manifest(&terms, &owner);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ARGUMENT);
    terms = manifest_terms();
    terms.json_bytes = (1u << 20) + 1;
    call = call_init_manifest(&terms, &owner);
    expect_error(&call, ERX_INSTRUCTION_INVALID_ARGUMENT);
    terms = manifest_terms();
    call = call_init_manifest(&terms, &owner);
    call.accounts[0].key = bank_rig_manifest(MODEL + 1);
    expect_error(&call, ERX_INSTRUCTION_INVALID_SEEDS);
    call = call_init_manifest(&terms, &owner);
    call_must(&rig, &call);
    expect_error(&call, ERX_INSTRUCTION_ACCOUNT_ALREADY_INITIALIZED);
    call = call_upload_manifest(MODEL, &stranger, 0, data, 10);
    expect_refusal(&call, ERX_WORLD_UNAUTHORIZED);
    call = call_upload_manifest(MODEL, &owner, 0, data, 1001);
    expect_refusal(&call, ERX_WORLD_CHUNK_TOO_LARGE);
    call = call_upload_manifest(MODEL, &owner, LUTS + terms.json_bytes - 9, data, 10);
    expect_refusal(&call, ERX_WORLD_CHUNK_OUT_OF_BOUNDS);
}
END_TEST

START_TEST(test_a_manifest_needs_all_of_its_shards)
{
    call_manifest_t terms = manifest_terms();
    call_t call = call_init_manifest(&terms, &owner);
    call_must(&rig, &call);
    fill_manifest();
    call = finalize_manifest_call();
    expect_error(&call, ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER); /* no shard yet */
    for (uint8_t shard = 0; shard < SHARDS; shard++) {
        init_shard(shard);
        fill_shard(shard);
        if (shard < SHARDS - 1)
            finalize_shard(shard);
    }
    expect_refusal(&call, ERX_WORLD_INCOMPLETE_UPLOAD);
    finalize_shard(SHARDS - 1);
    call_t wrong = call;
    wrong.account_count--;
    expect_error(&wrong, ERX_INSTRUCTION_NOT_ENOUGH_ACCOUNT_KEYS);
    wrong = call;
    wrong.accounts[2].key = call.accounts[3].key;
    expect_refusal(&wrong, ERX_WORLD_ACCOUNT_MISMATCH);
    wrong = call;
    wrong.accounts[2].key = bank_rig_weights(RIG_MODEL_ID, 0);
    expect_refusal(&wrong, ERX_WORLD_ACCOUNT_MISMATCH);
    wrong = call;
    wrong.data[8] ^= 1;
    expect_refusal(&wrong, ERX_WORLD_HASH_MISMATCH);
    wrong = call;
    wrong.accounts[1].key = stranger;
    expect_refusal(&wrong, ERX_WORLD_UNAUTHORIZED);
    call_must(&rig, &call);
    expect_refusal(&call, ERX_WORLD_ALREADY_FINALIZED);
    call = call_upload_manifest(MODEL, &owner, 0, luts, 10);
    expect_refusal(&call, ERX_WORLD_ALREADY_FINALIZED);
}
END_TEST

START_TEST(test_a_manifest_with_other_weights_is_refused)
{
    fixture.text[0] = ' '; /* it was a brace: no JSON any more */
    upload_all();
    call_t call = finalize_manifest_call();
    expect_error(&call, ERX_INSTRUCTION_INVALID_ACCOUNT_DATA);
    call_session_t terms = {.session = SESSION, .model = MODEL, .player = owner};
    call = call_create_session(&terms);
    expect_refusal(&call, ERX_WORLD_MODEL_NOT_READY);
}
END_TEST

START_TEST(test_a_manifest_of_another_size_is_refused)
{
    call_manifest_t terms = manifest_terms();
    terms.weight_bytes -= 64;
    for (uint8_t shard = 0; shard < SHARDS; shard++) {
        init_shard(shard);
        fill_shard(shard);
        finalize_shard(shard);
    }
    call_t call = call_init_manifest(&terms, &owner);
    must(&call);
    fill_manifest();
    call = finalize_manifest_call();
    expect_refusal(&call, ERX_WORLD_INSUFFICIENT_DATA);
}
END_TEST

START_TEST(test_a_manifest_whose_json_says_otherwise_is_refused)
{
    call_manifest_t terms = manifest_terms();
    for (uint8_t shard = 0; shard < SHARDS; shard++) {
        init_shard(shard);
        fill_shard(shard);
        finalize_shard(shard);
    }
    call_t call = call_init_manifest(&terms, &owner);
    call.data[8 + 48] ^= 1; /* num_layers */
    must(&call);
    fill_manifest();
    call = finalize_manifest_call();
    expect_error(&call, ERX_INSTRUCTION_INVALID_ACCOUNT_DATA);
}
END_TEST

START_TEST(test_a_model_is_unloaded_when_its_transaction_fails)
{
    static rig_transaction_t transaction;
    upload_all();
    uint64_t before = bank_rig_hash(&rig);
    call_t call = finalize_manifest_call();
    rig_transaction_begin(&transaction, &owner);
    call_add(&transaction, &call);
    call_add(&transaction, &call);     /* finalized already */
    for (uint32_t i = 0; i < 3; i++) { /* more often than there are places */
        erx_bank_outcome_t outcome = bank_rig_run(&rig, &transaction);
        rig_expect_world(&outcome, 1, ERX_WORLD_ALREADY_FINALIZED);
        ck_assert_uint_eq(bank_rig_hash(&rig), before);
    }
    call_must(&rig, &call);
}
END_TEST

/* Plays some frames; returns the hash of the session's state. */
static uint64_t play(uint64_t model, uint32_t shard_count)
{
    const erx_key_t bob = bank_rig_key(12);
    call_session_t terms = {.session = SESSION, .model = model, .stage = 2, .player = owner};
    call_t call = call_create_session(&terms);
    must(&call);
    call = call_join_session(SESSION, &bob, 3);
    must(&call);
    for (uint32_t frame = 0; frame < 6; frame++) {
        uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
        rig_controls(4, frame, control);
        call = call_submit_input(SESSION, &owner, frame + 1, control[0]);
        must(&call);
        call = call_submit_input(SESSION, &bob, frame + 1, control[1]);
        must(&call);
        call = call_run_inference(SESSION, model, shard_count);
        must(&call);
        bank_rig_seal(&rig);
    }
    const erx_session_t *session = bank_rig_find(&rig, SESSION);
    ck_assert_uint_eq(session->frame, 6);
    uint64_t hash = rig_session_hash(session, &bank_rig_shape);
    call = call_close_session(SESSION, &bob);
    must(&call);
    return hash;
}

START_TEST(test_an_uploaded_model_plays_like_its_directory)
{
    uint64_t expected = play(RIG_MODEL_ID, 1);
    upload_all();
    call_t call = finalize_manifest_call();
    must(&call);
    ck_assert_uint_eq(play(MODEL, SHARDS), expected);
    /* A session does not play another model, nor other shards. */
    call_session_t terms = {.session = SESSION, .model = MODEL, .player = owner};
    call = call_create_session(&terms);
    must(&call);
    call = call_join_session(SESSION, &stranger, 3);
    must(&call);
    call = call_run_inference(SESSION, RIG_MODEL_ID, 1);
    expect_refusal(&call, ERX_WORLD_ACCOUNT_MISMATCH);
    call = call_run_inference(SESSION, MODEL, SHARDS);
    call.accounts[4].key = bank_rig_weights(RIG_MODEL_ID, 0);
    expect_refusal(&call, ERX_WORLD_ACCOUNT_MISMATCH);
}
END_TEST

Suite *world_upload_suite(void)
{
    Suite *suite = suite_create("world_upload");
    TCase *tests = tcase_create("world_upload");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_weights_are_laid_out_as_documented);
    tcase_add_test(tests, test_init_weights_refuses_what_is_wrong);
    tcase_add_test(tests, test_upload_weights_refuses_what_is_wrong);
    tcase_add_test(tests, test_finalize_weights_refuses_what_is_wrong);
    tcase_add_test(tests, test_a_manifest_is_laid_out_as_documented);
    tcase_add_test(tests, test_manifest_instructions_refuse_what_is_wrong);
    tcase_add_test(tests, test_a_manifest_needs_all_of_its_shards);
    tcase_add_test(tests, test_a_manifest_with_other_weights_is_refused);
    tcase_add_test(tests, test_a_manifest_of_another_size_is_refused);
    tcase_add_test(tests, test_a_manifest_whose_json_says_otherwise_is_refused);
    tcase_add_test(tests, test_a_model_is_unloaded_when_its_transaction_fails);
    tcase_add_test(tests, test_an_uploaded_model_plays_like_its_directory);
    suite_add_tcase(suite, tests);
    return suite;
}
