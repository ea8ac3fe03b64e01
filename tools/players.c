#include "tools/players.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem/assert.h"
#include "tools/fnv.h"
#include "tools/random.h"

/* Starts a session for the pair's game. */
static erx_status_t start(erx_players_t *players, erx_player_pair_t *pair, erx_error_t *error)
{
    erx_session_terms_t terms = {.stage = pair->game.stage};
    memcpy(terms.characters, pair->game.characters, sizeof terms.characters);
    memcpy(terms.model, players->model->hash, sizeof terms.model);
    pair->played = 0;
    return erx_session_create(&players->model->sessions, &terms, &pair->handle, error);
}

static erx_status_t allocate(erx_players_t *players, erx_model_t *model, uint32_t count,
                             uint32_t round_frames, erx_error_t *error)
{
    *players = (erx_players_t){.model = model, .round_frames = round_frames};
    players->pairs = calloc(count, sizeof *players->pairs);
    players->sessions = calloc(count, sizeof *players->sessions);
    if (players->pairs == NULL || players->sessions == NULL) {
        erx_players_close(players);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u sessions", count);
    }
    return ERX_OK;
}

/* Starts the next pair; on failure everything is given back. */
static erx_status_t add_pair(erx_players_t *players, const erx_player_pair_t *pair,
                             erx_error_t *error)
{
    players->pairs[players->count] = *pair;
    erx_status_t status = start(players, &players->pairs[players->count], error);
    if (status == ERX_OK)
        players->count++;
    else
        erx_players_close(players);
    return status;
}

erx_status_t erx_players_open_game(erx_players_t *players_out, erx_model_t *model, uint32_t count,
                                   const erx_trace_t *trace, uint32_t game, erx_error_t *error)
{
    const erx_player_pair_t pair = {
        .game = erx_trace_game(trace, game),
        .frames_left = UINT32_MAX,
    };
    erx_status_t status = allocate(players_out, model, count, 0, error);
    for (uint32_t i = 0; status == ERX_OK && i < count; i++)
        status = add_pair(players_out, &pair, error);
    return status;
}

/* Draws the next pair's game and offset; pair i of count. */
static erx_player_pair_t draw(erx_random_t *random, const erx_trace_t *trace, uint32_t i,
                              uint32_t count, uint32_t round_frames)
{
    uint32_t game = erx_random_below(random, trace->game_count);
    erx_player_pair_t pair = {.game = erx_trace_game(trace, game), .frames_left = UINT32_MAX};
    pair.offset = erx_random_below(random, pair.game.frame_count);
    if (round_frames != 0)
        pair.frames_left = round_frames - (uint32_t)((uint64_t)round_frames * i / count);
    return pair;
}

erx_status_t erx_players_open_mixed(erx_players_t *players_out, erx_model_t *model, uint32_t count,
                                    const erx_trace_t *trace, uint64_t seed, uint32_t round_frames,
                                    erx_error_t *error)
{
    erx_random_t random;
    erx_random_seed(&random, seed, 0);
    erx_status_t status = allocate(players_out, model, count, round_frames, error);
    for (uint32_t i = 0; status == ERX_OK && i < count; i++) {
        erx_player_pair_t pair = draw(&random, trace, i, count, round_frames);
        status = add_pair(players_out, &pair, error);
    }
    return status;
}

/* What feeding frames times does to a pair. */
static void skip(const erx_players_t *players, erx_player_pair_t *pair, uint64_t frames)
{
    while (frames > 0) {
        if (pair->frames_left == 0) {
            pair->frames_left = players->round_frames;
            pair->played = 0;
        }
        bool endless = pair->frames_left == UINT32_MAX;
        uint64_t some = endless || frames < pair->frames_left ? frames : pair->frames_left;
        pair->played += some;
        pair->frames_left -= endless ? 0 : (uint32_t)some;
        frames -= some;
    }
}

