/* Writes the seed of fuzz_journal into the file named on the command line: a
 * record that creates a session and steps it, and one that ends it. */
#include "engine/event_log.h"
#include "mem/assert.h"
#include "tests/support/model_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    const erx_session_terms_t terms = {.stage = 3, .characters = {1, 2}, .max_frames = 5};
    erx_event_log_t log;
    erx_error_t error;
    ERX_ASSERT(argc == 2 && erx_event_log_open(&log, 2, 64, &error) == ERX_OK);
    const erx_slot_name_t name = {0};
    erx_event_log_create(&log, name, 1, &terms);
    erx_event_log_end(&log, name, 2);
    uint8_t *arena = calloc(1, erx_arena_bytes(&erx_fixture_micro));
    ERX_ASSERT(arena != NULL);
    erx_arena_start(arena, &erx_fixture_micro, &terms);
    erx_frame_entry_t frame = {
        .generation = 1, .previous = 1, .frame_hash = erx_frame_hash_start(arena)};
    memcpy(frame.input, arena + ERX_ARENA_INPUT, sizeof frame.input);
    const erx_record_t first = {.event_count = 1, .frame_count = 1};
    const erx_record_t second = {.event_count = 1};
    log.events[1].previous = 1;
    FILE *file = fopen(argv[1], "wb");
    ERX_ASSERT(file != NULL);
    ERX_ASSERT(fwrite(&first, sizeof first, 1, file) == 1);
    ERX_ASSERT(fwrite(&log.events[0], sizeof log.events[0], 1, file) == 1);
    ERX_ASSERT(fwrite(&frame, sizeof frame, 1, file) == 1);
    ERX_ASSERT(fwrite(&second, sizeof second, 1, file) == 1);
    ERX_ASSERT(fwrite(&log.events[1], sizeof log.events[1], 1, file) == 1);
    ERX_ASSERT(fclose(file) == 0);
    free(arena);
    erx_event_log_close(&log);
    return 0;
}
