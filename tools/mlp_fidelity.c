/* Teacher-forced comparison of an MLP world model: the integers step through
 * each game as a session does. */
#include "tools/mlp_float.h"
#include "tools/mlp_quantizer.h"

#define Q16 65536.0

typedef struct {
    const erx_float_model_t *model;
    const erx_integer_model_t *integers;
    const erx_sequences_t *sequences;
    erx_integer_group_t group;
    erx_mlp_pass_t pass;
    erx_fidelity_t *fidelity;
} work_t;

static void add(erx_fidelity_power_t *power, double reference, double value)
{
    power->signal += reference * reference;
    power->noise += (reference - value) * (reference - value);
}

/* Column m of the pass against what the step left behind. */
static void compare(work_t *work, uint32_t m)
{
    erx_fidelity_t *fidelity = work->fidelity;
    const int32_t *regressions = work->group.scratch.regressions;
    const int32_t *logits = work->group.scratch.logits;
    float outputs[ERX_FLOAT_OUTPUTS];
    uint32_t row = 0;
    for (uint32_t i = 0; i < ERX_FLOAT_OUTPUTS; i++)
        outputs[i] = work->pass.output[(size_t)i * ERX_MLP_GROUP + m];
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++) {
        uint32_t first = row, width = erx_float_head_width(head);
        bool regresses = head < ERX_REGRESSION_HEADS;
        for (; row < first + width; row++) {
            double value = regresses
                               ? regressions[row] / Q16 / (double)work->model->output_scale[row]
                               : logits[row - ERX_REGRESSIONS] / Q16;
            add(&fidelity->heads[head], (double)outputs[row], value);
            add(&fidelity->all, (double)outputs[row], value);
            /* Of the regressions only the binaries, the second head, are choices. */
            if (head == 1) {
                fidelity->compared[head]++;
                fidelity->agreed[head] += (outputs[row] > 0.0f) == (regressions[row] > 0);
            }
        }
        if (regresses)
            continue;
        fidelity->compared[head]++;
        fidelity->agreed[head] +=
            work->integers->kernel->argmax(logits + first - ERX_REGRESSIONS, width) ==
            erx_float_choice(outputs, head - ERX_REGRESSION_HEADS);
    }
}

static void step(work_t *work, const erx_mlp_moment_t *moment)
{
    erx_float_world_t world;
    erx_world_t fixed;
    erx_sequences_world(work->sequences, moment->game, moment->frame, &world);
    erx_float_world_to_fixed(&world, &fixed);
    const erx_lane_t lane = {
        &fixed, erx_integer_group_state(&work->group, 0),
        erx_sequences_control(work->sequences, moment->game, moment->frame + 1)};
    erx_integer_step(work->integers, &work->group, &lane, 1, 0);
}

static erx_status_t run_game(work_t *work, const erx_sequence_t *game, uint32_t frames,
                             erx_error_t *error)
{
    if (!erx_integer_group_open(&work->group, work->integers, 1)) {
        erx_integer_group_close(&work->group);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to measure fidelity");
    }
    for (uint32_t first = 0; first < frames; first += ERX_MLP_GROUP) {
        erx_mlp_moment_t moments[ERX_MLP_GROUP];
        uint32_t count = ERX_MIN(frames - first, ERX_MLP_GROUP);
        for (uint32_t m = 0; m < count; m++)
            moments[m] = (erx_mlp_moment_t){game, first + m};
        erx_mlp_float_run(work->model, work->sequences, moments, count, &work->pass);
        for (uint32_t m = 0; m < count; m++) {
            step(work, &moments[m]);
            compare(work, m);
        }
    }
    work->fidelity->frame_count += frames;
    work->fidelity->game_count++;
    erx_integer_group_close(&work->group);
    return ERX_OK;
}

erx_status_t erx_mlp_fidelity(erx_fidelity_t *fidelity_out, const erx_float_model_t *model,
                              const erx_integer_model_t *integers, const erx_sequences_t *sequences,
                              uint32_t game_frames, erx_error_t *error)
{
    work_t work = {
        .model = model, .integers = integers, .sequences = sequences, .fidelity = fidelity_out};
    *fidelity_out = (erx_fidelity_t){0};
    for (uint32_t g = 0; g < sequences->game_count; g++)
        fidelity_out->uses_test_games |= sequences->games[g].is_test;
    erx_status_t status = erx_mlp_pass_open(&work.pass, model, error);
    for (uint32_t g = 0; g < sequences->game_count && status == ERX_OK; g++) {
        const erx_sequence_t *game = &sequences->games[g];
        uint32_t frames = ERX_MIN(game->frame_count - 1, game_frames);
        if (frames > 0 && game->is_test == fidelity_out->uses_test_games)
            status = run_game(&work, game, frames, error);
    }
    erx_mlp_pass_close(&work.pass);
    if (status == ERX_OK && fidelity_out->frame_count == 0)
        return erx_error_set(error, ERX_ERR_RANGE, "no game has two frames");
    return status;
}
