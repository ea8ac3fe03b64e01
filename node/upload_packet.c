#include "node/upload_packet.h"

#include "node/airdrop.h"
#include "node/common.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define TAG_BYTES 8u

void erx_upload_put(erx_upload_instruction_t *instruction, const void *bytes, size_t count)
{
    memcpy(instruction->data + instruction->data_size, bytes, count);
    instruction->data_size += (uint32_t)count;
}

void erx_upload_put_number(erx_upload_instruction_t *instruction, uint64_t value, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        instruction->data[instruction->data_size++] = (uint8_t)(value >> (8 * i));
}

void erx_upload_begin(erx_upload_instruction_t *instruction, const char *name)
{
    char text[64];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    int length = snprintf(text, sizeof text, "global:%s", name);
    (void)SHA256((const unsigned char *)text, (size_t)length, digest);
    instruction->data_size = 0;
    erx_upload_put(instruction, digest, TAG_BYTES);
}

typedef struct {
    uint8_t *at, *end;
} cursor_t;

static void put(cursor_t *cursor, const void *bytes, size_t count)
{
    if (cursor->at == NULL || count > (size_t)(cursor->end - cursor->at)) {
        cursor->at = NULL; /* too long: told at the end */
        return;
    }
    memcpy(cursor->at, bytes, count);
    cursor->at += count;
}

static void put_byte(cursor_t *cursor, uint32_t byte)
{
    put(cursor, &(const uint8_t){(uint8_t)byte}, 1);
}

static void put_length(cursor_t *cursor, uint32_t length)
{
    for (; length >= 0x80; length >>= 7)
        put_byte(cursor, (length & 0x7f) | 0x80);
    put_byte(cursor, length);
}

/* Keys: authority (signs, pays), target, readers, program. */
static void put_message(cursor_t *cursor, const erx_upload_instruction_t *instruction,
                        const erx_keypair_t *authority, const uint8_t blockhash[ERX_HASH_SIZE])
{
    erx_pubkey_t payer = erx_keypair_public(authority);
    uint32_t readers = instruction->reader_count;
    put_byte(cursor, 1);
    put_byte(cursor, 0);
    put_byte(cursor, readers + 1);
    put_length(cursor, readers + 3);
    put(cursor, &payer, sizeof payer);
    put(cursor, &instruction->target, sizeof instruction->target);
    put(cursor, instruction->readers, readers * sizeof instruction->readers[0]);
    put(cursor, &instruction->program, sizeof instruction->program);
    put(cursor, blockhash, ERX_HASH_SIZE);
    put_length(cursor, 1);
    put_byte(cursor, readers + 2); /* the program */
    put_length(cursor, readers + 2);
    put_byte(cursor, 1);
    put_byte(cursor, 0);
    for (uint32_t i = 0; i < readers; i++)
        put_byte(cursor, 2 + i);
    put_length(cursor, instruction->data_size);
    put(cursor, instruction->data, instruction->data_size);
}

bool erx_upload_packet(const erx_upload_instruction_t *instruction, const erx_keypair_t *authority,
                       const uint8_t blockhash[ERX_HASH_SIZE], uint8_t packet_out[ERX_PACKET_MAX],
                       size_t *size_out)
{
    uint8_t *message = packet_out + 1 + ERX_SIGNATURE_SIZE;
    cursor_t cursor = {message, packet_out + ERX_PACKET_MAX};
    put_message(&cursor, instruction, authority, blockhash);
    if (cursor.at == NULL)
        return false;
    packet_out[0] = 1; /* signature */
    *size_out = (size_t)(cursor.at - packet_out);
    return erx_sign(authority->bytes, message, (size_t)(cursor.at - message), packet_out + 1);
}
