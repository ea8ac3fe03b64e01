#include "engine/bank/accounts.h"

#include <inttypes.h>
#include <string.h>

#include "engine/bank/accounts_parts.h"
#include "mem/assert.h"

static bool is_plain(const erx_account_entry_t *entry)
{
    return entry->kind == ERX_ACCOUNT_PLAIN;
}

const erx_account_entry_t *erx_accounts_entry(const erx_accounts_t *accounts, uint32_t index)
{
    ERX_ASSERT(index < accounts->config.account_capacity);
    const erx_account_entry_t *entry = erx_accounts_slot(accounts, index);
    ERX_ASSERT(entry->kind != ERX_ACCOUNT_FREE);
    return entry;
}

static uint64_t data_place(const erx_accounts_t *accounts, const erx_account_entry_t *entry)
{
    return accounts->heap_start + entry->heap_offset;
}

const uint8_t *erx_accounts_data(const erx_accounts_t *accounts, uint32_t index)
{
    const erx_account_entry_t *entry = erx_accounts_entry(accounts, index);
    ERX_ASSERT(is_plain(entry));
    return accounts->image + data_place(accounts, entry);
}

bool erx_accounts_is_used(const erx_accounts_t *accounts, uint32_t index)
{
    return erx_accounts_slot(accounts, index)->kind != ERX_ACCOUNT_FREE;
}

uint32_t erx_accounts_count(const erx_accounts_t *accounts)
{
    return accounts->count;
}

uint64_t erx_accounts_heap_used(const erx_accounts_t *accounts)
{
    return erx_free_map_taken(&accounts->units) * ERX_ACCOUNTS_UNIT_BYTES;
}

uint32_t erx_accounts_capacity(const erx_accounts_t *accounts)
{
    return accounts->config.account_capacity;
}

const uint32_t *erx_accounts_changed(const erx_accounts_t *accounts, uint32_t *count_out)
{
    *count_out = accounts->changed_count;
    return accounts->changed;
}

static erx_status_t check_length(uint32_t data_length, erx_error_t *error)
{
    if (data_length <= ERX_ACCOUNT_DATA_MAX)
        return ERX_OK;
    return erx_error_set(error, ERX_ERR_RANGE, "%u bytes are more than an account may have: %u",
                         data_length, ERX_ACCOUNT_DATA_MAX);
}

/* The lowest units for bytes of data (> 0). */
static erx_status_t find_units(const erx_accounts_t *accounts, uint32_t bytes, uint64_t *unit_out,
                               erx_error_t *error)
{
    *unit_out = erx_free_map_find(&accounts->units, erx_accounts_units_of(bytes));
    if (*unit_out != ERX_FREE_MAP_NONE)
        return ERX_OK;
    return erx_error_set(error, ERX_ERR_FULL,
                         "no %u bytes in a row are free in the accounts' heap of %" PRIu64
                         ": open the engine with a larger one",
                         bytes, accounts->config.heap_bytes);
}

erx_status_t erx_accounts_create(erx_accounts_t *accounts, const erx_account_entry_t *entry,
                                 uint32_t *index_out, erx_error_t *error)
{
    ERX_ASSERT(accounts->is_open && entry->kind != ERX_ACCOUNT_FREE);
    if (check_length(entry->data_length, error) != ERX_OK)
        return error->status;
    if (erx_accounts_find(accounts, &entry->key) != ERX_ACCOUNT_NONE)
        return erx_error_set(error, ERX_ERR_STATE, "there is an account of this key already");
    uint64_t free_index = erx_free_map_find(&accounts->entries, 1);
    if (free_index == ERX_FREE_MAP_NONE)
        return erx_error_set(error, ERX_ERR_FULL,
                             "all %u accounts are in use: open the engine with more",
                             accounts->config.account_capacity);
    uint32_t index = (uint32_t)free_index;
    uint64_t units = is_plain(entry) ? erx_accounts_units_of(entry->data_length) : 0;
    uint64_t unit = 0;
    if (units > 0 && find_units(accounts, entry->data_length, &unit, error) != ERX_OK)
        return error->status;
    uint64_t undo_room = erx_accounts_entry_undo_room(accounts, index) + erx_accounts_undo_room(0);
    if (erx_accounts_check_room(accounts, undo_room, erx_accounts_entry_log_room(accounts, index),
                                error) != ERX_OK)
        return error->status;
    erx_accounts_save_entry(accounts, index);
    erx_accounts_take_units(accounts, unit, units);
    erx_account_entry_t *slot = erx_accounts_slot(accounts, index);
    *slot = *entry;
    slot->heap_offset = unit * ERX_ACCOUNTS_UNIT_BYTES;
    memset(slot->zero, 0, sizeof slot->zero);
    accounts->placed_in[index] = accounts->group;
    erx_accounts_link(accounts, index);
    *index_out = index;
    return ERX_OK;
}

