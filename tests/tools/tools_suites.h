#ifndef ERX_TESTS_TOOLS_TOOLS_SUITES_H
#define ERX_TESTS_TOOLS_TOOLS_SUITES_H

#include "tests/support/check_main.h"

Suite *activation_tables_suite(void);
Suite *command_suite(void);
Suite *data_report_suite(void);
Suite *model_writer_suite(void);
Suite *narrate_suite(void);
Suite *options_suite(void);
Suite *output_suite(void);
Suite *players_suite(void);
Suite *script_suite(void);
Suite *synth_suite(void);
Suite *trace_suite(void);

#endif
