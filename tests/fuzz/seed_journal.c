/* Writes the seed of fuzz_journal into the file named on the command line: a
 * record that creates a session and steps it, one that ends it, and one in
 * which an account is written, a player joins, a chunk of a frame comes and a
 * session of a model that arrived starts. */
#include "engine/bank/accounts.h"
#include "engine/event_log.h"
#include "mem/assert.h"
#include "tests/support/model_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pools of the simulation's engine. */
enum { MODEL, PLACE, ACCOUNTS };

static FILE *file;

static void put(const void *bytes, size_t size)
{
    ERX_ASSERT(fwrite(bytes, size, 1, file) == 1);
}

static void put_first(const erx_session_terms_t *terms, const erx_event_t *create)
{
    const erx_record_t record = {.event_count = 1, .frame_count = 1};
    uint8_t *arena = calloc(1, erx_arena_bytes(&erx_fixture_micro));
    ERX_ASSERT(arena != NULL);
    erx_arena_start(arena, &erx_fixture_micro, terms);
    erx_frame_entry_t frame = {
        .generation = 1, .previous = 1, .frame_hash = erx_frame_hash_start(arena)};
    memcpy(frame.input, arena + ERX_ARENA_INPUT, sizeof frame.input);
    put(&record, sizeof record);
    put(create, sizeof *create);
    put(&frame, sizeof frame);
    free(arena);
}

/* The manifest's account, as a patch of the first page. */
typedef struct {
    uint32_t offset;
    uint32_t length;
    erx_account_entry_t entry;
} patch_t;

static void put_third(const erx_event_t *create)
{
    const patch_t patch = {
        .length = sizeof patch.entry,
        .entry = {.kind = ERX_ACCOUNT_PLAIN, .pool = PLACE + 1},
    };
    const erx_record_t record = {.event_count = 5, .bulk_bytes = sizeof patch, .touched = 4};
    const erx_event_t write = {
        .kind = ERX_EVENT_WRITE, .pool = ACCOUNTS, .generation = 1, .bulk_bytes = sizeof patch};
    erx_event_t waits = *create, arrived = *create;
    waits.slot = 1;
    waits.waits = 1;
    waits.characters[1] = 0;
    arrived.pool = PLACE;
    const erx_event_t join = {
        .kind = ERX_EVENT_JOIN, .slot = 1, .generation = 1, .previous = 3, .characters = {0, 5}};
    const erx_event_t chunk = {
        .kind = ERX_EVENT_CHUNK, .slot = 1, .generation = 1, .previous = 3, .next_layer = 1};
    put(&record, sizeof record);
    put(&write, sizeof write);
    put(&waits, sizeof waits);
    put(&join, sizeof join);
    put(&chunk, sizeof chunk);
    put(&arrived, sizeof arrived);
    put(&patch, sizeof patch);
}

int main(int argc, char **argv)
{
    const erx_session_terms_t terms = {.stage = 3, .characters = {1, 2}, .max_frames = 5};
    const erx_slot_name_t name = {.pool = MODEL};
    erx_event_log_t log;
    erx_error_t error;
    ERX_ASSERT(argc == 2 && erx_event_log_open(&log, 2, 64, &error) == ERX_OK);
    erx_event_log_create(&log, name, 1, &terms);
    erx_event_log_end(&log, name, 2);
    log.events[1].previous = 1;
    file = fopen(argv[1], "wb");
    ERX_ASSERT(file != NULL);
    put_first(&terms, &log.events[0]);
    const erx_record_t second = {.event_count = 1};
    put(&second, sizeof second);
    put(&log.events[1], sizeof log.events[1]);
    put_third(&log.events[0]);
    ERX_ASSERT(fclose(file) == 0);
    erx_event_log_close(&log);
    return 0;
}
