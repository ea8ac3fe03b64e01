/* Checkpoints: whole sessions and whole pages of accounts, each in its turn.
 * This header specifies their bytes and how fast the turns come.
 *
 * A pool has one file of checkpoints. Each of its slots has two images there,
 * at offset (2 * slot + image) * erx_checkpoint_stride: 4096 bytes of header,
 * then the arena, padded with zeros to a multiple of 4096. The images
 * are written in turn: the one that is not the newest usable is overwritten.
 *
 *   offset  bytes  field
 *   0       16     hash        XXH3-128 of the image's bytes from 16 on
 *   16      8      magic       "ERXCKPT2"
 *   24      4      version     ERX_CHECKPOINT_VERSION
 *   28      4      pool        index in the data directory
 *   32      16     file_id     drawn when the data directory was made
 *   48      8      sequence    the record after whose block this was the state
 *   56      8      touched     last record that changed the slot
 *   64      8      epoch       as in records
 *   72      8      durable     greatest sequence known to be durable at writing
 *   80      8      frame_hash  of the session's chain
 *   88      8      state_hash  XXH3-64 of the arena
 *   96      4      slot
 *   100     4      image       0 or 1
 *   104     4      generation  even: the slot is free, there is no arena
 *   108     4      arena_bytes 0 where the slot is free
 *   112     16     record      hash of the record of that sequence
 *   128     3968   zero
 *
 * An image counts iff all of this is as it should be at its place, its hash is
 * that of its bytes, and the recovered journal has its record, or begins right
 * after it. So one that is newer than the durable journal is as if it were not
 * there, and stays so when the journal has grown past its sequence again with
 * other blocks. */
#ifndef ERX_ENGINE_CHECKPOINT_H
#define ERX_ENGINE_CHECKPOINT_H

#include "engine/journal.h"

#define ERX_CHECKPOINT_MAGIC        "ERXCKPT2"
#define ERX_CHECKPOINT_VERSION      2u
#define ERX_CHECKPOINT_HEADER_BYTES 4096u
#define ERX_CHECKPOINT_IMAGES       2u

typedef struct {
    erx_digest_t hash;
    uint8_t magic[8];
    uint32_t version;
    uint32_t pool;
    uint8_t file_id[ERX_FILE_ID_BYTES];
    uint64_t sequence;
    uint64_t touched;
    uint64_t epoch;
    uint64_t durable;
    uint64_t frame_hash;
    uint64_t state_hash;
    uint32_t slot;
    uint32_t image;
    uint32_t generation;
    uint32_t arena_bytes;
    erx_digest_t record;
    uint8_t zero[3968];
} erx_checkpoint_t;

ERX_STATIC_ASSERT(sizeof(erx_checkpoint_t) == ERX_CHECKPOINT_HEADER_BYTES, "as specified");
ERX_STATIC_ASSERT(offsetof(erx_checkpoint_t, zero) == 128, "the header has no gaps");

/* Bytes of one image of a pool's arenas, and where an image lies in its file. */
uint64_t erx_checkpoint_stride(uint32_t arena_bytes);
uint64_t erx_checkpoint_offset(uint32_t arena_bytes, uint32_t slot, uint32_t image);

/* Bytes of the pool's file. */
uint64_t erx_checkpoint_file_bytes(uint32_t arena_bytes, uint32_t capacity);

static inline uint8_t *erx_checkpoint_arena(erx_checkpoint_t *checkpoint)
{
    return (uint8_t *)(checkpoint + 1);
}

/* Finishes an image whose fields and arena are in place: constants, padding,
 * hashes. Returns the bytes to write, a multiple of 4096. */
uint32_t erx_checkpoint_seal(erx_checkpoint_t *checkpoint);

/* What an image must be at its place. */
typedef struct {
    const uint8_t *file_id;
    uint32_t pool;
    uint32_t slot;
    uint32_t image;
    uint32_t arena_bytes; /* of a slot of this pool */
} erx_checkpoint_place_t;

/* Whether a header is plausible at its place; says nothing about its hash. */
bool erx_checkpoint_is_placed(const erx_checkpoint_t *header, const erx_checkpoint_place_t *place);

/* Whether the image is whole: is_placed, and its hash. The bytes after the
 * header are arena_bytes, padded. */
bool erx_checkpoint_is_valid(const erx_checkpoint_t *image, const erx_checkpoint_place_t *place);

/* XXH3-64 of an arena: state_hash. */
uint64_t erx_state_hash(const uint8_t *arena, size_t arena_bytes);

/* How many sessions a block checkpoints: all in frames blocks, evenly. */
typedef struct {
    uint32_t frames; /* K: every session once in so many blocks */
    uint64_t credit; /* in 1 / frames of a checkpoint */
} erx_checkpoint_pace_t;

/* Turns due in the next block of an engine with slot_count slots in use. */
uint32_t erx_checkpoint_pace_next(erx_checkpoint_pace_t *pace, uint32_t slot_count);

/* Gives back turns that found no free buffer: they stay due. */
void erx_checkpoint_pace_return(erx_checkpoint_pace_t *pace, uint32_t turns);

/* What a restart is made of. */
typedef struct {
    uint64_t target_ns; /* how long it may take */
    uint64_t read_ns;   /* of journal and checkpoints, together */
    uint64_t frame_ns;  /* of one session-frame on one worker */
    uint32_t session_count;
    uint32_t worker_count;
} erx_restart_t;

/* K so that reading, and replaying half of K frames of every session, take at
 * most the target. */
uint32_t erx_checkpoint_frames_for(const erx_restart_t *restart);

#define ERX_CHECKPOINT_FRAMES_MIN 16u
#define ERX_CHECKPOINT_FRAMES_MAX 3600u

#endif
