/* A policy network: from the last frames of a game, as one seat sees them, to
 * that seat's next controller. POLICY.md is its arithmetic (profile i8mlp-1);
 * letters are those of that text.
 *
 * All functions are pure: no allocation, no threads, no state besides their
 * arguments. Buffers are 64-byte aligned. Every kernel and every number of
 * lanes gives the bytes of the scalar reference (kernels/ref/policy_ref.h). */
#ifndef ERX_KERNELS_POLICY_NET_H
#define ERX_KERNELS_POLICY_NET_H

#include "kernels/kernel.h"
#include "kernels/world.h"
#include "mem/status.h"

#define ERX_POLICY_ANALOGS     5u /* stick x and y, C stick x and y, shoulder */
#define ERX_POLICY_BUTTONS     8u /* A, B, X, Y, Z, L, R, D-up */
#define ERX_POLICY_OUTPUTS     (ERX_POLICY_ANALOGS + ERX_POLICY_BUTTONS)
#define ERX_POLICY_CONTEXT_MAX 16u /* K */
#define ERX_POLICY_WIDTH_MAX   2048u
#define ERX_POLICY_EMBED_MAX   64u
#define ERX_POLICY_WIDE        (ERX_PLAYERS * ERX_CONTINUOUS) /* 16-bit columns of a frame */
#define ERX_POLICY_FLAGS       16u /* binaries and controller values of a player */
#define ERX_POLICY_LANES       32u /* seats of one batch */

ERX_STATIC_ASSERT(ERX_POLICY_CONTEXT_MAX *ERX_POLICY_WIDE <= ERX_POLICY_WIDTH_MAX,
                  "a product takes that many columns");

/* D: 8-bit columns of a frame. */
uint32_t erx_policy_dense_columns(const erx_policy_shape_t *shape);

/* 8-bit columns of the whole input: those of all frames, and of a world model
 * the controllers that are applied now. */
uint32_t erx_policy_dense_input(const erx_policy_shape_t *shape);

/* O: outputs. */
uint32_t erx_policy_output_count(const erx_policy_shape_t *shape);

/* Whether profile i8mlp-1 can run this shape: sizes in their ranges, no product
 * with more than ERX_POLICY_WIDTH_MAX columns. The error names the key
 * ("architecture.hidden_dim: ..."). */
erx_status_t erx_policy_shape_check(const erx_policy_shape_t *shape, erx_error_t *error);

/* Index of the embedding of a categorical (0 <= category < ERX_CATEGORICALS). */
static inline uint32_t erx_policy_embed_of(uint32_t category)
{
    return category == ERX_C_STAGE ? ERX_POLICY_EMBEDS - 1 : category % ERX_PLAYER_CATEGORIES;
}

/* Number of rows of an embedding. */
static inline uint32_t erx_policy_embed_rows(uint32_t embed)
{
    return erx_category_counts[embed == ERX_POLICY_EMBEDS - 1 ? ERX_C_STAGE : embed];
}

/* Bytes of the image of shape in the kernel's layout. */
size_t erx_policy_image_bytes(const erx_kernel_t *kernel, const erx_policy_shape_t *shape);

/* Packs checked tensors into base[0, erx_policy_image_bytes), zeroed and
 * 64-byte aligned, and makes image_out a view of it. The tensors are no longer
 * needed then. */
void erx_policy_image_pack(const erx_kernel_t *kernel, const erx_policy_tensors_t *tensors,
                           uint8_t *base, erx_policy_image_t *image_out);

/* Makes image_out a view of what was packed at base from the same tensors, of
 * which only the scalars and the shape are read. */
void erx_policy_image_map(const erx_kernel_t *kernel, const erx_policy_tensors_t *tensors,
                          const uint8_t *base, erx_policy_image_t *image_out);

/* Bytes of one encoded frame, a multiple of 64: the high plane of its 16-bit
 * columns, the low plane, its 8-bit columns. */
size_t erx_policy_frame_bytes(const erx_policy_shape_t *shape);

/* POLICY.md 2: a game state as player's seat sees it. */
void erx_policy_encode(const erx_policy_image_t *image, const erx_world_t *world, uint32_t player,
                       int8_t *frame);

/* The last K frames of one seat: a ring of encoded frames, one behind the
 * other. */
typedef struct {
    const int8_t *frames;                           /* [K][erx_policy_frame_bytes] */
    uint32_t oldest;                                /* index of the oldest */
    const uint8_t (*control)[ERX_CONTROLLER_BYTES]; /* [ERX_PLAYERS], applied now; of a world
                                                       model only */
} erx_policy_lane_t;

/* Working memory of a batch, laid out by erx_policy_scratch_init. */
typedef struct {
    int8_t *plain;         /* one lane's columns */
    uint8_t *wide;         /* activations: all lanes' high planes, then all low planes */
    uint8_t *dense;        /* activations */
    uint8_t *units;        /* activations of a layer's outputs */
    int32_t *accumulators; /* of both planes */
    int32_t *hidden, *trunk, *outputs;
    int32_t *exponents, *zeros;
    size_t wide_stride, dense_stride, units_stride, hidden_stride, trunk_stride, outputs_stride;
} erx_policy_scratch_t;

/* Bytes that a scratch for ERX_POLICY_LANES lanes needs. */
size_t erx_policy_scratch_bytes(const erx_kernel_t *kernel, const erx_policy_shape_t *shape);

/* memory is zeroed, 64-byte aligned, and outlives the scratch. */
void erx_policy_scratch_init(erx_policy_scratch_t *scratch, const erx_kernel_t *kernel,
                             const erx_policy_shape_t *shape, void *memory);

/* POLICY.md 3 to 5 for lanes[0, count), count <= ERX_POLICY_LANES: outputs in
 * Q16, which erx_policy_outputs then gives. */
void erx_policy_forward(const erx_kernel_t *kernel, const erx_policy_image_t *image,
                        const erx_policy_scratch_t *scratch, const erx_policy_lane_t *lanes,
                        uint32_t count);

static inline const int32_t *erx_policy_outputs(const erx_policy_scratch_t *scratch, uint32_t lane)
{
    return scratch->outputs + lane * scratch->outputs_stride;
}

/* The same for a policy, its outputs copied. */
void erx_policy_run(const erx_kernel_t *kernel, const erx_policy_image_t *image,
                    const erx_policy_scratch_t *scratch, const erx_policy_lane_t *lanes,
                    uint32_t count, int32_t (*outputs)[ERX_POLICY_OUTPUTS]);

#define ERX_POLICY_DICE 4u /* words of chance that one decision takes */

/* Chance for a decision (POLICY.md 7): a function of its arguments alone. */
void erx_policy_dice(uint64_t seed, uint32_t frame, uint32_t player,
                     uint64_t dice_out[ERX_POLICY_DICE]);

/* From outputs in Q16 to a controller (POLICY.md 6 and 7). previous is the
 * seat's controller that led to the newest frame. dice NULL: what is likelier
 * than not, without chance. */
void erx_policy_decide(const int32_t outputs[ERX_POLICY_OUTPUTS],
                       const uint8_t previous[ERX_CONTROLLER_BYTES], const uint64_t *dice,
                       uint8_t control_out[ERX_CONTROLLER_BYTES]);

#endif
