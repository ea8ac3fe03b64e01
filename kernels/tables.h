/* The global tables of NUMERICS 9. They are data: the bytes are fixed by the
 * profile, not computed at run time. */
#ifndef ERX_KERNELS_TABLES_H
#define ERX_KERNELS_TABLES_H

#include "mem/base.h"

extern const int16_t erx_table_sig[257];  /* sigmoid, Q15, x = i / 8 - 16 */
extern const int32_t erx_table_spl[513];  /* ln(1 + exp(-i / 32)), Q24 */
extern const int32_t erx_table_exp2[257]; /* 2^(-i / 256), Q30 */

/* SHA-256 of SIG | SPL | E2, little-endian, that a manifest must name. */
extern const uint8_t erx_tables_sha256[32];

#endif
