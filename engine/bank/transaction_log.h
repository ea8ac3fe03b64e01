/* The log lines of one transaction, as clients and explorers know them.
 *
 * The lines together have at most ERX_BANK_LOG_BYTES_MAX bytes. The first line
 * that would go beyond, and all after it, are left out, and "Log truncated"
 * stands in their place. One thread at a time. */
#ifndef ERX_ENGINE_BANK_TRANSACTION_LOG_H
#define ERX_ENGINE_BANK_TRANSACTION_LOG_H

#include "engine/bank/bank.h"

#define ERX_LOG_LINES_MAX 512u /* the shortest line that is written has over 20 bytes */
#define ERX_LOG_TAIL      "Log truncated"

typedef struct {
    uint32_t bytes; /* used of text, terminators included */
    uint32_t line_count;
    bool is_truncated;
    uint16_t lines[ERX_LOG_LINES_MAX]; /* where each begins in text */
    char text[ERX_BANK_LOG_BYTES_MAX + ERX_LOG_LINES_MAX + sizeof ERX_LOG_TAIL];
} erx_transaction_log_t;

/* Empties it. */
void erx_log_begin(erx_transaction_log_t *log);

/* Adds a line. */
void erx_log_line(erx_transaction_log_t *log, const char *format, ...) ERX_PRINTF(2, 3);

/* The lines around an instruction. has_units: as programs that are metered have
 * it. limit and used are the transaction's units when the program began, and
 * those that it took. */
void erx_log_invoke(erx_transaction_log_t *log, const erx_key_t *program);
void erx_log_units(erx_transaction_log_t *log, const erx_key_t *program, uint64_t used,
                   uint64_t limit);
void erx_log_success(erx_transaction_log_t *log, const erx_key_t *program);
void erx_log_failure(erx_transaction_log_t *log, const erx_key_t *program,
                     const erx_transaction_result_t *result);

/* What the runtime says of an instruction's error; never NULL. */
const char *erx_instruction_error_text(erx_instruction_error_t error);

#endif
