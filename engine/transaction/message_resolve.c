#include "engine/transaction/message.h"
#include "engine/transaction/message_parts.h"
#include "mem/assert.h"

#include <string.h>

/* The state of a lookup table's account. */
#define TABLE_META_BYTES         56u
#define TABLE_STATE_OFFSET       0u  /* u32 */
#define TABLE_DEACTIVATED_OFFSET 4u  /* u64, slot; all ones: active */
#define TABLE_EXTENDED_OFFSET    12u /* u64, slot in which entries were last added */
#define TABLE_FIRST_NEW_OFFSET   20u /* u8, the first entry that was added then */
#define TABLE_STATE_INITIALIZED  1u
#define TABLE_ACTIVE             UINT64_MAX

/* Slots that a deactivated table can still be used for: those whose hashes the
 * runtime keeps. */
#define TABLE_COOLDOWN_SLOTS 512u

/* A table's entries that may be used. */
typedef struct {
    const erx_key_t *keys;
    size_t count;
} entries_t;

static uint64_t read_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static erx_message_fault_t open_table(const erx_message_table_t *table, uint64_t slot,
                                      entries_t *entries_out)
{
    if (!erx_key_equals(&table->owner, &erx_key_address_lookup_table))
        return ERX_MESSAGE_TABLE_OWNER;
    if (table->bytes < TABLE_META_BYTES || (table->bytes - TABLE_META_BYTES) % ERX_KEY_BYTES != 0)
        return ERX_MESSAGE_TABLE_DATA;
    uint32_t state;
    memcpy(&state, table->data + TABLE_STATE_OFFSET, sizeof state);
    if (state != TABLE_STATE_INITIALIZED)
        return ERX_MESSAGE_TABLE_DATA;
    uint64_t deactivated = read_u64(table->data + TABLE_DEACTIVATED_OFFSET);
    if (deactivated != TABLE_ACTIVE && slot > deactivated &&
        slot - deactivated > TABLE_COOLDOWN_SLOTS)
        return ERX_MESSAGE_TABLE_NOT_FOUND;
    size_t count = (table->bytes - TABLE_META_BYTES) / ERX_KEY_BYTES;
    if (slot <= read_u64(table->data + TABLE_EXTENDED_OFFSET)) {
        size_t first_new = table->data[TABLE_FIRST_NEW_OFFSET];
        if (first_new > count)
            return ERX_MESSAGE_TABLE_DATA;
        count = first_new;
    }
    *entries_out = (entries_t){(const erx_key_t *)(table->data + TABLE_META_BYTES), count};
    return ERX_MESSAGE_GOOD;
}

/* Copies the entries that indexes name to keys_out. */
static erx_message_fault_t copy_entries(const entries_t *entries, const uint8_t *indexes,
                                        uint32_t count, erx_key_t *keys_out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (indexes[i] >= entries->count)
            return ERX_MESSAGE_TABLE_INDEX;
        keys_out[i] = entries->keys[indexes[i]];
    }
    return ERX_MESSAGE_GOOD;
}

static erx_message_fault_t look_up(const erx_message_t *message, uint64_t slot,
                                   erx_message_table_fn find, void *context,
                                   erx_message_keys_t *keys)
{
    erx_key_t *writable = keys->keys + message->key_count;
    erx_key_t *readonly = writable + message->looked_up_writable_count;
    erx_message_cursor_t cursor = {0};
    erx_message_lookup_t lookup;
    while (erx_message_next_lookup(message, &cursor, &lookup)) {
        erx_message_table_t table;
        entries_t entries;
        if (!find(context, lookup.table, &table))
            return ERX_MESSAGE_TABLE_NOT_FOUND;
        erx_message_fault_t fault = open_table(&table, slot, &entries);
        if (fault == ERX_MESSAGE_GOOD)
            fault = copy_entries(&entries, lookup.writable, lookup.writable_count, writable);
        if (fault == ERX_MESSAGE_GOOD)
            fault = copy_entries(&entries, lookup.readonly, lookup.readonly_count, readonly);
        if (fault != ERX_MESSAGE_GOOD)
            return fault;
        writable += lookup.writable_count;
        readonly += lookup.readonly_count;
    }
    return ERX_MESSAGE_GOOD;
}

static bool has_duplicate(const erx_message_keys_t *keys)
{
    for (uint32_t i = 1; i < keys->count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (erx_key_equals(&keys->keys[i], &keys->keys[k]))
                return true;
    return false;
}

/* Bits [begin, begin + count). */
static uint64_t run_of_bits(uint32_t begin, uint32_t count)
{
    return count == 0 ? 0 : UINT64_MAX >> (64 - count) << begin;
}

/* What the header and the lookups make writable. */
static uint64_t asked_writable(const erx_message_t *message)
{
    uint32_t signers = message->signature_count;
    uint32_t unsigned_count = message->key_count - signers;
    return run_of_bits(0, signers - message->readonly_signed_count) |
           run_of_bits(signers, unsigned_count - message->readonly_unsigned_count) |
           run_of_bits(message->key_count, message->looked_up_writable_count);
}

static uint64_t called_programs(const erx_message_t *message)
{
    uint64_t called = 0;
    erx_message_cursor_t cursor = {0};
    erx_message_instruction_t instruction;
    while (erx_message_next(message, &cursor, &instruction))
        called |= UINT64_C(1) << instruction.program;
    return called;
}

/* Who upgrades a program writes it in the very transaction that calls it. */
static bool has_upgradeable_loader(const erx_message_keys_t *keys)
{
    for (uint32_t i = 0; i < keys->count; i++)
        if (erx_key_equals(&keys->keys[i], &erx_key_upgradeable_loader))
            return true;
    return false;
}

erx_message_fault_t erx_message_resolve(const erx_message_t *message, uint64_t slot,
                                        erx_message_table_fn find, void *context,
                                        erx_message_keys_t *keys_out)
{
    keys_out->count = erx_message_total_key_count(message);
    ERX_ASSERT(keys_out->count > 0 && keys_out->count <= ERX_MESSAGE_LOCKS_MAX);
    memcpy(keys_out->keys, erx_message_key(message, 0), message->key_count * ERX_KEY_BYTES);
    erx_message_fault_t fault = look_up(message, slot, find, context, keys_out);
    if (fault == ERX_MESSAGE_GOOD && has_duplicate(keys_out))
        fault = ERX_MESSAGE_DUPLICATE_KEY;
    if (fault != ERX_MESSAGE_GOOD) {
        memset(keys_out, 0, sizeof *keys_out);
        return fault;
    }
    keys_out->signers = run_of_bits(0, message->signature_count);
    keys_out->writable = asked_writable(message);
    if (!has_upgradeable_loader(keys_out))
        keys_out->writable &= ~called_programs(message);
    for (uint32_t i = 0; i < keys_out->count; i++)
        if (keys_out->writable >> i & 1 && erx_key_is_reserved(&keys_out->keys[i]))
            keys_out->writable &= ~(UINT64_C(1) << i);
    return ERX_MESSAGE_GOOD;
}
