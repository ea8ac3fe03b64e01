/* Named shapes, for synthetic models and benchmarks. */
#ifndef ERX_TOOLS_PRESETS_H
#define ERX_TOOLS_PRESETS_H

#include "kernels/tensors.h"

typedef struct {
    const char *name;
    erx_shape_t shape;
} erx_preset_t;

#define ERX_PRESETS      5u
#define ERX_PRESET_WORDS "micro, tiny, small, target or wm384" /* for help texts */
extern const erx_preset_t erx_presets[ERX_PRESETS];

/* An MLP world model: ten frames, 512 and 256 units. */
extern const erx_shape_t erx_preset_mlp;

/* Names of the presets, in their order. */
void erx_preset_names(const char *names_out[ERX_PRESETS]);

/* Preset of a Mamba2 model by name; NULL for an unknown one. */
const erx_preset_t *erx_preset_find(const char *name);

#endif
