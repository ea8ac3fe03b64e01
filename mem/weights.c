#include "mem/weights.h"

#include "mem/alloc.h"
#include "mem/assert.h"
#include "mem/pages.h"
#include "mem/weights_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define SHARED_ROOT "/dev/shm"
#define MEMFD_NAME  "erx-weights"
#define IMAGE_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define NO_FD       (-1)
/* Far above any model, far below where sums of sizes overflow. */
#define IMAGE_BYTES_MAX (SIZE_MAX / 4)

ERX_STATIC_ASSERT(sizeof(erx_weights_key_t) == 64, "the key is compared as bytes: no padding");

/* What follows the image in the file (host byte order: it never leaves the
 * host). Valid if and only if: the magic is right, key and size are those that
 * the newcomer asks for, and digest is XXH3-128 of the image's size bytes. */
typedef struct {
    char magic[8];
    uint64_t size;
    erx_weights_key_t key;
    XXH128_canonical_t digest;
} trailer_t;

static const char TRAILER_MAGIC[8] = {'E', 'R', 'X', 'W', 'I', 'M', 'G', '1'};

struct erx_weights {
    erx_weights_key_t key; /* every byte defined: compared and hashed whole */
    size_t size;           /* of the image */
    size_t trailer_offset;
    size_t mapped_bytes; /* image and trailer, whole huge pages */
    uint8_t *base;       /* NULL until mapped */
    int fd;              /* the shared pages; NO_FD: private */
    bool shared;         /* another holder packed them */
    bool store_open;
    erx_weights_store_t store;
};

static void write_digest(const erx_weights_t *weights, XXH128_canonical_t *digest_out)
{
    XXH128_canonicalFromHash(digest_out, XXH3_128bits(weights->base, weights->size));
}

/* Whether fd is a file whose bytes can never change again, of this user and of
 * the right length. */
static bool sealed_by_us(const erx_weights_t *weights, int fd)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & IMAGE_SEALS) == IMAGE_SEALS && fstat(fd, &status) == 0 &&
           status.st_uid == geteuid() && status.st_size == (off_t)weights->mapped_bytes;
}

static bool trailer_fits(const erx_weights_t *weights)
{
    trailer_t trailer;
    memcpy(&trailer, weights->base + weights->trailer_offset, sizeof trailer);
    if (memcmp(trailer.magic, TRAILER_MAGIC, sizeof trailer.magic) != 0 ||
        trailer.size != weights->size ||
        memcmp(&trailer.key, &weights->key, sizeof trailer.key) != 0)
        return false;
    XXH128_canonical_t digest;
    write_digest(weights, &digest);
    return memcmp(&digest, &trailer.digest, sizeof digest) == 0;
}

static void unmap(erx_weights_t *weights)
{
    if (weights->base != NULL)
        (void)munmap(weights->base, weights->mapped_bytes);
    weights->base = NULL;
}

/* erx_weights_accept_fn: maps what another holder published, if it is the
 * image that this process wants. */
static bool map_published(void *context, int fd)
{
    erx_weights_t *weights = context;
    if (!sealed_by_us(weights, fd))
        return false;
    weights->base = erx_pages_map(weights->mapped_bytes, fd, PROT_READ);
    if (weights->base == NULL)
        return false;
    erx_pages_collapse(weights->base, weights->mapped_bytes);
    if (trailer_fits(weights))
        return true;
    unmap(weights);
    return false;
}

/* A memfd of the image's length, NO_FD where the system has none. */
static int create_file(const erx_weights_t *weights)
{
    int fd = memfd_create(MEMFD_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && ftruncate(fd, (off_t)weights->mapped_bytes) != 0) {
        (void)close(fd);
        fd = NO_FD;
    }
    return fd;
}

static void write_trailer(const erx_weights_t *weights)
{
    trailer_t trailer = {.size = weights->size, .key = weights->key};
    memcpy(trailer.magic, TRAILER_MAGIC, sizeof trailer.magic);
    write_digest(weights, &trailer.digest);
    memcpy(weights->base + weights->trailer_offset, &trailer, sizeof trailer);
}

static erx_status_t report_memory(const erx_weights_t *weights, erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_MEMORY,
                         "cannot map %zu bytes of weights (%s): free memory or load fewer models",
                         weights->mapped_bytes, strerror(errno));
}

/* Makes the image read-only for good. The kernel refuses the write seal while
 * a writable mapping exists, so it is unmapped first and mapped anew. */
