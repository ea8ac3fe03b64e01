/* Keys (addresses of accounts), signatures and hashes, and the keys that every
 * Solana program knows. */
#ifndef ERX_ENGINE_TRANSACTION_KEY_H
#define ERX_ENGINE_TRANSACTION_KEY_H

#include "mem/base.h"

#define ERX_KEY_BYTES       32u
#define ERX_KEY_TEXT_MAX    45u /* 44 characters and the terminator */
#define ERX_SIGNATURE_BYTES 64u

/* A public key, a program-derived address or a blockhash. */
typedef struct {
    uint8_t bytes[ERX_KEY_BYTES];
} erx_key_t;

typedef struct {
    uint8_t bytes[ERX_SIGNATURE_BYTES];
} erx_signature_t;

/* Negative, 0 or positive: the order of the bytes. */
int erx_key_compare(const erx_key_t *a, const erx_key_t *b);

bool erx_key_equals(const erx_key_t *a, const erx_key_t *b);

/* Base58, terminated. */
void erx_key_text(const erx_key_t *key, char text_out[ERX_KEY_TEXT_MAX]);

/* Reads the same text; false, with nothing written, where it is not exactly the
 * base58 of 32 bytes. */
bool erx_key_parse(const char *text, erx_key_t *key_out);

/* Programs. */
extern const erx_key_t erx_key_system;
extern const erx_key_t erx_key_compute_budget;
extern const erx_key_t erx_key_memo;
extern const erx_key_t erx_key_memo_v1;
extern const erx_key_t erx_key_address_lookup_table;
extern const erx_key_t erx_key_native_loader;
extern const erx_key_t erx_key_upgradeable_loader;
extern const erx_key_t erx_key_world; /* the default id; an engine may be set to another */
extern const erx_key_t erx_key_delegation;

/* System variables; the first one owns the others. */
extern const erx_key_t erx_key_sysvar;
extern const erx_key_t erx_key_sysvar_clock;
extern const erx_key_t erx_key_sysvar_epoch_schedule;
extern const erx_key_t erx_key_sysvar_instructions;
extern const erx_key_t erx_key_sysvar_recent_blockhashes;
extern const erx_key_t erx_key_sysvar_rent;
extern const erx_key_t erx_key_sysvar_slot_hashes;

/* Whether no transaction may write it: builtin programs and system variables.
 * A message that asks for it reads it only. */
bool erx_key_is_reserved(const erx_key_t *key);

#endif
