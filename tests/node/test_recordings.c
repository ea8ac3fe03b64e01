#include "node/recording_file.h"
#include "node/recordings.h"
#include "tests/node/node_suites.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAMES_MAX 512u
#define ROOMY      (UINT64_C(1) << 30)
#define STAGE      31
#define PATH_MAX_  (2 * ERX_SCRATCH_PATH_MAX)

static char directory[ERX_SCRATCH_PATH_MAX];
static erx_telemetry_t *telemetry;
static const erx_pubkey_t program = {{42}};

static void set_up(void)
{
    erx_scratch_make(directory);
    telemetry = erx_telemetry_open();
    ck_assert_ptr_nonnull(telemetry);
}

static void tear_down(void)
{
    erx_scratch_remove(directory);
    erx_telemetry_close(telemetry);
}

static erx_recordings_t *open_with(uint64_t bytes_max)
{
    erx_failure_t failure;
    const erx_recordings_config_t config = {
        .directory = directory,
        .program = program,
        .frames_max = FRAMES_MAX,
        .bytes_max = bytes_max,
        .telemetry = telemetry,
    };
    erx_recordings_t *recordings = erx_recordings_open(&config, &failure);
    ck_assert_msg(recordings != NULL, "%s", failure.text);
    return recordings;
}

static erx_pubkey_t key_of(uint8_t number)
{
    erx_pubkey_t key = {{0}};
    memset(key.bytes, number, sizeof key.bytes);
    return key;
}

static erx_session_step_t step_of(uint8_t session, uint32_t number)
{
    erx_session_step_t step = {
        .session = key_of(session),
        .owner = program,
        .created_at = 1000,
        .stage = STAGE,
        .has_state = true,
    };
    memcpy(step.frame.frame, &number, sizeof number); /* tests run on little-endian machines */
    memset(step.frame.players, (int)(number % 251), sizeof step.frame.players);
    return step;
}

static void add(erx_recordings_t *recordings, uint8_t session, uint32_t first, uint32_t last)
{
    for (uint32_t number = first; number <= last; number++) {
        const erx_session_step_t step = step_of(session, number);
        erx_recordings_add(recordings, &step, 1);
    }
}

static void end(erx_recordings_t *recordings, uint8_t session)
{
    const erx_session_step_t step = {.session = key_of(session), .is_over = true};
    erx_recordings_add(recordings, &step, 1);
}

/* All frames of a session, which must be consecutive and hold what was added;
 * 0 where there is no recording. */
static uint32_t check(const erx_recordings_t *recordings, uint8_t session, uint32_t from,
                      uint32_t *first_out)
{
    static erx_recorded_frame_t frames[FRAMES_MAX + 1];
    const erx_pubkey_t key = key_of(session);
    uint32_t count;
    uint8_t stage = 0;
    *first_out = 0;
    if (!erx_recordings_read(recordings, &key, from, frames, FRAMES_MAX + 1, &count, &stage))
        return 0;
    ck_assert_uint_eq(stage, STAGE);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = erx_recorded_frame_number(&frames[i]);
        if (i == 0)
            *first_out = number;
        ck_assert_uint_eq(number, *first_out + i);
        ck_assert_uint_eq(frames[i].players[1][31], number % 251);
    }
    return count;
}

static void path_of(uint8_t session, const char *kind, char path[PATH_MAX_])
{
    char name[ERX_BASE58_SIZE];
    const erx_pubkey_t key = key_of(session);
    ck_assert_int_eq(erx_base58_from_bytes(key.bytes, sizeof key.bytes, name), ERX_STATUS_OK);
    (void)snprintf(path, PATH_MAX_, "%s/%s.%s", directory, name, kind);
}

