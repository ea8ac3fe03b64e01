#include "tests/support/model_fixture.h"

#include "engine/sha256.h"
#include "kernels/policy_net.h"
#include "kernels/tables.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "tests/support/file.h"
#include "tests/support/rng.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const erx_shape_t erx_fixture_micro = {
    .d_model = 32, .d_inner = 64, .d_state = 2, .layer_count = 1, .head_count = 1, .head_dim = 64};
const erx_shape_t erx_fixture_small = {.d_model = 96,
                                       .d_inner = 192,
                                       .d_state = 10,
                                       .layer_count = 2,
                                       .head_count = 4,
                                       .head_dim = 48};

const erx_shape_t erx_fixture_wide = {.d_model = 64,
                                      .d_inner = 128,
                                      .d_state = 6,
                                      .layer_count = 2,
                                      .head_count = 2,
                                      .head_dim = 64,
                                      .profile = ERX_PROFILE_2};

const erx_shape_t erx_fixture_mlp = {.stack = {.context = 3,
                                               .hidden = 40,
                                               .trunk = 24,
                                               .embed_widths = {4, 2, 3, 1, 2, 2, 3, 2},
                                               .is_world = true}};

/* Spread (standard deviation) of the values that flow through a layer. Each
 * multiplier is chosen so that what it gives has about the spread wanted. */
enum {
    WEIGHT8_SPREAD = 73,    /* uniform in [-127, 127] */
    ACTIVATION_SPREAD = 40, /* after the norm, at block exponent 0, in 8 bits */
    WIDE_BITS = 6           /* that 14 bits have besides */
};

static int32_t wide_bits(const erx_shape_t *shape)
{
    return shape->profile == ERX_PROFILE_2 ? WIDE_BITS : 0;
}

/* Where the fixture's generator writes. layer < 0: the global tensors. */
typedef struct {
    erx_fixture_t *fixture;
    erx_rng_t rng;
    int32_t layer;
} maker_t;

static uint32_t floor_log2(uint64_t value)
{
    return 63u - (uint32_t)__builtin_clzll(value);
}

static uint64_t root(uint64_t value)
{
    uint64_t result = 0;
    while ((result + 1) * (result + 1) <= value)
        result++;
    return result;
}

static const erx_tensor_entry_t *entry_of(const maker_t *maker, const char *tensor)
{
    char name[ERX_TENSOR_NAME_MAX];
    if (maker->layer < 0)
        (void)snprintf(name, sizeof name, "%s", tensor);
    else
        (void)snprintf(name, sizeof name, "layers.%d.%s", maker->layer, tensor);
    const erx_tensor_entry_t *entry = erx_manifest_find(&maker->fixture->manifest, name);
    ERX_ASSERT(entry != NULL);
    return entry;
}

static void *values_of(const maker_t *maker, const char *tensor)
{
    return maker->fixture->weights + entry_of(maker, tensor)->offset;
}

/* Fills a tensor, whatever its type, with values uniform in [low, high]. */
static void fill(maker_t *maker, const char *tensor, int64_t low, int64_t high)
{
    const erx_tensor_entry_t *entry = entry_of(maker, tensor);
    size_t size = (size_t)1 << entry->dtype;
    uint8_t *values = maker->fixture->weights + entry->offset;
    for (size_t at = 0; at < entry->bytes; at += size) {
        int64_t value = erx_rng_range(&maker->rng, low, high);
        memcpy(values + at, &value, size); /* the low bytes: little-endian */
    }
}

/* A value within a half of what it is about. */
static int64_t about(maker_t *maker, int64_t centre)
{
    return erx_rng_range(&maker->rng, centre - centre / 2, centre + centre / 2);
}

/* Multipliers of rows [begin, end) of an 8-bit matrix: they turn its sums over
 * columns terms into results of the spread wanted. */
static void fill_multipliers(maker_t *maker, const char *tensor, uint32_t begin, uint32_t end,
                             uint32_t columns, int64_t wanted, int32_t shift)
{
    int32_t *values = values_of(maker, tensor);
    int64_t sum_spread = ((int64_t)root(columns) * WEIGHT8_SPREAD * ACTIVATION_SPREAD)
                         << wide_bits(&maker->fixture->shape);
    for (uint32_t row = begin; row < end; row++)
        values[row] = (int32_t)about(maker, (wanted << shift) / sum_spread);
}

/* Shift of a gain of about 16000 that gives n normed values ACTIVATION_SPREAD;
 * y is Q15 and spreads by 1 / sqrt(n). */
static int32_t gain_shift(const erx_shape_t *shape, uint32_t n)
{
    return (int32_t)floor_log2((UINT64_C(16000) << 15) / (ACTIVATION_SPREAD * root(n))) -
           wide_bits(shape);
}

