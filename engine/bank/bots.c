#include "engine/bank/bots.h"

#include <string.h>

#include "mem/alloc.h"

#define PATH_BYTES 4096u

typedef struct {
    uint32_t pool;
    uint64_t handle; /* of the session */
    uint32_t player;
    uint32_t seat;
} bot_t;

/* The bots of one policy. */
typedef struct {
    char directory[PATH_BYTES];
    erx_policy_t *policy;
    uint32_t count;
    bot_t *bots;               /* [capacity] */
    erx_policy_turn_t *turns;  /* [capacity] */
    const bot_t **turn_owners; /* [capacity] */
} team_t;

struct erx_bots {
    erx_engine_t *engine;
    uint32_t capacity;
    uint32_t team_count;
    team_t teams[ERX_BOT_POLICIES_MAX];
};

erx_status_t erx_bots_open(erx_engine_t *engine, uint32_t capacity, erx_bots_t **bots_out,
                           erx_error_t *error)
{
    erx_bots_t *bots = erx_alloc(1, sizeof *bots);
    if (bots == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for bots");
    bots->engine = engine;
    bots->capacity = ERX_MIN(capacity, ERX_POLICY_SEATS_MAX);
    *bots_out = bots;
    return ERX_OK;
}

static void close_team(team_t *team)
{
    erx_policy_close(team->policy);
    erx_free(team->bots);
    erx_free(team->turns);
    erx_free(team->turn_owners);
    memset(team, 0, sizeof *team);
}

void erx_bots_close(erx_bots_t *bots)
{
    if (bots == NULL)
        return;
    for (uint32_t i = 0; i < bots->team_count; i++)
        close_team(&bots->teams[i]);
    erx_free(bots);
}

static erx_status_t open_team(erx_bots_t *bots, const char *directory, team_t **team_out,
                              erx_error_t *error)
{
    if (bots->team_count == ERX_BOT_POLICIES_MAX || strlen(directory) >= PATH_BYTES)
        return erx_error_set(error, ERX_ERR_FULL, "%.200s: %u policies are loaded already",
                             directory, ERX_BOT_POLICIES_MAX);
    const erx_policy_config_t config = {
        .kernel = erx_engine_kernel(bots->engine),
        .gang = erx_engine_gang(bots->engine),
        .seat_capacity = bots->capacity,
    };
    team_t *team = &bots->teams[bots->team_count];
    erx_status_t status = erx_policy_open(&team->policy, directory, &config, error);
    if (status != ERX_OK)
        return status;
    team->bots = erx_alloc(bots->capacity, sizeof *team->bots);
    team->turns = erx_alloc(bots->capacity, sizeof *team->turns);
    team->turn_owners = erx_alloc(bots->capacity, sizeof *team->turn_owners);
    if (team->bots == NULL || team->turns == NULL || team->turn_owners == NULL) {
        close_team(team);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u bots", bots->capacity);
    }
    memcpy(team->directory, directory, strlen(directory) + 1);
    bots->team_count++;
    *team_out = team;
    return ERX_OK;
}

static erx_status_t find_team(erx_bots_t *bots, const char *directory, team_t **team_out,
                              erx_error_t *error)
{
    for (uint32_t i = 0; i < bots->team_count; i++)
        if (strcmp(bots->teams[i].directory, directory) == 0) {
            *team_out = &bots->teams[i];
            return ERX_OK;
        }
    return open_team(bots, directory, team_out, error);
}

static void leave(team_t *team, uint32_t i)
{
    erx_policy_seat_end(team->policy, team->bots[i].seat);
    team->bots[i] = team->bots[--team->count];
}

static void free_seat(erx_bots_t *bots, uint32_t pool, uint64_t handle, uint32_t player)
{
    for (uint32_t t = 0; t < bots->team_count; t++)
        for (uint32_t i = 0; i < bots->teams[t].count; i++) {
            const bot_t *bot = &bots->teams[t].bots[i];
            if (bot->pool == pool && bot->handle == handle && bot->player == player) {
                leave(&bots->teams[t], i);
                return;
            }
        }
}

erx_status_t erx_bots_seat(erx_bots_t *bots, uint32_t pool, const erx_session_t *session,
                           uint32_t player, const char *directory, erx_error_t *error)
{
    team_t *team = NULL;
    uint64_t handle = erx_session_handle(session);
    if (directory == NULL) {
        free_seat(bots, pool, handle, player);
        return ERX_OK;
    }
    erx_status_t status = find_team(bots, directory, &team, error);
    if (status != ERX_OK)
        return status;
    const erx_policy_seat_terms_t terms = {
        .player = player,
        .seed = handle ^ (uint64_t)pool << 24 ^ (uint64_t)player << 63,
    };
    bot_t bot = {.pool = pool, .handle = handle, .player = player};
    free_seat(bots, pool, handle, player);
    status = erx_policy_seat_create(team->policy, &terms, &bot.seat, error);
    if (status == ERX_OK)
        team->bots[team->count++] = bot;
    return status;
}

/* Collects the turns of a team; bots whose session has ended leave. */
static uint32_t collect(erx_bots_t *bots, team_t *team,
                        bool (*is_due)(void *context, uint32_t pool, const erx_session_t *session),
                        void *context)
{
    uint32_t model_count, turn_count = 0;
    const erx_model_t *models = erx_engine_models(bots->engine, &model_count);
    for (uint32_t i = 0; i < team->count;) {
        const bot_t *bot = &team->bots[i];
        const erx_session_t *session = erx_session_find(&models[bot->pool].sessions, bot->handle);
        if (session == NULL) {
            leave(team, i);
            continue;
        }
        if (is_due(context, bot->pool, session)) {
            team->turn_owners[turn_count] = bot;
            team->turns[turn_count++] = (erx_policy_turn_t){
                .seat = bot->seat,
                .frame = session->frame,
                .world = erx_arena_world(session->arena),
            };
        }
        i++;
    }
    return turn_count;
}

void erx_bots_play(erx_bots_t *bots, erx_bank_t *bank,
                   bool (*is_due)(void *context, uint32_t pool, const erx_session_t *session),
                   void *context)
{
    erx_error_t error;
    uint32_t model_count;
    erx_model_t *models = erx_engine_models(bots->engine, &model_count);
    for (uint32_t t = 0; t < bots->team_count; t++) {
        team_t *team = &bots->teams[t];
        uint32_t count = collect(bots, team, is_due, context);
        if (count == 0)
            continue;
        erx_policy_play(team->policy, team->turns, count);
        for (uint32_t i = 0; i < count; i++) {
            const bot_t *bot = team->turn_owners[i];
            erx_session_t *session = erx_session_find(&models[bot->pool].sessions, bot->handle);
            /* One whose frame is in the block already has its input. */
            (void)erx_bank_input(bank, bot->pool, session, bot->player, team->turns[i].control,
                                 &error);
        }
    }
}
