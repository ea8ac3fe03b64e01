/* The activation tables of bytecode programs (luts.bin, format int8_luts_v1):
 * SiLU, softplus, reciprocal root and exp(-x), 256 bytes each. The engine's own
 * tables are kernels/tables.h; these only travel with a model. */
#ifndef ERX_TOOLS_ACTIVATION_TABLES_H
#define ERX_TOOLS_ACTIVATION_TABLES_H

#include "mem/status.h"

#define ERX_ACTIVATION_TABLES      4u
#define ERX_ACTIVATION_TABLE_BYTES 256u
#define ERX_ACTIVATION_BYTES       (ERX_ACTIVATION_TABLES * ERX_ACTIVATION_TABLE_BYTES)

#define ERX_LUTS_FILE              "luts.bin"
#define ERX_LUTS_JSON_FILE         "luts.json"

/* Entry i of a table is its function at i times the input scale (i as a signed
 * byte where the input is signed), divided by the output scale, rounded half
 * to even and clipped. The functions are smooth and no entry lies near a half,
 * so every correct libm gives the same bytes. */
void erx_activation_tables_fill(uint8_t bytes_out[ERX_ACTIVATION_BYTES]);

/* Writes luts.json, which describes the tables, to path. */
erx_status_t erx_activation_tables_describe(const char *path, erx_error_t *error);

#endif
