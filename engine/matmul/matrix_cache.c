/* One lock guards everything but the packed bytes themselves, and is held for
 * some dozens of instructions, by the packing thread for a walk over the slots.
 * A slot holds a part of the region:
 *
 *   free --> packing (the thread fills it) --> live (in the table) --> retired
 *   (no longer found, still in use by calls) --> free */
#include "engine/matmul/matrix_cache.h"

#include "mem/alloc.h"
#include "mem/assert.h"
#include "mem/region.h"
#include "sched/clock.h"
#include "sched/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xxhash.h>

#define BUCKETS (2 * ERX_MATRIX_CACHE_ENTRIES) /* chains of half a slot */
#define NONE    UINT32_MAX

/* Packing is worth less than any frame: it gets what workers leave over, but
 * never starves, since every packed matrix saves time. */
#define PACKING_NICE 5

typedef enum { SLOT_FREE, SLOT_PACKING, SLOT_LIVE, SLOT_RETIRED } slot_state_t;

struct erx_packed {
    erx_matrix_name_t name;
    erx_matrix_t matrix;
    size_t offset; /* of the panels in the region */
    size_t bytes;
    uint64_t used_ns; /* last taken */
    uint32_t users;
    uint32_t bucket;
    uint32_t next; /* in the bucket */
    slot_state_t state;
};

typedef enum { REQUEST_FREE, REQUEST_WAITING, REQUEST_PACKING } request_state_t;

typedef struct {
    request_state_t state;
    uint64_t turn; /* oldest first */
    erx_matrix_name_t name;
    const int8_t *weights;
} request_t;

struct erx_matrix_cache {
    erx_matrix_cache_config_t config;
    erx_region_t region;
    erx_thread_t *thread;
    pthread_mutex_t lock;
    pthread_cond_t work; /* a request, or stop */
    pthread_cond_t done; /* the thread gave up or finished something */
    bool stop;
    uint64_t full_until; /* nothing could be thrown out: no requests before this */
    uint64_t turn;
    atomic_bool cancelled; /* the request that is being packed */
    erx_matrix_cache_counters_t counters;
    uint32_t buckets[BUCKETS];
    request_t requests[ERX_MATRIX_CACHE_REQUESTS];
    erx_packed_t slots[ERX_MATRIX_CACHE_ENTRIES];
};

/* Names are hashed and compared as places, without the version, so that
 * another version of a matrix meets the old one. */
static uint32_t bucket_of(const erx_matrix_name_t *name)
{
    const uint64_t place[] = {name->offset, (uint64_t)name->rows << 32 | name->columns};
    uint64_t account = XXH3_64bits(name->account, sizeof name->account);
    return (uint32_t)(XXH3_64bits_withSeed(place, sizeof place, account) % BUCKETS);
}

static bool same_account(const erx_matrix_name_t *name, const uint8_t *account)
{
    return memcmp(name->account, account, ERX_ACCOUNT_KEY_BYTES) == 0;
}

static bool same_place(const erx_matrix_name_t *a, const erx_matrix_name_t *b)
{
    return a->offset == b->offset && a->rows == b->rows && a->columns == b->columns &&
           same_account(a, b->account);
}

static size_t packed_bytes(const erx_matrix_cache_t *cache, const erx_matrix_name_t *name)
{
    return ERX_CEIL_DIV((size_t)name->rows, ERX_PANEL_ROWS) *
           cache->config.kernel->panel_bytes(name->columns);
}

static erx_packed_t *find_slot(erx_matrix_cache_t *cache, const erx_matrix_name_t *name)
{
    for (uint32_t i = cache->buckets[bucket_of(name)]; i != NONE; i = cache->slots[i].next)
        if (same_place(&cache->slots[i].name, name))
            return &cache->slots[i];
    return NULL;
}

static void free_if_unused(erx_matrix_cache_t *cache, erx_packed_t *slot)
{
    if (slot->state != SLOT_RETIRED || slot->users != 0)
        return;
    cache->counters.bytes -= slot->bytes;
    slot->state = SLOT_FREE;
}

