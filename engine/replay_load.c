/* Which checkpoint re-execution starts from, slot by slot. */
#include <inttypes.h>
#include <string.h>

#include "engine/mutant.h"
#include "engine/replay.h"
#include "mem/assert.h"
#include "mem/region.h"

/* Slots that are loaded before the next look whether there are more. */
#define BATCH_SLOTS 128u

typedef struct {
    erx_replay_t *replay;
    erx_io_t *io;
    const erx_chain_t *chain;
    uint64_t needed; /* of the newest record: every slot had a durable image from one before on */
    erx_replay_from_t from;
    uint64_t touched; /* of the newest record: slots that were ever changed */
    uint64_t found;   /* slots whose state is an image's */
    uint8_t *memory;  /* a buffer for each reader */
    uint64_t stride;
    uint32_t pool; /* of the batch ... */
    uint32_t from_slot;
    uint64_t claims[BATCH_SLOTS]; /* 0, or what a slot's image claims and the chain has not */
} load_t;

/* One reader at work on one slot. */
typedef struct {
    load_t *load;
    erx_checkpoint_t *buffer;
} reader_t;

/* Reads an image into the buffer; false where it is not whole. */
static bool read_image(const reader_t *reader, const erx_checkpoint_place_t *place,
                       bool header_only)
{
    const load_t *load = reader->load;
    erx_checkpoint_t *buffer = reader->buffer;
    uint32_t file = ERX_JOURNAL_COPIES + place->pool;
    uint64_t offset = erx_checkpoint_offset(place->arena_bytes, place->slot, place->image);
    if (erx_io_read(load->io, file, offset, buffer, ERX_CHECKPOINT_HEADER_BYTES) != 0 ||
        !erx_checkpoint_is_placed(buffer, place))
        return false;
    if (header_only)
        return true;
    uint32_t rest = ERX_ALIGN_UP(buffer->arena_bytes, ERX_JOURNAL_ALIGNMENT);
    if (rest > 0 &&
        erx_io_read(load->io, file, offset + ERX_CHECKPOINT_HEADER_BYTES, buffer + 1, rest) != 0)
        return false;
    return erx_checkpoint_is_valid(buffer, place);
}

/* Whether the chain completes the image in the buffer. */
static bool is_in_chain(const reader_t *reader)
{
    const erx_chain_t *chain = reader->load->chain;
    uint64_t sequence = reader->buffer->sequence;
    if (ERX_MUTANT(NEWER_CHECKPOINT) && sequence > chain->last_sequence)
        return true;
    if (chain->count == 0 || sequence + 1 < chain->first_sequence ||
        sequence > chain->last_sequence)
        return false;
    const erx_digest_t *record = sequence < chain->first_sequence
                                     ? &chain->links[0].record->previous
                                     : &erx_chain_link(chain, sequence)->record->hash;
    return erx_digest_equal(record, &reader->buffer->record);
}

/* A slot's image, whole or not looked at yet. */
typedef struct {
    uint32_t image;
    uint64_t sequence;
} image_t;

/* The slot's images that the chain completes, the preferred one first. */
static uint32_t order_images(const reader_t *reader, erx_checkpoint_place_t place,
                             image_t images_out[ERX_CHECKPOINT_IMAGES])
{
    bool oldest_first = reader->load->from == ERX_REPLAY_OLDEST || ERX_MUTANT(OLDER_CHECKPOINT);
    uint32_t count = 0;
    for (place.image = 0; place.image < ERX_CHECKPOINT_IMAGES; place.image++)
        if (read_image(reader, &place, true) && is_in_chain(reader))
            images_out[count++] = (image_t){place.image, reader->buffer->sequence};
    if (count == 2 && (images_out[0].sequence > images_out[1].sequence) == oldest_first) {
        image_t first = images_out[0];
        images_out[0] = images_out[1];
        images_out[1] = first;
    }
    return count;
}

/* Makes the image in the buffer the slot's state. */
static void adopt(const reader_t *reader, erx_replay_slot_t *state)
{
    const erx_checkpoint_t *image = reader->buffer;
    const erx_pools_t *pools = &reader->load->replay->pools;
    erx_session_t *session = erx_pools_session(pools, image->pool, image->slot);
    memcpy(erx_pools_arena(pools, image->pool, image->slot), image + 1, image->arena_bytes);
    if (session != NULL)
        erx_session_adopt(session, image->generation, image->frame_hash);
    state->base = image->sequence;
    state->touched = image->touched;
}

/* Whether everything that was ever played can be checked. */
static bool from_genesis(const load_t *load)
{
    return load->from == ERX_REPLAY_OLDEST && load->chain->first_sequence == 1;
}

/* Uses an image that is whole. */
static void use_image(const reader_t *reader, erx_replay_slot_t *state)
{
    const erx_checkpoint_t *image = reader->buffer;
    if (state->base == 0 && !from_genesis(reader->load)) {
        adopt(reader, state);
    } else {
        state->other = image->sequence;
        state->other_hash = image->state_hash;
    }
    state->needed = image->sequence;
    state->needed_image = image->image;
}

