/* Sessions that are played by a trace: each one takes the inputs of one game,
 * from an offset on, and starts anew after a round. Everything follows from
 * the seed, the trace and the number of sessions. */
#ifndef ERX_TOOLS_PLAYERS_H
#define ERX_TOOLS_PLAYERS_H

#include "engine/engine.h"
#include "tools/policy_seats.h"
#include "tools/trace.h"

typedef struct {
    erx_trace_game_t game;
    uint64_t offset;      /* first frame of the game that is played */
    uint32_t frames_left; /* of this round; UINT32_MAX: no end */
    uint64_t played;      /* frames of this round so far */
    uint64_t handle;
} erx_player_pair_t;

typedef struct {
    erx_model_t *model;
    uint32_t count;
    uint32_t round_frames; /* 0: sessions never start anew */
    erx_player_pair_t *pairs;
    erx_seats_t *seats;       /* who plays in place of the trace; NULL: nobody */
    erx_session_t **sessions; /* [count] as of the frame being fed */
} erx_players_t;

/* Creates count sessions that all play game k from its first frame, without
 * rounds. Errors: those of erx_session_create, ERX_ERR_MEMORY. */
erx_status_t erx_players_open_game(erx_players_t *players_out, erx_model_t *model, uint32_t count,
                                   const erx_trace_t *trace, uint32_t game, erx_error_t *error);

/* Creates count sessions over all games of the trace. Games and offsets are
 * drawn from the seed; first rounds end one after the other, so that not all
 * sessions start anew in the same frame. */
erx_status_t erx_players_open_mixed(erx_players_t *players_out, erx_model_t *model, uint32_t count,
                                    const erx_trace_t *trace, uint64_t seed, uint32_t round_frames,
                                    erx_error_t *error);

/* The same for sessions that are there already, session i in slot i, and have
 * played so many frames: after a recovery. Errors: ERX_ERR_STATE where a session
 * is missing. */
erx_status_t erx_players_resume_mixed(erx_players_t *players_out, erx_model_t *model,
                                      uint32_t count, const erx_trace_t *trace, uint64_t seed,
                                      uint32_t round_frames, uint64_t frames, erx_error_t *error);

/* Seats others in place of the trace, from the next frame on. seats were opened
 * for the same number of sessions and outlive the players. */
void erx_players_seat(erx_players_t *players, erx_seats_t *seats);

/* Feeds the inputs of the next frame to every session, starting those anew
 * whose round is over. Call once before each block. */
void erx_players_feed(erx_players_t *players);

/* The session of pair i. */
erx_session_t *erx_players_session(const erx_players_t *players, uint32_t i);

/* FNV-1a 64 of a session's HiddenState data: world state and recurrent state. */
uint64_t erx_players_state_hash(const erx_players_t *players, uint32_t i);

/* One hash over all sessions' states, by their numbers and not by any order of
 * execution. */
uint64_t erx_players_hash(const erx_players_t *players);

/* Ends the sessions. An all-zero object is allowed. */
void erx_players_close(erx_players_t *players);

#endif
