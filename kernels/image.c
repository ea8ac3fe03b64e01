/* Layout, packing and mapping of the image. One walk (place_image) gives every
 * section its place; size, packing and mapping all use it, so they cannot
 * disagree. */
#include "kernels/image.h"

#include <string.h>

#include "kernels/kernel.h"
#include "kernels/policy_net.h"
#include "mem/assert.h"

/* Hands out places one after the other; with a NULL base it only counts. */
typedef struct {
    const uint8_t *base;
    size_t offset;
} place_t;

static const void *place_take(place_t *place, size_t bytes)
{
    size_t offset = place->offset;
    place->offset = ERX_ALIGN_UP(offset + bytes, ERX_CACHE_LINE);
    return place->base == NULL ? NULL : place->base + offset;
}

static size_t padded(uint32_t count)
{
    return ERX_ALIGN_UP((size_t)count, ERX_PANEL_ROWS);
}

static const int32_t *place_i32(place_t *place, uint32_t count)
{
    return place_take(place, padded(count) * sizeof(int32_t));
}

static const int16_t *place_i16(place_t *place, uint32_t count)
{
    return place_take(place, padded(count) * sizeof(int16_t));
}

static void place_matrix(place_t *place, const erx_kernel_t *kernel, uint32_t rows,
                         uint32_t columns, bool biased, erx_matrix_t *matrix)
{
    matrix->panel_count = (uint32_t)(padded(rows) / ERX_PANEL_ROWS);
    matrix->columns = columns;
    matrix->panel_bytes = kernel->panel_bytes(columns);
    matrix->panels = place_take(place, matrix->panel_count * matrix->panel_bytes);
    matrix->multiplier = place_i32(place, rows);
    matrix->bias = biased ? place_i32(place, rows) : NULL;
}

static void place_pair_matrix(place_t *place, uint32_t rows, uint32_t columns,
                              erx_pair_matrix_t *matrix)
{
    matrix->rows = rows;
    matrix->pair_count = ERX_CEIL_DIV(columns, 2);
    matrix->pairs = place_take(place, (size_t)matrix->pair_count * rows * 2 * sizeof(int16_t));
    matrix->multiplier = place_i32(place, rows);
    matrix->bias = place_i32(place, rows);
}

static void place_layer(place_t *place, const erx_kernel_t *kernel, const erx_shape_t *shape,
                        erx_layer_t *layer)
{
    uint32_t channels = erx_shape_conv_dim(shape);
    place_matrix(place, kernel, erx_project_padded_rows(shape), shape->d_model, false,
                 &layer->project);
    place_matrix(place, kernel, shape->d_model, shape->d_inner, false, &layer->output);
    layer->taps = place_take(place, padded(channels) * ERX_CONV_TAPS * sizeof(int16_t));
    layer->Wc_m = place_i32(place, channels);
    layer->bc = place_i32(place, channels);
    layer->dtb = place_i32(place, shape->head_count);
    layer->Am = place_i32(place, shape->head_count);
    layer->my = place_i32(place, shape->head_count);
    layer->mD = place_i32(place, shape->head_count);
    layer->md = place_i32(place, shape->head_count);
    layer->G1 = place_i16(place, shape->d_model);
    layer->G2 = place_i16(place, shape->d_inner);
}

static size_t place_image(const erx_kernel_t *kernel, const erx_shape_t *shape, const uint8_t *base,
                          erx_image_t *image)
{
    place_t place = {.base = base};
    image->shape = *shape;
    for (uint32_t l = 0; l < shape->layer_count; l++)
        place_layer(&place, kernel, shape, &image->layers[l]);
    place_pair_matrix(&place, shape->d_model, ERX_FEATURES, &image->embed);
    place_pair_matrix(&place, shape->d_model, ERX_CONTROLS, &image->control);
    place_matrix(&place, kernel, ERX_LOGITS, shape->d_model, true, &image->logits);
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        image->T[k] = place_i16(&place, erx_category_counts[k] * shape->d_model);
    image->fm = place_i32(&place, ERX_CONTINUOUS);
    image->Gf = place_i16(&place, shape->d_model);
    image->Gh = place_i16(&place, shape->d_model);
    image->Wr = place_i16(&place, ERX_REGRESSIONS * shape->d_model);
    image->Wr_m = place_i32(&place, ERX_REGRESSIONS);
    image->Wr_s = place_i32(&place, ERX_REGRESSIONS);
    image->br = place_i32(&place, ERX_REGRESSIONS);
    return place.offset;
}

