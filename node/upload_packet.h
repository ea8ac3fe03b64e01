/* Transactions with one instruction of the world program and one signer. */
#ifndef ERX_NODE_UPLOAD_PACKET_H
#define ERX_NODE_UPLOAD_PACKET_H

#include "abi/erx.h"
#include "node/keypair.h"

#define ERX_UPLOAD_READERS_MAX 5u /* the System program, or a manifest's shards */
#define ERX_UPLOAD_DATA_MAX    1024u

typedef struct {
    erx_pubkey_t program;
    erx_pubkey_t target;                          /* written */
    erx_pubkey_t readers[ERX_UPLOAD_READERS_MAX]; /* read, behind target and authority */
    uint32_t reader_count;
    uint8_t data[ERX_UPLOAD_DATA_MAX];
    uint32_t data_size;
} erx_upload_instruction_t;

/* Appends to data; the caller keeps within ERX_UPLOAD_DATA_MAX. */
void erx_upload_put(erx_upload_instruction_t *instruction, const void *bytes, size_t count);
void erx_upload_put_number(erx_upload_instruction_t *instruction, uint64_t value, uint32_t size);

/* Begins data with the discriminator of global:NAME. */
void erx_upload_begin(erx_upload_instruction_t *instruction, const char *name);

/* The signed packet; accounts are target, authority, readers. */
bool erx_upload_packet(const erx_upload_instruction_t *instruction, const erx_keypair_t *authority,
                       const uint8_t blockhash[ERX_HASH_SIZE], uint8_t packet_out[ERX_PACKET_MAX],
                       size_t *size_out);

#endif
