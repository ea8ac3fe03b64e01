#include "node/recordings.h"

#include "node/log.h"
#include "node/recording_file.h"
#include "node/recordings_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------ lists and table */

static uint32_t bucket_of(const erx_pubkey_t *session)
{
    uint32_t bucket;
    memcpy(&bucket, session->bytes, sizeof bucket); /* addresses are hashes */
    return bucket % ERX_RECORDING_BUCKETS;
}

erx_recording_t *erx_recordings_find(const erx_recordings_t *recordings,
                                     const erx_pubkey_t *session)
{
    erx_recording_t *recording = recordings->buckets[bucket_of(session)];
    while (recording != NULL && memcmp(&recording->session, session, sizeof *session) != 0)
        recording = recording->next_in_bucket;
    return recording;
}

static void link_last(erx_recording_list_t *list, erx_recording_t *recording)
{
    recording->previous = list->last;
    recording->next = NULL;
    if (list->last != NULL)
        list->last->next = recording;
    else
        list->first = recording;
    list->last = recording;
}

static void unlink_from(erx_recording_list_t *list, erx_recording_t *recording)
{
    if (recording->previous != NULL)
        recording->previous->next = recording->next;
    else
        list->first = recording->next;
    if (recording->next != NULL)
        recording->next->previous = recording->previous;
    else
        list->last = recording->previous;
}

static erx_recording_list_t *list_of(erx_recordings_t *recordings, const erx_recording_t *recording)
{
    return recording->waiting != NULL ? &recordings->running : &recordings->over;
}

erx_recording_t *erx_recordings_make(erx_recordings_t *recordings, const erx_pubkey_t *session)
{
    erx_recording_t *recording = calloc(1, sizeof *recording);
    if (recording == NULL)
        return NULL;
    recording->session = *session;
    uint32_t bucket = bucket_of(session);
    recording->next_in_bucket = recordings->buckets[bucket];
    recordings->buckets[bucket] = recording;
    link_last(&recordings->over, recording);
    recordings->count++;
    return recording;
}

/* ---------------------------------------------------------------- files */

const char *erx_recording_path(const erx_recordings_t *recordings, const erx_pubkey_t *session,
                               const char *kind, char path[ERX_RECORDING_PATH_MAX])
{
    char name[ERX_BASE58_SIZE];
    (void)erx_base58_from_bytes(session->bytes, sizeof session->bytes, name);
    (void)snprintf(path, ERX_RECORDING_PATH_MAX, "%s/%s.%s", recordings->directory, name, kind);
    return path;
}

static uint64_t bytes_of(const erx_recording_t *recording)
{
    return erx_recording_file_bytes(recording->older) +
           erx_recording_file_bytes(recording->current);
}

static void forget_file(erx_recordings_t *recordings, erx_recording_t *recording, bool is_older)
{
    char path[ERX_RECORDING_PATH_MAX];
    uint32_t *frames = is_older ? &recording->older : &recording->current;
    if (*frames == 0)
        return;
    (void)unlink(erx_recording_path(recordings, &recording->session,
                                    is_older ? ERX_RECORDING_OLDER : ERX_RECORDING_CURRENT, path));
    recordings->bytes -= erx_recording_file_bytes(*frames);
    *frames = 0;
}

static void drop(erx_recordings_t *recordings, erx_recording_t *recording)
{
    forget_file(recordings, recording, true);
    forget_file(recordings, recording, false);
    unlink_from(list_of(recordings, recording), recording);
    erx_recording_t **place = &recordings->buckets[bucket_of(&recording->session)];
    while (*place != recording)
        place = &(*place)->next_in_bucket;
    *place = recording->next_in_bucket;
    free(recording->waiting);
    free(recording);
    recordings->count--;
}

void erx_recordings_bound(erx_recordings_t *recordings)
{
    while (recordings->bytes > recordings->bytes_max) {
        erx_recording_t *victim = recordings->over.first;
        erx_telemetry_add(recordings->telemetry, ERX_METRIC_RECORDINGS_DROPPED, 1);
        if (victim != NULL) {
            drop(recordings, victim);
            continue;
        }
        victim = recordings->running.first;
        for (erx_recording_t *other = victim; other != NULL; other = other->next)
            if (bytes_of(other) > bytes_of(victim))
                victim = other;
        forget_file(recordings, victim, victim->older > 0);
    }
}

