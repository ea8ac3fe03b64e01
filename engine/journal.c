#include "engine/journal.h"

#include <string.h>

#include <xxhash.h>

#include "mem/assert.h"

#define HASHED_FROM sizeof(erx_digest_t)

erx_digest_t erx_digest(const void *bytes, size_t size)
{
    XXH128_canonical_t canonical;
    erx_digest_t digest;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
    memcpy(digest.bytes, canonical.digest, sizeof digest.bytes);
    return digest;
}

bool erx_digest_equal(const erx_digest_t *a, const erx_digest_t *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static uint64_t payload_end(uint64_t event_count, uint64_t frame_count, uint64_t bulk_bytes)
{
    return sizeof(erx_record_t) + event_count * sizeof(erx_event_t) +
           frame_count * sizeof(erx_frame_entry_t) + bulk_bytes;
}

uint64_t erx_record_length(uint64_t event_count, uint64_t frame_count, uint64_t bulk_bytes)
{
    return ERX_ALIGN_UP(payload_end(event_count, frame_count, bulk_bytes),
                        (uint64_t)ERX_JOURNAL_ALIGNMENT);
}

void erx_record_seal(erx_record_t *record)
{
    uint8_t *bytes = (uint8_t *)record;
    uint64_t end = payload_end(record->event_count, record->frame_count, record->bulk_bytes);
    uint64_t length = ERX_ALIGN_UP(end, (uint64_t)ERX_JOURNAL_ALIGNMENT);
    ERX_ASSERT(length <= ERX_JOURNAL_LENGTH_MAX);
    memcpy(record->magic, ERX_JOURNAL_MAGIC, sizeof record->magic);
    record->version = ERX_JOURNAL_VERSION;
    record->length = (uint32_t)length;
    memset(record->zero, 0, sizeof record->zero);
    memset(bytes + end, 0, length - end);
    record->hash = erx_digest(bytes + HASHED_FROM, length - HASHED_FROM);
}

bool erx_record_is_valid(const uint8_t *bytes, uint64_t size,
                         const uint8_t file_id[ERX_FILE_ID_BYTES], uint64_t offset)
{
    erx_record_t record;
    if (size < sizeof record)
        return false;
    memcpy(&record, bytes, sizeof record);
    if (memcmp(record.magic, ERX_JOURNAL_MAGIC, sizeof record.magic) != 0 ||
        record.version != ERX_JOURNAL_VERSION || record.offset != offset ||
        memcmp(record.file_id, file_id, ERX_FILE_ID_BYTES) != 0)
        return false;
    if (record.length > size || record.length > ERX_JOURNAL_LENGTH_MAX ||
        record.length !=
            erx_record_length(record.event_count, record.frame_count, record.bulk_bytes))
        return false;
    erx_digest_t hash = erx_digest(bytes + HASHED_FROM, record.length - HASHED_FROM);
    return erx_digest_equal(&hash, &record.hash);
}

uint64_t erx_frame_hash_start(const uint8_t *arena)
{
    return XXH3_64bits(arena, ERX_ARENA_RECURRENT);
}

uint64_t erx_frame_hash_next(uint64_t before, const erx_world_t *world, const int32_t *regressions,
                             const int32_t *logits)
{
    uint64_t parts[3] = {
        XXH3_64bits_withSeed(world, sizeof *world, before),
        XXH3_64bits(regressions, ERX_REGRESSIONS * sizeof *regressions),
        XXH3_64bits(logits, ERX_LOGITS * sizeof *logits),
    };
    return XXH3_64bits(parts, sizeof parts);
}
