/* erx load: many sessions at a fixed rate, open loop.
 *
 * Frame k of every session is due at start + (k + 1) / fps and counts from the
 * moment its inputs are due, start + k / fps: a block that starts late, because
 * the one before it took too long, has that much less time. A frame that is
 * not finished when the next one is due has missed its deadline. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "perf/load_data.h"
#include "perf/process.h"
#include "sched/clock.h"
#include "sched/histogram.h"
#include "tools/command.h"
#include "tools/narrate.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/play_options.h"
#include "tools/players.h"
#include "tools/progress.h"

#define FPS_MAX       1000u
#define SECONDS_MAX   86400u
#define FRAMES_LIMIT  10000000u
#define ROUND_DEFAULT 900u
#define LEAD_NS       UINT64_C(300000)   /* wake-up ahead of a due time */
#define FIRST_TICK_NS UINT64_C(50000000) /* from opening to the first due time */

typedef struct {
    erx_play_options_t play;
    const char *json;
    uint32_t sessions;
    uint32_t fps;
    uint32_t seconds;
    uint32_t frames; /* 0: as many as seconds gives */
    uint32_t round_frames;
    uint64_t seed;
    erx_load_data_options_t data;
} options_t;

enum {
    OPTION_SESSIONS = 1,
    OPTION_FPS,
    OPTION_SECONDS,
    OPTION_FRAMES,
    OPTION_SEED,
    OPTION_ROUND,
    OPTION_JSON,
    OPTION_DATA,
    OPTION_DATA_COPY,
    OPTION_RESUME,
    OPTION_ARCHIVE,
    OPTION_JOURNAL,
    OPTION_CHECKPOINT,
    OPTION_RESTART,
    OPTION_IO
};

static const struct argp_option argp_options[] = {
    {"sessions", OPTION_SESSIONS, "N", 0, "Sessions (default 32)", 0},
    {"fps", OPTION_FPS, "F", 0, "Frames a second; 0: as fast as possible (default 60)", 0},
    {"seconds", OPTION_SECONDS, "S", 0, "How many seconds (default 20)", 0},
    {"frames", OPTION_FRAMES, "N", 0,
     "Frames of every session, in place of --seconds: the state hash then depends on model, "
     "trace, sessions, round, N and seed alone",
     0},
    {"seed", OPTION_SEED, "S", 0,
     "Which games and offsets are drawn, and the chance of policies and scripts (default 1)", 0},
    {"round", OPTION_ROUND, "N", 0,
     "Frames after which a session starts anew; 0: never (default 900)", 0},
    {"data", OPTION_DATA, "DIR", 0,
     "Journal every block to this data directory, made where it is missing; none (default): "
     "nothing is durable",
     0},
    {"data-copy", OPTION_DATA_COPY, "DIR", 0,
     "Keep the journal's second copy there, best on another device (default: in the data "
     "directory)",
     0},
    {"resume", OPTION_RESUME, NULL, 0,
     "Continue the sessions of the data directory, with the options of the first start", 0},
    {"archive", OPTION_ARCHIVE, "DIR", 0,
     "Keep all records of the journal there, for verification from the first block", 0},
    {"journal-bytes", OPTION_JOURNAL, "N", 0,
     "Bytes of each copy of the journal of a new data directory (default 64 MiB)", 0},
    {"checkpoint-frames", OPTION_CHECKPOINT, "K", 0,
     "Checkpoint every session once in K frames (default: as --restart-ms asks)", 0},
    {"restart-ms", OPTION_RESTART, "MS", 0,
     "How many milliseconds re-execution after a crash may take (default 1000)", 0},
    {"io", OPTION_IO, "HOW", 0, "auto (default), uring or plain writes to the data directory", 0},
    ERX_OPTION_ROW_JSON(OPTION_JSON, "the figures", 0),
    {0},
};

