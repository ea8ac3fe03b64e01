/* The meeting place of the holders of one key: a directory of publications
 * and the lock beside them. weights.h describes the protocol, README.md the
 * failures that it stands. Used by mem/weights.c only; control plane. */
#ifndef ERX_MEM_WEIGHTS_STORE_H
#define ERX_MEM_WEIGHTS_STORE_H

#include "mem/base.h"

#define ERX_WEIGHTS_STORE_NAME_BYTES 33u /* 32 hexadecimal digits and a zero */

typedef struct {
    int user_fd; /* <root>/erx-<uid>/ */
    int key_fd;  /* <root>/erx-<uid>/<name>/ */
    int lock_fd; /* its lock file; -1 while the lock is not held */
    char name[ERX_WEIGHTS_STORE_NAME_BYTES];
} erx_weights_store_t;

/* Whether the pages behind fd may be used. */
typedef bool (*erx_weights_accept_fn)(void *context, int fd);

/* Opens (creating them where needed) the directories under root and takes the
 * key's lock, waiting for a bounded time. name is the key's. False where that
 * cannot be done safely: no such root, a directory that another user owns or
 * may enter, no /proc, a holder of the lock that does not move on. */
bool erx_weights_store_open(erx_weights_store_t *store_out, const char *root, const char *name);

/* Opens what each publication names until accept takes one: that descriptor is
 * returned and owned by the caller; -1 when there is none. Publications whose
 * holder is gone, or that accept refuses, are removed. Lock held. */
int erx_weights_store_find(erx_weights_store_t *store, erx_weights_accept_fn accept, void *context);

/* Publishes fd of this process. Lock held. */
void erx_weights_store_publish(erx_weights_store_t *store, int fd);

/* Lets go of the lock; the publication stays. */
void erx_weights_store_unlock(erx_weights_store_t *store);

/* Withdraws the publication of fd (-1: there is none), removes the directory
 * when nobody else is left in it, and closes the store. Call it before closing
 * fd, or another file under the same number would be published. */
void erx_weights_store_close(erx_weights_store_t *store, int fd);

#endif
