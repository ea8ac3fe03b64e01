/* A session on its way from one engine to another: its accounts as they are
 * between two blocks (with the inputs received since the last frame, which lie
 * in InputBuffer), the chain of its frame hashes, and a hash over all of it.
 *
 *   offset  bytes  field
 *   0       16     hash         XXH3-128 of the bytes from 16 on
 *   16      8      magic        "ERXSESN1"
 *   24      4      version      2
 *   28      4      arena_bytes
 *   32      32     model        hash of the model that plays it
 *   64      8      frame_hash   of the session's chain
 *   72      56     zero
 *   128            arena
 *
 * An engine that imports it and feeds it the same inputs goes on with the same
 * bytes. The exporting engine keeps its session until it ends it. */
#ifndef ERX_ENGINE_TRANSFER_H
#define ERX_ENGINE_TRANSFER_H

#include "engine/model.h"

#define ERX_TRANSFER_MAGIC   "ERXSESN1"
#define ERX_TRANSFER_VERSION 2u

/* Bytes of an exported session of a shape. */
size_t erx_transfer_bytes(const erx_shape_t *shape);

/* Writes erx_transfer_bytes of the model's shape. Of an engine that is not
 * durable, the chain of hashes is the one that the session began with. Control
 * thread, between blocks. */
void erx_transfer_export(const erx_model_t *model, const erx_session_t *session, void *bytes_out);

/* Starts a session of the model from exported bytes[0, size), any bytes at all.
 * A durable engine journals it with the next block. Errors: ERX_ERR_FORMAT,
 * ERX_ERR_HASH, ERX_ERR_DIFFERS (of another model), ERX_ERR_RANGE (a state that
 * no model gives), ERX_ERR_FULL. Control thread, between blocks. */
erx_status_t erx_transfer_import(erx_model_t *model, const void *bytes, size_t size,
                                 uint64_t *handle_out, erx_error_t *error);

#endif
