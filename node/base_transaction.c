#include "node/base_transaction.h"

#include "node/airdrop.h"
#include "node/base_delegation.h"
#include "node/json_writer.h"

#include <string.h>

/* Instructions of the Delegation program: a u64. */
#define DELEGATION_COMMIT     UINT64_C(1)
#define DELEGATION_FINALIZE   UINT64_C(2)
#define DELEGATION_UNDELEGATE UINT64_C(3)

#define COMMIT_BYTES_MAX      10240u /* of an account, by the Delegation program */
#define KEYS_MAX              20u
#define COMMIT_HEAD_BYTES     29u /* instruction, number, lamports, may be undelegated, length */
#define NOTE_MAX              640u
#define COMPACT_BYTE_MAX      0x7fu

_Static_assert(ERX_SETTLED_BYTES_MAX <= COMMIT_BYTES_MAX, "a commit takes a settled account");

static const char memo_program[] = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr";

typedef struct {
    erx_pubkey_t keys[KEYS_MAX]; /* the signer, writable ones, others */
    uint8_t key_count;
    uint8_t writable_count;
    uint8_t instruction_count;
    bool is_broken; /* it does not fit, or an address could not be had */
    uint8_t *bytes; /* instructions */
    size_t size;
    size_t capacity;
} draft_t;

/* The keys of a settlement's transaction. */
typedef struct {
    erx_pubkey_t validator, account, record, metadata, commit_state, commit_record, buffer;
    erx_pubkey_t validator_fees, fees, config, owner, rent_payer, system, delegation, memo;
} keys_t;

/* --------------------------------------------------------------- writing */

static void put(draft_t *draft, const void *bytes, size_t count)
{
    if (draft->is_broken || count > draft->capacity - draft->size) {
        draft->is_broken = true;
        return;
    }
    memcpy(draft->bytes + draft->size, bytes, count);
    draft->size += count;
}

static void put_byte(draft_t *draft, uint8_t byte)
{
    put(draft, &byte, 1);
}

static void put_number(draft_t *draft, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        put_byte(draft, (uint8_t)(value >> (8 * i)));
}

/* A length in Solana's compact form. */
static void put_length(draft_t *draft, size_t length)
{
    while (length > COMPACT_BYTE_MAX) {
        put_byte(draft, (uint8_t)(length & COMPACT_BYTE_MAX) | (COMPACT_BYTE_MAX + 1));
        length >>= 7;
    }
    put_byte(draft, (uint8_t)length);
}

static uint8_t index_of(const draft_t *draft, const erx_pubkey_t *key)
{
    uint8_t i = 0;
    while (i < draft->key_count && memcmp(&draft->keys[i], key, sizeof *key) != 0)
        i++;
    return i;
}

static void name_keys(draft_t *draft, const erx_pubkey_t *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (index_of(draft, keys[i]) < draft->key_count)
            continue;
        if (draft->key_count == KEYS_MAX) {
            draft->is_broken = true;
            return;
        }
        draft->keys[draft->key_count++] = *keys[i];
    }
}

static void put_instruction(draft_t *draft, const erx_pubkey_t *program,
                            const erx_pubkey_t *const *accounts, size_t count, size_t data_size)
{
    draft->instruction_count++;
    put_byte(draft, index_of(draft, program));
    put_length(draft, count);
    for (size_t i = 0; i < count; i++)
        put_byte(draft, index_of(draft, accounts[i]));
    put_length(draft, data_size);
}

/* ---------------------------------------------------------- instructions */

static void put_commit(draft_t *draft, const keys_t *keys, const erx_settlement_t *settlement,
                       const erx_settlement_place_t *place)
{
    const erx_pubkey_t *const accounts[] = {
        &keys->validator,      &keys->account, &keys->commit_state,
        &keys->commit_record,  &keys->record,  &keys->metadata,
        &keys->validator_fees, &keys->config,  &keys->system,
    };
    put_instruction(draft, &keys->delegation, accounts, ERX_ARRAY_COUNT(accounts),
                    COMMIT_HEAD_BYTES + settlement->state_size);
    put_number(draft, DELEGATION_COMMIT, 8);
    put_number(draft, place->commits + 1, 8);
    put_number(draft, settlement->is_plain ? settlement->lamports : place->lamports, 8);
    put_byte(draft, settlement->is_final);
    put_number(draft, settlement->state_size, 4);
    put(draft, settlement->state, settlement->state_size);
}

