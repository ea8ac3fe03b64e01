/* Tokens for clients that ask for them (getAuthToken of the ephemeral rollups'
 * SDK): a challenge is signed with the client's key and exchanged for a token.
 * Nothing is kept: challenges and tokens carry their own proof. */
#ifndef ERX_NODE_AUTH_H
#define ERX_NODE_AUTH_H

#include "node/server.h"

#define ERX_AUTH_SECRET_BYTES 32u

typedef struct {
    uint8_t secret[ERX_AUTH_SECRET_BYTES]; /* of this run */
} erx_auth_t;

bool erx_auth_open(erx_auth_t *auth_out, erx_failure_t *failure);

/* Answers GET /auth/challenge?pubkey=KEY and POST /auth/login. */
void erx_auth_answer(const erx_auth_t *auth, const erx_server_message_t *message, erx_text_t *text);

#endif
