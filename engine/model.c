#include "engine/model.h"

#include <string.h>

#include "mem/alloc.h"
#include "mem/assert.h"

typedef struct {
    const erx_kernel_t *kernel;
    const erx_tensors_t *tensors;
} fill_t;

static erx_status_t fill_image(void *context, uint8_t *bytes, size_t size, erx_error_t *error)
{
    const fill_t *fill = context;
    (void)size;
    (void)error;
    erx_image_pack(fill->kernel, fill->tensors, bytes);
    return ERX_OK;
}

/* Workers of each node. */
static void count_workers(const erx_model_t *model, const erx_gang_t *gang,
                          uint32_t shares[ERX_NODES_MAX])
{
    memset(shares, 0, ERX_NODES_MAX * sizeof *shares);
    for (uint32_t w = 0; w < model->worker_count; w++)
        shares[erx_gang_worker_node(gang, w)]++;
}

/* One copy for every node that has a worker. */
static erx_status_t attach_weights(erx_model_t *model, const erx_tensors_t *tensors,
                                   const erx_model_plan_t *plan, erx_error_t *error)
{
    const erx_topo_t *topo = plan->topo;
    uint32_t shares[ERX_NODES_MAX];
    count_workers(model, plan->gang, shares);
    const fill_t fill = {.kernel = model->kernel, .tensors = tensors};
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (shares[n] == 0)
            continue;
        erx_weights_key_t key = {.layout_version = ERX_IMAGE_VERSION, .node = n};
        memcpy(key.model_hash, model->hash, sizeof key.model_hash);
        strncpy(key.layout, model->kernel->name, sizeof key.layout - 1);
        int node = topo->this_system ? (int)topo->node_os_index[n] : ERX_NODE_ANY;
        erx_status_t status = erx_weights_attach(&key, model->image_bytes, node, fill_image,
                                                 (void *)&fill, &model->weights[n], error);
        if (status != ERX_OK)
            return status;
        erx_image_map(model->kernel, tensors, erx_weights_bytes(model->weights[n]),
                      &model->images[n]);
        model->steps[n] = (erx_step_model_t){.kernel = model->kernel, .image = &model->images[n]};
    }
    return ERX_OK;
}

static erx_status_t open_scratches(erx_model_t *model, const erx_model_plan_t *plan,
                                   erx_error_t *error)
{
    size_t bytes = erx_scratch_bytes(model->kernel, &model->shape, ERX_GROUP_MAX);
    for (uint32_t w = 0; w < model->worker_count; w++) {
        uint32_t node_index = erx_gang_worker_node(plan->gang, w);
        int node =
            plan->topo->this_system ? (int)plan->topo->node_os_index[node_index] : ERX_NODE_ANY;
        erx_region_t *region = &model->scratch_regions[w];
        erx_status_t status = erx_region_open(region, bytes, node, error);
        if (status != ERX_OK)
            return erx_error_prefix(error, "work space of worker %u", w);
        erx_scratch_init(&model->scratches[w], model->kernel, &model->shape, ERX_GROUP_MAX,
                         erx_region_take(region, bytes, ERX_CACHE_LINE));
        erx_region_seal(region);
    }
    return ERX_OK;
}

static erx_status_t open_sessions(erx_model_t *model, uint32_t arena_bytes,
                                  const erx_model_plan_t *plan, erx_error_t *error)
{
    uint32_t shares[ERX_NODES_MAX] = {0};
    for (uint32_t w = 0; w < erx_gang_worker_count(plan->gang); w++)
        shares[erx_gang_worker_node(plan->gang, w)]++;
    return erx_session_pool_open_spare(
        &model->sessions, arena_bytes, plan->session_capacity, plan->topo->node_count, shares,
        plan->topo->this_system ? plan->topo->node_os_index : NULL, error);
}

