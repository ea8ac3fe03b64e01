#include "engine/bank/transaction_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ERX_STATIC_ASSERT(sizeof(((erx_transaction_log_t *)NULL)->text) <= UINT16_MAX,
                  "a line's place fits its index");

void erx_log_begin(erx_transaction_log_t *log)
{
    log->bytes = 0;
    log->line_count = 0;
    log->is_truncated = false;
}

/* Bytes that the limit still allows, and a terminator. */
static size_t room(const erx_transaction_log_t *log)
{
    return ERX_BANK_LOG_BYTES_MAX + log->line_count - log->bytes;
}

static void truncate_log(erx_transaction_log_t *log)
{
    log->is_truncated = true;
    /* The line stands beyond the limit, as the runtime has it. */
    log->lines[log->line_count++] = (uint16_t)log->bytes;
    memcpy(log->text + log->bytes, ERX_LOG_TAIL, sizeof ERX_LOG_TAIL);
    log->bytes += (uint32_t)sizeof ERX_LOG_TAIL;
}

void erx_log_line(erx_transaction_log_t *log, const char *format, ...)
{
    if (log->is_truncated)
        return;
    va_list arguments;
    va_start(arguments, format);
    size_t space = room(log);
    int length = vsnprintf(log->text + log->bytes, space, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= space || log->line_count + 2 > ERX_LOG_LINES_MAX) {
        truncate_log(log);
        return;
    }
    log->lines[log->line_count++] = (uint16_t)log->bytes;
    log->bytes += (uint32_t)length + 1;
}

void erx_log_invoke(erx_transaction_log_t *log, const erx_key_t *program)
{
    char text[ERX_KEY_TEXT_MAX];
    erx_key_text(program, text);
    erx_log_line(log, "Program %s invoke [1]", text);
}

void erx_log_units(erx_transaction_log_t *log, const erx_key_t *program, uint64_t used,
                   uint64_t limit)
{
    char text[ERX_KEY_TEXT_MAX];
    erx_key_text(program, text);
    erx_log_line(log, "Program %s consumed %" PRIu64 " of %" PRIu64 " compute units", text, used,
                 limit);
}

void erx_log_success(erx_transaction_log_t *log, const erx_key_t *program)
{
    char text[ERX_KEY_TEXT_MAX];
    erx_key_text(program, text);
    erx_log_line(log, "Program %s success", text);
}

void erx_log_failure(erx_transaction_log_t *log, const erx_key_t *program,
                     const erx_transaction_result_t *result)
{
    char text[ERX_KEY_TEXT_MAX];
    erx_key_text(program, text);
    if (result->instruction == ERX_INSTRUCTION_CUSTOM)
        erx_log_line(log, "Program %s failed: custom program error: 0x%" PRIx32, text,
                     result->custom);
    else
        erx_log_line(log, "Program %s failed: %s", text,
                     erx_instruction_error_text(result->instruction));
}

const char *erx_instruction_error_text(erx_instruction_error_t error)
{
    /* Of those errors that programs here can give; clients know these texts. */
    switch (error) {
    case ERX_INSTRUCTION_INVALID_ARGUMENT:
        return "invalid program argument";
    case ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA:
        return "invalid instruction data";
    case ERX_INSTRUCTION_INVALID_ACCOUNT_DATA:
        return "invalid account data for instruction";
    case ERX_INSTRUCTION_INSUFFICIENT_FUNDS:
        return "insufficient funds for instruction";
    case ERX_INSTRUCTION_INCORRECT_PROGRAM_ID:
        return "incorrect program id for instruction";
    case ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE:
        return "missing required signature for instruction";
    case ERX_INSTRUCTION_ACCOUNT_ALREADY_INITIALIZED:
        return "instruction requires an uninitialized account";
    case ERX_INSTRUCTION_EXTERNAL_ACCOUNT_LAMPORT_SPEND:
        return "instruction spent from the balance of an account it does not own";
    case ERX_INSTRUCTION_READONLY_LAMPORT_CHANGE:
        return "instruction changed the balance of a read-only account";
    case ERX_INSTRUCTION_READONLY_DATA_MODIFIED:
        return "instruction modified data of a read-only account";
    case ERX_INSTRUCTION_NOT_ENOUGH_ACCOUNT_KEYS:
        return "insufficient account keys for instruction";
    case ERX_INSTRUCTION_MODIFIED_PROGRAM_ID:
        return "instruction illegally modified the program id of an account";
    case ERX_INSTRUCTION_INVALID_SEEDS:
        return "Provided seeds do not result in a valid address";
    case ERX_INSTRUCTION_COMPUTATIONAL_BUDGET_EXCEEDED:
        return "Computational budget exceeded";
    case ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER:
        return "Invalid account owner";
    case ERX_INSTRUCTION_ARITHMETIC_OVERFLOW:
        return "Program arithmetic overflowed";
    case ERX_INSTRUCTION_ILLEGAL_OWNER:
        return "Provided owner is not allowed";
    case ERX_INSTRUCTION_MAX_SEED_LENGTH_EXCEEDED:
        return "Length of the seed is too long for address generation";
    case ERX_INSTRUCTION_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED:
        return "Accounts data allocations exceeded the maximum allowed per transaction";
    default:
        return erx_instruction_error_name(error);
    }
}
