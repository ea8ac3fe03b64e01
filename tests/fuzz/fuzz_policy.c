/* Fuzzes what reads a policy, and what the rules promise. An input that begins
 * with a brace is a manifest. Any other changes words of a made-up policy's
 * weights, eight bytes (place, value) each: what the value rules let pass must
 * run without overflow, and every kernel must agree with the reference. */
#include "kernels/ref/policy_ref.h"
#include "kernels/select.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/policy_fixture.h"

#include <string.h>

#define CHANGE_BYTES 8u
#define CHANGES_MAX  4u /* few, or a rule is always broken */

static erx_policy_fixture_t fixture;
static uint8_t *changed; /* a copy of the fixture's weights */

static void check_error(erx_status_t status, const erx_error_t *error)
{
    ERX_ASSERT(status < 0 && error->status == status);
    size_t length = strnlen(error->text, sizeof error->text);
    ERX_ASSERT(length > 0 && length < sizeof error->text);
    ERX_ASSERT(memchr(error->text, '\n', length) == NULL);
}

static void fuzz_text(const uint8_t *data, size_t size)
{
    erx_policy_manifest_t manifest;
    erx_error_t error;
    erx_status_t status = erx_policy_manifest_parse((const char *)data, size, &manifest, &error);
    if (status != ERX_OK)
        check_error(status, &error);
    else
        ERX_ASSERT(erx_policy_shape_check(&manifest.shape, &error) == ERX_OK);
    erx_policy_manifest_free(&manifest);
}

/* States at the ends of everything. */
static void fill_frames(erx_world_t *frames, const uint8_t *data, size_t size)
{
    for (uint32_t k = 0; k < fixture.shape.context; k++) {
        memset(&frames[k], 0, sizeof frames[k]);
        for (uint32_t i = 0; i < ERX_PLAYERS * ERX_CONTINUOUS; i++)
            frames[k].S[i / ERX_CONTINUOUS][i % ERX_CONTINUOUS] =
                data[(k + i) % size] % 2 == 0 ? INT32_MIN : INT32_MAX;
        memset(frames[k].control, data[k % size], sizeof frames[k].control);
    }
}

static void run_kernel(const erx_kernel_t *kernel, const erx_policy_tensors_t *tensors,
                       const erx_world_t *frames, const int32_t *expected)
{
    const erx_policy_shape_t *shape = &tensors->shape;
    size_t frame_bytes = erx_policy_frame_bytes(shape);
    uint8_t *packed = erx_alloc(erx_policy_image_bytes(kernel, shape), 1);
    uint8_t *work = erx_alloc(erx_policy_scratch_bytes(kernel, shape), 1);
    int8_t *ring = erx_alloc(shape->context, frame_bytes);
    ERX_ASSERT(packed != NULL && work != NULL && ring != NULL);
    const erx_policy_lane_t lane = {ring, 0};
    erx_policy_image_t image;
    erx_policy_scratch_t scratch;
    int32_t outputs[1][ERX_POLICY_OUTPUTS];
    erx_policy_image_pack(kernel, tensors, packed, &image);
    erx_policy_scratch_init(&scratch, kernel, shape, work);
    for (uint32_t k = 0; k < shape->context; k++)
        erx_policy_encode(&image, &frames[k], 0, ring + k * frame_bytes);
    erx_policy_run(kernel, &image, &scratch, &lane, 1, outputs);
    ERX_ASSERT(memcmp(outputs[0], expected, sizeof outputs[0]) == 0);
    erx_free(packed);
    erx_free(work);
    erx_free(ring);
}

static void run_policy(const erx_policy_tensors_t *tensors, const uint8_t *data, size_t size)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t count = erx_kernel_list(kernels);
    erx_world_t frames[ERX_POLICY_CONTEXT_MAX];
    int32_t outputs[ERX_POLICY_OUTPUTS];
    uint8_t control[ERX_CONTROLLER_BYTES];
    uint64_t dice[ERX_POLICY_DICE];
    fill_frames(frames, data, size);
    erx_ref_policy(tensors, frames, 0, outputs);
    for (uint32_t k = 0; k < count; k++)
        run_kernel(kernels[k], tensors, frames, outputs);
    erx_policy_dice(size, 0, 0, dice);
    erx_policy_decide(outputs, frames[0].control[0], dice, control);
    erx_policy_decide(outputs, frames[0].control[0], NULL, control);
}

static void fuzz_values(const uint8_t *data, size_t size)
{
    size_t count = ERX_MIN(size / CHANGE_BYTES, (size_t)1 + data[size / 2] % CHANGES_MAX);
    memcpy(changed, fixture.weights, fixture.weight_bytes);
    for (size_t i = 0; i < count; i++) {
        uint32_t place = 0;
        const uint8_t *change = data + (i + data[size - 1]) % (size / CHANGE_BYTES) * CHANGE_BYTES;
        memcpy(&place, change, sizeof place);
        memcpy(changed + place % (fixture.weight_bytes / 4) * 4, change + 4, 4);
    }
    erx_policy_tensors_t tensors;
    erx_error_t error;
    erx_policy_bind(&fixture.shape, changed, &tensors);
    erx_status_t status = erx_policy_tensors_check(&tensors, &error);
    if (status != ERX_OK)
        check_error(status, &error);
    else
        run_policy(&tensors, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (changed == NULL) {
        erx_policy_fixture_make(&erx_policy_fixture_small, 1, &fixture);
        changed = erx_alloc(fixture.weight_bytes, 1);
        ERX_ASSERT(changed != NULL);
    }
    if (size > 0 && data[0] == '{')
        fuzz_text(data, size);
    else if (size > 0)
        fuzz_values(data, size);
    return 0;
}
