/* Training a policy to imitate recorded players: Adam on cross-entropy, in
 * minibatches drawn from a seed.
 *
 * Work is split over threads by samples (forward and back to the inputs) and
 * then by rows of the weights (gradients and steps); every sum has a fixed
 * order, so that the result is the same bytes for any number of threads. */
#ifndef ERX_TOOLS_IMITATE_TRAIN_H
#define ERX_TOOLS_IMITATE_TRAIN_H

#include "tools/policy_measure.h"

#define ERX_IMITATE_BATCH 256u

ERX_STATIC_ASSERT(ERX_IMITATE_BATCH % ERX_POLICY_GROUP == 0, "a batch is a number of groups");

typedef struct {
    uint64_t seed;    /* of the samples' order */
    uint32_t steps;   /* minibatches */
    uint32_t threads; /* 0: all processors */
    double rate;      /* greatest learning rate */
    double decay;     /* of every value, a unit of rate: against learning by heart */
    uint32_t dropped; /* of 256 units of a layer, those a sample goes without: the same */
} erx_imitate_options_t;

typedef struct erx_trainer erx_trainer_t;

/* policy is a view of the network to train; samples are shuffled in place. All
 * outlive the trainer. Errors: ERX_ERR_MEMORY. */
erx_status_t erx_trainer_open(erx_trainer_t **trainer_out, const erx_policy_float_t *policy,
                              const erx_sequences_t *sequences, erx_policy_sample_t *samples,
                              uint32_t sample_count, const erx_imitate_options_t *options,
                              erx_error_t *error);

/* The next minibatch; returns its loss, cross-entropy an output. */
double erx_trainer_step(erx_trainer_t *trainer);

/* NULL is allowed. */
void erx_trainer_close(erx_trainer_t *trainer);

#endif
