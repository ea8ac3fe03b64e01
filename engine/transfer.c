#include "engine/transfer.h"

#include "kernels/stack_state.h"

#include <string.h>

typedef struct {
    erx_digest_t hash;
    uint8_t magic[8];
    uint32_t version;
    uint32_t arena_bytes;
    uint8_t model[ERX_KEY_BYTES];
    uint64_t frame_hash;
    uint8_t zero[56];
} transfer_t;

ERX_STATIC_ASSERT(sizeof(transfer_t) == 128, "the header is 128 bytes");

size_t erx_transfer_bytes(const erx_shape_t *shape)
{
    return sizeof(transfer_t) + erx_arena_bytes(shape);
}

static erx_digest_t hash_of(const uint8_t *bytes, size_t size)
{
    return erx_digest(bytes + sizeof(erx_digest_t), size - sizeof(erx_digest_t));
}

void erx_transfer_export(const erx_model_t *model, const erx_session_t *session, void *bytes_out)
{
    transfer_t header = {
        .version = ERX_TRANSFER_VERSION,
        .arena_bytes = (uint32_t)erx_arena_bytes(&model->shape),
        .frame_hash = session->frame_hash,
    };
    memcpy(header.magic, ERX_TRANSFER_MAGIC, sizeof header.magic);
    memcpy(header.model, model->hash, sizeof header.model);
    memcpy(bytes_out, &header, sizeof header);
    memcpy((uint8_t *)bytes_out + sizeof header, session->arena, header.arena_bytes);
    header.hash = hash_of(bytes_out, erx_transfer_bytes(&model->shape));
    memcpy(bytes_out, &header.hash, sizeof header.hash);
}

static erx_status_t refuse(erx_error_t *error, const char *what)
{
    return erx_error_set(error, ERX_ERR_RANGE, "imported session: %s is not one that a model gives",
                         what);
}

/* Every value that a model's tables are looked up with, and the one value that
 * a convolution's state never has. */
static erx_status_t check_state(const erx_shape_t *shape, const uint8_t *arena, erx_error_t *error)
{
    erx_world_t world;
    memcpy(&world, arena + ERX_ARENA_WORLD, sizeof world);
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        if (world.category[k] >= erx_category_counts[k])
            return refuse(error, "a category of the world state");
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        for (uint32_t i = 0; i < ERX_BINARIES; i++)
            if (world.binary[p][i] > 1)
                return refuse(error, "a binary of the world state");
    if (erx_shape_is_stack(shape) &&
        !erx_stack_state_is_valid(&shape->stack, arena + ERX_ARENA_RECURRENT))
        return refuse(error, "its ring of frames");
    for (uint32_t l = 0; l < shape->layer_count; l++) {
        const uint8_t *taps = arena + ERX_ARENA_RECURRENT + l * erx_shape_layer_state_bytes(shape);
        for (size_t i = 0; i < (size_t)3 * erx_shape_conv_dim(shape); i++) {
            int16_t value;
            memcpy(&value, taps + i * sizeof value, sizeof value);
            if (value == INT16_MIN)
                return refuse(error, "a value of a convolution's state");
        }
    }
    if (erx_arena_status(arena) > ERX_SESSION_ENDED || erx_arena_frame(arena) > ERX_FRAMES_MAX)
        return refuse(error, "its status or frame");
    return ERX_OK;
}

erx_status_t erx_transfer_import(erx_model_t *model, const void *bytes, size_t size,
                                 uint64_t *handle_out, erx_error_t *error)
{
    transfer_t header;
    size_t expected = erx_transfer_bytes(&model->shape);
    if (size < sizeof header)
        return erx_error_set(error, ERX_ERR_FORMAT, "imported session: %zu bytes are too few",
                             size);
    memcpy(&header, bytes, sizeof header);
    if (memcmp(header.magic, ERX_TRANSFER_MAGIC, sizeof header.magic) != 0 ||
        header.version != ERX_TRANSFER_VERSION)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "imported session: not " ERX_TRANSFER_MAGIC " version %u",
                             ERX_TRANSFER_VERSION);
    if (memcmp(header.model, model->hash, sizeof header.model) != 0)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "imported session: another model plays it; load that one");
    if (size != expected || header.arena_bytes != erx_arena_bytes(&model->shape))
        return erx_error_set(error, ERX_ERR_FORMAT, "imported session: %zu bytes and not %zu", size,
                             expected);
    erx_digest_t hash = hash_of(bytes, size);
    if (!erx_digest_equal(&hash, &header.hash))
        return erx_error_set(error, ERX_ERR_HASH, "imported session: its bytes are damaged");
    const uint8_t *arena = (const uint8_t *)bytes + sizeof header;
    erx_status_t status = check_state(&model->shape, arena, error);
    if (status != ERX_OK)
        return status;
    return erx_session_import(&model->sessions, arena, header.frame_hash, handle_out, error);
}