static erx_status_t freeze(erx_weights_t *weights, erx_error_t *error)
{
    erx_pages_collapse(weights->base, weights->mapped_bytes);
    if (weights->fd == NO_FD) {
        if (mprotect(weights->base, weights->mapped_bytes, PROT_READ) != 0)
            return report_memory(weights, error);
        return ERX_OK;
    }
    unmap(weights);
    /* Should it fail, this process still has its image, and newcomers refuse
     * a file without seals and pack their own. */
    (void)fcntl(weights->fd, F_ADD_SEALS, IMAGE_SEALS);
    weights->base = erx_pages_map(weights->mapped_bytes, weights->fd, PROT_READ);
    if (weights->base == NULL)
        return report_memory(weights, error);
    erx_pages_collapse(weights->base, weights->mapped_bytes);
    return ERX_OK;
}

static erx_status_t pack(erx_weights_t *weights, int bind_node, erx_weights_fill_fn fill,
                         void *context, erx_error_t *error)
{
    /* Without a store nobody could find a file: plain private memory then. */
    weights->fd = weights->store_open ? create_file(weights) : NO_FD;
    weights->base = erx_pages_map(weights->mapped_bytes, weights->fd, PROT_READ | PROT_WRITE);
    if (weights->base == NULL)
        return report_memory(weights, error);
    erx_pages_place(weights->base, weights->mapped_bytes, bind_node);
    if (!erx_pages_populate(weights->base, weights->mapped_bytes))
        return report_memory(weights, error);
    erx_status_t status = fill(context, weights->base, weights->size, error);
    if (status != ERX_OK)
        return status;
    write_trailer(weights);
    return freeze(weights, error);
}

/* The key's directory name. Process numbers mean nothing outside their PID
 * namespace, so holders in different ones do not meet. */
static void name_key(const erx_weights_key_t *key, char name[ERX_WEIGHTS_STORE_NAME_BYTES])
{
    struct {
        erx_weights_key_t key;
        uint64_t pid_namespace;
    } identity = {.key = *key};
    struct stat status;
    if (stat("/proc/self/ns/pid", &status) == 0)
        identity.pid_namespace = status.st_ino;
    XXH128_hash_t hash = XXH3_128bits(&identity, sizeof identity);
    (void)snprintf(name, ERX_WEIGHTS_STORE_NAME_BYTES, "%016llx%016llx",
                   (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

static erx_weights_t *create(const erx_weights_key_t *key, size_t size)
{
    erx_weights_t *weights = erx_alloc(1, sizeof *weights);
    if (weights == NULL)
        return NULL;
    weights->key = *key;
    /* What stands behind the end of the name must not make keys differ. */
    size_t length = strnlen(key->layout, sizeof key->layout);
    memset(weights->key.layout + length, 0, sizeof key->layout - length);
    weights->size = size;
    weights->fd = NO_FD;
    weights->trailer_offset = ERX_ALIGN_UP(size, (size_t)ERX_CACHE_LINE);
    weights->mapped_bytes =
        ERX_ALIGN_UP(weights->trailer_offset + sizeof(trailer_t), ERX_HUGE_PAGE);
    return weights;
}

erx_status_t erx_weights_attach_at(const char *root, const erx_weights_key_t *key, size_t size,
                                   int bind_node, erx_weights_fill_fn fill, void *context,
                                   erx_weights_t **weights_out, erx_error_t *error)
{
    ERX_ASSERT(size > 0);
    erx_weights_t *weights = size <= IMAGE_BYTES_MAX ? create(key, size) : NULL;
    if (weights == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for weights of %zu bytes", size);
    if (root != NULL) {
        char name[ERX_WEIGHTS_STORE_NAME_BYTES];
        name_key(&weights->key, name);
        weights->store_open = erx_weights_store_open(&weights->store, root, name);
    }
    if (weights->store_open)
        weights->fd = erx_weights_store_find(&weights->store, map_published, weights);
    weights->shared = weights->fd != NO_FD;
    if (!weights->shared) {
        erx_status_t status = pack(weights, bind_node, fill, context, error);
        if (status != ERX_OK) {
            erx_weights_detach(weights);
            return status;
        }
    }
    if (weights->store_open) {
        if (weights->fd != NO_FD)
            erx_weights_store_publish(&weights->store, weights->fd);
        erx_weights_store_unlock(&weights->store);
    }
    *weights_out = weights;
    return ERX_OK;
}

erx_status_t erx_weights_attach(const erx_weights_key_t *key, size_t size, int bind_node,
                                erx_weights_fill_fn fill, void *context,
                                erx_weights_t **weights_out, erx_error_t *error)
{
    return erx_weights_attach_at(SHARED_ROOT, key, size, bind_node, fill, context, weights_out,
                                 error);
}

const uint8_t *erx_weights_bytes(const erx_weights_t *weights)
{
    return weights->base;
}

bool erx_weights_shared(const erx_weights_t *weights)
{
    return weights->shared;
}

void erx_weights_detach(erx_weights_t *weights)
{
    if (weights == NULL)
        return;
    if (weights->store_open)
        erx_weights_store_close(&weights->store, weights->fd);
    unmap(weights);
    if (weights->fd != NO_FD)
        (void)close(weights->fd);
    erx_free(weights);
}
