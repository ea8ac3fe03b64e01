#include "engine/transaction/message.h"

#include "engine/transaction/message_parts.h"
#include "mem/assert.h"

#include <string.h>

#define VERSION_FLAG      0x80u
#define VERSION_MASK      0x7fu
#define COMPACT_BYTES_MAX 3
#define COMPACT_LAST_MAX  3u /* of the third byte: two more bits make 16 */
#define COMPACT_BITS      7
#define COMPACT_MASK      0x7fu
#define COMPACT_MORE      0x80u

ERX_STATIC_ASSERT(ERX_PACKET_BYTES_MAX / (ERX_SIGNATURE_BYTES + ERX_KEY_BYTES) ==
                      ERX_MESSAGE_SIGNATURES_MAX,
                  "every signature has a key in the same packet");
ERX_STATIC_ASSERT(ERX_PACKET_BYTES_MAX <= UINT16_MAX, "places in a packet have 16 bits");

/* A walk over a packet; after a fault every read gives 0. */
typedef struct {
    const uint8_t *packet;
    size_t bytes;
    size_t at;
    erx_message_fault_t fault;
} reader_t;

/* Passes over count bytes and returns where they begin. */
static uint16_t pass(reader_t *reader, size_t count)
{
    if (reader->fault == ERX_MESSAGE_GOOD && count > reader->bytes - reader->at)
        reader->fault = ERX_MESSAGE_TRUNCATED;
    if (reader->fault != ERX_MESSAGE_GOOD)
        return 0;
    uint16_t begin = (uint16_t)reader->at;
    reader->at += count;
    return begin;
}

static uint8_t read_byte(reader_t *reader)
{
    uint16_t at = pass(reader, 1);
    return reader->fault == ERX_MESSAGE_GOOD ? reader->packet[at] : 0;
}

static uint16_t read_compact(reader_t *reader)
{
    uint32_t value = 0;
    for (int i = 0; i < COMPACT_BYTES_MAX; i++) {
        uint8_t byte = read_byte(reader);
        if (reader->fault != ERX_MESSAGE_GOOD)
            return 0;
        bool too_large = i == COMPACT_BYTES_MAX - 1 && byte > COMPACT_LAST_MAX;
        bool adds_nothing = i > 0 && byte == 0;
        if (too_large || adds_nothing)
            break;
        value |= (byte & COMPACT_MASK) << COMPACT_BITS * i;
        if ((byte & COMPACT_MORE) == 0)
            return (uint16_t)value;
    }
    reader->fault = ERX_MESSAGE_COUNT_ENCODING;
    return 0;
}

static erx_message_instruction_t read_instruction(reader_t *reader)
{
    erx_message_instruction_t instruction = {.program = read_byte(reader)};
    instruction.account_count = read_compact(reader);
    instruction.accounts = reader->packet + pass(reader, instruction.account_count);
    instruction.data_bytes = read_compact(reader);
    instruction.data = reader->packet + pass(reader, instruction.data_bytes);
    return instruction;
}

static erx_message_lookup_t read_lookup(reader_t *reader)
{
    erx_message_lookup_t lookup;
    lookup.table = (const erx_key_t *)(reader->packet + pass(reader, ERX_KEY_BYTES));
    lookup.writable_count = read_compact(reader);
    lookup.writable = reader->packet + pass(reader, lookup.writable_count);
    lookup.readonly_count = read_compact(reader);
    lookup.readonly = reader->packet + pass(reader, lookup.readonly_count);
    return lookup;
}

/* The version byte is absent from legacy messages, whose first byte, a count of
 * signatures, cannot be so high. */
static uint8_t read_version(reader_t *reader)
{
    if (reader->fault != ERX_MESSAGE_GOOD || reader->at == reader->bytes ||
        (reader->packet[reader->at] & VERSION_FLAG) == 0)
        return ERX_MESSAGE_LEGACY;
    if ((read_byte(reader) & VERSION_MASK) != 0)
        reader->fault = ERX_MESSAGE_VERSION;
    return ERX_MESSAGE_V0;
}

/* Finds where everything is. The number of signatures that the packet begins
 * with is given apart from the one that the header requires. */
static void read_structure(reader_t *reader, erx_message_t *message, uint16_t *signatures_out)
{
    *signatures_out = read_compact(reader);
    message->signatures_offset = pass(reader, (size_t)*signatures_out * ERX_SIGNATURE_BYTES);
    message->message_offset = pass(reader, 0);
    message->version = read_version(reader);
    message->signature_count = read_byte(reader);
    message->readonly_signed_count = read_byte(reader);
    message->readonly_unsigned_count = read_byte(reader);
    message->key_count = read_compact(reader);
    message->keys_offset = pass(reader, (size_t)message->key_count * ERX_KEY_BYTES);
    message->blockhash_offset = pass(reader, ERX_KEY_BYTES);
    message->instruction_count = read_compact(reader);
    message->instructions_offset = pass(reader, 0);
    for (uint32_t i = 0; i < message->instruction_count && reader->fault == ERX_MESSAGE_GOOD; i++)
        (void)read_instruction(reader);
    if (message->version == ERX_MESSAGE_V0)
        message->lookup_count = read_compact(reader);
    message->lookups_offset = pass(reader, 0);
    for (uint32_t i = 0; i < message->lookup_count && reader->fault == ERX_MESSAGE_GOOD; i++) {
        erx_message_lookup_t lookup = read_lookup(reader);
        message->looked_up_writable_count += lookup.writable_count;
        message->looked_up_readonly_count += lookup.readonly_count;
    }
    if (reader->fault == ERX_MESSAGE_GOOD && reader->at < reader->bytes)
        reader->fault = ERX_MESSAGE_TRAILING_BYTES;
}

