/* Both copies of a journal, read whole, and the chain of records that count. */
#ifndef ERX_ENGINE_JOURNAL_READ_H
#define ERX_ENGINE_JOURNAL_READ_H

#include "engine/io.h"
#include "engine/recover.h"
#include "mem/region.h"

typedef struct {
    erx_region_t region;
    erx_chain_t chain; /* points into region */
} erx_journal_files_t;

/* Reads files 0 and 1 of a device; input says what erx_recover_chain needs, but
 * for the copies. What one copy cannot give is as if it were damaged there.
 * Errors: ERX_ERR_IO where neither copy can be read somewhere, those of
 * erx_recover_chain, ERX_ERR_MEMORY. */
erx_status_t erx_journal_read(erx_journal_files_t *files_out, erx_io_t *io,
                              const erx_recover_input_t *input, erx_error_t *error);

void erx_journal_read_close(erx_journal_files_t *files);

#endif
