/* erx cu: what calls, layers and frames cost in compute units, as bytecode was
 * measured to cost, and as native execution with the syscall charges. */
#include "engine/matmul/compute_units.h"
#include "engine/model_file.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/presets.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A way of execution. Figures of bytecode are the published ones, in tenths of
 * a unit. */
typedef struct {
    const char *name;
    uint64_t multiply_add_tenths; /* 0: native, as the table says */
    uint64_t lookup_tenths;
} way_t;

static const way_t ways[] = {
    {"naive", 248, 187},  /* 25.8 for one of the measured matrices, 24.8 for the other */
    {"unsafe", 207, 129}, /* without bounds checks */
    {"packed", 163, 129}, /* several weights a load */
    {"native", 0, 0},
};

#define WAYS ERX_COUNT(ways)

/* The scan of one layer at d_state 16, as published for three widths; 616 a
 * channel, as the table has it, is the last one's. */
static const struct {
    uint32_t d_inner;
    uint64_t units;
} published_scans[] = {{256, 159248}, {512, 316432}, {1024, 630808}};

#define PUBLISHED_D_STATE 16u

typedef struct {
    const char *what; /* preset or model directory; NULL: all presets */
    const char *json;
    erx_compute_table_t table;
} request_t;

typedef struct {
    uint64_t project; /* a call of 2 d_inner x d_model */
    uint64_t output;  /* a call of d_model x d_inner */
    erx_compute_units_t layer;
    erx_compute_units_t frame;
} costs_t;

enum { OPTION_JSON = 1, OPTION_BASE, OPTION_DIVISOR };

static const struct argp_option options[] = {
    {"base", OPTION_BASE, "UNITS", 0, "Compute units that each syscall costs (default 100)", 0},
    {"divisor", OPTION_DIVISOR, "N", 0, "Multiply-adds for one unit more (default 100)", 0},
    ERX_OPTION_ROW_JSON(OPTION_JSON, "the figures", 0),
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case OPTION_BASE:
        request->table.matmul_base =
            erx_option_unsigned(state, "base", text, 0, ERX_COMPUTE_PRICE_MAX);
        return 0;
    case OPTION_DIVISOR:
        request->table.matmul_divisor = erx_option_unsigned(state, "divisor", text, 1, INT64_MAX);
        return 0;
    case OPTION_JSON:
        request->json = text;
        return 0;
    case ARGP_KEY_ARG:
        erx_option_take(state, "MODEL", text, &request->what);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "[MODEL]",
    .doc = "Shows what calls, layers and frames cost in compute units: as bytecode (published "
           "figures: naive 24.8 to 25.8 a multiply-add and 18.7 a table lookup, unsafe 20.7, "
           "packed 16.3, lookups of both 12.9) and as native execution with sol_matmul_i8. MODEL "
           "is " ERX_PRESET_WORDS ", or a model directory; all of these shapes without it.",
};

/* Costs */

static uint64_t bytecode_scan(const erx_shape_t *shape, uint64_t otherwise)
{
    for (size_t i = 0; i < ERX_COUNT(published_scans); i++)
        if (shape->d_state == PUBLISHED_D_STATE && shape->d_inner == published_scans[i].d_inner)
            return published_scans[i].units;
    return otherwise;
}

/* Activations that a layer looks up. */
static uint64_t lookup_count(const erx_shape_t *shape)
{
    erx_compute_table_t table = erx_compute_table_default;
    table.lookup = 1;
    return erx_compute_units_layer(&table, shape).lookup;
}

static costs_t costs_of(const way_t *way, const erx_compute_table_t *table,
                        const erx_shape_t *shape)
{
    uint64_t product = (uint64_t)shape->d_model * shape->d_inner;
    costs_t costs = {
        .project = erx_compute_units_matmul(table, 2 * product),
        .output = erx_compute_units_matmul(table, product),
        .layer = erx_compute_units_layer(table, shape),
        .frame = erx_compute_units_frame(table, shape),
    };
    if (way->multiply_add_tenths == 0)
        return costs;
    costs.project = 2 * product * way->multiply_add_tenths / 10;
    costs.output = product * way->multiply_add_tenths / 10;
    costs.layer.matmul = costs.project + costs.output;
    costs.layer.scan = bytecode_scan(shape, costs.layer.scan);
    costs.layer.lookup = lookup_count(shape) * way->lookup_tenths / 10;
    costs.frame.matmul = shape->layer_count * costs.layer.matmul;
    costs.frame.scan = shape->layer_count * costs.layer.scan;
    costs.frame.lookup = shape->layer_count * costs.layer.lookup;
    return costs;
}

/* Output */

static void print_row(const char *name, const uint64_t values[WAYS])
{
    (void)printf("  %-38s", name);
    for (size_t w = 0; w < WAYS; w++)
        (void)printf(" %14" PRIu64, values[w]);
    (void)printf("\n");
}

/* One row for each field of all ways' units. */
static void print_units(const char *of, const erx_compute_units_t *const units[WAYS])
{
    static const char *const names[] = {"matrix products", "selective scan", "activation lookups",
                                        "norm, requantization, residual", "encode and decode"};
    uint64_t values[ERX_COUNT(names)][WAYS], totals[WAYS];
    char name[64];
    for (size_t w = 0; w < WAYS; w++) {
        values[0][w] = units[w]->matmul;
        values[1][w] = units[w]->scan;
        values[2][w] = units[w]->lookup;
        values[3][w] = units[w]->elementwise;
        values[4][w] = units[w]->coding;
        totals[w] = erx_compute_units_total(units[w]);
    }
    for (size_t i = 0; i < ERX_COUNT(names); i++) {
        (void)snprintf(name, sizeof name, "%s: %s", of, names[i]);
        if (values[i][0] != 0)
            print_row(name, values[i]);
    }
    (void)snprintf(name, sizeof name, "%s: total", of);
    print_row(name, totals);
}

