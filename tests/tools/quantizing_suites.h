#ifndef ERX_TESTS_TOOLS_QUANTIZING_SUITES_H
#define ERX_TESTS_TOOLS_QUANTIZING_SUITES_H

#include "tests/support/check_main.h"

Suite *calibration_data_suite(void);
Suite *parameters_suite(void);
Suite *parameters_pickle_suite(void);
Suite *parameters_torch_suite(void);
Suite *command_quantize_suite(void);
Suite *fidelity_suite(void);
Suite *float_model_suite(void);
Suite *mlp_quantizer_suite(void);
Suite *published_suite(void);
Suite *quantizer_suite(void);
Suite *quantizer_rounding_suite(void);
Suite *safetensors_suite(void);
Suite *sensitivity_suite(void);

#endif
