#include "engine/data_file.h"

#include "mem/alloc.h"
#include "mem/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CHUNK_BYTES    ((size_t)1 << 20) /* of one write of zeros */
#define DIRECTORY_MODE 0755
#define FILE_MODE      0644
#define SHOWN_MAX      256u   /* bytes of a path in an error */
#define DRAFT_SUFFIX   ".new" /* of a file that is not whole yet */

typedef struct {
    int reason; /* errno */
    erx_status_t status;
    const char *advice;
} refusal_t;

static const refusal_t refusals[] = {
    {ENOENT, ERX_ERR_NOT_FOUND, "create the directory, or name another one"},
    {ENOTDIR, ERX_ERR_NOT_FOUND, "a part of the path is a file; name a directory"},
    {EACCES, ERX_ERR_PERMISSION, "let this user write there, or name another directory"},
    {EPERM, ERX_ERR_PERMISSION, "let this user write there, or name another directory"},
    {EROFS, ERX_ERR_PERMISSION, "mount the file system for writing, or name another directory"},
    {ENOSPC, ERX_ERR_FULL, "free space, or name a directory on another file system"},
    {EDQUOT, ERX_ERR_FULL, "raise the quota, or name a directory on another file system"},
    {EFBIG, ERX_ERR_FULL, "raise the file size limit (ulimit -f)"},
    {EEXIST, ERX_ERR_STATE, "remove it, or name another directory"},
    {ENAMETOOLONG, ERX_ERR_ARGUMENT, "use a shorter path"},
    {EMFILE, ERX_ERR_FULL, "raise the limit of open files (ulimit -n)"},
    {ENOMEM, ERX_ERR_MEMORY, "free memory"},
};

/* The end of a path, so that what follows it fits into an error. */
static const char *tail(const char *path)
{
    size_t length = strlen(path);
    return length > SHOWN_MAX ? path + (length - SHOWN_MAX) : path;
}

/* "path: cannot do (reason): advice". */
static erx_status_t refuse_with(const char *path, const char *doing, int reason,
                                erx_status_t status, const char *advice, erx_error_t *error)
{
    return erx_error_set(error, status, "%s: cannot %s (%s): %s", tail(path), doing,
                         strerror(reason), advice);
}

static erx_status_t refuse(const char *path, const char *doing, int reason, erx_error_t *error)
{
    erx_status_t status = ERX_ERR_IO;
    const char *advice = "check the disk (dmesg, smartctl)";
    for (size_t i = 0; i < ERX_COUNT(refusals); i++)
        if (refusals[i].reason == reason) {
            status = refusals[i].status;
            advice = refusals[i].advice;
        }
    return refuse_with(path, doing, reason, status, advice, error);
}

/* A file that is to be read: it is not made where there is none. */
static erx_status_t refuse_open(const char *path, int reason, erx_error_t *error)
{
    static const char doing[] = "open the file";
    if (reason == ENOENT)
        return refuse_with(path, doing, reason, ERX_ERR_NOT_FOUND, "name a directory that has it",
                           error);
    return refuse(path, doing, reason, error);
}

static erx_status_t join(const char *directory, const char *name, const char *suffix,
                         char path_out[ERX_DATA_PATH_MAX], erx_error_t *error)
{
    int length = snprintf(path_out, ERX_DATA_PATH_MAX, "%s/%s%s", directory, name, suffix);
    if (length < 0 || length >= (int)ERX_DATA_PATH_MAX)
        return erx_error_set(error, ERX_ERR_ARGUMENT,
                             "%.64s...: cannot hold %s: use a shorter path", directory, name);
    return ERX_OK;
}

/* Directories ------------------------------------------------------------- */

erx_status_t erx_data_directory_sync(const char *directory, erx_error_t *error)
{
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return refuse(directory, "open the directory", errno, error);
    int result = fsync(descriptor);
    int reason = errno;
    (void)close(descriptor);
    return result == 0 ? ERX_OK : refuse(directory, "make its names durable", reason, error);
}

static erx_status_t sync_parent(const char *path, erx_error_t *error)
{
    char copy[ERX_DATA_PATH_MAX];
    int length = snprintf(copy, sizeof copy, "%s", path);
    if (length < 0 || (size_t)length >= sizeof copy)
        return refuse(path, "sync the directory above", ENAMETOOLONG, error);
    return erx_data_directory_sync(dirname(copy), error);
}