/* Options of the data directory. */
static error_t parse_data(int key, char *argument, struct argp_state *state)
{
    static const char *const backends[] = {"auto", "uring", "plain", NULL};
    erx_load_data_options_t *data = &((options_t *)state->input)->data;
    switch (key) {
    case OPTION_DATA_COPY:
        data->copy = argument;
        return 0;
    case OPTION_DATA:
        data->directory = strcmp(argument, "none") == 0 ? NULL : argument;
        return 0;
    case OPTION_RESUME:
        data->resume = true;
        return 0;
    case OPTION_ARCHIVE:
        data->archive = argument;
        return 0;
    case OPTION_JOURNAL:
        data->journal_bytes = erx_option_unsigned(state, "journal-bytes", argument,
                                                  ERX_JOURNAL_BYTES_MIN, ERX_JOURNAL_BYTES_MAX) /
                              ERX_JOURNAL_ALIGNMENT * ERX_JOURNAL_ALIGNMENT;
        return 0;
    case OPTION_CHECKPOINT:
        data->checkpoint_frames =
            erx_option_u32(state, "checkpoint-frames", argument, 1, FRAMES_LIMIT);
        return 0;
    case OPTION_RESTART:
        data->restart_ms = erx_option_unsigned(state, "restart-ms", argument, 1, 3600000);
        return 0;
    case OPTION_IO:
        data->backend = (erx_io_backend_t)erx_option_choice(state, "io", argument, backends);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->play;
        return 0;
    case OPTION_SESSIONS:
        options->sessions = erx_option_u32(state, "sessions", argument, 1, ERX_SESSIONS_MAX);
        return 0;
    case OPTION_FPS:
        options->fps = erx_option_u32(state, "fps", argument, 0, FPS_MAX);
        return 0;
    case OPTION_SECONDS:
        options->seconds = erx_option_u32(state, "seconds", argument, 1, SECONDS_MAX);
        return 0;
    case OPTION_FRAMES:
        options->frames = erx_option_u32(state, "frames", argument, 1, FRAMES_LIMIT);
        return 0;
    case OPTION_SEED:
        options->seed = erx_option_unsigned(state, "seed", argument, 0, UINT64_MAX);
        return 0;
    case OPTION_ROUND:
        options->round_frames = erx_option_u32(state, "round", argument, 0, FRAMES_LIMIT);
        return 0;
    case OPTION_JSON:
        options->json = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->data.directory == NULL &&
            (options->data.resume || options->data.archive || options->data.copy))
            argp_error(state, "--resume, --archive and --data-copy need --data DIR");
        return 0;
    default:
        return parse_data(key, argument, state);
    }
}

/* One load test: what is open, and what was seen. */
typedef struct {
    const options_t *options;
    erx_trace_t trace;
    erx_engine_t *engine;
    erx_model_t *model;
    erx_seats_t seats;
    erx_players_t players;
    erx_load_data_t data;
    uint64_t first_tick; /* blocks that were there already */
    erx_progress_t progress;
    erx_histogram_t latency; /* due time to finished, a session-frame */
    uint64_t missed;
    uint64_t ticks;
    uint64_t begin_ns;
    uint64_t end_ns;
    uint64_t status_ns; /* when the status line was last drawn ... */
    uint64_t status_ticks;
    double cpu_seconds;
    const volatile sig_atomic_t *stop_asked;
    bool interrupted;
} load_t;

