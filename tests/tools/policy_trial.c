#include "tests/tools/policy_trial.h"

#include "mem/assert.h"
#include "tests/support/file.h"
#include "tests/tools/parameters_fixture.h"
#include "tools/safetensors.h"

#include <stdlib.h>
#include <string.h>

#define GAMES  4u
#define FRAMES POLICY_TRIAL_FRAMES

const erx_policy_shape_t policy_trial_shape = {2, 40, 20, {4, 2, 3, 1, 1, 2, 3, 2}};

void policy_trial_games(const char *path)
{
    size_t size;
    erx_error_t error;
    erx_safetensors_t file;
    uint8_t *bytes = erx_sequences_fixture_file(GAMES, FRAMES, &size);
    ERX_ASSERT(erx_safetensors_read(bytes, size, &file, &error) == ERX_OK);
    const uint8_t *binary = erx_safetensors_find(&file, "binary")->bytes;
    uint8_t *control = bytes + (erx_safetensors_find(&file, "ctrl")->bytes - bytes);
    memset(control, 0, (size_t)GAMES * FRAMES * ERX_PLAYERS * ERX_CONTROLLER_BYTES);
    for (uint32_t row = 1; row < GAMES * FRAMES; row++)
        for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
            bool ground = binary[((row - 1) * ERX_PLAYERS + p) * ERX_BINARIES + 2] != 0;
            uint8_t *to = control + (row * ERX_PLAYERS + p) * ERX_CONTROLLER_BYTES;
            to[1] = ground ? 127 : 0;
            to[6] = ground ? 1 : 0;
        }
    erx_file_write(path, bytes, size);
    erx_safetensors_close(&file);
    free(bytes);
}

void policy_trial_train(const erx_sequences_t *sequences, uint64_t seed, uint32_t steps,
                        uint32_t threads, erx_parameters_t *checkpoint_out)
{
    const erx_imitate_options_t options = {
        .seed = seed, .steps = steps, .threads = threads, .rate = 0.004, .decay = 1.0};
    erx_error_t error;
    erx_policy_float_t policy;
    erx_policy_sample_t *samples;
    uint32_t count;
    erx_trainer_t *trainer;
    ERX_ASSERT(erx_policy_checkpoint_make(&policy_trial_shape, seed, checkpoint_out, &error) ==
               ERX_OK);
    ERX_ASSERT(erx_policy_float_bind(&policy, checkpoint_out, &error) == ERX_OK);
    ERX_ASSERT(erx_policy_samples_list(sequences, false, 1, &samples, &count, &error) == ERX_OK);
    ERX_ASSERT(erx_trainer_open(&trainer, &policy, sequences, samples, count, &options, &error) ==
               ERX_OK);
    for (uint32_t i = 0; i < steps; i++)
        (void)erx_trainer_step(trainer);
    erx_trainer_close(trainer);
    free(samples);
}
