/* Accounts as JSON-RPC shows them. */
#ifndef ERX_NODE_ACCOUNT_JSON_H
#define ERX_NODE_ACCOUNT_JSON_H

#include "abi/erx.h"
#include "node/json_writer.h"

#include <jansson.h>

typedef enum {
    ERX_ENCODING_BASE58,
    ERX_ENCODING_BASE64,
    ERX_ENCODING_BASE64_ZSTD,
} erx_encoding_t;

/* Account data in base58 may be no longer than this, as in Solana. */
#define ERX_BASE58_DATA_MAX 128u

/* How a client wants accounts. */
typedef struct {
    erx_encoding_t encoding;
    bool has_slice;
    uint32_t slice_offset;
    uint32_t slice_length;
} erx_account_view_t;

/* What is shown; data is whole. */
typedef struct {
    erx_pubkey_t owner;
    uint64_t lamports;
    const uint8_t *data;
    uint32_t data_size;
    bool executable;
} erx_account_t;

/* Reads {"encoding": ..., "dataSlice": ...}; options may be NULL. jsonParsed
 * falls back to base64. Returns what is wrong, or NULL. */
const char *erx_account_view_read(const json_t *options, erx_account_view_t *view_out);

/* Writes the account object. False, with nothing that could be kept written,
 * where the data is too long for base58. */
bool erx_account_json(erx_json_writer_t *writer, const erx_account_t *account,
                      const erx_account_view_t *view);

#endif
