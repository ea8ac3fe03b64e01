/* Matrix product of 14-bit activations (NUMERICS 13) with vpdpbusd.
 *
 * The two bytes of an activation lie in planes of their own, and each plane is
 * an operand of the 8-bit product: acc = 256 * acc(high) + acc(low), exact
 * modulo 2^32, and so exact. A few panels at a time go through both planes, so
 * that the second finds their weights in the second cache. */
#include <immintrin.h>

#include "kernels/avx512vnni/avx512vnni.h"
#include "kernels/avx512vnni/finish.h"
#include "kernels/avx512vnni/vector.h"

/* Sums of a pass: 2 planes x 32 sessions x 128 rows are 32 KiB, which stay in
 * the caches; two panels of 1,024 columns are 128 KiB. */
#define PASS_SESSIONS 32u
#define PASS_PANELS   2u
#define PASS_ROWS     (PASS_PANELS * ERX_PANEL_ROWS)

typedef struct {
    alignas(64) int32_t rows[PASS_SESSIONS][PASS_ROWS];
} sums_t;

/* What a pass works on: sessions from first_session on, panels from
 * first_panel on. */
typedef struct {
    uint32_t first_session, session_count;
    uint32_t first_panel, panel_count;
    erx_matrix_t matrix; /* from first_panel on */
} pass_t;

/* What the products of a pass fetch meanwhile: bytes behind each pointer. */
typedef struct {
    uint8_t *pointers[PASS_SESSIONS];
    size_t bytes;
} fetch_t;

/* The states of as many sessions as fall to this pass, in chunks that one tile
 * can fetch: two lines for every four columns. */
static void plan_fetch(const erx_gemm_t *call, const pass_t *pass, fetch_t *fetch)
{
    uint32_t passes = ERX_CEIL_DIV(call->panel_end - call->panel_begin, PASS_PANELS);
    uint32_t number = (pass->first_panel - call->panel_begin) / PASS_PANELS;
    uint32_t count = 0;
    fetch->bytes = 0;
    if (call->fetch == NULL)
        return;
    size_t chunk_bytes = (size_t)ERX_CEIL_DIV(call->matrix->columns, 4u) * 2 * ERX_CACHE_LINE;
    uint32_t end = pass->session_count * (number + 1) / passes;
    for (uint32_t s = pass->session_count * number / passes; s < end; s++)
        for (size_t at = 0; at < call->fetch_bytes && count < pass->session_count;
             at += chunk_bytes)
            fetch->pointers[count++] = call->fetch[pass->first_session + s] + at;
    if (count == 0)
        return;
    for (; count < pass->session_count; count++)
        fetch->pointers[count] = fetch->pointers[count - 1];
    fetch->bytes = chunk_bytes;
}

/* Products of one plane. */
static void multiply(const erx_gemm_t *call, const pass_t *pass, size_t plane, const fetch_t *fetch,
                     sums_t *sums)
{
    const erx_gemm_t product = {
        .matrix = &pass->matrix,
        .kind = ERX_GEMM_RAW,
        .panel_end = pass->panel_count,
        .session_count = pass->session_count,
        .activation = call->activation + pass->first_session * call->activation_stride + plane,
        .activation_stride = call->activation_stride,
        .wide = sums->rows[0],
        .wide_stride = PASS_ROWS,
        .fetch = fetch->bytes == 0 ? NULL : fetch->pointers,
        .fetch_bytes = fetch->bytes,
    };
    erx_avx512vnni_gemm(&product);
}

static void finish_pass(const erx_gemm_t *call, const pass_t *pass, const sums_t *high,
                        const sums_t *low)
{
    for (uint32_t s = 0; s < pass->session_count; s++) {
        uint32_t session = pass->first_session + s;
        bool is_raw = call->kind == ERX_GEMM_RAW;
        erx_shift64_t shift =
            erx_shift64(is_raw ? 1 : call->matrix->shift - call->exponent[session]);
        for (uint32_t i = 0; i < pass->panel_count * ERX_PANEL_ROWS; i += ERX_BLOCK_ROWS) {
            uint32_t row = pass->first_panel * ERX_PANEL_ROWS + i;
            __m512i value = _mm512_slli_epi32(_mm512_load_si512(&high->rows[s][i]), 8);
            value = _mm512_add_epi32(value, _mm512_load_si512(&low->rows[s][i]));
            if (is_raw) {
                _mm512_storeu_si512(call->wide + session * call->wide_stride + row, value);
                continue;
            }
            value =
                erx_requantize16(value, _mm512_load_si512(call->matrix->multiplier + row), shift);
            erx_finish16(call, session, row, value);
        }
    }
}

static void run_pass(const erx_gemm_t *call, const pass_t *pass)
{
    sums_t high, low;
    fetch_t fetch;
    plan_fetch(call, pass, &fetch);
    multiply(call, pass, 0, &fetch, &high);
    fetch.bytes = 0;
    multiply(call, pass, erx_avx512vnni_plane_bytes(call->matrix->columns), &fetch, &low);
    finish_pass(call, pass, &high, &low);
}

void erx_avx512vnni_gemm_wide(const erx_gemm_t *call)
{
    for (uint32_t s = 0; s < call->session_count; s += PASS_SESSIONS) {
        for (uint32_t p = call->panel_begin; p < call->panel_end; p += PASS_PANELS) {
            pass_t pass = {
                .first_session = s,
                .session_count = ERX_MIN(call->session_count - s, PASS_SESSIONS),
                .first_panel = p,
                .panel_count = ERX_MIN(call->panel_end - p, PASS_PANELS),
                .matrix = *call->matrix,
            };
            pass.matrix.panels += p * call->matrix->panel_bytes;
            run_pass(call, &pass);
        }
    }
}
