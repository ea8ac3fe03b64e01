/* Data of an instruction: u32 kind, then its fields; a text is u64 length and
 * bytes. What follows is ignored, as the runtime does. */
#include <inttypes.h>

#include "engine/bank/fields.h"
#include "engine/bank/program.h"
#include "engine/transaction/address.h"

enum { /* kinds; 4 to 7 and 12 belong to durable nonces, which a rollup has not */
       CREATE_ACCOUNT = 0,
       ASSIGN = 1,
       TRANSFER = 2,
       CREATE_ACCOUNT_WITH_SEED = 3,
       ALLOCATE = 8,
       ALLOCATE_WITH_SEED = 9,
       ASSIGN_WITH_SEED = 10,
       TRANSFER_WITH_SEED = 11
};

enum { /* custom errors */
       ACCOUNT_IN_USE = 0,
       INSUFFICIENT_LAMPORTS = 1,
       INVALID_DATA_LENGTH = 3,
       SEED_MISMATCH = 5
};

/* The fields of an instruction; those that its kind has not are zero. */
typedef struct {
    uint32_t kind;
    uint64_t lamports;
    uint64_t space;
    erx_key_t owner;
    erx_key_t base;
    const uint8_t *seed;
    uint64_t seed_bytes;
} arguments_t;

/* An account that an instruction makes or assigns. */
typedef struct {
    uint32_t position;
    bool signs; /* itself, or the base that it is derived from */
} target_t;

/* What is left of the data; empty with is_short where it was too short. */
typedef struct {
    const uint8_t *at;
    uint64_t left;
    bool is_short;
} reader_t;

static const uint8_t *take(reader_t *reader, uint64_t bytes)
{
    const uint8_t *at = reader->at;
    if (bytes > reader->left) {
        reader->is_short = true;
        reader->left = 0;
        return NULL;
    }
    reader->at += bytes;
    reader->left -= bytes;
    return at;
}

static uint64_t take_u64(reader_t *reader)
{
    const uint8_t *at = take(reader, sizeof(uint64_t));
    return at == NULL ? 0 : erx_get_u64(at);
}

static erx_key_t take_key(reader_t *reader)
{
    erx_key_t key = {0};
    const uint8_t *at = take(reader, sizeof key);
    if (at != NULL)
        memcpy(&key, at, sizeof key);
    return key;
}

static void take_seed(reader_t *reader, arguments_t *arguments)
{
    arguments->seed_bytes = take_u64(reader);
    arguments->seed = take(reader, arguments->seed_bytes);
}

static void take_with_seed(reader_t *reader, arguments_t *arguments)
{
    arguments->base = take_key(reader);
    take_seed(reader, arguments);
}

/* Reads the fields of a kind; false where there is no such kind. */
static bool read_fields(reader_t *reader, arguments_t *arguments)
{
    switch (arguments->kind) {
    case CREATE_ACCOUNT_WITH_SEED:
        take_with_seed(reader, arguments);
        /* fallthrough */
    case CREATE_ACCOUNT:
        arguments->lamports = take_u64(reader);
        arguments->space = take_u64(reader);
        arguments->owner = take_key(reader);
        return true;
    case ALLOCATE:
        arguments->space = take_u64(reader);
        return true;
    case ALLOCATE_WITH_SEED:
        take_with_seed(reader, arguments);
        arguments->space = take_u64(reader);
        arguments->owner = take_key(reader);
        return true;
    case ASSIGN_WITH_SEED:
        take_with_seed(reader, arguments);
        /* fallthrough */
    case ASSIGN:
        arguments->owner = take_key(reader);
        return true;
    case TRANSFER:
        arguments->lamports = take_u64(reader);
        return true;
    case TRANSFER_WITH_SEED:
        arguments->lamports = take_u64(reader);
        take_seed(reader, arguments);
        arguments->owner = take_key(reader);
        return true;
    default:
        return false;
    }
}

