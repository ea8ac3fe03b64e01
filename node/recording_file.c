#include "node/recording_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define DISK_BLOCK 4096u

/* In a file as it is in memory, little-endian. */
typedef struct {
    uint8_t magic[8];
    uint8_t created_at[8];
    uint8_t stage;
    uint8_t zero[7];
} header_t;

static const uint8_t magic[8] = {'E', 'R', 'X', 'F', 'R', 'A', 'M', '1'};

static off_t offset_of(uint32_t frame)
{
    return (off_t)(sizeof(header_t) + (uint64_t)frame * sizeof(erx_recorded_frame_t));
}

uint64_t erx_recording_file_bytes(uint32_t frames)
{
    uint64_t bytes = frames > 0 ? (uint64_t)offset_of(frames) : 0;
    return (bytes + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
}

static header_t encode(const erx_recording_header_t *header)
{
    header_t encoded = {.stage = header->stage};
    memcpy(encoded.magic, magic, sizeof magic);
    for (uint32_t i = 0; i < sizeof encoded.created_at; i++)
        encoded.created_at[i] = (uint8_t)((uint64_t)header->created_at >> 8 * i);
    return encoded;
}

bool erx_recording_file_append(const char *path, const erx_recording_header_t *header,
                               uint32_t before, const erx_recorded_frame_t *frames, uint32_t count)
{
    header_t encoded = encode(header);
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (before == 0 ? O_TRUNC : 0);
    int file = open(path, flags, 0644);
    if (file < 0)
        return false;
    off_t begin = before == 0 ? 0 : offset_of(before);
    struct iovec parts[2] = {
        {&encoded, before == 0 ? sizeof encoded : 0},
        {(void *)(uintptr_t)frames, count * sizeof *frames}, /* writev only reads it */
    };
    ssize_t written = pwritev(file, parts, 2, begin);
    int reason = written < 0 ? errno : ENOSPC; /* a short write is a full disk */
    bool is_written = written == (ssize_t)(parts[0].iov_len + parts[1].iov_len);
    if (!is_written && ftruncate(file, begin) != 0)
        reason = errno;
    (void)close(file);
    errno = reason;
    return is_written;
}

bool erx_recording_file_read(const char *path, uint32_t first, uint32_t count,
                             erx_recorded_frame_t *frames_out)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    size_t bytes = count * sizeof *frames_out;
    ssize_t got = pread(file, frames_out, bytes, offset_of(first));
    (void)close(file);
    return got == (ssize_t)bytes;
}

static bool read_frame(int file, uint32_t index, uint32_t *number_out)
{
    erx_recorded_frame_t frame;
    if (pread(file, &frame, sizeof frame, offset_of(index)) != (ssize_t)sizeof frame)
        return false;
    *number_out = erx_recorded_frame_number(&frame);
    return true;
}

/* Frames of which the last follows the one before it. A system that went down
 * may have left a file longer than what was written: frames of number 0. */
static uint32_t count_whole(int file, uint32_t count, uint32_t *newest_out)
{
    uint32_t number, before;
    *newest_out = 0;
    for (; count > 0; count--) {
        bool is_first = count == 1;
        before = 0;
        if (!read_frame(file, count - 1, &number) ||
            (!is_first && !read_frame(file, count - 2, &before)))
            return 0;
        if (number > before && (is_first || before > 0)) {
            *newest_out = number;
            return count;
        }
    }
    return 0;
}

bool erx_recording_file_check(const char *path, erx_recording_header_t *header_out,
                              uint32_t *count_out, uint32_t *newest_out)
{
    header_t encoded;
    struct stat facts;
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return false;
    bool is_one = fstat(file, &facts) == 0 && facts.st_size >= offset_of(1) &&
                  facts.st_size < offset_of(UINT32_MAX) &&
                  pread(file, &encoded, sizeof encoded, 0) == (ssize_t)sizeof encoded &&
                  memcmp(encoded.magic, magic, sizeof magic) == 0;
    if (is_one) {
        uint64_t created_at = 0;
        for (uint32_t i = 0; i < sizeof encoded.created_at; i++)
            created_at |= (uint64_t)encoded.created_at[i] << 8 * i;
        *header_out = (erx_recording_header_t){(int64_t)created_at, encoded.stage};
        uint32_t whole =
            (uint32_t)((uint64_t)(facts.st_size - offset_of(0)) / sizeof(erx_recorded_frame_t));
        *count_out = count_whole(file, whole, newest_out);
        is_one = *count_out > 0 && (facts.st_size == offset_of(*count_out) ||
                                    ftruncate(file, offset_of(*count_out)) == 0);
    }
    (void)close(file);
    return is_one;
}
