/* Shared read-only weight pages.
 *
 * A model's packed image is written once to sealed anonymous shared memory
 * (memfd, huge pages where given) and mapped read-only. Every engine on the
 * host that runs as the same user and asks for the same key maps the same
 * physical pages.
 *
 * How a second process finds them: each holder publishes a small file
 * `<pid>-<fd>` in `/dev/shm/erx-<uid>/<key>/`; a newcomer opens
 * `/proc/<pid>/fd/<fd>` of a live holder, checks seals, owner, size, key and
 * the digest in the trailer behind the image, maps it, and publishes itself.
 * Files of holders that are gone are removed on the way, and so is the
 * directory by the last one. A lock file beside them makes sure that two
 * newcomers do not both pack. Where /dev/shm or /proc cannot be used, the
 * image is private to the process: slower to load, never wrong. */
#ifndef ERX_MEM_WEIGHTS_H
#define ERX_MEM_WEIGHTS_H

#include "mem/status.h"

/* What makes two images the same bytes. */
typedef struct {
    uint8_t model_hash[32];  /* SHA-256 over everything the image is made from */
    char layout[24];         /* name of the packed layout, e.g. "avx512vnni" */
    uint32_t layout_version; /* grows with every change of the packed bytes */
    uint32_t node;           /* NUMA node that this copy is for */
} erx_weights_key_t;

typedef struct erx_weights erx_weights_t;

/* Writes the image into bytes[0, size), which is zeroed and 2 MiB aligned. */
typedef erx_status_t (*erx_weights_fill_fn)(void *context, uint8_t *bytes, size_t size,
                                            erx_error_t *error);

/* Maps the image of key, of exactly size bytes (> 0); calls fill only when no
 * live holder has it. bind_node: NUMA node to place new pages on (the operating
 * system's number), or ERX_NODE_ANY. Errors: those of fill, ERX_ERR_MEMORY.
 * Thread rule: control plane. */
erx_status_t erx_weights_attach(const erx_weights_key_t *key, size_t size, int bind_node,
                                erx_weights_fill_fn fill, void *context,
                                erx_weights_t **weights_out, erx_error_t *error);

/* The same with another directory in place of /dev/shm; NULL: never share. */
erx_status_t erx_weights_attach_at(const char *root, const erx_weights_key_t *key, size_t size,
                                   int bind_node, erx_weights_fill_fn fill, void *context,
                                   erx_weights_t **weights_out, erx_error_t *error);

/* First byte of the image: read-only, 2 MiB aligned, valid until detach. */
const uint8_t *erx_weights_bytes(const erx_weights_t *weights);

/* Whether attach found the pages of another holder instead of packing. */
bool erx_weights_shared(const erx_weights_t *weights);

/* Unmaps and withdraws the publication. NULL is allowed. */
void erx_weights_detach(erx_weights_t *weights);

#endif
