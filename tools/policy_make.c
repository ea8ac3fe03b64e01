#include "tools/policy_make.h"

#include "tools/output.h"
#include "tools/policy_integer.h"
#include "tools/policy_quantizer.h"
#include "tools/policy_writer.h"
#include "tools/published.h"
#include "tools/quantizer_report.h"

#include <stdlib.h>
#include <string.h>

/* How the integers compare with the floats, and with the players. */
typedef struct {
    erx_policy_measure_t integers, floats;
    double snr_db;       /* of all outputs, in the network's units */
    double same_buttons; /* share of decisions in which all buttons are the floats' */
} comparison_t;

typedef struct {
    const erx_policy_make_t *request;
    const erx_parameters_t *checkpoint;
    erx_sequences_t sequences;
    erx_policy_float_t floats;
    erx_policy_file_t draft;
    erx_policy_sample_t *held_out;
    uint32_t held_out_count;
    comparison_t comparison;
    erx_error_t *error;
} making_t;

/* Answers with the integers, and compares with the floats on the way. */
typedef struct {
    erx_policy_integer_t integer;
    erx_policy_float_answerer_t floats;
    double signal, noise;
    uint64_t moments, same;
} both_t;

static void answer_both(void *context, const erx_sequences_t *sequences,
                        const erx_policy_sample_t *samples, uint32_t count,
                        int32_t (*outputs)[ERX_POLICY_OUTPUTS])
{
    both_t *both = context;
    int32_t wanted[ERX_POLICY_GROUP][ERX_POLICY_OUTPUTS];
    erx_policy_float_answer(&both->floats, sequences, samples, count, wanted);
    erx_policy_integer_answer(&both->integer, sequences, samples, count, outputs);
    for (uint32_t i = 0; i < count; i++) {
        bool same = true;
        for (uint32_t k = 0; k < ERX_POLICY_OUTPUTS; k++) {
            double signal = wanted[i][k] / ERX_POLICY_Q16;
            double noise = outputs[i][k] / ERX_POLICY_Q16 - signal;
            both->signal += signal * signal;
            both->noise += noise * noise;
            same = same && (k < ERX_POLICY_ANALOGS || (outputs[i][k] > 0) == (wanted[i][k] > 0));
        }
        both->moments++;
        both->same += same;
    }
}

static erx_status_t compare(making_t *making)
{
    comparison_t *comparison = &making->comparison;
    both_t both = {0};
    erx_status_t status =
        erx_policy_integer_open(&both.integer, &making->draft.tensors, making->error);
    if (status == ERX_OK)
        status = erx_policy_float_answerer_open(&both.floats, &making->floats, making->error);
    if (status == ERX_OK) {
        erx_policy_measure(&comparison->integers, &making->sequences, making->held_out,
                           making->held_out_count, answer_both, &both);
        erx_policy_measure(&comparison->floats, &making->sequences, making->held_out,
                           making->held_out_count, erx_policy_float_answer, &both.floats);
        comparison->snr_db = erx_snr_db(both.signal, both.noise);
        comparison->same_buttons = (double)both.same / (double)both.moments;
    }
    erx_policy_float_answerer_close(&both.floats);
    erx_policy_integer_close(&both.integer);
    return status;
}

static json_t *fidelity_json(const comparison_t *comparison)
{
    return json_pack("{s:f, s:f, s:f, s:o}", "outputs_snr_db", comparison->snr_db,
                     "decisions_as_in_floats", comparison->same_buttons, "cross_entropy_in_floats",
                     comparison->floats.loss, "imitation",
                     erx_policy_measure_json(&comparison->integers));
}

static json_t *provenance_json(const making_t *making)
{
    char hash[ERX_SHA256_TEXT_MAX];
    const char *slash = strrchr(making->request->calibration, '/');
    erx_sha256_text(making->checkpoint->sha256, hash);
    return json_pack("{s:s, s:s, s:s}", "checkpoint", making->request->source, "sha256", hash,
                     "calibration", slash == NULL ? making->request->calibration : slash + 1);
}

static erx_status_t write_results(making_t *making)
{
    const erx_policy_make_t *request = making->request;
    json_t *provenance = provenance_json(making);
    json_t *fidelity = fidelity_json(&making->comparison);
    erx_status_t status =
        erx_policy_write(&making->draft, request->out, provenance, fidelity, making->error);
    if (status == ERX_OK && request->report != NULL)
        status = erx_output_json(request->report, fidelity, making->error);
    json_decref(provenance);
    json_decref(fidelity);
    return status;
}

static void print_results(const making_t *making)
{
    const comparison_t *comparison = &making->comparison;
    printf("policy      %s in %s\n", making->draft.manifest.name, making->request->out);
    printf("integers    %.1f dB to the floats over all outputs; the same buttons in %.2f %% of "
           "decisions\n",
           comparison->snr_db, 100.0 * comparison->same_buttons);
    printf("imitation   %u held-out moments, what is likelier than not\n", making->held_out_count);
    erx_policy_measure_print(&comparison->integers, stdout);
}

static erx_status_t make(making_t *making)
{
    const erx_policy_make_t *request = making->request;
    erx_status_t status = erx_policy_float_bind(&making->floats, making->checkpoint, making->error);
    if (status != ERX_OK)
        return erx_error_prefix(making->error, "%s", request->source);
    status = erx_sequences_open(&making->sequences, request->calibration, making->error);
    if (status == ERX_OK)
        status = erx_policy_samples_list(&making->sequences, true, 1, &making->held_out,
                                         &making->held_out_count, making->error);
    if (status == ERX_OK)
        status = erx_policy_quantize(&making->floats, &making->sequences, request->name,
                                     &making->draft, making->error);
    if (status == ERX_OK)
        status = compare(making);
    if (status == ERX_OK)
        status = write_results(making);
    if (status == ERX_OK)
        print_results(making);
    return status;
}

erx_status_t erx_policy_make(const erx_policy_make_t *request, const erx_parameters_t *checkpoint,
                             erx_error_t *error)
{
    making_t making = {.request = request, .checkpoint = checkpoint, .error = error};
    erx_status_t status = make(&making);
    erx_policy_file_close(&making.draft);
    free(making.held_out);
    erx_sequences_close(&making.sequences);
    return status;
}

erx_status_t erx_policy_publish(const erx_parameters_t *checkpoint, const char *directory,
                                erx_error_t *error)
{
    erx_policy_float_t policy;
    erx_status_t status = erx_policy_float_bind(&policy, checkpoint, error);
    if (status != ERX_OK)
        return status;
    json_t *architecture =
        json_pack("{s:s, s:i, s:i}", "model_type", "policy", "hidden_dim", (int)policy.shape.hidden,
                  "trunk_dim", (int)policy.shape.trunk);
    status = erx_published_write(checkpoint, architecture, directory, error);
    json_decref(architecture);
    return status;
}
