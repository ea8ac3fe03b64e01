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
#include "kernels/avx512vnni/finish.h"
#include "kernels/avx512vnni/vector.h"
#include "kernels/unroll.h"

#define TILE_SESSIONS 6u
#define STEP_COLUMNS  4u
#define STEP_BYTES    (ERX_PANEL_ROWS * STEP_COLUMNS)
#define BLOCKS        (ERX_PANEL_ROWS / ERX_BLOCK_ROWS)

#define START_BYTES   (ERX_PANEL_ROWS * sizeof(int32_t))

/* With fewer sessions the product waits for its weights, and the processor's
 * own prefetching brings them soonest: it is only led, by one line in four.
 * Lines that are fetched with gaps beside a product that does not wait, or all
 * of them beside one that does, make both slower. */
#define FETCH_SESSIONS 4u
#define FETCH_AHEAD    16384u /* of a single tile, in its own stream */

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
    const uint8_t *weights;
    size_t weights_step;
    uint32_t weights_lines; /* of each step: 1, 2 or 4 */
    const uint8_t *state;   /* two lines a step */
    size_t state_step;
} fetch_t;

/* A tile whose accumulators are complete but not yet requantized. That is done
 * vector by vector beside the next tile's products, which leave half of the
 * vector units idle. */
typedef struct {
    const erx_gemm_t *call;
    uint32_t row;     /* first row of the panel */
    uint32_t session; /* first session of the tile */
    uint32_t next;    /* vectors [next, count) are to be finished */
    uint32_t count;
    int64_t round[TILE_SESSIONS];
    int64_t right[TILE_SESSIONS]; /* shift of even lanes */
    int64_t left[TILE_SESSIONS];  /* shift of odd lanes, into the high dword */
    alignas(64) int32_t sums[TILE_SESSIONS][ERX_PANEL_ROWS];
} pending_t;

static void pending_start(pending_t *pending, const erx_gemm_t *call, uint32_t panel,
                          uint32_t begin, uint32_t end)
{
    pending->call = call;
    pending->row = panel * ERX_PANEL_ROWS;
    pending->session = begin;
    pending->next = 0;
    pending->count = (end - begin) * BLOCKS;
    if (call->kind == ERX_GEMM_RAW)
        return;
    for (uint32_t s = begin; s < end; s++) {
        int32_t shift = call->matrix->shift - call->exponent[s];
        pending->round[s - begin] = INT64_C(1) << (shift - 1);
        pending->right[s - begin] = shift;
        pending->left[s - begin] = 32 - shift;
    }
}

/* RQ of 16 sums with the constants of their session; constants and multipliers
 * are memory operands, because a tile leaves few registers. */
static inline __m512i requantize(const pending_t *pending, uint32_t s, __m512i value,
                                 const int32_t *multiplier)
{
    __m512i m = _mm512_load_si512(multiplier);
    __m512i round = _mm512_set1_epi64((long long)pending->round[s]);
    __m512i even = _mm512_mul_epi32(value, m);
    __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(value, 32), _mm512_srli_epi64(m, 32));
    even = _mm512_srlv_epi64(_mm512_add_epi64(even, round),
                             _mm512_set1_epi64((long long)pending->right[s]));
    odd = _mm512_sllv_epi64(_mm512_add_epi64(odd, round),
                            _mm512_set1_epi64((long long)pending->left[s]));
    return _mm512_mask_blend_epi32(ERX_ODD_LANES, even, odd);
}

/* Finishes the next vector: 16 rows of one session. */
static inline __attribute__((always_inline)) void pending_finish_one(pending_t *pending)
{
    const erx_gemm_t *call = pending->call;
    const erx_matrix_t *matrix = call->matrix;
    uint32_t s = pending->next / BLOCKS;
    uint32_t offset = pending->next % BLOCKS * ERX_BLOCK_ROWS;
    uint32_t row = pending->row + offset;
    size_t session = pending->session + s;
    __m512i value = _mm512_load_si512(&pending->sums[s][offset]);
    pending->next++;
    if (call->kind == ERX_GEMM_RAW) {
        _mm512_storeu_si512(call->wide + session * call->wide_stride + row, value);
        return;
    }
    value = requantize(pending, s, value, matrix->multiplier + row);
    erx_finish16(call, session, row, value);
}

