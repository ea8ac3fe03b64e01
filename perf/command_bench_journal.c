/* erx bench journal: what it takes to make a block's record durable. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/limits.h"
#include "perf/bench_journal.h"
#include "perf/process.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/output.h"

#define SESSIONS_DEFAULT 240u
#define FPS_DEFAULT      60u
#define FPS_MAX          1000u
#define SECONDS_DEFAULT  10u
#define SECONDS_MAX      3600u
#define PATH_LENGTH      4096u

typedef struct {
    erx_bench_journal_options_t bench;
    const char *directory;
    const char *json;
    const volatile sig_atomic_t *stop_asked;
} options_t;

enum {
    OPTION_DIRECTORY = 1,
    OPTION_SESSIONS,
    OPTION_FPS,
    OPTION_SECONDS,
    OPTION_SMOKE,
    OPTION_JSON,
};

static const struct argp_option argp_options[] = {
    {"directory", OPTION_DIRECTORY, "DIR", 0,
     "Where to write: a directory on the disk in question (default: this one)", 0},
    {"sessions", OPTION_SESSIONS, "N", 0, "Sessions whose inputs a record holds (default 240)", 0},
    {"fps", OPTION_FPS, "F", 0, "Blocks a second while paced (default 60)", 0},
    {"seconds", OPTION_SECONDS, "S", 0, "Paced seconds of each way (default 10)", 0},
    {"smoke", OPTION_SMOKE, NULL, 0, "A few blocks of each way, for tests", 0},
    ERX_OPTION_ROW_JSON(OPTION_JSON, "the figures", 0),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case OPTION_DIRECTORY:
        options->directory = argument;
        return 0;
    case OPTION_SESSIONS:
        options->bench.sessions = erx_option_u32(state, "sessions", argument, 1, ERX_SESSIONS_MAX);
        return 0;
    case OPTION_FPS:
        options->bench.fps = erx_option_u32(state, "fps", argument, 1, FPS_MAX);
        return 0;
    case OPTION_SECONDS:
        options->bench.seconds = erx_option_u32(state, "seconds", argument, 1, SECONDS_MAX);
        return 0;
    case OPTION_SMOKE:
        options->bench.smoke = true;
        return 0;
    case OPTION_JSON:
        options->json = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0 || strcmp(argument, "journal") != 0)
            argp_error(state, "say what to measure: journal");
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "say what to measure: journal");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static double quantile_ms(const erx_histogram_t *histogram, double share)
{
    return (double)erx_histogram_quantile(histogram, share) / 1e6;
}

static double blocks_per_second(const erx_rival_figures_t *figures)
{
    return (double)figures->unpaced.count * 1e9 / (double)ERX_MAX(figures->unpaced_ns, 1);
}

static double cpu_us(const erx_rival_figures_t *figures)
{
    return figures->paced_cpu_seconds * 1e6 / (double)ERX_MAX(figures->paced.count, 1);
}

/* Ways that this build leaves out, for want of a library. */
static const char *absent(void)
{
#if defined ERX_HAVE_LMDB && defined ERX_HAVE_SQLITE
    return "";
#elif defined ERX_HAVE_LMDB
    return "SQLite is not measured: build with libsqlite3-dev";
#elif defined ERX_HAVE_SQLITE
    return "LMDB is not measured: build with liblmdb-dev";
#else
    return "LMDB and SQLite are not measured: build with liblmdb-dev and libsqlite3-dev";
#endif
}

static void print_table(const options_t *options, const erx_bench_journal_t *bench)
{
    (void)printf("%sRecords of %u KiB (%u sessions), commit in ms at %u blocks a second, and "
                 "blocks a second without pause\n\n",
                 *options->stop_asked ? "Interrupted. " : "", bench->record_bytes >> 10,
                 options->bench.sessions, options->bench.fps);
    (void)printf("%-22s %6s %8s %8s %8s %8s %12s %10s\n", "", "copies", "p50", "p99", "p99.9",
                 "max", "CPU us/block", "blocks/s");
    for (uint32_t i = 0; i < bench->rival_count; i++) {
        const erx_rival_figures_t *figures = &bench->rivals[i];
        (void)printf("%-22s %6u %8.2f %8.2f %8.2f %8.2f %12.0f %10.0f\n", figures->rival->name,
                     figures->rival->copies, quantile_ms(&figures->paced, 0.5),
                     quantile_ms(&figures->paced, 0.99), quantile_ms(&figures->paced, 0.999),
                     (double)figures->paced.greatest / 1e6, cpu_us(figures),
                     blocks_per_second(figures));
    }
    if (absent()[0] != '\0')
        (void)printf("\n%s\n", absent());
}

