/* The parts of a transaction's wire bytes, legacy or v0, as they stand there. */
#ifndef ERX_NODE_PACKET_VIEW_H
#define ERX_NODE_PACKET_VIEW_H

#include "abi/erx.h"
#include "node/common.h"

#define ERX_PACKET_KEYS_MAX         64u
#define ERX_PACKET_INSTRUCTIONS_MAX 128u /* each takes three bytes of a packet or more */
#define ERX_PACKET_LOOKUPS_MAX      32u  /* each takes 34 bytes or more */

typedef struct {
    uint8_t program;
    const uint8_t *accounts;
    uint16_t account_count;
    const uint8_t *data;
    uint16_t data_size;
} erx_packet_instruction_t;

typedef struct {
    const uint8_t *table;
    const uint8_t *writable;
    uint16_t writable_count;
    const uint8_t *readonly;
    uint16_t readonly_count;
} erx_packet_lookup_t;

typedef struct {
    uint16_t signature_count;
    const uint8_t *signatures;
    bool is_versioned;
    uint8_t required_signatures, readonly_signed, readonly_unsigned;
    uint16_t key_count; /* static ones */
    const uint8_t *keys;
    const uint8_t *blockhash;
    uint16_t instruction_count;
    erx_packet_instruction_t instructions[ERX_PACKET_INSTRUCTIONS_MAX];
    uint16_t lookup_count;
    erx_packet_lookup_t lookups[ERX_PACKET_LOOKUPS_MAX];
} erx_packet_view_t;

/* Reads all of packet; false where it is no transaction. The view leads into it. */
bool erx_packet_view_read(const uint8_t *packet, size_t size, erx_packet_view_t *view_out);

/* The same for a message alone, without signatures. */
bool erx_message_view_read(const uint8_t *message, size_t size, erx_packet_view_t *view_out);

/* Whether the message lets its account i (a static one) be written, and whether
 * it signs. */
bool erx_packet_is_writable(const erx_packet_view_t *view, uint16_t i);
bool erx_packet_is_signer(const erx_packet_view_t *view, uint16_t i);

#endif
