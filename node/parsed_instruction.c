#include "node/parsed_instruction.h"

#include "node/key_text.h"
#include "node/native_programs.h"

#define FIELDS_MAX 7u
#define TAG_BYTES  4u

typedef enum {
    FIELD_END,
    FIELD_ACCOUNT, /* the instruction's account of that index */
    FIELD_NUMBER,  /* the others stand in the data, one behind the other */
    FIELD_KEY,
    FIELD_SEED,
} field_kind_t;

typedef struct {
    const char *name;
    field_kind_t kind;
    uint8_t account;
} field_t;

typedef struct {
    uint32_t tag;
    const char *type;
    field_t fields[FIELDS_MAX + 1];
} layout_t;

#define ACCOUNT(name, i)                                                                           \
    {                                                                                              \
        name, FIELD_ACCOUNT, i                                                                     \
    }
#define NUMBER(name)                                                                               \
    {                                                                                              \
        name, FIELD_NUMBER, 0                                                                      \
    }
#define KEY(name)                                                                                  \
    {                                                                                              \
        name, FIELD_KEY, 0                                                                         \
    }
#define SEED(name)                                                                                 \
    {                                                                                              \
        name, FIELD_SEED, 0                                                                        \
    }

/* The system program's instructions, with fields of data in their order there. */
static const layout_t layouts[] = {
    {0,
     "createAccount",
     {ACCOUNT("source", 0), ACCOUNT("newAccount", 1), NUMBER("lamports"), NUMBER("space"),
      KEY("owner")}},
    {1, "assign", {ACCOUNT("account", 0), KEY("owner")}},
    {2, "transfer", {ACCOUNT("source", 0), ACCOUNT("destination", 1), NUMBER("lamports")}},
    {3,
     "createAccountWithSeed",
     {ACCOUNT("source", 0), ACCOUNT("newAccount", 1), KEY("base"), SEED("seed"), NUMBER("lamports"),
      NUMBER("space"), KEY("owner")}},
    {8, "allocate", {ACCOUNT("account", 0), NUMBER("space")}},
    {9,
     "allocateWithSeed",
     {ACCOUNT("account", 0), KEY("base"), SEED("seed"), NUMBER("space"), KEY("owner")}},
    {10, "assignWithSeed", {ACCOUNT("account", 0), KEY("base"), SEED("seed"), KEY("owner")}},
    {11,
     "transferWithSeed",
     {ACCOUNT("source", 0), ACCOUNT("sourceBase", 1), ACCOUNT("destination", 2), NUMBER("lamports"),
      SEED("sourceSeed"), KEY("sourceOwner")}},
};

static uint64_t read_number(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = count; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

/* The account's key; NULL where the instruction or the transaction has no such. */
static const erx_pubkey_t *account_at(const erx_packet_instruction_t *instruction, uint8_t i,
                                      const erx_transaction_outcome_t *outcome)
{
    if (i >= instruction->account_count || instruction->accounts[i] >= outcome->balance_count)
        return NULL;
    return &outcome->balances[instruction->accounts[i]].key;
}

/* Bytes of a field at the front of the data; 0 where it does not fit. */
static size_t field_size(const field_t *field, const uint8_t *data, size_t count)
{
    size_t size = field->kind == FIELD_KEY ? ERX_PUBKEY_SIZE : sizeof(uint64_t);
    if (size > count)
        return 0;
    uint64_t seed_size = field->kind == FIELD_SEED ? read_number(data, sizeof(uint64_t)) : 0;
    return seed_size <= count - size ? size + (size_t)seed_size : 0;
}

static bool fits(const layout_t *layout, const erx_packet_instruction_t *instruction,
                 const erx_transaction_outcome_t *outcome)
{
    size_t at = TAG_BYTES;
    for (const field_t *field = layout->fields; field->kind != FIELD_END; field++) {
        if (field->kind == FIELD_ACCOUNT) {
            if (account_at(instruction, field->account, outcome) == NULL)
                return false;
            continue;
        }
        size_t size = field_size(field, instruction->data + at, instruction->data_size - at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

static void write_fields(erx_json_writer_t *writer, const layout_t *layout,
                         const erx_packet_instruction_t *instruction,
                         const erx_transaction_outcome_t *outcome)
{
    const uint8_t *at = instruction->data + TAG_BYTES;
    const uint8_t *end = instruction->data + instruction->data_size;
    for (const field_t *field = layout->fields; field->kind != FIELD_END; field++) {
        erx_json_key(writer, field->name);
        if (field->kind == FIELD_ACCOUNT) {
            erx_json_key_text(writer, account_at(instruction, field->account, outcome));
            continue;
        }
        size_t size = field_size(field, at, (size_t)(end - at));
        if (field->kind == FIELD_KEY)
            erx_json_base58(writer, at, ERX_PUBKEY_SIZE);
        else if (field->kind == FIELD_SEED)
            erx_json_string(writer, (const char *)at + sizeof(uint64_t), size - sizeof(uint64_t));
        else
            erx_json_unsigned(writer, read_number(at, sizeof(uint64_t)));
        at += size;
    }
}

static const layout_t *find_layout(const erx_packet_instruction_t *instruction,
                                   const erx_transaction_outcome_t *outcome)
{
    if (instruction->data_size < TAG_BYTES)
        return NULL;
    uint64_t tag = read_number(instruction->data, TAG_BYTES);
    for (size_t i = 0; i < ERX_ARRAY_COUNT(layouts); i++)
        if (layouts[i].tag == tag)
            return fits(&layouts[i], instruction, outcome) ? &layouts[i] : NULL;
    return NULL;
}

static void begin(erx_json_writer_t *writer, const char *program, const erx_pubkey_t *key)
{
    erx_json_object_begin(writer);
    erx_json_put_text(writer, "program", program);
    erx_json_key(writer, "programId");
    erx_json_key_text(writer, key);
    erx_json_key(writer, "parsed");
}

static void end(erx_json_writer_t *writer)
{
    erx_json_put_unsigned(writer, "stackHeight", 1);
    erx_json_object_end(writer);
}

static bool write_system(erx_json_writer_t *writer, const erx_pubkey_t *program,
                         const erx_packet_instruction_t *instruction,
                         const erx_transaction_outcome_t *outcome)
{
    const layout_t *layout = find_layout(instruction, outcome);
    if (layout == NULL)
        return false;
    begin(writer, "system", program);
    erx_json_object_begin(writer);
    erx_json_key(writer, "info");
    erx_json_object_begin(writer);
    write_fields(writer, layout, instruction, outcome);
    erx_json_object_end(writer);
    erx_json_put_text(writer, "type", layout->type);
    erx_json_object_end(writer);
    end(writer);
    return true;
}

bool erx_parsed_instruction_json(erx_json_writer_t *writer,
                                 const erx_packet_instruction_t *instruction,
                                 const erx_transaction_outcome_t *outcome)
{
    if (instruction->program >= outcome->balance_count)
        return false;
    const erx_pubkey_t *program = &outcome->balances[instruction->program].key;
    switch (erx_native_program(program->bytes)) {
    case ERX_PROGRAM_SYSTEM:
        return write_system(writer, program, instruction, outcome);
    case ERX_PROGRAM_MEMO:
        begin(writer, "spl-memo", program);
        erx_json_string(writer, (const char *)instruction->data, instruction->data_size);
        end(writer);
        return true;
    default:
        return false;
    }
}
