/* Mappings for regions and weights: aligned to huge pages, placed on a NUMA
 * node, present before they are used. Used inside mem only. */
#ifndef ERX_MEM_PAGES_H
#define ERX_MEM_PAGES_H

#include "mem/base.h"

/* Maps bytes (a multiple of the page size) at a multiple of ERX_HUGE_PAGE: the
 * start of file fd, shared, or private zeroed memory where fd is -1. Asks for
 * huge pages. protection is PROT_*. NULL with errno on failure. */
uint8_t *erx_pages_map(size_t bytes, int fd, int protection);

/* Prefers NUMA node (the operating system's number, or ERX_NODE_ANY) for pages
 * that are not there yet. Best effort: a preference and not a strict binding,
 * because memory of another node is slower and no memory is fatal. */
void erx_pages_place(uint8_t *base, size_t bytes, int node);

/* Makes every page of a writable mapping present. False when there is not
 * enough memory, which is found out here and not by a signal later. */
bool erx_pages_populate(uint8_t *base, size_t bytes);

/* Turns what is mapped into huge pages now, where the kernel can: shared
 * memory often has no huge pages of its own accord. Best effort. */
void erx_pages_collapse(uint8_t *base, size_t bytes);

#endif