size_t erx_image_bytes(const erx_kernel_t *kernel, const erx_shape_t *shape)
{
    erx_image_t counted;
    if (erx_shape_is_stack(shape))
        return erx_policy_image_bytes(kernel, &shape->stack);
    return place_image(kernel, shape, NULL, &counted);
}

/* Everything that is not in the packed bytes: scalars are few and travel with
 * the tensors. */
static void copy_scalars(const erx_tensors_t *tensors, erx_image_t *image)
{
    image->eps1 = tensors->eps1;
    image->T_sh = tensors->T_sh;
    image->Gf_s = tensors->Gf_s;
    image->Gh_s = tensors->Gh_s;
    image->Cmax = tensors->Cmax;
    image->embed.shift = tensors->Wf_s;
    image->control.shift = tensors->Wctl_s;
    image->logits.shift = tensors->Wl_s;
    for (uint32_t l = 0; l < tensors->shape.layer_count; l++) {
        const erx_layer_tensors_t *from = &tensors->layers[l];
        erx_layer_t *to = &image->layers[l];
        to->project.shift = from->Win_s;
        to->output.shift = from->Wo_s;
        to->eps2 = from->eps2;
        to->G1_s = from->G1_s;
        to->fz = from->fz;
        to->Wc_s = from->Wc_s;
        to->fx = from->fx;
        to->kb = from->kb;
        to->kc = from->kc;
        to->y_s = from->y_s;
        to->G2_s = from->G2_s;
    }
}

void erx_image_map(const erx_kernel_t *kernel, const erx_tensors_t *tensors, const uint8_t *base,
                   erx_image_t *image_out)
{
    ERX_ASSERT(base != NULL);
    memset(image_out, 0, sizeof *image_out);
    if (erx_shape_is_stack(&tensors->shape)) {
        image_out->shape = tensors->shape;
        erx_policy_image_map(kernel, &tensors->stack, base, &image_out->stack);
        return;
    }
    (void)place_image(kernel, &tensors->shape, base, image_out);
    copy_scalars(tensors, image_out);
}

/* The image is read-only to everybody but its packer, which knows that base is
 * writable: one place casts that const away. */
static void *writable(uint8_t *base, const void *section)
{
    return base + ((const uint8_t *)section - base);
}

static void copy_vector(uint8_t *base, const void *section, const void *source, size_t bytes)
{
    memcpy(writable(base, section), source, bytes);
}

/* A run of source rows and the padded row at which it starts. */
typedef struct {
    uint32_t source_row;
    uint32_t row_count;
    uint32_t padded_row;
} segment_t;

static void pack_matrix(const erx_kernel_t *kernel, uint8_t *base, const erx_matrix_t *matrix,
                        const int8_t *weights, const int32_t *multiplier, const int32_t *bias,
                        const segment_t *segments, uint32_t segment_count)
{
    int32_t *packed_multiplier = writable(base, matrix->multiplier);
    for (uint32_t panel = 0; panel < matrix->panel_count; panel++) {
        const int8_t *rows[ERX_PANEL_ROWS] = {NULL};
        uint32_t panel_row = panel * ERX_PANEL_ROWS;
        for (uint32_t s = 0; s < segment_count; s++) {
            for (uint32_t i = 0; i < segments[s].row_count; i++) {
                uint32_t row = segments[s].padded_row + i;
                if (row < panel_row || row >= panel_row + ERX_PANEL_ROWS)
                    continue;
                uint32_t source = segments[s].source_row + i;
                rows[row - panel_row] = weights + (size_t)source * matrix->columns;
                packed_multiplier[row] = multiplier[source];
                if (bias != NULL)
                    ((int32_t *)writable(base, matrix->bias))[row] = bias[source];
            }
        }
        kernel->panel_pack(writable(base, matrix->panels + panel * matrix->panel_bytes), rows,
                           matrix->columns);
    }
}

static void pack_pair_matrix(uint8_t *base, const erx_pair_matrix_t *matrix, const int16_t *weights,
                             uint32_t columns, const int32_t *multiplier, const int32_t *bias)
{
    int16_t *pairs = writable(base, matrix->pairs);
    for (uint32_t row = 0; row < matrix->rows; row++)
        for (uint32_t j = 0; j < columns; j++)
            pairs[((size_t)(j / 2) * matrix->rows + row) * 2 + j % 2] =
                weights[(size_t)row * columns + j];
    copy_vector(base, matrix->multiplier, multiplier, matrix->rows * sizeof(int32_t));
    copy_vector(base, matrix->bias, bias, matrix->rows * sizeof(int32_t));
}

