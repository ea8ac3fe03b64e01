#include "node/auth.h"

#include "node/airdrop.h"
#include "node/json_reader.h"
#include "node/key_text.h"
#include "node/node_clock.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#define CHALLENGE_MS UINT64_C(300000)   /* five minutes to sign */
#define TOKEN_MS     UINT64_C(86400000) /* a day */
#define PROOF_BYTES  24u

/* What is proved: until when, for whom, and for what. 64 bytes, as text in
 * base58. */
typedef struct {
    uint64_t expires_ms;
    erx_pubkey_t key;
    uint8_t proof[PROOF_BYTES];
} ticket_t;

_Static_assert(sizeof(ticket_t) == 64, "a ticket has no padding");

bool erx_auth_open(erx_auth_t *auth_out, erx_failure_t *failure)
{
    if (RAND_bytes(auth_out->secret, sizeof auth_out->secret) == 1)
        return true;
    return erx_failure_set(failure, "the system gives no random numbers");
}

static void prove(const erx_auth_t *auth, uint8_t purpose, ticket_t *ticket)
{
    uint8_t input[sizeof ticket->expires_ms + sizeof ticket->key + 1];
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    memcpy(input, &ticket->expires_ms, sizeof ticket->expires_ms);
    memcpy(input + sizeof ticket->expires_ms, &ticket->key, sizeof ticket->key);
    input[sizeof input - 1] = purpose;
    (void)HMAC(EVP_sha256(), auth->secret, sizeof auth->secret, input, sizeof input, digest, &size);
    memcpy(ticket->proof, digest, sizeof ticket->proof);
}

static void write_ticket(const erx_auth_t *auth, uint8_t purpose, const erx_pubkey_t *key,
                         uint64_t expires_ms, erx_json_writer_t *writer)
{
    ticket_t ticket = {.expires_ms = expires_ms, .key = *key};
    prove(auth, purpose, &ticket);
    erx_json_base58(writer, (const uint8_t *)&ticket, sizeof ticket);
}

static void answer_error(const erx_server_message_t *message, erx_text_t *text, unsigned status,
                         const char *reason)
{
    erx_text_clear(text);
    erx_json_writer_t writer = erx_json_writer(text);
    erx_json_object_begin(&writer);
    erx_json_put_text(&writer, "error", reason);
    erx_json_object_end(&writer);
    erx_server_respond(message->connection, status, "application/json", text);
}

static void answer_challenge(const erx_auth_t *auth, const erx_server_message_t *message,
                             erx_text_t *text)
{
    char key_text[ERX_BASE58_SIZE];
    erx_pubkey_t key;
    if (!erx_server_argument(message->connection, "pubkey", key_text, sizeof key_text) ||
        erx_base58_to_bytes(key_text, key.bytes, sizeof key.bytes) != ERX_STATUS_OK) {
        answer_error(message, text, 400, "pubkey must be a public key in base58");
        return;
    }
    erx_json_writer_t writer = erx_json_writer(text);
    erx_json_object_begin(&writer);
    erx_json_key(&writer, "challenge");
    write_ticket(auth, 'c', &key, erx_node_unix_ms() + CHALLENGE_MS, &writer);
    erx_json_object_end(&writer);
    erx_server_respond(message->connection, 200, "application/json", text);
}

/* Whether the challenge is ours and fresh, and signed with its key. */
static const char *check_login(const erx_auth_t *auth, const json_t *login, erx_pubkey_t *key_out)
{
    uint8_t signature[ERX_SIGNATURE_SIZE];
    const char *challenge = erx_json_member_text(login, "challenge");
    ticket_t ticket, ours;
    if (!erx_key_read(json_object_get(login, "pubkey"), key_out))
        return "pubkey must be a public key in base58";
    if (challenge == NULL ||
        erx_base58_to_bytes(challenge, (uint8_t *)&ticket, sizeof ticket) != ERX_STATUS_OK)
        return "challenge must be one from /auth/challenge";
    ours = ticket;
    prove(auth, 'c', &ours);
    if (CRYPTO_memcmp(ours.proof, ticket.proof, sizeof ours.proof) != 0 ||
        memcmp(&ticket.key, key_out, sizeof *key_out) != 0)
        return "challenge must be one from /auth/challenge for this pubkey";
    if (ticket.expires_ms < erx_node_unix_ms())
        return "the challenge is too old; ask for another one";
    if (!erx_signature_read(json_object_get(login, "signature"), signature) ||
        !erx_signature_check(key_out, (const uint8_t *)challenge, strlen(challenge), signature))
        return "signature must be that of the challenge's text, in base58";
    return NULL;
}

static void answer_login(const erx_auth_t *auth, const erx_server_message_t *message,
                         erx_text_t *text)
{
    erx_failure_t failure;
    erx_pubkey_t key;
    json_t *login = erx_json_read(message->body, message->body_size, &failure);
    const char *fault = check_login(auth, login, &key);
    json_decref(login);
    if (fault != NULL) {
        answer_error(message, text, 401, fault);
        return;
    }
    uint64_t expires_ms = erx_node_unix_ms() + TOKEN_MS;
    erx_json_writer_t writer = erx_json_writer(text);
    erx_json_object_begin(&writer);
    erx_json_key(&writer, "token");
    write_ticket(auth, 't', &key, expires_ms, &writer);
    erx_json_put_unsigned(&writer, "expiresAt", expires_ms);
    erx_json_object_end(&writer);
    erx_server_respond(message->connection, 200, "application/json", text);
}

void erx_auth_answer(const erx_auth_t *auth, const erx_server_message_t *message, erx_text_t *text)
{
    if (message->method == ERX_HTTP_GET && strcmp(message->path, "/auth/challenge") == 0)
        answer_challenge(auth, message, text);
    else if (message->method == ERX_HTTP_POST && strcmp(message->path, "/auth/login") == 0)
        answer_login(auth, message, text);
    else
        answer_error(message, text, 404, "there is only GET /auth/challenge and POST /auth/login");
}
