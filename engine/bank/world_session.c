/* Sessions' instructions, besides running frames. */
#include "engine/bank/bank_parts.h"
#include "engine/bank/program_world.h"

#define ADDRESS_UNITS 1500u /* of finding one, as the runtime charges it */

enum { /* positions of create_session's accounts */
       CREATE_STATE = 0,
       CREATE_MANIFEST = 3,
       CREATE_PLAYER = 4
};

enum { /* arguments of create_session */
       AT_SESSION = 0,
       AT_STAGE = 8,
       AT_CHARACTER = 9,
       AT_MAX_FRAMES = 10,
       AT_SEED = 14
};

/* Whether the session's three accounts, from position 0, can be made. */
static bool check_places(erx_instruction_t *instruction, uint64_t session_id)
{
    erx_key_t keys[ERX_SESSION_ACCOUNTS];
    erx_error_t error;
    if (!erx_instruction_charge(instruction, (uint64_t)ERX_SESSION_ACCOUNTS * ADDRESS_UNITS))
        return false;
    erx_status_t status =
        erx_bank_session_addresses(instruction->transaction->bank, session_id, keys, &error);
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++)
        if (!erx_world_may_make(instruction, CREATE_STATE + i, status, &keys[i], &error))
            return false;
    return true;
}

bool erx_world_create_session(erx_instruction_t *instruction, const uint8_t *arguments)
{
    erx_transaction_context_t *transaction = instruction->transaction;
    erx_bank_t *bank = transaction->bank;
    uint64_t session_id = erx_get_u64(arguments + AT_SESSION);
    erx_account_entry_t entries[ERX_SESSION_ACCOUNTS];
    erx_touched_session_t *touched;
    erx_error_t error;
    uint32_t pool;
    if (!erx_world_model(instruction, CREATE_MANIFEST, &pool) ||
        !check_places(instruction, session_id))
        return false;
    erx_session_terms_t terms = {
        .waits = true,
        .stage = arguments[AT_STAGE],
        .characters = {arguments[AT_CHARACTER]},
        .max_frames = erx_get_u32(arguments + AT_MAX_FRAMES),
        .seed = erx_get_u64(arguments + AT_SEED),
        .created_at = transaction->timestamp,
    };
    memcpy(terms.players[0], erx_instruction_key(instruction, CREATE_PLAYER), ERX_KEY_BYTES);
    memcpy(terms.model, erx_instruction_key(instruction, CREATE_MANIFEST), ERX_KEY_BYTES);
    if (erx_touched_create(&transaction->sessions, bank, pool, &terms, &touched, &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    erx_bank_session_entries(bank, pool, touched->session, session_id, transaction->tick_divisor,
                             entries);
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++)
        if (!erx_instruction_make(instruction, CREATE_STATE + i, &entries[i]))
            return false;
    return true;
}

bool erx_world_join_session(erx_instruction_t *instruction, const uint8_t *arguments)
{
    erx_touched_session_t *touched;
    erx_error_t error;
    if (!erx_world_session(instruction, 0, &touched))
        return false;
    const erx_key_t *key = erx_instruction_key(instruction, 1);
    erx_session_t *session = touched->session;
    if (session->status != ERX_SESSION_WAITING)
        return erx_world_fail(instruction, ERX_WORLD_INVALID_STATE_TRANSITION);
    if (memcmp(erx_arena_player(session->arena, 0), key, sizeof *key) == 0)
        return erx_world_fail(instruction, ERX_WORLD_CANNOT_JOIN_OWN_SESSION);
    if (erx_session_join(erx_bank_pool(instruction->transaction->bank, touched->pool), session,
                         key->bytes, arguments[0], instruction->transaction->timestamp,
                         &error) != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    touched->joins = true;
    erx_instruction_note_arena(instruction, 0);
    return true;
}

bool erx_world_submit_input(erx_instruction_t *instruction, const uint8_t *arguments)
{
    erx_touched_session_t *touched;
    uint32_t player;
    uint32_t sequence = erx_get_u32(arguments);
    if (!erx_world_session(instruction, 0, &touched) ||
        !erx_world_belongs(instruction, 1, touched, ERX_ACCOUNT_INPUT_BUFFER,
                           ERX_WORLD_ACCOUNT_MISMATCH))
        return false;
    erx_session_t *session = touched->session;
    if (session->status != ERX_SESSION_ACTIVE)
        return erx_world_fail(instruction, ERX_WORLD_SESSION_NOT_ACTIVE);
    if (!erx_world_seat(instruction, 2, touched, &player))
        return false;
    if (sequence <= erx_arena_input_sequence(session->arena, player))
        return erx_world_fail(instruction, ERX_WORLD_STALE_INPUT);
    erx_session_input_at(erx_bank_pool(instruction->transaction->bank, touched->pool), session,
                         player, arguments + sizeof sequence, sequence);
    erx_instruction_note_arena(instruction, 1);
    return true;
}

/* Removes an account; lamports that somebody sent to it stay at its key. */
static bool remove_account(erx_instruction_t *instruction, uint32_t position)
{
    static const erx_account_entry_t wallet = {.kind = ERX_ACCOUNT_PLAIN};
    if (erx_instruction_entry(instruction, position)->lamports != 0)
        return erx_instruction_make(instruction, position, &wallet);
    return erx_instruction_remove(instruction, position);
}

bool erx_world_close_session(erx_instruction_t *instruction, const uint8_t *arguments)
{
    erx_touched_session_t *touched;
    uint32_t player;
    (void)arguments;
    if (!erx_world_session(instruction, 0, &touched) ||
        !erx_world_belongs(instruction, 1, touched, ERX_ACCOUNT_HIDDEN_STATE,
                           ERX_WORLD_HIDDEN_STATE_MISMATCH) ||
        !erx_world_belongs(instruction, 2, touched, ERX_ACCOUNT_INPUT_BUFFER,
                           ERX_WORLD_ACCOUNT_MISMATCH) ||
        !erx_world_seat(instruction, 3, touched, &player))
        return false;
    touched->closes = true;
    touched->session_id = erx_instruction_entry(instruction, 0)->world_id;
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++)
        if (!remove_account(instruction, i))
            return false;
    return true;
}
