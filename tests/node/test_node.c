#include "node/common.h"
#include "tests/node/node_suites.h"
#include "tests/support/check_main.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        base64_suite,
        base_backoff_suite,
        base_follow_suite,
        base_transaction_suite,
        config_suite,
        event_ring_suite,
        grid_suite,
        history_suite,
        interpolation_suite,
        json_reader_suite,
        json_writer_suite,
        key_set_suite,
        key_text_suite,
        keypair_suite,
        outbox_suite,
        packet_view_suite,
        parsed_instruction_suite,
        recordings_suite,
        telemetry_suite,
        verdicts_suite,
    };
    return erx_check_run(suites, ERX_ARRAY_COUNT(suites));
}
