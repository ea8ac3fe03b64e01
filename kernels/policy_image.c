/* Layout and packing of a policy. One walk gives every section its place; with
 * a NULL base it only counts. */
#include <string.h>

#include "kernels/policy_net.h"
#include "mem/assert.h"

typedef struct {
    uint8_t *base;
    size_t offset;
    bool writes; /* else what is at base stays */
} place_t;

static void *take(place_t *place, size_t bytes)
{
    size_t offset = place->offset;
    place->offset = ERX_ALIGN_UP(offset + bytes, (size_t)ERX_CACHE_LINE);
    return place->base == NULL ? NULL : place->base + offset;
}

/* A copy of values; only its place where there is no base. */
static const void *place_copy(place_t *place, const void *values, size_t bytes)
{
    void *to = take(place, bytes);
    if (to != NULL && place->writes)
        memcpy(to, values, bytes);
    return to;
}

/* Row-major numbers of one matrix; all NULL while bytes are only counted. */
typedef struct {
    const int8_t *weights;
    const int32_t *multiplier;
    const int32_t *bias; /* NULL: none */
    uint32_t rows, columns;
    int32_t shift;
} source_t;

/* Vectors of a matrix are as long as its panels. */
static const int32_t *place_vector(place_t *place, const int32_t *values, const source_t *source)
{
    int32_t *to = take(place, ERX_ALIGN_UP(source->rows, ERX_PANEL_ROWS) * sizeof *to);
    if (to != NULL && values != NULL && place->writes)
        memcpy(to, values, source->rows * sizeof *to);
    return to;
}

static void place_matrix(place_t *place, const erx_kernel_t *kernel, const source_t *source,
                         erx_matrix_t *matrix)
{
    matrix->columns = source->columns;
    matrix->shift = source->shift;
    matrix->panel_count = ERX_CEIL_DIV(source->rows, ERX_PANEL_ROWS);
    matrix->panel_bytes = kernel->panel_bytes(source->columns);
    uint8_t *panels = take(place, matrix->panel_count * matrix->panel_bytes);
    matrix->panels = panels;
    matrix->multiplier = place_vector(place, source->multiplier, source);
    matrix->bias = place_vector(place, source->bias, source);
    for (uint32_t panel = 0; place->writes && panel < matrix->panel_count; panel++) {
        const int8_t *rows[ERX_PANEL_ROWS] = {NULL};
        uint32_t first = panel * ERX_PANEL_ROWS;
        for (uint32_t i = 0; i < ERX_PANEL_ROWS && first + i < source->rows; i++)
            rows[i] = source->weights + (size_t)(first + i) * source->columns;
        kernel->panel_pack(panels + panel * matrix->panel_bytes, rows, source->columns);
    }
}

static size_t place_image(const erx_kernel_t *kernel, const erx_policy_tensors_t *tensors,
                          uint8_t *base, bool writes, erx_policy_image_t *image)
{
    const erx_policy_shape_t *shape = &tensors->shape;
    place_t place = {.base = base, .writes = writes};
    const source_t wide = {
        tensors->Wc,  tensors->Wc_m, NULL, shape->hidden, shape->context * ERX_POLICY_WIDE,
        tensors->Wc_s};
    const source_t dense = {
        tensors->Wd,  tensors->Wd_m, tensors->b1, shape->hidden, erx_policy_dense_input(shape),
        tensors->Wd_s};
    const source_t trunk = {tensors->Wt,  tensors->Wt_m, tensors->bt,
                            shape->trunk, shape->hidden, tensors->Wt_s};
    const source_t heads = {tensors->Wo,  tensors->Wo_m,
                            tensors->bo,  erx_policy_output_count(shape),
                            shape->trunk, tensors->Wo_s};
    image->shape = *shape;
    place_matrix(&place, kernel, &wide, &image->wide);
    place_matrix(&place, kernel, &dense, &image->dense);
    place_matrix(&place, kernel, &trunk, &image->trunk);
    place_matrix(&place, kernel, &heads, &image->heads);
    image->fm = place_copy(&place, tensors->fm, ERX_CONTINUOUS * sizeof *image->fm);
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        image->E[i] = place_copy(&place, tensors->E[i],
                                 (size_t)erx_policy_embed_rows(i) * shape->embed_widths[i]);
    return place.offset;
}

size_t erx_policy_image_bytes(const erx_kernel_t *kernel, const erx_policy_shape_t *shape)
{
    const erx_policy_tensors_t counted = {.shape = *shape};
    erx_policy_image_t image;
    return place_image(kernel, &counted, NULL, false, &image);
}

void erx_policy_image_pack(const erx_kernel_t *kernel, const erx_policy_tensors_t *tensors,
                           uint8_t *base, erx_policy_image_t *image_out)
{
    ERX_ASSERT(base != NULL);
    memset(image_out, 0, sizeof *image_out);
    (void)place_image(kernel, tensors, base, true, image_out);
}

void erx_policy_image_map(const erx_kernel_t *kernel, const erx_policy_tensors_t *tensors,
                          const uint8_t *base, erx_policy_image_t *image_out)
{
    ERX_ASSERT(base != NULL);
    memset(image_out, 0, sizeof *image_out);
    /* Nothing is written. */
    (void)place_image(kernel, tensors, (uint8_t *)(uintptr_t)base, false, image_out);
}