static erx_message_fault_t check_header(const erx_message_t *message, uint16_t signatures)
{
    if (signatures == 0)
        return ERX_MESSAGE_NO_SIGNATURE;
    if (signatures != message->signature_count)
        return ERX_MESSAGE_SIGNATURE_COUNT;
    if (message->signature_count + message->readonly_unsigned_count > message->key_count)
        return ERX_MESSAGE_SIGNERS_OVER_KEYS;
    if (message->readonly_signed_count >= message->signature_count)
        return ERX_MESSAGE_PAYER_READONLY;
    return ERX_MESSAGE_GOOD;
}

static erx_message_fault_t check_lookups(const erx_message_t *message)
{
    erx_message_cursor_t cursor = {0};
    erx_message_lookup_t lookup;
    while (erx_message_next_lookup(message, &cursor, &lookup))
        if (lookup.writable_count + lookup.readonly_count == 0)
            return ERX_MESSAGE_EMPTY_LOOKUP;
    return erx_message_total_key_count(message) > ERX_MESSAGE_KEYS_MAX ? ERX_MESSAGE_KEYS_OVER_INDEX
                                                                       : ERX_MESSAGE_GOOD;
}

static erx_message_fault_t check_instructions(const erx_message_t *message)
{
    if (message->instruction_count > ERX_MESSAGE_INSTRUCTIONS_MAX)
        return ERX_MESSAGE_TOO_MANY_INSTRUCTIONS;
    erx_message_cursor_t cursor = {0};
    erx_message_instruction_t instruction;
    while (erx_message_next(message, &cursor, &instruction)) {
        if (instruction.program == 0)
            return ERX_MESSAGE_PROGRAM_IS_PAYER;
        if (instruction.program >= message->key_count)
            return ERX_MESSAGE_PROGRAM_INDEX;
        for (uint32_t i = 0; i < instruction.account_count; i++)
            if (instruction.accounts[i] >= erx_message_total_key_count(message))
                return ERX_MESSAGE_ACCOUNT_INDEX;
    }
    return ERX_MESSAGE_GOOD;
}

erx_message_fault_t erx_message_parse(const uint8_t *packet, size_t bytes,
                                      erx_message_t *message_out)
{
    memset(message_out, 0, sizeof *message_out);
    if (bytes > ERX_PACKET_BYTES_MAX)
        return ERX_MESSAGE_TOO_LONG;
    if (bytes == 0)
        return ERX_MESSAGE_TRUNCATED; /* packet may be NULL */
    erx_message_t message = {.packet = packet, .packet_bytes = (uint16_t)bytes};
    reader_t reader = {.packet = packet, .bytes = bytes, .fault = ERX_MESSAGE_GOOD};
    uint16_t signatures;
    read_structure(&reader, &message, &signatures);
    erx_message_fault_t fault = reader.fault;
    if (fault == ERX_MESSAGE_GOOD)
        fault = check_header(&message, signatures);
    if (fault == ERX_MESSAGE_GOOD)
        fault = check_lookups(&message);
    if (fault == ERX_MESSAGE_GOOD)
        fault = check_instructions(&message);
    if (fault == ERX_MESSAGE_GOOD && erx_message_total_key_count(&message) > ERX_MESSAGE_LOCKS_MAX)
        fault = ERX_MESSAGE_TOO_MANY_LOCKS;
    if (fault == ERX_MESSAGE_GOOD)
        *message_out = message;
    return fault;
}

const erx_signature_t *erx_message_signature(const erx_message_t *message, uint32_t index)
{
    ERX_ASSERT(index < message->signature_count);
    const uint8_t *signatures = message->packet + message->signatures_offset;
    return (const erx_signature_t *)(signatures + (size_t)index * ERX_SIGNATURE_BYTES);
}

const erx_key_t *erx_message_key(const erx_message_t *message, uint32_t index)
{
    ERX_ASSERT(index < message->key_count);
    const uint8_t *keys = message->packet + message->keys_offset;
    return (const erx_key_t *)(keys + (size_t)index * ERX_KEY_BYTES);
}

const erx_key_t *erx_message_blockhash(const erx_message_t *message)
{
    return (const erx_key_t *)(message->packet + message->blockhash_offset);
}

uint32_t erx_message_total_key_count(const erx_message_t *message)
{
    return (uint32_t)message->key_count + message->looked_up_writable_count +
           message->looked_up_readonly_count;
}

/* A reader at a cursor whose place was read before without a fault. */
static reader_t reader_at(const erx_message_t *message, const erx_message_cursor_t *cursor,
                          uint16_t first)
{
    return (reader_t){
        .packet = message->packet,
        .bytes = message->packet_bytes,
        .at = cursor->index == 0 ? first : cursor->offset,
        .fault = ERX_MESSAGE_GOOD,
    };
}

static void move_to(erx_message_cursor_t *cursor, const reader_t *reader)
{
    ERX_ASSERT(reader->fault == ERX_MESSAGE_GOOD);
    cursor->index++;
    cursor->offset = (uint16_t)reader->at;
}

bool erx_message_next(const erx_message_t *message, erx_message_cursor_t *cursor,
                      erx_message_instruction_t *instruction_out)
{
    if (cursor->index == message->instruction_count)
        return false;
    reader_t reader = reader_at(message, cursor, message->instructions_offset);
    *instruction_out = read_instruction(&reader);
    move_to(cursor, &reader);
    return true;
}

bool erx_message_next_lookup(const erx_message_t *message, erx_message_cursor_t *cursor,
                             erx_message_lookup_t *lookup_out)
{
    if (cursor->index == message->lookup_count)
        return false;
    reader_t reader = reader_at(message, cursor, message->lookups_offset);
    *lookup_out = read_lookup(&reader);
    move_to(cursor, &reader);
    return true;
}
