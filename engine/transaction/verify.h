/* Ed25519 as the runtime verifies it: strict. The scalar is reduced, keys are
 * canonical, neither key nor commitment has a small order, and there is no
 * cofactor, so that all who verify agree. */
#ifndef ERX_ENGINE_TRANSACTION_VERIFY_H
#define ERX_ENGINE_TRANSACTION_VERIFY_H

#include "engine/transaction/message.h"

/* Whether a signature over data is the key's. Any thread; some 50 us. */
bool erx_verify_signature(const erx_signature_t *signature, const erx_key_t *key, const void *data,
                          size_t bytes);

/* Whether all signatures of a parsed message are good. Any thread. */
bool erx_verify_message(const erx_message_t *message);

/* SHA-256 of what is signed: tells a repeated transaction, whatever its
 * signatures are. Any thread. */
void erx_message_hash(const erx_message_t *message, erx_key_t *hash_out);

#endif
