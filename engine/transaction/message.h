/* Transactions as they arrive: one packet of signatures and a message, legacy
 * or version 0.
 *
 *   packet   = compact count, signatures [64] each, message
 *   message  = 0x80 | version (absent: legacy),
 *              u8 signatures required, u8 of these read-only,
 *              u8 read-only keys without a signature,
 *              compact count, keys [32] each, blockhash [32],
 *              compact count, instructions,
 *              version 0 only: compact count, lookups
 *   instruction = u8 program, compact count, u8 accounts, compact count, data
 *   lookup   = table's key [32], compact count, u8 writable entries,
 *              compact count, u8 read-only entries
 *   compact  = 7 bits a byte, lowest first, bit 7: more follow; at most 3
 *              bytes and 65535, no byte that adds nothing
 *
 * Two steps: parse looks at the packet alone; resolve adds the keys that lookup
 * tables hold and says which keys sign and which are written. Neither
 * allocates, and both refuse with a fault of their own whatever the runtime
 * refuses. Any thread. */
#ifndef ERX_ENGINE_TRANSACTION_MESSAGE_H
#define ERX_ENGINE_TRANSACTION_MESSAGE_H

#include "engine/transaction/key.h"
#include "engine/transaction/transaction_error.h"

#define ERX_PACKET_BYTES_MAX         1232u /* an IPv6 packet of 1280 bytes without headers */
#define ERX_MESSAGE_KEYS_MAX         256u  /* what an index of one byte reaches */
#define ERX_MESSAGE_LOCKS_MAX        64u   /* accounts of one transaction, as the runtime has it */
#define ERX_MESSAGE_SIGNATURES_MAX   12u   /* that fit a packet with their keys */
#define ERX_MESSAGE_INSTRUCTIONS_MAX 64u   /* the runtime executes no more */

/* What is wrong. A packet that cannot be read to its end has the fault of its
 * first such place; otherwise the first of this list that it has is reported. */
typedef enum {
    ERX_MESSAGE_GOOD,
    /* Parse; SanitizeFailure where no other name of the runtime is given. */
    ERX_MESSAGE_TOO_LONG,              /* more than ERX_PACKET_BYTES_MAX bytes */
    ERX_MESSAGE_TRUNCATED,             /* ends inside a field */
    ERX_MESSAGE_COUNT_ENCODING,        /* a compact count is too long or not the shortest */
    ERX_MESSAGE_VERSION,               /* UnsupportedVersion */
    ERX_MESSAGE_TRAILING_BYTES,        /* goes on after its last field */
    ERX_MESSAGE_NO_SIGNATURE,          /* nobody pays */
    ERX_MESSAGE_SIGNATURE_COUNT,       /* other than the header requires */
    ERX_MESSAGE_SIGNERS_OVER_KEYS,     /* signers and read-only keys are more than keys */
    ERX_MESSAGE_PAYER_READONLY,        /* no signer is writable */
    ERX_MESSAGE_EMPTY_LOOKUP,          /* a lookup that takes nothing from its table */
    ERX_MESSAGE_KEYS_OVER_INDEX,       /* keys with looked-up ones over ERX_MESSAGE_KEYS_MAX */
    ERX_MESSAGE_TOO_MANY_INSTRUCTIONS, /* over ERX_MESSAGE_INSTRUCTIONS_MAX */
    ERX_MESSAGE_PROGRAM_IS_PAYER,      /* an instruction names key 0 as its program */
    ERX_MESSAGE_PROGRAM_INDEX,         /* a program's index is not among the packet's keys */
    ERX_MESSAGE_ACCOUNT_INDEX,         /* an account's index is not among all keys */
    ERX_MESSAGE_TOO_MANY_LOCKS,        /* TooManyAccountLocks */
    /* Resolve. */
    ERX_MESSAGE_DUPLICATE_KEY,   /* AccountLoadedTwice */
    ERX_MESSAGE_TABLE_NOT_FOUND, /* AddressLookupTableNotFound; also a closed one */
    ERX_MESSAGE_TABLE_OWNER,     /* InvalidAddressLookupTableOwner */
    ERX_MESSAGE_TABLE_DATA,      /* InvalidAddressLookupTableData */
    ERX_MESSAGE_TABLE_INDEX,     /* InvalidAddressLookupTableIndex */
    ERX_MESSAGE_FAULT_COUNT
} erx_message_fault_t;

