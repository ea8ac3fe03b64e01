#include "tools/probe.h"
#include "tools/fnv.h"

#include "engine/step.h"
#include "kernels/decay.h"
#include "kernels/requant.h"
#include "kernels/select.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "tools/script_game.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT16  32767
#define LIMIT_DT ((1 << 20) - 1) /* where NUMERICS 5.5 clamps q */
#define NO_LIMIT INT32_MAX

/* A run's memory, and what the observing kernel needs to know of it. */
typedef struct {
    const erx_model_draft_t *draft;
    const erx_kernel_t *kernel; /* does the work */
    erx_probe_t *probe;
    erx_image_t image;
    uint8_t *image_bytes;
    erx_scratch_t scratch;
    void *scratch_bytes;
    int32_t *before; /* the residual stream before a product */
    uint8_t *recurrent;
    size_t recurrent_bytes; /* of one lane */
    uint8_t *controllers;   /* games of all lanes */
    erx_trace_game_t games[ERX_PROBE_LANES_MAX];
    erx_world_t worlds[ERX_PROBE_LANES_MAX];
} run_t;

/* Kernels take no context; the run at hand is the thread's. */
static _Thread_local run_t *observed;

static uint32_t layer_index(const erx_layer_t *layer)
{
    return (uint32_t)(layer - observed->image.layers);
}

static uint32_t layer_of_matrix(const erx_matrix_t *matrix)
{
    uint32_t l = 0;
    while (matrix != &observed->image.layers[l].project &&
           matrix != &observed->image.layers[l].output)
        l++;
    return l;
}

static void observe_project(const erx_gemm_t *call)
{
    const erx_shape_t *shape = &observed->probe->shape;
    erx_probe_layer_t *layer = &observed->probe->layers[layer_of_matrix(call->matrix)];
    for (uint32_t lane = 0; lane < call->session_count; lane++) {
        erx_gauge_add_i16(&layer->z, call->narrow + lane * call->narrow_stride, shape->d_inner,
                          LIMIT16);
        erx_gauge_add_i32(&layer->dt, call->wide + lane * call->wide_stride, shape->head_count,
                          LIMIT_DT);
    }
}

static void observe_residual(const erx_gemm_t *call)
{
    uint32_t d = observed->probe->shape.d_model;
    erx_probe_layer_t *layer = &observed->probe->layers[layer_of_matrix(call->matrix)];
    for (uint32_t lane = 0; lane < call->session_count; lane++) {
        const int32_t *x = call->wide + lane * call->wide_stride;
        int32_t *before = observed->before + lane * call->wide_stride;
        erx_gauge_add_i32(&layer->residual, x, d, ERX_RESIDUAL_MAX);
        for (uint32_t i = 0; i < d; i++)
            before[i] = x[i] - before[i];
        erx_gauge_add_i32(&layer->step, before, d, ERX_RESIDUAL_MAX);
    }
}

static void observe_logits(const erx_gemm_t *call)
{
    for (uint32_t lane = 0; lane < call->session_count; lane++)
        for (uint32_t row = 0; row < ERX_LOGITS; row++)
            erx_gauge_add_i32(&observed->probe->logits[row],
                              call->wide + lane * call->wide_stride + row, 1, NO_LIMIT);
}

static void observing_gemm(const erx_gemm_t *call)
{
    if (call->kind == ERX_GEMM_RESIDUAL)
        memcpy(observed->before, call->wide,
               call->session_count * call->wide_stride * sizeof *call->wide);
    observed->kernel->gemm(call);
    if (call->kind == ERX_GEMM_PROJECT)
        observe_project(call);
    else if (call->kind == ERX_GEMM_RESIDUAL)
        observe_residual(call);
    else
        observe_logits(call);
}

static void observing_embed(const erx_image_t *image, const int16_t *features,
                            const uint16_t *categories, int32_t *x)
{
    observed->kernel->embed(image, features, categories, x);
    for (uint32_t o = 0; o < image->shape.d_model; o++)
        erx_gauge_add_i32(&observed->probe->embedding[o], x + o, 1, ERX_RESIDUAL_MAX);
}

