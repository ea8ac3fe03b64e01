/* The sections of a manifest that are of fixed size: identity, architecture,
 * heads, exponents, hashes, shard map. */
#ifndef ERX_ENGINE_MANIFEST_SECTIONS_H
#define ERX_ENGINE_MANIFEST_SECTIONS_H

#include "engine/json_fields.h"
#include "engine/manifest.h"

/* Reads and checks them all into manifest; allocates nothing. */
erx_status_t erx_manifest_read_sections(const erx_fields_t *root, erx_manifest_t *manifest);

#endif
