/* Matrix product with vpdpbusd.
 *
 * A panel is one sequential stream: 64 accumulator starts (i32), then for every
 * four columns 4 vectors of 16 rows x 4 columns. Activations are u8 = s8 + 128,
 * and the accumulator of row o starts at -128 * sum(W[o]): the sum is exact for
 * every i8 value, and vpdpbusd does not saturate.
 *
 * A tile is 4 row blocks x up to 6 sessions, the whole depth in registers: 24
 * accumulators, 4 weights, 1 activation. Panels are the outer loop, so each
 * weight is read once from far memory; the next panel is fetched meanwhile. */
#include <immintrin.h>
#include <string.h>

#include "kernels/avx512vnni/avx512vnni.h"
#include "kernels/avx512vnni/vector.h"

#define TILE_SESSIONS 6u
#define STEP_COLUMNS  4u
#define STEP_BYTES    (ERX_PANEL_ROWS * STEP_COLUMNS)
#define BLOCKS        (ERX_PANEL_ROWS / ERX_BLOCK_ROWS)
#define START_BYTES   (ERX_PANEL_ROWS * sizeof(int32_t))

size_t erx_avx512vnni_panel_bytes(uint32_t columns)
{
    return START_BYTES + (size_t)ERX_CEIL_DIV(columns, STEP_COLUMNS) * STEP_BYTES;
}

void erx_avx512vnni_panel_pack(uint8_t *panel, const int8_t *const rows[], uint32_t columns)
{
    int32_t starts[ERX_PANEL_ROWS] = {0};
    memset(panel, 0, erx_avx512vnni_panel_bytes(columns));
    for (uint32_t row = 0; row < ERX_PANEL_ROWS; row++) {
        if (rows[row] == NULL)
            continue;
        for (uint32_t k = 0; k < columns; k++) {
            uint8_t *step = panel + START_BYTES + (size_t)(k / STEP_COLUMNS) * STEP_BYTES;
            step[row * STEP_COLUMNS + k % STEP_COLUMNS] = (uint8_t)rows[row][k];
            starts[row] -= 128 * rows[row][k];
        }
    }
    memcpy(panel, starts, sizeof starts);
}

void erx_avx512vnni_activation_pack(uint8_t *activation, const int8_t *values, uint32_t columns)
{
    for (uint32_t k = 0; k < columns; k++)
        activation[k] = (uint8_t)(values[k] + 128);
}

/* Two streams of lines to fetch beside a tile. A stream that has nothing to
 * fetch stands still on a line that is there anyway. */
typedef struct {
    const uint8_t *weights; /* next panel */
    size_t weights_step;
    const uint8_t *state; /* two lines a step */
    size_t state_second;
    size_t state_step;
} fetch_t;

/* Accumulates one panel for session_count sessions into sums[session][row].
 * session_count and weight_lines (1 or 4 lines of the next panel a step) are
 * constants at every call, so that the accumulators stay in registers. */