static void make_embedding(maker_t *maker)
{
    /* Greatest magnitudes that keep a row's sum below 65536. */
    fill(maker, "Wf", -1100, 1100);
    fill(maker, "Wf_m", 600000, 1900000);
    fill(maker, "bf", -2000, 2000);
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        char name[sizeof "T.4294967295"];
        (void)snprintf(name, sizeof name, "T.%u", k);
        fill(maker, name, -4000, 4000);
    }
    static const int32_t limits[ERX_CONTINUOUS] = {999, 300, 300,  60, 60, 60, 60,
                                                   60,  60,  1023, 50, 4,  50};
    int32_t *fm = values_of(maker, "fm");
    for (uint32_t i = 0; i < ERX_CONTINUOUS; i++)
        fm[i] = (256 * 32000 + limits[i] / 2) / limits[i];
}

static void make_heads(maker_t *maker)
{
    uint32_t d = maker->fixture->shape.d_model;
    fill(maker, "Gf", 8000, 16000);
    fill(maker, "Gh", 12000, 20000);
    fill(maker, "Wctl", -2500, 2500);
    fill(maker, "Wctl_m", 20000, 60000);
    fill(maker, "bctl", -800, 800);
    fill(maker, "Wr", -32767, 32767);
    fill(maker, "Wr_m", 1 << 21, 1 << 22);
    /* A row's sum spreads by sqrt(d) * 18900 * 3000; wanted: half a unit, Q16. */
    int32_t shift = (int32_t)floor_log2(UINT64_C(3000000) / 32768 * 18900 * 3000 * root(d));
    fill(maker, "Wr_s", shift, shift + 1);
    fill(maker, "br", -100000, 100000);
    fill(maker, "Wl", -127, 127);
    fill(maker, "bl", -80000, 80000);
}

static void make_globals(maker_t *maker)
{
    enum { WL_SHIFT = 26, LOGIT_SPREAD = 3 << 16 };
    const erx_shape_t *shape = &maker->fixture->shape;
    maker->layer = -1;
    make_embedding(maker);
    make_heads(maker);
    fill_multipliers(maker, "Wl_m", 0, ERX_LOGITS, shape->d_model, LOGIT_SPREAD, WL_SHIFT);
    int64_t c_max = INT32_MAX / ((int64_t)shape->d_state << 15);
    const int32_t scalars[] = {
        ERX_RESIDUAL_BITS,
        1,                                                                            /* T_sh */
        32,                                                                           /* Wf_s */
        11,                                                                           /* fh */
        (int32_t)floor_log2((UINT64_C(12000) << 15) / (3000 * root(shape->d_model))), /* Gf_s */
        32,                                                                           /* Wctl_s */
        20 - wide_bits(shape),                                                        /* Gh_s */
        WL_SHIFT,
        (int32_t)ERX_MIN(c_max, INT16_MAX),
    };
    memcpy(values_of(maker, "sc"), scalars, sizeof scalars);
    int64_t epsilon = (int64_t)shape->d_model * 2684; /* 1e-5 d 4^14 */
    memcpy(values_of(maker, "eps1"), &epsilon, sizeof epsilon);
}

static void make_scan(maker_t *maker)
{
    fill(maker, "Wc", -16383, 16383);
    fill(maker, "Wc_m", 50000, 150000);
    fill(maker, "bc", -1500, 1500);
    fill(maker, "dtb", -300000, -60000);
    fill(maker, "Am", 100000, 400000);
    fill(maker, "md", 150000, 2500000);
    fill(maker, "my", 300000, 6000000);
    fill(maker, "mD", -400000000, 1000000000);
    fill(maker, "eps2", 14000, 2000000);
}

static void make_layer(maker_t *maker, int32_t layer)
{
    enum { WIN_SHIFT = 28, WO_SHIFT = 30 };
    const erx_shape_t *shape = &maker->fixture->shape;
    uint32_t d = shape->d_model;
    uint32_t z_end = shape->d_inner;
    uint32_t c_end = z_end + erx_shape_conv_dim(shape);
    maker->layer = layer;
    int32_t fz = (int32_t)erx_rng_range(&maker->rng, 9, 12);
    int32_t fx = (int32_t)erx_rng_range(&maker->rng, 10, 11);
    fill(maker, "Win", -127, 127);
    fill_multipliers(maker, "Win_m", 0, z_end, d, 3 << (fz - 1), WIN_SHIFT);
    fill_multipliers(maker, "Win_m", z_end, c_end, d, 6000, WIN_SHIFT);
    fill_multipliers(maker, "Win_m", c_end, c_end + shape->head_count, d, 1 << 16, WIN_SHIFT);
    fill(maker, "Wo", -127, 127);
    fill_multipliers(maker, "Wo_m", 0, d, shape->d_inner, 4000, WO_SHIFT);
    fill(maker, "G1", 10000, 22000);
    fill(maker, "G2", 10000, 22000);
    make_scan(maker);
    int32_t kc = shape->d_state < 4 ? 0 : (int32_t)floor_log2(shape->d_state) - 2;
    const int32_t scalars[] = {
        gain_shift(shape, d),
        WIN_SHIFT,
        fz,
        32 /* Wc_s */,
        fx,
        1 /* kb */,
        kc,
        29 /* y_s */,
        gain_shift(shape, shape->d_inner),
        WO_SHIFT,
    };
    memcpy(values_of(maker, "sc"), scalars, sizeof scalars);
}

