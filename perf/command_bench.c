/* erx bench: what the kernels and a whole frame take on this machine. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "kernels/select.h"
#include "perf/bench.h"
#include "sched/topo.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/presets.h"

#define REPEATS_DEFAULT 11u

#define WHAT                                                                                       \
    "say what to measure: kernels, frame, syscall, gate or journal (see 'erx bench journal "       \
    "--help')"

typedef struct {
    const char *name;
    erx_status_t (*run)(const erx_bench_options_t *options, json_t *json, bool quiet,
                        erx_error_t *error);
    bool on_all_processors; /* of --cpus; else on the first */
} bench_t;

static const bench_t benches[] = {
    {"kernels", erx_bench_kernels, false},
    {"frame", erx_bench_frame, false},
    {"syscall", erx_bench_syscall, false},
    {"gate", erx_bench_gate, true},
};

static const bench_t *bench_find(const char *name)
{
    for (size_t i = 0; i < ERX_COUNT(benches); i++)
        if (strcmp(benches[i].name, name) == 0)
            return &benches[i];
    return NULL;
}

typedef struct {
    erx_bench_options_t bench;
    const bench_t *what;
    const char *isa;
    const char *json;
    const char *cpu_list;
} options_t;

enum {
    OPTION_ISA = 1,
    OPTION_SHAPE,
    OPTION_REPEATS,
    OPTION_SMOKE,
    OPTION_PHASES,
    OPTION_PROFILE,
    OPTION_JSON,
    OPTION_CPUS
};

static const struct argp_option argp_options[] = {
    {"shape", OPTION_SHAPE, "NAME", 0, "Only this preset: " ERX_PRESET_WORDS, 0},
    ERX_OPTION_ROW_ISA(OPTION_ISA, 0),
    {"repeats", OPTION_REPEATS, "N", 0, "Measurements of each figure (default 11)", 0},
    {"profile", OPTION_PROFILE, "PROFILE", 0, "frame: i16ssm-1 (default) or i16ssm-2", 0},
    {"phases", OPTION_PHASES, NULL, 0, "frame: also what each operation takes", 0},
    {"cpus", OPTION_CPUS, "LIST", 0, "Processor to run on (default: the first one; gate: all)", 0},
    {"smoke", OPTION_SMOKE, NULL, 0, "Smallest sizes, once, and the hash of the results", 0},
    ERX_OPTION_ROW_JSON(OPTION_JSON, "the figures", 0),
    {0},
};

static const char *take_preset(const struct argp_state *state, const char *argument)
{
    const char *names[ERX_PRESETS + 1] = {NULL};
    erx_preset_names(names);
    return names[erx_option_choice(state, "shape", argument, names)];
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case OPTION_SHAPE:
        options->bench.preset = take_preset(state, argument);
        return 0;
    case OPTION_ISA:
        options->isa = argument;
        return 0;
    case OPTION_REPEATS:
        options->bench.repeats =
            erx_option_u32(state, "repeats", argument, 1, ERX_BENCH_REPEATS_MAX);
        return 0;
    case OPTION_PROFILE:
        options->bench.profile =
            (erx_profile_t)erx_option_choice(state, "profile", argument, erx_profile_names);
        return 0;
    case OPTION_PHASES:
        options->bench.phases = true;
        return 0;
    case OPTION_CPUS:
        options->cpu_list = argument;
        return 0;
    case OPTION_SMOKE:
        options->bench.smoke = true;
        options->bench.repeats = 1;
        return 0;
    case OPTION_JSON:
        options->json = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (options->what != NULL || bench_find(argument) == NULL)
            argp_error(state, WHAT);
        options->what = bench_find(argument);
        return 0;
    case ARGP_KEY_END:
        if (options->what == NULL)
            argp_error(state, WHAT);
        if (options->bench.profile != ERX_PROFILE_1 && strcmp(options->what->name, "frame") != 0)
            argp_error(state, "--profile: only frame has a choice of profiles");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Threads that are made from now on stay on these processors too. */
static erx_status_t settle_on_all(const erx_topo_t *topo, erx_error_t *error)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (uint32_t i = 0; i < topo->cpu_count; i++)
        CPU_SET(topo->cpus[i].cpu, &set);
    if (topo->this_system && sched_setaffinity(0, sizeof set, &set) != 0)
        return erx_error_set(error, ERX_ERR_PERMISSION, "cannot run on these processors: %s",
                             strerror(errno));
    return ERX_OK;
}

/* Runs on one processor, as a worker does, or on those that were named. */
static erx_status_t settle(options_t *options, erx_error_t *error)
{
    static erx_topo_t topo; /* large */
    options->bench.kernel =
        options->isa == NULL ? erx_kernel_best() : erx_kernel_find(options->isa);
    if (options->bench.kernel == NULL)
        return erx_error_set(error, ERX_ERR_ARGUMENT,
                             "--isa: '%s' is not an instruction set of this machine", options->isa);
    const erx_shape_t shape = {.profile = options->bench.profile};
    options->bench.kernel = erx_kernel_for(options->bench.kernel, &shape);
    erx_status_t status = erx_topo_read(options->cpu_list, &topo, error);
    if (status != ERX_OK || (options->what->on_all_processors && options->cpu_list == NULL))
        return status;
    return options->what->on_all_processors ? settle_on_all(&topo, error)
                                            : erx_topo_pin(&topo, topo.cpus[0].cpu, error);
}

static erx_status_t measure(const options_t *options, json_t *json, erx_error_t *error)
{
    bool quiet = options->json != NULL && strcmp(options->json, "-") == 0;
    (void)json_object_set_new(json, "bench", json_string(options->what->name));
    (void)json_object_set_new(json, "isa", json_string(options->bench.kernel->name));
    if (!quiet)
        (void)printf("erx bench %s (%s), medians of %u\n", options->what->name,
                     options->bench.kernel->name, options->bench.repeats);
    erx_status_t status = options->what->run(&options->bench, json, quiet, error);
    if (status == ERX_OK && !quiet)
        (void)printf("hash %s\n", json_string_value(json_object_get(json, "hash")));
    if (status == ERX_OK && options->json != NULL)
        status = erx_output_json(options->json, json, error);
    return status;
}

int erx_command_bench(int argc, char **argv)
{
    static const struct argp argp = {
        argp_options,
        parse,
        "kernels|frame|syscall|gate|journal",
        "Measures on one core (gate: on all).\v"
        "kernels: the matrix product, all matrices of a shape in turn, as GMAC/s and as a "
        "fraction of what the processor does from registers alone in the same run. frame: a "
        "whole frame by batch size, states coming from memory as under load. syscall: "
        "sol_matmul_i8 beside the engine's own kernel, for weights seen before and at first "
        "sight. gate: programs on threads that share products, beside the same without a gate; "
        "its figures want an otherwise idle machine. journal: what it takes to make a "
        "block durable; 'erx bench journal --help' tells its own options. The hash covers "
        "the results and is the same for every instruction set.",
        NULL,
        NULL,
        NULL};
    options_t options = {.bench = {.repeats = REPEATS_DEFAULT}};
    erx_error_t error;
    if (argc > 1 && strcmp(argv[1], "journal") == 0)
        return erx_command_bench_journal(argc, argv);
    erx_command_parse(&argp, argc, argv, &options);
    json_t *json = json_object();
    erx_status_t status = erx_output_check(options.json, &error);
    if (status == ERX_OK)
        status = settle(&options, &error);
    if (status == ERX_OK)
        status = measure(&options, json, &error);
    json_decref(json);
    return erx_command_end(argv[0], status, &error);
}
