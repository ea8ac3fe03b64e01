/* erx imitate: a policy network trained on recorded games. */
#include "tools/command.h"
#include "tools/imitate_train.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/policy_checkpoint.h"
#include "tools/progress.h"

#include <stdlib.h>
#include <string.h>

#define DROPPED_MAX 240u /* of 256: some must stay */
#define REPORTS     20u  /* lines about the held-out games in a training */

/* Embeddings of the published network. */
static const uint32_t embed_widths[ERX_POLICY_EMBEDS] = {32, 4, 8, 2, 2, 4, 8, 4};

typedef struct {
    const char *data;
    const char *out;
    const char *json;
    erx_policy_shape_t shape;
    double epochs;
    erx_imitate_options_t training;
} request_t;

enum {
    OPTION_DATA = 256,
    OPTION_CONTEXT,
    OPTION_UNITS,
    OPTION_TRUNK,
    OPTION_EPOCHS,
    OPTION_RATE,
    OPTION_DECAY,
    OPTION_DROP,
    OPTION_SEED,
    OPTION_THREADS,
    OPTION_JSON
};

static const struct argp_option argp_options[] = {
    {"data", OPTION_DATA, "FILE", 0,
     "Recorded game sequences; those marked is_test are held out (required)", 0},
    {"out", 'o', "FILE", 0, "Checkpoint to write (.safetensors, for erx quantize; required)", 0},
    {"context", OPTION_CONTEXT, "K", 0, "Frames that the policy sees (default 10)", 0},
    {"hidden", OPTION_UNITS, "H", 0, "Units of the first layer (default 256)", 0},
    {"trunk", OPTION_TRUNK, "T", 0, "Units of the second layer (default 128)", 0},
    {"epochs", OPTION_EPOCHS, "N", 0, "Passes over the games, a fraction too (default 6)", 0},
    {"rate", OPTION_RATE, "R", 0, "Greatest learning rate (default 0.001)", 0},
    {"decay", OPTION_DECAY, "D", 0, "Weight decay, a unit of learning rate (default 0.1)", 0},
    {"drop", OPTION_DROP, "N", 0,
     "Of 256 units of a layer, how many each sample goes without (default 64)", 0},
    {"seed", OPTION_SEED, "S", 0,
     "Seed of the first weights and of the order of the samples (default 1)", 0},
    ERX_OPTION_ROW_THREADS(OPTION_THREADS, 0),
    ERX_OPTION_ROW_JSON(OPTION_JSON, "what was measured", 0),
    {0},
};

static uint32_t parse_size(const struct argp_state *state, const char *option, const char *text,
                           uint32_t most)
{
    return erx_option_u32(state, option, text, 1, most);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case OPTION_DATA:
        request->data = text;
        return 0;
    case 'o':
        request->out = text;
        return 0;
    case OPTION_CONTEXT:
        request->shape.context = parse_size(state, "context", text, ERX_POLICY_CONTEXT_MAX);
        return 0;
    case OPTION_UNITS:
        request->shape.hidden = parse_size(state, "hidden", text, ERX_POLICY_WIDTH_MAX);
        return 0;
    case OPTION_TRUNK:
        request->shape.trunk = parse_size(state, "trunk", text, ERX_POLICY_WIDTH_MAX);
        return 0;
    case OPTION_EPOCHS:
        request->epochs = erx_option_real(state, "epochs", text, 0.0, 1000.0);
        return 0;
    case OPTION_RATE:
        request->training.rate = erx_option_real(state, "rate", text, 1e-6, 1.0);
        return 0;
    case OPTION_DECAY:
        request->training.decay = erx_option_real(state, "decay", text, 0.0, 100.0);
        return 0;
    case OPTION_DROP:
        request->training.dropped = erx_option_u32(state, "drop", text, 0, DROPPED_MAX);
        return 0;
    case OPTION_SEED:
        request->training.seed = erx_option_unsigned(state, "seed", text, 0, UINT64_MAX);
        return 0;
    case OPTION_THREADS:
        request->training.threads =
            erx_option_u32(state, "threads", text, 1, ERX_PARALLEL_THREADS_MAX);
        return 0;
    case OPTION_JSON:
        request->json = text;
        return 0;
    case ARGP_KEY_END:
        erx_option_require(state, "data", request->data);
        erx_option_require(state, "out", request->out);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = argp_options,
    .parser = parse,
    .doc = "Trains a policy network to do what recorded players did: from the last frames, as its "
           "seat sees them, to the next controller. Both seats are learned, and every moment also "
           "with left and right exchanged. The result depends on the data and the options alone, "
           "not on the number of threads.",
};

/* What is open while a policy is trained. */
typedef struct {
    const request_t *request;
    erx_sequences_t sequences;
    erx_parameters_t checkpoint;
    erx_policy_float_t policy;
    erx_policy_sample_t *samples, *held_out;
    uint32_t sample_count, held_out_count;
    erx_policy_float_answerer_t answerer;
    erx_trainer_t *trainer;
    erx_policy_measure_t measure;
    erx_imitate_options_t options;
    erx_error_t *error;
} imitation_t;

