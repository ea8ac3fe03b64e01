#include "tools/fidelity.h"

#include "tools/fidelity_parts.h"
#include "tools/mlp_quantizer.h"
#include "tools/quantizer_report.h"

#include <stdlib.h>
#include <string.h>

const uint32_t erx_fidelity_horizons[ERX_FIDELITY_HORIZONS] = {60, 600, 3600};

static erx_status_t choose_games(erx_fidelity_work_t *work, erx_fidelity_t *fidelity,
                                 erx_error_t *error)
{
    const erx_sequences_t *sequences = work->sequences;
    for (uint32_t g = 0; g < sequences->game_count; g++)
        fidelity->uses_test_games |=
            sequences->games[g].is_test && sequences->games[g].frame_count > 1;
    for (uint32_t g = 0; g < sequences->game_count; g++)
        if (sequences->games[g].frame_count > 1 &&
            sequences->games[g].is_test == fidelity->uses_test_games)
            work->games[work->game_count++] = &sequences->games[g];
    fidelity->game_count = work->game_count;
    if (work->game_count == 0)
        return erx_error_set(error, ERX_ERR_RANGE, "the data has no game of 2 frames or more");
    return ERX_OK;
}

/* Floats have no profile. */
static bool same_sizes(const erx_shape_t *floats, const erx_shape_t *integers)
{
    erx_shape_t expected = *floats;
    expected.profile = integers->profile;
    return memcmp(&expected, integers, sizeof expected) == 0;
}

erx_status_t erx_fidelity_measure(erx_fidelity_t *fidelity_out, const erx_float_model_t *floats,
                                  const erx_integer_model_t *integers,
                                  const erx_sequences_t *sequences,
                                  const erx_fidelity_options_t *options, erx_error_t *error)
{
    *fidelity_out = (erx_fidelity_t){0};
    if (!same_sizes(&floats->shape, &integers->image.shape))
        return erx_error_set(error, ERX_ERR_RANGE,
                             "model and checkpoint differ in shape: the model was not made from "
                             "this checkpoint");
    if (erx_shape_is_stack(&floats->shape))
        return erx_mlp_fidelity(fidelity_out, floats, integers, sequences, options->game_frames,
                                error);
    erx_fidelity_work_t work = {
        .floats = floats, .integers = integers, .sequences = sequences, .options = options};
    work.games = calloc(sequences->game_count, sizeof *work.games);
    if (work.games == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a list of games");
    erx_status_t status = choose_games(&work, fidelity_out, error);
    if (status == ERX_OK)
        status = erx_fidelity_teacher(&work, fidelity_out, error);
    if (status == ERX_OK)
        status = erx_fidelity_rollouts(&work, fidelity_out, error);
    free(work.games);
    return status;
}

double erx_fidelity_power_db(const erx_fidelity_power_t *power)
{
    return erx_snr_db(power->signal, power->noise);
}

double erx_fidelity_agreement(const erx_fidelity_t *fidelity, uint32_t head)
{
    if (fidelity->compared[head] == 0)
        return 1.0;
    return (double)fidelity->agreed[head] / (double)fidelity->compared[head];
}

static json_t *drift_json(const erx_fidelity_drift_t *drift)
{
    return json_pack("{s:f, s:f, s:f}", "float_real", drift->float_real, "integer_real",
                     drift->integer_real, "integer_float", drift->integer_float);
}

static json_t *heads_json(const erx_fidelity_t *fidelity)
{
    json_t *heads = json_object();
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++) {
        json_t *entry = json_pack("{s:f}", "snr_db", erx_fidelity_power_db(&fidelity->heads[head]));
        if (fidelity->compared[head] > 0)
            json_object_set_new(entry, "agreement",
                                json_real(erx_fidelity_agreement(fidelity, head)));
        json_object_set_new(heads, erx_head_names[head], entry);
    }
    return heads;
}