erx_status_t erx_accounts_remove(erx_accounts_t *accounts, uint32_t index, erx_error_t *error)
{
    ERX_ASSERT(accounts->is_open);
    const erx_account_entry_t *entry = erx_accounts_entry(accounts, index);
    uint64_t units = is_plain(entry) ? erx_accounts_units_of(entry->data_length) : 0;
    uint64_t undo_room = erx_accounts_entry_undo_room(accounts, index) + erx_accounts_undo_room(0);
    uint64_t log_room =
        erx_accounts_entry_log_room(accounts, index) +
        erx_accounts_patch_room(data_place(accounts, entry), units * ERX_ACCOUNTS_UNIT_BYTES, true);
    if (erx_accounts_check_room(accounts, undo_room, log_room, error) != ERX_OK)
        return error->status;
    erx_accounts_save_entry(accounts, index);
    erx_accounts_free_units(accounts, entry->heap_offset / ERX_ACCOUNTS_UNIT_BYTES, units);
    erx_accounts_unlink(accounts, index);
    memset(erx_accounts_slot(accounts, index), 0, sizeof *entry);
    return ERX_OK;
}

/* Asks for room for a change of the entry alone. */
static erx_status_t check_entry_room(const erx_accounts_t *accounts, uint32_t index,
                                     erx_error_t *error)
{
    return erx_accounts_check_room(accounts, erx_accounts_entry_undo_room(accounts, index),
                                   erx_accounts_entry_log_room(accounts, index), error);
}

erx_status_t erx_accounts_update(erx_accounts_t *accounts, uint32_t index,
                                 const erx_account_entry_t *entry, erx_error_t *error)
{
    ERX_ASSERT(accounts->is_open);
    const erx_account_entry_t before = *erx_accounts_entry(accounts, index);
    if (check_entry_room(accounts, index, error) != ERX_OK)
        return error->status;
    erx_accounts_save_entry(accounts, index);
    erx_account_entry_t *slot = erx_accounts_slot(accounts, index);
    *slot = *entry;
    slot->key = before.key;
    slot->version = before.version;
    slot->heap_offset = before.heap_offset;
    slot->data_length = before.data_length;
    slot->kind = before.kind;
    memset(slot->zero, 0, sizeof slot->zero);
    return ERX_OK;
}

erx_status_t erx_accounts_write(erx_accounts_t *accounts, uint32_t index, uint32_t offset,
                                const void *bytes, uint32_t size, erx_error_t *error)
{
    ERX_ASSERT(accounts->is_open);
    const erx_account_entry_t *entry = erx_accounts_entry(accounts, index);
    ERX_ASSERT(is_plain(entry) && offset <= entry->data_length &&
               size <= entry->data_length - offset);
    uint64_t place = data_place(accounts, entry) + offset;
    bool is_saved = accounts->placed_in[index] != accounts->group;
    uint64_t undo_room = erx_accounts_entry_undo_room(accounts, index) +
                         (is_saved ? erx_accounts_undo_room(size) : 0);
    uint64_t log_room =
        erx_accounts_entry_log_room(accounts, index) + erx_accounts_patch_room(place, size, false);
    if (erx_accounts_check_room(accounts, undo_room, log_room, error) != ERX_OK)
        return error->status;
    erx_accounts_save_entry(accounts, index);
    erx_accounts_put(accounts, place, bytes, size, is_saved);
    return ERX_OK;
}

