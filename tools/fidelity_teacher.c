/* Teacher-forced comparison: one piece of work is one game, from a zero state. */
#include "tools/fidelity_parts.h"

#include "tools/parallel.h"

#include <stdlib.h>
#include <string.h>

#define Q16 65536.0

/* Figures of one game; threads never share one. */
typedef struct {
    bool failed; /* no memory */
    uint32_t frames;
    erx_fidelity_power_t heads[ERX_OUTPUT_HEADS];
    erx_fidelity_power_t stages[ERX_LAYERS_MAX + 1];
    uint64_t agreed[ERX_OUTPUT_HEADS];
} game_t;

typedef struct {
    const erx_fidelity_work_t *work;
    game_t *games; /* [work->game_count] */
} teacher_t;

/* One game under way. */
typedef struct {
    const erx_fidelity_work_t *work;
    const erx_sequence_t *sequence;
    game_t *game;
    erx_float_scratch_t *scratch;
    float *state;
    float *outputs;   /* [ERX_FLOAT_COLUMNS][ERX_FLOAT_OUTPUTS] */
    float *residuals; /* [stages][ERX_FLOAT_COLUMNS][d] */
    erx_integer_group_t outputs_group;
    erx_integer_group_t *stage_groups; /* [stages - 1]: the model cut off after each layer */
    erx_float_world_t worlds[ERX_FLOAT_COLUMNS];
} run_t;

static uint32_t stage_count(const erx_fidelity_work_t *work)
{
    return work->floats->shape.layer_count + 1;
}

static bool run_open(run_t *run)
{
    const erx_float_model_t *floats = run->work->floats;
    uint32_t stages = stage_count(run->work), d = floats->shape.d_model;
    run->scratch = erx_float_scratch_open(&floats->shape, floats->input_width);
    run->state = calloc(erx_float_state_count(&floats->shape), sizeof *run->state);
    run->outputs = calloc((size_t)ERX_FLOAT_COLUMNS * ERX_FLOAT_OUTPUTS, sizeof *run->outputs);
    run->residuals = calloc((size_t)stages * ERX_FLOAT_COLUMNS * d, sizeof *run->residuals);
    run->stage_groups = calloc(stages, sizeof *run->stage_groups);
    bool opened = erx_integer_group_open(&run->outputs_group, run->work->integers, 1);
    for (uint32_t i = 0; i < stages && opened && run->stage_groups != NULL; i++)
        opened = erx_integer_group_open(&run->stage_groups[i], run->work->integers, 1);
    return opened && run->scratch != NULL && run->state != NULL && run->outputs != NULL &&
           run->residuals != NULL && run->stage_groups != NULL;
}

static void run_close(run_t *run)
{
    erx_float_scratch_close(run->scratch);
    free(run->state);
    free(run->outputs);
    free(run->residuals);
    erx_integer_group_close(&run->outputs_group);
    for (uint32_t i = 0; i < stage_count(run->work) && run->stage_groups != NULL; i++)
        erx_integer_group_close(&run->stage_groups[i]);
    free(run->stage_groups);
}

static float *residual_row(const run_t *run, uint32_t stage, uint32_t column)
{
    return run->residuals +
           ((size_t)stage * ERX_FLOAT_COLUMNS + column) * run->work->floats->shape.d_model;
}

static void keep_residual(void *context, uint32_t column, uint32_t stage, const float *x)
{
    const run_t *run = context;
    memcpy(residual_row(run, stage, column), x, run->work->floats->shape.d_model * sizeof *x);
}

static void add_power(erx_fidelity_power_t *power, double reference, double value)
{
    power->signal += reference * reference;
    power->noise += (reference - value) * (reference - value);
}

static void compare_regressions(const run_t *run, const float *output, const int32_t *regressions)
{
    const erx_float_model_t *floats = run->work->floats;
    uint32_t r = 0;
    for (uint32_t head = 0; head < ERX_REGRESSION_HEADS; head++) {
        for (uint32_t i = 0; i < erx_float_head_width(head); i++, r++) {
            double value = regressions[r] / Q16 / (double)floats->output_scale[r];
            add_power(&run->game->heads[head], (double)output[r], value);
            /* Only the binaries are choices; binary is the second head. */
            run->game->agreed[head] += head == 1 && (output[r] > 0.0f) == (regressions[r] > 0);
        }
    }
}

static void compare_logits(const run_t *run, const float *output, const int32_t *logits)
{
    const float *reference = output + ERX_REGRESSIONS;
    for (uint32_t i = 0; i < ERX_LOGIT_HEADS; i++) {
        uint32_t head = ERX_REGRESSION_HEADS + i, width = erx_logit_widths[i];
        for (uint32_t k = 0; k < width; k++)
            add_power(&run->game->heads[head], (double)reference[k], logits[k] / Q16);
        run->game->agreed[head] +=
            run->work->integers->kernel->argmax(logits, width) == erx_float_choice(output, i);
        reference += width;
        logits += width;
    }
}

