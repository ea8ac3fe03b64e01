#include "engine/bank/free_map.h"

#include <string.h>

#include "mem/alloc.h"
#include "mem/assert.h"

#define WORD_BITS 64u

/* Bits of the part of [place, end) that lies in place's word. */
static uint64_t word_bits(uint64_t place, uint64_t end, uint64_t *next_out)
{
    uint64_t word_end = (place / WORD_BITS + 1) * WORD_BITS;
    *next_out = ERX_MIN(end, word_end);
    uint64_t width = *next_out - place;
    uint64_t ones = width == WORD_BITS ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    return ones << (place % WORD_BITS);
}

erx_status_t erx_free_map_open(erx_free_map_t *map_out, uint64_t count, erx_error_t *error)
{
    erx_free_map_t map = {.count = count};
    map.words = erx_alloc(ERX_CEIL_DIV(count, WORD_BITS), sizeof *map.words);
    if (map.words == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a map of free places");
    erx_free_map_reset(&map);
    *map_out = map;
    return ERX_OK;
}

void erx_free_map_close(erx_free_map_t *map)
{
    erx_free(map->words);
    memset(map, 0, sizeof *map);
}

void erx_free_map_reset(erx_free_map_t *map)
{
    for (uint64_t place = 0, next; place < map->count; place = next)
        map->words[place / WORD_BITS] = word_bits(place, map->count, &next);
    map->lowest = 0;
}

uint64_t erx_free_map_find(const erx_free_map_t *map, uint64_t size)
{
    uint64_t start = map->lowest;
    for (uint64_t place = start; place < map->count;) {
        uint64_t left = WORD_BITS - place % WORD_BITS;
        uint64_t word = map->words[place / WORD_BITS] >> (place % WORD_BITS);
        if ((word & 1) == 0) {
            place += word == 0 ? left : (uint64_t)__builtin_ctzll(word);
            start = place;
            continue;
        }
        uint64_t ones = word == UINT64_MAX ? left : (uint64_t)__builtin_ctzll(~word);
        place += ERX_MIN(ones, left);
        if (place - start >= size)
            return start;
    }
    return ERX_FREE_MAP_NONE;
}

bool erx_free_map_is_free(const erx_free_map_t *map, uint64_t place, uint64_t size)
{
    if (place > map->count || size > map->count - place)
        return false;
    for (uint64_t end = place + size, next; place < end; place = next) {
        uint64_t bits = word_bits(place, end, &next);
        if ((map->words[place / WORD_BITS] & bits) != bits)
            return false;
    }
    return true;
}

void erx_free_map_take(erx_free_map_t *map, uint64_t place, uint64_t size)
{
    ERX_VERIFY(erx_free_map_is_free(map, place, size));
    uint64_t end = place + size;
    if (place == map->lowest)
        map->lowest = end;
    for (uint64_t next; place < end; place = next) {
        uint64_t bits = word_bits(place, end, &next);
        map->words[place / WORD_BITS] &= ~bits;
    }
}

void erx_free_map_give(erx_free_map_t *map, uint64_t place, uint64_t size)
{
    uint64_t end = place + size;
    ERX_ASSERT(end <= map->count);
    if (size > 0)
        map->lowest = ERX_MIN(map->lowest, place);
    for (uint64_t next; place < end; place = next) {
        uint64_t bits = word_bits(place, end, &next);
        ERX_ASSERT((map->words[place / WORD_BITS] & bits) == 0);
        map->words[place / WORD_BITS] |= bits;
    }
}

uint64_t erx_free_map_taken(const erx_free_map_t *map)
{
    uint64_t taken = map->count;
    for (uint64_t word = 0; word < ERX_CEIL_DIV(map->count, 64u); word++)
        taken -= (uint64_t)__builtin_popcountll(map->words[word]);
    return taken;
}