static erx_replay_slot_t *state_of(const load_t *load, uint32_t i)
{
    return &load->replay->slots[load->replay->pools.base[load->pool] + load->from_slot + i];
}

/* Loads the i-th slot of the batch; what others share is left to count_slot. */
static void load_slot(void *context, uint32_t i, uint32_t number)
{
    load_t *load = context;
    const reader_t reader = {
        .load = load,
        .buffer = (erx_checkpoint_t *)(void *)(load->memory + number * load->stride),
    };
    erx_checkpoint_place_t place = {
        .file_id = load->replay->file_id,
        .pool = load->pool,
        .slot = load->from_slot + i,
        .arena_bytes = erx_pools_arena_bytes(&load->replay->pools, load->pool),
    };
    image_t images[ERX_CHECKPOINT_IMAGES];
    uint32_t count = order_images(&reader, place, images);
    erx_replay_slot_t *state = state_of(load, i);
    for (uint32_t k = 0; k < count; k++) {
        place.image = images[k].image;
        /* The second is worth reading where it is compared, or where the first
         * may not be durable: a flush of it was not confirmed. */
        bool surely = images[k].sequence + 1 >= load->needed;
        if (state->base != 0 && load->from == ERX_REPLAY_NEWEST && !surely)
            break;
        if (!read_image(&reader, &place, false))
            continue;
        if (reader.buffer->durable > load->chain->last_sequence) {
            load->claims[i] = reader.buffer->durable;
            return;
        }
        use_image(&reader, state);
    }
    if (ERX_MUTANT(OLDER_CHECKPOINT) && count == 2)
        state->base = state->touched = images[1].sequence;
}

static erx_status_t refuse_claim(const load_t *load, uint32_t i, erx_error_t *error)
{
    char text[ERX_POOL_TEXT_MAX];
    erx_pools_text(&load->replay->pools, load->pool, load->from_slot + i, text);
    return erx_error_set(error, ERX_ERR_HASH,
                         "%s: record %" PRIu64 " was confirmed as durable, as a checkpoint of %s "
                         "says, but the journal ends at %" PRIu64
                         "; put back a copy of the data directory",
                         load->replay->name, load->claims[i], text, load->chain->last_sequence);
}

/* Counts the i-th slot of the batch, which was loaded. */
static void count_slot(load_t *load, uint32_t i)
{
    const erx_replay_slot_t *state = state_of(load, i);
    uint64_t last = load->chain->last_sequence;
    load->found += state->touched != 0;
    load->replay->other_count += state->other > state->base;
    if (!erx_pools_is_pages(&load->replay->pools, load->pool))
        load->replay->frames_total += last - ERX_MIN(state->base, last);
}

/* Whether slots that were not looked at may have images. Most pages of a large
 * heap were never written, and a look at one is two reads. */
static bool may_be_more(const load_t *load)
{
    return load->from == ERX_REPLAY_OLDEST || load->found < load->touched;
}

static erx_status_t load_batch(load_t *load, erx_error_t *error)
{
    uint32_t left = erx_pools_capacity(&load->replay->pools, load->pool) - load->from_slot;
    uint32_t count = ERX_MIN(left, BATCH_SLOTS);
    erx_io_read_many(load->io, count, load_slot, load);
    for (uint32_t i = 0; i < count; i++) {
        if (load->claims[i] != 0)
            return refuse_claim(load, i, error);
        if (may_be_more(load))
            count_slot(load, i);
    }
    return ERX_OK;
}

static erx_status_t load_pools(load_t *load, erx_error_t *error)
{
    const erx_pools_t *pools = &load->replay->pools;
    for (load->pool = 0; load->pool < pools->count; load->pool++)
        for (load->from_slot = 0;
             may_be_more(load) && load->from_slot < erx_pools_capacity(pools, load->pool);
             load->from_slot += BATCH_SLOTS)
            if (load_batch(load, error) != ERX_OK)
                return error->status;
    return ERX_OK;
}

erx_status_t erx_replay_load(erx_replay_t *replay, erx_io_t *io, const erx_chain_t *chain,
                             erx_replay_from_t from, erx_error_t *error)
{
    erx_region_t region;
    load_t load = {
        .replay = replay,
        .io = io,
        .chain = chain,
        .from = from,
        .stride = erx_checkpoint_stride(erx_pools_arena_bytes_max(&replay->pools)),
    };
    if (chain->count > 0) {
        load.needed = chain->links[chain->count - 1].record->needed;
        load.touched = chain->links[chain->count - 1].record->touched;
    }
    erx_status_t status = erx_region_open_empty(&region, ERX_IO_READERS_MAX * load.stride, error);
    if (status != ERX_OK)
        return erx_error_prefix(error, "reading checkpoints");
    load.memory = region.base;
    status = load_pools(&load, error);
    erx_region_close(&region);
    return status;
}
