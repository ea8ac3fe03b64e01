/* What is on the virtual disk: bytes that are durable, and over them the writes
 * that no flush has covered. A read sees both; a power cut keeps of the latter
 * what it likes. */
#ifndef ERX_TESTS_SUPPORT_VIRTUAL_MEDIA_H
#define ERX_TESTS_SUPPORT_VIRTUAL_MEDIA_H

#include "engine/io.h"
#include "tests/support/rng.h"

#define ERX_VIRTUAL_SECTOR 512u

/* A write between its submission and the flush that covers it. */
typedef struct {
    uint32_t file;
    uint32_t bytes;
    uint64_t offset;
    uint64_t landed; /* which landing of the media it was; 0: still in flight */
    bool abandoned;  /* a flush that covered it failed: no other one will */
    uint8_t *data;   /* owned; a copy from the submission */
} erx_virtual_write_t;

typedef struct {
    uint32_t file_count;
    uint64_t file_bytes[ERX_IO_FILES_MAX];
    uint8_t *files[ERX_IO_FILES_MAX]; /* durable */
    erx_virtual_write_t **writes;     /* in the order of submission */
    uint32_t write_count;
    uint32_t write_capacity;
    uint64_t landings; /* so far */
} erx_virtual_media_t;

/* Zeroed files; close frees. Without memory these abort. */
void erx_virtual_media_open(erx_virtual_media_t *media_out, uint32_t file_count,
                            const uint64_t *file_bytes);
void erx_virtual_media_close(erx_virtual_media_t *media);

/* A write that is in flight; asserts that it meets no other one. The pointer is
 * good until the write is covered, forgotten or cut. */
erx_virtual_write_t *erx_virtual_media_add(erx_virtual_media_t *media,
                                           const erx_io_operation_t *operation);

/* Reads see the write from now on. */
void erx_virtual_media_land(erx_virtual_media_t *media, erx_virtual_write_t *write);

/* It never happened. */
void erx_virtual_media_forget(erx_virtual_media_t *media, erx_virtual_write_t *write);

/* Makes one that landed durable. */
void erx_virtual_media_cover(erx_virtual_media_t *media, erx_virtual_write_t *write);

/* A flush: covers what landed in the file with a number from first to last and
 * was not abandoned. A failed one abandons everything up to last. */
void erx_virtual_media_flush(erx_virtual_media_t *media, uint32_t file, uint64_t first,
                             uint64_t last);
void erx_virtual_media_abandon(erx_virtual_media_t *media, uint32_t file, uint64_t last);

void erx_virtual_media_read(const erx_virtual_media_t *media, uint32_t file, uint64_t offset,
                            void *buffer, uint32_t bytes);

/* The power fails: every write that is not durable is kept, dropped, or kept in
 * part. */
void erx_virtual_media_cut(erx_virtual_media_t *media, erx_rng_t *rng);

/* The process is killed: each write in flight lands, or never happened. */
void erx_virtual_media_kill(erx_virtual_media_t *media, erx_rng_t *rng);

/* Another media: this one after a power cut. */
void erx_virtual_media_copy_cut(const erx_virtual_media_t *media, erx_rng_t *rng,
                                erx_virtual_media_t *copy_out);

#endif
