/* Data of an instruction: u8 kind, then its value. What follows is ignored, as
 * the runtime does. */
#include "engine/bank/fields.h"
#include "engine/bank/program.h"

enum {
    REQUEST_HEAP_FRAME = 1,
    SET_UNIT_LIMIT = 2,
    SET_UNIT_PRICE = 3,
    SET_LOADED_BYTES_LIMIT = 4,
    KIND_COUNT
};

#define HEAP_BYTES_MIN  (UINT32_C(32) << 10)
#define HEAP_BYTES_MAX  (UINT32_C(256) << 10)
#define HEAP_BYTES_STEP UINT32_C(1024)

static bool refuse(erx_transaction_result_t *result_out, uint8_t index,
                   erx_instruction_error_t error)
{
    *result_out = (erx_transaction_result_t){
        .error = ERX_TRANSACTION_INSTRUCTION_ERROR,
        .index = index,
        .instruction = error,
    };
    return false;
}

/* Whether the data holds the value of its kind, which is not yet in seen. */
static bool check_kind(const erx_message_instruction_t *instruction, uint8_t index, uint32_t *seen,
                       erx_transaction_result_t *result_out)
{
    static const uint8_t bytes[KIND_COUNT] = {0, 5, 5, 9, 5};
    uint8_t kind = instruction->data_bytes == 0 ? 0 : instruction->data[0];
    if (kind == 0 || kind >= KIND_COUNT || instruction->data_bytes < bytes[kind])
        return refuse(result_out, index, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    if ((*seen >> kind & 1) != 0) {
        *result_out = (erx_transaction_result_t){
            .error = ERX_TRANSACTION_DUPLICATE_INSTRUCTION,
            .index = index,
        };
        return false;
    }
    *seen |= 1u << kind;
    return true;
}

/* Takes the value of a checked instruction. */
static void take(const uint8_t *data, uint64_t units_max, erx_compute_budget_t *budget)
{
    switch (data[0]) {
    case REQUEST_HEAP_FRAME:
        budget->heap_bytes = erx_get_u32(data + 1);
        return;
    case SET_UNIT_LIMIT:
        budget->units_limit = ERX_MIN(erx_get_u32(data + 1), units_max);
        return;
    case SET_UNIT_PRICE:
        budget->unit_price = erx_get_u64(data + 1);
        return;
    default:
        budget->loaded_bytes_limit = erx_get_u32(data + 1);
        return;
    }
}

/* Values are looked at when all forms are good, as the runtime does. heap_index is
 * that of the instruction that asks for a heap. */
static bool check_values(const erx_compute_budget_t *budget, uint8_t heap_index,
                         erx_transaction_result_t *result_out)
{
    if (budget->heap_bytes < HEAP_BYTES_MIN || budget->heap_bytes > HEAP_BYTES_MAX ||
        budget->heap_bytes % HEAP_BYTES_STEP != 0)
        return refuse(result_out, heap_index, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    if (budget->loaded_bytes_limit != 0)
        return true;
    *result_out = (erx_transaction_result_t){
        .error = ERX_TRANSACTION_INVALID_LOADED_ACCOUNTS_DATA_SIZE_LIMIT,
    };
    return false;
}

bool erx_compute_budget_read(const erx_message_t *message, const erx_message_keys_t *keys,
                             uint64_t units_max, erx_compute_budget_t *budget_out,
                             erx_transaction_result_t *result_out)
{
    uint32_t seen = 0;
    uint8_t heap_index = 0;
    erx_message_cursor_t cursor = {0};
    erx_message_instruction_t instruction;
    *budget_out = (erx_compute_budget_t){
        .units_limit = units_max,
        .heap_bytes = HEAP_BYTES_MIN,
        .loaded_bytes_limit = UINT32_MAX,
    };
    for (uint8_t index = 0; erx_message_next(message, &cursor, &instruction); index++) {
        if (!erx_key_equals(&keys->keys[instruction.program], &erx_key_compute_budget))
            continue;
        if (!check_kind(&instruction, index, &seen, result_out))
            return false;
        take(instruction.data, units_max, budget_out);
        if (instruction.data[0] == REQUEST_HEAP_FRAME)
            heap_index = index;
    }
    return check_values(budget_out, heap_index, result_out);
}

bool erx_program_compute_budget(erx_instruction_t *instruction)
{
    (void)instruction;
    return true;
}
