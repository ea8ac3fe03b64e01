/* Handles: what embedders hold is an index and a generation in the shape of a
 * pointer, never an address, so that a dead, foreign or invented handle is
 * refused instead of followed.
 *
 * Thread rule: any thread. Who closes a handle while another thread uses it
 * breaks the rule of erx.h, and only then may an object be used after its end. */
#ifndef ERX_ABI_HANDLE_H
#define ERX_ABI_HANDLE_H

#include "mem/base.h"

/* Live handles of a process: rollups, watches, simulations, gates, seats. */
#define ERX_HANDLES_MAX 8192u

typedef enum {
    ERX_HANDLE_ROLLUP = 1,
    ERX_HANDLE_WATCH,
    ERX_HANDLE_SIMULATION,
    ERX_HANDLE_GATE,
    ERX_HANDLE_SEAT
} erx_handle_kind_t;

/* A handle of an object; NULL where ERX_HANDLES_MAX are live. */
void *erx_handle_make(erx_handle_kind_t kind, void *object);

/* The object of a live handle of that kind, else NULL. */
void *erx_handle_object(erx_handle_kind_t kind, const void *handle);

/* Ends a handle and returns its object; NULL where it was not live, so that of
 * several who close it one gets the object. */
void *erx_handle_end(erx_handle_kind_t kind, void *handle);

#endif