static inline __attribute__((always_inline)) void
tile(const uint32_t session_count, const uint32_t weight_lines, const uint8_t *panel,
     uint32_t steps, const uint8_t *activation, size_t stride, fetch_t fetch,
     int32_t (*sums)[ERX_PANEL_ROWS])
{
    __m512i acc[TILE_SESSIONS][BLOCKS];
#pragma GCC unroll 6
    for (uint32_t s = 0; s < session_count; s++)
#pragma GCC unroll 4
        for (uint32_t b = 0; b < BLOCKS; b++)
            acc[s][b] = _mm512_load_si512(panel + b * 64);
    const uint8_t *weights = panel + START_BYTES;
    for (uint32_t step = 0; step < steps; step++, weights += STEP_BYTES) {
        __m512i w[BLOCKS];
#pragma GCC unroll 4
        for (uint32_t b = 0; b < BLOCKS; b++) {
            w[b] = _mm512_load_si512(weights + b * 64);
            /* Keeps the load out of vpdpbusd, which would repeat it a session. */
            __asm__("" : "+v"(w[b]));
        }
#pragma GCC unroll 4
        for (uint32_t line = 0; line < weight_lines; line++)
            _mm_prefetch(fetch.weights + line * 64, _MM_HINT_T1);
        fetch.weights += fetch.weights_step;
        _mm_prefetch(fetch.state, _MM_HINT_T1);
        _mm_prefetch(fetch.state + fetch.state_second, _MM_HINT_T1);
        fetch.state += fetch.state_step;
#pragma GCC unroll 6
        for (uint32_t s = 0; s < session_count; s++) {
            int32_t four;
            memcpy(&four, activation + s * stride + step * STEP_COLUMNS, sizeof four);
            __m512i a = _mm512_set1_epi32(four);
#pragma GCC unroll 4
            for (uint32_t b = 0; b < BLOCKS; b++)
                acc[s][b] = _mm512_dpbusd_epi32(acc[s][b], a, w[b]);
        }
    }
#pragma GCC unroll 6
    for (uint32_t s = 0; s < session_count; s++)
#pragma GCC unroll 4
        for (uint32_t b = 0; b < BLOCKS; b++)
            _mm512_store_si512(&sums[s][b * ERX_BLOCK_ROWS], acc[s][b]);
}

/* One function a tile size, so that each gets registers of its own. */
#define DEFINE_TILE(count)                                                                         \
    static __attribute__((noinline)) void tile_##count(                                            \
        bool wide_fetch, const uint8_t *panel, uint32_t steps, const uint8_t *activation,          \
        size_t stride, const fetch_t *fetch, int32_t(*sums)[ERX_PANEL_ROWS])                       \
    {                                                                                              \
        if (wide_fetch)                                                                            \
            tile(count, 4, panel, steps, activation, stride, *fetch, sums);                        \
        else                                                                                       \
            tile(count, 1, panel, steps, activation, stride, *fetch, sums);                        \
    }

DEFINE_TILE(1)
DEFINE_TILE(2)
DEFINE_TILE(3)
DEFINE_TILE(4)
DEFINE_TILE(5)
DEFINE_TILE(6)

typedef void (*tile_fn)(bool, const uint8_t *, uint32_t, const uint8_t *, size_t, const fetch_t *,
                        int32_t (*)[ERX_PANEL_ROWS]);