/* One line for people; never NULL. */
const char *erx_message_fault_text(erx_message_fault_t fault);

/* The runtime's error for a fault; ERX_TRANSACTION_OK for none. */
erx_transaction_error_t erx_message_fault_error(erx_message_fault_t fault);

typedef enum { ERX_MESSAGE_LEGACY, ERX_MESSAGE_V0 } erx_message_version_t;

/* A well-formed packet: places in it, which stays the caller's and must outlive
 * this. Offsets are from the packet's first byte. */
typedef struct {
    const uint8_t *packet;
    uint16_t packet_bytes;
    uint8_t version; /* erx_message_version_t */
    uint8_t signature_count;
    uint8_t readonly_signed_count;
    uint8_t readonly_unsigned_count;
    uint16_t key_count; /* in the packet */
    uint16_t looked_up_writable_count;
    uint16_t looked_up_readonly_count;
    uint16_t instruction_count;
    uint16_t lookup_count;
    uint16_t signatures_offset;
    uint16_t message_offset; /* what is signed goes from here to the end */
    uint16_t keys_offset;
    uint16_t blockhash_offset;
    uint16_t instructions_offset; /* the first one */
    uint16_t lookups_offset;      /* the first one */
} erx_message_t;

/* Reads a packet. On a fault message_out is all zero. */
erx_message_fault_t erx_message_parse(const uint8_t *packet, size_t bytes,
                                      erx_message_t *message_out);

/* Places in the packet. index is below the count of its kind. */
const erx_signature_t *erx_message_signature(const erx_message_t *message, uint32_t index);
const erx_key_t *erx_message_key(const erx_message_t *message, uint32_t index);
const erx_key_t *erx_message_blockhash(const erx_message_t *message);

/* Keys with those that lookup tables will give. */
uint32_t erx_message_total_key_count(const erx_message_t *message);

typedef struct {
    const uint8_t *accounts; /* indexes into all keys */
    const uint8_t *data;
    uint16_t account_count;
    uint16_t data_bytes;
    uint8_t program; /* index into all keys; one of the packet's own */
} erx_message_instruction_t;

/* A walk over instructions: start from zero. */
typedef struct {
    uint16_t index;
    uint16_t offset;
} erx_message_cursor_t;

/* Gives the next instruction; false after the last one. */
bool erx_message_next(const erx_message_t *message, erx_message_cursor_t *cursor,
                      erx_message_instruction_t *instruction_out);

/* An account that a version 0 message names as a lookup table, as the owner of
 * the accounts gives it. data stays valid until resolve returns. */
typedef struct {
    erx_key_t owner;
    const uint8_t *data;
    size_t bytes;
} erx_message_table_t;

/* Finds the account of that key; false where there is none. */
typedef bool (*erx_message_table_fn)(void *context, const erx_key_t *key,
                                     erx_message_table_t *table_out);

/* All keys of a transaction: the packet's, then the looked-up writable ones,
 * then the looked-up read-only ones, as instructions count them. Bit i of a
 * mask belongs to key i. */
typedef struct {
    uint32_t count;
    uint64_t signers;
    uint64_t writable; /* without reserved keys and called programs, see below */
    erx_key_t keys[ERX_MESSAGE_LOCKS_MAX];
} erx_message_keys_t;

/* Collects the keys of a parsed message. A key that the header makes writable is
 * read-only all the same where it is reserved (erx_key_is_reserved), or where an
 * instruction calls it as its program and the upgradeable loader is not among
 * the keys.
 *
 * slot is the slot that the tables' accounts belong to: entries that a table
 * got in this very slot do not count yet, and a table that was deactivated is
 * found for 512 slots more. find is not called for legacy messages and may then
 * be NULL. On a fault keys_out is all zero. */
erx_message_fault_t erx_message_resolve(const erx_message_t *message, uint64_t slot,
                                        erx_message_table_fn find, void *context,
                                        erx_message_keys_t *keys_out);

#endif
