/* Matrices that programs multiply by again and again, kept in the kernel's
 * panels: bounded memory, least recently used out first.
 *
 * A matrix is named by the account that holds it, the account's version, and
 * its place in the account. The first look at a name finds nothing: the caller
 * computes from the row-major bytes while a thread beside packs them. All memory
 * is taken when the cache is opened, in huge pages where there are any.
 *
 * Rule for the bytes behind a name: from the moment they are named in a call
 * they stay readable and unchanged until erx_matrix_cache_release or _forget of
 * the account (or _close) has returned, since the packing thread may read them
 * until then. Both wait for it to step away, at most one panel's packing.
 * Memory for which that cannot be promised goes without a name and is never
 * cached. */
#ifndef ERX_ENGINE_MATMUL_MATRIX_CACHE_H
#define ERX_ENGINE_MATMUL_MATRIX_CACHE_H

#include "kernels/kernel.h"
#include "mem/status.h"

#define ERX_ACCOUNT_KEY_BYTES 32u

/* Names of one cache at a time; the 15M model has 24 matrices. */
#define ERX_MATRIX_CACHE_ENTRIES 1024u

/* Matrices waiting to be packed; one that finds no place asks again when it is
 * multiplied by the next time. */
#define ERX_MATRIX_CACHE_REQUESTS 64u

typedef struct {
    uint8_t account[ERX_ACCOUNT_KEY_BYTES];
    uint64_t version; /* differs whenever the account's bytes differ */
    uint64_t offset;  /* of the first weight in the account */
    uint32_t rows;
    uint32_t columns;
} erx_matrix_name_t;

typedef struct {
    const erx_kernel_t *kernel;
    size_t bytes_max; /* of all packed matrices, at least 1; taken at once */
    /* A matrix used within this time is not thrown out for another: a working
     * set that does not fit is not packed over and over. 0: always thrown out. */
    uint64_t idle_ns;
} erx_matrix_cache_config_t;

typedef struct {
    uint64_t hits;
    uint64_t misses;
    uint64_t packed;  /* matrices that the thread has packed */
    uint64_t evicted; /* thrown out for another matrix */
    uint64_t dropped; /* forgotten, or replaced by another version */
    uint64_t bytes;   /* packed bytes held now, those in use by a call included */
    uint32_t entries; /* names held now */
} erx_matrix_cache_counters_t;

typedef struct erx_matrix_cache erx_matrix_cache_t;

/* A packed matrix in use; it stays until it is put back. */
typedef struct erx_packed erx_packed_t;

/* Errors: ERX_ERR_MEMORY (also for the thread). */
erx_status_t erx_matrix_cache_open(const erx_matrix_cache_config_t *config,
                                   erx_matrix_cache_t **cache_out, erx_error_t *error);

/* Stops the thread and frees everything; no packed matrix may be in use. NULL
 * is allowed. */
void erx_matrix_cache_close(erx_matrix_cache_t *cache);

/* The packed matrix of that name, to be put back; or NULL, and weights (rows x
 * columns bytes, row-major, under the rule above) will be packed beside. A
 * matrix of the same place with another version is dropped. Any thread. */
const erx_packed_t *erx_matrix_cache_take(erx_matrix_cache_t *cache, const erx_matrix_name_t *name,
                                          const int8_t *weights);
void erx_matrix_cache_put(erx_matrix_cache_t *cache, const erx_packed_t *packed);

/* The kernel's view of it: no requantization, rows padded to whole panels. */
const erx_matrix_t *erx_packed_matrix(const erx_packed_t *packed);

/* The account's memory goes away: what is not yet packed is given up, what is
 * packed stays. When this returns nobody reads the account's bytes. Any thread. */
void erx_matrix_cache_release(erx_matrix_cache_t *cache,
                              const uint8_t account[ERX_ACCOUNT_KEY_BYTES]);

/* The account changes or is gone: as release, and what is packed is dropped. */
void erx_matrix_cache_forget(erx_matrix_cache_t *cache,
                             const uint8_t account[ERX_ACCOUNT_KEY_BYTES]);

/* Waits until nothing is left to pack. For tests and measurements. */
void erx_matrix_cache_settle(erx_matrix_cache_t *cache);

erx_matrix_cache_counters_t erx_matrix_cache_counters(erx_matrix_cache_t *cache);

#endif
