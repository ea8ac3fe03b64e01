/* What the files of recordings share. */
#ifndef ERX_NODE_RECORDINGS_PARTS_H
#define ERX_NODE_RECORDINGS_PARTS_H

#include "node/config.h"
#include "node/recording_file.h"
#include "node/recordings.h"

#define ERX_RECORDING_BUCKETS  4096u
#define ERX_RECORDING_PATH_MAX (ERX_CONFIG_TEXT_MAX + 192u)
#define ERX_RECORDING_CURRENT  "frames" /* endings of its files' names */
#define ERX_RECORDING_OLDER    "older"

typedef struct erx_recording {
    struct erx_recording *previous, *next; /* of its list */
    struct erx_recording *next_in_bucket;
    erx_pubkey_t session;
    erx_recording_header_t header;
    uint32_t older, current; /* frames in its files */
    uint32_t newest;         /* number of the last frame */
    uint32_t waiting_count;
    erx_recorded_frame_t *waiting; /* to be written; NULL: it is over */
} erx_recording_t;

typedef struct {
    erx_recording_t *first, *last;
} erx_recording_list_t;

struct erx_recordings {
    char directory[ERX_CONFIG_TEXT_MAX + 64u];
    erx_pubkey_t program;
    uint32_t frames_max;
    uint64_t bytes_max;
    uint64_t bytes; /* of all files */
    uint32_t count;
    bool has_failed; /* the last write */
    erx_telemetry_t *telemetry;
    erx_recording_list_t running, over; /* over: in the order in which they ended */
    erx_recording_t *buckets[ERX_RECORDING_BUCKETS];
};

erx_recording_t *erx_recordings_find(const erx_recordings_t *recordings,
                                     const erx_pubkey_t *session);

/* A recording without frames that is over; NULL where there is no memory. */
erx_recording_t *erx_recordings_make(erx_recordings_t *recordings, const erx_pubkey_t *session);

/* Drops recordings until the bound over all holds. */
void erx_recordings_bound(erx_recordings_t *recordings);

/* Writes the metrics. */
void erx_recordings_tell(const erx_recordings_t *recordings);

/* Path of a file of a session, into path. Returns it. */
const char *erx_recording_path(const erx_recordings_t *recordings, const erx_pubkey_t *session,
                               const char *kind, char path[ERX_RECORDING_PATH_MAX]);

#endif
