#include "tools/imitate_train.h"

#include "mem/layout.h"
#include "tools/parallel.h"
#include "tools/policy_product.h"
#include "tools/random.h"
#include "tools/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH       ERX_IMITATE_BATCH
#define GROUPS      (BATCH / ERX_POLICY_GROUP)
#define PIECE_ROWS  32u /* rows of weights that a thread steps at a time */
#define WARM_STEPS  200u
#define RATE_END    0.01f /* of the greatest rate, after the last step */
#define ADAM_FIRST  0.9f
#define ADAM_SECOND 0.999f
#define ADAM_SMALL  1e-8f
#define ALIGNMENT   64u

/* Values that Adam steps, and what it remembers of each. */
typedef struct {
    float *values;
    float *gradient;
    float *first, *second;
    size_t count;
} learned_t;

/* A layer in training. Of a batch: its inputs, sample by sample, and the
 * gradient at its outputs before ReLU, output by output. */
typedef struct {
    const erx_policy_layer_t *layer;
    float *inputs; /* [BATCH][stride] */
    size_t stride;
    float *slopes; /* [rows][BATCH] */
    learned_t weights, bias;
} trained_t;

struct erx_trainer {
    const erx_policy_float_t *policy;
    const erx_sequences_t *sequences;
    erx_policy_sample_t *samples;
    uint32_t sample_count, next_sample;
    erx_imitate_options_t options;
    uint32_t step;
    float rate; /* of this step, bias of Adam's memory corrected */
    float second_correction;
    float kept; /* of a value, whatever its slope: weight decay */
    erx_random_t random;
    trained_t layers[ERX_POLICY_LAYERS];
    learned_t embeds[ERX_POLICY_EMBEDS];
    float *embed_slopes; /* [context][embedded columns][BATCH] */
    erx_policy_pass_t passes[GROUPS];
    double losses[GROUPS];
    void *memory;
};

/* ---- memory ---- */

static void place_learned(erx_layout_t *layout, float *values, size_t count, learned_t *learned)
{
    learned->values = values;
    learned->count = count;
    learned->gradient = erx_layout_take(layout, count * sizeof(float));
    learned->first = erx_layout_take(layout, count * sizeof(float));
    learned->second = erx_layout_take(layout, count * sizeof(float));
}

/* Inputs of the heads are the same: the button head takes the analog head's. */
static void place_layer(erx_layout_t *layout, const erx_policy_layer_t *layer,
                        const trained_t *shared, trained_t *trained)
{
    trained->layer = layer;
    trained->stride = ERX_ALIGN_UP((size_t)layer->columns, (size_t)ERX_POLICY_PRODUCT_COLUMNS);
    trained->inputs = shared != NULL
                          ? shared->inputs
                          : erx_layout_take(layout, BATCH * trained->stride * sizeof(float));
    trained->slopes = erx_layout_take(layout, (size_t)layer->rows * BATCH * sizeof(float));
    place_learned(layout, layer->weights, (size_t)layer->rows * layer->columns, &trained->weights);
    place_learned(layout, layer->bias, layer->rows, &trained->bias);
    /* Products write whole strides. */
    trained->weights.gradient =
        erx_layout_take(layout, layer->rows * trained->stride * sizeof(float));
}

static uint32_t embedded_columns(const erx_policy_float_t *policy)
{
    return policy->frame_width - ERX_FEATURES;
}

static size_t trainer_place(erx_trainer_t *trainer, void *memory)
{
    const erx_policy_float_t *policy = trainer->policy;
    erx_layout_t layout = erx_layout_begin(memory);
    for (uint32_t l = 0; l < ERX_POLICY_LAYERS; l++)
        place_layer(&layout, &policy->layers[l],
                    l == ERX_POLICY_BUTTON ? &trainer->layers[ERX_POLICY_ANALOG] : NULL,
                    &trainer->layers[l]);
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        place_learned(&layout, policy->embeds[i],
                      (size_t)erx_policy_embed_rows(i) * policy->shape.embed_widths[i],
                      &trainer->embeds[i]);
    trainer->embed_slopes = erx_layout_take(
        &layout, (size_t)policy->shape.context * embedded_columns(policy) * BATCH * sizeof(float));
    return erx_layout_bytes(&layout);
}

