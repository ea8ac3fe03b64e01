/* Taking the account table's memory, and making what is derived from its image. */
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "engine/bank/accounts_parts.h"
#include "mem/alloc.h"
#include "mem/assert.h"

/* Least undo log: a change of an entry and its heap always fits. */
#define LOG_BYTES_MIN 4096u

static erx_status_t check_config(const erx_accounts_config_t *config, erx_error_t *error)
{
    if (config->account_capacity < ERX_ACCOUNTS_CAPACITY_MIN ||
        config->account_capacity > ERX_ACCOUNTS_CAPACITY_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "account_capacity: %u is not in %u to %u",
                             config->account_capacity, ERX_ACCOUNTS_CAPACITY_MIN,
                             ERX_ACCOUNTS_CAPACITY_MAX);
    if (config->heap_bytes == 0 || config->heap_bytes > ERX_ACCOUNTS_HEAP_BYTES_MAX ||
        config->heap_bytes % ERX_ACCOUNTS_PAGE_BYTES != 0)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "account_bytes: %" PRIu64 " is not a multiple of %u up to %" PRIu64,
                             config->heap_bytes, ERX_ACCOUNTS_PAGE_BYTES,
                             ERX_ACCOUNTS_HEAP_BYTES_MAX);
    if (config->write_log_bytes < LOG_BYTES_MIN ||
        config->write_log_bytes > ERX_ACCOUNTS_LOG_BYTES_MAX ||
        config->undo_log_bytes < LOG_BYTES_MIN ||
        config->undo_log_bytes > ERX_ACCOUNTS_LOG_BYTES_MAX)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "account logs of %u and %u bytes are not in [%u, %u]",
                             config->write_log_bytes, config->undo_log_bytes, LOG_BYTES_MIN,
                             ERX_ACCOUNTS_LOG_BYTES_MAX);
    return ERX_OK;
}

/* A power of two that is not below count. */
static uint32_t power_from(uint32_t count)
{
    uint32_t power = 1;
    while (power < count)
        power *= 2;
    return power;
}

/* Where nothing random is to be had, the index is merely a slow one for whoever
 * chooses keys to make it so. */
static uint64_t draw_seed(void)
{
    uint64_t seed = 0;
    (void)!getrandom(&seed, sizeof seed, 0);
    return seed;
}

static erx_status_t take_tables(erx_accounts_t *accounts, erx_error_t *error)
{
    const erx_accounts_config_t *config = &accounts->config;
    uint32_t capacity = config->account_capacity;
    uint32_t bucket_count = power_from(capacity);
    accounts->bucket_mask = bucket_count - 1;
    accounts->written_capacity =
        ERX_MIN(accounts->page_count, config->write_log_bytes / (uint32_t)sizeof(erx_patch_t));
    uint64_t changed_max = config->undo_log_bytes / erx_accounts_undo_room(0);
    accounts->buckets = erx_alloc(bucket_count, sizeof *accounts->buckets);
    accounts->chain = erx_alloc(capacity, sizeof *accounts->chain);
    accounts->changed_in = erx_alloc(capacity, sizeof *accounts->changed_in);
    accounts->placed_in = erx_alloc(capacity, sizeof *accounts->placed_in);
    accounts->changed = erx_alloc(ERX_MIN(capacity, changed_max), sizeof *accounts->changed);
    accounts->undo = erx_alloc(config->undo_log_bytes, 1);
    accounts->log = erx_alloc(config->write_log_bytes, 1);
    accounts->entry_patch = erx_alloc(capacity, sizeof *accounts->entry_patch);
    accounts->pages = erx_alloc(accounts->page_count, sizeof *accounts->pages);
    accounts->written = erx_alloc(accounts->written_capacity, sizeof *accounts->written);
    if (accounts->buckets == NULL || accounts->chain == NULL || accounts->changed_in == NULL ||
        accounts->placed_in == NULL || accounts->changed == NULL || accounts->undo == NULL ||
        accounts->log == NULL || accounts->entry_patch == NULL || accounts->pages == NULL ||
        accounts->written == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a table of %u accounts",
                             capacity);
    return ERX_OK;
}

static void empty_index(erx_accounts_t *accounts)
{
    memset(accounts->buckets, 0xff, (accounts->bucket_mask + (size_t)1) * sizeof(uint32_t));
    erx_free_map_reset(&accounts->entries);
    erx_free_map_reset(&accounts->units);
    accounts->count = 0;
}

