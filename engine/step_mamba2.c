#include "engine/step_parts.h"

static void place(erx_scratch_t *scratch, const erx_kernel_t *kernel, const erx_shape_t *shape,
                  erx_layout_t *layout)
{
    const size_t panel = ERX_PANEL_ROWS;
    size_t d = ERX_ALIGN_UP((size_t)shape->d_model, panel);
    size_t di = ERX_ALIGN_UP((size_t)shape->d_inner, panel);
    size_t N = ERX_ALIGN_UP((size_t)shape->d_state, panel);
    size_t dt_row = erx_project_dt_row(shape);
    uint32_t lanes_max = scratch->lanes_max;
    scratch->x_stride = d;
    scratch->activation_stride = ERX_MAX(d, di) * kernel->activation_bytes;
    scratch->narrow_stride = ERX_ALIGN_UP(dt_row, panel);
    scratch->dt_stride = ERX_ALIGN_UP(erx_project_padded_rows(shape) - dt_row, panel);
    scratch->x = erx_layout_take(layout, lanes_max * scratch->x_stride * sizeof(int32_t));
    scratch->activation = erx_layout_take(layout, lanes_max * scratch->activation_stride);
    scratch->narrow = erx_layout_take(layout, lanes_max * scratch->narrow_stride * sizeof(int16_t));
    scratch->dt = erx_layout_take(layout, lanes_max * scratch->dt_stride * sizeof(int32_t));
    scratch->exponent = erx_layout_take(layout, lanes_max * sizeof(int32_t));
    scratch->fetch = erx_layout_take(layout, lanes_max * sizeof(uint8_t *));
    scratch->features = erx_layout_take(layout, ERX_FEATURES_PADDED * sizeof(int16_t));
    scratch->controls = erx_layout_take(layout, ERX_CONTROLS_PADDED * sizeof(int16_t));
    scratch->hidden = erx_layout_take(layout, d * sizeof(int16_t));
    scratch->conv.x = erx_layout_take(layout, di * sizeof(int16_t));
    scratch->conv.B = erx_layout_take(layout, N * sizeof(int16_t));
    scratch->conv.C = erx_layout_take(layout, N * sizeof(int16_t));
    scratch->y = erx_layout_take(layout, di * sizeof(int16_t));
    scratch->gated = erx_layout_take(layout, di * sizeof(int32_t));
}

static size_t group_size(const erx_shape_t *shape)
{
    return ERX_GROUP_STATE_BYTES / erx_shape_layer_state_bytes(shape);
}

static void meet(const erx_step_call_t *step)
{
    if (step->part->worker_count > 1)
        erx_gang_barrier(step->part->gang, step->part->worker);
}

static void normalize(const erx_step_call_t *step, uint32_t l, uint32_t lane)
{
    const erx_layer_t *layer = &step->image->layers[l];
    step->rows->exponent[lane] = step->kernel->norm(
        ERX_STEP_ROW(step->rows, x, lane), step->image->shape.d_model, step->image->eps1, layer->G1,
        layer->G1_s, ERX_STEP_ROW(step->rows, activation, lane));
}

/* Starts the way of a lane's table rows into the caches: each lane has its own
 * categories, and the tables are too large to stay there. */
static void fetch_rows(const erx_step_call_t *step, uint32_t lane)
{
    const uint16_t *category = step->lanes[lane].world->category;
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        const int16_t *row = step->image->T[k] + (size_t)category[k] * step->image->shape.d_model;
        __builtin_prefetch(row);
        __builtin_prefetch(row + ERX_CACHE_LINE / sizeof *row);
    }
}

/* Features, embedding, and the first layer's norm of this part's lanes. */
static void enter(const erx_step_call_t *step)
{
    erx_step_share_t share = erx_step_share(step->part, step->count);
    for (uint32_t lane = share.begin; lane < share.end; lane++) {
        const erx_world_t *world = step->lanes[lane].world;
        if (lane + 1 < share.end)
            fetch_rows(step, lane + 1);
        erx_world_features(world, step->image->fm, step->own->features);
        step->kernel->embed(step->image, step->own->features, world->category,
                            ERX_STEP_ROW(step->rows, x, lane));
        normalize(step, 0, lane);
    }
    meet(step);
}

static erx_gemm_t product(const erx_step_call_t *step, const erx_matrix_t *matrix,
                          erx_gemm_kind_t kind)
{
    erx_step_share_t share = erx_step_share(step->part, matrix->panel_count);
    return (erx_gemm_t){
        .matrix = matrix,
        .kind = kind,
        .panel_begin = share.begin,
        .panel_end = share.end,
        .session_count = step->count,
        .activation = step->rows->activation,
        .activation_stride = step->rows->activation_stride,
        .exponent = step->rows->exponent,
    };
}

