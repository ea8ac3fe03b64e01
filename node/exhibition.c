#include "node/exhibition.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Sessions of bots have these numbers; clients draw theirs at random. */
#define FIRST_SESSION_ID  UINT64_C(1)
#define FRAMES_OF_A_MATCH 900u /* the bundled world drifts off its stage after that */
#define ENDED             3u   /* SessionState's status */
#define STICK_FULL        100
#define BUTTON_A          1u
#define BUTTON_B          2u
#define BUTTON_X          4u

/* What a scripted player does for a while. */
typedef struct {
    uint64_t until_tick;
    uint8_t control[ERX_CONTROLLER_SIZE];
} plan_t;

typedef struct {
    bool has_session;
    erx_session_ref_t session;
    uint64_t session_id;
    uint64_t random;
    plan_t plans[ERX_PLAYER_COUNT];
} bot_t;

struct erx_exhibition {
    const erx_config_t *config;
    erx_rollup_t *rollup;
    uint64_t model_id;
    uint32_t count;
    bot_t bots[];
};

/* splitmix64: what scripted players do reaches state only as inputs. */
static uint64_t draw(bot_t *bot)
{
    uint64_t z = bot->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void put_signed(uint8_t *place, int value)
{
    *place = (uint8_t)(int8_t)value;
}

/* Walks, jumps, attacks or rests; each player mostly towards the other's side. */
static void make_plan(bot_t *bot, uint32_t player, uint64_t tick)
{
    plan_t *plan = &bot->plans[player];
    uint64_t chance = draw(bot);
    int towards = player == 0 ? STICK_FULL : -STICK_FULL;
    memset(plan->control, 0, sizeof plan->control);
    plan->until_tick = tick + 4 + chance % 20;
    switch (chance >> 32 & 7) {
    case 0:
    case 1:
        put_signed(&plan->control[0], towards);
        break;
    case 2:
        put_signed(&plan->control[0], -towards);
        break;
    case 3:
        plan->control[6] = BUTTON_X;
        plan->until_tick = tick + 3;
        break;
    case 4:
        plan->control[6] = BUTTON_A;
        plan->until_tick = tick + 3;
        break;
    case 5:
        put_signed(&plan->control[0], towards);
        plan->control[6] = BUTTON_B;
        plan->until_tick = tick + 3;
        break;
    default:
        break;
    }
}

static bool begin_match(erx_exhibition_t *exhibition, bot_t *bot, int64_t timestamp)
{
    static const uint8_t stages[] = {2, 3, 8, 28, 31, 32}; /* those of tournaments */
    erx_session_config_t config;
    erx_session_config_default(&config);
    config.session_id = bot->session_id;
    config.model_id = exhibition->model_id;
    config.stage = stages[draw(bot) % ERX_ARRAY_COUNT(stages)];
    config.characters[0] = (uint8_t)(draw(bot) % 26);
    config.characters[1] = (uint8_t)(draw(bot) % 26);
    config.max_frames = FRAMES_OF_A_MATCH;
    config.seed = draw(bot);
    config.timestamp = timestamp;
    config.tick_divisor = exhibition->config->session_divisor;
    if (erx_rollup_create_session(exhibition->rollup, &config, &bot->session) != ERX_STATUS_OK)
        return false;
    bot->has_session = true;
    const char *policy = exhibition->config->bot_policy;
    for (uint32_t player = 0; player < ERX_PLAYER_COUNT && policy[0] != '\0'; player++)
        if (erx_rollup_seat_bot(exhibition->rollup, bot->session, player, policy) != ERX_STATUS_OK)
            return false;
    return true;
}

/* The session that a bot had before a restart, or a new one. */
static bool find_or_begin(erx_exhibition_t *exhibition, bot_t *bot)
{
    erx_session_info_t info = {.struct_size = sizeof info};
    erx_session_ref_t *sessions = NULL;
    size_t count = 0;
    (void)erx_rollup_list_sessions(exhibition->rollup, NULL, 0, &count);
    if (count > 0)
        sessions = calloc(count, sizeof *sessions);
    if (sessions != NULL)
        (void)erx_rollup_list_sessions(exhibition->rollup, sessions, count, &count);
    for (size_t i = 0; sessions != NULL && i < count; i++)
        if (erx_rollup_session(exhibition->rollup, sessions[i], &info) == ERX_STATUS_OK &&
            info.session_id == bot->session_id) {
            bot->session = sessions[i];
            bot->has_session = true;
        }
    free(sessions);
    return bot->has_session || begin_match(exhibition, bot, 0);
}

bool erx_exhibition_open(const erx_config_t *config, erx_rollup_t *rollup,
                         erx_exhibition_t **exhibition_out, erx_failure_t *failure)
{
    erx_exhibition_t *exhibition =
        calloc(1, sizeof *exhibition + config->bots * sizeof exhibition->bots[0]);
    erx_model_info_t model = {.struct_size = sizeof model};
    *exhibition_out = NULL;
    if (exhibition == NULL)
        return erx_failure_set(failure, "no memory for %" PRIu32 " bots", config->bots);
    exhibition->config = config;
    exhibition->rollup = rollup;
    exhibition->count = config->bots;
    bool is_open = erx_rollup_model(rollup, 0, &model) == ERX_STATUS_OK;
    exhibition->model_id = model.model_id;
    for (uint32_t i = 0; i < exhibition->count && is_open; i++) {
        exhibition->bots[i].session_id = FIRST_SESSION_ID + i;
        exhibition->bots[i].random = i;
        is_open = find_or_begin(exhibition, &exhibition->bots[i]);
    }
    if (!is_open) {
        (void)erx_failure_set(failure, "bots: %s", erx_last_error());
        erx_exhibition_close(exhibition);
        return false;
    }
    *exhibition_out = exhibition;
    return true;
}

static void play(erx_exhibition_t *exhibition, bot_t *bot, uint64_t tick)
{
    for (uint32_t player = 0; player < ERX_PLAYER_COUNT; player++) {
        if (tick >= bot->plans[player].until_tick)
            make_plan(bot, player, tick);
        (void)erx_rollup_input(exhibition->rollup, bot->session, player,
                               bot->plans[player].control);
    }
}

void erx_exhibition_play(erx_exhibition_t *exhibition, uint64_t tick, int64_t timestamp)
{
    bool has_begun = false; /* at most one match a tick begins: creating takes time */
    for (uint32_t i = 0; i < exhibition->count; i++) {
        bot_t *bot = &exhibition->bots[i];
        erx_session_info_t info = {.struct_size = sizeof info};
        bool is_there = bot->has_session && erx_rollup_session(exhibition->rollup, bot->session,
                                                               &info) == ERX_STATUS_OK;
        if (is_there && info.status != ENDED) {
            if (exhibition->config->bot_policy[0] == '\0')
                play(exhibition, bot, tick);
        } else if (!has_begun) {
            if (is_there)
                (void)erx_rollup_close_session(exhibition->rollup, bot->session);
            bot->has_session = false;
            (void)begin_match(exhibition, bot, timestamp);
            has_begun = true;
        }
    }
}

void erx_exhibition_close(erx_exhibition_t *exhibition)
{
    free(exhibition);
}
