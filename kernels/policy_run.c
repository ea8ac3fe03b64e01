/* A policy over a batch of seats: POLICY.md 2 to 5 with the kernels' matrix
 * product. What stands between the products is the same code for every
 * instruction set. */
#include <string.h>

#include "kernels/policy_net.h"
#include "kernels/requant.h"
#include "mem/assert.h"

#define PLANES     2u  /* of the 16-bit columns */
#define PLANE_BITS 7   /* a step of the high plane is 2^7 of the low one */
#define UNIT_BITS  8   /* units carry 8 bits below one step of their activation */
#define BIT        127 /* a set bit, as an 8-bit column */

enum { FLAGS_BEGIN = PLANES * ERX_POLICY_WIDE }; /* of an encoded frame */

/* ---- frames ---- */

size_t erx_policy_frame_bytes(const erx_policy_shape_t *shape)
{
    return ERX_ALIGN_UP((size_t)FLAGS_BEGIN + erx_policy_dense_columns(shape),
                        (size_t)ERX_CACHE_LINE);
}

static void encode_continuous(const int32_t *S, const int32_t *fm, int8_t *high, int8_t *low)
{
    const int64_t most = BIT << PLANE_BITS;
    for (uint32_t j = 0; j < ERX_CONTINUOUS; j++) {
        int32_t value =
            (int32_t)erx_clamp64(erx_round_shift((int64_t)S[j] * fm[j], 24), -most, most);
        high[j] = (int8_t)erx_round_shift(value, PLANE_BITS);
        low[j] = (int8_t)(value - high[j] * (1 << PLANE_BITS));
    }
}

/* The 13 controller columns of one player. */
static void encode_control(const uint8_t control[ERX_CONTROLLER_BYTES], int8_t *columns)
{
    static const uint8_t buttons[ERX_POLICY_BUTTONS][2] = {{6, 1},  {6, 2}, {6, 4}, {6, 8},
                                                           {6, 16}, {7, 4}, {7, 8}, {7, 1}};
    for (uint32_t axis = 0; axis < 4; axis++)
        *columns++ = (int8_t)ERX_MAX((int8_t)control[axis], -BIT);
    *columns++ = (int8_t)(ERX_MAX(control[4], control[5]) >> 1);
    for (uint32_t i = 0; i < ERX_POLICY_BUTTONS; i++)
        *columns++ = (control[buttons[i][0]] & buttons[i][1]) != 0 ? BIT : 0;
}

static void encode_flags(const erx_world_t *world, uint32_t player, int8_t *flags)
{
    for (uint32_t i = 0; i < ERX_BINARIES; i++)
        *flags++ = world->binary[player][i] != 0 ? BIT : 0;
    encode_control(world->control[player], flags);
}

void erx_policy_encode(const erx_policy_image_t *image, const erx_world_t *world, uint32_t player,
                       int8_t *frame)
{
    int8_t *dense = frame + FLAGS_BEGIN;
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        uint32_t who = p ^ player; /* the seat's own player comes first */
        int8_t *high = frame + p * ERX_CONTINUOUS;
        encode_continuous(world->S[who], image->fm, high, high + ERX_POLICY_WIDE);
        encode_flags(world, who, dense + p * ERX_POLICY_FLAGS);
    }
    dense += ERX_PLAYERS * ERX_POLICY_FLAGS;
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        uint32_t embed = erx_policy_embed_of(k);
        uint32_t width = image->shape.embed_widths[embed];
        uint32_t category = k == ERX_C_STAGE ? k
                                             : (k + player * ERX_PLAYER_CATEGORIES) %
                                                   (ERX_PLAYERS * ERX_PLAYER_CATEGORIES);
        memcpy(dense, image->E[embed] + (size_t)world->category[category] * width, width);
        dense += width;
    }
}

/* ---- memory ---- */

static void *take(uint8_t *memory, size_t *offset, size_t bytes)
{
    size_t at = *offset;
    *offset = ERX_ALIGN_UP(at + bytes, (size_t)ERX_CACHE_LINE);
    return memory == NULL ? NULL : memory + at;
}

static size_t padded(size_t count)
{
    return ERX_ALIGN_UP(count, (size_t)ERX_PANEL_ROWS);
}