static const tile_fn tiles[TILE_SESSIONS] = {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

/* What becomes of one panel's 64 accumulators of one session. */
static void finish(const erx_gemm_t *call, uint32_t session, uint32_t panel, const int32_t *sums)
{
    const erx_matrix_t *matrix = call->matrix;
    uint32_t row = panel * ERX_PANEL_ROWS;
    int32_t *wide = call->wide + session * call->wide_stride;
    if (call->kind == ERX_GEMM_RAW) {
        memcpy(wide + row, sums, ERX_PANEL_ROWS * sizeof *sums);
        return;
    }
    int16_t *narrow = call->narrow + session * call->narrow_stride;
    erx_shift64_t shift = erx_shift64(matrix->shift - call->exponent[session]);
    for (uint32_t b = 0; b < BLOCKS; b++, row += ERX_BLOCK_ROWS) {
        __m512i value = erx_requantize16(_mm512_load_si512(sums + b * ERX_BLOCK_ROWS),
                                         _mm512_load_si512(matrix->multiplier + row), shift);
        if (call->kind == ERX_GEMM_RESIDUAL) {
            value = _mm512_add_epi32(erx_bounded(value), _mm512_load_si512(wide + row));
            _mm512_store_si512(wide + row, erx_clamp16(value, ERX_RESIDUAL_MAX));
        } else if (call->kind == ERX_GEMM_LOGITS) {
            value = _mm512_add_epi32(value, _mm512_load_si512(matrix->bias + row));
            _mm512_store_si512(wide + row, value);
        } else if (row < call->dt_row) {
            _mm256_store_si256((__m256i *)(void *)(narrow + row), erx_sat16x16(value));
        } else {
            _mm512_store_si512(wide + (row - call->dt_row), value);
        }
    }
}

/* How the sessions' states are spread over the tiles of a call. */
typedef struct {
    uint32_t chunks_a_session;
    uint32_t lines_a_step; /* 0: nothing to fetch */
} state_plan_t;

static state_plan_t plan_state(const erx_gemm_t *call, uint32_t steps, uint32_t tile_count)
{
    if (call->fetch == NULL || call->session_count < TILE_SESSIONS / 2)
        return (state_plan_t){0};
    uint64_t lines = (uint64_t)call->session_count * (call->fetch_bytes / 64);
    uint64_t room = (uint64_t)(call->panel_end - call->panel_begin) * tile_count * steps;
    uint32_t lines_a_step = lines > room ? 2 : 1;
    size_t chunk_bytes = (size_t)steps * lines_a_step * 64;
    return (state_plan_t){
        .chunks_a_session = (uint32_t)ERX_CEIL_DIV(call->fetch_bytes, chunk_bytes),
        .lines_a_step = lines_a_step,
    };
}

static fetch_t plan_fetch(const erx_gemm_t *call, const state_plan_t *plan, const uint8_t *panel,
                          bool last_panel, uint32_t steps, uint32_t tile_index, uint32_t tile_count,
                          uint32_t turn)
{
    fetch_t fetch = {.weights = panel, .state = panel};
    const uint8_t *next = panel + call->matrix->panel_bytes;
    bool wide = tile_count < BLOCKS;
    if (!last_panel && call->session_count > TILE_SESSIONS / 2 &&
        tile_index < (wide ? 1 : BLOCKS)) {
        fetch.weights = next + START_BYTES + (size_t)tile_index * steps * 64;
        fetch.weights_step = wide ? STEP_BYTES : 64;
    }
    if (plan->lines_a_step != 0 && turn / plan->chunks_a_session < call->session_count) {
        size_t chunk_bytes = (size_t)steps * plan->lines_a_step * 64;
        fetch.state = call->fetch[turn / plan->chunks_a_session] +
                      (turn % plan->chunks_a_session) * chunk_bytes;
        fetch.state_second = (plan->lines_a_step - 1) * 64;
        fetch.state_step = (size_t)plan->lines_a_step * 64;
    }
    return fetch;
}

void erx_avx512vnni_gemm(const erx_gemm_t *call)
{
    const erx_matrix_t *matrix = call->matrix;
    alignas(64) int32_t sums[TILE_SESSIONS][ERX_PANEL_ROWS];
    uint32_t steps = ERX_CEIL_DIV(matrix->columns, STEP_COLUMNS);
    uint32_t tile_count = ERX_CEIL_DIV(call->session_count, TILE_SESSIONS);
    state_plan_t plan = plan_state(call, steps, tile_count);
    uint32_t turn = 0;
    for (uint32_t p = call->panel_begin; p < call->panel_end; p++) {
        const uint8_t *panel = matrix->panels + p * matrix->panel_bytes;
        for (uint32_t t = 0; t < tile_count; t++, turn++) {
            /* Balanced tiles: sizes differ by one at most. */
            uint32_t begin = call->session_count * t / tile_count;
            uint32_t end = call->session_count * (t + 1) / tile_count;
            fetch_t fetch = plan_fetch(call, &plan, panel, p + 1 == call->panel_end, steps, t,
                                       tile_count, turn);
            tiles[end - begin - 1](fetch.weights_step == STEP_BYTES, panel, steps,
                                   call->activation + begin * call->activation_stride,
                                   call->activation_stride, &fetch, sums);
            for (uint32_t s = begin; s < end; s++)
                finish(call, s, p, sums[s - begin]);
        }
    }
}