/* Takes the slot out of the table. */
static void retire(erx_matrix_cache_t *cache, erx_packed_t *slot)
{
    uint32_t *link = &cache->buckets[slot->bucket];
    uint32_t index = (uint32_t)(slot - cache->slots);
    while (*link != index)
        link = &cache->slots[*link].next;
    *link = slot->next;
    slot->state = SLOT_RETIRED;
    cache->counters.entries--;
    free_if_unused(cache, slot);
}

/* Requests */

static void request_remove(erx_matrix_cache_t *cache, request_t *request)
{
    if (request->state == REQUEST_WAITING)
        request->state = REQUEST_FREE;
    else if (request->state == REQUEST_PACKING)
        atomic_store_explicit(&cache->cancelled, true, memory_order_relaxed);
}

static void request_packing(erx_matrix_cache_t *cache, const erx_matrix_name_t *name,
                            const int8_t *weights, uint64_t now)
{
    request_t *place = NULL;
    if (now < cache->full_until || packed_bytes(cache, name) > cache->config.bytes_max)
        return;
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_REQUESTS; i++) {
        request_t *request = &cache->requests[i];
        if (request->state != REQUEST_FREE && same_place(&request->name, name)) {
            if (request->name.version == name->version)
                return;
            request_remove(cache, request);
        }
        if (request->state == REQUEST_FREE)
            place = request;
    }
    if (place == NULL)
        return;
    *place = (request_t){REQUEST_WAITING, cache->turn++, *name, weights};
    (void)pthread_cond_signal(&cache->work);
}

static request_t *request_oldest(erx_matrix_cache_t *cache)
{
    request_t *oldest = NULL;
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_REQUESTS; i++) {
        request_t *request = &cache->requests[i];
        if (request->state == REQUEST_WAITING && (oldest == NULL || request->turn < oldest->turn))
            oldest = request;
    }
    return oldest;
}

/* The thread; it holds the lock except where it says otherwise. */

/* A slot of the region that overlaps [offset, offset + bytes); NULL for none. */
static const erx_packed_t *occupant(const erx_matrix_cache_t *cache, size_t offset, size_t bytes)
{
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_ENTRIES; i++) {
        const erx_packed_t *slot = &cache->slots[i];
        if (slot->state != SLOT_FREE && slot->offset < offset + bytes &&
            offset < slot->offset + slot->bytes)
            return slot;
    }
    return NULL;
}

/* A free slot with the first part of the region that is large enough; NULL
 * where there is none. */
static erx_packed_t *find_room(erx_matrix_cache_t *cache, size_t bytes)
{
    const erx_packed_t *occupied;
    erx_packed_t *slot = NULL;
    size_t offset = 0;
    while ((occupied = occupant(cache, offset, bytes)) != NULL)
        offset = occupied->offset + occupied->bytes;
    if (offset + bytes > cache->config.bytes_max)
        return NULL;
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_ENTRIES && slot == NULL; i++)
        if (cache->slots[i].state == SLOT_FREE)
            slot = &cache->slots[i];
    if (slot != NULL)
        *slot = (erx_packed_t){.offset = offset, .bytes = bytes, .state = SLOT_PACKING};
    return slot;
}

/* The one unused for longest, NULL where all are in use or were lately. */
static erx_packed_t *victim(erx_matrix_cache_t *cache, uint64_t now)
{
    erx_packed_t *oldest = NULL;
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_ENTRIES; i++) {
        erx_packed_t *slot = &cache->slots[i];
        if (slot->state == SLOT_LIVE && slot->users == 0 &&
            slot->used_ns + cache->config.idle_ns <= now &&
            (oldest == NULL || slot->used_ns < oldest->used_ns))
            oldest = slot;
    }
    return oldest;
}

/* A slot for a matrix of that size, others thrown out where they may be. */
static erx_packed_t *make_room(erx_matrix_cache_t *cache, size_t bytes)
{
    erx_packed_t *slot;
    while ((slot = find_room(cache, bytes)) == NULL) {
        uint64_t now = erx_clock_now();
        erx_packed_t *oldest = victim(cache, now);
        if (oldest == NULL) {
            cache->full_until = now + cache->config.idle_ns;
            return NULL;
        }
        retire(cache, oldest);
        cache->counters.evicted++;
    }
    cache->counters.bytes += bytes;
    return slot;
}