static erx_status_t allocate_tables(erx_model_t *model, erx_error_t *error)
{
    model->images = erx_alloc(model->node_count, sizeof *model->images);
    model->scratches = erx_alloc(model->worker_count, sizeof *model->scratches);
    model->scratch_regions = erx_alloc(model->worker_count, sizeof *model->scratch_regions);
    if (model->images == NULL || model->scratches == NULL || model->scratch_regions == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the model's tables");
    return ERX_OK;
}

/* Everything but the sessions. */
static erx_status_t open_parts(erx_model_t *model, const erx_tensors_t *tensors,
                               const erx_model_plan_t *plan, erx_error_t *error)
{
    erx_status_t status = allocate_tables(model, error);
    if (status == ERX_OK)
        status = attach_weights(model, tensors, plan, error);
    if (status == ERX_OK)
        status = open_scratches(model, plan, error);
    if (status == ERX_OK)
        status = erx_cost_measure(&model->cost, plan->gang, model->steps, model->scratches,
                                  model->group_size, error);
    return status;
}

/* Gives back everything but the sessions. */
static void close_parts(erx_model_t *model)
{
    const erx_session_pool_t sessions = model->sessions;
    bool is_place = model->is_place;
    for (uint32_t w = 0; model->scratch_regions != NULL && w < model->worker_count; w++)
        erx_region_close(&model->scratch_regions[w]);
    for (uint32_t n = 0; n < model->node_count; n++)
        erx_weights_detach(model->weights[n]);
    erx_free(model->scratch_regions);
    erx_free(model->scratches);
    erx_free(model->images);
    memset(model, 0, sizeof *model);
    model->sessions = sessions;
    model->is_place = is_place;
}

/* Gives a place with sessions, or one that takes them now, the model of a file. */
static erx_status_t settle(erx_model_t *model, const erx_model_file_t *file,
                           const erx_model_plan_t *plan, erx_error_t *error)
{
    erx_status_t status = ERX_OK;
    memcpy(model->name, file->manifest.name, sizeof model->name);
    memcpy(model->hash, file->model_hash, sizeof model->hash);
    model->shape = file->manifest.shape;
    model->kernel = erx_kernel_for(plan->kernel, &model->shape);
    model->node_count = plan->topo->node_count;
    model->worker_count = erx_gang_worker_count(plan->gang);
    model->image_bytes = erx_image_bytes(model->kernel, &model->shape);
    model->group_size = erx_step_group_size(&model->shape);
    if (!model->is_place)
        status = open_sessions(model, (uint32_t)erx_arena_bytes(&model->shape), plan, error);
    if (status == ERX_OK)
        status = erx_session_pool_bind(&model->sessions, &model->shape, error);
    if (status == ERX_OK)
        status = open_parts(model, &file->tensors, plan, error);
    return status;
}

/* Opens a model whose files are open, and closes them. */
static erx_status_t open_file(erx_model_t *model_out, erx_model_file_t *file,
                              const erx_model_plan_t *plan, erx_error_t *error)
{
    erx_status_t status = settle(model_out, file, plan, error);
    erx_model_file_close(file);
    if (status != ERX_OK)
        erx_model_close(model_out);
    return status;
}

erx_status_t erx_model_open(erx_model_t *model_out, const char *directory,
                            const erx_model_plan_t *plan, erx_error_t *error)
{
    erx_model_file_t file;
    memset(model_out, 0, sizeof *model_out);
    erx_status_t status = erx_model_file_open(directory, &file, error);
    return status == ERX_OK ? open_file(model_out, &file, plan, error) : status;
}

erx_status_t erx_model_open_bytes(erx_model_t *model_out, const erx_model_bytes_t *bytes,
                                  const erx_model_plan_t *plan, erx_error_t *error)
{
    erx_model_file_t file;
    memset(model_out, 0, sizeof *model_out);
    erx_status_t status = erx_model_file_read(bytes, &file, error);
    return status == ERX_OK ? open_file(model_out, &file, plan, error) : status;
}

erx_status_t erx_model_open_place(erx_model_t *model_out, uint32_t arena_bytes,
                                  const erx_model_plan_t *plan, erx_error_t *error)
{
    memset(model_out, 0, sizeof *model_out);
    model_out->is_place = true;
    return open_sessions(model_out, arena_bytes, plan, error);
}

erx_status_t erx_model_bind(erx_model_t *place, const erx_model_bytes_t *bytes,
                            const erx_model_plan_t *plan, erx_error_t *error)
{
    erx_model_file_t file;
    ERX_ASSERT(place->is_place);
    if (place->sessions.has_model)
        return erx_error_set(error, ERX_ERR_STATE, "this place has a model already: '%s'",
                             place->name);
    erx_status_t status = erx_model_file_read(bytes, &file, error);
    if (status != ERX_OK)
        return status;
    status = settle(place, &file, plan, error);
    erx_model_file_close(&file);
    if (status != ERX_OK) {
        close_parts(place);
        erx_session_pool_release(&place->sessions);
    }
    return status;
}

void erx_model_unbind(erx_model_t *model)
{
    ERX_ASSERT(model->is_place);
    close_parts(model);
    erx_session_pool_reset(&model->sessions);
    erx_session_pool_release(&model->sessions);
}

void erx_model_close(erx_model_t *model)
{
    close_parts(model);
    erx_session_pool_close(&model->sessions);
    memset(model, 0, sizeof *model);
}
