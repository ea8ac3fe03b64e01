/* Figures for operators. */
#include "abi/rollup.h"
#include "mem/alloc.h"

static void count_sessions(const erx_rollup_state_t *state, erx_metrics_t *own)
{
    const erx_models_t *models = erx_runtime_models(state->runtime);
    for (uint32_t pool = 0; pool < erx_models_count(models); pool++) {
        const erx_model_t *model = erx_models_get(models, pool)->model;
        for (uint32_t slot = 0; model != NULL && slot < model->sessions.capacity; slot++) {
            const erx_session_t *session = &model->sessions.sessions[slot];
            if (session->generation % 2 == 1)
                own->sessions[session->status]++;
        }
    }
}

ERX_STATIC_ASSERT(ERX_COUNT(((erx_metrics_t *)NULL)->sessions) == ERX_SESSION_ENDED + 1,
                  "a count for every status");

int32_t erx_rollup_metrics(const erx_rollup_t *rollup, erx_metrics_t *metrics_out)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (metrics_out == NULL)
        return erx_result_missing("metrics_out");
    erx_metrics_t own = {0};
    erx_runtime_read_begin(state->runtime, true);
    erx_runtime_figures_t figures = erx_runtime_figures(state->runtime);
    own.blocks = figures.blocks;
    own.frames = figures.frames;
    own.transactions = figures.transactions;
    own.transactions_failed = figures.transactions_failed;
    own.batch_frames = figures.batch_frames;
    own.execute_ns = figures.execute_ns;
    own.transactions_ns = figures.transactions_ns;
    own.watch_drops = figures.watch_drops;
    own.accounts = erx_accounts_count(erx_runtime_accounts(state->runtime));
    own.account_bytes = erx_accounts_heap_used(erx_runtime_accounts(state->runtime));
    own.commit_p50_ns = figures.storage.commits.p50;
    own.commit_p99_ns = figures.storage.commits.p99;
    own.commit_p999_ns = figures.storage.commits.p999;
    own.commit_max_ns = figures.storage.commits.greatest;
    own.journal_bytes = figures.storage.store.journal_bytes;
    own.checkpoint_bytes = figures.storage.store.checkpoint_bytes;
    own.checkpoints = figures.storage.store.checkpoint_count;
    own.checkpoint_age_blocks = figures.storage.store.checkpoint_age;
    own.commit_cpu_ns = figures.storage.store.commit_cpu_ns;
    count_sessions(state, &own);
    erx_runtime_read_end(state->runtime);
    erx_intake_counts_t intake = erx_intake_counts(erx_runtime_intake(state->runtime));
    own.signatures_refused = intake.bad;
    own.queue_refused = intake.refused;
    own.queue_depth = (uint32_t)(intake.accepted - figures.transactions);
    own.confirmed_slot = erx_runtime_confirmed_slot(state->runtime);
    own.processed_slot = erx_runtime_processed_slot(state->runtime);
    own.memory_bytes = erx_alloc_arena_bytes();
    return erx_result_give(metrics_out, &own, sizeof own, sizeof own);
}
