/* Two sessions of a learned world at 60 frames a second.
 *
 *   cc two_sessions.c $(pkg-config --cflags --libs erx) -o two_sessions
 *   ./two_sessions $(pkg-config --variable=modelsdir erx)/world [SECONDS]
 */
#include <erx.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SESSIONS = 2, STAGE = 31, STATE_SIZE = 256, FRAMES_A_SECOND = 60, SECOND_NS = 1000000000 };

static void check(int32_t status, const char *what)
{
    if (status == ERX_STATUS_OK)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, erx_last_error(), erx_strerror(status));
    exit(EXIT_FAILURE);
}

/* A player's x in game units: an i32 of 1/256 units, see PlayerState in ACCOUNTS.md. */
static double position(const uint8_t *session_state, uint32_t player)
{
    const uint8_t *x = session_state + 82 + 32 * player;
    return (int32_t)(x[0] | x[1] << 8 | x[2] << 16 | (uint32_t)x[3] << 24) / 256.0;
}

static void print_frame(const erx_rollup_t *rollup, const erx_frame_result_t *frame)
{
    uint8_t state[STATE_SIZE];
    check(erx_rollup_read_account(rollup, &frame->session_state, NULL, 0, state, STATE_SIZE, NULL),
          "read SessionState");
    printf("session %llx frame %u: players at x %.1f and %.1f, hash %016llx\n",
           (unsigned long long)frame->session, frame->frame, position(state, 0), position(state, 1),
           (unsigned long long)frame->frame_hash);
}

int main(int argc, char **argv)
{
    erx_rollup_t *rollup;
    erx_rollup_config_t config;
    erx_session_ref_t sessions[SESSIONS];
    long frames = FRAMES_A_SECOND * (argc > 2 ? strtol(argv[2], NULL, 10) : 10);
    if (argc < 2 || frames <= 0)
        return fprintf(stderr, "usage: %s MODEL_DIRECTORY [SECONDS]\n", argv[0]), 2;
    erx_rollup_config_default(&config);
    check(erx_rollup_open(&config, &rollup), "open");
    check(erx_rollup_load_model(rollup, argv[1], 1, SESSIONS), "load model");
    check(erx_rollup_start(rollup), "start");
    for (uint64_t i = 0; i < SESSIONS; i++) {
        erx_session_config_t terms;
        erx_session_config_default(&terms);
        terms.session_id = i, terms.model_id = 1, terms.stage = STAGE;
        check(erx_rollup_create_session(rollup, &terms, &sessions[i]), "create session");
    }
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (long frame = 1; frame <= frames; frame++) {
        erx_block_config_t block;
        const erx_block_result_t *result;
        erx_block_config_default(&block);
        block.slot = block.tick = (uint64_t)frame;
        block.timestamp = 1700000000 + frame / FRAMES_A_SECOND; /* a validator's clock */
        block.crank = true;
        for (int i = 0; i < SESSIONS; i++) { /* the first players walk to and fro */
            const int8_t stick[ERX_CONTROLLER_SIZE] = {frame / 60 % 2 == i ? 80 : -80};
            check(erx_rollup_input(rollup, sessions[i], 0, (const uint8_t *)stick), "input");
        }
        check(erx_rollup_seal(rollup, &block, &result), "seal");
        for (uint32_t i = 0; i < result->frame_count && frame % FRAMES_A_SECOND == 0; i++)
            print_frame(rollup, &result->frames[i]);
        due.tv_nsec += SECOND_NS / FRAMES_A_SECOND;
        due.tv_sec += due.tv_nsec / SECOND_NS;
        due.tv_nsec %= SECOND_NS;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    check(erx_rollup_close(rollup), "close");
    return EXIT_SUCCESS;
}