static uint8_t *layer_state(const erx_step_call_t *step, uint32_t l, uint32_t lane)
{
    return step->lanes[lane].recurrent + l * erx_shape_layer_state_bytes(&step->image->shape);
}

/* in_proj; the lanes' states of this layer are fetched beside it. */
static void project(const erx_step_call_t *step, uint32_t l)
{
    erx_gemm_t call = product(step, &step->image->layers[l].project, ERX_GEMM_PROJECT);
    call.wide = step->rows->dt;
    call.wide_stride = step->rows->dt_stride;
    call.narrow = step->rows->narrow;
    call.narrow_stride = step->rows->narrow_stride;
    call.dt_row = erx_project_dt_row(&step->image->shape);
    if (step->part->worker_count == 1) {
        for (uint32_t lane = 0; lane < step->count; lane++)
            step->rows->fetch[lane] = layer_state(step, l, lane);
        call.fetch = step->rows->fetch;
        call.fetch_bytes = erx_shape_layer_state_bytes(&step->image->shape);
    }
    step->kernel->gemm(&call);
    meet(step);
}

/* Convolution, scan, gate and the second norm of this part's lanes. */
static void mix(const erx_step_call_t *step, uint32_t l)
{
    const erx_layer_t *layer = &step->image->layers[l];
    const erx_shape_t *shape = &step->image->shape;
    const erx_kernel_t *kernel = step->kernel;
    erx_scratch_t *own = step->own;
    erx_step_share_t share = erx_step_share(step->part, step->count);
    for (uint32_t lane = share.begin; lane < share.end; lane++) {
        int16_t *conv_state = (int16_t *)(void *)layer_state(step, l, lane);
        int16_t *h = conv_state + (size_t)3 * erx_shape_conv_dim(shape);
        const int16_t *z = ERX_STEP_ROW(step->rows, narrow, lane);
        kernel->conv(step->image, layer, z + erx_project_conv_row(shape), conv_state, &own->conv);
        kernel->scan(step->image, layer, ERX_STEP_ROW(step->rows, dt, lane), &own->conv, h, own->y);
        kernel->gate(own->y, z, layer->fz, shape->d_inner, own->gated);
        step->rows->exponent[lane] =
            kernel->norm(own->gated, shape->d_inner, layer->eps2, layer->G2, layer->G2_s,
                         ERX_STEP_ROW(step->rows, activation, lane));
    }
    meet(step);
}

/* out_proj into the residual stream. */
static void output(const erx_step_call_t *step, uint32_t l)
{
    erx_gemm_t call = product(step, &step->image->layers[l].output, ERX_GEMM_RESIDUAL);
    call.wide = step->rows->x;
    call.wide_stride = step->rows->x_stride;
    step->kernel->gemm(&call);
    meet(step);
}

static void next_norm(const erx_step_call_t *step, uint32_t l)
{
    erx_step_share_t share = erx_step_share(step->part, step->count);
    for (uint32_t lane = share.begin; lane < share.end; lane++)
        normalize(step, l, lane);
    meet(step);
}

/* Heads of this part's lanes, up to the logits' input. */
static void heads(const erx_step_call_t *step)
{
    const erx_kernel_t *kernel = step->kernel;
    erx_scratch_t *own = step->own;
    erx_step_share_t share = erx_step_share(step->part, step->count);
    for (uint32_t lane = share.begin; lane < share.end; lane++) {
        erx_world_controls(step->lanes[lane].control, own->controls);
        kernel->head_hidden(step->image, ERX_STEP_ROW(step->rows, x, lane), own->controls,
                            own->hidden);
        kernel->regress(step->image, own->hidden, ERX_STEP_ROW(step->rows, regressions, lane));
        step->rows->exponent[lane] = kernel->head_quantize(
            step->image, own->hidden, ERX_STEP_ROW(step->rows, activation, lane));
    }
    meet(step);
}

static void logits(const erx_step_call_t *step)
{
    erx_gemm_t call = product(step, &step->image->logits, ERX_GEMM_LOGITS);
    call.wide = step->rows->logits;
    call.wide_stride = step->rows->logits_stride;
    step->kernel->gemm(&call);
    meet(step);
}

/* Choices, and the new world state, of this part's lanes. */
static void leave(const erx_step_call_t *step)
{
    erx_step_share_t share = erx_step_share(step->part, step->count);
    for (uint32_t lane = share.begin; lane < share.end; lane++)
        erx_step_leave(step, lane);
}

static void run(const erx_step_call_t *step)
{
    uint32_t layer_count = step->image->shape.layer_count;
    enter(step);
    for (uint32_t l = 0; l < layer_count; l++) {
        project(step, l);
        mix(step, l);
        output(step, l);
        if (l + 1 < layer_count)
            next_norm(step, l + 1);
    }
    heads(step);
    logits(step);
    leave(step);
}

const erx_step_architecture_t erx_step_mamba2 = {place, group_size, run};
