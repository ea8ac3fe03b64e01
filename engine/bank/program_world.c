#include "engine/bank/program_world.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/bank/bank_parts.h"
#include "engine/bank/model_account.h"
#include "engine/bank/program.h"

#define ACCOUNTS_MAX 6u

enum { /* rules of an account */
       SIGNS = 1,
       WRITES = 2,
       SYSTEM_PROGRAM = 4
};

/* Arguments of uploads: offset, length, so many bytes. */
#define UPLOAD_HEAD_BYTES 8u
#define UPLOAD            UINT32_MAX

/* One instruction of the program. Further accounts may follow. */
typedef struct {
    uint8_t tag[ERX_TAG_BYTES]; /* SHA-256("global:<name>")[0, 8) */
    const char *name;           /* as the log has it */
    uint32_t argument_bytes;
    uint32_t account_count;
    uint8_t rules[ACCOUNTS_MAX];
    bool (*execute)(erx_instruction_t *instruction, const uint8_t *arguments);
} form_t;

static const form_t forms[] = {
    {{0x38, 0xb8, 0x9a, 0x5b, 0xad, 0x3f, 0x15, 0x8a},
     "SubmitInput",
     12,
     3,
     {0, WRITES, SIGNS},
     erx_world_submit_input},
    {{0x11, 0x36, 0x37, 0xc9, 0xab, 0xba, 0xbb, 0xf2},
     "RunInference",
     0,
     4,
     {WRITES, WRITES, WRITES, 0},
     erx_world_run_inference},
    {{0xb3, 0xec, 0xac, 0x68, 0xbe, 0xb9, 0xab, 0x57},
     "RunInferenceChunk",
     2,
     4,
     {WRITES, WRITES, WRITES, 0},
     erx_world_run_inference_chunk},
    {{0xf2, 0xc1, 0x8f, 0xb3, 0x96, 0x19, 0x7a, 0xe3},
     "CreateSession",
     22,
     6,
     {WRITES, WRITES, WRITES, 0, SIGNS | WRITES, SYSTEM_PROGRAM},
     erx_world_create_session},
    {{0x17, 0x5c, 0x04, 0xa0, 0x9b, 0x38, 0xa4, 0xfd},
     "JoinSession",
     1,
     2,
     {WRITES, SIGNS},
     erx_world_join_session},
    {{0x44, 0x72, 0xb2, 0x8c, 0xde, 0x26, 0xf8, 0xd3},
     "CloseSession",
     0,
     4,
     {WRITES, WRITES, WRITES, SIGNS},
     erx_world_close_session},
    {{0x7e, 0x7e, 0xfc, 0x91, 0x14, 0x70, 0x33, 0xc2},
     "InitWeights",
     13,
     3,
     {WRITES, SIGNS | WRITES, SYSTEM_PROGRAM},
     erx_world_init_weights},
    {{0xd3, 0xed, 0x14, 0x0d, 0x4b, 0x8d, 0x89, 0xb9},
     "UploadWeights",
     UPLOAD,
     2,
     {WRITES, SIGNS},
     erx_world_upload_weights},
    {{0xd3, 0x14, 0x8c, 0x03, 0x68, 0x2d, 0x5b, 0x49},
     "FinalizeWeights",
     32,
     2,
     {WRITES, SIGNS},
     erx_world_finalize_weights},
    {{0xb9, 0xaa, 0xca, 0xe4, 0x48, 0x06, 0x08, 0x6a},
     "InitManifest",
     69,
     3,
     {WRITES, SIGNS | WRITES, SYSTEM_PROGRAM},
     erx_world_init_manifest},
    {{0x51, 0x79, 0x91, 0xac, 0x3f, 0x60, 0x10, 0x2c},
     "UploadManifest",
     UPLOAD,
     2,
     {WRITES, SIGNS},
     erx_world_upload_manifest},
    {{0x77, 0xfe, 0x24, 0x6f, 0x93, 0xab, 0x29, 0x7f},
     "FinalizeManifest",
     32,
     2,
     {WRITES, SIGNS},
     erx_world_finalize_manifest},
};