static int32_t observing_norm(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                              int32_t gain_shift, uint8_t *activation)
{
    int32_t exponent = observed->kernel->norm(v, n, eps, gain, gain_shift, activation);
    for (uint32_t l = 0; l < observed->image.shape.layer_count; l++) {
        erx_probe_layer_t *layer = &observed->probe->layers[l];
        if (gain == observed->image.layers[l].G1)
            layer->in.chosen[exponent - ERX_EXPONENT_MIN]++;
        else if (gain == observed->image.layers[l].G2)
            layer->out.chosen[exponent - ERX_EXPONENT_MIN]++;
    }
    return exponent;
}

/* Output of the convolution before its SiLU, which the kernel keeps to itself. */
static int16_t conv_output(const erx_layer_tensors_t *tensors, const int16_t *c,
                           const int16_t *state, uint32_t channel, uint32_t channels)
{
    const int16_t *taps = tensors->Wc + (size_t)channel * ERX_CONV_TAPS;
    int32_t sum = taps[3] * c[channel];
    for (uint32_t age = 0; age < 3; age++)
        sum += taps[age] * state[age * channels + channel];
    return erx_sat16((int64_t)erx_requantize(sum, tensors->Wc_m[channel], tensors->Wc_s) +
                     tensors->bc[channel]);
}

static void observing_conv(const erx_image_t *image, const erx_layer_t *layer, const int16_t *c,
                           int16_t *state, const erx_conv_out_t *out)
{
    const erx_shape_t *shape = &image->shape;
    uint32_t channels = erx_shape_conv_dim(shape);
    erx_probe_layer_t *gauges = &observed->probe->layers[layer_index(layer)];
    const erx_layer_tensors_t *tensors = &observed->draft->tensors.layers[layer_index(layer)];
    for (uint32_t i = 0; i < channels; i++) {
        int16_t v = conv_output(tensors, c, state, i, channels);
        erx_gauge_add_i16(&gauges->c[i], c + i, 1, LIMIT16);
        erx_gauge_add_i16(&gauges->v[i], &v, 1, LIMIT16);
    }
    observed->kernel->conv(image, layer, c, state, out);
    erx_gauge_add_i16(&gauges->xs, out->x, shape->d_inner, LIMIT16);
    erx_gauge_add_i16(&gauges->B, out->B, shape->d_state, LIMIT16);
    erx_gauge_add_i16(&gauges->C, out->C, shape->d_state, image->Cmax);
}

/* The greatest |dtx| of a head (NUMERICS 5.6), without its saturation. */
static int32_t greatest_push(const erx_decay_t *decay, const int16_t *xs, uint32_t count)
{
    int64_t greatest = 0;
    for (uint32_t p = 0; p < count; p++)
        greatest = ERX_MAX(greatest, llabs(erx_round_shift((int64_t)xs[p] * decay->Km, decay->ns)));
    return (int32_t)greatest;
}

static void observing_scan(const erx_image_t *image, const erx_layer_t *layer, const int32_t *dt,
                           const erx_conv_out_t *in, int16_t *h, int16_t *y)
{
    const erx_shape_t *shape = &image->shape;
    erx_probe_layer_t *gauges = &observed->probe->layers[layer_index(layer)];
    observed->kernel->scan(image, layer, dt, in, h, y);
    size_t head_states = (size_t)shape->head_dim * shape->d_state;
    for (uint32_t head = 0; head < shape->head_count; head++) {
        erx_decay_t decay = erx_decay(layer, head, dt[head]);
        int32_t push = greatest_push(&decay, in->x + head * shape->head_dim, shape->head_dim);
        erx_gauge_add_i32(&gauges->push[head], &push, 1, LIMIT16);
        erx_gauge_add_i16(&gauges->decay, &decay.Abar, 1, LIMIT16);
        for (uint32_t p = 0; p < shape->head_dim; p++)
            erx_gauge_add_i16(&gauges->h[head], h + head * head_states + (size_t)p * shape->d_state,
                              shape->d_state, LIMIT16);
        erx_gauge_add_i16(&gauges->y[head], y + head * shape->head_dim, shape->head_dim, LIMIT16);
    }
}

static void observing_head_hidden(const erx_image_t *image, const int32_t *x,
                                  const int16_t *controls, int16_t *hidden)
{
    observed->kernel->head_hidden(image, x, controls, hidden);
    for (uint32_t o = 0; o < image->shape.d_model; o++)
        erx_gauge_add_i16(&observed->probe->hidden[o], hidden + o, 1, LIMIT16);
}

