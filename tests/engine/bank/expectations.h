/* What tests expect of outcomes. Where it does not hold, the log is shown and the
 * test fails. */
#ifndef ERX_TESTS_ENGINE_BANK_EXPECTATIONS_H
#define ERX_TESTS_ENGINE_BANK_EXPECTATIONS_H

#include "tests/engine/bank/world_calls.h"

void rig_expect_ok(const erx_bank_outcome_t *outcome);
void rig_expect_refused(const erx_bank_outcome_t *outcome, erx_transaction_error_t error);
void rig_expect_error(const erx_bank_outcome_t *outcome, uint32_t index,
                      erx_instruction_error_t error);
void rig_expect_custom(const erx_bank_outcome_t *outcome, uint32_t index, uint32_t custom);

/* As the world program's error: also its log line. */
void rig_expect_world(const erx_bank_outcome_t *outcome, uint32_t index, erx_world_error_t error);

/* Executes a call as the only instruction; it must succeed. */
void call_must(bank_rig_t *rig, const call_t *call);

#endif