erx_status_t erx_data_directory_prepare(const char *directory, erx_error_t *error)
{
    if (mkdir(directory, DIRECTORY_MODE) == 0)
        return sync_parent(directory, error);
    if (errno != EEXIST)
        return refuse(directory, "create the directory", errno, error);
    struct stat facts;
    if (stat(directory, &facts) != 0)
        return refuse(directory, "open the directory", errno, error);
    if (!S_ISDIR(facts.st_mode))
        return refuse(directory, "open the directory", ENOTDIR, error);
    if (access(directory, R_OK | W_OK | X_OK) != 0)
        return refuse(directory, "write to the directory", errno, error);
    return ERX_OK;
}

erx_status_t erx_data_directory_space(const char *directory, uint64_t bytes, erx_error_t *error)
{
    struct statvfs facts;
    if (statvfs(directory, &facts) != 0)
        return refuse(directory, "ask for free space", errno, error);
    uint64_t blocks = geteuid() == 0 ? facts.f_bfree : facts.f_bavail;
    uint64_t free_bytes = blocks * facts.f_frsize;
    if (free_bytes >= bytes)
        return ERX_OK;
    return erx_error_set(error, ERX_ERR_FULL,
                         "%s: needs %llu MiB, but the file system has %llu MiB free: free space, "
                         "or name a directory on another file system",
                         tail(directory),
                         (unsigned long long)ERX_CEIL_DIV(bytes, (uint64_t)1 << 20),
                         (unsigned long long)(free_bytes >> 20));
}

void erx_data_directory_note(const char *directory, char note_out[ERX_IO_NOTE_MAX])
{
    static const struct {
        unsigned long magic;
        const char *text;
    } notes[] = {
        {TMPFS_MAGIC, "is in memory (tmpfs): nothing there survives a restart of the machine"},
        {RAMFS_MAGIC, "is in memory (ramfs): nothing there survives a restart of the machine"},
        {BTRFS_SUPER_MAGIC, "is on btrfs, which copies on write: a disk that fills up later can "
                            "still stop the engine"},
        {NFS_SUPER_MAGIC, "is on NFS: durable is what the server calls so"},
    };
    note_out[0] = '\0';
    struct statfs facts;
    if (statfs(directory, &facts) != 0)
        return;
    for (size_t i = 0; i < ERX_COUNT(notes); i++)
        if ((unsigned long)facts.f_type == notes[i].magic)
            (void)snprintf(note_out, ERX_IO_NOTE_MAX, "%.*s %s", (int)ERX_IO_NAME_MAX, directory,
                           notes[i].text);
}

/* Files of fixed size ------------------------------------------------------ */

/* Opens past the page cache where the file system can. */
static int open_direct(const char *path, int flags, bool *direct_out)
{
    *direct_out = true;
    int descriptor = open(path, flags | O_DIRECT | O_CLOEXEC, FILE_MODE);
    if (descriptor >= 0 || errno != EINVAL)
        return descriptor;
    *direct_out = false;
    /* The refused call may have created it. */
    return open(path, (flags & ~O_EXCL) | O_CLOEXEC, FILE_MODE);
}

/* The limit would be a signal that ends the process, not an error. */
static erx_status_t check_size_limit(const char *path, uint64_t bytes, erx_error_t *error)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= bytes)
        return ERX_OK;
    return refuse(path, "create the file", EFBIG, error);
}

