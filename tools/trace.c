#include "tools/trace.h"

#include "mem/assert.h"
#include "tools/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES 16u
#define ENTRY_BYTES  12u

/* A game's entry in the table of games, as the file holds it. */
typedef struct {
    uint32_t first_frame;
    uint32_t frame_count;
    uint8_t stage;
    uint8_t characters[ERX_PLAYERS];
    uint8_t zero;
} entry_t;

ERX_STATIC_ASSERT(sizeof(entry_t) == ENTRY_BYTES, "an entry is what the file holds");

static uint32_t load_u32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static entry_t load_entry(const uint8_t *bytes, uint32_t k)
{
    entry_t entry;
    memcpy(&entry, bytes + HEADER_BYTES + (size_t)k * ENTRY_BYTES, sizeof entry);
    return entry;
}

static size_t trace_bytes(uint32_t game_count, uint32_t frame_count)
{
    return HEADER_BYTES + (size_t)game_count * ENTRY_BYTES +
           (size_t)frame_count * ERX_TRACE_FRAME_BYTES;
}

static erx_status_t check_counts(uint32_t game_count, uint32_t frame_count, erx_error_t *error)
{
    if (game_count < 1 || game_count > ERX_TRACE_GAMES_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "games: %u is not from 1 to %u", game_count,
                             ERX_TRACE_GAMES_MAX);
    if (frame_count < 1 || frame_count > ERX_TRACE_FRAMES_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "frames: %u is not from 1 to %u", frame_count,
                             ERX_TRACE_FRAMES_MAX);
    return ERX_OK;
}

static erx_status_t check_header(const uint8_t *bytes, size_t size, erx_error_t *error)
{
    if (size < HEADER_BYTES)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "header: the file has %zu bytes, a trace at least %u", size,
                             HEADER_BYTES);
    if (memcmp(bytes, ERX_TRACE_MAGIC, ERX_TRACE_MAGIC_BYTES) != 0)
        return erx_error_set(error, ERX_ERR_FORMAT, "magic: a trace begins with " ERX_TRACE_MAGIC);
    uint32_t game_count = load_u32(bytes + 8);
    uint32_t frame_count = load_u32(bytes + 12);
    erx_status_t status = check_counts(game_count, frame_count, error);
    if (status != ERX_OK)
        return status;
    size_t expected = trace_bytes(game_count, frame_count);
    if (size != expected)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "size: %zu bytes, but %u games and %u frames take %zu (%s)", size,
                             game_count, frame_count, expected,
                             size < expected ? "the end is missing" : "bytes trail");
    return ERX_OK;
}

static erx_status_t check_entry(const entry_t *entry, uint32_t k, uint32_t frame_count,
                                erx_error_t *error)
{
    if (entry->frame_count < 1)
        return erx_error_set(error, ERX_ERR_RANGE, "game %u: frames: 0, a game has at least 1", k);
    if ((uint64_t)entry->first_frame + entry->frame_count > frame_count)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "game %u: first frame %u and %u frames reach past the trace's %u", k,
                             entry->first_frame, entry->frame_count, frame_count);
    if (entry->stage >= ERX_STAGES)
        return erx_error_set(error, ERX_ERR_RANGE, "game %u: stage: %u is not below %u", k,
                             entry->stage, ERX_STAGES);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        if (entry->characters[p] >= ERX_CHARACTERS)
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "game %u: character of player %u: %u is not below %u", k, p + 1,
                                 entry->characters[p], ERX_CHARACTERS);
    if (entry->zero != 0)
        return erx_error_set(error, ERX_ERR_FORMAT, "game %u: last byte: %u, must be 0", k,
                             entry->zero);
    return ERX_OK;
}

static int compare_first_frames(const void *left, const void *right)
{
    const entry_t *a = left;
    const entry_t *b = right;
    return (a->first_frame > b->first_frame) - (a->first_frame < b->first_frame);
}

