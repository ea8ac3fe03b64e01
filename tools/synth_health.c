#include "tools/synth_health.h"

#include "kernels/world.h"
#include "tools/probe.h"

#include <math.h>

#define FULL16          32767.0
#define FULL_DT         1048575.0 /* where NUMERICS 5.5 clamps */
#define FULL_RESIDUAL   67108863.0
#define RMS_LEAST       0.05
#define RMS_GREATEST    0.40
#define SATURATED_MOST  0.001
#define ZEROS_MOST      0.20
#define EXPONENT_END    0.10
#define BOUNDED_MOST    0.25
#define STILL_MOST      (ERX_HEALTH_LANES * ERX_LOGIT_HEADS / 4)
#define CHANGES_LEAST   0.2 /* a second */
#define FRAMES_A_SECOND 60.0

enum { Z, CONV_IN, CONV_OUT, XS, B, C, DT, DECAY, H, Y, RESIDUAL, HIDDEN };

ERX_STATIC_ASSERT(HIDDEN + 1 == ERX_HEALTH_QUANTITIES, "one row a quantity");

/* Full scale, and the healthy range of rms in parts of it. Some have their own:
 * h has long tails, dt is a small part of its clamp by nature, decay is near one, and the
 * residual stream keeps 2^9 of headroom. */
static const struct {
    const char *name;
    double full, rms_least, rms_greatest;
} kinds[ERX_HEALTH_QUANTITIES] = {
    [Z] = {"z", FULL16, RMS_LEAST, RMS_GREATEST},
    [CONV_IN] = {"conv in", FULL16, RMS_LEAST, RMS_GREATEST},
    [CONV_OUT] = {"conv out", FULL16, RMS_LEAST, RMS_GREATEST},
    [XS] = {"xs", FULL16, RMS_LEAST / 2, RMS_GREATEST},
    [B] = {"B", FULL16, RMS_LEAST, RMS_GREATEST},
    [C] = {"C", 0 /* Cmax */, RMS_LEAST, RMS_GREATEST},
    [DT] = {"dt row", FULL_DT, RMS_LEAST / 5, RMS_GREATEST},
    [DECAY] = {"decay", FULL16, 0.3, 1.0},
    [H] = {"h", FULL16, RMS_LEAST / 10, RMS_GREATEST},
    [Y] = {"y", FULL16, RMS_LEAST / 2, RMS_GREATEST},
    [RESIDUAL] = {"residual", FULL_RESIDUAL, 1e-4, 0.01},
    [HIDDEN] = {"hh", FULL16, RMS_LEAST, RMS_GREATEST},
};

static erx_gauge_t merged(const erx_gauge_t *gauges, uint32_t count)
{
    erx_gauge_t sum = {0};
    for (uint32_t i = 0; i < count; i++)
        erx_gauge_merge(&sum, &gauges[i]);
    return sum;
}

static void add_to_row(erx_health_row_t *row, const erx_gauge_t *gauge, double full)
{
    double rms = erx_gauge_rms(gauge) / full;
    row->rms_least = fmin(row->rms_least, rms);
    row->rms_greatest = fmax(row->rms_greatest, rms);
    row->saturated = fmax(row->saturated, erx_gauge_saturated(gauge));
    row->zeros = fmax(row->zeros, erx_gauge_zeros(gauge));
}

static void add_layer(erx_health_t *health, const erx_probe_t *probe, uint32_t l, double Cmax)
{
    const erx_probe_layer_t *layer = &probe->layers[l];
    const uint32_t channels = erx_shape_conv_dim(&probe->shape);
    const uint32_t heads = probe->shape.head_count;
    const erx_gauge_t c = merged(layer->c, channels);
    const erx_gauge_t v = merged(layer->v, channels);
    const erx_gauge_t h = merged(layer->h, heads);
    const erx_gauge_t y = merged(layer->y, heads);
    const erx_gauge_t *const gauges[] = {
        [Z] = &layer->z,
        [CONV_IN] = &c,
        [CONV_OUT] = &v,
        [XS] = &layer->xs,
        [B] = &layer->B,
        [C] = &layer->C,
        [DT] = &layer->dt,
        [DECAY] = &layer->decay,
        [H] = &h,
        [Y] = &y,
        [RESIDUAL] = &layer->residual,
    };
    for (uint32_t i = 0; i < ERX_COUNT(gauges); i++)
        add_to_row(&health->rows[i], gauges[i], i == C ? Cmax : kinds[i].full);
}

static void judge_row(erx_health_row_t *row, uint32_t kind)
{
    bool saturates = row->saturated > SATURATED_MOST && kind != DECAY;
    row->healthy = row->rms_least >= kinds[kind].rms_least &&
                   row->rms_greatest <= kinds[kind].rms_greatest && !saturates &&
                   row->zeros <= ZEROS_MOST;
}

static void add_exponents(erx_health_t *health, const erx_exponents_t *exponents)
{
    double mean = erx_exponents_mean(exponents);
    uint64_t all = 0;
    for (uint32_t i = 0; i < ERX_PROBE_EXPONENTS; i++)
        all += exponents->chosen[i];
    uint64_t ends = exponents->chosen[0] + exponents->chosen[ERX_PROBE_EXPONENTS - 1];
    health->exponent_least = fmin(health->exponent_least, mean);
    health->exponent_greatest = fmax(health->exponent_greatest, mean);
    health->exponent_end = fmax(health->exponent_end, (double)ends / (double)all);
}

