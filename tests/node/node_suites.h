/* The suites of node/, one a module. */
#ifndef ERX_TESTS_NODE_NODE_SUITES_H
#define ERX_TESTS_NODE_NODE_SUITES_H

#include <check.h>

Suite *base64_suite(void);
Suite *base_backoff_suite(void);
Suite *base_follow_suite(void);
Suite *base_transaction_suite(void);
Suite *config_suite(void);
Suite *event_ring_suite(void);
Suite *grid_suite(void);
Suite *history_suite(void);
Suite *interpolation_suite(void);
Suite *json_reader_suite(void);
Suite *json_writer_suite(void);
Suite *key_set_suite(void);
Suite *key_text_suite(void);
Suite *keypair_suite(void);
Suite *outbox_suite(void);
Suite *packet_view_suite(void);
Suite *parsed_instruction_suite(void);
Suite *recordings_suite(void);
Suite *telemetry_suite(void);
Suite *verdicts_suite(void);

#endif
