/* What one transaction does to sessions: created, joined, fed and marked chunks
 * happen at once and are undone by marks; closes and frames happen when the
 * transaction commits. */
#ifndef ERX_ENGINE_BANK_TRANSACTION_SESSIONS_H
#define ERX_ENGINE_BANK_TRANSACTION_SESSIONS_H

#include "engine/bank/bank.h"

/* An instruction touches one session at most. */
#define ERX_TOUCHED_SESSIONS_MAX ERX_MESSAGE_INSTRUCTIONS_MAX

typedef struct {
    uint32_t pool;
    erx_session_t *session;
    bool is_created;
    bool joins; /* got its second player */
    bool closes;
    uint64_t session_id; /* where it closes */
    bool wants_frame;
    erx_session_mark_t mark;
} erx_touched_session_t;

typedef struct {
    uint32_t count;
    erx_touched_session_t touched[ERX_TOUCHED_SESSIONS_MAX];
} erx_transaction_sessions_t;

/* The session as the transaction has touched it so far; NULL: it has not. */
erx_touched_session_t *erx_touched_find(erx_transaction_sessions_t *sessions,
                                        const erx_session_t *session);

/* The same; remembers the session before its first change. */
erx_touched_session_t *erx_touched_take(erx_transaction_sessions_t *sessions, erx_bank_t *bank,
                                        uint32_t pool, erx_session_t *session);

/* Creates a session. Errors: those of erx_session_create. */
erx_status_t erx_touched_create(erx_transaction_sessions_t *sessions, erx_bank_t *bank,
                                uint32_t pool, const erx_session_terms_t *terms,
                                erx_touched_session_t **touched_out, erx_error_t *error);

/* Undoes everything, the newest first. */
void erx_touched_rollback(erx_transaction_sessions_t *sessions, erx_bank_t *bank);

/* Ends what closes, and adds the frames that were asked for to the block. */
void erx_touched_commit(erx_transaction_sessions_t *sessions, erx_bank_t *bank);

#endif
