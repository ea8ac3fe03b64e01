#include "mem/region.h"

#include "mem/assert.h"
#include "mem/pages.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

erx_status_t erx_region_open_empty(erx_region_t *region_out, size_t bytes, erx_error_t *error)
{
    ERX_ASSERT(bytes > 0);
    size_t page = bytes >= ERX_HUGE_PAGE ? ERX_HUGE_PAGE : (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *base = NULL;
    size_t mapped = 0;
    if (bytes <= SIZE_MAX - page) {
        mapped = ERX_ALIGN_UP(bytes, page);
        base = erx_pages_map(mapped, -1, PROT_READ | PROT_WRITE);
    }
    if (base == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY,
                             "cannot map a region of %zu bytes: lower the number of sessions or "
                             "free memory",
                             bytes);
    *region_out = (erx_region_t){.base = base, .bytes = mapped};
    return ERX_OK;
}

erx_status_t erx_region_open(erx_region_t *region_out, size_t bytes, int node, erx_error_t *error)
{
    if (erx_region_open_empty(region_out, bytes, error) != ERX_OK)
        return error->status;
    erx_pages_place(region_out->base, region_out->bytes, node);
    if (!erx_pages_populate(region_out->base, region_out->bytes)) {
        (void)erx_error_set(error, ERX_ERR_MEMORY,
                            "cannot fill a region of %zu bytes (%s): lower the number of sessions "
                            "or free memory",
                            bytes, strerror(errno));
        erx_region_close(region_out);
        return error->status;
    }
    return ERX_OK;
}

void *erx_region_take(erx_region_t *region, size_t bytes, size_t alignment)
{
    ERX_ASSERT(region->base != NULL && !region->sealed);
    ERX_ASSERT(alignment > 0 && (alignment & (alignment - 1)) == 0);
    ERX_ASSERT(alignment <= ERX_HUGE_PAGE);
    /* taken is at most bytes, which was rounded up without overflow. */
    size_t offset = ERX_ALIGN_UP(region->taken, alignment);
    ERX_ASSERT(offset <= region->bytes && bytes <= region->bytes - offset);
    region->taken = offset + bytes;
    return region->base + offset;
}

void erx_region_seal(erx_region_t *region)
{
    ERX_ASSERT(region->base != NULL);
    region->sealed = true;
}

void erx_region_close(erx_region_t *region)
{
    if (region->base != NULL)
        (void)munmap(region->base, region->bytes);
    *region = (erx_region_t){0};
}
