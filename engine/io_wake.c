#include "engine/io_wake.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND UINT64_C(1000000000)

erx_status_t erx_io_wake_open(int *wake_out, erx_error_t *error)
{
    *wake_out = eventfd(0, EFD_CLOEXEC);
    if (*wake_out < 0)
        return erx_error_set(error, ERX_ERR_IO,
                             "cannot open an eventfd: %s; raise the limit of open files (ulimit "
                             "-n)",
                             strerror(errno));
    return ERX_OK;
}

void erx_io_wake_close(int wake)
{
    (void)close(wake);
}

void erx_io_wake_send(int wake)
{
    /* Fails only where 2^64 - 2 sends are pending: then the wake is there. */
    ssize_t written = write(wake, &(uint64_t){1}, sizeof(uint64_t));
    (void)written;
}

void erx_io_wake_wait(int wake, uint64_t wait_ns)
{
    struct pollfd descriptor = {.fd = wake, .events = POLLIN};
    const struct timespec timeout = {
        .tv_sec = (time_t)(wait_ns / NS_PER_SECOND),
        .tv_nsec = (long)(wait_ns % NS_PER_SECOND),
    };
    if (ppoll(&descriptor, 1, &timeout, NULL) <= 0)
        return;
    uint64_t sent;
    ssize_t count = read(wake, &sent, sizeof sent);
    (void)count;
}

int32_t erx_io_pread(int descriptor, uint64_t offset, void *buffer, uint32_t bytes)
{
    for (uint32_t done = 0; done < bytes;) {
        ssize_t count =
            pread(descriptor, (uint8_t *)buffer + done, bytes - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        done += (uint32_t)count;
    }
    return 0;
}

/* A file that was removed takes writes and is gone with the process. */
static bool is_removed(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 && status.st_nlink == 0;
}

int32_t erx_io_pwrite(int descriptor, const erx_io_operation_t *operation)
{
    const struct iovec vector = {(void *)(uintptr_t)operation->buffer, operation->bytes};
    int flags = operation->kind == ERX_IO_WRITE_FLUSH ? RWF_DSYNC : 0;
    ssize_t count;
    do
        count = pwritev2(descriptor, &vector, 1, (off_t)operation->offset, flags);
    while (count < 0 && errno == EINTR);
    if (count == (ssize_t)operation->bytes)
        return flags != 0 && is_removed(descriptor) ? -ENOENT : 0;
    return count > 0 ? (int32_t)count : count < 0 ? -errno : -EIO;
}

int32_t erx_io_flush(int descriptor)
{
    if (fdatasync(descriptor) != 0)
        return -errno;
    return is_removed(descriptor) ? -ENOENT : 0;
}