/* Without the lock. False where the request was cancelled on the way. */
static bool pack_panels(erx_matrix_cache_t *cache, const request_t *request, uint8_t *panels)
{
    const erx_kernel_t *kernel = cache->config.kernel;
    uint32_t rows = request->name.rows, columns = request->name.columns;
    size_t panel_bytes = kernel->panel_bytes(columns);
    for (uint32_t row = 0; row < rows; row += ERX_PANEL_ROWS, panels += panel_bytes) {
        const int8_t *sources[ERX_PANEL_ROWS] = {NULL};
        if (atomic_load_explicit(&cache->cancelled, memory_order_relaxed))
            return false;
        for (uint32_t i = 0; i < ERX_PANEL_ROWS && row + i < rows; i++)
            sources[i] = request->weights + (size_t)(row + i) * columns;
        kernel->panel_pack(panels, sources, columns);
    }
    return true;
}

static void install(erx_matrix_cache_t *cache, const erx_matrix_name_t *name, erx_packed_t *slot)
{
    uint32_t bucket = bucket_of(name);
    slot->name = *name;
    slot->matrix = (erx_matrix_t){
        .panels = cache->region.base + slot->offset,
        .panel_count = ERX_CEIL_DIV(name->rows, ERX_PANEL_ROWS),
        .columns = name->columns,
        .panel_bytes = cache->config.kernel->panel_bytes(name->columns),
    };
    slot->used_ns = erx_clock_now();
    slot->bucket = bucket;
    slot->next = cache->buckets[bucket];
    slot->state = SLOT_LIVE;
    cache->buckets[bucket] = (uint32_t)(slot - cache->slots);
    cache->counters.entries++;
    cache->counters.packed++;
}

static void pack(erx_matrix_cache_t *cache, request_t *request)
{
    erx_packed_t *slot = make_room(cache, packed_bytes(cache, &request->name));
    request->state = REQUEST_PACKING;
    atomic_store_explicit(&cache->cancelled, false, memory_order_relaxed);
    if (slot != NULL) {
        (void)pthread_mutex_unlock(&cache->lock);
        bool is_packed = pack_panels(cache, request, cache->region.base + slot->offset);
        (void)pthread_mutex_lock(&cache->lock);
        /* Cancelled after the last panel, it must not be found either. */
        if (is_packed && !atomic_load_explicit(&cache->cancelled, memory_order_relaxed)) {
            install(cache, &request->name, slot);
        } else {
            slot->state = SLOT_RETIRED;
            free_if_unused(cache, slot);
        }
    }
    request->state = REQUEST_FREE;
    (void)pthread_cond_broadcast(&cache->done);
}

static void lower_priority(void)
{
    const struct sched_param parameter = {0};
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameter);
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), PACKING_NICE);
}

static void run(void *context)
{
    erx_matrix_cache_t *cache = context;
    lower_priority();
    (void)pthread_mutex_lock(&cache->lock);
    while (!cache->stop) {
        request_t *request = request_oldest(cache);
        if (request != NULL)
            pack(cache, request);
        else
            (void)pthread_cond_wait(&cache->work, &cache->lock);
    }
    (void)pthread_mutex_unlock(&cache->lock);
}

/* The interface */

erx_status_t erx_matrix_cache_open(const erx_matrix_cache_config_t *config,
                                   erx_matrix_cache_t **cache_out, erx_error_t *error)
{
    erx_matrix_cache_t *cache = erx_alloc(1, sizeof *cache);
    if (cache == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the cache of matrices");
    if (erx_region_open(&cache->region, config->bytes_max, ERX_NODE_ANY, error) != ERX_OK) {
        erx_free(cache);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a cache of %zu bytes",
                             config->bytes_max);
    }
    cache->config = *config;
    for (uint32_t i = 0; i < BUCKETS; i++)
        cache->buckets[i] = NONE;
    ERX_ASSERT(pthread_mutex_init(&cache->lock, NULL) == 0);
    ERX_ASSERT(pthread_cond_init(&cache->work, NULL) == 0);
    ERX_ASSERT(pthread_cond_init(&cache->done, NULL) == 0);
    if (erx_thread_open("erx-pack", run, cache, &cache->thread, error) != ERX_OK) {
        erx_matrix_cache_close(cache);
        return error->status;
    }
    *cache_out = cache;
    return ERX_OK;
}