static void pending_finish(pending_t *pending)
{
    while (pending->next < pending->count)
        pending_finish_one(pending);
}

/* What a tile works on. */
typedef struct {
    const uint8_t *panel;
    uint32_t steps;
    const uint8_t *activation;
    size_t stride;
    fetch_t fetch;
    pending_t *before; /* tile to finish meanwhile */
    int32_t (*sums)[ERX_PANEL_ROWS];
} tile_t;

/* Four columns of one panel for session_count sessions. */
static inline __attribute__((always_inline)) void
run_step(const uint32_t session_count, const uint32_t weight_lines, const uint8_t *weights,
         const uint8_t *activation, size_t stride, fetch_t *fetch, __m512i (*acc)[BLOCKS])
{
    __m512i w[BLOCKS];
    ERX_UNROLL
    for (uint32_t b = 0; b < BLOCKS; b++) {
        w[b] = _mm512_load_si512(weights + b * 64);
        /* Keeps the load out of vpdpbusd, which would repeat it a session. */
        __asm__("" : "+v"(w[b]));
    }
    if (fetch->weights_step != 0) {
        ERX_UNROLL
        for (uint32_t line = 0; line < weight_lines; line++)
            _mm_prefetch(fetch->weights + line * 64, _MM_HINT_T1);
        fetch->weights += fetch->weights_step;
    }
    if (fetch->state_step != 0) {
        _mm_prefetch(fetch->state, _MM_HINT_T1);
        if (fetch->state_step > 64)
            _mm_prefetch(fetch->state + 64, _MM_HINT_T1);
        fetch->state += fetch->state_step;
    }
    ERX_UNROLL
    for (uint32_t s = 0; s < session_count; s++) {
        int32_t four;
        memcpy(&four, activation + s * stride, sizeof four);
        __m512i a = _mm512_set1_epi32(four);
        ERX_UNROLL
        for (uint32_t b = 0; b < BLOCKS; b++)
            acc[s][b] = _mm512_dpbusd_epi32(acc[s][b], a, w[b]);
    }
}

/* Accumulates one panel for session_count sessions. session_count and
 * weight_lines (1, 2 or 4 lines of the next panel a step) are constants at every
 * call, so that the accumulators stay in registers. The tile before is
 * finished in the first steps, a vector in each: a loop of its own, because a
 * branch that is taken now and then would be mispredicted. */
static inline __attribute__((always_inline)) void
run_tile(const uint32_t session_count, const uint32_t weight_lines, const tile_t *tile)
{
    __m512i acc[TILE_SESSIONS][BLOCKS];
    fetch_t fetch = tile->fetch;
    const uint8_t *activation = tile->activation;
    const uint8_t *weights = tile->panel + START_BYTES;
    const uint8_t *end = weights + (size_t)tile->steps * STEP_BYTES;
    uint32_t pieces = ERX_MIN(tile->before->count - tile->before->next, tile->steps);
    const uint8_t *mixed_end = weights + (size_t)pieces * STEP_BYTES;
    ERX_UNROLL
    for (uint32_t s = 0; s < session_count; s++)
        ERX_UNROLL
    for (uint32_t b = 0; b < BLOCKS; b++)
        acc[s][b] = _mm512_load_si512(tile->panel + b * 64);
    for (; weights != mixed_end; weights += STEP_BYTES, activation += STEP_COLUMNS) {
        pending_finish_one(tile->before);
        run_step(session_count, weight_lines, weights, activation, tile->stride, &fetch, acc);
    }
    for (; weights != end; weights += STEP_BYTES, activation += STEP_COLUMNS)
        run_step(session_count, weight_lines, weights, activation, tile->stride, &fetch, acc);
    ERX_UNROLL
    for (uint32_t s = 0; s < session_count; s++)
        ERX_UNROLL
    for (uint32_t b = 0; b < BLOCKS; b++)
        _mm512_store_si512(&tile->sums[s][b * ERX_BLOCK_ROWS], acc[s][b]);
}

/* One function a tile size, so that each gets registers of its own. */
#define DEFINE_TILE(count)                                                                         \
    static __attribute__((noinline)) void tile_##count(const tile_t *tile)                         \
    {                                                                                              \
        if (tile->fetch.weights_lines == 4)                                                        \
            run_tile(count, 4, tile);                                                              \
        else if (tile->fetch.weights_lines == 2)                                                   \
            run_tile(count, 2, tile);                                                              \
        else                                                                                       \
            run_tile(count, 1, tile);                                                              \
    }

