/* Checkpoint images that hold anything, raw or whole. A whole one is put on a
 * disk and loaded by recovery: a session is adopted as it is, a page of accounts
 * is a table or is refused; one that is a table must work. */
#include "engine/replay.h"
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

/* What an input begins with; the arena's first bytes follow, the rest is zero. */
typedef struct {
    uint8_t pool;
    uint8_t slot;
    uint8_t image;
    uint8_t is_raw; /* not made whole */
    uint32_t generation;
    uint64_t durable;
} head_t;

static const uint8_t file_id[ERX_FILE_ID_BYTES] = "fuzz";

/* The journal: one record, which changed nothing, and after which the image was
 * taken. */
static void make_chain(erx_record_t *record, erx_chain_link_t *link, erx_chain_t *chain_out)
{
    memset(record, 0, ERX_JOURNAL_ALIGNMENT);
    memcpy(record->file_id, file_id, sizeof file_id);
    record->sequence = 1;
    record->touched = 1;
    erx_record_seal(record);
    *link = (erx_chain_link_t){.record = record};
    *chain_out = (erx_chain_t){.first_sequence = 1, .last_sequence = 1, .count = 1, .links = link};
}

static void make_image(const head_t *head, const erx_pools_t *pools, const erx_record_t *record,
                       const uint8_t *data, size_t size, erx_checkpoint_t *image)
{
    uint32_t pool = head->pool % pools->count;
    uint32_t arena_bytes = erx_pools_arena_bytes(pools, pool);
    memset(image, 0, sizeof *image);
    memcpy(image->file_id, file_id, sizeof file_id);
    image->pool = pool;
    image->slot = head->slot % erx_pools_capacity(pools, pool);
    image->image = head->image % ERX_CHECKPOINT_IMAGES;
    image->generation = head->generation;
    image->arena_bytes = head->generation % 2 == 1 ? arena_bytes : 0;
    image->sequence = image->touched = 1;
    image->durable = head->durable;
    image->record = record->hash;
    memset(image + 1, 0, arena_bytes);
    memcpy(image + 1, data, ERX_MIN(size, image->arena_bytes));
    (void)erx_checkpoint_seal(image);
    /* A seal is right by itself; what is raw is checked as it came. */
    if (head->is_raw % 2 == 1)
        memcpy(image, data, ERX_MIN(size, sizeof *image));
}

/* A table that was accepted: every account can be removed, and then all of the
 * heap is free. */
static void use_table(erx_accounts_t *accounts)
{
    erx_error_t error;
    erx_accounts_written_clear(accounts);
    for (uint32_t index = 0; index < erx_accounts_capacity(accounts); index++) {
        if (!erx_accounts_is_used(accounts, index))
            continue;
        const erx_key_t key = erx_accounts_entry(accounts, index)->key;
        ERX_ASSERT(erx_accounts_find(accounts, &key) == index);
        erx_accounts_begin(accounts);
        ERX_ASSERT(erx_accounts_remove(accounts, index, &error) == ERX_OK);
        erx_accounts_commit(accounts);
        erx_accounts_written_clear(accounts);
    }
    ERX_ASSERT(erx_accounts_count(accounts) == 0);
    ERX_ASSERT(erx_accounts_rebuild(accounts, &error) == ERX_OK);
}

static erx_io_t *put_on_disk(const sim_engine_t *on, const erx_pools_t *pools,
                             const erx_checkpoint_t *image, erx_virtual_disk_t **disk_out)
{
    uint64_t bytes[SIM_FILES];
    erx_io_file_t files[SIM_FILES];
    char note[ERX_IO_NOTE_MAX];
    erx_error_t error;
    erx_io_t *io;
    for (uint32_t file = 0; file < SIM_FILES; file++) {
        bytes[file] = sim_file_bytes(on, file);
        files[file] = (erx_io_file_t){.bytes = bytes[file], .name = "file"};
    }
    *disk_out = erx_virtual_disk_create(
        &(erx_virtual_disk_config_t){.file_count = SIM_FILES, .file_bytes = bytes});
    uint32_t pool = image->pool % pools->count;
    uint32_t arena_bytes = erx_pools_arena_bytes(pools, pool);
    uint64_t offset =
        erx_checkpoint_offset(arena_bytes, image->slot % erx_pools_capacity(pools, pool),
                              image->image % ERX_CHECKPOINT_IMAGES);
    memcpy(erx_virtual_disk_bytes(*disk_out, ERX_JOURNAL_COPIES + pool) + offset, image,
           sizeof *image + arena_bytes);
    const erx_io_config_t config = {.file_count = SIM_FILES, .files = files};
    ERX_ASSERT(erx_virtual_disk_open(*disk_out, &config, &io, note, &error) == ERX_OK);
    return io;
}

static void load(sim_engine_t *on, const erx_pools_t *pools, const erx_chain_t *chain,
                 erx_checkpoint_t *image)
{
    erx_error_t error;
    erx_virtual_disk_t *disk;
    erx_io_t *io = put_on_disk(on, pools, image, &disk);
    erx_replay_t replay = {
        .pools = *pools,
        .executor = erx_engine_executor(on->engine, true),
        .file_id = file_id,
        .name = "fuzz",
    };
    ERX_ASSERT(erx_replay_open(&replay, &error) == ERX_OK);
    erx_status_t status = erx_replay_load(&replay, io, chain, ERX_REPLAY_NEWEST, &error);
    if (status == ERX_OK)
        status = erx_replay_finish(&replay, 1, &error);
    if (status == ERX_OK)
        use_table(on->accounts);
    erx_replay_close(&replay);
    erx_io_close(io);
    erx_virtual_disk_free(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sim_engine_t on;
    head_t head;
    uint32_t model_count;
    erx_chain_link_t link;
    erx_chain_t chain;
    if (size < sizeof head)
        return 0;
    if (on.engine == NULL)
        sim_engine_open(&on);
    memcpy(&head, data, sizeof head);
    erx_model_t *models = erx_engine_models(on.engine, &model_count);
    const erx_pools_t pools = erx_pools_of(models, model_count, on.accounts);
    size_t bytes = erx_checkpoint_stride(erx_pools_arena_bytes_max(&pools));
    erx_record_t *record = aligned_alloc(ERX_JOURNAL_ALIGNMENT, ERX_JOURNAL_ALIGNMENT);
    erx_checkpoint_t *image = aligned_alloc(ERX_IO_ALIGNMENT, bytes);
    ERX_ASSERT(record != NULL && image != NULL);
    memset(image, 0, bytes);
    make_chain(record, &link, &chain);
    make_image(&head, &pools, record, data + sizeof head, size - sizeof head, image);
    load(&on, &pools, &chain, image);
    free(image);
    free(record);
    return 0;
}
