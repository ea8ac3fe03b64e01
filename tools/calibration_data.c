#include "tools/calibration_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX     (1u << 28)
#define CONTINUOUS_MAX 1e5f /* no value of the game comes near */
#define CONTINUOUS_ROW (ERX_PLAYERS * ERX_CONTINUOUS)
#define BINARY_ROW     (ERX_PLAYERS * ERX_BINARIES)
#define CATEGORY_ROW   (ERX_PLAYERS * ERX_PLAYER_CATEGORIES)
#define CONTROL_ROW    (ERX_PLAYERS * ERX_CONTROLLER_BYTES)

/* Finds a tensor of this type and shape; inner[0] = 0 for a plain list. */
static erx_status_t find(const erx_sequences_t *sequences, const char *name, erx_number_t number,
                         uint64_t rows, uint32_t inner, const uint8_t **bytes_out,
                         erx_error_t *error)
{
    const erx_safetensor_t *tensor = erx_safetensors_find(&sequences->file, name);
    if (tensor == NULL)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "tensor %s is missing: not a set of game sequences", name);
    bool fits = tensor->number == number && tensor->dimensions[0] == rows;
    if (inner == 0)
        fits = fits && tensor->rank == 1;
    else
        fits = fits && tensor->rank == 3 && tensor->dimensions[1] == ERX_PLAYERS &&
               tensor->dimensions[2] == inner / ERX_PLAYERS;
    if (!fits)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "tensor %s does not have the type and shape of game sequences "
                             "(%s, %llu rows)",
                             name, erx_number_name(number), (unsigned long long)rows);
    *bytes_out = tensor->bytes;
    return ERX_OK;
}

static erx_status_t read_games(erx_sequences_t *sequences, erx_error_t *error)
{
    const uint8_t *offsets = NULL, *stages = NULL, *tests = NULL;
    uint64_t games = sequences->game_count;
    erx_status_t status =
        find(sequences, "game_off", ERX_NUMBER_I64, games + 1, 0, &offsets, error);
    if (status == ERX_OK)
        status = find(sequences, "stage", ERX_NUMBER_I16, games, 0, &stages, error);
    if (status == ERX_OK)
        status = find(sequences, "is_test", ERX_NUMBER_U8, games, 0, &tests, error);
    if (status != ERX_OK)
        return status;
    for (uint32_t g = 0; g < games; g++) {
        int64_t place[2];
        int16_t stage;
        memcpy(place, offsets + g * sizeof place[0], sizeof place);
        memcpy(&stage, stages + g * sizeof stage, sizeof stage);
        bool is_first = g > 0 || place[0] == 0;
        bool is_last = g + 1 < games || place[1] == (int64_t)sequences->frame_count;
        if (place[0] < 0 || place[1] <= place[0] || place[1] > (int64_t)sequences->frame_count ||
            !is_first || !is_last)
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "tensor game_off: game %u does not lie in the %u frames in order",
                                 g, sequences->frame_count);
        if (stage < 0 || stage >= (int16_t)ERX_STAGES)
            return erx_error_set(error, ERX_ERR_RANGE, "tensor stage: game %u has stage %d", g,
                                 stage);
        sequences->games[g] = (erx_sequence_t){(uint32_t)place[0], (uint32_t)(place[1] - place[0]),
                                               (uint16_t)stage, tests[g] != 0};
    }
    return ERX_OK;
}

static erx_status_t check_row(const erx_sequences_t *sequences, uint32_t row, erx_error_t *error)
{
    for (uint32_t i = 0; i < CONTINUOUS_ROW; i++) {
        float value;
        memcpy(&value, sequences->continuous + ((size_t)row * CONTINUOUS_ROW + i) * sizeof value,
               sizeof value);
        if (!isfinite(value) || fabsf(value) > CONTINUOUS_MAX)
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "tensor cont row %u: value %u is %g, which no game state has", row,
                                 i, (double)value);
    }
    for (uint32_t i = 0; i < BINARY_ROW; i++)
        if (sequences->binary[(size_t)row * BINARY_ROW + i] > 1)
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "tensor binary row %u: value %u is not 0 or 1", row, i);
    for (uint32_t i = 0; i < CATEGORY_ROW; i++) {
        int16_t value;
        memcpy(&value, sequences->category + ((size_t)row * CATEGORY_ROW + i) * sizeof value,
               sizeof value);
        if (value < 0 || value >= (int16_t)erx_category_counts[i])
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "tensor cat row %u: value %u is %d, outside [0, %d]", row, i,
                                 value, erx_category_counts[i] - 1);
    }
    return ERX_OK;
}

