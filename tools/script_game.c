#include "tools/script_game.h"

#include "tools/script.h"

#include <string.h>

/* Streams of the players count from 0, those of the games from here. */
#define GAME_STREAMS (UINT64_C(1) << 40)

static const uint8_t stages[] = {2, 3, 8, 28, 31, 32};

/* Those that at least three recorded players use. */
static const uint8_t characters[] = {22, 18, 4, 1, 2, 7, 15, 3, 9, 10, 12, 25, 19, 5, 0};

erx_trace_game_t erx_script_game(uint64_t seed, uint32_t game, uint32_t frame_count,
                                 uint8_t *controllers)
{
    erx_trace_game_t result = {
        .frame_count = frame_count,
        .stage = stages[game % ERX_COUNT(stages)],
        .controllers = controllers,
    };
    erx_random_t random;
    erx_random_seed(&random, seed, GAME_STREAMS + game);
    for (uint32_t player = 0; player < ERX_PLAYERS; player++) {
        result.characters[player] = characters[erx_random_below(&random, ERX_COUNT(characters))];
        erx_script_t script;
        erx_script_start(&script, seed, game, player);
        uint8_t *to = controllers + player * ERX_CONTROLLER_BYTES;
        for (uint32_t frame = 0; frame < frame_count; frame++, to += ERX_TRACE_FRAME_BYTES) {
            erx_controller_t controller = erx_script_next(&script);
            memcpy(to, &controller, sizeof controller);
        }
    }
    return result;
}
