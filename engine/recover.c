#include "engine/recover.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/mutant.h"
#include "mem/alloc.h"
#include "mem/assert.h"

#define MATCH   ERX_COPY_MATCH
#define OTHER   ERX_COPY_OTHER
#define DAMAGED ERX_COPY_DAMAGED

const erx_recover_action_t erx_recover_table[ERX_COPY_STATES][ERX_COPY_STATES][2] = {
    [MATCH][MATCH] = {ERX_RECOVER_TAKE, ERX_RECOVER_TAKE},
    [MATCH][OTHER] = {ERX_RECOVER_TAKE_MEND_2, ERX_RECOVER_TAKE_MEND_2},
    [MATCH][DAMAGED] = {ERX_RECOVER_TAKE_MEND_2, ERX_RECOVER_TAKE_MEND_2},
    [OTHER][MATCH] = {ERX_RECOVER_TAKE_MEND_1, ERX_RECOVER_TAKE_MEND_1},
    [DAMAGED][MATCH] = {ERX_RECOVER_TAKE_MEND_1, ERX_RECOVER_TAKE_MEND_1},
    [OTHER][OTHER] = {ERX_RECOVER_END, ERX_RECOVER_HALT},
    [OTHER][DAMAGED] = {ERX_RECOVER_END, ERX_RECOVER_HALT},
    [DAMAGED][OTHER] = {ERX_RECOVER_END, ERX_RECOVER_HALT},
    [DAMAGED][DAMAGED] = {ERX_RECOVER_END, ERX_RECOVER_HALT},
};

/* A valid record, in one copy or in both. */
typedef struct {
    const erx_record_t *record;
    bool in[ERX_JOURNAL_COPIES];
} candidate_t;

typedef struct {
    const erx_recover_input_t *input;
    uint32_t count;
    candidate_t *candidates; /* by sequence, then latest epoch first */
} search_t;

static int compare(const void *a, const void *b)
{
    const erx_record_t *first = ((const candidate_t *)a)->record;
    const erx_record_t *second = ((const candidate_t *)b)->record;
    if (first->sequence != second->sequence)
        return first->sequence < second->sequence ? -1 : 1;
    if (first->epoch != second->epoch)
        return first->epoch > second->epoch ? -1 : 1;
    return memcmp(first->hash.bytes, second->hash.bytes, sizeof first->hash.bytes);
}

/* Adds the valid records of one copy. */
static void collect(search_t *search, uint32_t copy)
{
    const erx_recover_input_t *input = search->input;
    for (uint64_t offset = 0; offset < input->bytes;) {
        const uint8_t *at = input->copies[copy] + offset;
        if (!erx_record_is_valid(at, input->bytes - offset, input->file_id, offset)) {
            offset += ERX_JOURNAL_ALIGNMENT;
            continue;
        }
        candidate_t *candidate = &search->candidates[search->count++];
        *candidate = (candidate_t){.record = (const erx_record_t *)(const void *)at};
        candidate->in[copy] = true;
        offset += candidate->record->length;
    }
}

/* Makes one candidate of the two copies of a record. */
static void unite(search_t *search)
{
    uint32_t kept = 0;
    qsort(search->candidates, search->count, sizeof *search->candidates, compare);
    for (uint32_t i = 0; i < search->count; i++) {
        const candidate_t *next = &search->candidates[i];
        candidate_t *last = &search->candidates[kept == 0 ? 0 : kept - 1];
        if (kept > 0 && erx_digest_equal(&last->record->hash, &next->record->hash)) {
            for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++)
                last->in[copy] |= next->in[copy];
        } else {
            search->candidates[kept++] = *next;
        }
    }
    search->count = kept;
}