static void observing_regress(const erx_image_t *image, const int16_t *hidden, int32_t *regressions)
{
    observed->kernel->regress(image, hidden, regressions);
    for (uint32_t r = 0; r < ERX_REGRESSIONS; r++)
        erx_gauge_add_i32(&observed->probe->regressions[r], regressions + r, 1, NO_LIMIT);
}

static int32_t observing_head_quantize(const erx_image_t *image, const int16_t *hidden,
                                       uint8_t *activation)
{
    int32_t exponent = observed->kernel->head_quantize(image, hidden, activation);
    observed->probe->heads.chosen[exponent - ERX_EXPONENT_MIN]++;
    return exponent;
}

static erx_kernel_t observing_kernel(const erx_kernel_t *kernel)
{
    erx_kernel_t result = *kernel;
    result.gemm = observing_gemm;
    result.embed = observing_embed;
    result.norm = observing_norm;
    result.conv = observing_conv;
    result.scan = observing_scan;
    result.head_hidden = observing_head_hidden;
    result.regress = observing_regress;
    result.head_quantize = observing_head_quantize;
    return result;
}

/* Hands out the gauges of channels and heads; counts them where memory is NULL. */
static size_t place_gauges(erx_probe_t *probe, erx_gauge_t *memory)
{
    size_t count = 0;
    const uint32_t channels = erx_shape_conv_dim(&probe->shape);
    const uint32_t heads = probe->shape.head_count;
    for (uint32_t l = 0; l < probe->shape.layer_count; l++) {
        erx_probe_layer_t *layer = &probe->layers[l];
        erx_gauge_t **const lists[] = {&layer->c, &layer->v, &layer->push, &layer->h, &layer->y};
        const uint32_t counts[] = {channels, channels, heads, heads, heads};
        for (size_t i = 0; i < ERX_COUNT(lists); i++) {
            *lists[i] = memory == NULL ? NULL : memory + count;
            count += counts[i];
        }
    }
    probe->embedding = memory == NULL ? NULL : memory + count;
    count += probe->shape.d_model;
    probe->hidden = memory == NULL ? NULL : memory + count;
    return count + probe->shape.d_model;
}

