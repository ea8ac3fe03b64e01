#include "tools/activation_tables.h"

#include "tools/output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RSQRT_LEAST 1e-6 /* keeps entry 0 finite; it is clipped anyway */

typedef struct {
    const char *name;
    const char *description;
    double (*function)(double);
    double input_scale;
    double output_scale;
    bool input_signed;
    bool output_signed;
} table_t;

static double silu(double x)
{
    return x / (1 + exp(-x));
}

static double softplus(double x)
{
    return log1p(exp(x));
}

static double reciprocal_root(double x)
{
    return 1 / sqrt(fmax(x, RSQRT_LEAST));
}

static double exp_negative(double x)
{
    return exp(-x);
}

static const table_t tables[ERX_ACTIVATION_TABLES] = {
    {"silu", "SiLU(x) = x * sigmoid(x), gate activation", silu, 0.0625, 0.0625, true, true},
    {"softplus", "softplus(x) = ln(1 + exp(x)), dt computation", softplus, 0.0625, 0.03125, true,
     true},
    {"rsqrt", "1/sqrt(x), RMSNorm normalization", reciprocal_root, 0.01, 0.05, false, false},
    {"exp_neg", "exp(-x), A_bar decay in selective scan", exp_negative, 0.03125, 0.00392157, false,
     false},
};

static uint8_t entry(const table_t *table, uint32_t index)
{
    double x = table->input_signed ? (int8_t)index : (int)index;
    double value = rint(table->function(x * table->input_scale) / table->output_scale);
    double least = table->output_signed ? INT8_MIN : 0;
    double greatest = table->output_signed ? INT8_MAX : UINT8_MAX;
    return (uint8_t)(int)fmin(fmax(value, least), greatest);
}

void erx_activation_tables_fill(uint8_t bytes_out[ERX_ACTIVATION_BYTES])
{
    for (uint32_t t = 0; t < ERX_ACTIVATION_TABLES; t++)
        for (uint32_t i = 0; i < ERX_ACTIVATION_TABLE_BYTES; i++)
            bytes_out[t * ERX_ACTIVATION_TABLE_BYTES + i] = entry(&tables[t], i);
}

static json_t *describe(void)
{
    json_t *list = json_array();
    for (uint32_t t = 0; t < ERX_ACTIVATION_TABLES; t++)
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:i, s:b, s:b, s:f, s:f, s:s}", "name", tables[t].name,
                            "offset", (int)(t * ERX_ACTIVATION_TABLE_BYTES), "size",
                            (int)ERX_ACTIVATION_TABLE_BYTES, "input_signed", tables[t].input_signed,
                            "output_signed", tables[t].output_signed, "input_scale",
                            tables[t].input_scale, "output_scale", tables[t].output_scale,
                            "description", tables[t].description));
    return json_pack("{s:s, s:i, s:i, s:i, s:o}", "format", "int8_luts_v1", "num_luts",
                     (int)ERX_ACTIVATION_TABLES, "lut_size", (int)ERX_ACTIVATION_TABLE_BYTES,
                     "total_bytes", (int)ERX_ACTIVATION_BYTES, "luts", list);
}

erx_status_t erx_activation_tables_describe(const char *path, erx_error_t *error)
{
    json_t *description = describe();
    /* As the published generator prints it: two blanks, no newline at the end. */
    char *text = json_dumps(description, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(description);
    if (text == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the text of %s", path);
    erx_status_t status = erx_output_write(path, text, strlen(text), error);
    free(text);
    return status;
}
