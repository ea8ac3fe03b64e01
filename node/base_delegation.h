/* The Delegation program of the base layer: its addresses and what its accounts
 * hold. BASE_LAYER.md has the layouts. */
#ifndef ERX_NODE_BASE_DELEGATION_H
#define ERX_NODE_BASE_DELEGATION_H

#include "node/base_layer.h"

/* Its addresses of an account, or of a validator or program. */
typedef enum {
    ERX_DELEGATION_RECORD,
    ERX_DELEGATION_METADATA,
    ERX_DELEGATION_COMMIT_STATE,
    ERX_DELEGATION_COMMIT_RECORD,
    ERX_DELEGATION_UNDELEGATE_BUFFER,
    ERX_DELEGATION_VALIDATOR_FEES, /* of a validator */
    ERX_DELEGATION_PROGRAM_CONFIG, /* of a program */
    ERX_DELEGATION_FEES,           /* the only one; key is not looked at */
} erx_delegation_address_t;

extern const char erx_delegation_program_text[]; /* base58 */

/* The program's id. */
erx_pubkey_t erx_delegation_program(void);

bool erx_delegation_address(erx_delegation_address_t kind, const erx_pubkey_t *key,
                            erx_pubkey_t *address_out);

/* Reads a record; false where the account is none. */
bool erx_delegation_record_read(const erx_base_account_t *account,
                                erx_delegation_t *delegation_out);

typedef struct {
    uint64_t commits; /* so far: the next commit has this number and one */
    erx_pubkey_t rent_payer;
} erx_delegation_metadata_t;

bool erx_delegation_metadata_read(const erx_base_account_t *account,
                                  erx_delegation_metadata_t *metadata_out);

#endif
