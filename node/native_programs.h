/* The programs that are part of the validator. They have no accounts in the rollup,
 * but clients look for them to know that a program is there. */
#ifndef ERX_NODE_NATIVE_PROGRAMS_H
#define ERX_NODE_NATIVE_PROGRAMS_H

#include "node/account_json.h"

typedef enum {
    ERX_PROGRAM_OTHER, /* not a native one */
    ERX_PROGRAM_SYSTEM,
    ERX_PROGRAM_COMPUTE_BUDGET,
    ERX_PROGRAM_MEMO, /* either version */
    ERX_PROGRAM_WORLD,
} erx_native_program_t;

erx_native_program_t erx_native_program(const uint8_t key[ERX_PUBKEY_SIZE]);

/* The account that clients are shown of a native program: executable, of Solana's
 * native loader, with the program's name as its data, which is static. False for
 * other keys. */
bool erx_native_program_account(const erx_pubkey_t *key, erx_account_t *account_out);

#endif