/* Shorter data, or longer data in the same units. */
static erx_status_t resize_in_place(erx_accounts_t *accounts, uint32_t index, uint32_t data_length,
                                    erx_error_t *error)
{
    erx_account_entry_t *slot = erx_accounts_slot(accounts, index);
    uint64_t place = data_place(accounts, slot);
    uint64_t kept_units = erx_accounts_units_of(data_length);
    uint64_t freed_units = erx_accounts_units_of(slot->data_length) - kept_units;
    /* Of the last unit that is kept, what is cut off becomes zero at once. */
    uint64_t kept_bytes = kept_units * ERX_ACCOUNTS_UNIT_BYTES;
    uint64_t cut_end = ERX_MIN(kept_bytes, slot->data_length);
    uint64_t cut = cut_end > data_length ? cut_end - data_length : 0;
    bool is_saved = accounts->placed_in[index] != accounts->group;
    uint64_t undo_room = erx_accounts_entry_undo_room(accounts, index) +
                         erx_accounts_undo_room(cut) + erx_accounts_undo_room(0);
    uint64_t log_room =
        erx_accounts_entry_log_room(accounts, index) +
        erx_accounts_patch_room(place + data_length, cut, true) +
        erx_accounts_patch_room(place + kept_bytes, freed_units * ERX_ACCOUNTS_UNIT_BYTES, true);
    if (erx_accounts_check_room(accounts, undo_room, log_room, error) != ERX_OK)
        return error->status;
    erx_accounts_save_entry(accounts, index);
    erx_accounts_put(accounts, place + data_length, NULL, cut, is_saved);
    erx_accounts_free_units(accounts, slot->heap_offset / ERX_ACCOUNTS_UNIT_BYTES + kept_units,
                            freed_units);
    slot->data_length = data_length;
    if (kept_units == 0)
        slot->heap_offset = 0;
    return ERX_OK;
}

/* Longer data whose further units follow those that it has. */
static erx_status_t extend(erx_accounts_t *accounts, uint32_t index, uint32_t data_length,
                           erx_error_t *error)
{
    erx_account_entry_t *slot = erx_accounts_slot(accounts, index);
    uint64_t units = erx_accounts_units_of(slot->data_length);
    uint64_t undo_room = erx_accounts_entry_undo_room(accounts, index) + erx_accounts_undo_room(0);
    if (erx_accounts_check_room(accounts, undo_room, erx_accounts_entry_log_room(accounts, index),
                                error) != ERX_OK)
        return error->status;
    erx_accounts_save_entry(accounts, index);
    erx_accounts_take_units(accounts, slot->heap_offset / ERX_ACCOUNTS_UNIT_BYTES + units,
                            erx_accounts_units_of(data_length) - units);
    slot->data_length = data_length;
    return ERX_OK;
}

/* Longer data in another place. */
static erx_status_t move(erx_accounts_t *accounts, uint32_t index, uint32_t data_length,
                         erx_error_t *error)
{
    erx_account_entry_t *slot = erx_accounts_slot(accounts, index);
    uint64_t from = data_place(accounts, slot), unit = 0;
    uint64_t old_units = erx_accounts_units_of(slot->data_length);
    if (find_units(accounts, data_length, &unit, error) != ERX_OK)
        return error->status;
    uint64_t to = accounts->heap_start + unit * ERX_ACCOUNTS_UNIT_BYTES;
    uint64_t undo_room =
        erx_accounts_entry_undo_room(accounts, index) + 2 * erx_accounts_undo_room(0);
    uint64_t log_room = erx_accounts_entry_log_room(accounts, index) +
                        erx_accounts_patch_room(to, slot->data_length, false) +
                        erx_accounts_patch_room(from, old_units * ERX_ACCOUNTS_UNIT_BYTES, true);
    if (erx_accounts_check_room(accounts, undo_room, log_room, error) != ERX_OK)
        return error->status;
    erx_accounts_save_entry(accounts, index);
    erx_accounts_take_units(accounts, unit, erx_accounts_units_of(data_length));
    erx_accounts_put(accounts, to, accounts->image + from, slot->data_length, false);
    erx_accounts_free_units(accounts, slot->heap_offset / ERX_ACCOUNTS_UNIT_BYTES, old_units);
    slot->heap_offset = unit * ERX_ACCOUNTS_UNIT_BYTES;
    slot->data_length = data_length;
    accounts->placed_in[index] = accounts->group;
    return ERX_OK;
}

erx_status_t erx_accounts_resize(erx_accounts_t *accounts, uint32_t index, uint32_t data_length,
                                 erx_error_t *error)
{
    ERX_ASSERT(accounts->is_open);
    const erx_account_entry_t *entry = erx_accounts_entry(accounts, index);
    ERX_ASSERT(is_plain(entry));
    if (check_length(data_length, error) != ERX_OK)
        return error->status;
    uint64_t units = erx_accounts_units_of(data_length);
    uint64_t old_units = erx_accounts_units_of(entry->data_length);
    if (units <= old_units)
        return resize_in_place(accounts, index, data_length, error);
    uint64_t end = entry->heap_offset / ERX_ACCOUNTS_UNIT_BYTES + old_units;
    if (old_units > 0 && erx_free_map_is_free(&accounts->units, end, units - old_units))
        return extend(accounts, index, data_length, error);
    return move(accounts, index, data_length, error);
}
