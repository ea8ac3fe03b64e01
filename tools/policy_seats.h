/* Who plays each player of many sessions: the trace, a script, or a policy. */
#ifndef ERX_TOOLS_POLICY_SEATS_H
#define ERX_TOOLS_POLICY_SEATS_H

#include "engine/engine.h"
#include "engine/policy.h"
#include "tools/script.h"

typedef enum { ERX_SEAT_TRACE, ERX_SEAT_SCRIPT, ERX_SEAT_POLICY } erx_seat_kind_t;

typedef struct {
    erx_seat_kind_t kind;
    const char *directory; /* of the policy, in the text that was parsed */
    bool steady;           /* the policy plays without chance */
} erx_seat_source_t;

/* Reads "trace", "script", "policy:DIR" or "steady:DIR". The error lists them. */
erx_status_t erx_seat_source_parse(const char *text, erx_seat_source_t *source_out,
                                   erx_error_t *error);

/* One player of all sessions. */
typedef struct {
    erx_seat_source_t source;
    erx_policy_t *policy;     /* owned; NULL where none plays */
    erx_script_t *scripts;    /* owned; [session_count], where a script plays */
    uint32_t *seats;          /* owned; [session_count] of the policy */
    erx_policy_turn_t *turns; /* owned; the same */
} erx_seat_row_t;

typedef struct {
    erx_seat_row_t rows[ERX_PLAYERS];
    uint32_t session_count;
    uint64_t seed;
    bool alike;       /* every session has the same chance, as equal sessions must */
    uint32_t *rounds; /* owned; [session_count] times that a session started */
} erx_seats_t;

/* Opens policies for session_count sessions of an engine, which outlives them,
 * with its kernel and workers. What policies and scripts do follows from the
 * seed. Errors: those of erx_policy_open, ERX_ERR_MEMORY. On success the caller
 * closes it; on failure it is all zero. */
erx_status_t erx_seats_open(erx_seats_t *seats_out, const erx_seat_source_t sources[ERX_PLAYERS],
                            erx_engine_t *engine, uint32_t session_count, uint64_t seed, bool alike,
                            erx_error_t *error);

/* Session number i starts, or starts anew. */
void erx_seats_start(erx_seats_t *seats, uint32_t i);

/* Whether the trace gives this player's inputs. */
static inline bool erx_seats_trace_plays(const erx_seats_t *seats, uint32_t player)
{
    return seats == NULL || seats->rows[player].source.kind == ERX_SEAT_TRACE;
}

/* Gives the inputs of the next frame, of all players that the trace does not
 * play, to the sessions: sessions[i] is number i, of this pool. Once before each
 * block. Allocates nothing. */
void erx_seats_feed(erx_seats_t *seats, erx_session_pool_t *pool, erx_session_t *const *sessions);

/* An all-zero object is allowed. */
void erx_seats_close(erx_seats_t *seats);

#endif
