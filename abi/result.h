/* How the public functions report: the codes are the engine's, the reason is
 * kept for the calling thread. */
#ifndef ERX_ABI_RESULT_H
#define ERX_ABI_RESULT_H

#include "abi/erx.h"
#include "mem/status.h"

/* Keeps the error's text for erx_last_error; returns its status. */
int32_t erx_result_keep(const erx_error_t *error);

/* Keeps a text of its own; returns status. */
int32_t erx_result_refuse(int32_t status, const char *format, ...) ERX_PRINTF(2, 3);

/* Refuses a handle that is not live: ERX_STATUS_ARGUMENT. */
int32_t erx_result_dead(const char *what);

/* Refuses a NULL argument, by name: ERX_STATUS_ARGUMENT. */
int32_t erx_result_missing(const char *argument);

/* Whether give would accept the caller's struct: for what takes something away
 * before it gives. */
int32_t erx_result_fits(const void *callers, size_t smallest);

/* Copies the library's whole struct into a caller's shorter or longer one,
 * whose struct_size is its first member; or the other way around, with defaults
 * already in the library's. Errors: ERX_STATUS_ARGUMENT (smaller than
 * smallest). */
int32_t erx_result_give(void *callers, const void *own, size_t own_size, size_t smallest);
int32_t erx_result_take(void *own, size_t own_size, const void *callers, size_t smallest);

#endif
