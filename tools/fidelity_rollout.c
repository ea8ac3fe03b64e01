/* Closed-loop comparison. A rollout starts inside a real game, after some real
 * frames, and goes on with the controllers that were really pressed; what the
 * models make of them is compared with each other and with what happened. One
 * piece of work is a group of rollouts that run in step. */
#include "tools/fidelity_parts.h"

#include "tools/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUP   16u /* rollouts of a piece */
#define SPACING 60u /* frames between two starts in a game, where there are few */
#define LEAST   60u /* frames that must follow a start */
#define Q16     65536.0

typedef struct {
    const erx_sequence_t *game;
    uint32_t first;  /* frame of the game that the rollout starts from */
    uint32_t frames; /* that it lasts */
} start_t;

typedef struct {
    const erx_fidelity_work_t *work;
    start_t starts[ERX_FIDELITY_ROLLOUTS_MAX];
    uint32_t start_count;
    erx_fidelity_drift_t *drifts; /* [starts][rollout_frames] */
    bool failed[ERX_FIDELITY_ROLLOUTS_MAX / GROUP + 1];
} rollouts_t;

/* A group under way. */
typedef struct {
    const rollouts_t *rollouts;
    uint32_t first, count; /* of the starts */
    erx_float_scratch_t *scratch;
    float *states;  /* [GROUP][state] */
    float *outputs; /* [GROUP][ERX_FLOAT_OUTPUTS] */
    erx_integer_group_t integers;
    erx_float_world_t floats[GROUP];
    erx_world_t worlds[GROUP];
} group_t;

static bool group_open(group_t *group)
{
    const erx_float_model_t *floats = group->rollouts->work->floats;
    group->scratch = erx_float_scratch_open(&floats->shape, floats->input_width);
    group->states = calloc((size_t)GROUP * erx_float_state_count(&floats->shape), sizeof(float));
    group->outputs = calloc((size_t)GROUP * ERX_FLOAT_OUTPUTS, sizeof(float));
    bool opened = erx_integer_group_open(&group->integers, group->rollouts->work->integers, GROUP);
    return opened && group->scratch != NULL && group->states != NULL && group->outputs != NULL;
}

static void group_close(group_t *group)
{
    erx_float_scratch_close(group->scratch);
    free(group->states);
    free(group->outputs);
    erx_integer_group_close(&group->integers);
}

/* Where both models are at frame step of the warm-up: real data. */
static void set_real(group_t *group, uint32_t k, uint32_t frame)
{
    const rollouts_t *rollouts = group->rollouts;
    erx_sequences_world(rollouts->work->sequences, rollouts->starts[group->first + k].game, frame,
                        &group->floats[k]);
    erx_float_world_to_fixed(&group->floats[k], &group->worlds[k]);
}

static double distance(double x0, double y0, double x1, double y1)
{
    return hypot(x0 - x1, y0 - y1);
}

/* Drift at a frame, mean of both players. */
static erx_fidelity_drift_t measure(const group_t *group, uint32_t k, uint32_t frame)
{
    const rollouts_t *rollouts = group->rollouts;
    erx_fidelity_drift_t drift = {0};
    erx_float_world_t real;
    erx_sequences_world(rollouts->work->sequences, rollouts->starts[group->first + k].game, frame,
                        &real);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        double fx = (double)group->floats[k].continuous[p][ERX_S_X];
        double fy = (double)group->floats[k].continuous[p][ERX_S_Y];
        double ix = group->worlds[k].S[p][ERX_S_X] / Q16;
        double iy = group->worlds[k].S[p][ERX_S_Y] / Q16;
        double x = (double)real.continuous[p][ERX_S_X];
        double y = (double)real.continuous[p][ERX_S_Y];
        drift.float_real += distance(fx, fy, x, y) / ERX_PLAYERS;
        drift.integer_real += distance(ix, iy, x, y) / ERX_PLAYERS;
        drift.integer_float += distance(ix, iy, fx, fy) / ERX_PLAYERS;
    }
    return drift;
}

/* One step of every rollout of the group that still runs; step 0 is the first
 * one of the warm-up. */
static bool run_step(group_t *group, uint32_t step)
{
    const rollouts_t *rollouts = group->rollouts;
    const erx_fidelity_work_t *work = rollouts->work;
    size_t state_count = erx_float_state_count(&work->floats->shape);
    erx_float_column_t columns[GROUP];
    erx_lane_t lanes[GROUP];
    uint32_t running[GROUP], count = 0;
    for (uint32_t k = 0; k < group->count; k++) {
        const start_t *start = &rollouts->starts[group->first + k];
        if (step >= ERX_FIDELITY_WARM + start->frames)
            continue;
        uint32_t frame = start->first - ERX_FIDELITY_WARM + step;
        if (step <= ERX_FIDELITY_WARM)
            set_real(group, k, frame);
        const uint8_t(*control)[ERX_CONTROLLER_BYTES] =
            erx_sequences_control(work->sequences, start->game, frame + 1);
        columns[count] =
            (erx_float_column_t){&group->floats[k], control, group->states + k * state_count,
                                 group->outputs + (size_t)k * ERX_FLOAT_OUTPUTS};
        lanes[count] =
            (erx_lane_t){&group->worlds[k], erx_integer_group_state(&group->integers, k), control};
        running[count++] = k;
    }
    if (count == 0)
        return false;
    erx_float_step(work->floats, group->scratch, columns, count, NULL);
    erx_integer_step(work->integers, &group->integers, lanes, count,
                     work->floats->shape.layer_count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = running[i];
        const start_t *start = &rollouts->starts[group->first + k];
        erx_float_advance(work->floats, &group->floats[k], columns[i].output, columns[i].control);
        if (step >= ERX_FIDELITY_WARM)
            rollouts->drifts[(size_t)(group->first + k) * work->options->rollout_frames + step -
                             ERX_FIDELITY_WARM] =
                measure(group, k, start->first + step - ERX_FIDELITY_WARM + 1);
    }
    return true;
}