/* The first candidate of a sequence; search->count where there is none. */
static uint32_t find(const search_t *search, uint64_t sequence)
{
    uint32_t low = 0, high = search->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (search->candidates[middle].record->sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < search->count && search->candidates[low].record->sequence == sequence;
    return found ? low : search->count;
}

static bool is_at(const search_t *search, uint32_t i, uint64_t sequence)
{
    return i < search->count && search->candidates[i].record->sequence == sequence;
}

/* The record of a sequence that follows previous (NULL: any), of the latest
 * epoch. */
static const candidate_t *successor(const search_t *search, uint64_t sequence,
                                    const erx_digest_t *previous)
{
    for (uint32_t i = find(search, sequence); is_at(search, i, sequence); i++) {
        const candidate_t *candidate = &search->candidates[i];
        if (previous == NULL || ERX_MUTANT(BROKEN_CHAIN) ||
            erx_digest_equal(&candidate->record->previous, previous))
            return candidate;
    }
    return NULL;
}

/* The record before one. */
static const candidate_t *predecessor(const search_t *search, const erx_record_t *record)
{
    for (uint32_t i = find(search, record->sequence - 1); is_at(search, i, record->sequence - 1);
         i++)
        if (ERX_MUTANT(BROKEN_CHAIN) ||
            erx_digest_equal(&search->candidates[i].record->hash, &record->previous))
            return &search->candidates[i];
    return NULL;
}

/* What a copy holds where the record that counts is or would be. */
static erx_copy_state_t copy_state(const search_t *search, const candidate_t *found,
                                   uint64_t offset, uint32_t copy)
{
    const erx_recover_input_t *input = search->input;
    if (found != NULL && found->in[copy])
        return MATCH;
    if (offset >= input->bytes)
        offset = 0;
    bool valid = erx_record_is_valid(input->copies[copy] + offset, input->bytes - offset,
                                     input->file_id, offset);
    return valid ? OTHER : DAMAGED;
}

/* Looks a sequence up in the table; link_out receives what is taken. */
static erx_recover_action_t decide(const search_t *search, const candidate_t *found,
                                   uint64_t offset, bool claimed, erx_chain_link_t *link_out)
{
    if (found != NULL)
        offset = found->record->offset;
    erx_recover_action_t action = erx_recover_table[copy_state(search, found, offset, 0)]
                                                   [copy_state(search, found, offset, 1)][claimed];
    if (found != NULL)
        *link_out = (erx_chain_link_t){
            .record = found->record,
            .mend = {action == ERX_RECOVER_TAKE_MEND_1, action == ERX_RECOVER_TAKE_MEND_2},
        };
    return action;
}

static uint64_t greatest_claim(const search_t *search, uint64_t claim)
{
    for (uint32_t i = 0; i < search->count; i++)
        claim = ERX_MAX(claim, search->candidates[i].record->durable);
    return claim;
}

/* Fills links from link (whose place is the middle of the table) backward. */
static void follow_back(const search_t *search, erx_chain_t *chain)
{
    uint32_t begin = chain->count - 1;
    while (chain->links[begin].record->sequence > 1 && begin > 0) {
        const erx_record_t *record = chain->links[begin].record;
        const candidate_t *found = predecessor(search, record);
        if (found == NULL)
            break;
        (void)decide(search, found, 0, false, &chain->links[--begin]);
    }
    chain->count -= begin;
    memmove(chain->links, chain->links + begin, chain->count * sizeof *chain->links);
}

static void follow_on(const search_t *search, erx_chain_t *chain)
{
    for (;;) {
        const erx_record_t *record =
            chain->count == 0 ? NULL : chain->links[chain->count - 1].record;
        const erx_digest_t genesis = {{0}};
        const candidate_t *found = successor(search, record == NULL ? 1 : record->sequence + 1,
                                             record == NULL ? &genesis : &record->hash);
        uint64_t offset = record == NULL ? 0 : record->offset + record->length;
        erx_chain_link_t link;
        if (decide(search, found, offset, false, &link) == ERX_RECOVER_END)
            return;
        chain->links[chain->count++] = link;
    }
}

/* Drops old records from the front whose place a newer one has taken in the
 * other copy: the next mending overwrites them. */
static void drop_overwritten(erx_chain_t *chain)
{
    if (chain->count == 0)
        return;
    const erx_record_t *newest = chain->links[chain->count - 1].record;
    uint64_t end = newest->offset + newest->length;
    uint32_t begin = chain->count - 1;
    for (bool wrapped = false; begin > 0; begin--) {
        const erx_record_t *record = chain->links[begin - 1].record;
        bool wraps = record->offset >= chain->links[begin].record->offset;
        if ((wraps && wrapped) || ((wraps || wrapped) && record->offset < end))
            break;
        wrapped |= wraps;
    }
    chain->count -= begin;
    memmove(chain->links, chain->links + begin, chain->count * sizeof *chain->links);
}

static erx_status_t start_at_claim(const search_t *search, erx_chain_t *chain, erx_error_t *error)
{
    const candidate_t *found = successor(search, chain->claimed, NULL);
    erx_chain_link_t link;
    if (decide(search, found, 0, true, &link) == ERX_RECOVER_HALT)
        return erx_error_set(error, ERX_ERR_HASH,
                             "%s: record %" PRIu64 " was confirmed as durable, but neither copy "
                             "holds it: the disk lost or damaged it; put back a copy of the data "
                             "directory",
                             search->input->name, chain->claimed);
    /* Backward links grow down from here; the table has room for all candidates. */
    chain->count = search->count;
    chain->links[chain->count - 1] = link;
    follow_back(search, chain);
    return ERX_OK;
}

erx_status_t erx_recover_chain(const erx_recover_input_t *input, erx_chain_t *chain_out,
                               erx_error_t *error)
{
    uint64_t places = input->bytes / ERX_JOURNAL_ALIGNMENT * ERX_JOURNAL_COPIES;
    search_t search = {.input = input, .candidates = erx_alloc(places, sizeof(candidate_t))};
    erx_chain_t chain = {.first_sequence = 1, .links = erx_alloc(places, sizeof *chain.links)};
    erx_status_t status = ERX_OK;
    if (search.candidates == NULL || chain.links == NULL) {
        status = erx_error_set(error, ERX_ERR_MEMORY, "no memory to read the journal");
    } else {
        for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++)
            collect(&search, copy);
        unite(&search);
        chain.claimed = greatest_claim(&search, input->claimed);
        for (uint32_t i = 0; i < search.count; i++)
            chain.epoch = ERX_MAX(chain.epoch, search.candidates[i].record->epoch);
        if (chain.claimed > 0)
            status = start_at_claim(&search, &chain, error);
    }
    if (status == ERX_OK)
        follow_on(&search, &chain);
    drop_overwritten(&chain);
    erx_free(search.candidates);
    if (status != ERX_OK) {
        erx_chain_free(&chain);
        return status;
    }
    if (ERX_MUTANT(DROP_LAST_RECORD) && chain.count > 0)
        chain.count--;
    if (chain.count > 0) {
        chain.first_sequence = chain.links[0].record->sequence;
        chain.last_sequence = chain.links[chain.count - 1].record->sequence;
    }
    *chain_out = chain;
    return ERX_OK;
}

void erx_chain_free(erx_chain_t *chain)
{
    erx_free(chain->links);
    memset(chain, 0, sizeof *chain);
}
