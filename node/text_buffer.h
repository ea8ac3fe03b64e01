/* Bytes that grow up to a limit: what replies are written into. After a write
 * that does not fit (or for which there is no memory) the buffer is overflowed
 * and ignores everything until it is cleared; its owner looks once, at the end.
 *
 * In front of the bytes there is room for a header, so that a header that is
 * known last can stand before the body and both leave in one system call. */
#ifndef ERX_NODE_TEXT_BUFFER_H
#define ERX_NODE_TEXT_BUFFER_H

#include "node/common.h"

/* Holds an HTTP reply's header, and what libwebsockets asks for (LWS_PRE). */
#define ERX_TEXT_HEADROOM 512u

typedef struct {
    char *memory; /* owned: headroom, then bytes */
    char *bytes;
    size_t length;
    size_t capacity;
    size_t limit; /* greatest length */
    bool overflowed;
} erx_text_t;

/* An empty buffer; takes no memory before the first write. */
void erx_text_open(erx_text_t *text_out, size_t limit);
void erx_text_close(erx_text_t *text);

/* Empties it and keeps its memory. */
void erx_text_clear(erx_text_t *text);

/* Makes room for count more bytes and returns where they go; the caller writes
 * them and adds what it wrote to length. NULL where it overflows. */
char *erx_text_reserve(erx_text_t *text, size_t count);

void erx_text_append(erx_text_t *text, const void *bytes, size_t count);
void erx_text_print(erx_text_t *text, const char *format, ...) ERX_FORMATS(2, 3);

#endif
