/* Models that arrive by transactions: weight shards, then the manifest. */
#include "engine/bank/bank_parts.h"
#include "engine/bank/model_account.h"
#include "engine/bank/program_world.h"
#include "engine/sha256.h"
#include "engine/transaction/address.h"

/* As the runtime charges its system calls: finding an address, hashing. */
#define ADDRESS_UNITS             1500u
#define HASH_BASE_UNITS           85u
#define HASH_UNIT_BYTES           2u
#define WRITE_UNIT_BYTES          1u

#define LUTS_AND_JSON(json_bytes) (ERX_LUTS_BYTES + (json_bytes))

/* What an upload instruction carries. */
typedef struct {
    uint32_t offset;
    uint32_t size;
    const uint8_t *data;
} chunk_t;

enum { /* arguments of init_weights */
       WEIGHTS_MODEL = 0,
       WEIGHTS_SHARD = 8,
       WEIGHTS_SIZE = 9
};

enum { /* arguments of init_manifest; most are fields of the account, in its order */
       MANIFEST_MODEL = 0,
       MANIFEST_NAME = 8,
       MANIFEST_VERSION = 40,
       MANIFEST_SHARDS = 50,
       MANIFEST_CONTINUOUS = 51,
       MANIFEST_PARAMETERS = 57,
       MANIFEST_JSON_BYTES = 65
};

/* name, version, shape and number of shards lie in one run, as do the counts of
 * features. */
ERX_STATIC_ASSERT(ERX_MANIFEST_AT_SHARDS + 1 - ERX_MANIFEST_AT_NAME ==
                      MANIFEST_CONTINUOUS - MANIFEST_NAME,
                  "the run from name to shards is the same");
ERX_STATIC_ASSERT(ERX_MANIFEST_AT_AUTHORITY - ERX_MANIFEST_AT_CONTINUOUS ==
                      MANIFEST_PARAMETERS - MANIFEST_CONTINUOUS,
                  "the run from continuous to input_size is the same");

static chunk_t chunk_of(const uint8_t *arguments)
{
    return (chunk_t){
        .offset = erx_get_u32(arguments),
        .size = erx_get_u32(arguments + 4),
        .data = arguments + 8,
    };
}

/* Whether a chunk is not too large and lies within total bytes; charges for it. */
static bool check_chunk(erx_instruction_t *instruction, const chunk_t *chunk, uint32_t total)
{
    if (chunk->size > ERX_WORLD_CHUNK_BYTES_MAX)
        return erx_world_fail(instruction, ERX_WORLD_CHUNK_TOO_LARGE);
    if (chunk->offset > total || chunk->size > total - chunk->offset)
        return erx_world_fail(instruction, ERX_WORLD_CHUNK_OUT_OF_BOUNDS);
    return erx_instruction_charge(instruction, chunk->size / WRITE_UNIT_BYTES);
}

/* Reads the head of an account of the program with that tag: AccountMismatch. */
static bool read_head(erx_instruction_t *instruction, uint32_t position, const uint8_t *tag,
                      uint8_t *head_out, uint32_t bytes)
{
    if (!erx_world_owns(instruction, position))
        return false;
    uint8_t kind = erx_instruction_entry(instruction, position)->kind;
    bool may_be = kind == ERX_ACCOUNT_PLAIN || kind == ERX_ACCOUNT_MODEL_PART;
    if (may_be && erx_instruction_read(instruction, position, 0, head_out, bytes) == bytes &&
        memcmp(head_out, tag, ERX_TAG_BYTES) == 0)
        return true;
    return erx_world_fail(instruction, ERX_WORLD_ACCOUNT_MISMATCH);
}

/* The head of an account that its authority, at position 1, changes. */
static bool read_own(erx_instruction_t *instruction, const uint8_t *tag, uint32_t at_authority,
                     uint32_t at_final, uint8_t *head_out, uint32_t bytes)
{
    if (!read_head(instruction, 0, tag, head_out, bytes))
        return false;
    if (memcmp(head_out + at_authority, erx_instruction_key(instruction, 1)->bytes,
               ERX_KEY_BYTES) != 0)
        return erx_world_fail(instruction, ERX_WORLD_UNAUTHORIZED);
    if (head_out[at_final] != 0)
        return erx_world_fail(instruction, ERX_WORLD_ALREADY_FINALIZED);
    return true;
}

