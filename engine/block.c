#include "engine/block.h"

#include <xxhash.h>

#include "mem/assert.h"

void erx_block_begin(erx_block_t *block, uint64_t number, int64_t timestamp)
{
    ERX_ASSERT(number > block->number);
    block->number = number;
    block->timestamp = timestamp;
    block->frame_count = 0;
}

erx_status_t erx_block_add(erx_block_t *block, erx_model_t *model, erx_session_t *session)
{
    if (session->status != ERX_SESSION_ACTIVE || session->block_number == block->number)
        return ERX_ERR_STATE;
    if (block->frame_count == block->frame_capacity)
        return ERX_ERR_FULL;
    session->block_number = block->number;
    erx_frame_t *frame = &block->frames[block->frame_count++];
    frame->model = model;
    frame->session = session;
    erx_arena_frame_controls(session->arena, frame->control);
    return ERX_OK;
}

void erx_block_add_all(erx_block_t *block, erx_model_t *model)
{
    for (uint32_t slot = 0; slot < model->sessions.capacity; slot++) {
        erx_session_t *session = &model->sessions.sessions[slot];
        if (session->generation % 2 == 1)
            (void)erx_block_add(block, model, session); /* inactive ones stay out */
    }
}

uint64_t erx_block_frames_hash(const erx_block_t *block)
{
    uint64_t hash = block->number;
    for (uint32_t i = 0; i < block->frame_count; i++) {
        uint64_t frame_hash = block->frames[i].session->frame_hash;
        hash = XXH3_64bits_withSeed(&frame_hash, sizeof frame_hash, hash);
    }
    return hash;
}