DEFINE_TILE(1)
DEFINE_TILE(2)
DEFINE_TILE(3)
DEFINE_TILE(4)
DEFINE_TILE(5)
DEFINE_TILE(6)

static void (*const tiles[TILE_SESSIONS])(const tile_t *) = {tile_1, tile_2, tile_3,
                                                             tile_4, tile_5, tile_6};

/* How the sessions' states are spread over the tiles of a call. */
typedef struct {
    uint32_t chunks_a_session;
    uint32_t lines_a_step; /* 0: nothing to fetch */
} state_plan_t;

static state_plan_t plan_state(const erx_gemm_t *call, uint32_t steps, uint32_t tile_count)
{
    if (call->fetch == NULL || call->session_count < FETCH_SESSIONS)
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

/* Weights to come. A single tile fetches from its own stream, several share the
 * next panel among as many of them as there are, up to four. What lies behind
 * the last panel is needed next, or at worst fetched in vain. */
static void plan_weights(fetch_t *fetch, const erx_gemm_t *call, const uint8_t *panel,
                         uint32_t steps, uint32_t tile_index, uint32_t tile_count)
{
    uintptr_t begin = (uintptr_t)panel + START_BYTES;
    if (tile_count == 1) {
        fetch->weights_lines = call->session_count < FETCH_SESSIONS ? 1 : BLOCKS;
        fetch->weights_step = STEP_BYTES;
        fetch->weights = (const uint8_t *)(begin + FETCH_AHEAD);
        return;
    }
    uint32_t fetching = tile_count >= 4 ? 4 : 2;
    if (tile_index >= fetching)
        return;
    fetch->weights_lines = BLOCKS / fetching;
    fetch->weights_step = (size_t)fetch->weights_lines * ERX_CACHE_LINE;
    fetch->weights = (const uint8_t *)(begin + call->matrix->panel_bytes +
                                       tile_index * steps * fetch->weights_step);
}

static void plan_state_lines(fetch_t *fetch, const erx_gemm_t *call, const state_plan_t *plan,
                             uint32_t steps, uint32_t turn)
{
    if (plan->lines_a_step == 0 || turn / plan->chunks_a_session >= call->session_count)
        return;
    size_t chunk_bytes = (size_t)steps * plan->lines_a_step * 64;
    fetch->state =
        call->fetch[turn / plan->chunks_a_session] + (turn % plan->chunks_a_session) * chunk_bytes;
    fetch->state_step = (size_t)plan->lines_a_step * 64;
}

void erx_avx512vnni_gemm(const erx_gemm_t *call)
{
    const erx_matrix_t *matrix = call->matrix;
    pending_t pending[2];
    uint32_t steps = ERX_CEIL_DIV(matrix->columns, STEP_COLUMNS);
    uint32_t tile_count = ERX_CEIL_DIV(call->session_count, TILE_SESSIONS);
    state_plan_t plan = plan_state(call, steps, tile_count);
    uint32_t turn = 0;
    pending[1].next = pending[1].count = 0;
    for (uint32_t p = call->panel_begin; p < call->panel_end; p++) {
        const uint8_t *panel = matrix->panels + p * matrix->panel_bytes;
        for (uint32_t t = 0; t < tile_count; t++, turn++) {
            /* Balanced tiles: sizes differ by one at most. */
            uint32_t begin = call->session_count * t / tile_count;
            uint32_t end = call->session_count * (t + 1) / tile_count;
            pending_t *now = &pending[turn % 2];
            pending_t *before = &pending[(turn + 1) % 2];
            tile_t tile = {
                .panel = panel,
                .steps = steps,
                .activation = call->activation + begin * call->activation_stride,
                .stride = call->activation_stride,
                .fetch = {.weights = panel, .state = panel},
                .before = before,
                .sums = now->sums,
            };
            plan_weights(&tile.fetch, call, panel, steps, t, tile_count);
            plan_state_lines(&tile.fetch, call, &plan, steps, turn);
            pending_start(now, call, p, begin, end);
            tiles[end - begin - 1](&tile);
            pending_finish(before);
        }
    }
    pending_finish(&pending[(turn + 1) % 2]);
}
