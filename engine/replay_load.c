/* Which checkpoint re-execution starts from, slot by slot. */
#include <inttypes.h>
#include <string.h>

#include "engine/mutant.h"
#include "engine/replay.h"
#include "mem/assert.h"

typedef struct {
    erx_replay_t *replay;
    erx_io_t *io;
    erx_checkpoint_t *buffer;
    const erx_chain_t *chain;
    uint64_t needed; /* of the newest record: every slot had a durable image from one before on */
    erx_replay_from_t from;
    uint64_t touched; /* of the newest record: slots that were ever changed */
    uint64_t found;   /* slots whose state is an image's */
} load_t;

/* Reads an image into the buffer; false where it is not whole. */
static bool read_image(const load_t *load, const erx_checkpoint_place_t *place, bool header_only)
{
    uint32_t file = ERX_JOURNAL_COPIES + place->pool;
    uint64_t offset = erx_checkpoint_offset(place->arena_bytes, place->slot, place->image);
    if (erx_io_read(load->io, file, offset, load->buffer, ERX_CHECKPOINT_HEADER_BYTES) != 0 ||
        !erx_checkpoint_is_placed(load->buffer, place))
        return false;
    if (header_only)
        return true;
    uint32_t rest = ERX_ALIGN_UP(load->buffer->arena_bytes, ERX_JOURNAL_ALIGNMENT);
    if (rest > 0 && erx_io_read(load->io, file, offset + ERX_CHECKPOINT_HEADER_BYTES,
                                load->buffer + 1, rest) != 0)
        return false;
    return erx_checkpoint_is_valid(load->buffer, place);
}

/* Whether the chain completes the image in the buffer. */
static bool is_in_chain(const load_t *load)
{
    const erx_chain_t *chain = load->chain;
    uint64_t sequence = load->buffer->sequence;
    if (ERX_MUTANT(NEWER_CHECKPOINT) && sequence > chain->last_sequence)
        return true;
    if (chain->count == 0 || sequence + 1 < chain->first_sequence ||
        sequence > chain->last_sequence)
        return false;
    const erx_digest_t *record = sequence < chain->first_sequence
                                     ? &chain->links[0].record->previous
                                     : &erx_chain_link(chain, sequence)->record->hash;
    return erx_digest_equal(record, &load->buffer->record);
}

/* A slot's image, whole or not looked at yet. */
typedef struct {
    uint32_t image;
    uint64_t sequence;
} image_t;

/* The slot's images that the chain completes, the preferred one first. */
static uint32_t order_images(const load_t *load, erx_checkpoint_place_t place,
                             image_t images_out[ERX_CHECKPOINT_IMAGES])
{
    bool oldest_first = load->from == ERX_REPLAY_OLDEST || ERX_MUTANT(OLDER_CHECKPOINT);
    uint32_t count = 0;
    for (place.image = 0; place.image < ERX_CHECKPOINT_IMAGES; place.image++)
        if (read_image(load, &place, true) && is_in_chain(load))
            images_out[count++] = (image_t){place.image, load->buffer->sequence};
    if (count == 2 && (images_out[0].sequence > images_out[1].sequence) == oldest_first) {
        image_t first = images_out[0];
        images_out[0] = images_out[1];
        images_out[1] = first;
    }
    return count;
}

static erx_status_t check_claim(const load_t *load, erx_error_t *error)
{
    if (load->buffer->durable <= load->chain->last_sequence)
        return ERX_OK;
    char text[ERX_POOL_TEXT_MAX];
    erx_pools_text(&load->replay->pools, load->buffer->pool, load->buffer->slot, text);
    return erx_error_set(
        error, ERX_ERR_HASH,
        "%s: record %" PRIu64 " was confirmed as durable, as a checkpoint of %s "
        "says, but the journal ends at %" PRIu64 "; put back a copy of the data directory",
        load->replay->name, load->buffer->durable, text, load->chain->last_sequence);
}

/* Makes the image in the buffer the slot's state. */
static void adopt(const load_t *load, erx_replay_slot_t *state)
{
    const erx_checkpoint_t *image = load->buffer;
    const erx_pools_t *pools = &load->replay->pools;
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

/* Loads a slot; counts it where its state was found. */
static erx_status_t load_slot(load_t *load, erx_checkpoint_place_t place, erx_error_t *error)
{
    image_t images[ERX_CHECKPOINT_IMAGES];
    uint32_t count = order_images(load, place, images);
    erx_replay_slot_t *state =
        &load->replay->slots[load->replay->pools.base[place.pool] + place.slot];
    for (uint32_t i = 0; i < count; i++) {
        place.image = images[i].image;
        /* The second is worth reading where it is compared, or where the first
         * may not be durable: a flush of it was not confirmed. */
        bool surely = images[i].sequence + 1 >= load->needed;
        if (state->base != 0 && load->from == ERX_REPLAY_NEWEST && !surely)
            break;
        if (!read_image(load, &place, false))
            continue;
        if (check_claim(load, error) != ERX_OK)
            return error->status;
        if (state->base == 0 && !from_genesis(load)) {
            adopt(load, state);
        } else {
            state->other = load->buffer->sequence;
            state->other_hash = load->buffer->state_hash;
        }
        state->needed = load->buffer->sequence;
        state->needed_image = place.image;
    }
    if (ERX_MUTANT(OLDER_CHECKPOINT) && count == 2)
        state->base = state->touched = images[1].sequence;
    load->found += state->touched != 0;
    load->replay->other_count += state->other > state->base;
    if (!erx_pools_is_pages(&load->replay->pools, place.pool))
        load->replay->frames_total +=
            load->chain->last_sequence - ERX_MIN(state->base, load->chain->last_sequence);
    return ERX_OK;
}

/* Whether slots that were not looked at may have images. Most pages of a large
 * heap were never written, and a look at one is two reads. */
static bool may_be_more(const load_t *load)
{
    return load->from == ERX_REPLAY_OLDEST || load->found < load->touched;
}

erx_status_t erx_replay_load(erx_replay_t *replay, erx_io_t *io, void *buffer,
                             const erx_chain_t *chain, erx_replay_from_t from, erx_error_t *error)
{
    load_t load = {
        .replay = replay,
        .io = io,
        .buffer = buffer,
        .chain = chain,
        .from = from,
    };
    if (chain->count > 0) {
        load.needed = chain->links[chain->count - 1].record->needed;
        load.touched = chain->links[chain->count - 1].record->touched;
    }
    for (uint32_t pool = 0; pool < replay->pools.count; pool++) {
        uint32_t capacity = erx_pools_capacity(&replay->pools, pool);
        for (uint32_t slot = 0; may_be_more(&load) && slot < capacity; slot++) {
            const erx_checkpoint_place_t place = {
                .file_id = replay->file_id,
                .pool = pool,
                .slot = slot,
                .arena_bytes = erx_pools_arena_bytes(&replay->pools, pool),
            };
            erx_status_t status = load_slot(&load, place, error);
            if (status != ERX_OK)
                return status;
        }
    }
    return ERX_OK;
}