static void judge_sessions(erx_health_t *health, const erx_probe_t *probe)
{
    const double frames = (double)ERX_HEALTH_FRAMES * ERX_HEALTH_LANES * ERX_PLAYERS;
    double changes = 0;
    double bounded = 0;
    for (uint32_t lane = 0; lane < ERX_HEALTH_LANES; lane++) {
        const erx_probe_session_t *session = &probe->sessions[lane];
        for (uint32_t head = 0; head < ERX_LOGIT_HEADS; head++)
            health->still_heads += session->changes[head] == 0;
        changes += session->changes[0] + session->changes[1];
        bounded += session->bounded[ERX_S_X] + session->bounded[ERX_S_Y];
    }
    health->action_changes = changes / frames * FRAMES_A_SECOND;
    health->bounded = bounded / (2 * frames);
    health->states_differ = probe->sessions[0].state_hash != probe->sessions[1].state_hash;
}

static void judge(erx_health_t *health, const erx_probe_t *probe, double Cmax)
{
    for (uint32_t i = 0; i < ERX_HEALTH_QUANTITIES; i++)
        health->rows[i] = (erx_health_row_t){.name = kinds[i].name, .rms_least = INFINITY};
    health->exponent_least = INFINITY;
    health->exponent_greatest = -INFINITY;
    for (uint32_t l = 0; l < probe->shape.layer_count; l++) {
        add_layer(health, probe, l, Cmax);
        add_exponents(health, &probe->layers[l].in);
        add_exponents(health, &probe->layers[l].out);
    }
    add_exponents(health, &probe->heads);
    const erx_gauge_t hidden = merged(probe->hidden, probe->shape.d_model);
    add_to_row(&health->rows[HIDDEN], &hidden, FULL16);
    judge_sessions(health, probe);
    health->healthy = health->exponent_end <= EXPONENT_END && health->still_heads <= STILL_MOST &&
                      health->action_changes >= CHANGES_LEAST && health->bounded <= BOUNDED_MOST &&
                      health->states_differ;
    for (uint32_t i = 0; i < ERX_HEALTH_QUANTITIES; i++) {
        judge_row(&health->rows[i], i);
        health->healthy = health->healthy && health->rows[i].healthy;
    }
}

erx_status_t erx_health_measure(const erx_model_draft_t *draft, uint64_t seed,
                                erx_health_t *health_out, erx_error_t *error)
{
    erx_probe_t probe;
    erx_status_t status =
        erx_probe_run(draft, seed, ERX_HEALTH_LANES, ERX_HEALTH_FRAMES, &probe, error);
    if (status != ERX_OK)
        return status;
    *health_out = (erx_health_t){0};
    judge(health_out, &probe, draft->tensors.Cmax);
    erx_probe_close(&probe);
    return ERX_OK;
}

void erx_health_print(const erx_health_t *health, FILE *stream)
{
    fprintf(stream, "%u sessions of %u frames, closed loop, in %% of full scale over the layers\n",
            ERX_HEALTH_LANES, ERX_HEALTH_FRAMES);
    fprintf(stream, "%-10s %16s %10s %8s\n", "", "rms", "saturated", "zero");
    for (uint32_t i = 0; i < ERX_HEALTH_QUANTITIES; i++) {
        const erx_health_row_t *row = &health->rows[i];
        fprintf(stream, "%-10s %7.3f-%8.3f %10.4f %8.2f%s\n", row->name, 100 * row->rms_least,
                100 * row->rms_greatest, 100 * row->saturated, 100 * row->zeros,
                row->healthy ? "" : "  unhealthy");
    }
    fprintf(stream, "mean block exponents %.2f to %.2f, %.2f %% at an end\n",
            health->exponent_least, health->exponent_greatest, 100 * health->exponent_end);
    fprintf(stream, "%.1f action changes a second, %u heads never change, %.1f %% at a bound, %s\n",
            health->action_changes, health->still_heads, 100 * health->bounded,
            health->states_differ ? "states differ" : "states are equal");
}

static double rounded(double value)
{
    return floor(value * 1e6 + 0.5) / 1e6;
}

json_t *erx_health_json(const erx_health_t *health)
{
    json_t *rows = json_object();
    for (uint32_t i = 0; i < ERX_HEALTH_QUANTITIES; i++) {
        const erx_health_row_t *row = &health->rows[i];
        json_object_set_new(rows, row->name,
                            json_pack("{s:[f,f], s:f, s:f}", "rms", rounded(row->rms_least),
                                      rounded(row->rms_greatest), "saturated",
                                      rounded(row->saturated), "zeros", rounded(row->zeros)));
    }
    return json_pack(
        "{s:b, s:i, s:i, s:o, s:[f,f], s:f, s:f, s:i, s:f, s:b}", "healthy", health->healthy,
        "sessions", (int)ERX_HEALTH_LANES, "frames", (int)ERX_HEALTH_FRAMES, "parts_of_full_scale",
        rows, "mean_exponents", rounded(health->exponent_least), rounded(health->exponent_greatest),
        "exponents_at_an_end", rounded(health->exponent_end), "action_changes_a_second",
        rounded(health->action_changes), "heads_that_never_change", (int)health->still_heads,
        "positions_at_a_bound", rounded(health->bounded), "states_differ", health->states_differ);
}
