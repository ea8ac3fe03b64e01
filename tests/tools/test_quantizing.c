#include "mem/base.h"
#include "tests/tools/quantizing_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        calibration_data_suite, parameters_suite, parameters_pickle_suite,  parameters_torch_suite,
        command_quantize_suite, fidelity_suite,   float_model_suite,        mlp_quantizer_suite,
        published_suite,        quantizer_suite,  quantizer_rounding_suite, safetensors_suite,
        sensitivity_suite,
    };
    return erx_check_run(suites, ERX_COUNT(suites));
}