static void rotate(erx_recordings_t *recordings, erx_recording_t *recording)
{
    char from[ERX_RECORDING_PATH_MAX], to[ERX_RECORDING_PATH_MAX];
    (void)erx_recording_path(recordings, &recording->session, ERX_RECORDING_CURRENT, from);
    (void)erx_recording_path(recordings, &recording->session, ERX_RECORDING_OLDER, to);
    forget_file(recordings, recording, true);
    if (rename(from, to) != 0) {
        forget_file(recordings, recording, false);
        return;
    }
    recording->older = recording->current;
    recording->current = 0;
}

static void write_waiting(erx_recordings_t *recordings, erx_recording_t *recording)
{
    char path[ERX_RECORDING_PATH_MAX];
    if (recording->waiting_count == 0)
        return;
    if (recording->current + recording->waiting_count >
        (recordings->frames_max - ERX_RECORDING_GROUP) / 2)
        rotate(recordings, recording);
    (void)erx_recording_path(recordings, &recording->session, ERX_RECORDING_CURRENT, path);
    uint64_t before = erx_recording_file_bytes(recording->current);
    bool is_written = erx_recording_file_append(path, &recording->header, recording->current,
                                                recording->waiting, recording->waiting_count);
    if (is_written)
        recording->current += recording->waiting_count;
    else if (!recordings->has_failed)
        erx_log(ERX_LOG_WARNING, "recording-failed",
                "file=\"%s\" reason=\"%s\" text=\"replays miss frames\"", path, strerror(errno));
    recordings->has_failed = !is_written;
    recording->waiting_count = 0;
    recordings->bytes += erx_recording_file_bytes(recording->current) - before;
}

/* --------------------------------------------------------------- frames */

void erx_recordings_tell(const erx_recordings_t *recordings)
{
    erx_telemetry_set(recordings->telemetry, ERX_METRIC_RECORDINGS, recordings->count);
    erx_telemetry_set(recordings->telemetry, ERX_METRIC_RECORDING_BYTES, recordings->bytes);
}

/* Its frames are written; those that follow, if any, begin a group anew. */
static void end(erx_recordings_t *recordings, erx_recording_t *recording)
{
    if (recording->waiting == NULL)
        return;
    write_waiting(recordings, recording);
    unlink_from(&recordings->running, recording);
    free(recording->waiting);
    recording->waiting = NULL;
    link_last(&recordings->over, recording);
}

static bool begin(erx_recordings_t *recordings, erx_recording_t *recording)
{
    if (recording->waiting != NULL)
        return true;
    recording->waiting = malloc(ERX_RECORDING_GROUP * sizeof *recording->waiting);
    if (recording->waiting == NULL)
        return false;
    unlink_from(&recordings->over, recording);
    link_last(&recordings->running, recording);
    return true;
}

/* Sessions write at different frames, so that those that began together do not
 * all write at once. */
static bool is_group_full(const erx_recording_t *recording)
{
    return recording->waiting_count == ERX_RECORDING_GROUP ||
           (recording->newest + recording->session.bytes[0]) % ERX_RECORDING_GROUP == 0;
}

static void add_frame(erx_recordings_t *recordings, erx_recording_t *recording,
                      const erx_session_step_t *step)
{
    if (!begin(recordings, recording))
        return;
    recording->header = (erx_recording_header_t){step->created_at, step->stage};
    recording->waiting[recording->waiting_count++] = step->frame;
    recording->newest = erx_recorded_frame_number(&step->frame);
    erx_telemetry_add(recordings->telemetry, ERX_METRIC_RECORDED_FRAMES, 1);
    if (is_group_full(recording))
        write_waiting(recordings, recording);
}

