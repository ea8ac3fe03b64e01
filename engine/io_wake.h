/* What the devices on real files share: a descriptor through which one thread
 * ends another one's wait, and reads. */
#ifndef ERX_ENGINE_IO_WAKE_H
#define ERX_ENGINE_IO_WAKE_H

#include "mem/status.h"

/* Opens an eventfd. Errors: ERX_ERR_IO. */
erx_status_t erx_io_wake_open(int *wake_out, erx_error_t *error);

void erx_io_wake_close(int wake);

/* Any thread. */
void erx_io_wake_send(int wake);

/* Waits up to wait_ns for a send, and takes all that were sent. */
void erx_io_wake_wait(int wake, uint64_t wait_ns);

/* Reads exactly bytes at offset: 0 or -errno. */
int32_t erx_io_pread(int descriptor, uint64_t offset, void *buffer, uint32_t bytes);

#endif