static bool read_arguments(erx_instruction_t *instruction, arguments_t *arguments)
{
    reader_t reader = {.at = instruction->data, .left = instruction->data_bytes};
    const uint8_t *kind = take(&reader, sizeof(uint32_t));
    memset(arguments, 0, sizeof *arguments);
    if (kind != NULL) {
        arguments->kind = erx_get_u32(kind);
        if (read_fields(&reader, arguments) && !reader.is_short)
            return true;
    }
    return erx_instruction_fail(instruction, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
}

/* Adds a log line and fails. text_of names an account in the line. */
static const char *text_of(const erx_key_t *key, char text[ERX_KEY_TEXT_MAX])
{
    erx_key_text(key, text);
    return text;
}

/* Whether the key of a position is derived from a base, the seed and the owner. */
static bool check_seed(erx_instruction_t *instruction, uint32_t position, const erx_key_t *base,
                       const arguments_t *arguments, const char *what)
{
    erx_key_t derived;
    erx_error_t error;
    char text[ERX_KEY_TEXT_MAX], derived_text[ERX_KEY_TEXT_MAX];
    erx_status_t status =
        erx_address_create_with_seed(base, (const char *)arguments->seed, arguments->seed_bytes,
                                     &arguments->owner, &derived, &error);
    if (status == ERX_ERR_RANGE)
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_MAX_SEED_LENGTH_EXCEEDED);
    if (status == ERX_ERR_ARGUMENT)
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_ILLEGAL_OWNER);
    if (status != ERX_OK)
        return erx_instruction_fail_status(instruction, &error);
    const erx_key_t *key = erx_instruction_key(instruction, position);
    if (erx_key_equals(key, &derived))
        return true;
    erx_log_line(&instruction->transaction->log, "%s: address %s does not match derived address %s",
                 what, text_of(key, text), text_of(&derived, derived_text));
    return erx_instruction_fail_custom(instruction, SEED_MISMATCH);
}

/* Whether any account of the instruction has a key and signs. */
static bool key_signs(const erx_instruction_t *instruction, const erx_key_t *key)
{
    for (uint32_t i = 0; i < instruction->account_count; i++)
        if (erx_instruction_signs(instruction, i) &&
            erx_key_equals(erx_instruction_key(instruction, i), key))
            return true;
    return false;
}

/* The account at a position, derived where the kind has a seed. */
static bool find_target(erx_instruction_t *instruction, uint32_t position, bool is_derived,
                        const arguments_t *arguments, target_t *target_out)
{
    const erx_key_t *signer =
        is_derived ? &arguments->base : erx_instruction_key(instruction, position);
    *target_out = (target_t){position, key_signs(instruction, signer)};
    return !is_derived || check_seed(instruction, position, &arguments->base, arguments, "Create");
}

static bool must_sign(erx_instruction_t *instruction, const char *what, const erx_key_t *key)
{
    char text[ERX_KEY_TEXT_MAX];
    erx_log_line(&instruction->transaction->log, "%s: account %s must sign", what,
                 text_of(key, text));
    return erx_instruction_fail(instruction, ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE);
}

static bool in_use(erx_instruction_t *instruction, const char *what, uint32_t position)
{
    char text[ERX_KEY_TEXT_MAX];
    erx_log_line(&instruction->transaction->log, "%s: account %s already in use", what,
                 text_of(erx_instruction_key(instruction, position), text));
    return erx_instruction_fail_custom(instruction, ACCOUNT_IN_USE);
}

static bool is_systems(const erx_instruction_t *instruction, uint32_t position)
{
    return erx_key_equals(&erx_instruction_entry(instruction, position)->owner, &erx_key_system);
}

static bool allocate(erx_instruction_t *instruction, const target_t *target, uint64_t space)
{
    const erx_key_t *key = erx_instruction_key(instruction, target->position);
    if (!target->signs)
        return must_sign(instruction, "Allocate", key);
    if (erx_instruction_entry(instruction, target->position)->data_length != 0 ||
        !is_systems(instruction, target->position))
        return in_use(instruction, "Allocate", target->position);
    if (space > ERX_ACCOUNT_DATA_MAX) {
        erx_log_line(&instruction->transaction->log,
                     "Allocate: requested %" PRIu64 ", max allowed %" PRIu32, space,
                     ERX_ACCOUNT_DATA_MAX);
        return erx_instruction_fail_custom(instruction, INVALID_DATA_LENGTH);
    }
    if (!erx_instruction_writes(instruction, target->position))
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_READONLY_DATA_MODIFIED);
    return space == 0 || erx_instruction_resize(instruction, target->position, (uint32_t)space);
}