erx_status_t erx_trainer_open(erx_trainer_t **trainer_out, const erx_policy_float_t *policy,
                              const erx_sequences_t *sequences, erx_policy_sample_t *samples,
                              uint32_t sample_count, const erx_imitate_options_t *options,
                              erx_error_t *error)
{
    erx_trainer_t *trainer = calloc(1, sizeof *trainer);
    if (trainer == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for training");
    trainer->policy = policy;
    trainer->sequences = sequences;
    trainer->samples = samples;
    trainer->sample_count = sample_count;
    trainer->next_sample = sample_count; /* to be shuffled first */
    trainer->options = *options;
    erx_random_seed(&trainer->random, options->seed, 1);
    size_t bytes = trainer_place(trainer, NULL);
    trainer->memory = aligned_alloc(ALIGNMENT, bytes);
    erx_status_t status = ERX_OK;
    if (trainer->memory == NULL) {
        status = erx_error_set(error, ERX_ERR_MEMORY, "no memory for training");
    } else {
        memset(trainer->memory, 0, bytes);
        (void)trainer_place(trainer, trainer->memory);
    }
    for (uint32_t g = 0; g < GROUPS && status == ERX_OK; g++)
        status = erx_policy_pass_open(&trainer->passes[g], policy, error);
    if (status == ERX_OK)
        *trainer_out = trainer;
    else
        erx_trainer_close(trainer);
    return status;
}

void erx_trainer_close(erx_trainer_t *trainer)
{
    if (trainer == NULL)
        return;
    for (uint32_t g = 0; g < GROUPS; g++)
        erx_policy_pass_close(&trainer->passes[g]);
    free(trainer->memory);
    free(trainer);
}

/* ---- forward, and back to the inputs: a group of samples ---- */

/* values[width][group] as rows [group][stride]. */
static void transpose(const float *values, uint32_t width, float *rows, size_t stride)
{
    for (uint32_t s = 0; s < ERX_POLICY_GROUP; s++)
        for (uint32_t i = 0; i < width; i++)
            rows[s * stride + i] = values[(size_t)i * ERX_POLICY_GROUP + s];
}

/* Cross-entropy's slope at the outputs; returns the loss. */
static double grade(erx_trainer_t *trainer, uint32_t group)
{
    const float *output = trainer->passes[group].output;
    const erx_policy_sample_t *samples = trainer->samples + trainer->next_sample;
    double loss = 0.0;
    for (uint32_t s = 0; s < ERX_POLICY_GROUP; s++) {
        uint8_t answer[ERX_CONTROLLER_BYTES];
        float targets[ERX_POLICY_OUTPUTS];
        uint32_t column = group * ERX_POLICY_GROUP + s;
        erx_policy_sample_answer(trainer->sequences, &samples[column], answer);
        erx_policy_targets(answer, targets);
        for (uint32_t k = 0; k < ERX_POLICY_OUTPUTS; k++) {
            float logit = output[k * ERX_POLICY_GROUP + s];
            float small = expf(-fabsf(logit));
            float sigmoid = (logit < 0.0f ? small : 1.0f) / (1.0f + small);
            bool analog = k < ERX_POLICY_ANALOGS;
            const trained_t *head =
                &trainer->layers[analog ? ERX_POLICY_ANALOG : ERX_POLICY_BUTTON];
            uint32_t row = analog ? k : k - ERX_POLICY_ANALOGS;
            head->slopes[(size_t)row * BATCH + column] = (sigmoid - targets[k]) / (float)BATCH;
            loss += (double)(fmaxf(logit, 0.0f) - logit * targets[k] + log1pf(small));
        }
    }
    return loss;
}

/* out[columns][out_row] = the slopes at the layer's outputs, carried back to its
 * inputs from first_column on. */
static void carry_back(const trained_t *from, uint32_t first_column, uint32_t columns,
                       uint32_t group, float *out, size_t out_row)
{
    const erx_policy_product_t product = {
        .a = from->layer->weights + first_column,
        .a_row = 1,
        .a_step = from->layer->columns,
        .b = from->slopes + group * ERX_POLICY_GROUP,
        .b_row = BATCH,
        .c = out,
        .c_row = out_row,
        .rows = columns,
        .depth = from->layer->rows,
        .columns = ERX_POLICY_GROUP,
    };
    erx_policy_product_run(&product);
}

/* What units that are kept count for, so that a layer's sum stays the same. */
static float kept_weight(const erx_trainer_t *trainer)
{
    return 256.0f / (float)(256 - trainer->options.dropped);
}

/* Sets units of a layer to zero by chance, anew for each sample and step. */
static void drop(const erx_trainer_t *trainer, uint32_t group, uint32_t layer, float *values,
                 uint32_t rows)
{
    erx_random_t random;
    erx_random_seed(&random, trainer->options.seed,
                    ((uint64_t)trainer->step * GROUPS + group) * ERX_POLICY_LAYERS + layer + 2);
    for (size_t i = 0; i < (size_t)rows * ERX_POLICY_GROUP; i += sizeof(uint64_t)) {
        uint64_t chance = erx_random_next(&random);
        for (uint32_t k = 0; k < sizeof chance; k++, chance >>= 8)
            values[i + k] *=
                (chance & 255) < trainer->options.dropped ? 0.0f : kept_weight(trainer);
    }
}

/* Where ReLU was closed or a unit dropped nothing comes back. values are the
 * units. */
static void close_gate(const erx_trainer_t *trainer, const float *values, uint32_t rows,
                       uint32_t group, float *slopes)
{
    float weight = kept_weight(trainer);
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t s = 0; s < ERX_POLICY_GROUP; s++)
            slopes[(size_t)row * BATCH + group * ERX_POLICY_GROUP + s] *=
                values[(size_t)row * ERX_POLICY_GROUP + s] <= 0.0f ? 0.0f : weight;
}