static bool read_own_weights(erx_instruction_t *instruction, uint8_t head_out[ERX_WEIGHTS_AT_DATA])
{
    return read_own(instruction, erx_weight_shard_tag, ERX_WEIGHTS_AT_AUTHORITY,
                    ERX_WEIGHTS_AT_FINALIZED, head_out, ERX_WEIGHTS_AT_DATA);
}

static bool read_own_manifest(erx_instruction_t *instruction,
                              uint8_t head_out[ERX_MANIFEST_AT_JSON])
{
    return read_own(instruction, erx_model_manifest_tag, ERX_MANIFEST_AT_AUTHORITY,
                    ERX_MANIFEST_AT_READY, head_out, ERX_MANIFEST_AT_JSON);
}

/* Makes a plain account of the program with a head. */
static bool make_account(erx_instruction_t *instruction, uint64_t model, uint32_t length,
                         const uint8_t *head, uint32_t head_bytes)
{
    const erx_account_entry_t entry = {
        .owner = *instruction->program,
        .data_length = length,
        .world_id = model,
        .kind = ERX_ACCOUNT_PLAIN,
    };
    return erx_instruction_make(instruction, 0, &entry) &&
           erx_instruction_write(instruction, 0, 0, head, head_bytes);
}

bool erx_world_init_weights(erx_instruction_t *instruction, const uint8_t *arguments)
{
    uint64_t model = erx_get_u64(arguments + WEIGHTS_MODEL);
    uint8_t shard = arguments[WEIGHTS_SHARD];
    uint32_t size = erx_get_u32(arguments + WEIGHTS_SIZE);
    uint8_t head[ERX_WEIGHTS_AT_DATA] = {0};
    erx_key_t address;
    erx_error_t error;
    if (shard >= ERX_MANIFEST_SHARDS_MAX)
        return erx_world_refuse(instruction, ERX_INSTRUCTION_INVALID_ARGUMENT,
                                "shard_index must be less than 4");
    if (size == 0 || size > ERX_SHARD_BYTES_MAX)
        return erx_world_refuse(instruction, ERX_INSTRUCTION_INVALID_ARGUMENT,
                                "data_size must be in 1 to 10485678");
    if (!erx_instruction_charge(instruction, ADDRESS_UNITS))
        return false;
    erx_status_t status =
        erx_address_weights(instruction->program, model, shard, &address, NULL, &error);
    if (!erx_world_may_make(instruction, 0, status, &address, &error))
        return false;
    memcpy(head, erx_weight_shard_tag, ERX_TAG_BYTES);
    head[ERX_WEIGHTS_AT_SHARD] = shard;
    erx_put_u32(head + ERX_WEIGHTS_AT_DATA_SIZE, size);
    memcpy(head + ERX_WEIGHTS_AT_AUTHORITY, erx_instruction_key(instruction, 1), ERX_KEY_BYTES);
    return make_account(instruction, model, ERX_WEIGHTS_AT_DATA + size, head, sizeof head);
}

bool erx_world_upload_weights(erx_instruction_t *instruction, const uint8_t *arguments)
{
    uint8_t head[ERX_WEIGHTS_AT_DATA];
    chunk_t chunk = chunk_of(arguments);
    if (!read_own_weights(instruction, head))
        return false;
    uint32_t total = erx_get_u32(head + ERX_WEIGHTS_AT_DATA_SIZE);
    uint32_t written = erx_get_u32(head + ERX_WEIGHTS_AT_WRITTEN);
    if (!check_chunk(instruction, &chunk, total))
        return false;
    erx_put_u32(head + ERX_WEIGHTS_AT_WRITTEN, written + ERX_MIN(chunk.size, total - written));
    return erx_instruction_write(instruction, 0, ERX_WEIGHTS_AT_DATA + chunk.offset, chunk.data,
                                 chunk.size) &&
           erx_instruction_write(instruction, 0, ERX_WEIGHTS_AT_WRITTEN,
                                 head + ERX_WEIGHTS_AT_WRITTEN, sizeof(uint32_t));
}