static void run_group(void *context, uint32_t index)
{
    rollouts_t *rollouts = context;
    group_t *group = calloc(1, sizeof *group);
    rollouts->failed[index] = true;
    if (group == NULL)
        return;
    group->rollouts = rollouts;
    group->first = index * GROUP;
    group->count = ERX_MIN(rollouts->start_count - group->first, GROUP);
    if (group_open(group)) {
        rollouts->failed[index] = false;
        for (uint32_t step = 0; run_step(group, step); step++) {
        }
    }
    group_close(group);
    free(group);
}

/* Starts in a game, SPACING frames apart. */
static uint32_t starts_of(const erx_sequence_t *game)
{
    const uint32_t around = ERX_FIDELITY_WARM + LEAST;
    return game->frame_count <= around ? 0 : (game->frame_count - 1 - around) / SPACING + 1;
}

/* Start number k of all games. */
static start_t find_start(const erx_fidelity_work_t *work, uint32_t k)
{
    uint32_t g = 0;
    while (k >= starts_of(work->games[g]))
        k -= starts_of(work->games[g++]);
    uint32_t first = ERX_FIDELITY_WARM + k * SPACING;
    return (start_t){
        work->games[g], first,
        ERX_MIN(work->games[g]->frame_count - 1 - first, work->options->rollout_frames)};
}

static void choose_starts(rollouts_t *rollouts)
{
    const erx_fidelity_work_t *work = rollouts->work;
    uint32_t available = 0;
    for (uint32_t g = 0; g < work->game_count; g++)
        available += starts_of(work->games[g]);
    rollouts->start_count =
        ERX_MIN(available, ERX_MIN(work->options->rollouts, ERX_FIDELITY_ROLLOUTS_MAX));
    for (uint32_t i = 0; i < rollouts->start_count; i++)
        rollouts->starts[i] =
            find_start(work, (uint32_t)((uint64_t)i * available / rollouts->start_count));
}

static void add(erx_fidelity_drift_t *sum, const erx_fidelity_drift_t *drift)
{
    sum->float_real += drift->float_real;
    sum->integer_real += drift->integer_real;
    sum->integer_float += drift->integer_float;
}

static void divide(erx_fidelity_drift_t *sum, double count)
{
    if (count == 0.0)
        return;
    sum->float_real /= count;
    sum->integer_real /= count;
    sum->integer_float /= count;
}

static void summarize(const rollouts_t *rollouts, erx_fidelity_t *fidelity)
{
    uint32_t frames = rollouts->work->options->rollout_frames;
    fidelity->rollout_count = rollouts->start_count;
    for (uint32_t i = 0; i < rollouts->start_count; i++) {
        const start_t *start = &rollouts->starts[i];
        const erx_fidelity_drift_t *drifts = rollouts->drifts + (size_t)i * frames;
        fidelity->curve_frames = ERX_MAX(fidelity->curve_frames, start->frames);
        for (uint32_t t = 0; t < start->frames; t++) {
            add(&fidelity->curve[t], &drifts[t]);
            fidelity->curve_rollouts[t]++;
        }
        for (uint32_t h = 0; h < ERX_FIDELITY_HORIZONS; h++) {
            bool reaches = start->frames >= erx_fidelity_horizons[h];
            fidelity->horizon_rollouts[h] += reaches;
            for (uint32_t t = 0; t < erx_fidelity_horizons[h] && reaches; t++)
                add(&fidelity->horizons[h], &drifts[t]);
        }
    }
    for (uint32_t t = 0; t < fidelity->curve_frames; t++)
        divide(&fidelity->curve[t], fidelity->curve_rollouts[t]);
    for (uint32_t h = 0; h < ERX_FIDELITY_HORIZONS; h++)
        divide(&fidelity->horizons[h],
               (double)fidelity->horizon_rollouts[h] * erx_fidelity_horizons[h]);
}

static erx_status_t run_all(rollouts_t *rollouts, erx_error_t *error)
{
    const erx_fidelity_options_t *options = rollouts->work->options;
    rollouts->drifts = calloc((size_t)rollouts->start_count * options->rollout_frames + 1,
                              sizeof *rollouts->drifts);
    if (rollouts->drifts == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for rollouts");
    uint32_t groups = ERX_CEIL_DIV(rollouts->start_count, GROUP);
    erx_progress_t progress;
    erx_progress_start(&progress, "fidelity, rollouts", groups);
    erx_parallel_run(run_group, rollouts, groups, options->threads, &progress);
    erx_progress_finish(&progress);
    for (uint32_t i = 0; i < groups; i++)
        if (rollouts->failed[i])
            return erx_error_set(error, ERX_ERR_MEMORY, "no memory for rollouts");
    return ERX_OK;
}

erx_status_t erx_fidelity_rollouts(const erx_fidelity_work_t *work, erx_fidelity_t *fidelity,
                                   erx_error_t *error)
{
    rollouts_t *rollouts = calloc(1, sizeof *rollouts);
    if (rollouts == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for rollouts");
    rollouts->work = work;
    choose_starts(rollouts);
    erx_status_t status = run_all(rollouts, error);
    if (status == ERX_OK)
        summarize(rollouts, fidelity);
    free(rollouts->drifts);
    free(rollouts);
    return status;
}
