#include "mem/pages.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Kernel interfaces that are younger than some C libraries' headers. A kernel
 * without them answers EINVAL. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define NODE_MASK_BITS 1024u
#define LONG_BITS      (8u * (unsigned)sizeof(unsigned long))

uint8_t *erx_pages_map(size_t bytes, int fd, int protection)
{
    size_t reserved_bytes;
    if (__builtin_add_overflow(bytes, ERX_HUGE_PAGE, &reserved_bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    /* Address space that surely holds an aligned range; the rest goes back. */
    uint8_t *reserved =
        mmap(NULL, reserved_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED)
        return NULL;
    size_t head = ERX_ALIGN_UP((uintptr_t)reserved, ERX_HUGE_PAGE) - (uintptr_t)reserved;
    uint8_t *base = reserved + head;
    int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
    if (mmap(base, bytes, protection, flags, fd, 0) == MAP_FAILED) {
        int reason = errno;
        (void)munmap(reserved, reserved_bytes);
        errno = reason;
        return NULL;
    }
    if (head > 0)
        (void)munmap(reserved, head);
    (void)munmap(base + bytes, ERX_HUGE_PAGE - head);
    (void)madvise(base, bytes, MADV_HUGEPAGE);
    return base;
}

void erx_pages_place(uint8_t *base, size_t bytes, int node)
{
    if (node < 0 || (unsigned)node >= NODE_MASK_BITS)
        return;
    unsigned long mask[NODE_MASK_BITS / LONG_BITS] = {0};
    mask[(unsigned)node / LONG_BITS] = 1ul << ((unsigned)node % LONG_BITS);
    /* The kernel reads one bit less than it is told. */
    (void)syscall(SYS_mbind, base, bytes, MPOL_PREFERRED, mask, NODE_MASK_BITS + 1ul, 0u);
}

bool erx_pages_populate(uint8_t *base, size_t bytes)
{
    if (madvise(base, bytes, MADV_POPULATE_WRITE) == 0)
        return true;
    if (errno != EINVAL)
        return false;
    size_t step = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t offset = 0; offset < bytes; offset += step)
        *(volatile uint8_t *)(base + offset) = 0;
    return true;
}

void erx_pages_collapse(uint8_t *base, size_t bytes)
{
    (void)madvise(base, bytes, MADV_COLLAPSE);
}