/* ---- an MLP world model ---- */

static void make_stack(maker_t *maker)
{
    static const char *const weights[] = {"Wd",  "Wc",  "Wt",  "Wo",  "E.0", "E.1",
                                          "E.2", "E.3", "E.4", "E.5", "E.6", "E.7"};
    const int32_t shifts[] = {24, 20, 20, 20};
    maker->layer = -1;
    for (size_t i = 0; i < ERX_COUNT(weights); i++)
        fill(maker, weights[i], -127, 127);
    fill(maker, "fm", 10000, 80000);
    fill(maker, "Wc_m", 1 << 15, 1 << 16);
    fill(maker, "Wd_m", 1 << 15, 1 << 16);
    fill(maker, "b1", -4000, 8000);
    fill(maker, "Wt_m", 1 << 17, 1 << 18);
    fill(maker, "bt", -4000, 8000);
    /* Half a unit or three logits, in Q16, from sums that spread by 14,000. */
    fill(maker, "Wo_m", 1 << 21, 1 << 23);
    fill(maker, "bo", -60000, 60000);
    memcpy(values_of(maker, "sc"), shifts, sizeof shifts);
}

/* ---- the manifest ---- */

static json_t *digest_json(const void *data, size_t bytes)
{
    erx_error_t error;
    uint8_t digest[ERX_SHA256_BYTES];
    char text[ERX_SHA256_TEXT_MAX];
    erx_sha256_part_t part = {data, bytes};
    ERX_ASSERT(erx_sha256(&part, 1, digest, &error) == ERX_OK);
    erx_sha256_text(digest, text);
    return json_string(text);
}

static json_t *architecture_json(const erx_shape_t *shape)
{
    const uint32_t *w = shape->stack.embed_widths;
    if (erx_shape_is_stack(shape))
        return json_pack("{s:s, s:i, s:i, s:i, s:[i,i,i,i,i,i,i,i]}", "model_type", "mlp",
                         "context_len", shape->stack.context, "hidden_dim", shape->stack.hidden,
                         "trunk_dim", shape->stack.trunk, "embed_widths", w[0], w[1], w[2], w[3],
                         w[4], w[5], w[6], w[7]);
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "model_type", "mamba2", "d_model",
                     shape->d_model, "d_inner", shape->d_inner, "d_state", shape->d_state,
                     "n_layers", shape->layer_count, "nheads", shape->head_count, "headdim",
                     shape->head_dim, "d_conv", ERX_CONV_TAPS);
}

static json_t *heads_json(void)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, "
                     "s:i}",
                     "continuous", 8, "binary", 6, "velocity", 10, "dynamics", 6, "p0_action", 400,
                     "p1_action", 400, "p0_jumps", 8, "p1_jumps", 8, "p0_l_cancel", 3,
                     "p1_l_cancel", 3, "p0_hurtbox", 3, "p1_hurtbox", 3, "p0_ground", 32,
                     "p1_ground", 32, "p0_last_attack", 64, "p1_last_attack", 64);
}

static json_t *shard_map_json(const erx_fixture_t *fixture)
{
    json_t *shards = json_array();
    for (size_t offset = 0; offset < fixture->weight_bytes; offset += fixture->shard_bytes) {
        size_t bytes = ERX_MIN(fixture->shard_bytes, fixture->weight_bytes - offset);
        json_array_append_new(
            shards, json_pack("{s:i, s:I, s:I, s:o}", "index", (int)json_array_size(shards),
                              "offset", (json_int_t)offset, "size", (json_int_t)bytes, "sha256",
                              digest_json(fixture->weights + offset, bytes)));
    }
    return json_pack("{s:i, s:o}", "num_shards", (int)json_array_size(shards), "shards", shards);
}

static json_t *tensors_json(const erx_shape_t *shape)
{
    static const char *const dtypes[] = {"i8", "i16", "i32", "i64"};
    erx_tensor_entry_t *entries = erx_alloc(ERX_TENSORS_MAX, sizeof *entries);
    ERX_ASSERT(entries != NULL);
    uint64_t bytes = 0;
    uint32_t count = erx_manifest_plan(shape, entries, &bytes);
    json_t *tensors = json_object();
    for (uint32_t i = 0; i < count; i++) {
        json_t *dimensions = json_array();
        for (uint32_t k = 0; k < entries[i].dimension_count; k++)
            json_array_append_new(dimensions, json_integer(entries[i].dimensions[k]));
        json_object_set_new(tensors, entries[i].name,
                            json_pack("{s:s, s:o, s:I, s:I}", "dtype", dtypes[entries[i].dtype],
                                      "shape", dimensions, "offset", (json_int_t)entries[i].offset,
                                      "size", (json_int_t)entries[i].bytes));
    }
    erx_free(entries);
    return tensors;
}

