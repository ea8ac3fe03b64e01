/* Fuzzes the trace reader. What it accepts must be readable to the last byte:
 * every frame of every game lies inside the input. */
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tools/trace.h"

#include <string.h>

static void check_game(const erx_trace_game_t *game, const uint8_t *data, size_t size)
{
    ERX_ASSERT(game->frame_count > 0 && game->stage < ERX_STAGES);
    ERX_ASSERT(game->characters[0] < ERX_CHARACTERS && game->characters[1] < ERX_CHARACTERS);
    const uint8_t *last = erx_trace_controllers(game, game->frame_count - 1)[0];
    ERX_ASSERT(game->controllers > data && last + ERX_TRACE_FRAME_BYTES <= data + size);
    ERX_ASSERT(erx_trace_controllers(game, game->frame_count)[0] == game->controllers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    erx_trace_t trace;
    erx_error_t error;
    if (erx_trace_read(data, size, &trace, &error) != ERX_OK) {
        size_t length = strnlen(error.text, sizeof error.text);
        ERX_ASSERT(length > 0 && length < sizeof error.text && trace.bytes == NULL);
        return 0;
    }
    uint64_t frames = 0;
    for (uint32_t k = 0; k < trace.game_count; k++) {
        erx_trace_game_t game = erx_trace_game(&trace, k);
        check_game(&game, data, size);
        frames += game.frame_count;
    }
    ERX_ASSERT(frames <= trace.frame_count); /* no frame belongs to two games */
    return 0;
}