static json_t *horizons_json(const erx_fidelity_t *fidelity)
{
    json_t *horizons = json_array();
    for (uint32_t h = 0; h < ERX_FIDELITY_HORIZONS; h++) {
        if (fidelity->horizon_rollouts[h] == 0)
            continue;
        json_array_append_new(horizons,
                              json_pack("{s:i, s:i, s:o}", "frames", (int)erx_fidelity_horizons[h],
                                        "rollouts", (int)fidelity->horizon_rollouts[h],
                                        "position_drift", drift_json(&fidelity->horizons[h])));
    }
    return horizons;
}

json_t *erx_fidelity_summary_json(const erx_fidelity_t *fidelity)
{
    json_t *stages = json_array();
    for (uint32_t i = 0; i < fidelity->stage_count; i++)
        if (fidelity->stages[i].signal > 0.0)
            json_array_append_new(stages, json_real(erx_fidelity_power_db(&fidelity->stages[i])));
    return json_pack("{s:s, s:i, s:I, s:f, s:o, s:o, s:o}", "games",
                     fidelity->uses_test_games ? "test" : "training", "game_count",
                     (int)fidelity->game_count, "frames", (json_int_t)fidelity->frame_count,
                     "snr_db", erx_fidelity_power_db(&fidelity->all), "heads", heads_json(fidelity),
                     "residual_snr_db", stages, "rollouts", horizons_json(fidelity));
}

json_t *erx_fidelity_json(const erx_fidelity_t *fidelity)
{
    json_t *curve = json_array();
    for (uint32_t t = 0; t < fidelity->curve_frames; t++) {
        json_t *entry = drift_json(&fidelity->curve[t]);
        json_object_set_new(entry, "frame", json_integer(t + 1));
        json_object_set_new(entry, "rollouts", json_integer(fidelity->curve_rollouts[t]));
        json_array_append_new(curve, entry);
    }
    json_t *all = erx_fidelity_summary_json(fidelity);
    json_object_set_new(all, "position_drift", curve);
    return all;
}

static void print_heads(const erx_fidelity_t *fidelity, FILE *stream)
{
    fprintf(stream, "%-16s %8s %10s\n", "head", "SNR dB", "agreement");
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++) {
        fprintf(stream, "%-16s %8.1f", erx_head_names[head],
                erx_fidelity_power_db(&fidelity->heads[head]));
        if (fidelity->compared[head] > 0)
            fprintf(stream, " %9.2f%%", 100.0 * erx_fidelity_agreement(fidelity, head));
        fputc('\n', stream);
    }
    fprintf(stream, "%-16s %8.1f\n", "all outputs", erx_fidelity_power_db(&fidelity->all));
}

void erx_fidelity_print(const erx_fidelity_t *fidelity, FILE *stream)
{
    fprintf(stream, "teacher-forced, %llu frames of %u %s games, against floats\n",
            (unsigned long long)fidelity->frame_count, fidelity->game_count,
            fidelity->uses_test_games ? "test" : "training");
    print_heads(fidelity, stream);
    for (uint32_t i = 0; i < fidelity->stage_count; i++)
        if (fidelity->stages[i].signal > 0.0)
            fprintf(stream, "%s %-*u %8.1f\n", i == 0 ? "embedding" : "layer    ", 6,
                    i == 0 ? 0 : i - 1, erx_fidelity_power_db(&fidelity->stages[i]));
    fprintf(stream,
            "\nrollouts, mean distance of positions in game units\n%8s %8s %12s %12s %12s\n",
            "frames", "games", "float-real", "integer-real", "integer-float");
    for (uint32_t h = 0; h < ERX_FIDELITY_HORIZONS; h++)
        if (fidelity->horizon_rollouts[h] > 0)
            fprintf(stream, "%8u %8u %12.2f %12.2f %12.2f\n", erx_fidelity_horizons[h],
                    fidelity->horizon_rollouts[h], fidelity->horizons[h].float_real,
                    fidelity->horizons[h].integer_real, fidelity->horizons[h].integer_float);
}