static uint64_t table_pages_bytes(uint32_t account_capacity)
{
    return ERX_ALIGN_UP((uint64_t)account_capacity * sizeof(erx_account_entry_t),
                        (uint64_t)ERX_ACCOUNTS_PAGE_BYTES);
}

uint32_t erx_accounts_pages_of(uint32_t account_capacity, uint64_t heap_bytes)
{
    return (uint32_t)((table_pages_bytes(account_capacity) + heap_bytes) / ERX_ACCOUNTS_PAGE_BYTES);
}

static erx_status_t take_memory(erx_accounts_t *accounts, erx_error_t *error)
{
    const erx_accounts_config_t *config = &accounts->config;
    uint64_t image_bytes = table_pages_bytes(config->account_capacity) + config->heap_bytes;
    accounts->heap_start = table_pages_bytes(config->account_capacity);
    accounts->page_count = (uint32_t)(image_bytes / ERX_ACCOUNTS_PAGE_BYTES);
    erx_status_t status = take_tables(accounts, error);
    if (status == ERX_OK)
        status = erx_free_map_open(&accounts->entries, config->account_capacity, error);
    if (status == ERX_OK)
        status =
            erx_free_map_open(&accounts->units, erx_accounts_units_of(config->heap_bytes), error);
    if (status == ERX_OK)
        status = erx_region_open(&accounts->region, image_bytes, ERX_NODE_ANY, error);
    if (status != ERX_OK)
        return status;
    accounts->image = erx_region_take(&accounts->region, image_bytes, ERX_CACHE_LINE);
    erx_region_seal(&accounts->region);
    return ERX_OK;
}