static erx_status_t open_load(load_t *load, erx_error_t *error)
{
    const options_t *options = load->options;
    erx_status_t status = erx_output_check(options->json, error);
    if (status == ERX_OK)
        status = erx_trace_open(options->play.trace, &load->trace, error);
    if (status == ERX_OK)
        status = erx_engine_open(&options->play.config, &load->engine, error);
    if (status == ERX_OK)
        status = erx_engine_load_model(load->engine, options->play.model, options->sessions,
                                       &load->model, error);
    if (status == ERX_OK)
        status = erx_load_data_open(&load->data, &options->data, load->engine, options->play.model,
                                    &load->first_tick, error);
    if (status == ERX_OK && load->first_tick == 0)
        status = erx_players_open_mixed(&load->players, load->model, options->sessions,
                                        &load->trace, options->seed, options->round_frames, error);
    else if (status == ERX_OK)
        status =
            erx_players_resume_mixed(&load->players, load->model, options->sessions, &load->trace,
                                     options->seed, options->round_frames, load->first_tick, error);
    if (status == ERX_OK)
        status = erx_seats_open(&load->seats, options->play.seats, load->engine, options->sessions,
                                options->seed, false, error);
    if (status == ERX_OK)
        erx_players_seat(&load->players, &load->seats);
    return status;
}

static void close_load(load_t *load)
{
    erx_players_close(&load->players);
    erx_seats_close(&load->seats);
    erx_load_data_close(&load->data);
    erx_engine_close(load->engine);
    erx_trace_close(&load->trace);
}

/* Everything that must be there before the block's due time. */
static void prepare_block(load_t *load)
{
    erx_players_feed(&load->players);
    erx_block_add_all(erx_engine_begin_block(load->engine, erx_clock_unix_seconds()), load->model);
}

static void record(load_t *load, uint64_t due_ns, uint64_t period_ns)
{
    uint32_t count;
    const erx_group_t *groups = erx_engine_groups(load->engine, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t latency = groups[i].finished_ns - due_ns;
        erx_histogram_add(&load->latency, latency, groups[i].lane_count);
        if (latency > period_ns)
            load->missed += groups[i].lane_count;
    }
    load->ticks++;
}

static void show_status(load_t *load)
{
    uint64_t now = erx_clock_now();
    if (!load->progress.shown || now < load->status_ns + ERX_NS_PER_SECOND / 4)
        return;
    double seconds = (double)(now - load->status_ns) / 1e9;
    double rate = (double)(load->ticks - load->status_ticks) * load->players.count / seconds;
    erx_progress_status(&load->progress,
                        "%4.0f s  %u sessions  %.0f frames/s  latency p50 %.2f ms  p99 %.2f ms  "
                        "missed %" PRIu64,
                        (double)(now - load->begin_ns) / 1e9, load->players.count, rate,
                        (double)erx_histogram_quantile(&load->latency, 0.5) / 1e6,
                        (double)erx_histogram_quantile(&load->latency, 0.99) / 1e6, load->missed);
    load->status_ns = now;
    load->status_ticks = load->ticks;
}

/* Number of blocks that the options ask for; 0: until the time is over. */
static uint64_t tick_target(const options_t *options)
{
    return options->frames != 0 ? options->frames : (uint64_t)options->fps * options->seconds;
}

/* Of these, the ones that are still to be played; with --seconds, all. */
static uint64_t ticks_left(const load_t *load)
{
    uint64_t target = tick_target(load->options);
    if (load->options->frames == 0)
        return target;
    return target > load->first_tick ? target - load->first_tick : 0;
}

static bool goes_on(const load_t *load)
{
    erx_error_t error;
    return !*load->stop_asked && erx_load_data_health(&load->data, &error) == ERX_OK;
}

static void run_paced(load_t *load)
{
    erx_crank_t crank = {
        .start_ns = erx_clock_now() + FIRST_TICK_NS,
        .rate_numerator = load->options->fps,
        .rate_denominator = 1,
    };
    uint64_t target = ticks_left(load);
    load->begin_ns = crank.start_ns;
    load->status_ns = crank.start_ns;
    for (uint64_t tick = 0; tick < target && goes_on(load); tick++) {
        uint64_t due = erx_crank_due(&crank, tick);
        erx_clock_sleep_until(due - LEAD_NS);
        erx_engine_rouse(load->engine);
        prepare_block(load);
        erx_clock_sleep_until(due);
        erx_engine_execute(load->engine);
        record(load, due, erx_crank_due(&crank, tick + 1) - due);
        show_status(load);
    }
}