/* Both heads read the trunk: their slopes add up. */
static void back_to_trunk(const erx_trainer_t *trainer, uint32_t group)
{
    const trained_t *layers = trainer->layers;
    uint32_t width = trainer->policy->shape.trunk, first = group * ERX_POLICY_GROUP;
    float *slopes = layers[ERX_POLICY_TRUNK].slopes;
    carry_back(&layers[ERX_POLICY_ANALOG], 0, width, group, slopes + first, BATCH);
    for (uint32_t row = 0; row < width; row++)
        for (uint32_t s = 0; s < ERX_POLICY_GROUP; s++) {
            float sum = 0.0f;
            for (uint32_t k = 0; k < ERX_POLICY_BUTTONS; k++)
                sum += layers[ERX_POLICY_BUTTON].layer->weights[(size_t)k * width + row] *
                       layers[ERX_POLICY_BUTTON].slopes[(size_t)k * BATCH + first + s];
            slopes[(size_t)row * BATCH + first + s] += sum;
        }
    close_gate(trainer, trainer->passes[group].trunk, width, group, slopes);
}

static void run_group(void *context, uint32_t group)
{
    erx_trainer_t *trainer = context;
    const erx_policy_float_t *policy = trainer->policy;
    const erx_policy_pass_t *pass = &trainer->passes[group];
    trained_t *layers = trainer->layers;
    uint32_t first = group * ERX_POLICY_GROUP;
    erx_policy_pass_load(policy, trainer->sequences,
                         trainer->samples + trainer->next_sample + first, ERX_POLICY_GROUP, pass);
    erx_policy_float_run_layer(policy, pass, ERX_POLICY_HIDDEN);
    drop(trainer, group, ERX_POLICY_HIDDEN, pass->hidden, policy->shape.hidden);
    erx_policy_float_run_layer(policy, pass, ERX_POLICY_TRUNK);
    drop(trainer, group, ERX_POLICY_TRUNK, pass->trunk, policy->shape.trunk);
    erx_policy_float_run_layer(policy, pass, ERX_POLICY_ANALOG);
    erx_policy_float_run_layer(policy, pass, ERX_POLICY_BUTTON);
    const float *const inputs[] = {pass->input, pass->hidden, pass->trunk};
    for (uint32_t l = ERX_POLICY_HIDDEN; l <= ERX_POLICY_ANALOG; l++)
        transpose(inputs[l], layers[l].layer->columns, layers[l].inputs + first * layers[l].stride,
                  layers[l].stride);
    trainer->losses[group] = grade(trainer, group);
    back_to_trunk(trainer, group);
    float *slopes = layers[ERX_POLICY_HIDDEN].slopes;
    carry_back(&layers[ERX_POLICY_TRUNK], 0, policy->shape.hidden, group, slopes + first, BATCH);
    close_gate(trainer, pass->hidden, policy->shape.hidden, group, slopes);
    for (uint32_t k = 0; k < policy->shape.context; k++)
        carry_back(&layers[ERX_POLICY_HIDDEN], k * policy->frame_width + ERX_FEATURES,
                   embedded_columns(policy), group,
                   trainer->embed_slopes + (size_t)k * embedded_columns(policy) * BATCH + first,
                   BATCH);
}

