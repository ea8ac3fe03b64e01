#include "tools/presets.h"

#include <string.h>

const erx_preset_t erx_presets[ERX_PRESETS] = {
    {"micro",
     {.d_model = 64,
      .d_inner = 128,
      .d_state = 8,
      .layer_count = 4,
      .head_count = 4,
      .head_dim = 32}},
    {"tiny",
     {.d_model = 128,
      .d_inner = 256,
      .d_state = 16,
      .layer_count = 6,
      .head_count = 4,
      .head_dim = 64}},
    {"small",
     {.d_model = 256,
      .d_inner = 512,
      .d_state = 16,
      .layer_count = 8,
      .head_count = 8,
      .head_dim = 64}},
    {"target",
     {.d_model = 512,
      .d_inner = 1024,
      .d_state = 16,
      .layer_count = 12,
      .head_count = 16,
      .head_dim = 64}},
    {"wm384",
     {.d_model = 384,
      .d_inner = 768,
      .d_state = 64,
      .layer_count = 4,
      .head_count = 12,
      .head_dim = 64}},
};

const erx_shape_t erx_preset_mlp = {.stack = {.context = 10,
                                              .hidden = 512,
                                              .trunk = 256,
                                              .embed_widths = {32, 4, 8, 2, 2, 4, 8, 4},
                                              .is_world = true}};

void erx_preset_names(const char *names_out[ERX_PRESETS])
{
    for (uint32_t i = 0; i < ERX_PRESETS; i++)
        names_out[i] = erx_presets[i].name;
}

const erx_preset_t *erx_preset_find(const char *name)
{
    for (uint32_t i = 0; i < ERX_PRESETS; i++)
        if (strcmp(erx_presets[i].name, name) == 0)
            return &erx_presets[i];
    return NULL;
}