static erx_status_t open_all(imitation_t *imitation)
{
    const request_t *request = imitation->request;
    erx_status_t status = erx_output_check(request->out, imitation->error);
    if (status == ERX_OK)
        status = erx_output_check(request->json, imitation->error);
    if (status == ERX_OK)
        status = erx_sequences_open(&imitation->sequences, request->data, imitation->error);
    if (status == ERX_OK)
        status = erx_policy_checkpoint_make(&request->shape, request->training.seed,
                                            &imitation->checkpoint, imitation->error);
    if (status == ERX_OK)
        status =
            erx_policy_float_bind(&imitation->policy, &imitation->checkpoint, imitation->error);
    if (status == ERX_OK)
        status = erx_policy_samples_list(&imitation->sequences, false, 1, &imitation->samples,
                                         &imitation->sample_count, imitation->error);
    if (status == ERX_OK)
        status = erx_policy_samples_list(&imitation->sequences, true, 1, &imitation->held_out,
                                         &imitation->held_out_count, imitation->error);
    if (status == ERX_OK && imitation->sample_count < ERX_IMITATE_BATCH)
        status = erx_error_set(imitation->error, ERX_ERR_RANGE,
                               "%s: %u moments are fewer than a minibatch of %u", request->data,
                               imitation->sample_count, ERX_IMITATE_BATCH);
    if (status == ERX_OK)
        status = erx_policy_float_answerer_open(&imitation->answerer, &imitation->policy,
                                                imitation->error);
    if (status != ERX_OK)
        return status;
    imitation->options = request->training;
    imitation->options.steps =
        (uint32_t)(request->epochs * imitation->sample_count / ERX_IMITATE_BATCH);
    return erx_trainer_open(&imitation->trainer, &imitation->policy, &imitation->sequences,
                            imitation->samples, imitation->sample_count, &imitation->options,
                            imitation->error);
}

static void close_all(imitation_t *imitation)
{
    erx_trainer_close(imitation->trainer);
    erx_policy_float_answerer_close(&imitation->answerer);
    free(imitation->held_out);
    free(imitation->samples);
    erx_parameters_close(&imitation->checkpoint);
    erx_sequences_close(&imitation->sequences);
}

static void measure(imitation_t *imitation)
{
    erx_policy_measure(&imitation->measure, &imitation->sequences, imitation->held_out,
                       imitation->held_out_count, erx_policy_float_answer, &imitation->answerer);
}

static void train(imitation_t *imitation)
{
    erx_progress_t progress;
    uint32_t steps = imitation->options.steps;
    uint32_t interval = ERX_MAX(steps / REPORTS, 1u);
    double loss = 0.0;
    erx_progress_start(&progress, "imitate", steps);
    for (uint32_t step = 1; step <= steps; step++) {
        loss += erx_trainer_step(imitation->trainer);
        erx_progress_update(&progress, step);
        if (step % interval != 0)
            continue;
        measure(imitation);
        const erx_policy_score_t *score = &imitation->measure.scores[ERX_GUESS_POLICY];
        erx_progress_finish(&progress);
        printf("step %6u of %u: loss %.5f, held out %.5f, buttons %.3f %%, stick error %.4f\n",
               step, steps, loss / interval, imitation->measure.loss,
               100.0 * erx_policy_score_buttons(score), erx_policy_score_stick(score));
        (void)fflush(stdout);
        loss = 0.0;
    }
    erx_progress_finish(&progress);
}

static json_t *facts_json(const imitation_t *imitation)
{
    const request_t *request = imitation->request;
    const char *slash = strrchr(request->data, '/');
    return json_pack("{s:s, s:i, s:f, s:i, s:i, s:f, s:f, s:i, s:I, s:o}", "data",
                     slash == NULL ? request->data : slash + 1, "moments",
                     (int)imitation->sample_count, "epochs", request->epochs, "steps",
                     (int)imitation->options.steps, "batch", (int)ERX_IMITATE_BATCH, "rate",
                     request->training.rate, "decay", request->training.decay, "dropped_of_256",
                     (int)request->training.dropped, "seed", (json_int_t)request->training.seed,
                     "held_out", erx_policy_measure_json(&imitation->measure));
}

static erx_status_t run(imitation_t *imitation)
{
    const request_t *request = imitation->request;
    erx_status_t status = open_all(imitation);
    if (status != ERX_OK)
        return status;
    train(imitation);
    measure(imitation);
    json_t *facts = facts_json(imitation);
    status =
        erx_policy_checkpoint_write(&imitation->checkpoint, facts, request->out, imitation->error);
    if (status == ERX_OK && request->json != NULL)
        status = erx_output_json(request->json, facts, imitation->error);
    json_decref(facts);
    if (status == ERX_OK) {
        printf("%u held-out moments, the likeliest input of each:\n", imitation->held_out_count);
        erx_policy_measure_print(&imitation->measure, stdout);
    }
    return status;
}

int erx_command_imitate(int argc, char **argv)
{
    request_t request = {
        .shape = {.context = 10, .hidden = 256, .trunk = 128},
        .epochs = 6,
        .training = {.seed = 1, .rate = 1e-3, .decay = 0.1, .dropped = 64},
    };
    erx_error_t error;
    memcpy(request.shape.embed_widths, embed_widths, sizeof embed_widths);
    erx_command_parse(&parser, argc, argv, &request);
    imitation_t imitation = {.request = &request, .error = &error};
    erx_status_t status = run(&imitation);
    close_all(&imitation);
    return erx_command_end(argv[0], status, &error);
}
