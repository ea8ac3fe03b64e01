/* Little-endian integers at any place in bytes: what accounts, instructions and
 * their arguments are made of. */
#ifndef ERX_ENGINE_BANK_FIELDS_H
#define ERX_ENGINE_BANK_FIELDS_H

#include <string.h>

#include "mem/base.h"

ERX_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied as they are");

static inline uint16_t erx_get_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t erx_get_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t erx_get_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void erx_put_u16(uint8_t *at, uint16_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void erx_put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void erx_put_u64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

#endif
