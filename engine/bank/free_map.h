/* A map of units that are free or taken: one bit a unit, first fit. What it
 * gives out follows from which units are taken, never from how they came to be
 * so.
 *
 * Thread rule: its owner's. */
#ifndef ERX_ENGINE_BANK_FREE_MAP_H
#define ERX_ENGINE_BANK_FREE_MAP_H

#include "mem/status.h"

#define ERX_FREE_MAP_NONE UINT64_MAX

typedef struct {
    uint64_t *words; /* bit u % 64 of word u / 64: unit u is free */
    uint64_t count;
    uint64_t lowest; /* no unit below it is free */
} erx_free_map_t;

/* Takes memory for count units, all free. Errors: ERX_ERR_MEMORY. */
erx_status_t erx_free_map_open(erx_free_map_t *map_out, uint64_t count, erx_error_t *error);

/* Gives it back. An all-zero map is allowed. */
void erx_free_map_close(erx_free_map_t *map);

/* All units are free again. */
void erx_free_map_reset(erx_free_map_t *map);

/* The lowest place of size (> 0) free units in a row; ERX_FREE_MAP_NONE. */
uint64_t erx_free_map_find(const erx_free_map_t *map, uint64_t size);

/* Whether size units from place on are there and free. */
bool erx_free_map_is_free(const erx_free_map_t *map, uint64_t place, uint64_t size);

/* Units that are taken. Looks at the whole map. */
uint64_t erx_free_map_taken(const erx_free_map_t *map);

/* Takes units that are free. */
void erx_free_map_take(erx_free_map_t *map, uint64_t place, uint64_t size);

/* Frees units that are taken. */
void erx_free_map_give(erx_free_map_t *map, uint64_t place, uint64_t size);

#endif
