/* The programs that the bank executes, by id. They are functions of an
 * instruction and the accounts it names; the bank charges, logs and undoes
 * around them. */
#ifndef ERX_ENGINE_BANK_PROGRAM_H
#define ERX_ENGINE_BANK_PROGRAM_H

#include "engine/bank/transaction_context.h"

typedef struct {
    uint64_t units;   /* charged before it executes; what it does may cost more */
    bool shows_units; /* the log says what it consumed, as for deployed programs */
    bool (*execute)(erx_instruction_t *instruction);
} erx_program_t;

/* The program of an id; NULL. world is the world program's id here. */
const erx_program_t *erx_program_find(const erx_key_t *id, const erx_key_t *world);

/* Each returns false when the instruction has failed. */
bool erx_program_system(erx_instruction_t *instruction);
bool erx_program_memo(erx_instruction_t *instruction);
bool erx_program_memo_v1(erx_instruction_t *instruction);
bool erx_program_world(erx_instruction_t *instruction);

/* What compute budget instructions ask for: all of them take effect before the
 * first instruction executes, so that executing them does nothing. */
bool erx_program_compute_budget(erx_instruction_t *instruction);

typedef struct {
    uint64_t units_limit;
    uint64_t unit_price; /* millionths of a lamport; no fee follows from it here */
    uint32_t heap_bytes;
    uint32_t loaded_bytes_limit; /* UINT32_MAX: none was asked for */
} erx_compute_budget_t;

/* Reads those of a message. False, with *result_out saying why, where one is not
 * valid or comes twice. */
bool erx_compute_budget_read(const erx_message_t *message, const erx_message_keys_t *keys,
                             uint64_t units_max, erx_compute_budget_t *budget_out,
                             erx_transaction_result_t *result_out);

#endif