erx_status_t erx_players_resume_mixed(erx_players_t *players_out, erx_model_t *model,
                                      uint32_t count, const erx_trace_t *trace, uint64_t seed,
                                      uint32_t round_frames, uint64_t frames, erx_error_t *error)
{
    erx_random_t random;
    erx_random_seed(&random, seed, 0);
    erx_status_t status = allocate(players_out, model, count, round_frames, error);
    for (uint32_t i = 0; status == ERX_OK && i < count; i++) {
        erx_player_pair_t pair = draw(&random, trace, i, count, round_frames);
        const erx_session_t *session = &model->sessions.sessions[i];
        skip(players_out, &pair, frames);
        pair.handle = erx_session_handle(session);
        if (session->generation % 2 == 0 || session->frame != pair.played) {
            players_out->count = 0;
            erx_players_close(players_out);
            return erx_error_set(error, ERX_ERR_STATE,
                                 "session %u is not the one that seed %" PRIu64
                                 " and these options "
                                 "play: resume with the options of the first start",
                                 i, seed);
        }
        players_out->pairs[players_out->count++] = pair;
    }
    return status;
}

void erx_players_seat(erx_players_t *players, erx_seats_t *seats)
{
    ERX_ASSERT(seats->session_count == players->count);
    players->seats = seats;
    for (uint32_t i = 0; i < players->count; i++)
        erx_seats_start(seats, i);
}

/* A round is over: the session makes way for a new one in its slot. */
static void start_anew(erx_players_t *players, erx_player_pair_t *pair)
{
    erx_error_t error;
    erx_session_end(&players->model->sessions,
                    erx_session_find(&players->model->sessions, pair->handle));
    erx_status_t status = start(players, pair, &error);
    ERX_ASSERT(status == ERX_OK); /* the slot was just freed, the terms were good before */
    pair->frames_left = players->round_frames;
}

void erx_players_feed(erx_players_t *players)
{
    for (uint32_t i = 0; i < players->count; i++) {
        erx_player_pair_t *pair = &players->pairs[i];
        if (pair->frames_left == 0) {
            start_anew(players, pair);
            if (players->seats != NULL)
                erx_seats_start(players->seats, i);
        }
        erx_session_t *session = erx_players_session(players, i);
        players->sessions[i] = session;
        const uint8_t(*controllers)[ERX_CONTROLLER_BYTES] =
            erx_trace_controllers(&pair->game, pair->offset + pair->played);
        for (uint32_t p = 0; p < ERX_PLAYERS; p++)
            if (erx_seats_trace_plays(players->seats, p))
                erx_session_input(&players->model->sessions, session, p, controllers[p]);
        pair->played++;
        if (pair->frames_left != UINT32_MAX)
            pair->frames_left--;
    }
    if (players->seats != NULL)
        erx_seats_feed(players->seats, &players->model->sessions, players->sessions);
}

erx_session_t *erx_players_session(const erx_players_t *players, uint32_t i)
{
    erx_session_t *session = erx_session_find(&players->model->sessions, players->pairs[i].handle);
    ERX_ASSERT(session != NULL);
    return session;
}

uint64_t erx_players_state_hash(const erx_players_t *players, uint32_t i)
{
    return erx_fnv1a(ERX_FNV_BASIS, erx_players_session(players, i)->arena + ERX_ARENA_WORLD,
                     erx_hidden_data_bytes(&players->model->shape));
}

uint64_t erx_players_hash(const erx_players_t *players)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < players->count; i++) {
        uint64_t state = erx_players_state_hash(players, i);
        uint64_t number = i;
        sum += erx_fnv1a(erx_fnv1a(ERX_FNV_BASIS, &number, sizeof number), &state, sizeof state);
    }
    return sum;
}

void erx_players_close(erx_players_t *players)
{
    for (uint32_t i = 0; i < players->count; i++)
        erx_session_end(&players->model->sessions, erx_players_session(players, i));
    free(players->pairs);
    free(players->sessions);
    memset(players, 0, sizeof *players);
}
