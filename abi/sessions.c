/* Sessions by direct calls. */
#include <inttypes.h>
#include <string.h>

#include "abi/rollup.h"

void erx_session_config_default(erx_session_config_t *config)
{
    if (config != NULL)
        *config = (erx_session_config_t){.struct_size = sizeof *config, .tick_divisor = 1};
}

static int32_t check_config(const erx_session_config_t *own)
{
    static const erx_pubkey_t nobody;
    if (own->tick_divisor > ERX_TICK_DIVISOR_MAX)
        return erx_result_refuse(ERX_STATUS_RANGE, "tick_divisor: %u is not in 0 to %u",
                                 own->tick_divisor, ERX_TICK_DIVISOR_MAX);
    if (memcmp(&own->players[0], &own->players[1], sizeof own->players[0]) == 0 &&
        memcmp(&own->players[0], &nobody, sizeof nobody) != 0)
        return erx_result_refuse(ERX_STATUS_ARGUMENT,
                                 "players: one key cannot take both seats of a session");
    return ERX_STATUS_OK;
}

static erx_bank_session_t map_config(const erx_session_config_t *own,
                                     const erx_world_model_t *model, uint32_t pool)
{
    erx_bank_session_t session = {
        .session_id = own->session_id,
        .pool = pool,
        .tick_divisor = (uint8_t)own->tick_divisor,
        .terms = {.waits = own->wait_for_join,
                  .stage = own->stage,
                  .max_frames = own->max_frames,
                  .seed = own->seed,
                  .created_at = own->timestamp},
    };
    memcpy(session.terms.characters, own->characters, sizeof session.terms.characters);
    memcpy(session.terms.players, own->players, sizeof session.terms.players);
    memcpy(session.terms.model, model->manifest.bytes, sizeof session.terms.model);
    return session;
}

int32_t erx_rollup_create_session(erx_rollup_t *rollup, const erx_session_config_t *config,
                                  erx_session_ref_t *session_out)
{
    int32_t result;
    erx_error_t error;
    erx_bank_t *bank;
    erx_session_config_t own;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (config == NULL || session_out == NULL)
        return erx_result_missing(config == NULL ? "config" : "session_out");
    erx_session_config_default(&own);
    result = erx_result_take(&own, sizeof own, config, sizeof own);
    if (result == ERX_STATUS_OK)
        result = check_config(&own);
    if (result != ERX_STATUS_OK)
        return result;
    const erx_models_t *models = erx_runtime_models(state->runtime);
    const erx_world_model_t *model = erx_models_find_id(models, own.model_id);
    if (model == NULL)
        return erx_result_refuse(ERX_STATUS_NOT_FOUND, "model_id: no model has id %" PRIu64,
                                 own.model_id);
    erx_status_t status = erx_runtime_change_begin(state->runtime, &bank, &error);
    if (status != ERX_OK)
        return erx_result_keep(&error);
    uint64_t handle;
    uint32_t pool = erx_models_pool(models, model);
    const erx_bank_session_t session = map_config(&own, model, pool);
    status = erx_bank_create_session(bank, &session, &handle, &error);
    if (status == ERX_OK)
        *session_out =
            erx_runtime_session_name(pool, erx_session_find(&model->model->sessions, handle));
    erx_runtime_change_end(state->runtime);
    return status == ERX_OK ? ERX_STATUS_OK : erx_result_keep(&error);
}

/* A direct change of one session. */
typedef struct {
    erx_rollup_state_t *state;
    erx_bank_t *bank;
    erx_session_t *session;
    uint32_t pool;
} change_t;

static int32_t change_begin(erx_rollup_t *rollup, erx_session_ref_t ref, change_t *change_out)
{
    int32_t result;
    erx_error_t error;
    change_out->state = erx_rollup_started(rollup, &result);
    if (change_out->state == NULL)
        return result;
    erx_runtime_t *runtime = change_out->state->runtime;
    if (erx_runtime_change_begin(runtime, &change_out->bank, &error) != ERX_OK)
        return erx_result_keep(&error);
    change_out->session = erx_runtime_session(runtime, ref, &change_out->pool);
    if (change_out->session != NULL)
        return ERX_STATUS_OK;
    erx_runtime_change_end(runtime);
    return erx_result_refuse(ERX_STATUS_NOT_FOUND, "session: it has ended, or never was");
}

static int32_t change_end(const change_t *change, erx_status_t status, const erx_error_t *error)
{
    erx_runtime_change_end(change->state->runtime);
    return status == ERX_OK ? ERX_STATUS_OK : erx_result_keep(error);
}

int32_t erx_rollup_join_session(erx_rollup_t *rollup, erx_session_ref_t session,
                                const erx_pubkey_t *player, uint8_t character)
{
    change_t change;
    erx_error_t error;
    if (player == NULL)
        return erx_result_missing("player");
    int32_t result = change_begin(rollup, session, &change);
    if (result != ERX_STATUS_OK)
        return result;
    erx_status_t status = erx_bank_join_session(change.bank, change.pool, change.session,
                                                erx_key_of(player), character, &error);
    return change_end(&change, status, &error);
}

int32_t erx_rollup_close_session(erx_rollup_t *rollup, erx_session_ref_t session)
{
    change_t change;
    erx_error_t error;
    int32_t result = change_begin(rollup, session, &change);
    if (result != ERX_STATUS_OK)
        return result;
    erx_status_t status = erx_bank_close_session(change.bank, change.pool, change.session, &error);
    return change_end(&change, status, &error);
}