/* The model cut off after stage layers leaves that stage's residual behind. */
static void compare_stage(run_t *run, uint32_t stage, uint32_t column, const erx_world_t *world,
                          const uint8_t (*control)[ERX_CONTROLLER_BYTES])
{
    erx_integer_group_t *group = &run->stage_groups[stage];
    erx_world_t own = *world;
    const erx_lane_t lane = {&own, erx_integer_group_state(group, 0), control};
    erx_integer_step(run->work->integers, group, &lane, 1, stage);
    const float *reference = residual_row(run, stage, column);
    for (uint32_t i = 0; i < run->work->floats->shape.d_model; i++)
        add_power(&run->game->stages[stage], (double)reference[i],
                  (double)group->scratch.x[i] / (1 << ERX_RESIDUAL_BITS));
}

static void compare_frame(run_t *run, uint32_t frame, uint32_t column)
{
    erx_world_t world;
    erx_float_world_to_fixed(&run->worlds[column], &world);
    const uint8_t(*control)[ERX_CONTROLLER_BYTES] =
        erx_sequences_control(run->work->sequences, run->sequence, frame + 1);
    if (frame < run->work->options->stage_frames)
        for (uint32_t stage = 0; stage < stage_count(run->work); stage++)
            compare_stage(run, stage, column, &world, control);
    erx_integer_group_t *group = &run->outputs_group;
    const erx_lane_t lane = {&world, erx_integer_group_state(group, 0), control};
    erx_integer_step(run->work->integers, group, &lane, 1, run->work->floats->shape.layer_count);
    const float *output = run->outputs + (size_t)column * ERX_FLOAT_OUTPUTS;
    compare_regressions(run, output, group->scratch.regressions);
    compare_logits(run, output, group->scratch.logits);
}

static void run_frames(run_t *run, uint32_t first, uint32_t count)
{
    erx_float_column_t columns[ERX_FLOAT_COLUMNS];
    const erx_float_observer_t observer = {.context = run, .residual = keep_residual};
    for (uint32_t k = 0; k < count; k++) {
        erx_sequences_world(run->work->sequences, run->sequence, first + k, &run->worlds[k]);
        columns[k] = (erx_float_column_t){
            .world = &run->worlds[k],
            .control = erx_sequences_control(run->work->sequences, run->sequence, first + k + 1),
            .state = run->state,
            .output = run->outputs + (size_t)k * ERX_FLOAT_OUTPUTS,
        };
    }
    erx_float_step(run->work->floats, run->scratch, columns, count, &observer);
    for (uint32_t k = 0; k < count; k++)
        compare_frame(run, first + k, k);
}

static void run_game(void *context, uint32_t index)
{
    teacher_t *teacher = context;
    game_t *game = &teacher->games[index];
    run_t *run = calloc(1, sizeof *run);
    game->failed = true;
    if (run == NULL)
        return;
    run->work = teacher->work;
    run->sequence = teacher->work->games[index];
    run->game = game;
    if (run_open(run)) {
        game->failed = false;
        game->frames = ERX_MIN(run->sequence->frame_count - 1, teacher->work->options->game_frames);
        for (uint32_t frame = 0; frame < game->frames; frame += ERX_FLOAT_COLUMNS)
            run_frames(run, frame, ERX_MIN(game->frames - frame, ERX_FLOAT_COLUMNS));
    }
    run_close(run);
    free(run);
}

static void merge_power(erx_fidelity_power_t *into, const erx_fidelity_power_t *from)
{
    into->signal += from->signal;
    into->noise += from->noise;
}

static void merge(erx_fidelity_t *fidelity, const game_t *game)
{
    fidelity->frame_count += game->frames;
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++) {
        bool is_binary = head == 1, is_logits = head >= ERX_REGRESSION_HEADS;
        merge_power(&fidelity->heads[head], &game->heads[head]);
        merge_power(&fidelity->all, &game->heads[head]);
        fidelity->agreed[head] += game->agreed[head];
        fidelity->compared[head] += is_logits   ? game->frames
                                    : is_binary ? game->frames * erx_float_head_width(head)
                                                : 0;
    }
    for (uint32_t stage = 0; stage < fidelity->stage_count; stage++)
        merge_power(&fidelity->stages[stage], &game->stages[stage]);
}

erx_status_t erx_fidelity_teacher(const erx_fidelity_work_t *work, erx_fidelity_t *fidelity,
                                  erx_error_t *error)
{
    teacher_t teacher = {.work = work, .games = calloc(work->game_count, sizeof *teacher.games)};
    if (teacher.games == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to measure fidelity");
    erx_progress_t progress;
    erx_progress_start(&progress, "fidelity, teacher-forced", work->game_count);
    erx_parallel_run(run_game, &teacher, work->game_count, work->options->threads, &progress);
    erx_progress_finish(&progress);
    fidelity->stage_count = stage_count(work);
    bool failed = false;
    for (uint32_t g = 0; g < work->game_count; g++) {
        failed |= teacher.games[g].failed;
        merge(fidelity, &teacher.games[g]);
    }
    free(teacher.games);
    return failed ? erx_error_set(error, ERX_ERR_MEMORY, "no memory to measure fidelity") : ERX_OK;
}
