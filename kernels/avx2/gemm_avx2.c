/* Matrix product with vpmaddwd.
 *
 * A panel is four row blocks of 16, and a block is one sequential stream: for
 * every two columns 16 rows x 2 columns of i8, widened to i16 on the way in.
 * Activations are stored as i16, so that one dword broadcast is a pair. A pair
 * of products is at most 2 * 128 * 8191: nothing saturates, activations of 8
 * and of 14 bits are exact. (vpmaddubsw would multiply twice as many, but saturates.)
 *
 * A tile is one row block x up to 6 sessions, the whole depth in registers: 12
 * accumulators, 2 weights, 1 activation, 1 product. Row blocks are the outer
 * loop, so each weight is read once from far memory and stays in the first
 * cache for all tiles of its block. */
#include <immintrin.h>
#include <string.h>

#include "kernels/avx2/avx2.h"
#include "kernels/avx2/vector256.h"
#include "kernels/unroll.h"

#define TILE_SESSIONS 6u
#define STEP_COLUMNS  2u
#define STEP_BYTES    (ERX_BLOCK_ROWS * STEP_COLUMNS)
#define BLOCKS        (ERX_PANEL_ROWS / ERX_BLOCK_ROWS)
#define LANES         8u /* rows of an accumulator */

static size_t block_bytes(uint32_t columns)
{
    return (size_t)ERX_CEIL_DIV(columns, STEP_COLUMNS) * STEP_BYTES;
}

size_t erx_avx2_panel_bytes(uint32_t columns)
{
    return BLOCKS * block_bytes(columns);
}

void erx_avx2_panel_pack(uint8_t *panel, const int8_t *const rows[], uint32_t columns)
{
    memset(panel, 0, erx_avx2_panel_bytes(columns));
    for (uint32_t row = 0; row < ERX_PANEL_ROWS; row++) {
        uint8_t *block = panel + row / ERX_BLOCK_ROWS * block_bytes(columns);
        uint8_t *lane = block + row % ERX_BLOCK_ROWS * STEP_COLUMNS;
        if (rows[row] == NULL)
            continue;
        for (uint32_t k = 0; k < columns; k++)
            lane[k / STEP_COLUMNS * STEP_BYTES + k % STEP_COLUMNS] = (uint8_t)rows[row][k];
    }
}

void erx_avx2_activation_pack(uint8_t *activation, const int8_t *values, uint32_t columns)
{
    for (uint32_t k = 0; k < columns; k++) {
        int16_t value = values[k];
        memcpy(activation + k * sizeof value, &value, sizeof value);
    }
}

void erx_avx2_activation_pack_wide(uint8_t *activation, const int16_t *values, uint32_t columns)
{
    memcpy(activation, values, columns * sizeof *values);
}

/* Two streams to fetch beside a tile. A stream that has nothing to fetch
 * stands still on a line that is there anyway. */
typedef struct {
    const uint8_t *weights; /* next row block */
    size_t weights_step;
    const uint8_t *state;
    size_t state_step;
} fetch_t;

/* Eight rows x two columns of weights as i16. */
static __m256i load_weights(const uint8_t *weights)
{
    return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)weights));
}

/* Accumulates one row block for session_count sessions into sums[session][row].
 * session_count is a constant at every call, so that the accumulators stay in
 * registers. */
static inline __attribute__((always_inline)) void
tile(const uint32_t session_count, const uint8_t *weights, uint32_t steps,
     const uint8_t *activation, size_t stride, fetch_t fetch, int32_t (*sums)[ERX_BLOCK_ROWS])
{
    __m256i low[TILE_SESSIONS], high[TILE_SESSIONS];
    ERX_UNROLL
    for (uint32_t s = 0; s < session_count; s++) {
        low[s] = _mm256_setzero_si256();
        high[s] = _mm256_setzero_si256();
    }
    for (uint32_t step = 0; step < steps; step++, weights += STEP_BYTES) {
        __m256i low_weights = load_weights(weights);
        __m256i high_weights = load_weights(weights + STEP_BYTES / 2);
        _mm_prefetch(fetch.weights, _MM_HINT_T1);
        fetch.weights += fetch.weights_step;
        _mm_prefetch(fetch.state, _MM_HINT_T1);
        fetch.state += fetch.state_step;
        ERX_UNROLL
        for (uint32_t s = 0; s < session_count; s++) {
            int32_t two;
            memcpy(&two, activation + s * stride + step * sizeof two, sizeof two);
            __m256i pair = _mm256_set1_epi32(two);
            low[s] = _mm256_add_epi32(low[s], _mm256_madd_epi16(pair, low_weights));
            high[s] = _mm256_add_epi32(high[s], _mm256_madd_epi16(pair, high_weights));
        }
    }
    ERX_UNROLL
    for (uint32_t s = 0; s < session_count; s++) {
        erx_store256(sums[s], low[s]);
        erx_store256(sums[s] + LANES, high[s]);
    }
}

