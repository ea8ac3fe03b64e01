#include "engine/model.h"

#include <string.h>

#include "engine/model_file.h"
#include "mem/alloc.h"

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

static erx_status_t open_sessions(erx_model_t *model, const erx_model_plan_t *plan,
                                  erx_error_t *error)
{
    uint32_t shares[ERX_NODES_MAX];
    count_workers(model, plan->gang, shares);
    return erx_session_pool_open(&model->sessions, &model->shape, plan->session_capacity,
                                 model->node_count, shares,
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

static erx_status_t open_parts(erx_model_t *model, const erx_tensors_t *tensors,
                               const erx_model_plan_t *plan, erx_error_t *error)
{
    erx_status_t status = allocate_tables(model, error);
    if (status == ERX_OK)
        status = attach_weights(model, tensors, plan, error);
    if (status == ERX_OK)
        status = open_scratches(model, plan, error);
    if (status == ERX_OK)
        status = open_sessions(model, plan, error);
    if (status == ERX_OK)
        status = erx_cost_measure(&model->cost, plan->gang, model->steps, model->scratches,
                                  model->group_size, error);
    return status;
}

erx_status_t erx_model_open(erx_model_t *model_out, const char *directory,
                            const erx_model_plan_t *plan, erx_error_t *error)
{
    erx_model_file_t file;
    memset(model_out, 0, sizeof *model_out);
    erx_status_t status = erx_model_file_open(directory, &file, error);
    if (status != ERX_OK)
        return status;
    memcpy(model_out->name, file.manifest.name, sizeof model_out->name);
    memcpy(model_out->hash, file.model_hash, sizeof model_out->hash);
    model_out->shape = file.manifest.shape;
    model_out->kernel = plan->kernel;
    model_out->node_count = plan->topo->node_count;
    model_out->worker_count = erx_gang_worker_count(plan->gang);
    model_out->image_bytes = erx_image_bytes(plan->kernel, &model_out->shape);
    model_out->group_size = erx_step_group_size(&model_out->shape);
    status = open_parts(model_out, &file.tensors, plan, error);
    erx_model_file_close(&file);
    if (status != ERX_OK)
        erx_model_close(model_out);
    return status;
}

void erx_model_close(erx_model_t *model)
{
    erx_session_pool_close(&model->sessions);
    for (uint32_t w = 0; model->scratch_regions != NULL && w < model->worker_count; w++)
        erx_region_close(&model->scratch_regions[w]);
    for (uint32_t n = 0; n < model->node_count; n++)
        erx_weights_detach(model->weights[n]);
    erx_free(model->scratch_regions);
    erx_free(model->scratches);
    erx_free(model->images);
    memset(model, 0, sizeof *model);
}
