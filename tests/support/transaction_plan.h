/* Transactions for tests: a plan says what a packet holds, also what no packet
 * may hold; writing it makes the bytes, and signing them makes it real. */
#ifndef ERX_TESTS_SUPPORT_TRANSACTION_PLAN_H
#define ERX_TESTS_SUPPORT_TRANSACTION_PLAN_H

#include "engine/transaction/message.h"

#define ERX_PLAN_INSTRUCTIONS_MAX 400u
#define ERX_PLAN_LOOKUPS_MAX      40u /* more than fit a packet */
#define ERX_PLAN_BYTES_MAX        65536u

/* Who signs; made from a number, so that it can be had again. */
typedef struct {
    erx_key_t key;
    uint8_t secret[64];
} erx_plan_signer_t;

typedef struct {
    uint8_t program;
    uint16_t account_count;
    const uint8_t *accounts;
    uint16_t data_bytes;
    const void *data;
} erx_plan_instruction_t;

typedef struct {
    erx_key_t table;
    uint16_t writable_count;
    const uint8_t *writable;
    uint16_t readonly_count;
    const uint8_t *readonly;
} erx_plan_lookup_t;

/* What the packet says, field by field; nothing is checked. */
typedef struct {
    bool has_version;
    uint8_t version;
    uint16_t signature_count;
    uint8_t signatures_required;
    uint8_t readonly_signed_count;
    uint8_t readonly_unsigned_count;
    uint16_t key_count;
    erx_key_t keys[ERX_MESSAGE_KEYS_MAX + 1];
    erx_key_t blockhash;
    uint16_t instruction_count;
    erx_plan_instruction_t instructions[ERX_PLAN_INSTRUCTIONS_MAX];
    uint16_t lookup_count;
    erx_plan_lookup_t lookups[ERX_PLAN_LOOKUPS_MAX];
} erx_plan_t;

erx_plan_signer_t erx_plan_signer(uint64_t number);

/* A good legacy transaction: signers 1 (writable) and 2 (read-only), one writable
 * key, one read-only key, one program, and two instructions with data. */
erx_plan_t erx_plan_legacy(void);

/* The same as version 0, with one table: writable entries 0 and 2, read-only
 * entry 1. */
erx_plan_t erx_plan_v0(void);

/* Writes the packet, with zeros for signatures; returns its size, which is at
 * most ERX_PLAN_BYTES_MAX. */
size_t erx_plan_write(const erx_plan_t *plan, uint8_t packet_out[ERX_PLAN_BYTES_MAX]);

/* Puts the signatures of signers 1, 2, ... in place. */
void erx_plan_sign(const erx_plan_t *plan, uint8_t *packet, size_t bytes);

/* Makes a good one-signature transaction, different for every number, and signs
 * it. Returns its size. */
size_t erx_plan_numbered(uint64_t number, uint8_t packet_out[ERX_PACKET_BYTES_MAX]);

/* Writes value as a compact count; returns its size, 1 to 3. */
size_t erx_plan_compact(uint16_t value, uint8_t out[3]);

#endif
