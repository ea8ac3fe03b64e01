#include "tests/engine/bank/bank_rig.h"

#include "engine/sha256.h"
#include "engine/transaction/address.h"
#include "mem/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

const erx_shape_t bank_rig_shape = {
    .d_model = 32, .d_inner = 64, .d_state = 2, .layer_count = 3, .head_count = 1, .head_dim = 64};

#define MODEL_SEED      20260101u
#define VALID_BLOCKS    10u
#define FIRST_TIMESTAMP 1700000001

static void expect(erx_status_t status, const erx_error_t *error)
{
    if (status != ERX_OK)
        (void)fprintf(stderr, "%s\n", error->text);
    ERX_ASSERT(status == ERX_OK);
}

static void open_directory(bank_rig_t *rig)
{
    static const char template[] = "/tmp/erx-bank-XXXXXX";
    memcpy(rig->directory, template, sizeof template);
    ERX_ASSERT(mkdtemp(rig->directory) != NULL);
    erx_fixture_model(&bank_rig_shape, MODEL_SEED, &rig->fixture);
    erx_fixture_write(&rig->fixture, rig->directory);
}

static void close_directory(bank_rig_t *rig)
{
    static const char *const files[] = {"manifest.json", "weights_int8.bin"};
    for (size_t i = 0; i < ERX_COUNT(files); i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/%s", rig->directory, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(rig->directory);
    erx_fixture_free(&rig->fixture);
}

static erx_engine_t *open_engine(erx_error_t *error)
{
    const erx_engine_config_t config = {.worker_count = 1};
    erx_engine_t *engine;
    expect(rig_engine_try(NULL, &config, &engine, error), error);
    return engine;
}

static void open_models(bank_rig_t *rig, erx_error_t *error)
{
    const erx_models_config_t config = {
        .engine = rig->engine,
        .accounts = rig->accounts,
        .program = erx_key_world,
        .authority = bank_rig_key(99),
        .compute = erx_compute_table_default,
        .upload_models = 2,
        .upload_sessions = RIG_UPLOAD_SESSIONS,
        .upload_session_bytes = (uint32_t)erx_arena_bytes(&bank_rig_shape),
    };
    expect(erx_models_open(&config, &rig->models, error), error);
    expect(erx_models_load(rig->models, rig->directory, RIG_MODEL_ID, RIG_SESSIONS, error), error);
    expect(erx_models_add_places(rig->models, error), error);
    expect(erx_models_settle(rig->models, error), error);
}

static void open_bank(bank_rig_t *rig, const bank_rig_options_t *options, erx_error_t *error)
{
    const erx_blockhash_settings_t hashes = {.valid_blocks = VALID_BLOCKS, .hash_seed = 3};
    expect(erx_blockhash_open(&hashes, &rig->blockhashes, error), error);
    expect(erx_status_cache_open(4096, 5, &rig->statuses, error), error);
    const erx_bank_config_t config = {
        .engine = rig->engine,
        .accounts = rig->accounts,
        .blockhashes = rig->blockhashes,
        .statuses = rig->statuses,
        .models = erx_models_interface(rig->models),
        .program = erx_key_world,
        .compute = erx_compute_table_default,
        .transaction_units_max = RIG_UNITS_MAX,
        .block_units_max =
            options->block_units_max == 0 ? UINT64_MAX / 2 : options->block_units_max,
        .fee_per_signature = options->fee_per_signature,
        .block_transactions_max = RIG_TRANSACTIONS_MAX,
        .tick_divisor = 2,
        .refuse_uncloned = options->refuse_uncloned,
    };
    expect(erx_bank_open(&config, &rig->bank, error), error);
    rig->slot = 1;
    rig->timestamp = FIRST_TIMESTAMP;
    erx_bank_begin(rig->bank, rig->slot, rig->timestamp);
}

void bank_rig_open(bank_rig_t *rig, const bank_rig_options_t *options)
{
    static const bank_rig_options_t usual = {0};
    erx_error_t error = {0};
    if (options == NULL)
        options = &usual;
    memset(rig, 0, sizeof *rig);
    open_directory(rig);
    rig->engine = open_engine(&error);
    const erx_accounts_config_t accounts = {
        .account_capacity = 256,
        .heap_bytes = (uint64_t)(options->heap_pages == 0 ? 32 : options->heap_pages) *
                      ERX_ACCOUNTS_PAGE_BYTES,
        .write_log_bytes = options->write_log_bytes == 0 ? 1u << 20 : options->write_log_bytes,
        .undo_log_bytes = 1u << 18,
    };
    expect(erx_accounts_open(&accounts, &rig->accounts, &error), &error);
    open_models(rig, &error);
    open_bank(rig, options, &error);
}

static void close_bank(bank_rig_t *rig)
{
    erx_bank_close(rig->bank);
    erx_status_cache_close(rig->statuses);
    erx_blockhash_close(rig->blockhashes);
}

void bank_rig_reset(bank_rig_t *rig, const bank_rig_options_t *options)
{
    uint32_t model_count;
    erx_error_t error = {0};
    erx_model_t *models = erx_engine_models(rig->engine, &model_count);
    close_bank(rig);
    erx_accounts_reset(rig->accounts);
    for (uint32_t i = 0; i < model_count; i++)
        erx_session_pool_reset(&models[i].sessions);
    expect(erx_models_settle(rig->models, &error), &error);
    open_bank(rig, options, &error);
}

void bank_rig_close(bank_rig_t *rig)
{
    close_bank(rig);
    erx_models_close(rig->models);
    erx_engine_close(rig->engine);
    erx_accounts_close(rig->accounts);
    close_directory(rig);
}

void bank_rig_seal(bank_rig_t *rig)
{
    erx_error_t error = {0};
    expect(erx_bank_execute(rig->bank, &error), &error);
    const erx_blockhash_block_t block = {.number = rig->slot, .timestamp = rig->timestamp};
    expect(erx_blockhash_advance(rig->blockhashes, &block, &error), &error);
    erx_status_cache_purge(rig->statuses, rig->slot > VALID_BLOCKS ? rig->slot - VALID_BLOCKS : 0);
    erx_bank_begin(rig->bank, ++rig->slot, ++rig->timestamp);
}

erx_key_t bank_rig_key(uint64_t number)
{
    erx_key_t key = {{0x7a}};
    memcpy(key.bytes + 8, &number, sizeof number);
    key.bytes[31] = 0x11;
    return key;
}

erx_key_t bank_rig_manifest(uint64_t model)
{
    erx_key_t key;
    erx_error_t error;
    expect(erx_address_manifest(&erx_key_world, model, &key, NULL, &error), &error);
    return key;
}

erx_key_t bank_rig_weights(uint64_t model, uint8_t shard)
{
    erx_key_t key;
    erx_error_t error;
    expect(erx_address_weights(&erx_key_world, model, shard, &key, NULL, &error), &error);
    return key;
}

void bank_rig_session(uint64_t session, erx_key_t keys_out[3])
{
    erx_error_t error;
    expect(erx_address_session(&erx_key_world, session, &keys_out[0], NULL, &error), &error);
    expect(erx_address_hidden(&erx_key_world, session, &keys_out[1], NULL, &error), &error);
    expect(erx_address_input(&erx_key_world, session, &keys_out[2], NULL, &error), &error);
}

void bank_rig_put(bank_rig_t *rig, const erx_account_entry_t *entry, const void *data)
{
    uint32_t index;
    erx_error_t error = {0};
    erx_accounts_begin(rig->accounts);
    expect(erx_accounts_create(rig->accounts, entry, &index, &error), &error);
    if (entry->data_length > 0)
        expect(erx_accounts_write(rig->accounts, index, 0, data, entry->data_length, &error),
               &error);
    erx_accounts_commit(rig->accounts);
    expect(erx_bank_note_change(rig->bank, &entry->key, &error), &error);
}

void bank_rig_fund(bank_rig_t *rig, const erx_key_t *key, uint64_t lamports)
{
    const erx_account_entry_t entry = {
        .key = *key,
        .lamports = lamports,
        .kind = ERX_ACCOUNT_PLAIN,
        .flags = ERX_ACCOUNT_DELEGATED,
    };
    bank_rig_put(rig, &entry, NULL);
}

uint64_t bank_rig_lamports(const bank_rig_t *rig, const erx_key_t *key)
{
    uint32_t index = erx_accounts_find(rig->accounts, key);
    return index == ERX_ACCOUNT_NONE ? 0 : erx_accounts_entry(rig->accounts, index)->lamports;
}

/* The pool's bytes: what is in use of its table, and the arenas. */
static uint64_t hash_pool(uint64_t hash, const erx_session_pool_t *pool)
{
    for (uint32_t slot = 0; slot < pool->capacity; slot++) {
        const erx_session_t *session = &pool->sessions[slot];
        const uint64_t facts[] = {session->frame, session->status, session->block_number};
        hash = rig_hash(hash, &session->generation, sizeof session->generation);
        if (session->generation % 2 == 0)
            continue; /* what else a free slot holds means nothing */
        hash = rig_hash(hash, facts, sizeof facts);
        hash = XXH3_64bits_withSeed(session->arena, pool->arena_bytes, hash);
    }
    return rig_hash(hash, &pool->used_count, sizeof pool->used_count);
}

uint64_t bank_rig_hash(const bank_rig_t *rig)
{
    uint32_t model_count;
    const erx_model_t *models = erx_engine_models(rig->engine, &model_count);
    uint64_t hash =
        XXH3_64bits(erx_accounts_image(rig->accounts),
                    (size_t)erx_accounts_page_count(rig->accounts) * ERX_ACCOUNTS_PAGE_BYTES);
    for (uint32_t i = 0; i < model_count; i++)
        hash = hash_pool(hash, &models[i].sessions);
    return hash;
}

erx_session_t *bank_rig_find(const bank_rig_t *rig, uint64_t session)
{
    erx_key_t keys[3];
    uint32_t pool;
    bank_rig_session(session, keys);
    uint32_t index = erx_bank_find(rig->bank, &keys[0]);
    ERX_ASSERT(index != ERX_ACCOUNT_NONE);
    return erx_bank_session(rig->bank, index, &pool);
}

/* --- transactions --- */

/* The account's place, with further flags. */
static uint8_t place(rig_transaction_t *transaction, const erx_key_t *key, uint8_t flags)
{
    for (uint32_t i = 0; i < transaction->account_count; i++) {
        if (!erx_key_equals(&transaction->accounts[i].key, key))
            continue;
        transaction->accounts[i].flags |= flags;
        return (uint8_t)i;
    }
    ERX_ASSERT(transaction->account_count < RIG_ACCOUNTS_MAX);
    transaction->accounts[transaction->account_count] = (rig_account_t){*key, flags};
    return (uint8_t)transaction->account_count++;
}

void rig_transaction_begin(rig_transaction_t *transaction, const erx_key_t *payer)
{
    transaction->account_count = 0;
    transaction->instruction_count = 0;
    transaction->data_bytes = 0;
    (void)place(transaction, payer, RIG_SIGNS | RIG_WRITES);
}

void rig_transaction_add(rig_transaction_t *transaction, const erx_key_t *program,
                         const rig_account_t *accounts, uint32_t account_count, const void *data,
                         uint32_t data_bytes)
{
    uint32_t i = transaction->instruction_count++;
    ERX_ASSERT(i < RIG_INSTRUCTIONS_MAX);
    ERX_ASSERT(data_bytes <= RIG_DATA_MAX - transaction->data_bytes);
    for (uint32_t a = 0; a < account_count; a++)
        transaction->instructions[i].accounts[a] =
            place(transaction, &accounts[a].key, accounts[a].flags);
    transaction->instructions[i].account_count = (uint16_t)account_count;
    transaction->instructions[i].program = place(transaction, program, 0);
    transaction->instructions[i].data_offset = transaction->data_bytes;
    transaction->instructions[i].data_bytes = (uint16_t)data_bytes;
    memcpy(transaction->data + transaction->data_bytes, data, data_bytes);
    transaction->data_bytes += data_bytes;
}

/* Gives the accounts of one class their places in the message. */
static void number_class(const rig_transaction_t *transaction, uint8_t flags, uint8_t *places,
                         erx_plan_t *plan)
{
    for (uint32_t i = 0; i < transaction->account_count; i++) {
        if (transaction->accounts[i].flags != flags)
            continue;
        places[i] = (uint8_t)plan->key_count;
        plan->keys[plan->key_count++] = transaction->accounts[i].key;
    }
}

void rig_transaction_write(const rig_transaction_t *transaction, const erx_key_t *blockhash,
                           uint8_t packet[ERX_PACKET_BYTES_MAX], erx_intake_item_t *item_out)
{
    static erx_plan_t plan;
    static uint8_t bytes[ERX_PLAN_BYTES_MAX];
    static uint8_t accounts[RIG_INSTRUCTIONS_MAX][RIG_ACCOUNTS_MAX];
    uint8_t places[RIG_ACCOUNTS_MAX] = {0};
    erx_error_t error;
    memset(&plan, 0, sizeof plan);
    number_class(transaction, RIG_SIGNS | RIG_WRITES, places, &plan);
    uint16_t writable_signers = plan.key_count;
    number_class(transaction, RIG_SIGNS, places, &plan);
    plan.signatures_required = (uint8_t)plan.key_count;
    plan.signature_count = plan.key_count;
    plan.readonly_signed_count = (uint8_t)(plan.key_count - writable_signers);
    number_class(transaction, RIG_WRITES, places, &plan);
    uint16_t writable = plan.key_count;
    number_class(transaction, 0, places, &plan);
    plan.readonly_unsigned_count = (uint8_t)(plan.key_count - writable);
    plan.blockhash = *blockhash;
    for (uint32_t i = 0; i < transaction->instruction_count; i++) {
        for (uint32_t a = 0; a < transaction->instructions[i].account_count; a++)
            accounts[i][a] = places[transaction->instructions[i].accounts[a]];
        plan.instructions[plan.instruction_count++] = (erx_plan_instruction_t){
            .program = places[transaction->instructions[i].program],
            .account_count = transaction->instructions[i].account_count,
            .accounts = accounts[i],
            .data_bytes = transaction->instructions[i].data_bytes,
            .data = transaction->data + transaction->instructions[i].data_offset,
        };
    }
    size_t size = erx_plan_write(&plan, bytes);
    ERX_ASSERT(size <= ERX_PACKET_BYTES_MAX);
    memcpy(packet, bytes, size);
    *item_out = (erx_intake_item_t){.packet = packet, .bytes = (uint32_t)size};
    item_out->fault = erx_message_parse(packet, size, &item_out->message);
    ERX_ASSERT(item_out->fault == ERX_MESSAGE_GOOD);
    const erx_sha256_part_t signed_part = {packet + item_out->message.message_offset,
                                           size - item_out->message.message_offset};
    expect(erx_sha256(&signed_part, 1, item_out->message_hash.bytes, &error), &error);
}

erx_bank_outcome_t bank_rig_run(bank_rig_t *rig, const rig_transaction_t *transaction)
{
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_intake_item_t item;
    erx_bank_outcome_t outcome;
    erx_error_t error = {0};
    rig_transaction_write(transaction, erx_blockhash_latest(rig->blockhashes), packet, &item);
    uint64_t nonce = ++rig->nonce;
    for (size_t i = 0; i < sizeof nonce; i++)
        item.message_hash.bytes[i] ^= (uint8_t)(nonce >> 8 * i);
    item.tag = nonce;
    expect(erx_bank_process(rig->bank, &item, &outcome, &error), &error);
    ERX_ASSERT(outcome.tag == nonce);
    return outcome;
}

erx_bank_outcome_t bank_rig_call(bank_rig_t *rig, const erx_key_t *program,
                                 const rig_account_t *accounts, uint32_t account_count,
                                 const void *data, uint32_t data_bytes)
{
    static rig_transaction_t transaction;
    const erx_key_t payer = bank_rig_key(1);
    rig_transaction_begin(&transaction, &payer);
    rig_transaction_add(&transaction, program, accounts, account_count, data, data_bytes);
    return bank_rig_run(rig, &transaction);
}

bool rig_outcome_logs(const erx_bank_outcome_t *outcome, const char *text)
{
    for (uint32_t i = 0; i < outcome->log_count; i++)
        if (strstr(outcome->logs[i], text) != NULL)
            return true;
    return false;
}
