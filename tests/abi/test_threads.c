/* Readers and senders beside the control thread; a sanitizer watches. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"

#define BLOCKS 150u

static abi_rig_t rig;
static atomic_bool stop;
static erx_session_ref_t session;
static erx_session_info_t info;

static void setup(void)
{
    abi_rig_make(&rig);
    rig.config.verifier_count = 1;
    abi_rig_open(&rig);
    atomic_store(&stop, false);
    session = abi_rig_session(&rig, 1);
    info = (erx_session_info_t){.struct_size = sizeof info};
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), 0);
}

static void teardown(void)
{
    abi_rig_end(&rig);
}

/* SessionState's frame never goes back, and is never half of one. */
static void *watch_state(void *context)
{
    uint32_t last = 0, frame;
    uint8_t state[256];
    while (!atomic_load(&stop)) {
        if (erx_rollup_read_account(rig.rollup, &info.session_state, NULL, 0, state, sizeof state,
                                    NULL) != 0)
            return context;
        memcpy(&frame, state + 9, sizeof frame);
        if (frame < last || frame > BLOCKS)
            return context;
        last = frame;
    }
    return NULL;
}

static void *read_hidden(void *context)
{
    uint8_t data[4096];
    erx_metrics_t metrics = {.struct_size = sizeof metrics};
    while (!atomic_load(&stop))
        if (erx_rollup_read_account(rig.rollup, &info.hidden_state, NULL, 0, data, sizeof data,
                                    NULL) != 0 ||
            erx_rollup_metrics(rig.rollup, &metrics) != 0)
            return context;
    return NULL;
}

static void *send_inputs(void *context)
{
    uint8_t control[ERX_CONTROLLER_SIZE] = {0};
    for (uint32_t i = 0; !atomic_load(&stop); i++) {
        control[0] = (uint8_t)i;
        if (erx_rollup_input(rig.rollup, session, i % 2, control) != 0)
            return context;
    }
    return NULL;
}

static void *send_transactions(void *context)
{
    static abi_rig_t own; /* its own nonces */
    own.rollup = rig.rollup;
    own.nonce = 500000;
    erx_plan_signer_t player = erx_plan_signer(1);
    const uint8_t control[8] = {7};
    for (uint32_t sequence = 1000; !atomic_load(&stop); sequence++) {
        uint8_t packet[ERX_PACKET_MAX];
        call_t call = call_submit_input(1, &player.key, sequence, control);
        size_t size = abi_rig_packet(&own, &call, packet);
        int32_t result = erx_rollup_submit(rig.rollup, packet, size, NULL);
        if (result != 0 && result != ERX_STATUS_FULL)
            return context;
    }
    return NULL;
}

START_TEST(everybody_at_once)
{
    static void *(*const runs[])(void *) = {watch_state, read_hidden, send_inputs,
                                            send_transactions};
    pthread_t threads[ERX_COUNT(runs)];
    int failed;
    for (uint32_t i = 0; i < ERX_COUNT(runs); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, runs[i], &failed), 0);
    for (uint32_t i = 0; i < BLOCKS; i++)
        abi_rig_seal(&rig, true);
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < ERX_COUNT(runs); i++) {
        void *result;
        (void)pthread_join(threads[i], &result);
        ck_assert_msg(result == NULL, "thread %u: %s", i, erx_last_error());
    }
    ck_assert_int_eq(erx_rollup_session(rig.rollup, session, &info), 0);
    ck_assert_uint_eq(info.frame, BLOCKS);
}
END_TEST

Suite *threads_suite(void)
{
    Suite *suite = suite_create("threads");
    TCase *tests = tcase_create("threads");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, everybody_at_once);
    suite_add_tcase(suite, tests);
    return suite;
}
