/* Models and what is known of them. */
#include <string.h>

#include "abi/rollup.h"

int32_t erx_rollup_model(const erx_rollup_t *rollup, uint32_t i, erx_model_info_t *info_out)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (info_out == NULL)
        return erx_result_missing("info_out");
    erx_model_info_t own = {0};
    bool found = false;
    erx_runtime_read_begin(state->runtime, false);
    const erx_models_t *models = erx_runtime_models(state->runtime);
    for (uint32_t pool = 0, seen = 0; pool < erx_models_count(models) && !found; pool++) {
        const erx_world_model_t *model = erx_models_get(models, pool);
        found = model->model != NULL && seen++ == i;
        if (!found)
            continue;
        own.manifest = erx_pubkey_from(&model->manifest);
        own.model_id = model->model_id;
        memcpy(own.name, model->model->name, ERX_MIN(sizeof own.name, sizeof model->model->name));
        memcpy(own.hash, model->model->hash, sizeof own.hash);
        own.d_model = model->model->shape.d_model;
        own.d_inner = model->model->shape.d_inner;
        own.d_state = model->model->shape.d_state;
        own.layers = model->model->shape.layer_count;
        own.heads = model->model->shape.head_count;
        own.parameters = model->parameters;
        own.weight_bytes = model->weight_bytes;
        own.shards = model->shard_count;
        own.sessions = model->model->sessions.used_count;
        own.session_capacity = model->model->sessions.capacity;
        own.hidden_state_bytes =
            ERX_HIDDEN_HEADER_BYTES + (uint32_t)erx_hidden_data_bytes(&model->model->shape);
        own.frame_units = model->frame_units;
        own.frame_ns = erx_cost_frame_ns(&model->model->cost);
    }
    erx_runtime_read_end(state->runtime);
    if (!found)
        return erx_result_refuse(ERX_STATUS_NOT_FOUND, "there is no model %u", i);
    return erx_result_give(info_out, &own, sizeof own, sizeof own);
}

int32_t erx_rollup_load_model_accounts(erx_rollup_t *rollup, uint64_t model_id,
                                       const uint8_t *manifest, size_t manifest_size,
                                       const uint8_t *const *shards, const size_t *shard_sizes,
                                       uint32_t shard_count)
{
    int32_t result;
    erx_error_t error;
    erx_bank_t *bank;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (manifest == NULL || shards == NULL || shard_sizes == NULL)
        return erx_result_missing(manifest == NULL ? "manifest" : "shards or shard_sizes");
    const erx_model_accounts_t import = {
        .model_id = model_id,
        .manifest = manifest,
        .manifest_bytes = manifest_size,
        .shard_count = shard_count,
        .shards = shards,
        .shard_bytes = shard_sizes,
    };
    if (erx_runtime_change_begin(state->runtime, &bank, &error) != ERX_OK)
        return erx_result_keep(&error);
    erx_status_t status =
        erx_models_import(erx_runtime_changing_models(state->runtime), bank, &import, &error);
    erx_runtime_change_end(state->runtime);
    return status == ERX_OK ? ERX_STATUS_OK : erx_result_keep(&error);
}
