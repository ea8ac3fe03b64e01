#include "engine/checkpoint.h"

#include <string.h>

#include <xxhash.h>

#include "mem/assert.h"

#define HASHED_FROM sizeof(erx_digest_t)

static uint32_t image_bytes(uint32_t arena_bytes)
{
    return ERX_CHECKPOINT_HEADER_BYTES + ERX_ALIGN_UP(arena_bytes, ERX_JOURNAL_ALIGNMENT);
}

uint64_t erx_checkpoint_stride(uint32_t arena_bytes)
{
    return image_bytes(arena_bytes);
}

uint64_t erx_checkpoint_offset(uint32_t arena_bytes, uint32_t slot, uint32_t image)
{
    return ((uint64_t)ERX_CHECKPOINT_IMAGES * slot + image) * erx_checkpoint_stride(arena_bytes);
}

uint64_t erx_checkpoint_file_bytes(uint32_t arena_bytes, uint32_t capacity)
{
    return erx_checkpoint_offset(arena_bytes, capacity, 0);
}

static erx_digest_t image_hash(const erx_checkpoint_t *image)
{
    return erx_digest((const uint8_t *)image + HASHED_FROM,
                      image_bytes(image->arena_bytes) - HASHED_FROM);
}

uint32_t erx_checkpoint_seal(erx_checkpoint_t *checkpoint)
{
    uint32_t bytes = image_bytes(checkpoint->arena_bytes);
    uint32_t end = ERX_CHECKPOINT_HEADER_BYTES + checkpoint->arena_bytes;
    memcpy(checkpoint->magic, ERX_CHECKPOINT_MAGIC, sizeof checkpoint->magic);
    checkpoint->version = ERX_CHECKPOINT_VERSION;
    memset(checkpoint->zero, 0, sizeof checkpoint->zero);
    memset((uint8_t *)checkpoint + end, 0, bytes - end);
    checkpoint->state_hash =
        erx_state_hash(erx_checkpoint_arena(checkpoint), checkpoint->arena_bytes);
    checkpoint->hash = image_hash(checkpoint);
    return bytes;
}

bool erx_checkpoint_is_placed(const erx_checkpoint_t *header, const erx_checkpoint_place_t *place)
{
    uint32_t arena_bytes = header->generation % 2 == 1 ? place->arena_bytes : 0;
    return memcmp(header->magic, ERX_CHECKPOINT_MAGIC, sizeof header->magic) == 0 &&
           header->version == ERX_CHECKPOINT_VERSION &&
           memcmp(header->file_id, place->file_id, ERX_FILE_ID_BYTES) == 0 &&
           header->pool == place->pool && header->slot == place->slot &&
           header->image == place->image && header->arena_bytes == arena_bytes;
}

bool erx_checkpoint_is_valid(const erx_checkpoint_t *image, const erx_checkpoint_place_t *place)
{
    if (!erx_checkpoint_is_placed(image, place))
        return false;
    erx_digest_t hash = image_hash(image);
    return erx_digest_equal(&hash, &image->hash);
}

uint64_t erx_state_hash(const uint8_t *arena, size_t arena_bytes)
{
    return XXH3_64bits(arena, arena_bytes);
}

uint32_t erx_checkpoint_pace_next(erx_checkpoint_pace_t *pace, uint32_t slot_count)
{
    ERX_ASSERT(pace->frames > 0);
    pace->credit = ERX_MIN(pace->credit + slot_count, (uint64_t)slot_count * pace->frames);
    uint32_t turns = (uint32_t)(pace->credit / pace->frames);
    pace->credit %= pace->frames;
    return turns;
}

void erx_checkpoint_pace_return(erx_checkpoint_pace_t *pace, uint32_t turns)
{
    pace->credit += (uint64_t)turns * pace->frames;
}

uint32_t erx_checkpoint_frames_for(const erx_restart_t *restart)
{
    /* A third is left: a frame's cost is the best of one worker alone, and was a
     * third more with all of them at work; blocks at the beginning have few
     * sessions. Where reading alone takes too long, a quarter keeps checkpoints
     * from taking all of the disk. */
    uint64_t usable_ns = restart->target_ns / 3 * 2;
    uint64_t replay_ns =
        ERX_MAX(usable_ns - ERX_MIN(usable_ns, restart->read_ns), restart->target_ns / 4);
    uint64_t half_ns = ERX_MAX((uint64_t)restart->session_count * restart->frame_ns, 1);
    uint64_t frames = 2 * replay_ns * restart->worker_count / half_ns;
    return (uint32_t)ERX_MAX(ERX_CHECKPOINT_FRAMES_MIN, ERX_MIN(ERX_CHECKPOINT_FRAMES_MAX, frames));
}
