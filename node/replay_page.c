#include "node/replay_page.h"

#include "node/json_writer.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT_MAX 16u
#define FRAMES_AT_ONCE  256u /* of a part of the answer: under a millisecond */

typedef struct {
    erx_pubkey_t session;
    uint32_t from, count;
} request_t;

static void answer_error(const erx_server_message_t *message, erx_text_t *text, unsigned status,
                         const char *reason)
{
    erx_text_clear(text);
    erx_json_writer_t writer = erx_json_writer(text);
    erx_json_object_begin(&writer);
    erx_json_put_text(&writer, "error", reason);
    erx_json_object_end(&writer);
    erx_server_respond(message->connection, status, "application/json", text);
}

/* A number of the query; initial where it is not given, false where it is none. */
static bool read_number(const erx_server_message_t *message, const char *name, uint32_t initial,
                        uint32_t *number_out)
{
    char digits[NUMBER_TEXT_MAX];
    *number_out = initial;
    if (!erx_server_argument(message->connection, name, digits, sizeof digits))
        return true;
    size_t length = strlen(digits);
    uint64_t number = strtoull(digits, NULL, 10);
    *number_out = (uint32_t)number;
    return length > 0 && strspn(digits, "0123456789") == length && number <= UINT32_MAX;
}

/* NULL, or what is wrong with a request. */
static const char *read_request(const erx_server_message_t *message, request_t *request_out)
{
    const char *key = message->path + strlen(ERX_REPLAY_PATH);
    if (erx_base58_to_bytes(key, request_out->session.bytes, sizeof request_out->session.bytes) !=
        ERX_STATUS_OK)
        return "the path must be /replay/ and the address of a SessionState in base58";
    if (!read_number(message, "from", 0, &request_out->from))
        return "from must be the number of a frame";
    if (!read_number(message, "count", UINT32_MAX, &request_out->count))
        return "count must be a number of frames";
    return NULL;
}

/* What remains of an answer. */
typedef struct {
    const erx_recordings_t *recordings;
    request_t request;
    bool has_begun, has_frame;
} rest_t;

/* Writes some frames; false when there are no more. */
static bool write_frames(rest_t *rest, erx_text_t *text)
{
    erx_recorded_frame_t frames[FRAMES_AT_ONCE];
    request_t *request = &rest->request;
    uint32_t count;
    uint8_t stage;
    if (request->count == 0 ||
        !erx_recordings_read(rest->recordings, &request->session, request->from, frames,
                             ERX_LESSER(request->count, FRAMES_AT_ONCE), &count, &stage) ||
        count == 0)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (rest->has_frame)
            erx_text_append(text, ",\n", 2);
        erx_recorded_frame_write(&frames[i], stage, text);
        rest->has_frame = true;
    }
    request->count -= count;
    request->from = erx_recorded_frame_number(&frames[count - 1]);
    return request->from++ != UINT32_MAX;
}

static bool write_rest(void *source, erx_text_t *text)
{
    rest_t *rest = source;
    if (!rest->has_begun)
        erx_text_print(text, "{\"frames\":[\n");
    rest->has_begun = true;
    if (write_frames(rest, text))
        return true;
    erx_text_print(text, "\n]}\n");
    return false;
}

/* A session that was not stepped yet has no recording, but it exists. */
static bool is_known(const erx_rollup_t *rollup, const erx_recordings_t *recordings,
                     const erx_pubkey_t *session)
{
    uint8_t stage;
    uint32_t count;
    erx_recorded_frame_t frame;
    erx_session_info_t info = {.struct_size = sizeof info};
    return erx_recordings_read(recordings, session, 0, &frame, 1, &count, &stage) ||
           (erx_rollup_find_session(rollup, session, &info) == ERX_STATUS_OK &&
            memcmp(&info.session_state, session, sizeof *session) == 0);
}

void erx_replay_page_answer(const erx_rollup_t *rollup, const erx_recordings_t *recordings,
                            const erx_server_message_t *message, erx_text_t *text)
{
    request_t request;
    const char *fault = read_request(message, &request);
    if (fault != NULL) {
        answer_error(message, text, 400, fault);
        return;
    }
    if (recordings == NULL || !is_known(rollup, recordings, &request.session)) {
        answer_error(message, text, 404,
                     "nothing is recorded of a session at this address: it never was here, or its "
                     "recording made way for newer ones");
        return;
    }
    rest_t *rest = malloc(sizeof *rest);
    if (rest == NULL) {
        answer_error(message, text, 503, "no memory for the answer");
        return;
    }
    *rest = (rest_t){.recordings = recordings, .request = request};
    erx_server_stream(message->connection, "application/json", write_rest, rest);
}
