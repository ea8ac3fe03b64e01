/* Two sessions of a learned world at 60 frames a second, embedded in 70 lines.
 *
 *   cc two_sessions.c $(pkg-config --cflags --libs erx) -o two_sessions
 *   ./two_sessions MODEL_DIRECTORY [SECONDS]
 */
#include <erx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SESSIONS  2
#define FRAME_NS  (1000000000 / 60)
#define STAGE     31 /* Battlefield */

static void check(int32_t status, const char *what)
{
    if (status == ERX_STATUS_OK)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, erx_last_error(), erx_strerror(status));
    exit(1);
}

static int32_t position(const uint8_t *session_state, int player)
{
    int32_t x;
    memcpy(&x, session_state + 82 + 32 * player, sizeof x);
    return x / 256;
}

int main(int argc, char **argv)
{
    int frames = 60 * (argc > 2 ? atoi(argv[2]) : 10);
    if (argc < 2 || frames <= 0)
        return fprintf(stderr, "usage: %s MODEL_DIRECTORY [SECONDS]\n", argv[0]), 2;
    erx_rollup_config_t config;
    erx_rollup_t *rollup;
    erx_rollup_config_default(&config);
    check(erx_rollup_open(&config, &rollup), "open");
    check(erx_rollup_load_model(rollup, argv[1], 1, SESSIONS), "load model");
    check(erx_rollup_start(rollup), "start");

    erx_session_ref_t sessions[SESSIONS];
    for (int i = 0; i < SESSIONS; i++) {
        erx_session_config_t terms;
        erx_session_config_default(&terms);
        terms.session_id = (uint64_t)i + 1;
        terms.model_id = 1;
        terms.stage = STAGE;
        check(erx_rollup_create_session(rollup, &terms, &sessions[i]), "create session");
    }

    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (int frame = 1; frame <= frames; frame++) {
        const erx_block_result_t *result;
        erx_block_config_t block;
        erx_block_config_default(&block);
        block.slot = (uint64_t)frame;
        block.timestamp = time(NULL);
        block.crank = true;
        block.tick = (uint64_t)frame;
        for (int i = 0; i < SESSIONS; i++) { /* the first player walks to and fro */
            uint8_t control[ERX_CONTROLLER_SIZE] = {(uint8_t)(frame / 60 % 2 == i ? 80 : -80)};
            check(erx_rollup_input(rollup, sessions[i], 0, control), "input");
        }
        check(erx_rollup_seal(rollup, &block, &result), "seal");
        for (uint32_t i = 0; frame % 60 == 0 && i < result->change_count; i++)
            if (result->changes[i].space == 256) /* a SessionState */
                printf("frame %d: players at %d and %d\n", frame,
                       position(result->changes[i].data, 0), position(result->changes[i].data, 1));
        due.tv_nsec += FRAME_NS;
        due.tv_sec += due.tv_nsec / 1000000000;
        due.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    check(erx_rollup_close(rollup), "close");
    return 0;
}