/* Games may be listed in any order: sorted, each must end before the next. */
static erx_status_t check_overlap(const uint8_t *bytes, uint32_t game_count, erx_error_t *error)
{
    entry_t *sorted = malloc(game_count * sizeof *sorted);
    if (sorted == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to check %u games", game_count);
    memcpy(sorted, bytes + HEADER_BYTES, game_count * sizeof *sorted);
    qsort(sorted, game_count, sizeof *sorted, compare_first_frames);
    erx_status_t status = ERX_OK;
    for (uint32_t k = 1; k < game_count && status == ERX_OK; k++) {
        uint32_t end = sorted[k - 1].first_frame + sorted[k - 1].frame_count;
        if (sorted[k].first_frame < end)
            status = erx_error_set(error, ERX_ERR_FORMAT,
                                   "games: those at first frame %u and %u overlap",
                                   sorted[k - 1].first_frame, sorted[k].first_frame);
    }
    free(sorted);
    return status;
}

erx_status_t erx_trace_read(const uint8_t *bytes, size_t size, erx_trace_t *trace_out,
                            erx_error_t *error)
{
    *trace_out = (erx_trace_t){0};
    erx_status_t status = check_header(bytes, size, error);
    if (status != ERX_OK)
        return status;
    uint32_t game_count = load_u32(bytes + 8);
    uint32_t frame_count = load_u32(bytes + 12);
    for (uint32_t k = 0; k < game_count; k++) {
        entry_t entry = load_entry(bytes, k);
        status = check_entry(&entry, k, frame_count, error);
        if (status != ERX_OK)
            return status;
    }
    status = check_overlap(bytes, game_count, error);
    if (status == ERX_OK)
        *trace_out = (erx_trace_t){
            .bytes = bytes, .size = size, .game_count = game_count, .frame_count = frame_count};
    return status;
}

static erx_status_t map_file(int file, const uint8_t **bytes_out, size_t *size_out,
                             erx_error_t *error)
{
    struct stat information;
    if (fstat(file, &information) != 0)
        return erx_error_set(error, ERX_ERR_IO, "cannot read: %s", strerror(errno));
    if (!S_ISREG(information.st_mode))
        return erx_error_set(error, ERX_ERR_FORMAT, "not a regular file");
    if (information.st_size == 0)
        return erx_error_set(error, ERX_ERR_FORMAT, "header: the file is empty");
    *size_out = (size_t)information.st_size;
    void *mapping = mmap(NULL, *size_out, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapping == MAP_FAILED)
        return erx_error_set(error, ERX_ERR_IO, "cannot map: %s", strerror(errno));
    *bytes_out = mapping;
    return ERX_OK;
}

erx_status_t erx_trace_open(const char *path, erx_trace_t *trace_out, erx_error_t *error)
{
    *trace_out = (erx_trace_t){0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return erx_error_set(error, errno == ENOENT ? ERX_ERR_NOT_FOUND : ERX_ERR_IO,
                             "cannot open %s: %s", path, strerror(errno));
    const uint8_t *bytes = NULL;
    size_t size = 0;
    erx_status_t status = map_file(file, &bytes, &size, error);
    (void)close(file);
    if (status == ERX_OK) {
        status = erx_trace_read(bytes, size, trace_out, error);
        if (status != ERX_OK)
            (void)munmap((void *)(uintptr_t)bytes, size);
    }
    trace_out->mapped = status == ERX_OK;
    return status == ERX_OK ? ERX_OK : erx_error_prefix(error, "%s", path);
}

void erx_trace_close(erx_trace_t *trace)
{
    if (trace->mapped)
        (void)munmap((void *)(uintptr_t)trace->bytes, trace->size);
    *trace = (erx_trace_t){0};
}

erx_trace_game_t erx_trace_game(const erx_trace_t *trace, uint32_t k)
{
    ERX_ASSERT(k < trace->game_count);
    entry_t entry = load_entry(trace->bytes, k);
    return (erx_trace_game_t){
        .frame_count = entry.frame_count,
        .stage = entry.stage,
        .characters = {entry.characters[0], entry.characters[1]},
        .controllers = trace->bytes + trace_bytes(trace->game_count, entry.first_frame),
    };
}

const uint8_t (*erx_trace_controllers(const erx_trace_game_t *game,
                                      uint64_t frame))[ERX_CONTROLLER_BYTES]
{
    size_t index = (size_t)(frame % game->frame_count);
    return (const uint8_t(*)[ERX_CONTROLLER_BYTES])(game->controllers +
                                                    index * ERX_TRACE_FRAME_BYTES);
}

/* Fills the table of games; games follow each other without gaps. */
static erx_status_t make_entries(const erx_trace_game_t *games, uint32_t count, entry_t *entries,
                                 uint32_t *frame_count_out, erx_error_t *error)
{
    uint64_t frames = 0;
    for (uint32_t k = 0; k < count; k++) {
        entries[k] = (entry_t){
            .first_frame = (uint32_t)frames,
            .frame_count = games[k].frame_count,
            .stage = games[k].stage,
            .characters = {games[k].characters[0], games[k].characters[1]},
        };
        frames += games[k].frame_count;
        erx_status_t status = check_entry(&entries[k], k, ERX_TRACE_FRAMES_MAX, error);
        if (status != ERX_OK)
            return status;
    }
    *frame_count_out = (uint32_t)frames;
    return ERX_OK;
}

static erx_status_t write_games(const char *path, const erx_trace_game_t *games, uint32_t count,
                                const entry_t *entries, uint32_t frame_count, erx_error_t *error)
{
    erx_output_t output;
    erx_status_t status = erx_output_open(&output, path, error);
    if (status != ERX_OK)
        return status;
    (void)fwrite(ERX_TRACE_MAGIC, 1, ERX_TRACE_MAGIC_BYTES, output.stream);
    (void)fwrite(&count, sizeof count, 1, output.stream);
    (void)fwrite(&frame_count, sizeof frame_count, 1, output.stream);
    (void)fwrite(entries, sizeof *entries, count, output.stream);
    for (uint32_t k = 0; k < count; k++)
        (void)fwrite(games[k].controllers, ERX_TRACE_FRAME_BYTES, games[k].frame_count,
                     output.stream);
    return erx_output_commit(&output, error);
}

erx_status_t erx_trace_write(const char *path, const erx_trace_game_t *games, uint32_t count,
                             erx_error_t *error)
{
    erx_status_t status = check_counts(count, 1, error);
    if (status != ERX_OK)
        return status;
    entry_t *entries = malloc(count * sizeof *entries);
    if (entries == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a table of %u games", count);
    uint32_t frame_count = 0;
    status = make_entries(games, count, entries, &frame_count, error);
    if (status == ERX_OK)
        status = write_games(path, games, count, entries, frame_count, error);
    free(entries);
    return status;
}