/* Whether the parts have the expected SHA-256; charges for hashing them. */
static bool check_hash(erx_instruction_t *instruction, const erx_sha256_part_t *parts,
                       size_t part_count, const uint8_t expected[ERX_SHA256_BYTES])
{
    uint8_t digest[ERX_SHA256_BYTES];
    erx_error_t error;
    uint64_t bytes = 0;
    for (size_t i = 0; i < part_count; i++)
        bytes += parts[i].bytes;
    if (!erx_instruction_charge(instruction, HASH_BASE_UNITS + bytes / HASH_UNIT_BYTES))
        return false;
    if (erx_sha256(parts, part_count, digest, &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    return memcmp(digest, expected, sizeof digest) == 0 ||
           erx_world_fail(instruction, ERX_WORLD_HASH_MISMATCH);
}

bool erx_world_finalize_weights(erx_instruction_t *instruction, const uint8_t *arguments)
{
    uint8_t head[ERX_WEIGHTS_AT_DATA];
    if (!read_own_weights(instruction, head))
        return false;
    uint32_t total = erx_get_u32(head + ERX_WEIGHTS_AT_DATA_SIZE);
    if (erx_get_u32(head + ERX_WEIGHTS_AT_WRITTEN) < total)
        return erx_world_fail(instruction, ERX_WORLD_INCOMPLETE_UPLOAD);
    const erx_sha256_part_t data = {
        erx_accounts_data(instruction->transaction->accounts,
                          erx_instruction_index(instruction, 0)) +
            ERX_WEIGHTS_AT_DATA,
        total,
    };
    if (!check_hash(instruction, &data, 1, arguments))
        return false;
    head[ERX_WEIGHTS_AT_FINALIZED] = 1;
    memcpy(head + ERX_WEIGHTS_AT_HASH, arguments, ERX_SHA256_BYTES);
    return erx_instruction_write(instruction, 0, ERX_WEIGHTS_AT_FINALIZED,
                                 head + ERX_WEIGHTS_AT_FINALIZED, 1 + ERX_SHA256_BYTES);
}

static bool check_manifest(erx_instruction_t *instruction, const uint8_t *arguments)
{
    uint32_t json_bytes = erx_get_u32(arguments + MANIFEST_JSON_BYTES);
    uint8_t shards = arguments[MANIFEST_SHARDS];
    if (shards == 0 || shards > ERX_MANIFEST_SHARDS_MAX)
        return erx_world_refuse(instruction, ERX_INSTRUCTION_INVALID_ARGUMENT,
                                "num_shards must be in 1 to 4");
    if (json_bytes == 0 || json_bytes > ERX_MANIFEST_BYTES_MAX)
        return erx_world_refuse(instruction, ERX_INSTRUCTION_INVALID_ARGUMENT,
                                "manifest_len must be in 1 to 1048576");
    return true;
}

bool erx_world_init_manifest(erx_instruction_t *instruction, const uint8_t *arguments)
{
    uint64_t model = erx_get_u64(arguments + MANIFEST_MODEL);
    uint8_t head[ERX_MANIFEST_AT_JSON] = {0};
    erx_key_t address;
    erx_error_t error;
    if (!check_manifest(instruction, arguments) ||
        !erx_instruction_charge(instruction, ADDRESS_UNITS))
        return false;
    erx_status_t status = erx_address_manifest(instruction->program, model, &address, NULL, &error);
    if (!erx_world_may_make(instruction, 0, status, &address, &error))
        return false;
    memcpy(head, erx_model_manifest_tag, ERX_TAG_BYTES);
    memcpy(head + ERX_MANIFEST_AT_NAME, arguments + MANIFEST_NAME,
           MANIFEST_CONTINUOUS - MANIFEST_NAME);
    memcpy(head + ERX_MANIFEST_AT_CONTINUOUS, arguments + MANIFEST_CONTINUOUS,
           MANIFEST_PARAMETERS - MANIFEST_CONTINUOUS);
    memcpy(head + ERX_MANIFEST_AT_AUTHORITY, erx_instruction_key(instruction, 1), ERX_KEY_BYTES);
    memcpy(head + ERX_MANIFEST_AT_PARAMETERS, arguments + MANIFEST_PARAMETERS,
           3 * sizeof(uint32_t));
    return make_account(instruction, model,
                        ERX_MANIFEST_AT_JSON + erx_get_u32(arguments + MANIFEST_JSON_BYTES), head,
                        sizeof head);
}

bool erx_world_upload_manifest(erx_instruction_t *instruction, const uint8_t *arguments)
{
    uint8_t head[ERX_MANIFEST_AT_JSON];
    chunk_t chunk = chunk_of(arguments);
    if (!read_own_manifest(instruction, head) ||
        !check_chunk(instruction, &chunk,
                     LUTS_AND_JSON(erx_get_u32(head + ERX_MANIFEST_AT_JSON_BYTES))))
        return false;
    /* The tables and the JSON are two places of the account. */
    uint32_t to_luts =
        chunk.offset < ERX_LUTS_BYTES ? ERX_MIN(chunk.size, ERX_LUTS_BYTES - chunk.offset) : 0;
    uint32_t to_json = chunk.size - to_luts;
    if (to_luts > 0 && !erx_instruction_write(instruction, 0, ERX_MANIFEST_AT_LUTS + chunk.offset,
                                              chunk.data, to_luts))
        return false;
    return to_json == 0 ||
           erx_instruction_write(instruction, 0,
                                 ERX_MANIFEST_AT_JSON +
                                     (uint32_t)(chunk.offset + to_luts - ERX_LUTS_BYTES),
                                 chunk.data + to_luts, to_json);
}

/* Checks shard i, at position 2 + i, and enters it into the manifest's head. */
static bool take_shard(erx_instruction_t *instruction, uint32_t i, uint8_t *manifest)
{
    uint8_t head[ERX_WEIGHTS_AT_DATA];
    uint32_t position = 2 + i;
    if (!read_head(instruction, position, erx_weight_shard_tag, head, sizeof head))
        return false;
    const erx_account_entry_t *entry = erx_instruction_entry(instruction, position);
    if (entry->kind != ERX_ACCOUNT_PLAIN || head[ERX_WEIGHTS_AT_SHARD] != i ||
        entry->world_id != erx_instruction_entry(instruction, 0)->world_id)
        return erx_world_fail(instruction, ERX_WORLD_ACCOUNT_MISMATCH);
    if (memcmp(head + ERX_WEIGHTS_AT_AUTHORITY, manifest + ERX_MANIFEST_AT_AUTHORITY,
               ERX_KEY_BYTES) != 0)
        return erx_world_fail(instruction, ERX_WORLD_UNAUTHORIZED);
    if (head[ERX_WEIGHTS_AT_FINALIZED] == 0)
        return erx_world_fail(instruction, ERX_WORLD_INCOMPLETE_UPLOAD);
    memcpy(manifest + ERX_MANIFEST_AT_SHARD_KEYS + (size_t)i * ERX_KEY_BYTES,
           erx_instruction_key(instruction, position), ERX_KEY_BYTES);
    memcpy(manifest + ERX_MANIFEST_AT_SHARD_SIZES + (size_t)i * sizeof(uint32_t),
           head + ERX_WEIGHTS_AT_DATA_SIZE, sizeof(uint32_t));
    return true;
}

/* All shards, which must make up the weights. */
static bool take_shards(erx_instruction_t *instruction, uint8_t *manifest)
{
    uint8_t count = manifest[ERX_MANIFEST_AT_SHARDS];
    uint64_t bytes = 0;
    if (!erx_instruction_require(instruction, 2u + count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!take_shard(instruction, i, manifest))
            return false;
        bytes += erx_get_u32(manifest + ERX_MANIFEST_AT_SHARD_SIZES + (size_t)i * sizeof(uint32_t));
    }
    if (bytes != erx_get_u32(manifest + ERX_MANIFEST_AT_WEIGHT_BYTES))
        return erx_world_fail(instruction, ERX_WORLD_INSUFFICIENT_DATA);
    /* The registry hashes them once more as the file that the manifest names. */
    return erx_instruction_charge(instruction, bytes / HASH_UNIT_BYTES);
}

/* Records why the registry refused a model. */
static bool refuse_model(erx_instruction_t *instruction, const erx_error_t *error)
{
    if (error->status == ERX_ERR_FULL || error->status == ERX_ERR_MEMORY)
        return erx_instruction_fail_status(instruction, error);
    erx_log_line(&instruction->transaction->log, "Program log: %s", error->text);
    if (error->status == ERX_ERR_HASH)
        return erx_world_fail(instruction, ERX_WORLD_HASH_MISMATCH);
    return erx_instruction_fail(instruction, ERX_INSTRUCTION_INVALID_ACCOUNT_DATA);
}

/* Gives the model to the registry, and notes in the manifest's entry where it is. */
static bool load_model(erx_instruction_t *instruction, uint32_t shard_count)
{
    erx_transaction_context_t *transaction = instruction->transaction;
    const erx_bank_models_t *models = &transaction->bank->config.models;
    uint32_t manifest = erx_instruction_index(instruction, 0);
    uint32_t shards[ERX_MANIFEST_SHARDS_MAX];
    uint32_t pool = 0;
    erx_error_t error;
    for (uint32_t i = 0; i < shard_count; i++)
        shards[i] = erx_instruction_index(instruction, 2 + i);
    if (transaction->is_simulated)
        return models->check(models->context, manifest, shards, shard_count, &error) == ERX_OK ||
               refuse_model(instruction, &error);
    /* A transaction loads one model at most, so that one is to be taken back. */
    if (transaction->loaded_pool != ERX_ACCOUNT_NONE)
        return erx_world_fail(instruction, ERX_WORLD_INVALID_STATE_TRANSITION);
    if (models->load(models->context, manifest, shards, shard_count, &pool, &error) != ERX_OK)
        return refuse_model(instruction, &error);
    transaction->loaded_pool = pool;
    erx_account_entry_t entry = *erx_instruction_entry(instruction, 0);
    entry.pool = pool + 1;
    if (erx_accounts_update(transaction->accounts, manifest, &entry, &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    return true;
}

bool erx_world_finalize_manifest(erx_instruction_t *instruction, const uint8_t *arguments)
{
    uint8_t head[ERX_MANIFEST_AT_JSON];
    if (!read_own_manifest(instruction, head) || !take_shards(instruction, head))
        return false;
    const uint8_t *account = erx_accounts_data(instruction->transaction->accounts,
                                               erx_instruction_index(instruction, 0));
    const erx_sha256_part_t parts[] = {
        {account + ERX_MANIFEST_AT_LUTS, ERX_LUTS_BYTES},
        {account + ERX_MANIFEST_AT_JSON, erx_get_u32(head + ERX_MANIFEST_AT_JSON_BYTES)},
    };
    if (!check_hash(instruction, parts, ERX_COUNT(parts), arguments))
        return false;
    head[ERX_MANIFEST_AT_READY] = 1;
    return erx_instruction_write(instruction, 0, ERX_MANIFEST_AT_SHARD_KEYS,
                                 head + ERX_MANIFEST_AT_SHARD_KEYS,
                                 ERX_MANIFEST_AT_INPUT_SCALES - ERX_MANIFEST_AT_SHARD_KEYS) &&
           erx_instruction_write(instruction, 0, ERX_MANIFEST_AT_READY,
                                 head + ERX_MANIFEST_AT_READY, 1) &&
           load_model(instruction, head[ERX_MANIFEST_AT_SHARDS]);
}
