#include "mem/weights_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PRIVATE_MODE      0700
#define LOCK_NAME         "lock"
#define LOCK_POLL_NS      10000000L /* 10 ms */
#define LOCK_POLLS_MAX    6000u     /* 60 s: packing the largest model takes far less */
#define OPEN_TRIES_MAX    16u
#define PUBLICATION_BYTES 32u /* two decimal ints, a hyphen, a zero */
#define PROC_PATH_BYTES   64u

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static bool same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Opens or makes a directory that only this user can enter; -1 where it is
 * somebody else's, or open to others, who could then plant publications. */
static int open_private_directory(int parent_fd, const char *name)
{
    if (mkdirat(parent_fd, name, PRIVATE_MODE) != 0 && errno != EEXIST)
        return -1;
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_uid != geteuid() ||
        (status.st_mode & ALLPERMS) != PRIVATE_MODE)
        close_fd(&fd);
    return fd;
}

/* A stopped holder must not stop this process too, hence polls and a limit
 * rather than a lock that waits forever. */
static bool lock_bounded(int fd)
{
    for (unsigned poll = 0; poll < LOCK_POLLS_MAX; poll++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        struct timespec pause = {.tv_nsec = LOCK_POLL_NS};
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

/* Whether the lock file that fd has locked still goes by its name: the last
 * holder may have removed it while this process waited. */
static bool lock_is_current(const erx_weights_store_t *store, int fd)
{
    struct stat locked;
    struct stat named;
    return fstat(fd, &locked) == 0 &&
           fstatat(store->key_fd, LOCK_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           same_file(&locked, &named);
}

/* Opens the key's directory and lock file and locks it. False with *again when
 * the last holder removed them meanwhile. */
static bool lock_key(erx_weights_store_t *store, bool *again)
{
    *again = false;
    store->key_fd = open_private_directory(store->user_fd, store->name);
    if (store->key_fd < 0) {
        *again = errno == ENOENT;
        return false;
    }
    store->lock_fd =
        openat(store->key_fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (store->lock_fd < 0) {
        *again = errno == ENOENT;
        return false;
    }
    if (!lock_bounded(store->lock_fd))
        return false;
    *again = !lock_is_current(store, store->lock_fd);
    return !*again;
}

static void proc_path(char path[PROC_PATH_BYTES], int pid, int fd)
{
    (void)snprintf(path, PROC_PATH_BYTES, "/proc/%d/fd/%d", pid, fd);
}

/* Whether /proc shows this process' descriptors under the number that getpid
 * gives. Without that every publication would look like one of the dead. */
static bool proc_works(int fd)
{
    char path[PROC_PATH_BYTES];
    proc_path(path, (int)getpid(), fd);
    struct stat direct;
    struct stat through_proc;
    return fstat(fd, &direct) == 0 && stat(path, &through_proc) == 0 &&
           same_file(&direct, &through_proc);
}

void erx_weights_store_unlock(erx_weights_store_t *store)
{
    /* Explicitly: a child that was forked meanwhile has the descriptor too,
     * and closing ours alone would leave the lock to it. */
    if (store->lock_fd >= 0)
        (void)flock(store->lock_fd, LOCK_UN);
    close_fd(&store->lock_fd);
}

static void close_all(erx_weights_store_t *store)
{
    erx_weights_store_unlock(store);
    close_fd(&store->key_fd);
    close_fd(&store->user_fd);
}

bool erx_weights_store_open(erx_weights_store_t *store_out, const char *root, const char *name)
{
    erx_weights_store_t store = {.user_fd = -1, .key_fd = -1, .lock_fd = -1};
    (void)snprintf(store.name, sizeof store.name, "%s", name);
    char user_name[32];
    (void)snprintf(user_name, sizeof user_name, "erx-%u", (unsigned)geteuid());
    int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return false;
    store.user_fd = open_private_directory(root_fd, user_name);
    close_fd(&root_fd);
    bool locked = false;
    bool again = store.user_fd >= 0;
    for (unsigned try = 0; again && try < OPEN_TRIES_MAX; try++) {
        locked = lock_key(&store, &again);
        if (!locked) {
            close_fd(&store.lock_fd);
            close_fd(&store.key_fd);
        }
    }
    if (locked && proc_works(store.lock_fd)) {
        *store_out = store;
        return true;
    }
    close_all(&store);
    return false;
}

/* Reads "<pid>-<fd>". False for every other name, and for "." and "..". */
static bool parse_publication(const char *name, int *pid_out, int *fd_out)
{
    char again[PUBLICATION_BYTES];
    if (sscanf(name, "%9d-%9d", pid_out, fd_out) != 2 || *pid_out <= 0 || *fd_out < 0)
        return false;
    (void)snprintf(again, sizeof again, "%d-%d", *pid_out, *fd_out);
    return strcmp(again, name) == 0;
}

typedef enum { HOLDER_OPENED, HOLDER_GONE, HOLDER_UNREADABLE } holder_t;

/* Opens the pages behind a publication. A process number may have been used
 * again since, by a process that has anything at all under that descriptor:
 * so look at what it is before opening it. */
static holder_t open_holder(int pid, int fd, int *opened_out)
{
    char path[PROC_PATH_BYTES];
    proc_path(path, pid, fd);
    struct stat status;
    if (stat(path, &status) != 0)
        return errno == ENOENT ? HOLDER_GONE : HOLDER_UNREADABLE;
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
        return HOLDER_GONE;
    *opened_out = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*opened_out < 0)
        return errno == ENOENT ? HOLDER_GONE : HOLDER_UNREADABLE;
    return HOLDER_OPENED;
}

/* A second stream over the key's directory, from its beginning. */
static DIR *list_key(const erx_weights_store_t *store)
{
    int fd = openat(store->key_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    DIR *directory = fdopendir(fd);
    if (directory == NULL)
        close_fd(&fd);
    return directory;
}

int erx_weights_store_find(erx_weights_store_t *store, erx_weights_accept_fn accept, void *context)
{
    DIR *directory = list_key(store);
    if (directory == NULL)
        return -1;
    int found = -1;
    const struct dirent *entry;
    while (found < 0 && (entry = readdir(directory)) != NULL) {
        int pid;
        int fd;
        if (!parse_publication(entry->d_name, &pid, &fd))
            continue;
        int opened = -1;
        holder_t holder = open_holder(pid, fd, &opened);
        if (holder == HOLDER_OPENED && accept(context, opened)) {
            found = opened;
            continue;
        }
        close_fd(&opened);
        if (holder != HOLDER_UNREADABLE)
            (void)unlinkat(store->key_fd, entry->d_name, 0);
    }
    (void)closedir(directory);
    return found;
}

static void publication_name(char name[PUBLICATION_BYTES], int fd)
{
    (void)snprintf(name, PUBLICATION_BYTES, "%d-%d", (int)getpid(), fd);
}

void erx_weights_store_publish(erx_weights_store_t *store, int fd)
{
    char name[PUBLICATION_BYTES];
    publication_name(name, fd);
    /* One that is there already is of a dead process with the same numbers,
     * and now tells the truth. Failure to publish only costs the sharing. */
    int file = openat(store->key_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    close_fd(&file);
}

static bool has_publications(const erx_weights_store_t *store)
{
    DIR *directory = list_key(store);
    if (directory == NULL)
        return true;
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(directory)) != NULL) {
        int pid;
        int fd;
        found = parse_publication(entry->d_name, &pid, &fd);
    }
    (void)closedir(directory);
    return found;
}

/* Removes the lock and the directory when the store is empty. Only under the
 * lock, and only if nobody else has it: whoever waits for a lock file that is
 * removed notices (lock_key) and starts again. */
static void remove_empty(erx_weights_store_t *store)
{
    int fd = openat(store->key_fd, LOCK_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        if (lock_is_current(store, fd) && !has_publications(store)) {
            (void)unlinkat(store->key_fd, LOCK_NAME, 0);
            (void)unlinkat(store->user_fd, store->name, AT_REMOVEDIR);
        }
        (void)flock(fd, LOCK_UN);
    }
    close_fd(&fd);
}

void erx_weights_store_close(erx_weights_store_t *store, int fd)
{
    if (fd >= 0) {
        char name[PUBLICATION_BYTES];
        publication_name(name, fd);
        (void)unlinkat(store->key_fd, name, 0);
    }
    erx_weights_store_unlock(store); /* or remove_empty would find it taken */
    remove_empty(store);
    close_all(store);
}
