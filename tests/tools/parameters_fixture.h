/* Checkpoints and game sequences made up in memory, the same for one seed on
 * every machine. */
#ifndef ERX_TESTS_TOOLS_PARAMETERS_FIXTURE_H
#define ERX_TESTS_TOOLS_PARAMETERS_FIXTURE_H

#include "kernels/tensors.h"
#include "tools/parameters.h"

/* A complete world model with weights of the size that trained ones have; of an
 * MLP the embeddings have a width of their own. The caller closes it. */
void erx_parameters_fixture(const erx_shape_t *shape, uint64_t seed,
                            erx_parameters_t *checkpoint_out);

/* The bytes of a safetensors file that holds it; the caller frees them. */
uint8_t *erx_parameters_fixture_file(const erx_parameters_t *checkpoint, size_t *size_out);

/* The bytes of a file of game sequences: every other game is a test game. */
uint8_t *erx_sequences_fixture_file(uint32_t games, uint32_t frames, size_t *size_out);

#endif