static void run_flat_out(load_t *load)
{
    uint64_t target = ticks_left(load);
    bool counted = tick_target(load->options) != 0;
    load->begin_ns = erx_clock_now();
    load->status_ns = load->begin_ns;
    uint64_t end = load->begin_ns + load->options->seconds * ERX_NS_PER_SECOND;
    while (goes_on(load) && (counted ? load->ticks < target : erx_clock_now() < end)) {
        prepare_block(load);
        uint64_t begin = erx_clock_now();
        erx_engine_execute(load->engine);
        record(load, begin, UINT64_MAX);
        show_status(load);
    }
}

static void run_load(load_t *load)
{
    load->stop_asked = erx_process_catch_stop();
    (void)prctl(PR_SET_TIMERSLACK, 1UL); /* due times are meant exactly */
    double cpu_before = erx_process_cpu_seconds();
    erx_progress_start(&load->progress, "load", 0);
    if (load->options->fps == 0)
        run_flat_out(load);
    else
        run_paced(load);
    erx_progress_finish(&load->progress);
    load->end_ns = ERX_MAX(erx_clock_now(), load->begin_ns + 1); /* first tick not reached */
    load->cpu_seconds = erx_process_cpu_seconds() - cpu_before;
    load->interrupted = *load->stop_asked != 0;
}

static double latency_us(const load_t *load, double share)
{
    return (double)erx_histogram_quantile(&load->latency, share) / 1e3;
}

static double wall_seconds(const load_t *load)
{
    return (double)(load->end_ns - load->begin_ns) / 1e9;
}

/* Worker time a session-frame, as if every worker was busy all the time: what
 * flat out measures. */
static double us_per_session_frame(const load_t *load)
{
    return wall_seconds(load) * 1e6 * erx_engine_worker_count(load->engine) /
           (double)ERX_MAX(load->latency.count, 1);
}

static json_t *figures(const load_t *load, uint64_t hash)
{
    const options_t *options = load->options;
    const erx_shape_t *shape = &load->model->shape;
    char text[17];
    (void)snprintf(text, sizeof text, "%016" PRIx64, hash);
    json_t *value = json_pack(
        "{s:s, s:s, s:i, s:i, s:i, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:b, "
        "s:s}",
        "model", load->model->name, "isa", load->model->kernel->name, "sessions",
        (int)options->sessions, "workers", (int)erx_engine_worker_count(load->engine), "fps",
        (int)options->fps, "seconds", wall_seconds(load), "frames", (json_int_t)load->latency.count,
        "missed_deadlines", (json_int_t)load->missed, "frame_us_p50", latency_us(load, 0.5),
        "frame_us_p99", latency_us(load, 0.99), "frame_us_p999", latency_us(load, 0.999),
        "frame_us_max", (double)load->latency.greatest / 1e3, "cpu_seconds", load->cpu_seconds,
        "rss_bytes", (json_int_t)erx_process_rss_bytes(), "session_bytes",
        (json_int_t)erx_session_bytes(shape), "weight_bytes", (json_int_t)load->model->image_bytes,
        "interrupted", load->interrupted, "state_hash", text);
    if (options->fps == 0 && value != NULL)
        (void)json_object_set_new(value, "us_per_session_frame",
                                  json_real(us_per_session_frame(load)));
    if (value != NULL)
        erx_load_data_figures(&load->data, value);
    return value;
}

