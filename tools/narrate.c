#include "tools/narrate.h"

#include "kernels/requant.h"

static const char *const characters[] = {
    "Mario",      "Fox",       "Captain Falcon", "Donkey Kong", "Kirby",
    "Bowser",     "Link",      "Sheik",          "Ness",        "Peach",
    "Popo",       "Nana",      "Pikachu",        "Samus",       "Yoshi",
    "Jigglypuff", "Mewtwo",    "Luigi",          "Marth",       "Zelda",
    "Young Link", "Dr. Mario", "Falco",          "Pichu",       "Mr. Game & Watch",
    "Ganondorf",  "Roy",
};

/* Families of action states: the first id of each, up to the next one's. */
static const struct {
    uint16_t first;
    const char *words;
} actions[] = {
    {0, "out of the stage"},
    {12, "coming back"},
    {14, "standing"},
    {15, "walking"},
    {18, "turning"},
    {20, "dashing"},
    {21, "running"},
    {24, "about to jump"},
    {25, "jumping"},
    {29, "falling"},
    {35, "falling helplessly"},
    {38, "tumbling"},
    {39, "crouching"},
    {42, "landing"},
    {44, "jabbing"},
    {50, "attacking from a dash"},
    {51, "using a tilt attack"},
    {58, "using a smash attack"},
    {65, "using an aerial attack"},
    {70, "landing from an attack"},
    {75, "being hit"},
    {92, "handling an item"},
    {178, "shielding"},
    {183, "lying down"},
    {199, "recovering from a fall"},
    {205, "dazed"},
    {212, "grabbing"},
    {219, "throwing"},
    {223, "held"},
    {233, "rolling"},
    {235, "dodging"},
    {237, "rebounding"},
    {239, "thrown"},
    {244, "moving at a ledge"},
    {266, "in a rare state"},
    {341, "using a special move"},
};

const char *erx_character_name(uint16_t character)
{
    static _Thread_local char text[24];
    if (character < ERX_COUNT(characters))
        return characters[character];
    (void)snprintf(text, sizeof text, "character %u", character);
    return text;
}

const char *erx_stage_name(uint16_t stage)
{
    static _Thread_local char text[16];
    switch (stage) {
    case 2:
        return "Fountain of Dreams";
    case 3:
        return "Pokémon Stadium";
    case 8:
        return "Yoshi's Story";
    case 28:
        return "Dream Land";
    case 31:
        return "Battlefield";
    case 32:
        return "Final Destination";
    default:
        (void)snprintf(text, sizeof text, "stage %u", stage);
        return text;
    }
}

const char *erx_action_words(uint16_t action)
{
    uint32_t family = 0;
    while (family + 1 < ERX_COUNT(actions) && actions[family + 1].first <= action)
        family++;
    return actions[family].words;
}

/* A Q16 value in game units. */
static double units(int32_t value)
{
    return value / 65536.0;
}

static long whole(int32_t value)
{
    return (long)erx_round_shift(value, 16);
}

void erx_narrate(FILE *stream, const erx_world_t *world)
{
    (void)fprintf(stream, "%s:\n", erx_stage_name(world->category[ERX_C_STAGE]));
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        const int32_t *S = world->S[p];
        const uint16_t *category = world->category + p * ERX_PLAYER_CATEGORIES;
        long stocks = whole(S[ERX_S_STOCKS]);
        (void)fprintf(stream, "  player %u: %s is %s %s at x %.1f, y %.1f, facing %s,\n", p + 1,
                      erx_character_name(category[ERX_C_CHARACTER]),
                      erx_action_words(category[ERX_C_ACTION]),
                      world->binary[p][2] ? "on the ground" : "in the air", units(S[ERX_S_X]),
                      units(S[ERX_S_Y]), world->binary[p][0] ? "right" : "left");
        (void)fprintf(stream, "            %ld %% damage, shield %.0f, %ld %s left\n",
                      whole(S[ERX_S_PERCENT]), units(S[ERX_S_SHIELD]), stocks,
                      stocks == 1 ? "stock" : "stocks");
    }
}

static json_t *player_json(const erx_world_t *world, uint32_t p)
{
    const int32_t *S = world->S[p];
    const uint16_t *category = world->category + p * ERX_PLAYER_CATEGORIES;
    return json_pack(
        "{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:i, s:i, s:b, s:b, s:i, s:i, s:i}",
        "x", units(S[ERX_S_X]), "y", units(S[ERX_S_Y]), "percent", units(S[ERX_S_PERCENT]),
        "shield_strength", units(S[ERX_S_SHIELD]), "speed_air_x", units(S[ERX_S_SPEED_AIR_X]),
        "speed_y", units(S[ERX_S_SPEED_Y]), "speed_ground_x", units(S[ERX_S_SPEED_GROUND_X]),
        "speed_attack_x", units(S[ERX_S_SPEED_ATTACK_X]), "speed_attack_y",
        units(S[ERX_S_SPEED_ATTACK_Y]), "state_age", (int)whole(S[ERX_S_STATE_AGE]), "hitlag",
        (int)whole(S[ERX_S_HITLAG]), "stocks", (int)whole(S[ERX_S_STOCKS]), "facing",
        world->binary[p][0], "on_ground", world->binary[p][2], "action_state",
        category[ERX_C_ACTION], "jumps_left", category[ERX_C_JUMPS], "character",
        category[ERX_C_CHARACTER]);
}

json_t *erx_world_json(const erx_world_t *world)
{
    return json_pack("{s:[o, o], s:i}", "players", player_json(world, 0), player_json(world, 1),
                     "stage", world->category[ERX_C_STAGE]);
}
