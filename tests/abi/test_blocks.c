#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"

static abi_rig_t rig;

static void setup(void)
{
    abi_rig_make(&rig);
    abi_rig_open(&rig);
}

static void teardown(void)
{
    abi_rig_end(&rig);
}

static const erx_account_change_t *find_change(const erx_pubkey_t *key)
{
    for (uint32_t i = 0; i < rig.block->change_count; i++)
        if (memcmp(rig.block->changes[i].key.bytes, key->bytes, ERX_PUBKEY_SIZE) == 0)
            return &rig.block->changes[i];
    return NULL;
}

START_TEST(a_cranked_block_steps_every_session_once)
{
    erx_session_ref_t sessions[3];
    erx_session_info_t info = {.struct_size = sizeof info};
    for (uint32_t i = 0; i < 3; i++)
        sessions[i] = abi_rig_session(&rig, 100 + i);
    abi_rig_play(&rig, sessions, 3, 5);
    ck_assert_uint_eq(rig.block->frame_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_int_eq(erx_rollup_session(rig.rollup, sessions[i], &info), 0);
        ck_assert_uint_eq(info.frame, 5);
        ck_assert_uint_eq(info.session_id, 100 + i);
        ck_assert_uint_eq(rig.block->frames[i].frame_hash, info.frame_hash);
        const erx_account_change_t *change = find_change(&info.session_state);
        ck_assert_ptr_nonnull(change);
        ck_assert_uint_eq(change->data_size, 256);
        uint32_t frame;
        memcpy(&frame, change->data + 9, sizeof frame);
        ck_assert_uint_eq(frame, 5);
        ck_assert_ptr_nonnull(find_change(&info.hidden_state));
    }
}
END_TEST

START_TEST(sessions_step_at_their_own_rate)
{
    erx_session_ref_t slow, never;
    erx_session_info_t info = {.struct_size = sizeof info};
    erx_session_config_t terms;
    erx_session_config_default(&terms);
    terms.model_id = ABI_MODEL_ID;
    terms.session_id = 1;
    terms.tick_divisor = 4;
    ck_assert_int_eq(erx_rollup_create_session(rig.rollup, &terms, &slow), 0);
    terms.session_id = 2;
    terms.tick_divisor = 0;
    ck_assert_int_eq(erx_rollup_create_session(rig.rollup, &terms, &never), 0);
    for (uint32_t i = 0; i < 16; i++)
        abi_rig_seal(&rig, true);
    ck_assert_int_eq(erx_rollup_session(rig.rollup, slow, &info), 0);
    ck_assert_uint_eq(info.frame, 4);
    ck_assert_uint_eq(info.tick_divisor, 4);
    ck_assert_int_eq(erx_rollup_session(rig.rollup, never, &info), 0);
    ck_assert_uint_eq(info.frame, 0);
    terms.session_id = 3;
    terms.tick_divisor = 61;
    ck_assert_int_eq(erx_rollup_create_session(rig.rollup, &terms, &never), ERX_STATUS_RANGE);
}
END_TEST

START_TEST(a_strict_crank_waits_for_both_players)
{
    const uint8_t control[ERX_CONTROLLER_SIZE] = {5};
    erx_session_ref_t session = abi_rig_session(&rig, 1);
    erx_block_config_t block;
    erx_block_config_default(&block);
    block.crank = true;
    block.strict = true;
    block.slot = ++rig.slot;
    ck_assert_int_eq(erx_rollup_input(rig.rollup, session, 0, control), 0);
    ck_assert_int_eq(erx_rollup_seal(rig.rollup, &block, &rig.block), 0);
    ck_assert_uint_eq(rig.block->frame_count, 0);
    block.slot = ++rig.slot;
    ck_assert_int_eq(erx_rollup_input(rig.rollup, session, 1, control), 0);
    ck_assert_int_eq(erx_rollup_seal(rig.rollup, &block, &rig.block), 0);
    ck_assert_uint_eq(rig.block->frame_count, 1);
    ck_assert_mem_eq(rig.block->frames[0].controls[1], control, sizeof control);
}
END_TEST

START_TEST(slots_grow)
{
    erx_block_config_t block;
    erx_block_config_default(&block);
    block.slot = 10;
    ck_assert_int_eq(erx_rollup_seal(rig.rollup, &block, &rig.block), 0);
    ck_assert_uint_eq(rig.block->parent, 0);
    ck_assert_int_eq(erx_rollup_seal(rig.rollup, &block, &rig.block), ERX_STATUS_RANGE);
    block.slot = UINT64_MAX; /* there would be no next one */
    ck_assert_int_eq(erx_rollup_seal(rig.rollup, &block, &rig.block), ERX_STATUS_RANGE);
    block.slot = 12;
    ck_assert_int_eq(erx_rollup_seal(rig.rollup, &block, &rig.block), 0);
    ck_assert_uint_eq(rig.block->parent, 10);
    ck_assert_uint_eq(erx_rollup_processed_slot(rig.rollup), 12);
    ck_assert_uint_eq(erx_rollup_confirmed_slot(rig.rollup), 12);
}
END_TEST