void erx_matrix_cache_close(erx_matrix_cache_t *cache)
{
    if (cache == NULL)
        return;
    (void)pthread_mutex_lock(&cache->lock);
    cache->stop = true;
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_REQUESTS; i++)
        request_remove(cache, &cache->requests[i]);
    (void)pthread_cond_signal(&cache->work);
    (void)pthread_mutex_unlock(&cache->lock);
    erx_thread_close(cache->thread);
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_ENTRIES; i++)
        ERX_ASSERT(cache->slots[i].users == 0);
    (void)pthread_cond_destroy(&cache->done);
    (void)pthread_cond_destroy(&cache->work);
    (void)pthread_mutex_destroy(&cache->lock);
    erx_region_close(&cache->region);
    erx_free(cache);
}

const erx_packed_t *erx_matrix_cache_take(erx_matrix_cache_t *cache, const erx_matrix_name_t *name,
                                          const int8_t *weights)
{
    uint64_t now = erx_clock_now();
    (void)pthread_mutex_lock(&cache->lock);
    erx_packed_t *slot = find_slot(cache, name);
    if (slot != NULL && slot->name.version != name->version) {
        retire(cache, slot);
        cache->counters.dropped++;
        slot = NULL;
    }
    if (slot != NULL) {
        slot->users++;
        slot->used_ns = now;
        cache->counters.hits++;
    } else {
        cache->counters.misses++;
        request_packing(cache, name, weights, now);
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return slot;
}

void erx_matrix_cache_put(erx_matrix_cache_t *cache, const erx_packed_t *packed)
{
    (void)pthread_mutex_lock(&cache->lock);
    erx_packed_t *slot = &cache->slots[packed - cache->slots];
    ERX_ASSERT(slot->users > 0);
    slot->users--;
    free_if_unused(cache, slot);
    (void)pthread_mutex_unlock(&cache->lock);
}

const erx_matrix_t *erx_packed_matrix(const erx_packed_t *packed)
{
    return &packed->matrix;
}

/* Gives up what is asked of the account and waits until the thread has left it. */
static void stop_reading(erx_matrix_cache_t *cache, const uint8_t *account)
{
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_REQUESTS; i++) {
        request_t *request = &cache->requests[i];
        if (request->state == REQUEST_FREE || !same_account(&request->name, account))
            continue;
        request_remove(cache, request);
        uint64_t turn = request->turn;
        while (request->state == REQUEST_PACKING && request->turn == turn)
            (void)pthread_cond_wait(&cache->done, &cache->lock);
    }
}

void erx_matrix_cache_release(erx_matrix_cache_t *cache,
                              const uint8_t account[ERX_ACCOUNT_KEY_BYTES])
{
    (void)pthread_mutex_lock(&cache->lock);
    stop_reading(cache, account);
    (void)pthread_mutex_unlock(&cache->lock);
}

void erx_matrix_cache_forget(erx_matrix_cache_t *cache,
                             const uint8_t account[ERX_ACCOUNT_KEY_BYTES])
{
    (void)pthread_mutex_lock(&cache->lock);
    stop_reading(cache, account);
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_ENTRIES; i++) {
        erx_packed_t *slot = &cache->slots[i];
        if (slot->state == SLOT_LIVE && same_account(&slot->name, account)) {
            retire(cache, slot);
            cache->counters.dropped++;
        }
    }
    (void)pthread_mutex_unlock(&cache->lock);
}

static bool is_busy(const erx_matrix_cache_t *cache)
{
    for (uint32_t i = 0; i < ERX_MATRIX_CACHE_REQUESTS; i++)
        if (cache->requests[i].state != REQUEST_FREE)
            return true;
    return false;
}

void erx_matrix_cache_settle(erx_matrix_cache_t *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    while (is_busy(cache))
        (void)pthread_cond_wait(&cache->done, &cache->lock);
    (void)pthread_mutex_unlock(&cache->lock);
}

erx_matrix_cache_counters_t erx_matrix_cache_counters(erx_matrix_cache_t *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    erx_matrix_cache_counters_t counters = cache->counters;
    (void)pthread_mutex_unlock(&cache->lock);
    return counters;
}