static size_t scratch_place(erx_policy_scratch_t *scratch, const erx_kernel_t *kernel,
                            const erx_policy_shape_t *shape, uint8_t *memory)
{
    const size_t lanes = ERX_POLICY_LANES, word = sizeof(int32_t);
    size_t wide = padded(shape->context * ERX_POLICY_WIDE);
    size_t dense = padded(erx_policy_dense_input(shape));
    size_t units = padded(ERX_MAX(shape->hidden, shape->trunk));
    size_t offset = 0;
    scratch->wide_stride = wide * kernel->activation_bytes;
    scratch->dense_stride = dense * kernel->activation_bytes;
    scratch->units_stride = units * kernel->activation_bytes;
    scratch->hidden_stride = padded(shape->hidden);
    scratch->trunk_stride = padded(shape->trunk);
    scratch->outputs_stride = padded(erx_policy_output_count(shape));
    scratch->plain = take(memory, &offset, ERX_MAX(ERX_MAX(wide, dense), units));
    scratch->wide = take(memory, &offset, PLANES * lanes * scratch->wide_stride);
    scratch->dense = take(memory, &offset, lanes * scratch->dense_stride);
    scratch->units = take(memory, &offset, lanes * scratch->units_stride);
    scratch->accumulators = take(memory, &offset, PLANES * lanes * scratch->hidden_stride * word);
    scratch->hidden = take(memory, &offset, lanes * scratch->hidden_stride * word);
    scratch->trunk = take(memory, &offset, lanes * scratch->trunk_stride * word);
    scratch->outputs = take(memory, &offset, lanes * scratch->outputs_stride * word);
    scratch->exponents = take(memory, &offset, lanes * word);
    scratch->zeros = take(memory, &offset, lanes * word);
    return offset;
}

size_t erx_policy_scratch_bytes(const erx_kernel_t *kernel, const erx_policy_shape_t *shape)
{
    erx_policy_scratch_t counted;
    return scratch_place(&counted, kernel, shape, NULL);
}

void erx_policy_scratch_init(erx_policy_scratch_t *scratch, const erx_kernel_t *kernel,
                             const erx_policy_shape_t *shape, void *memory)
{
    ERX_ASSERT(memory != NULL);
    (void)scratch_place(scratch, kernel, shape, memory);
}

/* ---- one batch ---- */

typedef struct {
    const erx_kernel_t *kernel;
    const erx_policy_image_t *image;
    const erx_policy_scratch_t *scratch;
    uint32_t count;
} batch_t;

/* A part of every frame of a lane, oldest first. */
static int8_t *load_part(const batch_t *batch, const erx_policy_lane_t *lane, size_t part_begin,
                         uint32_t width)
{
    const erx_policy_shape_t *shape = &batch->image->shape;
    size_t stride = erx_policy_frame_bytes(shape);
    int8_t *to = batch->scratch->plain;
    for (uint32_t k = 0; k < shape->context; k++, to += width) {
        uint32_t frame = (lane->oldest + k) % shape->context;
        memcpy(to, lane->frames + frame * stride + part_begin, width);
    }
    return to;
}

static void load_wide(const batch_t *batch, const erx_policy_lane_t *lane, uint32_t plane,
                      uint8_t *activation)
{
    (void)load_part(batch, lane, plane * ERX_POLICY_WIDE, ERX_POLICY_WIDE);
    batch->kernel->activation_pack(activation, batch->scratch->plain,
                                   batch->image->shape.context * ERX_POLICY_WIDE);
}

static void load_dense(const batch_t *batch, const erx_policy_lane_t *lane, uint8_t *activation)
{
    const erx_policy_shape_t *shape = &batch->image->shape;
    int8_t *end = load_part(batch, lane, FLAGS_BEGIN, erx_policy_dense_columns(shape));
    for (uint32_t p = 0; shape->is_world && p < ERX_PLAYERS; p++)
        encode_control(lane->control[p], end + p * (ERX_CONTROLS / ERX_PLAYERS));
    batch->kernel->activation_pack(activation, batch->scratch->plain,
                                   erx_policy_dense_input(shape));
}

static void load_lanes(const batch_t *batch, const erx_policy_lane_t *lanes)
{
    const erx_policy_scratch_t *scratch = batch->scratch;
    for (uint32_t lane = 0; lane < batch->count; lane++) {
        for (uint32_t plane = 0; plane < PLANES; plane++)
            load_wide(batch, &lanes[lane], plane,
                      scratch->wide + (plane * batch->count + lane) * scratch->wide_stride);
        load_dense(batch, &lanes[lane], scratch->dense + lane * scratch->dense_stride);
    }
}

