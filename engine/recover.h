/* Which records count after a crash.
 *
 * Every valid record of both copies is a candidate. D is the greatest sequence
 * that any valid record, checkpoint or the data directory claims to be durable.
 * Recovery starts at the record of sequence D (at sequence 1 where nothing is
 * claimed), follows it back through the hashes of previous records as far as
 * they are there, and forward for as long as there is a successor: a record of
 * the next sequence that names this one's hash. Of several successors, which
 * an earlier crash can leave behind, the one of the latest epoch counts; two
 * of one epoch cannot be.
 *
 * What is done with each sequence follows from what its place in each copy
 * holds: "match" the record that counts, "other" another valid record (of an
 * earlier lap, or of a chain that a crash cut off), "damaged" anything else;
 * and from whether the sequence is claimed to be durable (it is D):
 *
 *   copy 1   copy 2   claimed  action
 *   match    match    -        take
 *   match    other    -        take, write to copy 2
 *   match    damaged  -        take, write to copy 2
 *   other    match    -        take, write to copy 1
 *   damaged  match    -        take, write to copy 1
 *   other or damaged  no       end: the journal ends before it
 *   other or damaged  yes      halt: what was promised is lost
 *
 * Records before D that are missing are not a halt here: sessions may not need
 * them. Replay halts, naming session and record, where one does. */
#ifndef ERX_ENGINE_RECOVER_H
#define ERX_ENGINE_RECOVER_H

#include "engine/journal.h"

typedef enum { ERX_COPY_MATCH, ERX_COPY_OTHER, ERX_COPY_DAMAGED, ERX_COPY_STATES } erx_copy_state_t;

typedef enum {
    ERX_RECOVER_TAKE,
    ERX_RECOVER_TAKE_MEND_1, /* and write it to the first copy */
    ERX_RECOVER_TAKE_MEND_2,
    ERX_RECOVER_END,
    ERX_RECOVER_HALT
} erx_recover_action_t;

/* The table above: [copy 1][copy 2][claimed]. */
extern const erx_recover_action_t erx_recover_table[ERX_COPY_STATES][ERX_COPY_STATES][2];

typedef struct {
    const erx_record_t *record; /* in the bytes of a copy */
    bool mend[ERX_JOURNAL_COPIES];
} erx_chain_link_t;

/* The records that count, oldest first; sequences without gaps. */
typedef struct {
    uint64_t first_sequence; /* 1 where count is 0 */
    uint64_t last_sequence;  /* 0 where count is 0 */
    uint64_t claimed;        /* D */
    uint64_t epoch;          /* greatest of any valid record */
    uint32_t count;
    erx_chain_link_t *links; /* freed by erx_chain_free */
} erx_chain_t;

typedef struct {
    const uint8_t *copies[ERX_JOURNAL_COPIES]; /* whole files; 8-byte aligned */
    uint64_t bytes;                            /* of one */
    const uint8_t *file_id;
    uint64_t claimed; /* by what is not a record; 0: nothing */
    const char *name; /* of the journal, for messages */
} erx_recover_input_t;

/* Finds the chain. Errors: ERX_ERR_HASH (halt: the message names the record and
 * says what to do), ERX_ERR_MEMORY. Links point into input's bytes. */
erx_status_t erx_recover_chain(const erx_recover_input_t *input, erx_chain_t *chain_out,
                               erx_error_t *error);

/* The link of a sequence in [first_sequence, last_sequence]. */
static inline const erx_chain_link_t *erx_chain_link(const erx_chain_t *chain, uint64_t sequence)
{
    return &chain->links[sequence - chain->first_sequence];
}

void erx_chain_free(erx_chain_t *chain);

#endif
