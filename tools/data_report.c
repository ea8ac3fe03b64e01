#include "tools/data_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/data_directory.h"
#include "engine/journal_read.h"
#include "tools/output.h"

/* One pool's slots and checkpoints. */
typedef struct {
    uint32_t live;   /* sessions or pages in the newest images */
    uint32_t ended;  /* slots whose newest image is free */
    uint64_t oldest; /* of the slots' newest images; UINT64_MAX: there is none */
    uint64_t newest;
    uint32_t accounts; /* in the newest images */
} pool_figures_t;

typedef struct {
    const erx_data_directory_t *data;
    erx_io_t *io;
    uint64_t last_sequence, first_sequence, block, slot;
    int64_t timestamp;
    uint32_t records, damaged;
    bool in_use;
    pool_figures_t pools[ERX_POOLS_MAX];
} figures_t;

bool erx_data_report_applies(const char *path)
{
    char name[ERX_DATA_PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/data.json", path);
    return access(name, F_OK) == 0;
}

/* Entries in use in an image of a page of the table. */
static uint32_t count_accounts(const figures_t *figures, uint32_t index, uint32_t slot,
                               uint32_t newest_image, erx_checkpoint_t *image)
{
    const erx_data_pool_t *pool = &figures->data->pools[index];
    const erx_checkpoint_place_t place = {.file_id = figures->data->file_id,
                                          .pool = index,
                                          .slot = slot,
                                          .image = newest_image,
                                          .arena_bytes = pool->arena_bytes};
    uint64_t offset = erx_checkpoint_offset(pool->arena_bytes, slot, newest_image);
    uint32_t per_page = pool->arena_bytes / (uint32_t)sizeof(erx_account_entry_t), count = 0;
    if ((uint64_t)slot * per_page >= pool->account_capacity ||
        erx_io_read(figures->io, ERX_JOURNAL_COPIES + index, offset, image,
                    (uint32_t)erx_checkpoint_stride(pool->arena_bytes)) != 0 ||
        !erx_checkpoint_is_valid(image, &place))
        return 0;
    const erx_account_entry_t *entries =
        (const erx_account_entry_t *)(const void *)erx_checkpoint_arena(image);
    for (uint32_t i = 0; i < per_page; i++)
        count += entries[i].kind != ERX_ACCOUNT_FREE;
    return count;
}

static void read_slot(figures_t *figures, uint32_t index, uint32_t slot, erx_checkpoint_t *header)
{
    pool_figures_t *pool = &figures->pools[index];
    uint32_t arena_bytes = figures->data->pools[index].arena_bytes;
    uint64_t newest = 0;
    uint32_t generation = 0, newest_image = 0;
    for (uint32_t image = 0; image < ERX_CHECKPOINT_IMAGES; image++) {
        uint64_t offset = erx_checkpoint_offset(arena_bytes, slot, image);
        if (erx_io_read(figures->io, ERX_JOURNAL_COPIES + index, offset, header, sizeof *header) !=
                0 ||
            memcmp(header->magic, ERX_CHECKPOINT_MAGIC, sizeof header->magic) != 0 ||
            memcmp(header->file_id, figures->data->file_id, ERX_FILE_ID_BYTES) != 0 ||
            header->slot != slot || header->sequence <= newest)
            continue;
        newest = header->sequence;
        newest_image = image;
        generation = header->generation;
    }
    if (newest == 0)
        return;
    if (figures->data->pools[index].kind == ERX_DATA_ACCOUNTS)
        pool->accounts += count_accounts(figures, index, slot, newest_image, header);
    pool->live += generation % 2 == 1;
    pool->ended += generation % 2 == 0;
    pool->oldest = ERX_MIN(pool->oldest, newest);
    pool->newest = ERX_MAX(pool->newest, newest);
}

static erx_status_t read_checkpoints(figures_t *figures, erx_error_t *error)
{
    erx_checkpoint_t *header =
        aligned_alloc(ERX_IO_ALIGNMENT, sizeof *header + ERX_ACCOUNTS_PAGE_BYTES);
    if (header == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to read checkpoints");
    for (uint32_t i = 0; i < figures->data->pool_count; i++) {
        figures->pools[i].oldest = UINT64_MAX;
        for (uint32_t slot = 0; slot < figures->data->pools[i].slots; slot++)
            read_slot(figures, i, slot, header);
    }
    free(header);
    return ERX_OK;
}

static erx_status_t read_journal(figures_t *figures, erx_error_t *error)
{
    erx_journal_files_t files;
    const erx_recover_input_t input = {
        .bytes = figures->data->journal_bytes,
        .file_id = figures->data->file_id,
        .claimed = figures->in_use ? 0 : figures->data->claimed,
        .name = figures->data->path,
    };
    erx_status_t status = erx_journal_read(&files, figures->io, &input, error);
    if (status != ERX_OK)
        return status;
    const erx_chain_t *chain = &files.chain;
    figures->records = chain->count;
    figures->first_sequence = chain->first_sequence;
    figures->last_sequence = chain->last_sequence;
    for (uint32_t i = 0; i < chain->count; i++)
        figures->damaged += chain->links[i].mend[0] || chain->links[i].mend[1];
    if (chain->count > 0) {
        figures->block = chain->links[chain->count - 1].record->block;
        figures->slot = chain->links[chain->count - 1].record->slot;
        figures->timestamp = chain->links[chain->count - 1].record->timestamp;
    }
    erx_journal_read_close(&files);
    return ERX_OK;
}

static void print_pool(const figures_t *figures, uint32_t index)
{
    const erx_data_pool_t *pool = &figures->data->pools[index];
    const pool_figures_t *found = &figures->pools[index];
    switch (pool->kind) {
    case ERX_DATA_MODEL:
        (void)printf("  model %-6u %s, %u slots, %u sessions in checkpoints, in %s\n", index,
                     pool->name, pool->slots, found->live, pool->folder);
        break;
    case ERX_DATA_PLACE:
        (void)printf(
            "  place %-6u for a model that arrives later, %u slots of %.1f KB, %u sessions "
            "in checkpoints\n",
            index, pool->slots, (double)pool->arena_bytes / 1e3, found->live);
        break;
    case ERX_DATA_ACCOUNTS:
        (void)printf(
            "  accounts     %u in checkpoints, at most %u, heap of %.1f MB; %u of %u pages in "
            "checkpoints\n",
            found->accounts, pool->account_capacity, (double)pool->heap_bytes / 1e6, found->live,
            pool->slots);
        break;
    }
    (void)printf("  checkpoints  %.1f MB, %.1f KB an image",
                 (double)erx_checkpoint_file_bytes(pool->arena_bytes, pool->slots) / 1e6,
                 (double)erx_checkpoint_stride(pool->arena_bytes) / 1e3);
    if (found->newest > 0)
        (void)printf("; %" PRIu64 " to %" PRIu64 " blocks old",
                     figures->last_sequence - ERX_MIN(found->newest, figures->last_sequence),
                     figures->last_sequence - ERX_MIN(found->oldest, figures->last_sequence));
    (void)printf("\n");
}

static void print(const figures_t *figures)
{
    const erx_data_directory_t *data = figures->data;
    (void)printf("data directory %s (%s)\n", ERX_DATA_FORMAT,
                 figures->in_use ? "in use by a running engine"
                 : data->closed  ? "closed in order"
                                 : "not closed in order: the next start recovers");
    (void)printf("  journal      2 copies of %.1f MB; records %" PRIu64 " to %" PRIu64
                 ", block %" PRIu64 " is the last\n",
                 (double)data->journal_bytes / 1e6, figures->first_sequence, figures->last_sequence,
                 figures->block);
    if (data->copy_path[0] != '\0')
        (void)printf("               the second copy is in %s\n", data->copy_path);
    if (figures->damaged > 0)
        (void)printf("               %u records are in one copy only; the next start mends them\n",
                     figures->damaged);
    for (uint32_t i = 0; i < data->pool_count; i++)
        print_pool(figures, i);
}

static json_t *describe_pool(const erx_data_pool_t *pool, const pool_figures_t *found)
{
    json_t *value =
        json_pack("{s:I, s:I, s:I, s:I, s:I}", "slots", (json_int_t)pool->slots,
                  pool->kind == ERX_DATA_ACCOUNTS ? "pages" : "sessions", (json_int_t)found->live,
                  "image_bytes", (json_int_t)erx_checkpoint_stride(pool->arena_bytes),
                  "oldest_checkpoint", (json_int_t)(found->newest == 0 ? 0 : found->oldest),
                  "newest_checkpoint", (json_int_t)found->newest);
    if (pool->kind == ERX_DATA_MODEL) {
        (void)json_object_set_new(value, "name", json_string(pool->name));
        (void)json_object_set_new(value, "folder", json_string(pool->folder));
    } else if (pool->kind == ERX_DATA_ACCOUNTS) {
        (void)json_object_set_new(value, "accounts", json_integer(found->accounts));
        (void)json_object_set_new(value, "capacity", json_integer(pool->account_capacity));
        (void)json_object_set_new(value, "heap_bytes", json_integer((json_int_t)pool->heap_bytes));
    }
    return value;
}

static json_t *describe(const figures_t *figures)
{
    const erx_data_directory_t *data = figures->data;
    json_t *models = json_array(), *places = json_array(), *accounts = json_null();
    for (uint32_t i = 0; i < data->pool_count; i++) {
        json_t *pool = describe_pool(&data->pools[i], &figures->pools[i]);
        if (data->pools[i].kind == ERX_DATA_ACCOUNTS)
            accounts = pool;
        else
            (void)json_array_append_new(data->pools[i].kind == ERX_DATA_MODEL ? models : places,
                                        pool);
    }
    return json_pack(
        "{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "format",
        ERX_DATA_FORMAT, "in_use", figures->in_use, "closed", data->closed, "journal_bytes",
        (json_int_t)data->journal_bytes, "first_sequence", (json_int_t)figures->first_sequence,
        "last_sequence", (json_int_t)figures->last_sequence, "last_block",
        (json_int_t)figures->block, "last_slot", (json_int_t)figures->slot, "last_timestamp",
        (json_int_t)figures->timestamp, "damaged_records", (json_int_t)figures->damaged, "models",
        models, "places", places, "accounts", accounts);
}

erx_status_t erx_data_report(const char *path, const char *json, erx_error_t *error)
{
    static erx_data_directory_t data; /* large */
    erx_store_config_t config = {.io = {.backend = ERX_IO_PLAIN}};
    figures_t figures = {.data = &data, .in_use = erx_data_directory_in_use(path)};
    erx_status_t status = erx_data_directory_read(&data, path, ERX_DATA_READ_FILES, error);
    if (status != ERX_OK)
        return status;
    erx_data_directory_configure(&data, &config);
    status = erx_io_plain_open(&config.io, &figures.io, error);
    if (status == ERX_OK)
        status = read_journal(&figures, error);
    if (status == ERX_OK)
        status = read_checkpoints(&figures, error);
    if (status == ERX_OK && json == NULL)
        print(&figures);
    if (status == ERX_OK && json != NULL) {
        json_t *value = describe(&figures);
        status = value == NULL ? erx_error_set(error, ERX_ERR_MEMORY, "no memory for the figures")
                               : erx_output_json(json, value, error);
        json_decref(value);
    }
    erx_io_close(figures.io);
    erx_data_directory_close(&data);
    return status;
}
