/* What the devices on real files share: a descriptor through which one thread
 * ends another one's wait, reads, and writes that wait. */
#ifndef ERX_ENGINE_IO_WAKE_H
#define ERX_ENGINE_IO_WAKE_H

#include "engine/io.h"

/* Opens an eventfd. Errors: ERX_ERR_IO. */
erx_status_t erx_io_wake_open(int *wake_out, erx_error_t *error);

void erx_io_wake_close(int wake);

/* Any thread. */
void erx_io_wake_send(int wake);

/* Waits up to wait_ns for a send, and takes all that were sent. */
void erx_io_wake_wait(int wake, uint64_t wait_ns);

/* Reads exactly bytes at offset: 0 or -errno. */
int32_t erx_io_pread(int descriptor, uint64_t offset, void *buffer, uint32_t bytes);

/* Performs a write, durable when this returns where the operation says so. As
 * in erx_io_outcome_t: 0, -errno, or how many bytes were written. What is to be
 * durable and goes to a file that was removed fails with -ENOENT. */
int32_t erx_io_pwrite(int descriptor, const erx_io_operation_t *operation);

/* Makes every write to the file that has returned durable: 0, -errno, or -ENOENT
 * for a file that was removed. */
int32_t erx_io_flush(int descriptor);

#endif
