#include "tools/command.h"

static const erx_command_t commands[] = {
    {"Models", "cu", "show what calls and frames cost in compute units", erx_command_cu},
    {"Models", "fidelity", "compare a model with the checkpoint it was made from",
     erx_command_fidelity},
    {"Models", "imitate", "train a policy that plays like recorded players", erx_command_imitate},
    {"Models", "inspect", "show what a model, policy, data directory, archive or trace holds",
     erx_command_inspect},
    {"Models", "luts", "write the activation tables of bytecode programs", erx_command_luts},
    {"Models", "quantize", "make a model from a trained checkpoint", erx_command_quantize},
    {"Models", "synth", "make a model with random weights at a given shape", erx_command_synth},
    {"Play", "bench", "measure kernels, frames, products and the journal on this machine",
     erx_command_bench},
    {"Play", "load", "play many sessions at 60 frames a second and measure", erx_command_load},
    {"Play", "rollout", "play one game of a trace and show or hash every frame",
     erx_command_rollout},
    {"Play", "serve", "run a validator that stock Solana clients and browsers play on",
     erx_command_serve},
    {"Play", "top", "show a validator's live figures", erx_command_top},
    {"Play", "trace", "make scripted players, or show a trace's games", erx_command_trace},
    {"Play", "upload", "upload a model to a validator, by transactions", erx_command_upload},
    {"Play", "verify", "re-execute a journal and compare every frame hash", erx_command_verify},
};

int main(int argc, char **argv)
{
    argp_program_version = "erx " ERX_VERSION;
    return erx_command_dispatch(commands, ERX_COUNT(commands), argc, argv);
}
