/* The accounts of a model, byte for byte: ModelManifest and WeightShard.
 *
 * All fields are little-endian and unaligned. A WeightShard is its header and
 * data_size bytes of the weight file; a ModelManifest ends with the tables of
 * bytecode programs and the model directory's manifest.json. */
#ifndef ERX_ENGINE_BANK_MODEL_ACCOUNT_H
#define ERX_ENGINE_BANK_MODEL_ACCOUNT_H

#include "engine/manifest.h"
#include "engine/model_file.h"
#include "engine/transaction/key.h"
#include "kernels/world.h"

#define ERX_TAG_BYTES 8u /* an Anchor discriminator */

extern const uint8_t erx_model_manifest_tag[ERX_TAG_BYTES];
extern const uint8_t erx_weight_shard_tag[ERX_TAG_BYTES];

enum { /* offsets in WeightShard */
       ERX_WEIGHTS_AT_SHARD = 8,
       ERX_WEIGHTS_AT_DATA_SIZE = 9,
       ERX_WEIGHTS_AT_AUTHORITY = 13,
       ERX_WEIGHTS_AT_FINALIZED = 45,
       ERX_WEIGHTS_AT_HASH = 46,
       ERX_WEIGHTS_AT_WRITTEN = 78,
       ERX_WEIGHTS_AT_DATA = 82
};

#define ERX_MANIFEST_SHARDS_MAX 4u /* that a ModelManifest can name */
#define ERX_MANIFEST_SCALES     16u

enum { /* offsets in ModelManifest */
       ERX_MANIFEST_AT_NAME = 8,
       ERX_MANIFEST_AT_VERSION = 40,
       ERX_MANIFEST_AT_D_MODEL = 42,
       ERX_MANIFEST_AT_D_INNER = 44,
       ERX_MANIFEST_AT_D_STATE = 46,
       ERX_MANIFEST_AT_LAYERS = 48,
       ERX_MANIFEST_AT_HEADS = 49,
       ERX_MANIFEST_AT_SHARDS = 50,
       ERX_MANIFEST_AT_SHARD_KEYS = 51,
       ERX_MANIFEST_AT_SHARD_SIZES = 179,
       ERX_MANIFEST_AT_INPUT_SCALES = 195,
       ERX_MANIFEST_AT_OUTPUT_SCALES = 227,
       ERX_MANIFEST_AT_LUTS = 259,
       ERX_MANIFEST_AT_CONTINUOUS = 1283,
       ERX_MANIFEST_AT_ACTIONS = 1284,
       ERX_MANIFEST_AT_BINARY = 1286,
       ERX_MANIFEST_AT_INPUT_SIZE = 1287,
       ERX_MANIFEST_AT_AUTHORITY = 1289,
       ERX_MANIFEST_AT_READY = 1321,
       ERX_MANIFEST_AT_PARAMETERS = 1322,
       ERX_MANIFEST_AT_WEIGHT_BYTES = 1326,
       ERX_MANIFEST_AT_JSON_BYTES = 1330,
       ERX_MANIFEST_AT_JSON = 1334
};

ERX_STATIC_ASSERT(ERX_MANIFEST_AT_SHARD_KEYS + ERX_MANIFEST_SHARDS_MAX * ERX_KEY_BYTES ==
                      ERX_MANIFEST_AT_SHARD_SIZES,
                  "keys, then sizes");
ERX_STATIC_ASSERT(ERX_MANIFEST_AT_LUTS + ERX_LUTS_BYTES == ERX_MANIFEST_AT_CONTINUOUS,
                  "tables, then counts");

/* What stands before the JSON of a model that was loaded from a directory. */
typedef struct {
    const erx_key_t *program;
    const erx_key_t *authority;
    uint64_t model_id;
    const erx_manifest_t *manifest;
    const uint8_t *luts; /* NULL: zeros */
    uint32_t json_bytes;
} erx_manifest_facts_t;

/* Writes bytes [0, ERX_MANIFEST_AT_JSON) of a ready ModelManifest. Errors:
 * ERX_ERR_MEMORY (of deriving addresses). */
erx_status_t erx_manifest_account_write(const erx_manifest_facts_t *facts,
                                        uint8_t account_out[ERX_MANIFEST_AT_JSON],
                                        erx_error_t *error);

/* Writes the header of a finalized WeightShard. */
void erx_weights_account_write(uint8_t shard, const erx_shard_t *facts, const erx_key_t *authority,
                               uint8_t account_out[ERX_WEIGHTS_AT_DATA]);

#endif
