#include "tests/support/virtual_media.h"

#include "mem/assert.h"

#include <stdlib.h>
#include <string.h>

static void *take(void *memory)
{
    ERX_ASSERT(memory != NULL);
    return memory;
}

void erx_virtual_media_open(erx_virtual_media_t *media_out, uint32_t file_count,
                            const uint64_t *file_bytes)
{
    ERX_ASSERT(file_count >= 1 && file_count <= ERX_IO_FILES_MAX);
    *media_out = (erx_virtual_media_t){.file_count = file_count};
    for (uint32_t i = 0; i < file_count; i++) {
        ERX_ASSERT(file_bytes[i] >= 1 && file_bytes[i] % ERX_IO_ALIGNMENT == 0);
        media_out->file_bytes[i] = file_bytes[i];
        media_out->files[i] = take(calloc(file_bytes[i], 1));
    }
}

static void drop_writes(erx_virtual_media_t *media)
{
    for (uint32_t i = 0; i < media->write_count; i++) {
        free(media->writes[i]->data);
        free(media->writes[i]);
    }
    media->write_count = 0;
}

void erx_virtual_media_close(erx_virtual_media_t *media)
{
    drop_writes(media);
    free(media->writes);
    for (uint32_t i = 0; i < media->file_count; i++)
        free(media->files[i]);
    *media = (erx_virtual_media_t){0};
}

static bool meets(const erx_virtual_write_t *write, uint32_t file, uint64_t offset, uint64_t bytes)
{
    return write->file == file && offset < write->offset + write->bytes &&
           write->offset < offset + bytes;
}

erx_virtual_write_t *erx_virtual_media_add(erx_virtual_media_t *media,
                                           const erx_io_operation_t *operation)
{
    for (uint32_t i = 0; i < media->write_count; i++)
        ERX_ASSERT(media->writes[i]->landed != 0 ||
                   !meets(media->writes[i], operation->file, operation->offset, operation->bytes));
    if (media->write_count == media->write_capacity) {
        media->write_capacity = ERX_MAX(media->write_capacity * 2, 64);
        media->writes =
            take(reallocarray(media->writes, media->write_capacity, sizeof(*media->writes)));
    }
    erx_virtual_write_t *write = take(malloc(sizeof *write));
    *write = (erx_virtual_write_t){
        .file = operation->file,
        .bytes = operation->bytes,
        .offset = operation->offset,
        .data = take(malloc(operation->bytes)),
    };
    memcpy(write->data, operation->buffer, operation->bytes);
    media->writes[media->write_count++] = write;
    return write;
}

void erx_virtual_media_land(erx_virtual_media_t *media, erx_virtual_write_t *write)
{
    ERX_ASSERT(write->landed == 0);
    write->landed = ++media->landings;
}

static uint32_t index_of(const erx_virtual_media_t *media, const erx_virtual_write_t *write)
{
    uint32_t i = 0;
    while (i < media->write_count && media->writes[i] != write)
        i++;
    ERX_ASSERT(i < media->write_count);
    return i;
}

void erx_virtual_media_forget(erx_virtual_media_t *media, erx_virtual_write_t *write)
{
    uint32_t index = index_of(media, write);
    media->write_count--;
    memmove(&media->writes[index], &media->writes[index + 1],
            (media->write_count - index) * sizeof(media->writes[0]));
    free(write->data);
    free(write);
}

/* Puts the part of write that lies in [offset, offset + bytes) into target,
 * whose first byte is that of offset. */
static void overlay(const erx_virtual_write_t *write, uint64_t offset, uint64_t bytes,
                    uint8_t *target)
{
    uint64_t begin = ERX_MAX(write->offset, offset);
    uint64_t end = ERX_MIN(write->offset + write->bytes, offset + bytes);
    memcpy(target + (begin - offset), write->data + (begin - write->offset), end - begin);
}

void erx_virtual_media_cover(erx_virtual_media_t *media, erx_virtual_write_t *write)
{
    ERX_ASSERT(write->landed != 0);
    /* What an earlier write put there is gone for good. */
    for (uint32_t i = 0; i < media->write_count; i++) {
        erx_virtual_write_t *earlier = media->writes[i];
        if (earlier->landed != 0 && earlier->landed < write->landed &&
            meets(earlier, write->file, write->offset, write->bytes))
            overlay(write, earlier->offset, earlier->bytes, earlier->data);
    }
    memcpy(media->files[write->file] + write->offset, write->data, write->bytes);
    erx_virtual_media_forget(media, write);
}

static bool is_covered(const erx_virtual_write_t *write, uint32_t file, uint64_t first,
                       uint64_t last)
{
    return write->file == file && write->landed != 0 && write->landed >= first &&
           write->landed <= last && !write->abandoned;
}