START_TEST(a_session_ends_at_its_last_frame_and_can_be_closed)
{
    erx_session_ref_t session;
    erx_session_info_t info = {.struct_size = sizeof info};
    erx_session_config_t terms;
    const uint8_t control[ERX_CONTROLLER_SIZE] = {0};
    erx_session_config_default(&terms);
    terms.model_id = ABI_MODEL_ID;
    terms.session_id = 9;
    terms.max_frames = 2;
    ck_assert_int_eq(erx_rollup_create_session(rig.rollup, &terms, &session), 0);
    ck_assert_int_eq(erx_rollup_create_session(rig.rollup, &terms, &session), ERX_STATUS_STATE);
    for (uint32_t i = 0; i < 4; i++)
        abi_rig_seal(&rig, true);
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), 0);
    ck_assert_uint_eq(info.frame, 2);
    ck_assert_uint_eq(info.status, 3);
    ck_assert_int_eq(erx_rollup_close_session(rig.rollup, session), 0);
    abi_rig_seal(&rig, true);
    const erx_account_change_t *change = find_change(&info.session_state);
    ck_assert_ptr_nonnull(change);
    ck_assert(change->removed);
    ck_assert_int_eq(erx_rollup_close_session(rig.rollup, session), ERX_STATUS_NOT_FOUND);
    ck_assert_int_eq(erx_rollup_input(rig.rollup, session, 0, control), ERX_STATUS_NOT_FOUND);
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), ERX_STATUS_NOT_FOUND);
}
END_TEST

START_TEST(a_waiting_session_starts_when_it_is_joined)
{
    erx_session_ref_t session;
    erx_session_info_t info = {.struct_size = sizeof info};
    erx_session_config_t terms;
    erx_pubkey_t first = abi_rig_key(1), second = abi_rig_key(2);
    erx_session_config_default(&terms);
    terms.model_id = ABI_MODEL_ID;
    terms.wait_for_join = true;
    terms.players[0] = first;
    ck_assert_int_eq(erx_rollup_create_session(rig.rollup, &terms, &session), 0);
    abi_rig_seal(&rig, true);
    ck_assert_uint_eq(rig.block->frame_count, 0);
    ck_assert_int_eq(erx_rollup_join_session(rig.rollup, session, &first, 3), ERX_STATUS_ARGUMENT);
    ck_assert_int_eq(erx_rollup_join_session(rig.rollup, session, &second, 200), ERX_STATUS_RANGE);
    ck_assert_int_eq(erx_rollup_join_session(rig.rollup, session, &second, 3), 0);
    ck_assert_int_eq(erx_rollup_join_session(rig.rollup, session, &second, 3), ERX_STATUS_STATE);
    abi_rig_seal(&rig, true);
    ck_assert_uint_eq(rig.block->frame_count, 1);
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), 0);
    ck_assert_uint_eq(info.status, 2);
}
END_TEST

START_TEST(workers_and_instruction_sets_give_the_same_frames)
{
    static const char *const isas[] = {NULL, "scalar"};
    uint64_t hashes[2] = {0};
    abi_rig_close(&rig);
    for (uint32_t i = 0; i < 2; i++) {
        rig.config.isa = isas[i];
        rig.nonce = 0;
        abi_rig_open(&rig);
        erx_session_ref_t sessions[] = {abi_rig_session(&rig, 1), abi_rig_session(&rig, 2)};
        abi_rig_play(&rig, sessions, 2, 20);
        hashes[i] = abi_rig_frame_hash(&rig, sessions[1]);
        abi_rig_close(&rig);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

Suite *blocks_suite(void)
{
    Suite *suite = suite_create("blocks");
    TCase *tests = tcase_create("blocks");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_cranked_block_steps_every_session_once);
    tcase_add_test(tests, sessions_step_at_their_own_rate);
    tcase_add_test(tests, a_strict_crank_waits_for_both_players);
    tcase_add_test(tests, slots_grow);
    tcase_add_test(tests, a_session_ends_at_its_last_frame_and_can_be_closed);
    tcase_add_test(tests, a_waiting_session_starts_when_it_is_joined);
    tcase_add_test(tests, workers_and_instruction_sets_give_the_same_frames);
    suite_add_tcase(suite, tests);
    return suite;
}
