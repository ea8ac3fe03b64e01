/* One frame of a session as a recording keeps it, and as the JSON that
 * `erx rollout --json` writes. */
#ifndef ERX_NODE_RECORDED_FRAME_H
#define ERX_NODE_RECORDED_FRAME_H

#include "abi/erx.h"
#include "node/text_buffer.h"

#define ERX_SESSION_STATE_SIZE 256u /* bytes of a SessionState account */
#define ERX_PLAYER_STATE_SIZE  32u

/* In a file as it is in memory, little-endian. */
typedef struct {
    uint8_t frame[4];
    uint8_t players[ERX_PLAYER_COUNT][ERX_PLAYER_STATE_SIZE]; /* PlayerState after it */
    uint8_t controls[ERX_PLAYER_COUNT][ERX_CONTROLLER_SIZE];  /* that led to it */
} erx_recorded_frame_t;

/* What a block did to one account that may be a SessionState. */
typedef struct {
    erx_pubkey_t session; /* its address */
    erx_pubkey_t owner;   /* program of the account */
    int64_t created_at;
    uint8_t stage;
    bool is_over;   /* ended or gone: no frame follows */
    bool has_state; /* the account is there: what follows holds */
    erx_recorded_frame_t frame;
} erx_session_step_t;

/* Whether data is that of a SessionState, by its discriminator and size. */
bool erx_session_state_is(const uint8_t *data, size_t size);

/* Fills all but session, owner and controls from a SessionState's data. */
void erx_session_state_read(const uint8_t *data, erx_session_step_t *step_out);

uint32_t erx_recorded_frame_number(const erx_recorded_frame_t *frame);

/* Appends the frame as one JSON object. */
void erx_recorded_frame_write(const erx_recorded_frame_t *frame, uint8_t stage, erx_text_t *text);

#endif
