/* Small helpers that every file of node/ may use. The folder sees nothing of the
 * engine but abi/erx.h, so it has its own. */
#ifndef ERX_NODE_COMMON_H
#define ERX_NODE_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ERX_ARRAY_COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define ERX_FORMATS(text, first) __attribute__((format(printf, text, first)))
#define ERX_LESSER(a, b)         ((a) < (b) ? (a) : (b))

/* The object whose member a pointer points to. */
#define ERX_CONTAINER_OF(pointer, type, member)                                                    \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define ERX_SECOND_NS      UINT64_C(1000000000)
#define ERX_MILLISECOND_NS UINT64_C(1000000)

#endif