static void print_summary(FILE *stream, const load_t *load, uint64_t hash)
{
    uint64_t frames = load->latency.count;
    double seconds = wall_seconds(load);
    (void)fprintf(
        stream, "%s%s (%s), %u sessions on %u %s: %" PRIu64 " frames in %.2f s\n",
        load->interrupted ? "interrupted: " : "", load->model->name, load->model->kernel->name,
        load->players.count, erx_engine_worker_count(load->engine),
        erx_engine_worker_count(load->engine) == 1 ? "worker" : "workers", frames, seconds);
    (void)fprintf(stream,
                  "  latency     p50 %.2f  p99 %.2f  p99.9 %.2f  max %.2f ms after the due time\n",
                  latency_us(load, 0.5) / 1e3, latency_us(load, 0.99) / 1e3,
                  latency_us(load, 0.999) / 1e3, (double)load->latency.greatest / 1e6);
    if (load->options->fps == 0)
        (void)fprintf(stream, "  throughput  %.0f frames/s, %.1f us of a worker a session-frame\n",
                      (double)frames / seconds, us_per_session_frame(load));
    else
        (void)fprintf(stream, "  deadlines   %" PRIu64 " of %" PRIu64 " missed (%u frames/s)\n",
                      load->missed, frames, load->options->fps);
    (void)fprintf(stream, "  processor   %.2f s, %.0f %% of one core\n", load->cpu_seconds,
                  100.0 * load->cpu_seconds / seconds);
    (void)fprintf(stream, "  memory      %.1f MB resident; %.1f KB a session, %.1f MB of weights\n",
                  (double)erx_process_rss_bytes() / 1e6,
                  (double)erx_session_bytes(&load->model->shape) / 1e3,
                  (double)load->model->image_bytes / 1e6);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        if (load->seats.rows[p].policy != NULL)
            (void)fprintf(stream, "  player %u    policy %s%s\n", p + 1,
                          erx_policy_name(load->seats.rows[p].policy),
                          load->seats.rows[p].source.steady ? ", without chance" : "");
    erx_load_data_print(&load->data, stream, seconds);
    (void)fprintf(stream, "  state hash  %016" PRIx64 "\n", hash);
    (void)fprintf(stream, "Session 0, frame %u, on ",
                  erx_players_session(&load->players, 0)->frame);
    erx_narrate(stream, erx_arena_world(erx_players_session(&load->players, 0)->arena));
}

static erx_status_t report(const load_t *load, erx_error_t *error)
{
    const char *json = load->options->json;
    uint64_t hash = erx_players_hash(&load->players);
    bool json_on_stdout = json != NULL && strcmp(json, "-") == 0;
    if (!json_on_stdout)
        print_summary(stdout, load, hash);
    if (json == NULL)
        return ERX_OK;
    json_t *value = figures(load, hash);
    if (value == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the figures");
    erx_status_t status = erx_output_json(json, value, error);
    json_decref(value);
    return status;
}

int erx_command_load(int argc, char **argv)
{
    static const struct argp argp = {
        .options = argp_options,
        .parser = parse,
        .doc = "Runs many sessions at a fixed rate and reports latencies and missed deadlines.\v"
               "Latency counts from the time a frame's inputs are due to the time its state is "
               "finished. Sessions start anew every 900 frames, one after the other, because a "
               "learned world drifts in the long run. A policy that resumes has not "
               "seen the frames before: the sessions go on, but not as they would have without the "
               "pause.",
        .children = erx_play_children,
    };
    static load_t load; /* the histogram is large */
    options_t options = {
        .sessions = 32,
        .fps = 60,
        .seconds = 20,
        .round_frames = ROUND_DEFAULT,
        .seed = 1,
        .data = {.journal_bytes = ERX_JOURNAL_BYTES_USUAL, .restart_ms = 1000},
    };
    erx_error_t error;
    erx_command_parse(&argp, argc, argv, &options);
    load.options = &options;
    erx_status_t status = open_load(&load, &error);
    if (status == ERX_OK) {
        run_load(&load);
        status = erx_load_data_finish(&load.data, &error);
        if (status == ERX_OK)
            status = report(&load, &error);
        if (status == ERX_OK)
            status = erx_load_data_archived(&load.data, &error);
    }
    close_load(&load);
    return erx_command_end(argv[0], status, &error);
}