static erx_status_t write_zeros(const erx_data_file_t *file, erx_data_progress_fn progress,
                                void *context, erx_error_t *error)
{
    void *zeros = mmap(NULL, CHUNK_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (zeros == MAP_FAILED)
        return refuse(file->path, "fill the file", ENOMEM, error);
    erx_status_t status = ERX_OK;
    for (uint64_t done = 0; status == ERX_OK && done < file->bytes;) {
        size_t size = (size_t)ERX_MIN(file->bytes - done, CHUNK_BYTES);
        ssize_t count = pwrite(file->descriptor, zeros, size, (off_t)done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0 || count % ERX_IO_ALIGNMENT != 0) {
            status = refuse(file->path, "fill the file", count < 0 ? errno : ENOSPC, error);
            break;
        }
        done += (uint64_t)count;
        if (progress != NULL)
            progress(context, done, file->bytes);
    }
    (void)munmap(zeros, CHUNK_BYTES);
    return status;
}

/* Takes the space at once, so that a disk without it refuses before the long
 * work, fills it, so that no extent is left to be converted at run time, and
 * makes it durable. */
static erx_status_t fill(const erx_data_file_t *file, erx_data_progress_fn progress, void *context,
                         erx_error_t *error)
{
    if (fallocate(file->descriptor, 0, 0, (off_t)file->bytes) != 0 && errno != EOPNOTSUPP)
        return refuse(file->path, "take the space of the file", errno, error);
    erx_status_t status = write_zeros(file, progress, context, error);
    if (status == ERX_OK && fsync(file->descriptor) != 0)
        status = refuse(file->path, "make the file durable", errno, error);
    return status;
}

/* Gives a whole draft its name. */
static erx_status_t publish(const char *directory, const char *draft, const char *path,
                            erx_error_t *error)
{
    if (rename(draft, path) != 0)
        return refuse(path, "create the file", errno, error);
    erx_status_t status = erx_data_directory_sync(directory, error);
    if (status != ERX_OK)
        (void)unlink(path);
    return status;
}

erx_status_t erx_data_file_create(const char *directory, const char *name, uint64_t bytes,
                                  erx_data_progress_fn progress, void *context,
                                  erx_data_file_t *file_out, erx_error_t *error)
{
    ERX_ASSERT(bytes >= ERX_IO_ALIGNMENT && bytes % ERX_IO_ALIGNMENT == 0);
    *file_out = (erx_data_file_t){.descriptor = -1, .bytes = bytes};
    char draft[ERX_DATA_PATH_MAX];
    erx_status_t status = join(directory, name, DRAFT_SUFFIX, draft, error);
    if (status == ERX_OK)
        status = join(directory, name, "", file_out->path, error);
    if (status == ERX_OK)
        status = check_size_limit(file_out->path, bytes, error);
    if (status != ERX_OK)
        return status;
    if (access(file_out->path, F_OK) == 0)
        return refuse(file_out->path, "create the file", EEXIST, error);
    (void)unlink(draft); /* of a creation that was killed */
    file_out->descriptor = open_direct(draft, O_RDWR | O_CREAT | O_EXCL, &file_out->direct);
    if (file_out->descriptor < 0)
        return refuse(file_out->path, "create the file", errno, error);
    status = fill(file_out, progress, context, error);
    if (status == ERX_OK)
        status = publish(directory, draft, file_out->path, error);
    if (status != ERX_OK) {
        (void)unlink(draft);
        erx_data_file_close(file_out);
    }
    return status;
}

static erx_status_t open_existing(const char *directory, const char *name, int flags,
                                  erx_data_file_t *file_out, erx_error_t *error)
{
    *file_out = (erx_data_file_t){.descriptor = -1};
    erx_status_t status = join(directory, name, "", file_out->path, error);
    if (status != ERX_OK)
        return status;
    /* Without O_NONBLOCK a FIFO of that name would hang the caller. */
    file_out->descriptor = open_direct(file_out->path, flags | O_NONBLOCK, &file_out->direct);
    if (file_out->descriptor < 0)
        return refuse_open(file_out->path, errno, error);
    struct stat facts;
    if (fstat(file_out->descriptor, &facts) != 0)
        status = refuse(file_out->path, "ask for the file's size", errno, error);
    else if (!S_ISREG(facts.st_mode) || facts.st_size <= 0 || facts.st_size % ERX_IO_ALIGNMENT != 0)
        status = erx_error_set(error, ERX_ERR_FORMAT,
                               "%s: is not a regular file of whole blocks of %u bytes: restore it "
                               "from a backup",
                               tail(file_out->path), ERX_IO_ALIGNMENT);
    else
        file_out->bytes = (uint64_t)facts.st_size;
    if (status != ERX_OK)
        erx_data_file_close(file_out);
    return status;
}

erx_status_t erx_data_file_open(const char *directory, const char *name, uint64_t bytes,
                                erx_data_file_t *file_out, erx_error_t *error)
{
    erx_status_t status = open_existing(directory, name, O_RDWR, file_out, error);
    if (status != ERX_OK || bytes == 0 || file_out->bytes == bytes)
        return status;
    status = erx_error_set(
        error, ERX_ERR_FORMAT, "%s: has %llu bytes, must have %llu: restore it from a backup",
        tail(file_out->path), (unsigned long long)file_out->bytes, (unsigned long long)bytes);
    erx_data_file_close(file_out);
    return status;
}

erx_status_t erx_data_file_open_read_only(const char *directory, const char *name,
                                          erx_data_file_t *file_out, erx_error_t *error)
{
    return open_existing(directory, name, O_RDONLY, file_out, error);
}

erx_io_file_t erx_data_file_io(const erx_data_file_t *file)
{
    return (erx_io_file_t){
        .descriptor = file->descriptor, .bytes = file->bytes, .name = file->path};
}

void erx_data_file_close(erx_data_file_t *file)
{
    if (file->path[0] != '\0' && file->descriptor >= 0)
        (void)close(file->descriptor);
    *file = (erx_data_file_t){.descriptor = -1};
}

/* Small files -------------------------------------------------------------- */

static erx_status_t write_whole(int descriptor, const char *path, const void *bytes, size_t size,
                                erx_error_t *error)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = write(descriptor, (const uint8_t *)bytes + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return refuse(path, "write the file", count < 0 ? errno : ENOSPC, error);
        done += (size_t)count;
    }
    return fsync(descriptor) == 0 ? ERX_OK : refuse(path, "make the file durable", errno, error);
}