START_TEST(test_frames_are_read_while_they_are_added)
{
    erx_recordings_t *recordings = open_with(ROOMY);
    uint32_t first;
    for (uint32_t number = 1; number <= FRAMES_MAX; number++) {
        add(recordings, 1, number, number);
        uint32_t count = check(recordings, 1, 0, &first);
        ck_assert_uint_eq(first + count - 1, number);
        ck_assert_uint_eq(check(recordings, 1, number, &first), 1);
        ck_assert_uint_eq(check(recordings, 1, number + 1, &first), 0);
    }
    ck_assert_uint_eq(check(recordings, 2, 0, &first), 0);
    ck_assert_uint_eq(erx_telemetry_get(telemetry, ERX_METRIC_RECORDED_FRAMES), FRAMES_MAX);
    erx_recordings_close(recordings);
}
END_TEST

START_TEST(test_a_session_keeps_its_newest_frames)
{
    erx_recordings_t *recordings = open_with(ROOMY);
    uint32_t first;
    for (uint32_t last = 100; last <= 10 * FRAMES_MAX; last += 100) {
        add(recordings, 1, last - 99, last);
        uint32_t count = check(recordings, 1, 0, &first);
        ck_assert_uint_eq(first + count - 1, last);
        ck_assert_uint_le(count, FRAMES_MAX);
        ck_assert_uint_ge(count, ERX_LESSER(last, FRAMES_MAX / 2 - 2 * ERX_RECORDING_GROUP));
    }
    erx_recordings_close(recordings);
}
END_TEST

START_TEST(test_everything_is_there_after_a_restart)
{
    uint32_t first;
    for (uint32_t last = 1; last < 3 * FRAMES_MAX; last += 77) {
        erx_recordings_t *recordings = open_with(ROOMY);
        add(recordings, 1, last == 1 ? 1 : last - 76, last);
        erx_recordings_close(recordings); /* what waited is written: older ones may make way */
        recordings = open_with(ROOMY);
        uint32_t count = check(recordings, 1, 0, &first);
        ck_assert_uint_eq(first + count - 1, last);
        ck_assert_uint_ge(count, ERX_LESSER(last, FRAMES_MAX / 2 - 2 * ERX_RECORDING_GROUP));
        erx_recordings_close(recordings);
    }
}
END_TEST

