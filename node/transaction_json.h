/* Transactions and their outcomes as JSON-RPC shows them. */
#ifndef ERX_NODE_TRANSACTION_JSON_H
#define ERX_NODE_TRANSACTION_JSON_H

#include "node/block_event.h"
#include "node/json_writer.h"

#define ERX_TRANSACTION_TEXT_MAX 256u

/* How a transaction ended. */
typedef struct {
    int32_t code; /* erx_tx_code_t */
    uint32_t instruction_index;
    int32_t instruction_code;
    uint32_t instruction_custom;
} erx_transaction_fate_t;

erx_transaction_fate_t erx_outcome_fate(const erx_transaction_outcome_t *outcome);

/* The err value: null, "BlockhashNotFound", {"InstructionError":[0,{"Custom":1}]}. */
void erx_fate_json(erx_json_writer_t *writer, erx_transaction_fate_t fate);

/* The status value: {"Ok":null} or {"Err":...}. */
void erx_fate_status_json(erx_json_writer_t *writer, erx_transaction_fate_t fate);

/* The sentence that clients show, terminated. */
void erx_fate_text(erx_transaction_fate_t fate, char text_out[ERX_TRANSACTION_TEXT_MAX]);

/* An array of the log lines. */
void erx_logs_json(erx_json_writer_t *writer, const erx_transaction_outcome_t *outcome);

/* returnData: {"programId":...,"data":[...,"base64"]} or null. */
void erx_return_data_json(erx_json_writer_t *writer, const erx_transaction_outcome_t *outcome);

typedef enum {
    ERX_TRANSACTION_JSON,
    ERX_TRANSACTION_JSON_PARSED,
    ERX_TRANSACTION_BASE58,
    ERX_TRANSACTION_BASE64,
} erx_transaction_encoding_t;

/* The result of getTransaction. */
void erx_transaction_record_json(erx_json_writer_t *writer, const erx_transaction_record_t *record,
                                 erx_transaction_encoding_t encoding);

/* Whether wire bytes hold a v0 message; false for legacy ones. */
bool erx_packet_is_versioned(const uint8_t *packet, size_t size);

/* The text of a transaction's first memo; false where it has none. The text
 * leads into the packet. */
bool erx_packet_memo(const uint8_t *packet, size_t size, const uint8_t **memo_out,
                     size_t *size_out);

#endif