/* Names and messages of the program's errors, in their order. */
static const char *const errors[ERX_WORLD_ERROR_COUNT][2] = {
    {"InvalidStateTransition", "The session is not in a state that allows this"},
    {"CannotJoinOwnSession", "One player cannot take both seats of a session"},
    {"SessionNotActive", "The session is not active"},
    {"UnauthorizedPlayer", "The signer does not play in this session"},
    {"InputsNotReady", "Not both players have submitted input for this frame"},
    {"Unauthorized", "The signer is not the authority of this account"},
    {"AlreadyFinalized", "The account is finalized and does not change any more"},
    {"ChunkOutOfBounds", "The chunk goes beyond the end of the data"},
    {"ChunkTooLarge", "The chunk has more than 1000 bytes"},
    {"IncompleteUpload", "Data is still missing, or a shard is not finalized"},
    {"HashMismatch", "The data does not have the expected SHA-256"},
    {"InsufficientData", "The shards do not make up the model's weights"},
    {"ModelNotReady", "The model is not finalized"},
    {"HiddenStateMismatch", "The hidden state is not the one of this session"},
    {"LayerOutOfOrder", "The layers are not the next ones of this frame"},
    {"AccountMismatch", "The account is not the one that belongs here"},
    {"ComputeBudgetExceeded", "The frame needs more compute units than the transaction has left"},
    {"StaleInput", "The sequence is not greater than that of the player's last input"},
};

bool erx_world_fail(erx_instruction_t *instruction, erx_world_error_t error)
{
    uint32_t number = ERX_WORLD_ERROR_FIRST + error;
    erx_log_line(&instruction->transaction->log,
                 "Program log: AnchorError occurred. Error Code: %s. Error Number: %" PRIu32
                 ". Error Message: %s.",
                 errors[error][0], number, errors[error][1]);
    return erx_instruction_fail_custom(instruction, number);
}

bool erx_world_refuse(erx_instruction_t *instruction, erx_instruction_error_t error,
                      const char *reason)
{
    erx_log_line(&instruction->transaction->log, "Program log: %s", reason);
    return erx_instruction_fail(instruction, error);
}

static const form_t *find_form(const erx_instruction_t *instruction)
{
    if (instruction->data_bytes < ERX_TAG_BYTES)
        return NULL;
    for (size_t i = 0; i < ERX_COUNT(forms); i++)
        if (memcmp(forms[i].tag, instruction->data, ERX_TAG_BYTES) == 0)
            return &forms[i];
    return NULL;
}

static bool check_length(erx_instruction_t *instruction, const form_t *form)
{
    uint32_t bytes = instruction->data_bytes - ERX_TAG_BYTES;
    const uint8_t *arguments = instruction->data + ERX_TAG_BYTES;
    bool is_good = form->argument_bytes == bytes;
    if (form->argument_bytes == UPLOAD)
        is_good = bytes >= UPLOAD_HEAD_BYTES &&
                  erx_get_u32(arguments + sizeof(uint32_t)) == bytes - UPLOAD_HEAD_BYTES;
    return is_good || erx_world_refuse(instruction, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA,
                                       "The arguments have another length");
}

static bool check_account(erx_instruction_t *instruction, uint32_t position, uint8_t rules)
{
    const char *must;
    erx_instruction_error_t error;
    if ((rules & SYSTEM_PROGRAM) != 0 &&
        !erx_key_equals(erx_instruction_key(instruction, position), &erx_key_system)) {
        must = "be the system program";
        error = ERX_INSTRUCTION_INCORRECT_PROGRAM_ID;
    } else if ((rules & SIGNS) != 0 && !erx_instruction_signs(instruction, position)) {
        must = "sign";
        error = ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE;
    } else if ((rules & WRITES) != 0 && !erx_instruction_writes(instruction, position)) {
        must = "be writable";
        error = ERX_INSTRUCTION_READONLY_DATA_MODIFIED;
    } else {
        return true;
    }
    char reason[64];
    (void)snprintf(reason, sizeof reason, "Account %" PRIu32 " must %s", position, must);
    return erx_world_refuse(instruction, error, reason);
}

bool erx_program_world(erx_instruction_t *instruction)
{
    const form_t *form = find_form(instruction);
    if (form == NULL)
        return erx_world_refuse(instruction, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA,
                                "Unknown instruction");
    erx_log_line(&instruction->transaction->log, "Program log: Instruction: %s", form->name);
    if (!check_length(instruction, form) ||
        !erx_instruction_require(instruction, form->account_count))
        return false;
    for (uint32_t i = 0; i < form->account_count; i++)
        if (!check_account(instruction, i, form->rules[i]))
            return false;
    return form->execute(instruction, instruction->data + ERX_TAG_BYTES);
}