static void pack_taps(uint8_t *base, const int16_t *taps, const int16_t *Wc, uint32_t channels)
{
    int16_t *packed = writable(base, taps);
    size_t plane = padded(channels) * 2;
    for (uint32_t channel = 0; channel < channels; channel++)
        for (uint32_t tap = 0; tap < ERX_CONV_TAPS; tap++)
            packed[(tap / 2) * plane + channel * 2 + tap % 2] = Wc[channel * ERX_CONV_TAPS + tap];
}

static void pack_layer(const erx_kernel_t *kernel, uint8_t *base, const erx_shape_t *shape,
                       const erx_layer_tensors_t *from, const erx_layer_t *to)
{
    uint32_t di = shape->d_inner;
    uint32_t channels = erx_shape_conv_dim(shape);
    size_t head_bytes = shape->head_count * sizeof(int32_t);
    const segment_t project[] = {
        {0, di, 0},
        {di, channels, erx_project_conv_row(shape)},
        {di + channels, shape->head_count, erx_project_dt_row(shape)},
    };
    const segment_t output[] = {{0, shape->d_model, 0}};
    pack_matrix(kernel, base, &to->project, from->Win, from->Win_m, NULL, project,
                ERX_COUNT(project));
    pack_matrix(kernel, base, &to->output, from->Wo, from->Wo_m, NULL, output, ERX_COUNT(output));
    pack_taps(base, to->taps, from->Wc, channels);
    copy_vector(base, to->Wc_m, from->Wc_m, channels * sizeof(int32_t));
    copy_vector(base, to->bc, from->bc, channels * sizeof(int32_t));
    copy_vector(base, to->dtb, from->dtb, head_bytes);
    copy_vector(base, to->Am, from->Am, head_bytes);
    copy_vector(base, to->my, from->my, head_bytes);
    copy_vector(base, to->mD, from->mD, head_bytes);
    copy_vector(base, to->md, from->md, head_bytes);
    copy_vector(base, to->G1, from->G1, shape->d_model * sizeof(int16_t));
    copy_vector(base, to->G2, from->G2, di * sizeof(int16_t));
}

void erx_image_pack(const erx_kernel_t *kernel, const erx_tensors_t *tensors, uint8_t *base)
{
    erx_image_t image;
    const erx_shape_t *shape = &tensors->shape;
    uint32_t d = shape->d_model;
    const segment_t logits[] = {{0, ERX_LOGITS, 0}};
    if (erx_shape_is_stack(shape)) {
        erx_policy_image_pack(kernel, &tensors->stack, base, &image.stack);
        return;
    }
    erx_image_map(kernel, tensors, base, &image);
    for (uint32_t l = 0; l < shape->layer_count; l++)
        pack_layer(kernel, base, shape, &tensors->layers[l], &image.layers[l]);
    pack_pair_matrix(base, &image.embed, tensors->Wf, ERX_FEATURES, tensors->Wf_m, tensors->bf);
    pack_pair_matrix(base, &image.control, tensors->Wctl, ERX_CONTROLS, tensors->Wctl_m,
                     tensors->bctl);
    pack_matrix(kernel, base, &image.logits, tensors->Wl, tensors->Wl_m, tensors->bl, logits,
                ERX_COUNT(logits));
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        copy_vector(base, image.T[k], tensors->T[k],
                    (size_t)erx_category_counts[k] * d * sizeof(int16_t));
    copy_vector(base, image.fm, tensors->fm, ERX_CONTINUOUS * sizeof(int32_t));
    copy_vector(base, image.Gf, tensors->Gf, d * sizeof(int16_t));
    copy_vector(base, image.Gh, tensors->Gh, d * sizeof(int16_t));
    copy_vector(base, image.Wr, tensors->Wr, (size_t)ERX_REGRESSIONS * d * sizeof(int16_t));
    copy_vector(base, image.Wr_m, tensors->Wr_m, ERX_REGRESSIONS * sizeof(int32_t));
    copy_vector(base, image.Wr_s, tensors->Wr_s, ERX_REGRESSIONS * sizeof(int32_t));
    copy_vector(base, image.br, tensors->br, ERX_REGRESSIONS * sizeof(int32_t));
}