static bool assign(erx_instruction_t *instruction, const target_t *target, const erx_key_t *owner)
{
    const erx_account_entry_t *entry = erx_instruction_entry(instruction, target->position);
    if (erx_key_equals(&entry->owner, owner))
        return true;
    if (!target->signs)
        return must_sign(instruction, "Assign", erx_instruction_key(instruction, target->position));
    if (!is_systems(instruction, target->position) ||
        !erx_instruction_writes(instruction, target->position))
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_MODIFIED_PROGRAM_ID);
    return erx_instruction_put_owner(instruction, target->position, owner);
}

/* Moves lamports from an account that has signed or whose base has. */
static bool move_lamports(erx_instruction_t *instruction, uint32_t from, uint32_t to,
                          uint64_t lamports)
{
    const erx_account_entry_t *entry = erx_instruction_entry(instruction, from);
    if (entry->data_length != 0) {
        erx_log_line(&instruction->transaction->log, "Transfer: `from` must not carry data");
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_INVALID_ARGUMENT);
    }
    if (lamports > entry->lamports) {
        erx_log_line(&instruction->transaction->log,
                     "Transfer: insufficient lamports %" PRIu64 ", need %" PRIu64, entry->lamports,
                     lamports);
        return erx_instruction_fail_custom(instruction, INSUFFICIENT_LAMPORTS);
    }
    if (lamports > 0 && !is_systems(instruction, from))
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_EXTERNAL_ACCOUNT_LAMPORT_SPEND);
    if (!erx_instruction_writes(instruction, from) || !erx_instruction_writes(instruction, to))
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_READONLY_LAMPORT_CHANGE);
    if (lamports == 0)
        return true;
    if (!erx_instruction_put_lamports(instruction, from, entry->lamports - lamports))
        return false;
    uint64_t held = erx_instruction_entry(instruction, to)->lamports;
    if (lamports > UINT64_MAX - held)
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_ARITHMETIC_OVERFLOW);
    return erx_instruction_put_lamports(instruction, to, held + lamports);
}

static bool transfer(erx_instruction_t *instruction, uint32_t from, uint32_t to, uint64_t lamports)
{
    if (!erx_instruction_signs(instruction, from))
        return must_sign(instruction, "Transfer", erx_instruction_key(instruction, from));
    return move_lamports(instruction, from, to, lamports);
}

static bool transfer_with_seed(erx_instruction_t *instruction, const arguments_t *arguments)
{
    const erx_key_t *base = erx_instruction_key(instruction, 1);
    if (!erx_instruction_signs(instruction, 1))
        return must_sign(instruction, "Transfer", base);
    return check_seed(instruction, 0, base, arguments, "Transfer: 'from'") &&
           move_lamports(instruction, 0, 2, arguments->lamports);
}

static bool create(erx_instruction_t *instruction, const target_t *target,
                   const arguments_t *arguments)
{
    if (erx_instruction_entry(instruction, target->position)->lamports != 0)
        return in_use(instruction, "Create Account", target->position);
    return allocate(instruction, target, arguments->space) &&
           assign(instruction, target, &arguments->owner) &&
           transfer(instruction, 0, target->position, arguments->lamports);
}

bool erx_program_system(erx_instruction_t *instruction)
{
    arguments_t arguments;
    target_t target;
    if (!read_arguments(instruction, &arguments))
        return false;
    bool is_derived = arguments.kind == CREATE_ACCOUNT_WITH_SEED ||
                      arguments.kind == ALLOCATE_WITH_SEED || arguments.kind == ASSIGN_WITH_SEED;
    switch (arguments.kind) {
    case CREATE_ACCOUNT:
    case CREATE_ACCOUNT_WITH_SEED:
        return erx_instruction_require(instruction, 2) &&
               find_target(instruction, 1, is_derived, &arguments, &target) &&
               create(instruction, &target, &arguments);
    case TRANSFER:
        return erx_instruction_require(instruction, 2) &&
               transfer(instruction, 0, 1, arguments.lamports);
    case TRANSFER_WITH_SEED:
        return erx_instruction_require(instruction, 3) &&
               transfer_with_seed(instruction, &arguments);
    default:
        break;
    }
    if (!erx_instruction_require(instruction, 1) ||
        !find_target(instruction, 0, is_derived, &arguments, &target))
        return false;
    if (arguments.kind == ALLOCATE || arguments.kind == ALLOCATE_WITH_SEED) {
        if (!allocate(instruction, &target, arguments.space))
            return false;
        if (arguments.kind == ALLOCATE)
            return true;
    }
    return assign(instruction, &target, &arguments.owner);
}
