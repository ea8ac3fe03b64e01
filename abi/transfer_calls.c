/* Sessions on their way between rollups. */
#include <inttypes.h>
#include <string.h>

#include "abi/rollup.h"
#include "engine/transfer.h"

/* What goes before the engine's export: which accounts the session has.
 *
 *   offset  bytes  field
 *   0       8      magic "ERXSESS1"
 *   8       8      session id
 *   16      1      tick divisor
 *   17      7      zero
 *   24             the export of transfer.h, which has a hash over itself */
#define ENVELOPE_MAGIC "ERXSESS1"

typedef struct {
    uint8_t magic[8];
    uint64_t session_id;
    uint8_t tick_divisor;
    uint8_t zero[7];
} envelope_t;

ERX_STATIC_ASSERT(sizeof(envelope_t) == 24, "the envelope has no gaps");

int32_t erx_rollup_export_session(const erx_rollup_t *rollup, erx_session_ref_t session,
                                  uint8_t *bytes_out, size_t capacity, size_t *size_out)
{
    int32_t result;
    uint32_t pool, accounts[3];
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (size_out == NULL || (capacity > 0 && bytes_out == NULL))
        return erx_result_missing(size_out == NULL ? "size_out" : "bytes_out");
    erx_runtime_read_begin(state->runtime, true);
    const erx_session_t *found = erx_runtime_session(state->runtime, session, &pool);
    bool known = found != NULL && erx_bank_session_accounts(erx_runtime_bank(state->runtime), pool,
                                                            found->slot, accounts);
    if (known) {
        const erx_model_t *model = erx_models_get(erx_runtime_models(state->runtime), pool)->model;
        const erx_account_entry_t *entry =
            erx_accounts_entry(erx_runtime_accounts(state->runtime), accounts[0]);
        envelope_t envelope = {.session_id = entry->world_id, .tick_divisor = entry->tick_divisor};
        memcpy(envelope.magic, ENVELOPE_MAGIC, sizeof envelope.magic);
        *size_out = sizeof envelope + erx_transfer_bytes(&model->shape);
        if (*size_out <= capacity) {
            memcpy(bytes_out, &envelope, sizeof envelope);
            erx_transfer_export(model, found, bytes_out + sizeof envelope);
        } else if (capacity > 0) {
            result = ERX_STATUS_FULL;
        }
    }
    erx_runtime_read_end(state->runtime);
    if (!known)
        return erx_result_refuse(ERX_STATUS_NOT_FOUND, "session: it has ended, or never was");
    if (capacity > 0 && *size_out > capacity)
        return erx_result_refuse(ERX_STATUS_FULL, "capacity: the session takes %zu bytes",
                                 *size_out);
    return ERX_STATUS_OK;
}

int32_t erx_rollup_import_session(erx_rollup_t *rollup, const uint8_t *bytes, size_t size,
                                  erx_session_ref_t *session_out)
{
    int32_t result;
    erx_error_t error;
    erx_bank_t *bank;
    envelope_t envelope;
    uint64_t handle;
    uint32_t pool;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (bytes == NULL || session_out == NULL)
        return erx_result_missing(bytes == NULL ? "bytes" : "session_out");
    if (size < sizeof envelope)
        return erx_result_refuse(ERX_STATUS_FORMAT, "bytes: too short for an exported session");
    memcpy(&envelope, bytes, sizeof envelope);
    if (memcmp(envelope.magic, ENVELOPE_MAGIC, sizeof envelope.magic) != 0 ||
        envelope.tick_divisor > ERX_TICK_DIVISOR_MAX)
        return erx_result_refuse(ERX_STATUS_FORMAT, "bytes: not an exported session");
    if (erx_runtime_change_begin(state->runtime, &bank, &error) != ERX_OK)
        return erx_result_keep(&error);
    const erx_bank_import_t import = {
        .session_id = envelope.session_id,
        .tick_divisor = envelope.tick_divisor,
        .bytes = bytes + sizeof envelope,
        .size = size - sizeof envelope,
    };
    erx_status_t status = erx_bank_import_session(bank, &import, &pool, &handle, &error);
    if (status == ERX_OK) {
        const erx_model_t *model = erx_models_get(erx_runtime_models(state->runtime), pool)->model;
        *session_out = erx_runtime_session_name(pool, erx_session_find(&model->sessions, handle));
    }
    erx_runtime_change_end(state->runtime);
    return status == ERX_OK ? ERX_STATUS_OK : erx_result_keep(&error);
}
