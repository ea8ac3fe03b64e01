/* The journal record: what one block changed, and everything needed to
 * compute it again. This header is the specification of its bytes.
 *
 * Two files hold the same records at the same offsets (the two copies), each
 * file a ring of fixed size. All integers are little-endian.
 *
 *   offset  bytes  field
 *   0       16     hash      XXH3-128 of bytes [16, length), canonical order
 *   16      8      magic     "ERXJRNL2"
 *   24      4      version   ERX_JOURNAL_VERSION
 *   28      4      length    of the record, a multiple of 4096
 *   32      16     file_id   drawn when the data directory was made
 *   48      8      sequence  1 for the first record, without gaps
 *   56      8      epoch     how often the directory had been opened for writing
 *   64      8      offset    where in the file the record lies
 *   72      16     previous  hash of record sequence - 1; zero for the first
 *   88      8      durable   greatest sequence known to be durable at writing
 *   96      8      needed    least sequence that recovery needs, at writing
 *   104     8      block     the block's number
 *   112     8      timestamp the block's time
 *   120     8      frames    one hash over all frame hashes of the block before
 *   128     8      touched   slots that records up to this one have ever changed
 *   136     8      slot      the embedder's number of the block
 *   144     4      event_count
 *   148     4      frame_count
 *   152     4      bulk_bytes
 *   156     100    zero
 *   256     192 e  events    pages of accounts that were written; sessions
 *                            created, joined, imported, ended; inputs of
 *                            sessions that the block does not step, and frames
 *                            that come in chunks; in this order
 *   ...     64 f   frames    one entry a session-frame, in the block's order
 *   ...     bulk   patches of pages, arenas of imported sessions, in the order
 *                  of their events
 *   ...            zero padding to length
 *
 * What changes is a slot of a pool: pools hold the sessions of models (and of
 * models that arrive later), the last one the pages of the account table, where
 * a data directory has one. A page is of generation 0 until its first write, of
 * generation 1 from then on; accounts.h specifies its patches.
 *
 * The record of block n is written while block n executes, so it carries what
 * block n - 1 came to: `frames` over all, and each frame entry the hash that
 * its session's chain of frames had before this frame.
 *
 * A record is valid at an offset of a file iff its magic, version and file_id
 * are the file's, its offset is this one (a misdirected write is not a record),
 * its length is a multiple of 4096, inside the file and holds the counted
 * parts, and its hash is that of its bytes.
 *
 * Frame hash. A session's chain starts with XXH3-64 of the accounts it was
 * created with (SessionState, InputBuffer, world state), and starts anew when a
 * second player joins. Each frame extends it:
 * XXH3-64, seeded with the hash before, of the world state block after the
 * frame, and of all regressions and logits that led to it. These depend on
 * every value of the recurrent state, so a divergence shows at once or when it
 * first matters; the state's own bytes (470 KB a session) are hashed in
 * checkpoints. */
#ifndef ERX_ENGINE_JOURNAL_H
#define ERX_ENGINE_JOURNAL_H

#include "engine/account.h"

#define ERX_JOURNAL_MAGIC       "ERXJRNL2"
#define ERX_JOURNAL_VERSION     2u
#define ERX_JOURNAL_ALIGNMENT   4096u
#define ERX_JOURNAL_COPIES      2u
#define ERX_JOURNAL_BYTES_MIN   ((uint64_t)1 << 16)
#define ERX_JOURNAL_BYTES_MAX   ((uint64_t)1 << 36)
#define ERX_JOURNAL_BYTES_USUAL ((uint64_t)64 << 20)
#define ERX_JOURNAL_LENGTH_MAX  ((uint32_t)1 << 28) /* of one record */
#define ERX_FILE_ID_BYTES       16u
#define ERX_INPUT_BYTES         32u /* InputBuffer without its discriminator */

/* XXH3-128 in its canonical byte order. */
typedef struct {
    uint8_t bytes[16];
} erx_digest_t;

typedef struct {
    erx_digest_t hash;
    uint8_t magic[8];
    uint32_t version;
    uint32_t length;
    uint8_t file_id[ERX_FILE_ID_BYTES];
    uint64_t sequence;
    uint64_t epoch;
    uint64_t offset;
    erx_digest_t previous;
    uint64_t durable;
    uint64_t needed;
    uint64_t block;
    int64_t timestamp;
    uint64_t frames;
    uint64_t touched;
    uint64_t slot;
    uint32_t event_count;
    uint32_t frame_count;
    uint32_t bulk_bytes;
    uint8_t zero[100];
} erx_record_t;

