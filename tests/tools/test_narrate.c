#include "tests/tools/tools_suites.h"
#include "tools/narrate.h"

#include <string.h>

static erx_world_t world_of_start(void)
{
    static const uint8_t characters[ERX_PLAYERS] = {1, 18};
    erx_world_t world;
    erx_world_start(&world, 31, characters);
    return world;
}

START_TEST(test_names_are_those_of_the_game_and_never_missing)
{
    ck_assert_str_eq(erx_character_name(1), "Fox");
    ck_assert_str_eq(erx_character_name(26), "Roy");
    ck_assert_str_eq(erx_character_name(27), "character 27");
    ck_assert_str_eq(erx_stage_name(32), "Final Destination");
    ck_assert_str_eq(erx_stage_name(1), "stage 1");
}
END_TEST

START_TEST(test_actions_are_told_by_family)
{
    ck_assert_str_eq(erx_action_words(0), "out of the stage");
    ck_assert_str_eq(erx_action_words(14), "standing");
    ck_assert_str_eq(erx_action_words(20), "dashing");
    ck_assert_str_eq(erx_action_words(65), "using an aerial attack"); /* "in the air" follows */
    ck_assert_str_eq(erx_action_words(178), "shielding");
    ck_assert_str_eq(erx_action_words(182), "shielding");
    ck_assert_str_eq(erx_action_words(399), "using a special move");
}
END_TEST

START_TEST(test_a_start_is_told_in_words)
{
    char text[1024] = "";
    erx_world_t world = world_of_start();
    FILE *stream = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(stream);
    erx_narrate(stream, &world);
    (void)fclose(stream);
    ck_assert_ptr_nonnull(strstr(text, "Battlefield:"));
    ck_assert_ptr_nonnull(
        strstr(text, "Fox is standing on the ground at x -30.0, y 0.0, facing right"));
    ck_assert_ptr_nonnull(
        strstr(text, "Marth is standing on the ground at x 30.0, y 0.0, facing left"));
    ck_assert_ptr_nonnull(strstr(text, "0 % damage, shield 60, 4 stocks left"));
}
END_TEST

START_TEST(test_json_has_both_players_in_game_units)
{
    erx_world_t world = world_of_start();
    world.S[1][ERX_S_PERCENT] = 5 * 65536 / 2;
    json_t *value = erx_world_json(&world);
    double x, percent;
    int stage, facing, action;
    ck_assert_ptr_nonnull(value);
    ck_assert_int_eq(json_unpack(value, "{s:[{s:f}, {s:f, s:b, s:i}], s:i}", "players", "x", &x,
                                 "percent", &percent, "facing", &facing, "action_state", &action,
                                 "stage", &stage),
                     0);
    ck_assert_double_eq(x, -30.0);
    ck_assert_double_eq(percent, 2.5);
    ck_assert_int_eq(facing, 0);
    ck_assert_int_eq(action, 14);
    ck_assert_int_eq(stage, 31);
    json_decref(value);
}
END_TEST

Suite *narrate_suite(void)
{
    Suite *suite = suite_create("narrate");
    TCase *all = tcase_create("narrate");
    tcase_add_test(all, test_names_are_those_of_the_game_and_never_missing);
    tcase_add_test(all, test_actions_are_told_by_family);
    tcase_add_test(all, test_a_start_is_told_in_words);
    tcase_add_test(all, test_json_has_both_players_in_game_units);
    suite_add_tcase(suite, all);
    return suite;
}
