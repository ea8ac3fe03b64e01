/* Recordings of sessions, for GET /replay/SESSION: the newest frames of every
 * session that was played, finished or not, bounded by session and over all.
 *
 * A recording is a file KEY.frames, to which frames are appended, and KEY.older,
 * which it became when it held half of what a session may have; both together
 * hold the newest frames. What a file ends with that is no whole frame is cut
 * off at the next start. Frames are written in groups and not synced: a process
 * that is killed loses at most ERX_RECORDING_GROUP of the newest, a machine that
 * loses power what the system had not written.
 *
 * Where all of them get too long, the recordings of sessions that are over go
 * first, the oldest first; then the longest.
 *
 * Belongs to one thread. */
#ifndef ERX_NODE_RECORDINGS_H
#define ERX_NODE_RECORDINGS_H

#include "node/failure.h"
#include "node/recorded_frame.h"
#include "node/telemetry.h"

#define ERX_RECORDING_GROUP 64u /* frames that are written at once: a second */

typedef struct erx_recordings erx_recordings_t;

typedef struct {
    const char *directory;      /* made where there is none; copied */
    erx_pubkey_t program;       /* that sessions belong to */
    uint32_t frames_max;        /* of a session; at least 4 groups */
    uint64_t bytes_max;         /* of all files, rounded up to blocks of 4096 */
    erx_telemetry_t *telemetry; /* outlives it */
} erx_recordings_config_t;

/* Opens and checks what is in the directory. The failure names it. */
erx_recordings_t *erx_recordings_open(const erx_recordings_config_t *config,
                                      erx_failure_t *failure);

/* Writes what waits, and frees. NULL is allowed. */
void erx_recordings_close(erx_recordings_t *recordings);

/* Adds what a block did. A frame that is no later than the last one of its session
 * begins a new recording: the address was used again. */
void erx_recordings_add(erx_recordings_t *recordings, const erx_session_step_t *steps,
                        uint32_t count);

/* Copies up to capacity frames of a session, from the first one that is not before
 * frame from, and its stage. False where there is no recording of it. */
bool erx_recordings_read(const erx_recordings_t *recordings, const erx_pubkey_t *session,
                         uint32_t from, erx_recorded_frame_t *frames_out, uint32_t capacity,
                         uint32_t *count_out, uint8_t *stage_out);

#endif