static erx_status_t open_run(run_t *run, const erx_model_draft_t *draft, uint32_t lane_count,
                             uint32_t frame_count, erx_error_t *error)
{
    const erx_shape_t *shape = &draft->tensors.shape;
    run->draft = draft;
    run->kernel = erx_kernel_for(erx_kernel_best(), shape);
    run->recurrent_bytes =
        ERX_ALIGN_UP(shape->layer_count * erx_shape_layer_state_bytes(shape), (size_t)64);
    run->image_bytes = erx_alloc(erx_image_bytes(run->kernel, shape), 1);
    run->scratch_bytes = erx_alloc(erx_scratch_bytes(run->kernel, shape, lane_count), 1);
    run->recurrent = erx_alloc(lane_count, run->recurrent_bytes);
    run->controllers = erx_alloc((size_t)lane_count * frame_count, ERX_TRACE_FRAME_BYTES);
    run->probe->memory = erx_alloc(place_gauges(run->probe, NULL), sizeof(erx_gauge_t));
    if (run->image_bytes == NULL || run->scratch_bytes == NULL || run->recurrent == NULL ||
        run->controllers == NULL || run->probe->memory == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to run the model");
    (void)place_gauges(run->probe, run->probe->memory);
    erx_scratch_init(&run->scratch, run->kernel, shape, lane_count, run->scratch_bytes);
    run->before = erx_alloc(lane_count * run->scratch.x_stride, sizeof *run->before);
    if (run->before == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to run the model");
    erx_image_pack(run->kernel, &draft->tensors, run->image_bytes);
    erx_image_map(run->kernel, &draft->tensors, run->image_bytes, &run->image);
    return ERX_OK;
}

static void close_run(run_t *run)
{
    erx_free(run->image_bytes);
    erx_free(run->scratch_bytes);
    erx_free(run->recurrent);
    erx_free(run->controllers);
    erx_free(run->before);
}

static void start_lanes(run_t *run, uint64_t seed, uint32_t lane_count, uint32_t frame_count)
{
    for (uint32_t lane = 0; lane < lane_count; lane++) {
        uint8_t *place = run->controllers + (size_t)lane * frame_count * ERX_TRACE_FRAME_BYTES;
        run->games[lane] = erx_script_game(seed, lane, frame_count, place);
        erx_world_start(&run->worlds[lane], run->games[lane].stage, run->games[lane].characters);
    }
}

/* Category that each logit head, in output order, decides. */
static uint32_t head_category(uint32_t head)
{
    static const uint8_t categories[] = {ERX_C_ACTION,  ERX_C_JUMPS,  ERX_C_L_CANCEL,
                                         ERX_C_HURTBOX, ERX_C_GROUND, ERX_C_LAST_ATTACK};
    return categories[head / ERX_PLAYERS] + head % ERX_PLAYERS * ERX_PLAYER_CATEGORIES;
}

static void note_outcome(erx_probe_session_t *session, const erx_world_t *before,
                         const erx_world_t *after)
{
    for (uint32_t head = 0; head < ERX_LOGIT_HEADS; head++) {
        uint32_t category = head_category(head);
        session->changes[head] += before->category[category] != after->category[category];
    }
    static const uint8_t places[] = {ERX_S_X, ERX_S_Y};
    static const int32_t bounds[][2] = {{-300, 300}, {-200, 300}};
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        for (uint32_t i = 0; i < ERX_COUNT(places); i++) {
            int32_t value = after->S[p][places[i]];
            session->bounded[places[i]] +=
                value <= bounds[i][0] * 65536 || value >= bounds[i][1] * 65536;
        }
}

static void run_frames(run_t *run, uint32_t lane_count, uint32_t frame_count)
{
    erx_kernel_t kernel = observing_kernel(run->kernel);
    const erx_step_model_t model = {.kernel = &kernel, .image = &run->image};
    const erx_step_part_t alone = {.worker = 0, .worker_count = 1};
    observed = run;
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        erx_lane_t lanes[ERX_PROBE_LANES_MAX];
        erx_world_t before[ERX_PROBE_LANES_MAX];
        memcpy(before, run->worlds, sizeof before);
        for (uint32_t lane = 0; lane < lane_count; lane++)
            lanes[lane] = (erx_lane_t){
                .world = &run->worlds[lane],
                .recurrent = run->recurrent + lane * run->recurrent_bytes,
                .control = erx_trace_controllers(&run->games[lane], frame),
            };
        erx_step(&model, &run->scratch, &run->scratch, &alone, lanes, lane_count);
        for (uint32_t lane = 0; lane < lane_count; lane++)
            note_outcome(&run->probe->sessions[lane], &before[lane], &run->worlds[lane]);
    }
    observed = NULL;
}

erx_status_t erx_probe_run(const erx_model_draft_t *draft, uint64_t seed, uint32_t lane_count,
                           uint32_t frame_count, erx_probe_t *probe_out, erx_error_t *error)
{
    ERX_ASSERT(lane_count >= 1 && lane_count <= ERX_PROBE_LANES_MAX);
    *probe_out = (erx_probe_t){.shape = draft->tensors.shape};
    run_t run = {.probe = probe_out};
    erx_status_t status = open_run(&run, draft, lane_count, frame_count, error);
    if (status == ERX_OK) {
        start_lanes(&run, seed, lane_count, frame_count);
        run_frames(&run, lane_count, frame_count);
        for (uint32_t lane = 0; lane < lane_count; lane++)
            probe_out->sessions[lane].state_hash = erx_fnv1a(
                ERX_FNV_BASIS, run.recurrent + lane * run.recurrent_bytes, run.recurrent_bytes);
    } else {
        erx_probe_close(probe_out);
    }
    close_run(&run);
    return status;
}

void erx_probe_close(erx_probe_t *probe)
{
    erx_free(probe->memory);
    *probe = (erx_probe_t){0};
}

double erx_exponents_mean(const erx_exponents_t *exponents)
{
    double sum = 0;
    double count = 0;
    for (uint32_t i = 0; i < ERX_PROBE_EXPONENTS; i++) {
        sum += (double)exponents->chosen[i] * ((double)i + ERX_EXPONENT_MIN);
        count += (double)exponents->chosen[i];
    }
    return count == 0 ? 0 : sum / count;
}
