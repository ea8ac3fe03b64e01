#include "mem/base.h"
#include "tests/tools/tools_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        activation_tables_suite,
        command_suite,
        data_report_suite,
        model_writer_suite,
        narrate_suite,
        options_suite,
        output_suite,
        players_suite,
        script_suite,
        synth_suite,
        trace_suite,
    };
    return erx_check_run(suites, ERX_COUNT(suites));
}
