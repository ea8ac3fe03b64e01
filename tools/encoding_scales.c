#include "tools/encoding_scales.h"

#define ENCODING    "encoding_config"
#define SCALE_LEAST 1e-6
#define SCALE_MOST  1e6

static const struct {
    const char *key;
    double published;
} scales[ERX_CONTINUOUS] = {
    {"percent_scale", 0.01},    {"xy_scale", 0.05},       {"xy_scale", 0.05},
    {"shield_scale", 0.01},     {"velocity_scale", 0.05}, {"velocity_scale", 0.05},
    {"velocity_scale", 0.05},   {"velocity_scale", 0.05}, {"velocity_scale", 0.05},
    {"state_age_scale", 0.01},  {"hitlag_scale", 0.1},    {"stocks_scale", 0.25},
    {"combo_count_scale", 0.1},
};

erx_status_t erx_encoding_scales(const json_t *encoding, float scales_out[ERX_CONTINUOUS],
                                 erx_error_t *error)
{
    for (uint32_t i = 0; i < ERX_CONTINUOUS; i++) {
        const json_t *value = json_object_get(encoding, scales[i].key);
        double scale = value == NULL ? scales[i].published : json_number_value(value);
        if ((value != NULL && !json_is_number(value)) || !(scale >= SCALE_LEAST) ||
            !(scale <= SCALE_MOST))
            return erx_error_set(error, ERX_ERR_FORMAT,
                                 ENCODING ".%s must be a number from %g to %g", scales[i].key,
                                 SCALE_LEAST, SCALE_MOST);
        scales_out[i] = (float)scale;
    }
    return ERX_OK;
}

erx_status_t erx_encoding_check_variants(const json_t *encoding, const char *const *variants,
                                         uint32_t count, erx_error_t *error)
{
    for (uint32_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(encoding, variants[i]);
        if (json_is_true(value) || (json_is_number(value) && json_number_value(value) != 0.0))
            return erx_error_set(error, ERX_ERR_UNSUPPORTED,
                                 ENCODING ".%s is set; the engine runs networks without it",
                                 variants[i]);
    }
    return ERX_OK;
}
