/* FNV-1a 64, which NUMERICS 10 names for the hashes of states. */
#ifndef ERX_TOOLS_FNV_H
#define ERX_TOOLS_FNV_H

#include "mem/base.h"

#define ERX_FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define ERX_FNV_PRIME UINT64_C(0x100000001b3)

/* Hash of bytes[0, size), continued from hash; ERX_FNV_BASIS starts one. */
static inline uint64_t erx_fnv1a(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * ERX_FNV_PRIME;
    return hash;
}

#endif
