#include "tests/engine/bank/expectations.h"

#include "tests/support/check_main.h"

#include <stdio.h>
#include <string.h>

static void show(const erx_bank_outcome_t *outcome)
{
    (void)fprintf(stderr, "transaction: %s, instruction %u: %s %u\n",
                  erx_transaction_error_name(outcome->result.error), outcome->result.index,
                  erx_instruction_error_name(outcome->result.instruction), outcome->result.custom);
    for (uint32_t i = 0; i < outcome->log_count; i++)
        (void)fprintf(stderr, "  %s\n", outcome->logs[i]);
}

void rig_expect_refused(const erx_bank_outcome_t *outcome, erx_transaction_error_t error)
{
    if (outcome->result.error != error)
        show(outcome);
    ck_assert_int_eq(outcome->result.error, error);
}

void rig_expect_ok(const erx_bank_outcome_t *outcome)
{
    rig_expect_refused(outcome, ERX_TRANSACTION_OK);
    ck_assert_uint_eq(outcome->result.index, 0);
    ck_assert_uint_eq(outcome->result.instruction, 0);
}

void rig_expect_error(const erx_bank_outcome_t *outcome, uint32_t index,
                      erx_instruction_error_t error)
{
    rig_expect_refused(outcome, ERX_TRANSACTION_INSTRUCTION_ERROR);
    if (outcome->result.instruction != error || outcome->result.index != index)
        show(outcome);
    ck_assert_int_eq(outcome->result.instruction, error);
    ck_assert_uint_eq(outcome->result.index, index);
}

void rig_expect_custom(const erx_bank_outcome_t *outcome, uint32_t index, uint32_t custom)
{
    rig_expect_error(outcome, index, ERX_INSTRUCTION_CUSTOM);
    if (outcome->result.custom != custom)
        show(outcome);
    ck_assert_uint_eq(outcome->result.custom, custom);
}

void rig_expect_world(const erx_bank_outcome_t *outcome, uint32_t index, erx_world_error_t error)
{
    char number[48];
    rig_expect_custom(outcome, index, ERX_WORLD_ERROR_FIRST + error);
    (void)snprintf(number, sizeof number,
                   "Error Number: %u. Error Message: ", ERX_WORLD_ERROR_FIRST + error);
    ck_assert(rig_outcome_logs(outcome, "Program log: AnchorError occurred. Error Code: "));
    ck_assert(rig_outcome_logs(outcome, number));
}

void call_must(bank_rig_t *rig, const call_t *call)
{
    erx_bank_outcome_t outcome = call_run(rig, call);
    rig_expect_ok(&outcome);
}
