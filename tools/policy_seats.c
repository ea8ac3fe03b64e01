#include "tools/policy_seats.h"

#include "mem/assert.h"

#include <stdlib.h>
#include <string.h>

/* ---- sources ---- */

erx_status_t erx_seat_source_parse(const char *text, erx_seat_source_t *source_out,
                                   erx_error_t *error)
{
    static const struct {
        const char *word;
        erx_seat_source_t source;
        bool takes_directory;
    } words[] = {
        {"trace", {.kind = ERX_SEAT_TRACE}, false},
        {"script", {.kind = ERX_SEAT_SCRIPT}, false},
        {"policy:", {.kind = ERX_SEAT_POLICY}, true},
        {"steady:", {.kind = ERX_SEAT_POLICY, .steady = true}, true},
    };
    for (uint32_t i = 0; i < ERX_COUNT(words); i++) {
        size_t length = strlen(words[i].word);
        const char *rest = text + length;
        if (strncmp(text, words[i].word, length) != 0 ||
            (*rest == '\0') == words[i].takes_directory)
            continue;
        *source_out = words[i].source;
        source_out->directory = words[i].takes_directory ? rest : NULL;
        return ERX_OK;
    }
    return erx_error_set(error, ERX_ERR_ARGUMENT,
                         "'%.100s' is none of trace, script, policy:DIR, steady:DIR", text);
}

/* ---- opening ---- */

static erx_status_t open_policy(erx_seat_row_t *row, erx_engine_t *engine, uint32_t session_count,
                                erx_error_t *error)
{
    const erx_policy_config_t config = {.kernel = erx_engine_kernel(engine),
                                        .gang = erx_engine_gang(engine),
                                        .seat_capacity = session_count};
    row->seats = calloc(session_count, sizeof *row->seats);
    row->turns = calloc(session_count, sizeof *row->turns);
    if (row->seats == NULL || row->turns == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u seats", session_count);
    return erx_policy_open(&row->policy, row->source.directory, &config, error);
}

static erx_status_t open_row(erx_seats_t *seats, uint32_t player, erx_engine_t *engine,
                             erx_error_t *error)
{
    erx_seat_row_t *row = &seats->rows[player];
    if (row->source.kind == ERX_SEAT_POLICY)
        return open_policy(row, engine, seats->session_count, error);
    if (row->source.kind == ERX_SEAT_SCRIPT) {
        row->scripts = calloc(seats->session_count, sizeof *row->scripts);
        if (row->scripts == NULL)
            return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u scripts",
                                 seats->session_count);
    }
    return ERX_OK;
}

erx_status_t erx_seats_open(erx_seats_t *seats_out, const erx_seat_source_t sources[ERX_PLAYERS],
                            erx_engine_t *engine, uint32_t session_count, uint64_t seed, bool alike,
                            erx_error_t *error)
{
    *seats_out = (erx_seats_t){.session_count = session_count, .seed = seed, .alike = alike};
    erx_status_t status = ERX_OK;
    seats_out->rounds = calloc(session_count, sizeof *seats_out->rounds);
    if (seats_out->rounds == NULL)
        status = erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u sessions", session_count);
    for (uint32_t p = 0; p < ERX_PLAYERS && status == ERX_OK; p++) {
        seats_out->rows[p].source = sources[p];
        status = open_row(seats_out, p, engine, error);
    }
    if (status != ERX_OK)
        erx_seats_close(seats_out);
    return status;
}

void erx_seats_close(erx_seats_t *seats)
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        erx_policy_close(seats->rows[p].policy);
        free(seats->rows[p].scripts);
        free(seats->rows[p].seats);
        free(seats->rows[p].turns);
    }
    free(seats->rounds);
    *seats = (erx_seats_t){0};
}

/* ---- playing ---- */

void erx_seats_start(erx_seats_t *seats, uint32_t i)
{
    uint32_t round = seats->rounds[i]++;
    uint32_t number = seats->alike ? 0 : i;
    erx_random_t random;
    erx_random_seed(&random, seats->seed, (uint64_t)number << 32 | round);
    uint64_t seed = erx_random_next(&random);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        erx_seat_row_t *row = &seats->rows[p];
        if (row->scripts != NULL)
            erx_script_start(&row->scripts[i], seed, 0, p);
        if (row->policy == NULL)
            continue;
        const erx_policy_seat_terms_t terms = {
            .player = p, .seed = seed, .steady = row->source.steady};
        erx_error_t error;
        if (round > 0)
            erx_policy_seat_end(row->policy, row->seats[i]);
        erx_status_t status = erx_policy_seat_create(row->policy, &terms, &row->seats[i], &error);
        ERX_ASSERT(status == ERX_OK); /* there is one for every session */
    }
}

static void feed_scripts(erx_seats_t *seats, uint32_t player, erx_session_pool_t *pool,
                         erx_session_t *const *sessions)
{
    for (uint32_t i = 0; i < seats->session_count; i++) {
        const erx_controller_t next = erx_script_next(&seats->rows[player].scripts[i]);
        uint8_t control[ERX_CONTROLLER_BYTES];
        memcpy(control, &next, sizeof control);
        erx_session_input(pool, sessions[i], player, control);
    }
}

static void feed_policy(erx_seats_t *seats, uint32_t player, erx_session_pool_t *pool,
                        erx_session_t *const *sessions)
{
    erx_seat_row_t *row = &seats->rows[player];
    for (uint32_t i = 0; i < seats->session_count; i++) {
        row->turns[i].seat = row->seats[i];
        row->turns[i].frame = sessions[i]->frame;
        row->turns[i].world = erx_arena_world(sessions[i]->arena);
    }
    erx_policy_play(row->policy, row->turns, seats->session_count);
    for (uint32_t i = 0; i < seats->session_count; i++)
        erx_session_input(pool, sessions[i], player, row->turns[i].control);
}

void erx_seats_feed(erx_seats_t *seats, erx_session_pool_t *pool, erx_session_t *const *sessions)
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        if (seats->rows[p].policy != NULL)
            feed_policy(seats, p, pool, sessions);
        if (seats->rows[p].scripts != NULL)
            feed_scripts(seats, p, pool, sessions);
    }
}
