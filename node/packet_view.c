#include "node/packet_view.h"

#include <string.h>

#define VERSION_FLAG 0x80u

typedef struct {
    const uint8_t *at, *end;
    bool is_broken;
} reader_t;

static const uint8_t *take(reader_t *reader, size_t count)
{
    if (reader->is_broken || count > (size_t)(reader->end - reader->at)) {
        reader->is_broken = true;
        return NULL;
    }
    const uint8_t *part = reader->at;
    reader->at += count;
    return part;
}

static uint8_t take_byte(reader_t *reader)
{
    const uint8_t *byte = take(reader, 1);
    return byte != NULL ? *byte : 0;
}

/* A length: seven bits a byte, least first, three bytes at most. */
static uint16_t take_length(reader_t *reader)
{
    uint32_t value = 0;
    for (uint32_t shift = 0; shift < 21; shift += 7) {
        uint8_t byte = take_byte(reader);
        value |= (uint32_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if (value > UINT16_MAX || (byte == 0 && shift > 0))
                reader->is_broken = true;
            return (uint16_t)value;
        }
    }
    reader->is_broken = true;
    return 0;
}

static void read_instructions(reader_t *reader, erx_packet_view_t *view)
{
    view->instruction_count = take_length(reader);
    if (view->instruction_count > ERX_PACKET_INSTRUCTIONS_MAX)
        reader->is_broken = true;
    for (uint16_t i = 0; i < view->instruction_count && !reader->is_broken; i++) {
        erx_packet_instruction_t *instruction = &view->instructions[i];
        instruction->program = take_byte(reader);
        instruction->account_count = take_length(reader);
        instruction->accounts = take(reader, instruction->account_count);
        instruction->data_size = take_length(reader);
        instruction->data = take(reader, instruction->data_size);
    }
}

static void read_lookups(reader_t *reader, erx_packet_view_t *view)
{
    view->lookup_count = take_length(reader);
    if (view->lookup_count > ERX_PACKET_LOOKUPS_MAX)
        reader->is_broken = true;
    for (uint16_t i = 0; i < view->lookup_count && !reader->is_broken; i++) {
        erx_packet_lookup_t *lookup = &view->lookups[i];
        lookup->table = take(reader, ERX_PUBKEY_SIZE);
        lookup->writable_count = take_length(reader);
        lookup->writable = take(reader, lookup->writable_count);
        lookup->readonly_count = take_length(reader);
        lookup->readonly = take(reader, lookup->readonly_count);
    }
}

static bool read_message(reader_t *reader, erx_packet_view_t *view)
{
    uint8_t first = take_byte(reader);
    view->is_versioned = (first & VERSION_FLAG) != 0;
    if (view->is_versioned && first != VERSION_FLAG)
        return false;
    view->required_signatures = view->is_versioned ? take_byte(reader) : first;
    view->readonly_signed = take_byte(reader);
    view->readonly_unsigned = take_byte(reader);
    view->key_count = take_length(reader);
    view->keys = take(reader, (size_t)view->key_count * ERX_PUBKEY_SIZE);
    view->blockhash = take(reader, ERX_HASH_SIZE);
    read_instructions(reader, view);
    if (view->is_versioned)
        read_lookups(reader, view);
    return !reader->is_broken && reader->at == reader->end &&
           view->key_count <= ERX_PACKET_KEYS_MAX && view->key_count > 0;
}

bool erx_packet_view_read(const uint8_t *packet, size_t size, erx_packet_view_t *view_out)
{
    reader_t reader = {packet, packet + size, false};
    memset(view_out, 0, sizeof *view_out);
    view_out->signature_count = take_length(&reader);
    view_out->signatures = take(&reader, (size_t)view_out->signature_count * ERX_SIGNATURE_SIZE);
    return !reader.is_broken && view_out->signature_count > 0 && read_message(&reader, view_out);
}

bool erx_message_view_read(const uint8_t *message, size_t size, erx_packet_view_t *view_out)
{
    reader_t reader = {message, message + size, false};
    memset(view_out, 0, sizeof *view_out);
    return read_message(&reader, view_out);
}

bool erx_packet_is_signer(const erx_packet_view_t *view, uint16_t i)
{
    return i < view->required_signatures;
}

bool erx_packet_is_writable(const erx_packet_view_t *view, uint16_t i)
{
    if (erx_packet_is_signer(view, i))
        return i + view->readonly_signed < view->required_signatures;
    return i + view->readonly_unsigned < view->key_count;
}
