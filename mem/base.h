/* The vocabulary that every folder shares: attributes, static checks, small
 * integer helpers. No types of the domain live here. */
#ifndef ERX_MEM_BASE_H
#define ERX_MEM_BASE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ERX_CACHE_LINE                     64u
#define ERX_HUGE_PAGE                      ((size_t)2 << 20)

#define ERX_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#define ERX_PRINTF(text, first)            __attribute__((format(printf, text, first)))
#define ERX_LIKELY(condition)              __builtin_expect(!!(condition), 1)
#define ERX_UNLIKELY(condition)            __builtin_expect(!!(condition), 0)
#define ERX_COUNT(array)                   (sizeof(array) / sizeof((array)[0]))
#define ERX_MIN(a, b)                      ((a) < (b) ? (a) : (b))
#define ERX_MAX(a, b)                      ((a) > (b) ? (a) : (b))

/* Rounds value up to a multiple of step; step is a power of two. */
#define ERX_ALIGN_UP(value, step) (((value) + ((step)-1)) & ~((step)-1))

/* Quotient rounded up. */
#define ERX_CEIL_DIV(value, step) (((value) + (step)-1) / (step))

#endif