typedef enum {
    ERX_EVENT_CREATE = 1,
    ERX_EVENT_END = 2,
    ERX_EVENT_INPUT = 3,
    ERX_EVENT_IMPORT = 4,
    ERX_EVENT_JOIN = 5,
    ERX_EVENT_CHUNK = 6,
    ERX_EVENT_WRITE = 7,
} erx_event_kind_t;

/* Something that happened to a slot between two blocks. Fields that a kind
 * does not name are zero. */
typedef struct {
    uint8_t kind;
    uint8_t stage;                   /* create */
    uint8_t characters[ERX_PLAYERS]; /* create; join: the second */
    uint32_t max_frames;             /* create */
    uint32_t pool;                   /* index in the data directory */
    uint32_t slot;                   /* write: the page */
    uint32_t generation;             /* after the event */
    uint32_t bulk_bytes;             /* import: the arena's; write: the patches' */
    uint64_t previous;               /* last record that touched the slot, or this one */
    uint64_t seed;                   /* create */
    int64_t timestamp;               /* create, join */
    uint8_t players[ERX_PLAYERS][ERX_KEY_BYTES]; /* create; join: the second */
    uint8_t input[ERX_INPUT_BYTES];              /* input, join: what InputBuffer holds */
    union {
        uint8_t model_key[ERX_KEY_BYTES];                    /* create */
        uint8_t controls[ERX_PLAYERS][ERX_CONTROLLER_BYTES]; /* chunk: the frame's */
    };
    uint64_t frame_hash; /* import: the chain so far */
    uint8_t waits;       /* create: for a second player */
    uint8_t next_layer;  /* chunk: how far the frame's chunks have come */
    uint8_t zero[6];
} erx_event_t;

/* One frame of one session. */
typedef struct {
    uint32_t pool;
    uint32_t slot;
    uint32_t generation;
    uint32_t frame;      /* the session's frames before this one */
    uint64_t previous;   /* last record that touched the slot, or this one */
    uint64_t frame_hash; /* of the session's chain before this frame */
    uint8_t input[ERX_INPUT_BYTES];
} erx_frame_entry_t;

ERX_STATIC_ASSERT(sizeof(erx_record_t) == 256, "the header is 256 bytes");
ERX_STATIC_ASSERT(offsetof(erx_record_t, durable) == 88, "the header is as specified");
ERX_STATIC_ASSERT(offsetof(erx_record_t, zero) == 156, "the header has no gaps");
ERX_STATIC_ASSERT(sizeof(erx_event_t) == 192, "an event is 192 bytes");
ERX_STATIC_ASSERT(sizeof(erx_frame_entry_t) == 64, "a frame entry is 64 bytes");
ERX_STATIC_ASSERT(ERX_INPUT_BYTES == ERX_INPUT_BUFFER_BYTES - 8, "all but the discriminator");

erx_digest_t erx_digest(const void *bytes, size_t size);
bool erx_digest_equal(const erx_digest_t *a, const erx_digest_t *b);

/* Length of a record with these parts. */
uint64_t erx_record_length(uint64_t event_count, uint64_t frame_count, uint64_t bulk_bytes);

static inline const erx_event_t *erx_record_events(const erx_record_t *record)
{
    return (const erx_event_t *)(const void *)(record + 1);
}

static inline const erx_frame_entry_t *erx_record_frames(const erx_record_t *record)
{
    return (const erx_frame_entry_t *)(const void *)(erx_record_events(record) +
                                                     record->event_count);
}

static inline const uint8_t *erx_record_bulk(const erx_record_t *record)
{
    return (const uint8_t *)(erx_record_frames(record) + record->frame_count);
}

/* Finishes a record whose header fields and parts are in place: constants,
 * length, zero padding, hash. record points to erx_record_length bytes. */
void erx_record_seal(erx_record_t *record);

/* Whether bytes[0, size) begin with a valid record of a file at offset. Never
 * reads past size. bytes is 8-byte aligned. */
bool erx_record_is_valid(const uint8_t *bytes, uint64_t size,
                         const uint8_t file_id[ERX_FILE_ID_BYTES], uint64_t offset);

/* Start of a session's chain of frame hashes, from its arena. */
uint64_t erx_frame_hash_start(const uint8_t *arena);

/* The chain after a frame. */
uint64_t erx_frame_hash_next(uint64_t before, const erx_world_t *world, const int32_t *regressions,
                             const int32_t *logits);

#endif
