/* Fuzzes what strangers send: transaction packets, lookup tables and base58.
 * What is accepted must be readable to its last byte and, since there is one
 * encoding of everything, must be the very bytes that one gets by writing down
 * what was read. */
#include "engine/transaction/base58.h"
#include "engine/transaction/message_parts.h"
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/transaction_plan.h"

#include <string.h>

#define SLOT 1000u

static void copy_instructions(const erx_message_t *message, erx_plan_t *plan)
{
    erx_message_cursor_t cursor = {0};
    erx_message_instruction_t instruction;
    while (erx_message_next(message, &cursor, &instruction))
        plan->instructions[plan->instruction_count++] = (erx_plan_instruction_t){
            instruction.program, instruction.account_count, instruction.accounts,
            instruction.data_bytes, instruction.data};
    ERX_ASSERT(plan->instruction_count == message->instruction_count);
}

static void copy_lookups(const erx_message_t *message, erx_plan_t *plan)
{
    erx_message_cursor_t cursor = {0};
    erx_message_lookup_t lookup;
    while (erx_message_next_lookup(message, &cursor, &lookup))
        plan->lookups[plan->lookup_count++] =
            (erx_plan_lookup_t){*lookup.table, lookup.writable_count, lookup.writable,
                                lookup.readonly_count, lookup.readonly};
    ERX_ASSERT(plan->lookup_count == message->lookup_count);
}

/* Writes down what was read and compares; signatures are the packet's own. */
static void check_written_again(const erx_message_t *message)
{
    erx_plan_t plan = {
        .has_version = message->version == ERX_MESSAGE_V0,
        .signature_count = message->signature_count,
        .signatures_required = message->signature_count,
        .readonly_signed_count = message->readonly_signed_count,
        .readonly_unsigned_count = message->readonly_unsigned_count,
        .key_count = message->key_count,
        .blockhash = *erx_message_blockhash(message),
    };
    for (uint32_t i = 0; i < message->key_count; i++)
        plan.keys[i] = *erx_message_key(message, i);
    copy_instructions(message, &plan);
    copy_lookups(message, &plan);
    uint8_t written[ERX_PLAN_BYTES_MAX];
    ERX_ASSERT(erx_plan_write(&plan, written) == message->packet_bytes);
    for (uint32_t i = 0; i < message->signature_count; i++)
        memcpy(written + message->signatures_offset + i * ERX_SIGNATURE_BYTES,
               erx_message_signature(message, i), ERX_SIGNATURE_BYTES);
    ERX_ASSERT(memcmp(written, message->packet, message->packet_bytes) == 0);
}

static bool find_table(void *context, const erx_key_t *key, erx_message_table_t *table_out)
{
    *table_out = *(const erx_message_table_t *)context;
    return key->bytes[0] != 0;
}

static void check_resolved(const erx_message_t *message, const erx_message_keys_t *keys)
{
    uint64_t all = UINT64_MAX >> (64 - keys->count);
    ERX_ASSERT(keys->count == erx_message_total_key_count(message));
    ERX_ASSERT((keys->signers & ~all) == 0 && (keys->writable & ~all) == 0);
    ERX_ASSERT((uint32_t)__builtin_popcountll(keys->signers) == message->signature_count);
    for (uint32_t i = 0; i < keys->count; i++) {
        ERX_ASSERT(!(keys->writable >> i & 1) || !erx_key_is_reserved(&keys->keys[i]));
        for (uint32_t k = 0; k < i; k++)
            ERX_ASSERT(!erx_key_equals(&keys->keys[i], &keys->keys[k]));
    }
}

static void run_packet(const uint8_t *packet, size_t size, erx_message_table_t *table)
{
    erx_message_t message;
    erx_message_fault_t fault = erx_message_parse(packet, size, &message);
    ERX_ASSERT((fault == ERX_MESSAGE_GOOD) == (message.packet != NULL));
    if (fault != ERX_MESSAGE_GOOD) {
        ERX_ASSERT(fault < ERX_MESSAGE_DUPLICATE_KEY);
        return;
    }
    check_written_again(&message);
    erx_message_keys_t keys;
    fault = erx_message_resolve(&message, SLOT, find_table, table, &keys);
    if (fault == ERX_MESSAGE_GOOD)
        check_resolved(&message, &keys);
    else
        ERX_ASSERT(fault >= ERX_MESSAGE_DUPLICATE_KEY && keys.count == 0);
}

static void run_text(const char *text, size_t length)
{
    uint8_t data[ERX_BASE58_BYTES_MAX];
    char again[ERX_BASE58_LENGTH_MAX(ERX_BASE58_BYTES_MAX) + 1];
    size_t size;
    if (!erx_base58_decode(text, length, data, sizeof data, &size))
        return;
    ERX_ASSERT(erx_base58_encode(data, size, again, sizeof again) == length);
    ERX_ASSERT(memcmp(again, text, length) == 0);
}

/* The first byte tells: a packet; a table of so many bytes as the next byte
 * says times 8, then a packet; or base58. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    erx_message_table_t table = {.owner = erx_key_address_lookup_table};
    if (size < 2)
        return 0;
    if (data[0] == ERX_FUZZ_TRANSACTION_TEXT)
        run_text((const char *)data + 1, size - 1);
    if (data[0] == ERX_FUZZ_TRANSACTION_PACKET)
        run_packet(data + 1, size - 1, &table);
    if (data[0] != ERX_FUZZ_TRANSACTION_TABLE)
        return 0;
    size_t rest = size - 2;
    table.bytes = ERX_MIN((size_t)data[1] * 8, rest);
    table.data = data + 2;
    run_packet(data + 2 + table.bytes, rest - table.bytes, &table);
    return 0;
}
