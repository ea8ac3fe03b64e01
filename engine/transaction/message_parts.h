/* The lookups of a parsed message, for message.c and message_resolve.c. */
#ifndef ERX_ENGINE_TRANSACTION_MESSAGE_PARTS_H
#define ERX_ENGINE_TRANSACTION_MESSAGE_PARTS_H

#include "engine/transaction/message.h"

/* What a message takes from one table: indexes of its entries. */
typedef struct {
    const erx_key_t *table;
    const uint8_t *writable;
    const uint8_t *readonly;
    uint16_t writable_count;
    uint16_t readonly_count;
} erx_message_lookup_t;

/* Gives the next lookup; false after the last one. The cursor starts from zero. */
bool erx_message_next_lookup(const erx_message_t *message, erx_message_cursor_t *cursor,
                             erx_message_lookup_t *lookup_out);

#endif