static json_t *rival_json(const erx_rival_figures_t *figures)
{
    return json_pack(
        "{s:s, s:i, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:f}", "name", figures->rival->name,
        "copies", (int)figures->rival->copies, "paced_blocks", (json_int_t)figures->paced.count,
        "commit_ms_p50", quantile_ms(&figures->paced, 0.5), "commit_ms_p99",
        quantile_ms(&figures->paced, 0.99), "commit_ms_p999", quantile_ms(&figures->paced, 0.999),
        "commit_ms_max", (double)figures->paced.greatest / 1e6, "cpu_us_per_block", cpu_us(figures),
        "unpaced_blocks", (json_int_t)figures->unpaced.count, "blocks_per_second",
        blocks_per_second(figures));
}

static erx_status_t write_json(const options_t *options, const erx_bench_journal_t *bench,
                               erx_error_t *error)
{
    json_t *rivals = json_array();
    for (uint32_t i = 0; i < bench->rival_count; i++)
        (void)json_array_append_new(rivals, rival_json(&bench->rivals[i]));
    json_t *value = json_pack("{s:s, s:i, s:i, s:i, s:b, s:o, s:s}", "bench", "journal", "sessions",
                              (int)options->bench.sessions, "fps", (int)options->bench.fps,
                              "record_bytes", (int)bench->record_bytes, "interrupted",
                              *options->stop_asked != 0, "rivals", rivals, "absent", absent());
    if (value == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the figures");
    erx_status_t status = erx_output_json(options->json, value, error);
    json_decref(value);
    return status;
}

/* Removes the files of a run and their directory. */
static void remove_run(const char *path)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(stream), entry->d_name, 0);
    if (stream != NULL)
        (void)closedir(stream);
    (void)rmdir(path);
}

static erx_status_t measure(options_t *options, erx_bench_journal_t *bench, erx_error_t *error)
{
    char path[PATH_LENGTH];
    int length = snprintf(path, sizeof path, "%s/erx-bench-XXXXXX", options->directory);
    if (length >= (int)sizeof path || mkdtemp(path) == NULL)
        return erx_error_set(error, ERX_ERR_IO,
                             "--directory: cannot write to %.256s (%s): name a directory that can "
                             "be written to",
                             options->directory,
                             strerror(length >= (int)sizeof path ? ENAMETOOLONG : errno));
    options->bench.directory = path;
    erx_status_t status = erx_bench_journal_run(&options->bench, options->stop_asked, bench, error);
    remove_run(path);
    return status;
}

int erx_command_bench_journal(int argc, char **argv)
{
    static const struct argp argp = {
        argp_options,
        parse,
        "journal",
        "Measures how long a block's record takes to become durable.\v"
        "The engine's commit machine (two copies) beside plain writes, LMDB and SQLite (one copy), "
        "on the same records, a second each in turn. CPU is the time of all threads a block, "
        "pacing included.",
        NULL,
        NULL,
        NULL};
    options_t options = {
        .bench = {.sessions = SESSIONS_DEFAULT, .fps = FPS_DEFAULT, .seconds = SECONDS_DEFAULT},
        .directory = "."};
    static erx_bench_journal_t bench; /* large */
    erx_error_t error;
    erx_command_parse(&argp, argc, argv, &options);
    options.stop_asked = erx_process_catch_stop();
    erx_status_t status = measure(&options, &bench, &error);
    if (status == ERX_OK && (options.json == NULL || strcmp(options.json, "-") != 0))
        print_table(&options, &bench);
    if (status == ERX_OK && options.json != NULL)
        status = write_json(&options, &bench, &error);
    return erx_command_end(argv[0], status, &error);
}
