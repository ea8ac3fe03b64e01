#include "engine/bank/bank_parts.h"

void erx_bank_simulate(erx_bank_t *bank, const erx_intake_item_t *item,
                       const erx_bank_simulation_t *simulation, erx_bank_outcome_t *outcome_out)
{
    uint64_t slot = bank->slot;
    int64_t timestamp = bank->timestamp;
    bank->slot = simulation->slot;
    bank->timestamp = simulation->timestamp;
    erx_bump_reset(&bank->simulated);
    bool may_run = erx_transaction_prepare(bank, item, true, simulation->replace_blockhash);
    if (simulation->units_max != 0)
        bank->transaction.units_limit =
            ERX_MIN(bank->transaction.units_limit, simulation->units_max);
    bool is_good = may_run && erx_transaction_run(bank, item);
    if (may_run && !is_good)
        erx_transaction_rollback(bank);
    if (may_run && simulation->inspect != NULL)
        simulation->inspect(simulation->context, bank);
    erx_bank_outcome_write(bank, item, &bank->simulated, outcome_out);
    if (is_good)
        erx_transaction_rollback(bank);
    bank->slot = slot;
    bank->timestamp = timestamp;
}