erx_status_t erx_data_small_write(const char *directory, const char *name, const void *bytes,
                                  size_t size, erx_error_t *error)
{
    ERX_ASSERT(size <= ERX_DATA_SMALL_FILE_MAX);
    char path[ERX_DATA_PATH_MAX];
    char draft[ERX_DATA_PATH_MAX];
    erx_status_t status = join(directory, name, "", path, error);
    if (status == ERX_OK)
        status = join(directory, name, DRAFT_SUFFIX, draft, error);
    if (status == ERX_OK)
        status = check_size_limit(path, size, error);
    if (status != ERX_OK)
        return status;
    int descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (descriptor < 0)
        return refuse(path, "create the file", errno, error);
    status = write_whole(descriptor, path, bytes, size, error);
    (void)close(descriptor);
    if (status == ERX_OK && rename(draft, path) != 0)
        status = refuse(path, "replace the file", errno, error);
    if (status != ERX_OK) {
        (void)unlink(draft);
        return status;
    }
    return erx_data_directory_sync(directory, error);
}

static erx_status_t read_whole(int descriptor, const char *path, uint8_t *bytes, size_t size,
                               erx_error_t *error)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = read(descriptor, bytes + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return refuse(path, "read the file", count < 0 ? errno : EIO, error);
        done += (size_t)count;
    }
    return ERX_OK;
}

static erx_status_t load(int descriptor, const char *path, void **bytes_out, size_t *size_out,
                         erx_error_t *error)
{
    struct stat facts;
    if (fstat(descriptor, &facts) != 0)
        return refuse(path, "ask for the file's size", errno, error);
    if (!S_ISREG(facts.st_mode) || facts.st_size > (off_t)ERX_DATA_SMALL_FILE_MAX)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "%s: is not a regular file of at most %u bytes: restore it from a "
                             "backup",
                             tail(path), ERX_DATA_SMALL_FILE_MAX);
    size_t size = (size_t)facts.st_size;
    uint8_t *bytes = erx_alloc(size + 1, 1);
    if (bytes == NULL)
        return refuse(path, "read the file", ENOMEM, error);
    erx_status_t status = read_whole(descriptor, path, bytes, size, error);
    if (status != ERX_OK) {
        erx_free(bytes);
        return status;
    }
    *bytes_out = bytes;
    *size_out = size;
    return ERX_OK;
}

erx_status_t erx_data_small_read(const char *directory, const char *name, void **bytes_out,
                                 size_t *size_out, erx_error_t *error)
{
    char path[ERX_DATA_PATH_MAX];
    erx_status_t status = join(directory, name, "", path, error);
    if (status != ERX_OK)
        return status;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return refuse_open(path, errno, error);
    status = load(descriptor, path, bytes_out, size_out, error);
    (void)close(descriptor);
    return status;
}
