/* A settlement as a line of JSON, in the ledger and in the file of those that a
 * Solana node has not taken yet. */
#ifndef ERX_NODE_SETTLEMENT_LINE_H
#define ERX_NODE_SETTLEMENT_LINE_H

#include "node/base_layer.h"

#define ERX_SETTLEMENT_LINE_MAX 4096u

/* Appends a line, with its end. */
void erx_settlement_write(const erx_settlement_t *settlement, erx_text_t *text);

/* Reads a line. False where it is none, or cut short. */
bool erx_settlement_read(const char *line, size_t length, erx_settlement_t *settlement_out);

#endif