/* A frame that was told before is none: the account changed in other ways. */
static erx_recording_t *add_state(erx_recordings_t *recordings, erx_recording_t *recording,
                                  const erx_session_step_t *step)
{
    uint32_t number = erx_recorded_frame_number(&step->frame);
    if (recording != NULL &&
        (number < recording->newest || step->created_at != recording->header.created_at)) {
        drop(recordings, recording); /* another session at its address */
        recording = NULL;
    }
    if (number == 0 || (recording != NULL && number == recording->newest))
        return recording;
    if (recording == NULL)
        recording = erx_recordings_make(recordings, &step->session);
    if (recording != NULL)
        add_frame(recordings, recording, step);
    return recording;
}

static void add_step(erx_recordings_t *recordings, const erx_session_step_t *step)
{
    erx_recording_t *recording = erx_recordings_find(recordings, &step->session);
    if (step->has_state && memcmp(&step->owner, &recordings->program, sizeof step->owner) == 0)
        recording = add_state(recordings, recording, step);
    if (step->is_over && recording != NULL)
        end(recordings, recording);
}

void erx_recordings_add(erx_recordings_t *recordings, const erx_session_step_t *steps,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        add_step(recordings, &steps[i]);
    erx_recordings_bound(recordings);
    erx_recordings_tell(recordings);
}

/* -------------------------------------------------------------- reading */

/* Frames [index, index + count) that lie in one of the three places. */
static bool read_frames(const erx_recordings_t *recordings, const erx_recording_t *recording,
                        uint32_t index, uint32_t count, erx_recorded_frame_t *frames_out)
{
    char path[ERX_RECORDING_PATH_MAX];
    bool is_older = index < recording->older;
    if (!is_older)
        index -= recording->older;
    if (!is_older && index >= recording->current) {
        memcpy(frames_out, recording->waiting + (index - recording->current),
               count * sizeof *frames_out);
        return true;
    }
    (void)erx_recording_path(recordings, &recording->session,
                             is_older ? ERX_RECORDING_OLDER : ERX_RECORDING_CURRENT, path);
    return erx_recording_file_read(path, index, count, frames_out);
}

/* Frames from index on in the place where it lies. */
static uint32_t frames_together(const erx_recording_t *recording, uint32_t index)
{
    if (index < recording->older)
        return recording->older - index;
    uint32_t written = recording->older + recording->current;
    return index < written ? written - index : written + recording->waiting_count - index;
}

/* Index of the first frame whose number is not before from; total: there is none,
 * or it cannot be read. */
static uint32_t find_frame(const erx_recordings_t *recordings, const erx_recording_t *recording,
                           uint32_t from)
{
    uint32_t total = recording->older + recording->current + recording->waiting_count;
    uint32_t low = 0, high = total;
    while (low < high) {
        erx_recorded_frame_t frame;
        uint32_t middle = low + (high - low) / 2;
        if (!read_frames(recordings, recording, middle, 1, &frame))
            return total;
        if (erx_recorded_frame_number(&frame) < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool erx_recordings_read(const erx_recordings_t *recordings, const erx_pubkey_t *session,
                         uint32_t from, erx_recorded_frame_t *frames_out, uint32_t capacity,
                         uint32_t *count_out, uint8_t *stage_out)
{
    const erx_recording_t *recording = erx_recordings_find(recordings, session);
    *count_out = 0;
    if (recording == NULL)
        return false;
    *stage_out = recording->header.stage;
    uint32_t total = recording->older + recording->current + recording->waiting_count;
    uint32_t index = find_frame(recordings, recording, from);
    while (*count_out < capacity && index < total) {
        uint32_t count = ERX_LESSER(frames_together(recording, index), capacity - *count_out);
        if (!read_frames(recordings, recording, index, count, frames_out + *count_out))
            break;
        *count_out += count;
        index += count;
    }
    return true;
}

/* -------------------------------------------------------------- closing */

void erx_recordings_close(erx_recordings_t *recordings)
{
    if (recordings == NULL)
        return;
    while (recordings->running.first != NULL)
        end(recordings, recordings->running.first);
    while (recordings->over.first != NULL) {
        erx_recording_t *recording = recordings->over.first;
        recordings->over.first = recording->next;
        free(recording);
    }
    free(recordings);
}