static void put_finalize(draft_t *draft, const keys_t *keys)
{
    const erx_pubkey_t *const accounts[] = {
        &keys->validator, &keys->account,  &keys->commit_state,   &keys->commit_record,
        &keys->record,    &keys->metadata, &keys->validator_fees, &keys->system,
    };
    put_instruction(draft, &keys->delegation, accounts, ERX_ARRAY_COUNT(accounts), 8);
    put_number(draft, DELEGATION_FINALIZE, 8);
}

static void put_undelegate(draft_t *draft, const keys_t *keys)
{
    const erx_pubkey_t *const accounts[] = {
        &keys->validator,    &keys->account,       &keys->owner,          &keys->buffer,
        &keys->commit_state, &keys->commit_record, &keys->record,         &keys->metadata,
        &keys->rent_payer,   &keys->fees,          &keys->validator_fees, &keys->system,
    };
    put_instruction(draft, &keys->delegation, accounts, ERX_ARRAY_COUNT(accounts), 8);
    put_number(draft, DELEGATION_UNDELEGATE, 8);
}

static void put_note(draft_t *draft, const keys_t *keys, const erx_settlement_t *settlement,
                     bool with_state)
{
    char account[ERX_BASE58_SIZE] = "";
    erx_text_t note;
    erx_text_open(&note, NOTE_MAX);
    erx_json_writer_t writer = erx_json_writer(&note);
    (void)erx_base58_from_bytes(settlement->account.bytes, ERX_PUBKEY_SIZE, account);
    erx_json_object_begin(&writer);
    erx_json_put_unsigned(&writer, "erx", 1); /* version of this note */
    erx_json_put_text(&writer, "account", account);
    erx_json_put_unsigned(&writer, "slot", settlement->slot);
    erx_json_put_bool(&writer, "final", settlement->is_final);
    erx_json_put_unsigned(&writer, "hiddenSize", settlement->hidden_size);
    erx_json_key(&writer, "hiddenHash");
    erx_json_base64(&writer, settlement->hidden_hash, ERX_HASH_SIZE);
    if (with_state) {
        erx_json_key(&writer, "state");
        erx_json_base64(&writer, settlement->state, settlement->state_size);
    }
    erx_json_object_end(&writer);
    draft->is_broken |= note.overflowed;
    put_instruction(draft, &keys->memo, NULL, 0, note.length);
    put(draft, note.bytes, note.length);
    erx_text_close(&note);
}

/* ----------------------------------------------------------------- whole */

static bool find_keys(const erx_settlement_t *settlement, const erx_settlement_place_t *place,
                      keys_t *keys)
{
    const erx_pubkey_t *account = &settlement->account;
    keys->account = *account;
    keys->system = (erx_pubkey_t){{0}};
    keys->delegation = erx_delegation_program();
    if (erx_base58_to_bytes(memo_program, keys->memo.bytes, ERX_PUBKEY_SIZE) != ERX_STATUS_OK)
        return false;
    if (place == NULL)
        return true;
    keys->owner = place->record.owner;
    keys->rent_payer = place->rent_payer;
    return erx_delegation_address(ERX_DELEGATION_RECORD, account, &keys->record) &&
           erx_delegation_address(ERX_DELEGATION_METADATA, account, &keys->metadata) &&
           erx_delegation_address(ERX_DELEGATION_COMMIT_STATE, account, &keys->commit_state) &&
           erx_delegation_address(ERX_DELEGATION_COMMIT_RECORD, account, &keys->commit_record) &&
           erx_delegation_address(ERX_DELEGATION_UNDELEGATE_BUFFER, account, &keys->buffer) &&
           erx_delegation_address(ERX_DELEGATION_VALIDATOR_FEES, &keys->validator,
                                  &keys->validator_fees) &&
           erx_delegation_address(ERX_DELEGATION_PROGRAM_CONFIG, &keys->owner, &keys->config) &&
           erx_delegation_address(ERX_DELEGATION_FEES, account, &keys->fees);
}