static void multiply(const batch_t *batch, const erx_matrix_t *matrix, const uint8_t *activation,
                     size_t activation_stride, const int32_t *exponents, int32_t *wide,
                     size_t wide_stride)
{
    const erx_gemm_t call = {
        .matrix = matrix,
        .kind = ERX_GEMM_LOGITS,
        .panel_end = matrix->panel_count,
        .session_count = batch->count,
        .activation = activation,
        .activation_stride = activation_stride,
        .exponent = exponents,
        .wide = wide,
        .wide_stride = wide_stride,
    };
    batch->kernel->gemm(&call);
}

/* POLICY.md 3: what the 16-bit columns add to the first layer. */
static void add_wide(const batch_t *batch)
{
    const erx_policy_scratch_t *scratch = batch->scratch;
    const erx_matrix_t *matrix = &batch->image->wide;
    const erx_gemm_t call = {
        .matrix = matrix,
        .kind = ERX_GEMM_RAW,
        .panel_end = matrix->panel_count,
        .session_count = PLANES * batch->count,
        .activation = scratch->wide,
        .activation_stride = scratch->wide_stride,
        .wide = scratch->accumulators,
        .wide_stride = scratch->hidden_stride,
    };
    batch->kernel->gemm(&call);
    for (uint32_t lane = 0; lane < batch->count; lane++) {
        const int32_t *high = scratch->accumulators + lane * scratch->hidden_stride;
        const int32_t *low = high + batch->count * scratch->hidden_stride;
        int32_t *units = scratch->hidden + lane * scratch->hidden_stride;
        for (uint32_t o = 0; o < batch->image->shape.hidden; o++)
            units[o] += erx_requantize(high[o] * (1 << PLANE_BITS) + low[o], matrix->multiplier[o],
                                       matrix->shift);
    }
}

/* POLICY.md 4: ReLU, and 8 bits with a block exponent. */
static void shrink(const batch_t *batch, const int32_t *units, size_t stride, uint32_t count)
{
    const erx_policy_scratch_t *scratch = batch->scratch;
    for (uint32_t lane = 0; lane < batch->count; lane++, units += stride) {
        int32_t greatest = 0;
        for (uint32_t o = 0; o < count; o++)
            greatest = ERX_MAX(greatest, units[o]);
        int32_t exponent = erx_block_exponent(greatest, UNIT_BITS);
        int32_t shift = UNIT_BITS + exponent, half = 1 << (shift - 1);
        int32_t most = (BIT << shift) + half - 1;
        for (uint32_t o = 0; o < count; o++)
            scratch->plain[o] = (int8_t)((erx_clamp(units[o], 0, most) + half) >> shift);
        scratch->exponents[lane] = exponent;
        batch->kernel->activation_pack(scratch->units + lane * scratch->units_stride,
                                       scratch->plain, count);
    }
}

void erx_policy_forward(const erx_kernel_t *kernel, const erx_policy_image_t *image,
                        const erx_policy_scratch_t *scratch, const erx_policy_lane_t *lanes,
                        uint32_t count)
{
    const batch_t batch = {kernel, image, scratch, count};
    ERX_ASSERT(count <= ERX_POLICY_LANES);
    load_lanes(&batch, lanes);
    multiply(&batch, &image->dense, scratch->dense, scratch->dense_stride, scratch->zeros,
             scratch->hidden, scratch->hidden_stride);
    add_wide(&batch);
    shrink(&batch, scratch->hidden, scratch->hidden_stride, image->shape.hidden);
    multiply(&batch, &image->trunk, scratch->units, scratch->units_stride, scratch->exponents,
             scratch->trunk, scratch->trunk_stride);
    shrink(&batch, scratch->trunk, scratch->trunk_stride, image->shape.trunk);
    multiply(&batch, &image->heads, scratch->units, scratch->units_stride, scratch->exponents,
             scratch->outputs, scratch->outputs_stride);
}

void erx_policy_run(const erx_kernel_t *kernel, const erx_policy_image_t *image,
                    const erx_policy_scratch_t *scratch, const erx_policy_lane_t *lanes,
                    uint32_t count, int32_t (*outputs)[ERX_POLICY_OUTPUTS])
{
    ERX_ASSERT(!image->shape.is_world);
    erx_policy_forward(kernel, image, scratch, lanes, count);
    for (uint32_t lane = 0; lane < count; lane++)
        memcpy(outputs[lane], erx_policy_outputs(scratch, lane), sizeof outputs[lane]);
}