bool erx_world_owns(erx_instruction_t *instruction, uint32_t position)
{
    if (erx_key_equals(&erx_instruction_entry(instruction, position)->owner, instruction->program))
        return true;
    return erx_instruction_fail(instruction, ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER);
}

bool erx_world_may_make(erx_instruction_t *instruction, uint32_t position, erx_status_t status,
                        const erx_key_t *address, const erx_error_t *error)
{
    if (status != ERX_OK)
        return erx_instruction_fail_status(instruction, error);
    if (!erx_key_equals(erx_instruction_key(instruction, position), address))
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_INVALID_SEEDS);
    const erx_account_entry_t *entry = erx_instruction_entry(instruction, position);
    if (entry->data_length == 0 && erx_key_equals(&entry->owner, &erx_key_system))
        return true;
    return erx_instruction_fail(instruction, ERX_INSTRUCTION_ACCOUNT_ALREADY_INITIALIZED);
}

bool erx_world_model(erx_instruction_t *instruction, uint32_t position, uint32_t *pool_out)
{
    if (!erx_world_owns(instruction, position))
        return false;
    uint8_t tag[ERX_TAG_BYTES];
    const erx_account_entry_t *entry = erx_instruction_entry(instruction, position);
    bool may_be = entry->kind == ERX_ACCOUNT_PLAIN || entry->kind == ERX_ACCOUNT_MODEL_PART;
    if (!may_be || erx_instruction_read(instruction, position, 0, tag, sizeof tag) != sizeof tag ||
        memcmp(tag, erx_model_manifest_tag, sizeof tag) != 0)
        return erx_world_fail(instruction, ERX_WORLD_ACCOUNT_MISMATCH);
    if (entry->pool == 0)
        return erx_world_fail(instruction, ERX_WORLD_MODEL_NOT_READY);
    *pool_out = entry->pool - 1;
    return true;
}

bool erx_world_session(erx_instruction_t *instruction, uint32_t position,
                       erx_touched_session_t **touched_out)
{
    if (!erx_world_owns(instruction, position))
        return false;
    erx_transaction_context_t *transaction = instruction->transaction;
    const erx_account_entry_t *entry = erx_instruction_entry(instruction, position);
    if (entry->kind != ERX_ACCOUNT_SESSION_STATE)
        return erx_world_fail(instruction, ERX_WORLD_ACCOUNT_MISMATCH);
    uint32_t pool;
    erx_session_t *session =
        erx_bank_session(transaction->bank, erx_instruction_index(instruction, position), &pool);
    erx_touched_session_t *touched =
        erx_touched_take(&transaction->sessions, transaction->bank, pool, session);
    *touched_out = touched;
    if (touched->wants_frame || erx_bank_is_pending(transaction->bank, session))
        return erx_world_fail(instruction, ERX_WORLD_INVALID_STATE_TRANSITION);
    return true;
}

bool erx_world_belongs(erx_instruction_t *instruction, uint32_t position,
                       const erx_touched_session_t *touched, erx_account_kind_t kind,
                       erx_world_error_t error)
{
    if (!erx_world_owns(instruction, position))
        return false;
    const erx_account_entry_t *entry = erx_instruction_entry(instruction, position);
    if (entry->kind == kind && entry->pool == touched->pool &&
        entry->slot == touched->session->slot && entry->generation == touched->session->generation)
        return true;
    return erx_world_fail(instruction, error);
}

bool erx_world_seat(erx_instruction_t *instruction, uint32_t position,
                    const erx_touched_session_t *touched, uint32_t *player_out)
{
    const erx_key_t *key = erx_instruction_key(instruction, position);
    for (uint32_t player = 0; player < ERX_PLAYERS; player++) {
        *player_out = player;
        if (memcmp(erx_arena_player(touched->session->arena, player), key->bytes, sizeof *key) == 0)
            return true;
    }
    return erx_world_fail(instruction, ERX_WORLD_UNAUTHORIZED_PLAYER);
}
