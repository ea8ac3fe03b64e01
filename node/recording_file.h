/* Files of recordings: a header, then frames. Errors are those of errno. */
#ifndef ERX_NODE_RECORDING_FILE_H
#define ERX_NODE_RECORDING_FILE_H

#include "node/recorded_frame.h"

typedef struct {
    int64_t created_at;
    uint8_t stage;
} erx_recording_header_t;

/* Bytes that a file of so many frames takes on a disk; none without frames. */
uint64_t erx_recording_file_bytes(uint32_t frames);

/* Writes frames behind the first `before`; with before 0 the file is made anew.
 * After a failure the file is as it was. */
bool erx_recording_file_append(const char *path, const erx_recording_header_t *header,
                               uint32_t before, const erx_recorded_frame_t *frames, uint32_t count);

/* Reads frames [first, first + count). */
bool erx_recording_file_read(const char *path, uint32_t first, uint32_t count,
                             erx_recorded_frame_t *frames_out);

/* Finds out how many frames a file has and cuts off what is no whole frame, or
 * does not follow the one before. False: it is no recording. */
bool erx_recording_file_check(const char *path, erx_recording_header_t *header_out,
                              uint32_t *count_out, uint32_t *newest_out);

#endif