/* ---- gradients and steps: rows of the weights ---- */

ERX_WIDE static void adam(float *values, float *first, float *second, const float *gradient,
                          size_t count, float rate, float second_correction, float kept)
{
    for (size_t i = 0; i < count; i++) {
        float slope = gradient[i];
        first[i] = ADAM_FIRST * first[i] + (1.0f - ADAM_FIRST) * slope;
        second[i] = ADAM_SECOND * second[i] + (1.0f - ADAM_SECOND) * slope * slope;
        values[i] = kept * values[i] -
                    rate * first[i] / (sqrtf(second[i]) * second_correction + ADAM_SMALL);
    }
}

/* Steps learned values [begin, begin + count) with this gradient. */
static void learn(const erx_trainer_t *trainer, const learned_t *learned, size_t begin,
                  size_t count, const float *gradient)
{
    adam(learned->values + begin, learned->first + begin, learned->second + begin, gradient, count,
         trainer->rate, trainer->second_correction, trainer->kept);
}

static void step_rows(const erx_trainer_t *trainer, const trained_t *trained, uint32_t begin,
                      uint32_t count)
{
    size_t columns = trained->layer->columns;
    float *gradient = trained->weights.gradient + begin * trained->stride;
    const erx_policy_product_t product = {
        .a = trained->slopes + (size_t)begin * BATCH,
        .a_row = BATCH,
        .a_step = 1,
        .b = trained->inputs,
        .b_row = trained->stride,
        .c = gradient,
        .c_row = trained->stride,
        .rows = count,
        .depth = BATCH,
        .columns = (uint32_t)trained->stride,
    };
    erx_policy_product_run(&product);
    for (uint32_t row = begin; row < begin + count; row++) {
        float sum = 0.0f;
        for (uint32_t s = 0; s < BATCH; s++)
            sum += trained->slopes[(size_t)row * BATCH + s];
        learn(trainer, &trained->weights, row * columns, columns,
              gradient + (row - begin) * trained->stride);
        learn(trainer, &trained->bias, row, 1, &sum);
    }
}

static uint32_t pieces_of(const trained_t *trained)
{
    return ERX_CEIL_DIV(trained->layer->rows, PIECE_ROWS);
}

static void run_piece(void *context, uint32_t piece)
{
    const erx_trainer_t *trainer = context;
    const trained_t *trained = trainer->layers;
    while (piece >= pieces_of(trained))
        piece -= pieces_of(trained++);
    uint32_t begin = piece * PIECE_ROWS;
    step_rows(trainer, trained, begin, ERX_MIN(trained->layer->rows - begin, PIECE_ROWS));
}

