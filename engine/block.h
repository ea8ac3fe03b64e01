/* A block: which sessions advance by one frame, with which inputs, at which
 * time. What a block computes is a function of these contents alone. */
#ifndef ERX_ENGINE_BLOCK_H
#define ERX_ENGINE_BLOCK_H

#include "engine/model.h"

/* One session's frame of a block. */
typedef struct {
    erx_model_t *model;
    erx_session_t *session;
    uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
} erx_frame_t;

typedef struct {
    uint64_t number;   /* from 1, grows by one */
    uint64_t slot;     /* the embedder's number, which several blocks may have; kept
                          from block to block until the caller sets another */
    int64_t timestamp; /* seconds; what accounts carry as time */
    uint32_t frame_count;
    uint32_t frame_capacity;
    erx_frame_t *frames; /* [frame_capacity], owned by the engine */
} erx_block_t;

/* Empties the block for the next number. */
void erx_block_begin(erx_block_t *block, uint64_t number, int64_t timestamp);

/* Adds the next frame of an active session, with the controllers that its
 * InputBuffer holds now (a player who sent nothing new keeps the last input),
 * or held when the first chunk of the frame came; until the block is executed the session receives
 * no more. Errors: ERX_ERR_STATE when the session is not active or is in the block already,
 * ERX_ERR_FULL. */
erx_status_t erx_block_add(erx_block_t *block, erx_model_t *model, erx_session_t *session);

/* One hash over the frame hashes of a block that was executed, in its order. */
uint64_t erx_block_frames_hash(const erx_block_t *block);

/* Adds every active session of a model, in slot order. */
void erx_block_add_all(erx_block_t *block, erx_model_t *model);

#endif