static erx_status_t read_all(erx_sequences_t *sequences, erx_error_t *error)
{
    const erx_safetensor_t *rows = erx_safetensors_find(&sequences->file, "cont");
    const erx_safetensor_t *games = erx_safetensors_find(&sequences->file, "stage");
    uint64_t frames = rows == NULL ? 0 : rows->dimensions[0];
    uint64_t game_count = games == NULL ? 0 : games->dimensions[0];
    if (frames > FRAMES_MAX || game_count > frames)
        return erx_error_set(error, ERX_ERR_RANGE, "too many frames or games");
    sequences->frame_count = (uint32_t)frames;
    sequences->game_count = (uint32_t)game_count;
    erx_status_t status = find(sequences, "cont", ERX_NUMBER_F32, frames, CONTINUOUS_ROW,
                               &sequences->continuous, error);
    if (status == ERX_OK)
        status =
            find(sequences, "binary", ERX_NUMBER_U8, frames, BINARY_ROW, &sequences->binary, error);
    if (status == ERX_OK)
        status = find(sequences, "cat", ERX_NUMBER_I16, frames, CATEGORY_ROW, &sequences->category,
                      error);
    if (status == ERX_OK)
        status =
            find(sequences, "ctrl", ERX_NUMBER_U8, frames, CONTROL_ROW, &sequences->control, error);
    if (status != ERX_OK)
        return status;
    sequences->games = calloc(game_count + 1, sizeof *sequences->games);
    if (sequences->games == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the list of games");
    status = read_games(sequences, error);
    for (uint32_t row = 0; row < frames && status == ERX_OK; row++)
        status = check_row(sequences, row, error);
    return status;
}

erx_status_t erx_sequences_open(erx_sequences_t *sequences_out, const char *path,
                                erx_error_t *error)
{
    *sequences_out = (erx_sequences_t){0};
    erx_status_t status = erx_file_map_open(&sequences_out->map, path, error);
    if (status != ERX_OK)
        return status;
    status = erx_safetensors_read(sequences_out->map.bytes, sequences_out->map.size,
                                  &sequences_out->file, error);
    if (status == ERX_OK)
        status = read_all(sequences_out, error);
    if (status != ERX_OK) {
        status = erx_error_prefix(error, "%s", path);
        erx_sequences_close(sequences_out);
    }
    return status;
}

void erx_sequences_close(erx_sequences_t *sequences)
{
    free(sequences->games);
    erx_safetensors_close(&sequences->file);
    erx_file_map_close(&sequences->map);
    *sequences = (erx_sequences_t){0};
}

void erx_sequences_world(const erx_sequences_t *sequences, const erx_sequence_t *game,
                         uint32_t frame, erx_float_world_t *world_out)
{
    size_t row = (size_t)game->first + frame;
    memcpy(world_out->continuous, sequences->continuous + row * CONTINUOUS_ROW * sizeof(float),
           sizeof world_out->continuous);
    memcpy(world_out->binary, sequences->binary + row * BINARY_ROW, sizeof world_out->binary);
    memcpy(world_out->category, sequences->category + row * CATEGORY_ROW * sizeof(uint16_t),
           CATEGORY_ROW * sizeof(uint16_t));
    world_out->category[ERX_C_STAGE] = game->stage;
    memcpy(world_out->control, sequences->control + row * CONTROL_ROW, sizeof world_out->control);
}

const uint8_t (*erx_sequences_control(const erx_sequences_t *sequences, const erx_sequence_t *game,
                                      uint32_t frame))[ERX_CONTROLLER_BYTES]
{
    size_t row = (size_t)game->first + frame;
    return (const uint8_t(*)[ERX_CONTROLLER_BYTES])(sequences->control + row * CONTROL_ROW);
}