/* One function a tile size, so that each gets registers of its own. */
#define DEFINE_TILE(count)                                                                         \
    static __attribute__((noinline)) void tile_##count(                                            \
        const uint8_t *weights, uint32_t steps, const uint8_t *activation, size_t stride,          \
        const fetch_t *fetch, int32_t(*sums)[ERX_BLOCK_ROWS])                                      \
    {                                                                                              \
        tile(count, weights, steps, activation, stride, *fetch, sums);                             \
    }

DEFINE_TILE(1)
DEFINE_TILE(2)
DEFINE_TILE(3)
DEFINE_TILE(4)
DEFINE_TILE(5)
DEFINE_TILE(6)

typedef void (*tile_fn)(const uint8_t *, uint32_t, const uint8_t *, size_t, const fetch_t *,
                        int32_t (*)[ERX_BLOCK_ROWS]);

static const tile_fn tiles[TILE_SESSIONS] = {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

/* Adds RQ to the residual. Clamping RQ first keeps the sum in 32 bits; whatever
 * that cuts off is beyond the residual's own limit. */
static __m256i residual(__m256i value, const int32_t *old)
{
    value = _mm256_add_epi32(erx_clamp8(value, 1 << 30), erx_load256(old));
    return erx_clamp8(value, ERX_RESIDUAL_MAX);
}

/* What becomes of the 16 accumulators from row on of one session. */
static void finish(const erx_gemm_t *call, uint32_t session, uint32_t row, const int32_t *sums)
{
    const erx_matrix_t *matrix = call->matrix;
    int32_t *wide = call->wide + session * call->wide_stride + row;
    if (call->kind == ERX_GEMM_RAW) {
        memcpy(wide, sums, ERX_BLOCK_ROWS * sizeof *sums);
        return;
    }
    erx_shift64_t shift = erx_shift64(matrix->shift - call->exponent[session]);
    const int32_t *multiplier = matrix->multiplier + row;
    __m256i low = erx_requantize8(erx_load256(sums), erx_load256(multiplier), shift);
    __m256i high =
        erx_requantize8(erx_load256(sums + LANES), erx_load256(multiplier + LANES), shift);
    if (call->kind == ERX_GEMM_PROJECT) {
        if (row < call->dt_row) {
            int16_t *narrow = call->narrow + session * call->narrow_stride + row;
            erx_store256(narrow, erx_pack16(low, high, 32767));
            return;
        }
        wide = call->wide + session * call->wide_stride + (row - call->dt_row);
    } else if (call->kind == ERX_GEMM_RESIDUAL) {
        low = residual(low, wide);
        high = residual(high, wide + LANES);
    } else {
        low = _mm256_add_epi32(low, erx_load256(matrix->bias + row));
        high = _mm256_add_epi32(high, erx_load256(matrix->bias + row + LANES));
    }
    erx_store256(wide, low);
    erx_store256(wide + LANES, high);
}

/* Where the streams of the tile number turn of a call begin. The first tile of
 * a block fetches the next block; the states go one chunk of a session a tile. */
static fetch_t plan_fetch(const erx_gemm_t *call, const uint8_t *weights, bool fetch_weights,
                          uint32_t steps, uint32_t turn)
{
    fetch_t fetch = {.weights = weights, .state = weights};
    size_t chunk_bytes = (size_t)steps * ERX_CACHE_LINE;
    uint32_t chunks = (uint32_t)ERX_CEIL_DIV(call->fetch_bytes, chunk_bytes);
    if (fetch_weights) {
        fetch.weights = weights + (size_t)steps * STEP_BYTES;
        fetch.weights_step = STEP_BYTES;
    }
    if (call->fetch != NULL && chunks != 0 && turn / chunks < call->session_count) {
        fetch.state = call->fetch[turn / chunks] + turn % chunks * chunk_bytes;
        fetch.state_step = ERX_CACHE_LINE;
    }
    return fetch;
}

void erx_avx2_gemm(const erx_gemm_t *call)
{
    const erx_matrix_t *matrix = call->matrix;
    alignas(64) int32_t sums[TILE_SESSIONS][ERX_BLOCK_ROWS];
    uint32_t steps = ERX_CEIL_DIV(matrix->columns, STEP_COLUMNS);
    uint32_t tile_count = ERX_CEIL_DIV(call->session_count, TILE_SESSIONS);
    uint32_t block_end = call->panel_end * BLOCKS;
    uint32_t turn = 0;
    for (uint32_t b = call->panel_begin * BLOCKS; b < block_end; b++) {
        /* Panels follow each other without a gap, so blocks do too. */
        const uint8_t *weights = matrix->panels + b * block_bytes(matrix->columns);
        for (uint32_t t = 0; t < tile_count; t++, turn++) {
            /* Balanced tiles: sizes differ by one at most. */
            uint32_t begin = call->session_count * t / tile_count;
            uint32_t end = call->session_count * (t + 1) / tile_count;
            fetch_t fetch = plan_fetch(call, weights, t == 0 && b + 1 < block_end, steps, turn);
            tiles[end - begin - 1](weights, steps,
                                   call->activation + begin * call->activation_stride,
                                   call->activation_stride, &fetch, sums);
            for (uint32_t s = begin; s < end; s++)
                finish(call, s, b * ERX_BLOCK_ROWS, sums[s - begin]);
        }
    }
}