static void print_shape(const char *name, const erx_shape_t *shape, const costs_t costs[WAYS])
{
    const erx_compute_units_t *layers[WAYS], *frames[WAYS];
    uint64_t projects[WAYS], outputs[WAYS];
    char call[64];
    for (size_t w = 0; w < WAYS; w++) {
        projects[w] = costs[w].project;
        outputs[w] = costs[w].output;
        layers[w] = &costs[w].layer;
        frames[w] = &costs[w].frame;
    }
    (void)printf("%s: %u layers, d_model %u, d_inner %u, d_state %u\n  %-38s", name,
                 shape->layer_count, shape->d_model, shape->d_inner, shape->d_state, "units");
    for (size_t w = 0; w < WAYS; w++)
        (void)printf(" %14s", ways[w].name);
    (void)printf("\n");
    (void)snprintf(call, sizeof call, "call: %ux%u", 2 * shape->d_inner, shape->d_model);
    print_row(call, projects);
    (void)snprintf(call, sizeof call, "call: %ux%u", shape->d_model, shape->d_inner);
    print_row(call, outputs);
    print_units("layer", layers);
    print_units("frame", frames);
}

static json_t *units_json(const erx_compute_units_t *units)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "matmul", (json_int_t)units->matmul, "scan",
                     (json_int_t)units->scan, "lookup", (json_int_t)units->lookup, "elementwise",
                     (json_int_t)units->elementwise, "coding", (json_int_t)units->coding, "total",
                     (json_int_t)erx_compute_units_total(units));
}

static json_t *shape_json(const char *name, const erx_shape_t *shape, const costs_t costs[WAYS])
{
    json_t *json =
        json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "name", name, "layers", (int)shape->layer_count,
                  "d_model", (int)shape->d_model, "d_inner", (int)shape->d_inner, "d_state",
                  (int)shape->d_state, "calls", (int)(2 * shape->layer_count));
    for (size_t w = 0; w < WAYS; w++)
        (void)json_object_set_new(
            json, ways[w].name,
            json_pack("{s:I, s:I, s:o, s:o}", "project_call", (json_int_t)costs[w].project,
                      "output_call", (json_int_t)costs[w].output, "layer",
                      units_json(&costs[w].layer), "frame", units_json(&costs[w].frame)));
    return json;
}

static json_t *table_json(const erx_compute_table_t *table)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "matmul_base",
                     (json_int_t)table->matmul_base, "matmul_divisor",
                     (json_int_t)table->matmul_divisor, "scan_numerator",
                     (json_int_t)table->scan_numerator, "scan_denominator",
                     (json_int_t)table->scan_denominator, "lookup", (json_int_t)table->lookup,
                     "norm", (json_int_t)table->norm, "requantize", (json_int_t)table->requantize,
                     "residual", (json_int_t)table->residual, "encode", (json_int_t)table->encode,
                     "decode", (json_int_t)table->decode);
}

static void report_shape(const request_t *request, const char *name, const erx_shape_t *shape,
                         json_t *shapes)
{
    costs_t costs[WAYS];
    for (size_t w = 0; w < WAYS; w++)
        costs[w] = costs_of(&ways[w], &request->table, shape);
    if (request->json == NULL)
        print_shape(name, shape, costs);
    else
        (void)json_array_append_new(shapes, shape_json(name, shape, costs));
}

static erx_status_t report_model(const request_t *request, json_t *shapes, erx_error_t *error)
{
    erx_model_file_t file;
    if (erx_model_file_open(request->what, &file, error) != ERX_OK)
        return erx_error_prefix(error, "'%s' is no preset, and as a model directory",
                                request->what);
    report_shape(request, file.manifest.name, &file.manifest.shape, shapes);
    erx_model_file_close(&file);
    return ERX_OK;
}

static erx_status_t report(const request_t *request, erx_error_t *error)
{
    const erx_preset_t *preset = request->what == NULL ? NULL : erx_preset_find(request->what);
    json_t *shapes = json_array();
    erx_status_t status = ERX_OK;
    if (request->what != NULL && preset == NULL)
        status = report_model(request, shapes, error);
    for (uint32_t i = 0; status == ERX_OK && i < ERX_PRESETS; i++)
        if (request->what == NULL || preset == &erx_presets[i])
            report_shape(request, erx_presets[i].name, &erx_presets[i].shape, shapes);
    json_t *json = json_pack("{s:o, s:o}", "table", table_json(&request->table), "shapes", shapes);
    if (status == ERX_OK && request->json != NULL)
        status = erx_output_json(request->json, json, error);
    json_decref(json);
    return status;
}

int erx_command_cu(int argc, char **argv)
{
    request_t request = {.table = erx_compute_table_default};
    erx_error_t error;
    erx_command_parse(&parser, argc, argv, &request);
    erx_status_t status = report(&request, &error);
    return erx_command_end(argv[0], status, &error);
}