erx_status_t erx_accounts_open(const erx_accounts_config_t *config, erx_accounts_t **accounts_out,
                               erx_error_t *error)
{
    if (check_config(config, error) != ERX_OK)
        return error->status;
    erx_accounts_t *accounts = erx_alloc(1, sizeof *accounts);
    if (accounts == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a table of accounts");
    accounts->config = *config;
    accounts->hash_seed = draw_seed();
    if (take_memory(accounts, error) != ERX_OK) {
        erx_accounts_close(accounts);
        return error->status;
    }
    empty_index(accounts);
    *accounts_out = accounts;
    return ERX_OK;
}

void erx_accounts_close(erx_accounts_t *accounts)
{
    if (accounts == NULL)
        return;
    erx_region_close(&accounts->region);
    erx_free_map_close(&accounts->entries);
    erx_free_map_close(&accounts->units);
    erx_free(accounts->buckets);
    erx_free(accounts->chain);
    erx_free(accounts->changed_in);
    erx_free(accounts->placed_in);
    erx_free(accounts->changed);
    erx_free(accounts->undo);
    erx_free(accounts->log);
    erx_free(accounts->entry_patch);
    erx_free(accounts->pages);
    erx_free(accounts->written);
    erx_free(accounts);
}

uint8_t *erx_accounts_image(erx_accounts_t *accounts)
{
    return accounts->image;
}

uint32_t erx_accounts_page_count(const erx_accounts_t *accounts)
{
    return accounts->page_count;
}

void erx_accounts_reset(erx_accounts_t *accounts)
{
    if (accounts->is_open)
        erx_accounts_rollback(accounts);
    erx_accounts_written_clear(accounts);
    memset(accounts->image, 0, (size_t)accounts->page_count * ERX_ACCOUNTS_PAGE_BYTES);
    empty_index(accounts);
}

static bool is_zero(const uint8_t *bytes, uint64_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static erx_status_t refuse_entry(uint32_t index, const char *what, erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_FORMAT, "account table, entry %u: %s", index, what);
}

static uint64_t plain_units(const erx_account_entry_t *entry)
{
    return entry->kind == ERX_ACCOUNT_PLAIN ? erx_accounts_units_of(entry->data_length) : 0;
}

static bool is_in_heap(const erx_accounts_t *accounts, const erx_account_entry_t *entry)
{
    uint64_t unit = entry->heap_offset / ERX_ACCOUNTS_UNIT_BYTES, units = plain_units(entry);
    return entry->heap_offset % ERX_ACCOUNTS_UNIT_BYTES == 0 && unit <= accounts->units.count &&
           units <= accounts->units.count - unit;
}

uint32_t erx_accounts_scan(const erx_accounts_t *accounts, const erx_key_t *key)
{
    for (uint32_t index = 0; index < accounts->config.account_capacity; index++) {
        const erx_account_entry_t *entry = erx_accounts_slot(accounts, index);
        if (entry->kind == ERX_ACCOUNT_PLAIN && memcmp(&entry->key, key, sizeof *key) == 0 &&
            is_in_heap(accounts, entry))
            return index;
    }
    return ERX_ACCOUNT_NONE;
}

uint32_t erx_accounts_scan_pool(const erx_accounts_t *accounts, uint32_t pool)
{
    for (uint32_t index = 0; index < accounts->config.account_capacity; index++) {
        const erx_account_entry_t *entry = erx_accounts_slot(accounts, index);
        if (entry->kind == ERX_ACCOUNT_PLAIN && entry->pool == pool + 1 &&
            is_in_heap(accounts, entry))
            return index;
    }
    return ERX_ACCOUNT_NONE;
}

/* Takes the heap of an entry. */
static erx_status_t check_heap(erx_accounts_t *accounts, uint32_t index, erx_error_t *error)
{
    const erx_account_entry_t *entry = erx_accounts_slot(accounts, index);
    uint64_t unit = entry->heap_offset / ERX_ACCOUNTS_UNIT_BYTES, units = plain_units(entry);
    if (entry->data_length > ERX_ACCOUNT_DATA_MAX)
        return refuse_entry(index, "its data is longer than an account's may be", error);
    if (units == 0)
        return entry->heap_offset == 0 ? ERX_OK
                                       : refuse_entry(index, "it has a place but no data", error);
    if (!is_in_heap(accounts, entry))
        return refuse_entry(index, "its data is not in the heap", error);
    if (!erx_free_map_is_free(&accounts->units, unit, units))
        return refuse_entry(index, "its data overlaps another account's", error);
    erx_free_map_take(&accounts->units, unit, units);
    const uint8_t *data = accounts->image + accounts->heap_start + entry->heap_offset;
    if (!is_zero(data + entry->data_length, units * ERX_ACCOUNTS_UNIT_BYTES - entry->data_length))
        return refuse_entry(index, "behind its data the heap is not zero", error);
    return ERX_OK;
}

static erx_status_t check_entry(erx_accounts_t *accounts, uint32_t index, erx_error_t *error)
{
    const erx_account_entry_t *entry = erx_accounts_slot(accounts, index);
    if (entry->kind == ERX_ACCOUNT_FREE)
        return is_zero((const uint8_t *)entry, sizeof *entry)
                   ? ERX_OK
                   : refuse_entry(index, "it is free but not zero", error);
    if (entry->kind > ERX_ACCOUNT_MODEL_PART)
        return refuse_entry(index, "its kind is unknown", error);
    if (!is_zero(entry->zero, sizeof entry->zero))
        return refuse_entry(index, "its reserved bytes are not zero", error);
    if (erx_accounts_find(accounts, &entry->key) != ERX_ACCOUNT_NONE)
        return refuse_entry(index, "an entry before it has its key", error);
    if (check_heap(accounts, index, error) != ERX_OK)
        return error->status;
    erx_accounts_link(accounts, index);
    return ERX_OK;
}

/* Whether the heap is zero wherever it is free. */
static bool free_heap_is_zero(const erx_accounts_t *accounts)
{
    const uint8_t *heap = accounts->image + accounts->heap_start;
    for (uint64_t unit = 0; unit < accounts->units.count; unit++)
        if (erx_free_map_is_free(&accounts->units, unit, 1) &&
            !is_zero(heap + unit * ERX_ACCOUNTS_UNIT_BYTES, ERX_ACCOUNTS_UNIT_BYTES))
            return false;
    return true;
}

erx_status_t erx_accounts_rebuild(erx_accounts_t *accounts, erx_error_t *error)
{
    ERX_ASSERT(!accounts->is_open && accounts->log_bytes == 0);
    empty_index(accounts);
    for (uint32_t index = 0; index < accounts->config.account_capacity; index++)
        if (check_entry(accounts, index, error) != ERX_OK)
            return error->status;
    uint64_t table_bytes = accounts->config.account_capacity * sizeof(erx_account_entry_t);
    if (!is_zero(accounts->image + table_bytes, accounts->heap_start - table_bytes) ||
        !free_heap_is_zero(accounts))
        return erx_error_set(error, ERX_ERR_FORMAT, "account table: free heap is not zero");
    return ERX_OK;
}
