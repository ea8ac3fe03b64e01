/* Records that are whole but hold anything: an input is a series of records,
 * whose headers are made right and which are sealed; then the chain is found
 * and replayed on a real engine. Nothing may crash; what is not possible is
 * refused. */
#include "engine/recover.h"
#include "engine/replay.h"
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define RING_BYTES ((uint64_t)64 << 10)

static const uint8_t file_id[ERX_FILE_ID_BYTES] = "fuzz";

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

/* Makes a record of data[0, size) at the end of the ring; returns the bytes
 * that it used, 0 where the ring or the input is at its end. */
static size_t place(uint8_t *ring, uint64_t *head, uint64_t sequence, erx_digest_t *previous,
                    const uint8_t *data, size_t size)
{
    erx_record_t header;
    if (size < sizeof header)
        return 0;
    memcpy(&header, data, sizeof header);
    size_t left = size - sizeof header;
    header.event_count = least(header.event_count % 8, left / sizeof(erx_event_t));
    left -= header.event_count * sizeof(erx_event_t);
    header.frame_count = least(header.frame_count % 8, left / sizeof(erx_frame_entry_t));
    left -= header.frame_count * sizeof(erx_frame_entry_t);
    header.bulk_bytes = least(header.bulk_bytes % 8192, left);
    size_t used = size - (left - header.bulk_bytes);
    uint64_t length = erx_record_length(header.event_count, header.frame_count, header.bulk_bytes);
    if (length > RING_BYTES - *head)
        return 0;
    memcpy(header.file_id, file_id, sizeof file_id);
    header.sequence = sequence;
    header.offset = *head;
    header.previous = *previous;
    header.durable = 0;
    header.block = sequence;
    memcpy(ring + *head, data, used);
    memcpy(ring + *head, &header, sizeof header);
    erx_record_t *record = (erx_record_t *)(void *)(ring + *head);
    erx_record_seal(record);
    *previous = record->hash;
    *head += length;
    return used;
}

static void replay_chain(sim_engine_t *on, const erx_chain_t *chain)
{
    erx_error_t error;
    uint32_t model_count;
    erx_model_t *models = erx_engine_models(on->engine, &model_count);
    erx_replay_t replay = {
        .pools = erx_pools_of(models, model_count, on->accounts),
        .executor = erx_engine_executor(on->engine, true),
        .file_id = file_id,
        .name = "fuzz",
        .bind = sim_bind,
        .bind_context = on,
    };
    ERX_ASSERT(erx_replay_open(&replay, &error) == ERX_OK);
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; status == ERX_OK && i < chain->count; i++)
        status = erx_replay_apply(&replay, chain->links[i].record, &error);
    if (status == ERX_OK && chain->count > 0)
        (void)erx_replay_finish(&replay, chain->links[chain->count - 1].record->touched, &error);
    erx_replay_close(&replay);
    sim_empty_place(on);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sim_engine_t on;
    erx_digest_t previous = {{0}};
    erx_chain_t chain;
    erx_error_t error;
    uint64_t head = 0, count = 0;
    if (on.engine == NULL)
        sim_engine_open(&on);
    uint8_t *ring = aligned_alloc(ERX_JOURNAL_ALIGNMENT, RING_BYTES);
    ERX_ASSERT(ring != NULL);
    memset(ring, 0, RING_BYTES);
    for (size_t used; (used = place(ring, &head, count + 1, &previous, data, size)) > 0;) {
        data += used;
        size -= used;
        count++;
    }
    const erx_recover_input_t input = {
        .copies = {ring, ring}, .bytes = RING_BYTES, .file_id = file_id, .name = "fuzz"};
    ERX_ASSERT(erx_recover_chain(&input, &chain, &error) == ERX_OK);
    ERX_ASSERT(chain.last_sequence == count);
    replay_chain(&on, &chain);
    erx_chain_free(&chain);
    free(ring);
    return 0;
}