void erx_virtual_media_flush(erx_virtual_media_t *media, uint32_t file, uint64_t first,
                             uint64_t last)
{
    for (uint32_t i = 0; i < media->write_count;)
        if (is_covered(media->writes[i], file, first, last))
            erx_virtual_media_cover(media, media->writes[i]);
        else
            i++;
}

void erx_virtual_media_abandon(erx_virtual_media_t *media, uint32_t file, uint64_t last)
{
    for (uint32_t i = 0; i < media->write_count; i++)
        if (is_covered(media->writes[i], file, 1, last))
            media->writes[i]->abandoned = true;
}

void erx_virtual_media_read(const erx_virtual_media_t *media, uint32_t file, uint64_t offset,
                            void *buffer, uint32_t bytes)
{
    memcpy(buffer, media->files[file] + offset, bytes);
    for (uint32_t i = 0; i < media->write_count; i++)
        if (media->writes[i]->landed != 0 && meets(media->writes[i], file, offset, bytes))
            overlay(media->writes[i], offset, bytes, buffer);
}

/* What becomes of one write, or of all of them, in a power cut. */
typedef enum { KEEP, DROP, KEEP_FIRST, KEEP_SOME, TEAR, FATES } fate_t;

static fate_t draw_fate(erx_rng_t *rng)
{
    return (fate_t)erx_rng_range(rng, 0, FATES - 1);
}

/* A sector of which only the first or the last bytes are new. */
static void tear(uint8_t *target, const uint8_t *data, erx_rng_t *rng)
{
    uint32_t at = (uint32_t)erx_rng_range(rng, 1, ERX_VIRTUAL_SECTOR - 1);
    if (erx_rng_range(rng, 0, 1) == 0)
        memcpy(target, data, at);
    else
        memcpy(target + at, data + at, ERX_VIRTUAL_SECTOR - at);
}

static void apply_fate(uint8_t *target, const erx_virtual_write_t *write, fate_t fate,
                       erx_rng_t *rng)
{
    uint32_t sectors = write->bytes / ERX_VIRTUAL_SECTOR;
    uint32_t kept = fate == KEEP ? sectors
                    : fate == DROP
                        ? 0
                        : (uint32_t)erx_rng_range(rng, 0, sectors - 1); /* or the torn one */
    for (uint32_t i = 0; i < sectors; i++) {
        uint8_t *sector = target + (size_t)i * ERX_VIRTUAL_SECTOR;
        const uint8_t *data = write->data + (size_t)i * ERX_VIRTUAL_SECTOR;
        bool some = (fate == KEEP_SOME || fate == TEAR) && erx_rng_range(rng, 0, 1) == 1;
        if (fate == TEAR && i == kept)
            tear(sector, data, rng);
        else if (some || ((fate == KEEP || fate == KEEP_FIRST) && i < kept))
            memcpy(sector, data, ERX_VIRTUAL_SECTOR);
    }
}

/* Puts what a power cut keeps of media's writes into files. A later write may
 * be kept where an earlier one is dropped: that is all that reordering can do.
 * Half of the cuts treat all writes alike, as most real ones do. */
static void keep_some(const erx_virtual_media_t *media, uint8_t *const *files, erx_rng_t *rng)
{
    bool alike = erx_rng_range(rng, 0, 1) == 0;
    fate_t fate = draw_fate(rng);
    for (uint32_t i = 0; i < media->write_count; i++) {
        const erx_virtual_write_t *write = media->writes[i];
        if (!alike)
            fate = draw_fate(rng);
        apply_fate(files[write->file] + write->offset, write, fate, rng);
    }
}

void erx_virtual_media_cut(erx_virtual_media_t *media, erx_rng_t *rng)
{
    keep_some(media, media->files, rng);
    drop_writes(media);
}

void erx_virtual_media_kill(erx_virtual_media_t *media, erx_rng_t *rng)
{
    for (uint32_t i = 0; i < media->write_count;) {
        erx_virtual_write_t *write = media->writes[i];
        if (write->landed == 0 && erx_rng_range(rng, 0, 1) == 0) {
            erx_virtual_media_forget(media, write);
            continue;
        }
        if (write->landed == 0)
            erx_virtual_media_land(media, write);
        i++;
    }
}

void erx_virtual_media_copy_cut(const erx_virtual_media_t *media, erx_rng_t *rng,
                                erx_virtual_media_t *copy_out)
{
    erx_virtual_media_open(copy_out, media->file_count, media->file_bytes);
    for (uint32_t i = 0; i < media->file_count; i++)
        memcpy(copy_out->files[i], media->files[i], media->file_bytes[i]);
    keep_some(media, copy_out->files, rng);
}