/* Which keys the message has, in the order that it asks for. */
static void name_all_keys(draft_t *draft, const keys_t *keys, bool has_place,
                          const erx_settlement_t *settlement)
{
    bool is_final = settlement->is_final;
    const erx_pubkey_t *const signer[] = {&keys->validator};
    const erx_pubkey_t *const writable[] = {
        &keys->account, &keys->commit_state, &keys->commit_record,
        &keys->record,  &keys->metadata,     &keys->validator_fees,
        &keys->buffer,  &keys->fees,         &keys->rent_payer,
    };
    const erx_pubkey_t *const others[] = {&keys->config, &keys->system, &keys->delegation,
                                          &keys->owner};
    const erx_pubkey_t *const memo[] = {&keys->memo};
    size_t only_final = 3; /* the last of writable, and one of others */
    name_keys(draft, signer, 1);
    if (has_place)
        name_keys(draft, writable, ERX_ARRAY_COUNT(writable) - (is_final ? 0 : only_final));
    draft->writable_count = draft->key_count;
    if (has_place)
        name_keys(draft, others, ERX_ARRAY_COUNT(others) - (is_final ? 0 : 1));
    if (!settlement->is_plain)
        name_keys(draft, memo, 1);
}

static size_t write_head(const draft_t *draft, const uint8_t blockhash[ERX_HASH_SIZE],
                         uint8_t *packet)
{
    size_t at = 0;
    packet[at++] = 1; /* signature */
    at += ERX_SIGNATURE_SIZE;
    packet[at++] = 1; /* signer */
    packet[at++] = 0; /* signers that are read-only */
    packet[at++] = (uint8_t)(draft->key_count - draft->writable_count);
    packet[at++] = draft->key_count;
    memcpy(packet + at, draft->keys, draft->key_count * sizeof *draft->keys);
    at += draft->key_count * sizeof *draft->keys;
    memcpy(packet + at, blockhash, ERX_HASH_SIZE);
    at += ERX_HASH_SIZE;
    packet[at++] = draft->instruction_count;
    return at;
}

bool erx_settlement_packet(const erx_settlement_t *settlement, const erx_settlement_place_t *place,
                           const erx_keypair_t *validator, const uint8_t blockhash[ERX_HASH_SIZE],
                           uint8_t packet_out[ERX_PACKET_MAX], size_t *size_out)
{
    uint8_t instructions[ERX_PACKET_MAX];
    draft_t draft = {.bytes = instructions, .capacity = sizeof instructions};
    keys_t keys = {.validator = erx_keypair_public(validator)};
    if ((settlement->is_plain && place == NULL) || !find_keys(settlement, place, &keys))
        return false;
    name_all_keys(&draft, &keys, place != NULL, settlement);
    if (place != NULL) {
        put_commit(&draft, &keys, settlement, place);
        put_finalize(&draft, &keys);
        if (settlement->is_final)
            put_undelegate(&draft, &keys);
    }
    if (!settlement->is_plain)
        put_note(&draft, &keys, settlement, place == NULL);
    if (draft.is_broken)
        return false;
    size_t head = write_head(&draft, blockhash, packet_out);
    if (draft.size > ERX_PACKET_MAX - head)
        return false;
    memcpy(packet_out + head, instructions, draft.size);
    *size_out = head + draft.size;
    const uint8_t *message = packet_out + 1 + ERX_SIGNATURE_SIZE;
    return erx_sign(validator->bytes, message, *size_out - 1 - ERX_SIGNATURE_SIZE, packet_out + 1);
}
