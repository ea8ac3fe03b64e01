/* The world program: models and sessions, as clients know them. abi/ACCOUNTS.md
 * has its instructions, rules and errors.
 *
 * What every instruction has in common (its arguments' length, how many accounts
 * it names, which of them sign or are written) is a table in program_world.c; the
 * functions below see instructions that passed it. */
#ifndef ERX_ENGINE_BANK_PROGRAM_WORLD_H
#define ERX_ENGINE_BANK_PROGRAM_WORLD_H

#include "engine/bank/fields.h"
#include "engine/bank/transaction_context.h"

#define ERX_WORLD_ERROR_FIRST 6000u

typedef enum {
    ERX_WORLD_INVALID_STATE_TRANSITION,
    ERX_WORLD_CANNOT_JOIN_OWN_SESSION,
    ERX_WORLD_SESSION_NOT_ACTIVE,
    ERX_WORLD_UNAUTHORIZED_PLAYER,
    ERX_WORLD_INPUTS_NOT_READY,
    ERX_WORLD_UNAUTHORIZED,
    ERX_WORLD_ALREADY_FINALIZED,
    ERX_WORLD_CHUNK_OUT_OF_BOUNDS,
    ERX_WORLD_CHUNK_TOO_LARGE,
    ERX_WORLD_INCOMPLETE_UPLOAD,
    ERX_WORLD_HASH_MISMATCH,
    ERX_WORLD_INSUFFICIENT_DATA,
    ERX_WORLD_MODEL_NOT_READY,
    ERX_WORLD_HIDDEN_STATE_MISMATCH,
    ERX_WORLD_LAYER_OUT_OF_ORDER,
    ERX_WORLD_ACCOUNT_MISMATCH,
    ERX_WORLD_COMPUTE_BUDGET_EXCEEDED,
    ERX_WORLD_STALE_INPUT,
    ERX_WORLD_ERROR_COUNT
} erx_world_error_t;

#define ERX_WORLD_CHUNK_BYTES_MAX 1000u /* of data in one upload instruction */

/* Units of every instruction, charged first: dispatch and accounts. Those of a
 * frame or a chunk count them in. */
#define ERX_WORLD_UNITS 2000u

/* Fails with the program's own error and the log line of it. Returns false. */
bool erx_world_fail(erx_instruction_t *instruction, erx_world_error_t error);

/* Fails with a general error and the reason in the log. Returns false. */
bool erx_world_refuse(erx_instruction_t *instruction, erx_instruction_error_t error,
                      const char *reason);

/* Whether the account is the program's own: InvalidAccountOwner. */
bool erx_world_owns(erx_instruction_t *instruction, uint32_t position);

/* Whether a key is free for a new account of the program, and is the address that
 * its seeds give: AccountAlreadyInitialized, InvalidSeeds. status is that of
 * deriving the address. */
bool erx_world_may_make(erx_instruction_t *instruction, uint32_t position, erx_status_t status,
                        const erx_key_t *address, const erx_error_t *error);

/* The index of the model, among the engine's, whose manifest the account is.
 * AccountMismatch, ModelNotReady. */
bool erx_world_model(erx_instruction_t *instruction, uint32_t position, uint32_t *pool_out);

/* The session whose SessionState the account is, remembered before its first
 * change. AccountMismatch, and InvalidStateTransition where its frame was asked
 * for by this transaction. */
bool erx_world_session(erx_instruction_t *instruction, uint32_t position,
                       erx_touched_session_t **touched_out);

/* Whether the account is the one of that kind of the session; else error. */
bool erx_world_belongs(erx_instruction_t *instruction, uint32_t position,
                       const erx_touched_session_t *touched, erx_account_kind_t kind,
                       erx_world_error_t error);

/* The seat of a key in a session. UnauthorizedPlayer. */
bool erx_world_seat(erx_instruction_t *instruction, uint32_t position,
                    const erx_touched_session_t *touched, uint32_t *player_out);

/* The instructions; arguments are those of the table's length. */
bool erx_world_init_manifest(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_upload_manifest(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_finalize_manifest(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_init_weights(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_upload_weights(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_finalize_weights(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_create_session(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_join_session(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_submit_input(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_run_inference(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_run_inference_chunk(erx_instruction_t *instruction, const uint8_t *arguments);
bool erx_world_close_session(erx_instruction_t *instruction, const uint8_t *arguments);

#endif