static char *manifest_text(const erx_fixture_t *fixture)
{
    char tables[ERX_SHA256_TEXT_MAX];
    erx_sha256_text(erx_tables_sha256, tables);
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:[i, i], s:I, s:o, s:s, s:o, s:o, s:{s:s}}", "format",
        "erx_model_v1", "profile",
        erx_shape_is_stack(&fixture->shape) ? "i8mlp-1" : erx_profile_names[fixture->shape.profile],
        "name", "fixture", "architecture", architecture_json(&fixture->shape), "heads",
        heads_json(), "block_exponent", ERX_EXPONENT_MIN, ERX_EXPONENT_MAX, "total_weight_bytes",
        (json_int_t)fixture->weight_bytes, "sha256",
        digest_json(fixture->weights, fixture->weight_bytes), "tables_sha256", tables, "shard_map",
        shard_map_json(fixture), "tensors", tensors_json(&fixture->shape), "provenance", "made",
        "by a test fixture");
    ERX_ASSERT(root != NULL);
    char *text = json_dumps(root, JSON_INDENT(1));
    ERX_ASSERT(text != NULL);
    json_decref(root);
    return text;
}

static void require(erx_status_t status, const erx_error_t *error)
{
    if (status != ERX_OK)
        (void)fprintf(stderr, "model fixture: %s\n", error->text);
    ERX_ASSERT(status == ERX_OK);
}

void erx_fixture_seal(erx_fixture_t *fixture)
{
    erx_error_t error;
    free(fixture->text);
    erx_manifest_free(&fixture->manifest);
    fixture->text = manifest_text(fixture);
    fixture->text_bytes = strlen(fixture->text);
    require(erx_manifest_parse(fixture->text, fixture->text_bytes, &fixture->manifest, &error),
            &error);
    require(erx_manifest_bind(&fixture->manifest, fixture->weights, fixture->weight_bytes,
                              &fixture->tensors, &error),
            &error);
}

void erx_fixture_model(const erx_shape_t *shape, uint64_t seed, erx_fixture_t *fixture_out)
{
    erx_fixture_t *fixture = fixture_out;
    *fixture = (erx_fixture_t){.shape = *shape,
                               .shard_bytes = ERX_SHARD_BYTES_MAX & ~(ERX_SHARD_ALIGN - 1)};
    erx_error_t error;
    require(erx_shape_check(shape, &error), &error);
    erx_manifest_t *manifest = &fixture->manifest;
    manifest->tensors = erx_alloc(ERX_TENSORS_MAX, sizeof *manifest->tensors);
    ERX_ASSERT(manifest->tensors != NULL);
    uint64_t bytes = 0;
    manifest->tensor_count = erx_manifest_plan(shape, manifest->tensors, &bytes);
    fixture->weight_bytes = bytes;
    fixture->weights = erx_alloc(fixture->weight_bytes, 1);
    ERX_ASSERT(fixture->weights != NULL);
    maker_t maker = {.fixture = fixture, .rng = {.state = seed}};
    if (erx_shape_is_stack(shape))
        make_stack(&maker);
    else
        make_globals(&maker);
    for (uint32_t layer = 0; layer < shape->layer_count; layer++)
        make_layer(&maker, (int32_t)layer);
    erx_fixture_seal(fixture);
    require(erx_tensors_check(&fixture->tensors, &error), &error);
}

void *erx_fixture_tensor(erx_fixture_t *fixture, const char *name)
{
    const erx_tensor_entry_t *entry = erx_manifest_find(&fixture->manifest, name);
    ERX_ASSERT(entry != NULL);
    return fixture->weights + entry->offset;
}

static void write_file(const char *directory, const char *name, const void *data, size_t bytes)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    ERX_ASSERT(length > 0 && (size_t)length < sizeof path);
    erx_file_write(path, data, bytes);
}

void erx_fixture_write(const erx_fixture_t *fixture, const char *directory)
{
    write_file(directory, "manifest.json", fixture->text, fixture->text_bytes);
    write_file(directory, "weights_int8.bin", fixture->weights, fixture->weight_bytes);
}

void erx_fixture_free(erx_fixture_t *fixture)
{
    free(fixture->text);
    erx_free(fixture->weights);
    erx_manifest_free(&fixture->manifest);
    *fixture = (erx_fixture_t){0};
}