int32_t erx_rollup_input(erx_rollup_t *rollup, erx_session_ref_t session, uint32_t player,
                         const uint8_t control[ERX_CONTROLLER_SIZE])
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (control == NULL)
        return erx_result_missing("control");
    if (player >= ERX_PLAYER_COUNT)
        return erx_result_refuse(ERX_STATUS_RANGE, "player: %u is not 0 or 1", player);
    if (erx_runtime_leave_input(state->runtime, session, player, control) != ERX_OK)
        return erx_result_refuse(ERX_STATUS_NOT_FOUND, "session: it has ended, or never was");
    return ERX_STATUS_OK;
}

int32_t erx_rollup_seat_bot(erx_rollup_t *rollup, erx_session_ref_t session, uint32_t player,
                            const char *directory)
{
    int32_t result;
    erx_error_t error;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (player >= ERX_PLAYER_COUNT)
        return erx_result_refuse(ERX_STATUS_RANGE, "player: %u is not 0 or 1", player);
    if (erx_runtime_seat_bot(state->runtime, session, player, directory, &error) != ERX_OK)
        return erx_result_keep(&error);
    return ERX_STATUS_OK;
}

/* ----------------------------------------------------------------- reading */

/* With the lock. */
static void describe(const erx_rollup_state_t *state, uint32_t pool, const erx_session_t *session,
                     erx_session_info_t *own)
{
    uint32_t accounts[3];
    const erx_bank_t *bank = erx_runtime_bank(state->runtime);
    erx_accounts_t *table = erx_runtime_accounts(state->runtime);
    *own = (erx_session_info_t){
        .session = erx_runtime_session_name(pool, session),
        .model_id = erx_models_get(erx_runtime_models(state->runtime), pool)->model_id,
        .max_frames = session->max_frames,
        .frame_hash = erx_runtime_frame_hash(state->runtime, pool, session),
    };
    if (!erx_bank_session_accounts(bank, pool, session->slot, accounts))
        return;
    uint8_t head[13]; /* of SessionState: discriminator, status, frame */
    const erx_account_entry_t *entry = erx_accounts_entry(table, accounts[0]);
    own->session_id = entry->world_id;
    own->tick_divisor = entry->tick_divisor;
    own->session_state = erx_pubkey_from(&entry->key);
    own->hidden_state = erx_pubkey_from(&erx_accounts_entry(table, accounts[1])->key);
    own->input_buffer = erx_pubkey_from(&erx_accounts_entry(table, accounts[2])->key);
    (void)erx_runtime_read(state->runtime, accounts[0], 0, head, sizeof head);
    own->status = head[8];
    memcpy(&own->frame, head + 9, sizeof own->frame);
}

int32_t erx_rollup_find_session(const erx_rollup_t *rollup, const erx_pubkey_t *account,
                                erx_session_info_t *info_out)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (account == NULL || info_out == NULL)
        return erx_result_missing(account == NULL ? "account" : "info_out");
    erx_session_info_t own;
    uint32_t pool;
    erx_runtime_read_begin(state->runtime, false);
    const erx_bank_t *bank = erx_runtime_bank(state->runtime);
    uint32_t index = erx_bank_find(bank, erx_key_of(account));
    const erx_session_t *session =
        index == ERX_ACCOUNT_NONE ? NULL : erx_bank_session(bank, index, &pool);
    if (session != NULL)
        describe(state, pool, session, &own);
    erx_runtime_read_end(state->runtime);
    if (session == NULL)
        return erx_result_refuse(ERX_STATUS_NOT_FOUND, "account: it is no session's");
    return erx_result_give(info_out, &own, sizeof own, sizeof own);
}

int32_t erx_rollup_session(const erx_rollup_t *rollup, erx_session_ref_t session,
                           erx_session_info_t *info_out)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (info_out == NULL)
        return erx_result_missing("info_out");
    erx_session_info_t own;
    uint32_t pool;
    erx_runtime_read_begin(state->runtime, false);
    const erx_session_t *found = erx_runtime_session(state->runtime, session, &pool);
    if (found != NULL)
        describe(state, pool, found, &own);
    erx_runtime_read_end(state->runtime);
    if (found == NULL)
        return erx_result_refuse(ERX_STATUS_NOT_FOUND, "session: it has ended, or never was");
    return erx_result_give(info_out, &own, sizeof own, sizeof own);
}

int32_t erx_rollup_list_sessions(const erx_rollup_t *rollup, erx_session_ref_t *sessions_out,
                                 size_t capacity, size_t *count_out)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (count_out == NULL || (capacity > 0 && sessions_out == NULL))
        return erx_result_missing(count_out == NULL ? "count_out" : "sessions_out");
    size_t count = 0;
    erx_runtime_read_begin(state->runtime, false);
    const erx_models_t *models = erx_runtime_models(state->runtime);
    for (uint32_t pool = 0; pool < erx_models_count(models); pool++) {
        const erx_model_t *model = erx_models_get(models, pool)->model;
        for (uint32_t slot = 0; model != NULL && slot < model->sessions.capacity; slot++) {
            const erx_session_t *session = &model->sessions.sessions[slot];
            if (session->generation % 2 == 0)
                continue;
            if (count < capacity)
                sessions_out[count] = erx_runtime_session_name(pool, session);
            count++;
        }
    }
    erx_runtime_read_end(state->runtime);
    *count_out = count;
    return ERX_STATUS_OK;
}
