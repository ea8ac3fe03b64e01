/* Fuzzes what reads a model: manifest text and weight values from anyone.
 *
 * An input's first byte says what the rest is. TEXT: a manifest; where it
 * passes and has the size of the fixture's weights, it is bound to them, so
 * that other layouts of known bytes get past the hash. VALUES: changes to the
 * fixture's weights, eight bytes each, which go to the value rules directly;
 * the scalars, which matter most, are changed by the top bit of the place. */
#include "engine/tensor_plan.h"
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/model_fixture.h"

#include <string.h>

#define CHANGE_BYTES 8u
#define SCALARS_BIT  (1u << 31)

static erx_fixture_t fixture;

static void start(void)
{
    if (fixture.weights == NULL)
        erx_fixture_model(&erx_fixture_micro, 1, &fixture);
}

/* A refusal says why, in one printable line. */
static void check_error(erx_status_t status, const erx_error_t *error)
{
    ERX_ASSERT(status < 0 && error->status == status);
    size_t length = strnlen(error->text, sizeof error->text);
    ERX_ASSERT(length > 0 && length < sizeof error->text);
    ERX_ASSERT(memchr(error->text, '\n', length) == NULL);
}

static void check_values(const erx_tensors_t *tensors)
{
    erx_error_t error;
    erx_status_t status = erx_tensors_check(tensors, &error);
    if (status != ERX_OK)
        check_error(status, &error);
}

static void fuzz_text(const uint8_t *data, size_t size)
{
    erx_manifest_t manifest;
    erx_tensors_t tensors;
    erx_error_t error;
    erx_status_t status = erx_manifest_parse((const char *)data, size, &manifest, &error);
    if (status != ERX_OK) {
        check_error(status, &error);
        return;
    }
    if (manifest.weight_bytes == fixture.weight_bytes) {
        status =
            erx_manifest_bind(&manifest, fixture.weights, fixture.weight_bytes, &tensors, &error);
        if (status == ERX_OK)
            check_values(&tensors);
        else
            check_error(status, &error);
    }
    erx_manifest_free(&manifest);
}

/* Where a change lands: at a 32-bit word of the file, or of a tensor of
 * scalars. */
static uint8_t *change_target(uint32_t place)
{
    static const char *const scalars[] = {"sc", "layers.0.sc", "eps1", "layers.0.eps2"};
    if ((place & SCALARS_BIT) == 0)
        return fixture.weights + place % (fixture.weight_bytes / 4) * 4;
    const char *name = scalars[place % ERX_COUNT(scalars)];
    uint64_t words = erx_manifest_find(&fixture.manifest, name)->bytes / 4;
    uint8_t *values = erx_fixture_tensor(&fixture, name);
    return values + (place & ~SCALARS_BIT) / ERX_COUNT(scalars) % words * 4;
}

static void fuzz_values(const uint8_t *data, size_t size)
{
    enum { CHANGES_MAX = 64 };
    uint8_t *targets[CHANGES_MAX];
    uint8_t before[CHANGES_MAX][4];
    size_t count = ERX_MIN(size / CHANGE_BYTES, (size_t)CHANGES_MAX);
    for (size_t i = 0; i < count; i++) {
        uint32_t place = 0;
        memcpy(&place, data + i * CHANGE_BYTES, sizeof place);
        targets[i] = change_target(place);
        memcpy(before[i], targets[i], 4);
        memcpy(targets[i], data + i * CHANGE_BYTES + 4, 4);
    }
    erx_tensors_t tensors;
    erx_tensor_plan_bind(&fixture.manifest, fixture.weights, &tensors);
    check_values(&tensors);
    for (size_t i = count; i-- > 0;)
        memcpy(targets[i], before[i], 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    start();
    if (size == 0)
        return 0;
    if (data[0] == ERX_FUZZ_MANIFEST_VALUES)
        fuzz_values(data + 1, size - 1);
    else
        fuzz_text(data + 1, size - 1);
    return 0;
}