START_TEST(test_a_torn_tail_is_cut_off)
{
    static const uint8_t junk[200] = {0};
    char path[PATH_MAX_];
    struct stat facts;
    uint32_t first;
    path_of(1, "frames", path);
    for (size_t bytes = 1; bytes <= sizeof junk; bytes += 7) {
        erx_recordings_t *recordings = open_with(ROOMY);
        add(recordings, 1, 1, 100);
        erx_recordings_close(recordings);
        ck_assert_int_eq(stat(path, &facts), 0);
        off_t whole = facts.st_size;
        int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        ck_assert_int_eq(write(file, junk, bytes), (ssize_t)bytes);
        (void)close(file);
        recordings = open_with(ROOMY);
        ck_assert_int_eq(stat(path, &facts), 0);
        ck_assert_int_eq(facts.st_size, whole);
        ck_assert_uint_eq(check(recordings, 1, 0, &first), 100);
        add(recordings, 1, 101, 200);
        ck_assert_uint_eq(check(recordings, 1, 0, &first), 200);
        erx_recordings_close(recordings);
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

START_TEST(test_a_file_that_is_cut_anywhere_gives_its_whole_frames)
{
    char path[PATH_MAX_];
    struct stat facts;
    uint32_t first;
    path_of(1, "frames", path);
    erx_recordings_t *recordings = open_with(ROOMY);
    add(recordings, 1, 1, 10);
    erx_recordings_close(recordings);
    ck_assert_int_eq(stat(path, &facts), 0);
    for (off_t size = facts.st_size - 1; size >= 0; size--) {
        ck_assert_int_eq(truncate(path, size), 0);
        recordings = open_with(ROOMY);
        uint32_t expected = size < 24 ? 0 : (uint32_t)(size - 24) / 84;
        ck_assert_uint_eq(check(recordings, 1, 0, &first), expected);
        erx_recordings_close(recordings);
        if (expected == 0)
            break;
    }
    ck_assert_int_ne(access(path, F_OK), 0); /* a file without frames is removed */
}
END_TEST

START_TEST(test_what_ended_first_makes_way_first)
{
    uint64_t each = erx_recording_file_bytes(200);
    erx_recordings_t *recordings = open_with(3 * each);
    uint32_t first;
    char path[PATH_MAX_];
    add(recordings, 3, 1, 200);
    add(recordings, 1, 1, 200);
    add(recordings, 2, 1, 200);
    end(recordings, 1);
    end(recordings, 2);
    ck_assert_uint_eq(erx_telemetry_get(telemetry, ERX_METRIC_RECORDINGS), 3);
    add(recordings, 4, 1, 200);
    end(recordings, 4);
    ck_assert_uint_eq(check(recordings, 1, 0, &first), 0);
    path_of(1, "frames", path);
    ck_assert_int_ne(access(path, F_OK), 0);
    for (uint8_t session = 2; session <= 4; session++)
        ck_assert_uint_eq(check(recordings, session, 0, &first), 200);
    ck_assert_uint_eq(erx_telemetry_get(telemetry, ERX_METRIC_RECORDINGS_DROPPED), 1);
    ck_assert_uint_le(erx_telemetry_get(telemetry, ERX_METRIC_RECORDING_BYTES), 3 * each);
    erx_recordings_close(recordings);
    recordings = open_with(each); /* a smaller bound holds from the start */
    ck_assert_uint_le(erx_telemetry_get(telemetry, ERX_METRIC_RECORDING_BYTES), each);
    ck_assert_uint_eq(erx_telemetry_get(telemetry, ERX_METRIC_RECORDINGS), 1);
    erx_recordings_close(recordings);
}
END_TEST

START_TEST(test_running_sessions_stay_within_the_bound)
{
    uint64_t bound = erx_recording_file_bytes(FRAMES_MAX / 2) * 2;
    erx_recordings_t *recordings = open_with(bound);
    uint32_t first;
    for (uint32_t number = 1; number <= 4 * FRAMES_MAX; number++) {
        for (uint8_t session = 1; session <= 4; session++)
            add(recordings, session, number, number);
        ck_assert_uint_le(erx_telemetry_get(telemetry, ERX_METRIC_RECORDING_BYTES), bound);
    }
    for (uint8_t session = 1; session <= 4; session++) {
        add(recordings, session, 4 * FRAMES_MAX + 1, 4 * FRAMES_MAX + 1);
        uint32_t count = check(recordings, session, 0, &first);
        ck_assert_uint_ge(count, 1);
        ck_assert_uint_eq(first + count - 1, 4 * FRAMES_MAX + 1);
    }
    erx_recordings_close(recordings);
}
END_TEST

START_TEST(test_an_address_used_again_begins_anew)
{
    erx_recordings_t *recordings = open_with(ROOMY);
    uint32_t first;
    add(recordings, 1, 1, 300);
    add(recordings, 1, 300, 300); /* told twice: no frame */
    ck_assert_uint_eq(check(recordings, 1, 0, &first), 300);
    end(recordings, 1);
    add(recordings, 1, 1, 5);
    ck_assert_uint_eq(check(recordings, 1, 0, &first), 5);
    erx_session_step_t later = step_of(1, 9);
    later.created_at++;
    erx_recordings_add(recordings, &later, 1);
    ck_assert_uint_eq(check(recordings, 1, 0, &first), 1);
    ck_assert_uint_eq(first, 9);
    erx_recordings_close(recordings);
    recordings = open_with(ROOMY);
    ck_assert_uint_eq(check(recordings, 1, 0, &first), 1);
    later = step_of(1, 0); /* made, and not played */
    erx_recordings_add(recordings, &later, 1);
    ck_assert_uint_eq(check(recordings, 1, 0, &first), 0);
    ck_assert_uint_eq(erx_telemetry_get(telemetry, ERX_METRIC_RECORDINGS), 0);
    erx_recordings_close(recordings);
}
END_TEST

START_TEST(test_accounts_of_other_programs_are_not_recorded)
{
    erx_recordings_t *recordings = open_with(ROOMY);
    uint32_t first;
    erx_session_step_t step = step_of(1, 1);
    step.owner.bytes[0]++;
    erx_recordings_add(recordings, &step, 1);
    ck_assert_uint_eq(check(recordings, 1, 0, &first), 0);
    erx_recordings_close(recordings);
}
END_TEST

START_TEST(test_a_frame_is_the_json_of_a_rollout)
{
    erx_session_step_t step = {.has_state = false};
    uint8_t state[ERX_SESSION_STATE_SIZE] = {0x51, 0x73, 0xa3, 0xc2, 0xfd, 0x5a, 0x76, 0x27};
    static const uint8_t player[ERX_PLAYER_STATE_SIZE] = {
        0x80, 0xe2, 0xff, 0xff, 1, 0, 0, 0, 77, 0, 0x40, 60, 0xff, 0xff, 0, 0,
        0,    1,    0,    0,    0, 0, 5, 1, 3,  4, 1,    0,  14,   1,    2, 18,
    };
    ck_assert(erx_session_state_is(state, sizeof state));
    ck_assert(!erx_session_state_is(state, sizeof state - 1));
    state[8] = 3;
    state[9] = 7;
    state[81] = 8;
    memcpy(state + 82, player, sizeof player);
    memcpy(state + 114, player, sizeof player);
    erx_session_state_read(state, &step);
    ck_assert(step.is_over && step.has_state);
    erx_text_t text;
    erx_text_open(&text, 4096);
    erx_recorded_frame_write(&step.frame, step.stage, &text);
    erx_text_append(&text, "", 1);
#define PLAYER                                                                                     \
    "{\"x\":-29.5,\"y\":0.00390625,\"percent\":77.0,\"shield_strength\":60.25,"                    \
    "\"speed_air_x\":-0.00390625,\"speed_y\":0.0,\"speed_ground_x\":1.0,\"speed_attack_x\":0.0,"   \
    "\"speed_attack_y\":0.0,\"state_age\":261,\"hitlag\":3,\"stocks\":4,\"facing\":true,"          \
    "\"on_ground\":false,\"action_state\":270,\"jumps_left\":2,\"character\":18}"
    ck_assert_str_eq(text.bytes, "{\"players\":[" PLAYER "," PLAYER "],\"stage\":8,\"frame\":7}");
#undef PLAYER
    state[0]++;
    ck_assert(!erx_session_state_is(state, sizeof state));
    erx_text_close(&text);
}
END_TEST

Suite *recordings_suite(void)
{
    Suite *suite = suite_create("recordings");
    TCase *cases = tcase_create("recordings");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_frames_are_read_while_they_are_added);
    tcase_add_test(cases, test_a_session_keeps_its_newest_frames);
    tcase_add_test(cases, test_everything_is_there_after_a_restart);
    tcase_add_test(cases, test_a_torn_tail_is_cut_off);
    tcase_add_test(cases, test_a_file_that_is_cut_anywhere_gives_its_whole_frames);
    tcase_add_test(cases, test_what_ended_first_makes_way_first);
    tcase_add_test(cases, test_running_sessions_stay_within_the_bound);
    tcase_add_test(cases, test_an_address_used_again_begins_anew);
    tcase_add_test(cases, test_accounts_of_other_programs_are_not_recorded);
    tcase_add_test(cases, test_a_frame_is_the_json_of_a_rollout);
    suite_add_tcase(suite, cases);
    return suite;
}
