#include "tools/trace_report.h"

#include "tools/input_statistics.h"
#include "tools/output.h"

#include <stdio.h>

#define FRAMES_A_SECOND 60.0

static double ratio(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (double)part / (double)whole;
}

static erx_input_statistics_t count_inputs(const erx_trace_t *trace)
{
    erx_input_statistics_t statistics = {0};
    for (uint32_t k = 0; k < trace->game_count; k++) {
        erx_trace_game_t game = erx_trace_game(trace, k);
        erx_input_statistics_add(&statistics, &game);
    }
    return statistics;
}

static void print_games(const erx_trace_t *trace)
{
    printf("%6s %8s %8s %6s %11s\n", "game", "frames", "seconds", "stage", "characters");
    for (uint32_t k = 0; k < trace->game_count; k++) {
        erx_trace_game_t game = erx_trace_game(trace, k);
        printf("%6u %8u %8.1f %6u %6u %4u\n", k, game.frame_count,
               game.frame_count / FRAMES_A_SECOND, game.stage, game.characters[0],
               game.characters[1]);
    }
}

static void print_inputs(const erx_input_statistics_t *statistics)
{
    uint32_t move_count = 0;
    const erx_script_move_t *moves = erx_script_moves(&move_count);
    const erx_script_press_t *presses = erx_script_presses();
    printf("\n%-16s %10s %10s %12s %10s\n", "stick", "% of time", "recorded", "mean frames",
           "recorded");
    for (uint32_t i = 0; i < move_count; i++)
        printf("%-16s %10.2f %10.2f %12.2f %10.2f\n", moves[i].name,
               100 * ratio(statistics->move_frames[i], statistics->frames), moves[i].share / 100.0,
               ratio(statistics->move_frames[i], statistics->move_runs[i]), moves[i].hold / 100.0);
    printf("\n%-16s %10s %10s %12s %10s\n", "press", "a second", "recorded", "mean frames",
           "recorded");
    for (uint32_t i = 0; i < ERX_SCRIPT_PRESSES; i++)
        printf("%-16s %10.3f %10.3f %12.2f %10.2f\n", presses[i].name,
               FRAMES_A_SECOND * ratio(statistics->press_runs[i], statistics->frames),
               FRAMES_A_SECOND * 100.0 / presses[i].interval,
               ratio(statistics->press_frames[i], statistics->press_runs[i]),
               presses[i].hold / 100.0);
    printf("\nfull tilt left %.2f %%, right %.2f %%; shoulder pressed without its click %.2f %%\n",
           100 * ratio(statistics->left, statistics->frames),
           100 * ratio(statistics->right, statistics->frames),
           100 * ratio(statistics->light, statistics->frames));
}

static void print(const erx_trace_t *trace)
{
    erx_input_statistics_t statistics = count_inputs(trace);
    printf("%u games, %u frames\n\n", trace->game_count, trace->frame_count);
    print_games(trace);
    print_inputs(&statistics);
}

static json_t *games_json(const erx_trace_t *trace)
{
    json_t *list = json_array();
    for (uint32_t k = 0; k < trace->game_count; k++) {
        erx_trace_game_t game = erx_trace_game(trace, k);
        json_array_append_new(
            list, json_pack("{s:i, s:i, s:[i,i]}", "frames", (int)game.frame_count, "stage",
                            game.stage, "characters", game.characters[0], game.characters[1]));
    }
    return list;
}

static json_t *inputs_json(const erx_input_statistics_t *statistics)
{
    uint32_t move_count = 0;
    const erx_script_move_t *moves = erx_script_moves(&move_count);
    const erx_script_press_t *presses = erx_script_presses();
    json_t *sticks = json_object();
    for (uint32_t i = 0; i < move_count; i++)
        json_object_set_new(
            sticks, moves[i].name,
            json_pack("{s:f, s:f}", "share", ratio(statistics->move_frames[i], statistics->frames),
                      "mean_frames", ratio(statistics->move_frames[i], statistics->move_runs[i])));
    json_t *buttons = json_object();
    for (uint32_t i = 0; i < ERX_SCRIPT_PRESSES; i++)
        json_object_set_new(
            buttons, presses[i].name,
            json_pack("{s:f, s:f}", "a_second",
                      FRAMES_A_SECOND * ratio(statistics->press_runs[i], statistics->frames),
                      "mean_frames",
                      ratio(statistics->press_frames[i], statistics->press_runs[i])));
    return json_pack("{s:o, s:o, s:f, s:f, s:f}", "stick", sticks, "press", buttons, "full_left",
                     ratio(statistics->left, statistics->frames), "full_right",
                     ratio(statistics->right, statistics->frames), "shoulder_without_click",
                     ratio(statistics->light, statistics->frames));
}

static erx_status_t write_json(const erx_trace_t *trace, const char *path, erx_error_t *error)
{
    erx_input_statistics_t statistics = count_inputs(trace);
    json_t *report = json_pack("{s:s, s:i, s:o, s:o}", "format", ERX_TRACE_MAGIC, "frames",
                               (int)trace->frame_count, "games", games_json(trace), "inputs",
                               inputs_json(&statistics));
    if (report == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the report");
    erx_status_t status = erx_output_json(path, report, error);
    json_decref(report);
    return status;
}

erx_status_t erx_trace_report(const char *path, const char *json, erx_error_t *error)
{
    erx_trace_t trace;
    erx_status_t status = erx_trace_open(path, &trace, error);
    if (status != ERX_OK)
        return status;
    if (json != NULL)
        status = write_json(&trace, json, error);
    else
        print(&trace);
    erx_trace_close(&trace);
    return status;
}