/* Brings the slopes at the embedded columns to the rows that were looked up. */
static void add_embeds(const erx_trainer_t *trainer, uint32_t column)
{
    const erx_policy_float_t *policy = trainer->policy;
    const erx_policy_sample_t *sample = trainer->samples + trainer->next_sample + column;
    for (uint32_t k = 0; k < policy->shape.context; k++) {
        erx_float_world_t world;
        erx_policy_sample_world(trainer->sequences, sample, policy->shape.context, k, &world);
        for (uint32_t c = 0; c < ERX_CATEGORICALS; c++) {
            uint32_t embed = erx_policy_embed_of(c);
            uint32_t width = policy->shape.embed_widths[embed];
            float *to = trainer->embeds[embed].gradient + (size_t)world.category[c] * width;
            const float *from =
                trainer->embed_slopes +
                ((size_t)k * embedded_columns(policy) + (policy->embed_columns[c] - ERX_FEATURES)) *
                    BATCH +
                column;
            for (uint32_t i = 0; i < width; i++)
                to[i] += from[(size_t)i * BATCH];
        }
    }
}

static void step_embeds(erx_trainer_t *trainer)
{
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        memset(trainer->embeds[i].gradient, 0, trainer->embeds[i].count * sizeof(float));
    for (uint32_t column = 0; column < BATCH; column++)
        add_embeds(trainer, column);
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        learn(trainer, &trainer->embeds[i], 0, trainer->embeds[i].count,
              trainer->embeds[i].gradient);
}

/* ---- minibatches ---- */

/* A new order of all samples, each mirrored or not. */
static void shuffle(erx_trainer_t *trainer)
{
    erx_policy_sample_t *samples = trainer->samples;
    for (uint32_t i = trainer->sample_count; i > 1; i--) {
        uint32_t j = erx_random_below(&trainer->random, i);
        erx_policy_sample_t swapped = samples[i - 1];
        samples[i - 1] = samples[j];
        samples[j] = swapped;
    }
    for (uint32_t i = 0; i < trainer->sample_count; i++)
        samples[i].mirrored = erx_random_below(&trainer->random, 2) == 1;
    trainer->next_sample = 0;
}

/* Rises over the first steps, then falls along a cosine. */
static void set_rate(erx_trainer_t *trainer)
{
    double step = trainer->step, steps = trainer->options.steps;
    double fall = 0.5 * (1.0 + cos(M_PI * fmin(step / steps, 1.0)));
    double rate = trainer->options.rate * fmin(step / WARM_STEPS, 1.0) *
                  ((double)RATE_END + (1.0 - (double)RATE_END) * fall);
    trainer->rate = (float)(rate / (1.0 - pow((double)ADAM_FIRST, step)));
    trainer->kept = (float)(1.0 - rate * trainer->options.decay);
    trainer->second_correction = (float)(1.0 / sqrt(1.0 - pow((double)ADAM_SECOND, step)));
}

double erx_trainer_step(erx_trainer_t *trainer)
{
    if (trainer->sample_count - trainer->next_sample < BATCH)
        shuffle(trainer);
    trainer->step++;
    set_rate(trainer);
    uint32_t pieces = 0;
    for (uint32_t l = 0; l < ERX_POLICY_LAYERS; l++)
        pieces += pieces_of(&trainer->layers[l]);
    erx_parallel_run(run_group, trainer, GROUPS, trainer->options.threads, NULL);
    erx_parallel_run(run_piece, trainer, pieces, trainer->options.threads, NULL);
    step_embeds(trainer);
    trainer->next_sample += BATCH;
    double loss = 0.0;
    for (uint32_t g = 0; g < GROUPS; g++)
        loss += trainer->losses[g];
    return loss / ((double)BATCH * ERX_POLICY_OUTPUTS);
}
