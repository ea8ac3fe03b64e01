#include "engine/policy.h"

#include "engine/policy_file.h"
#include "mem/alloc.h"
#include "mem/assert.h"

#include <string.h>

typedef struct {
    erx_policy_seat_terms_t terms;
    uint32_t newest; /* index of the frame seen last */
    bool used;
    bool has_seen; /* a state since it was taken */
} seat_t;

struct erx_policy {
    char name[ERX_MODEL_NAME_MAX + 1];
    erx_policy_image_t image;
    const erx_kernel_t *kernel;
    erx_gang_t *gang;
    uint32_t worker_count;
    uint32_t seat_capacity;
    uint32_t free_from; /* no seat before this one is free */
    seat_t *seats;
    int8_t *frames; /* [seat_capacity][K][frame_bytes] */
    size_t frame_bytes;
    uint8_t *image_memory, *scratch_memory;
    erx_policy_scratch_t *scratches; /* [worker_count] */
    erx_policy_turn_t *turns;        /* of the call at hand */
    uint32_t turn_count, group_size;
};

/* ---- opening ---- */

static erx_status_t open_scratches(erx_policy_t *policy, erx_error_t *error)
{
    const erx_policy_shape_t *shape = &policy->image.shape;
    size_t bytes = erx_policy_scratch_bytes(policy->kernel, shape);
    policy->scratches = erx_alloc(policy->worker_count, sizeof *policy->scratches);
    policy->scratch_memory = erx_alloc(policy->worker_count, bytes);
    if (policy->scratches == NULL || policy->scratch_memory == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the policy's work space");
    for (uint32_t w = 0; w < policy->worker_count; w++)
        erx_policy_scratch_init(&policy->scratches[w], policy->kernel, shape,
                                policy->scratch_memory + w * bytes);
    return ERX_OK;
}

static erx_status_t open_seats(erx_policy_t *policy, erx_error_t *error)
{
    policy->frame_bytes = erx_policy_frame_bytes(&policy->image.shape);
    policy->seats = erx_alloc(policy->seat_capacity, sizeof *policy->seats);
    policy->frames =
        erx_alloc(policy->seat_capacity, policy->image.shape.context * policy->frame_bytes);
    if (policy->seats == NULL || policy->frames == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u seats",
                             policy->seat_capacity);
    return ERX_OK;
}

static erx_status_t open_parts(erx_policy_t *policy, const char *directory, erx_error_t *error)
{
    erx_policy_file_t file;
    erx_status_t status = erx_policy_file_open(directory, &file, error);
    if (status != ERX_OK)
        return status;
    memcpy(policy->name, file.manifest.name, sizeof policy->name);
    policy->image_memory =
        erx_alloc(erx_policy_image_bytes(policy->kernel, &file.manifest.shape), 1);
    if (policy->image_memory == NULL)
        status = erx_error_set(error, ERX_ERR_MEMORY, "no memory for the policy's weights");
    else
        erx_policy_image_pack(policy->kernel, &file.tensors, policy->image_memory, &policy->image);
    erx_policy_file_close(&file);
    if (status == ERX_OK)
        status = open_scratches(policy, error);
    if (status == ERX_OK)
        status = open_seats(policy, error);
    return status;
}

erx_status_t erx_policy_open(erx_policy_t **policy_out, const char *directory,
                             const erx_policy_config_t *config, erx_error_t *error)
{
    if (config->seat_capacity == 0 || config->seat_capacity > ERX_POLICY_SEATS_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "seat_capacity: %u is outside [1, %u]",
                             config->seat_capacity, ERX_POLICY_SEATS_MAX);
    erx_policy_t *policy = erx_alloc(1, sizeof *policy);
    if (policy == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a policy");
    policy->kernel = config->kernel;
    policy->gang = config->gang;
    policy->worker_count = config->gang == NULL ? 1 : erx_gang_worker_count(config->gang);
    policy->seat_capacity = config->seat_capacity;
    erx_status_t status = open_parts(policy, directory, error);
    if (status == ERX_OK)
        *policy_out = policy;
    else
        erx_policy_close(policy);
    return status;
}

void erx_policy_close(erx_policy_t *policy)
{
    if (policy == NULL)
        return;
    erx_free(policy->frames);
    erx_free(policy->seats);
    erx_free(policy->scratches);
    erx_free(policy->scratch_memory);
    erx_free(policy->image_memory);
    erx_free(policy);
}

const char *erx_policy_name(const erx_policy_t *policy)
{
    return policy->name;
}

/* ---- seats ---- */

erx_status_t erx_policy_seat_create(erx_policy_t *policy, const erx_policy_seat_terms_t *terms,
                                    uint32_t *seat_out, erx_error_t *error)
{
    if (terms->player >= ERX_PLAYERS)
        return erx_error_set(error, ERX_ERR_RANGE, "player: %u is outside [0, 1]", terms->player);
    while (policy->free_from < policy->seat_capacity && policy->seats[policy->free_from].used)
        policy->free_from++;
    if (policy->free_from == policy->seat_capacity)
        return erx_error_set(error, ERX_ERR_FULL, "all %u seats of policy %s are taken",
                             policy->seat_capacity, policy->name);
    policy->seats[policy->free_from] = (seat_t){.terms = *terms, .used = true};
    *seat_out = policy->free_from;
    return ERX_OK;
}

void erx_policy_seat_end(erx_policy_t *policy, uint32_t seat)
{
    ERX_ASSERT(seat < policy->seat_capacity && policy->seats[seat].used);
    policy->seats[seat].used = false;
    policy->free_from = ERX_MIN(policy->free_from, seat);
}

/* ---- playing ---- */

/* Puts a state into the seat's ring: the first one everywhere. */
static void see(const erx_policy_t *policy, uint32_t index, const erx_world_t *world)
{
    seat_t *seat = &policy->seats[index];
    uint32_t context = policy->image.shape.context;
    int8_t *ring = policy->frames + (size_t)index * context * policy->frame_bytes;
    seat->newest = (seat->newest + 1) % context;
    int8_t *frame = ring + seat->newest * policy->frame_bytes;
    erx_policy_encode(&policy->image, world, seat->terms.player, frame);
    for (uint32_t k = 0; k < context && !seat->has_seen; k++)
        if (k != seat->newest)
            memcpy(ring + k * policy->frame_bytes, frame, policy->frame_bytes);
    seat->has_seen = true;
}

static erx_policy_lane_t lane_of(const erx_policy_t *policy, uint32_t index)
{
    uint32_t context = policy->image.shape.context;
    return (erx_policy_lane_t){
        .frames = policy->frames + (size_t)index * context * policy->frame_bytes,
        .oldest = (policy->seats[index].newest + 1) % context,
    };
}

static void decide(const erx_policy_t *policy, erx_policy_turn_t *turn, const int32_t *outputs)
{
    const erx_policy_seat_terms_t *terms = &policy->seats[turn->seat].terms;
    uint64_t dice[ERX_POLICY_DICE];
    erx_policy_dice(terms->seed, turn->frame, terms->player, dice);
    erx_policy_decide(outputs, turn->world->control[terms->player], terms->steady ? NULL : dice,
                      turn->control);
}

static void play_group(const erx_policy_t *policy, const erx_policy_scratch_t *scratch,
                       erx_policy_turn_t *turns, uint32_t count)
{
    erx_policy_lane_t lanes[ERX_POLICY_LANES] = {0};
    int32_t outputs[ERX_POLICY_LANES][ERX_POLICY_OUTPUTS];
    for (uint32_t i = 0; i < count; i++) {
        ERX_ASSERT(turns[i].seat < policy->seat_capacity && policy->seats[turns[i].seat].used);
        see(policy, turns[i].seat, turns[i].world);
        lanes[i] = lane_of(policy, turns[i].seat);
    }
    erx_policy_run(policy->kernel, &policy->image, scratch, lanes, count, outputs);
    for (uint32_t i = 0; i < count; i++)
        decide(policy, &turns[i], outputs[i]);
}

/* Worker w takes every worker_count-th group. */
static void play_share(void *context, uint32_t worker)
{
    const erx_policy_t *policy = context;
    uint32_t stride = policy->group_size * policy->worker_count;
    for (uint32_t first = worker * policy->group_size; first < policy->turn_count; first += stride)
        play_group(policy, &policy->scratches[worker], policy->turns + first,
                   ERX_MIN(policy->group_size, policy->turn_count - first));
}

void erx_policy_play(erx_policy_t *policy, erx_policy_turn_t *turns, uint32_t count)
{
    policy->turns = turns;
    policy->turn_count = count;
    uint32_t fair = ERX_CEIL_DIV(count, policy->worker_count);
    policy->group_size = ERX_MAX(1u, ERX_MIN(fair, ERX_POLICY_LANES));
    if (policy->gang != NULL && count > 1)
        erx_gang_run(policy->gang, play_share, policy);
    else
        play_share(policy, 0);
}
