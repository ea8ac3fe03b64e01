/* Groups of changes: what a rollback takes back, what a commit makes so. */
#include <string.h>

#include "engine/bank/accounts_parts.h"
#include "engine/mutant.h"
#include "mem/assert.h"

#define ENTRY_BYTES sizeof(erx_account_entry_t)
#define NO_STEP     UINT32_MAX

uint64_t erx_accounts_undo_room(uint64_t bytes)
{
    return sizeof(erx_undo_t) + ERX_ALIGN_UP(bytes, ERX_PATCH_ALIGNMENT);
}

uint64_t erx_accounts_entry_undo_room(const erx_accounts_t *accounts, uint32_t index)
{
    bool is_saved = accounts->changed_in[index] == accounts->group;
    return is_saved ? 0 : erx_accounts_undo_room(ENTRY_BYTES);
}

erx_status_t erx_accounts_check_room(const erx_accounts_t *accounts, uint64_t undo_bytes,
                                     uint64_t log_bytes, erx_error_t *error)
{
    const erx_accounts_config_t *config = &accounts->config;
    if (undo_bytes > config->undo_log_bytes - accounts->undo_bytes)
        return erx_error_set(error, ERX_ERR_FULL,
                             "a transaction may change at most %u bytes of accounts",
                             config->undo_log_bytes);
    if (log_bytes > config->write_log_bytes - accounts->log_bytes - accounts->log_reserved)
        return erx_error_set(error, ERX_ERR_FULL,
                             "the next record has no room for more changes of accounts: it takes "
                             "%u bytes; seal a block first",
                             config->write_log_bytes);
    return ERX_OK;
}

void erx_accounts_begin(erx_accounts_t *accounts)
{
    ERX_ASSERT(!accounts->is_open);
    accounts->is_open = true;
    accounts->group++;
    accounts->changed_count = 0;
    accounts->undo_bytes = 0;
    accounts->undo_last = NO_STEP;
    accounts->log_begin = accounts->log_bytes;
    accounts->log_reserved = 0;
}

/* Adds a step with what it overwrites (NULL: nothing); there is room. */
static void note(erx_accounts_t *accounts, erx_undo_kind_t kind, uint64_t place, uint64_t size,
                 const void *before)
{
    uint64_t bytes = erx_accounts_undo_room(before == NULL ? 0 : size);
    ERX_ASSERT(bytes <= accounts->config.undo_log_bytes - accounts->undo_bytes);
    erx_undo_t *step = (erx_undo_t *)(void *)(accounts->undo + accounts->undo_bytes);
    *step = (erx_undo_t){place, size, kind, accounts->undo_last};
    if (before != NULL)
        memcpy(step + 1, before, size);
    accounts->undo_last = accounts->undo_bytes;
    accounts->undo_bytes += (uint32_t)bytes;
}

void erx_accounts_save_entry(erx_accounts_t *accounts, uint32_t index)
{
    if (accounts->changed_in[index] == accounts->group)
        return;
    accounts->log_reserved += (uint32_t)erx_accounts_entry_log_room(accounts, index);
    note(accounts, ERX_UNDO_ENTRY, index, ENTRY_BYTES, erx_accounts_slot(accounts, index));
    accounts->changed_in[index] = accounts->group;
    accounts->changed[accounts->changed_count++] = index;
}

void erx_accounts_put(erx_accounts_t *accounts, uint64_t place, const void *bytes, uint64_t size,
                      bool is_saved)
{
    uint8_t *at = accounts->image + place;
    if (size == 0)
        return;
    if (is_saved)
        note(accounts, ERX_UNDO_BYTES, place, size, at);
    erx_accounts_log_bytes(accounts, place, bytes, size);
    if (bytes == NULL)
        memset(at, 0, size);
    else
        memmove(at, bytes, size);
}

void erx_accounts_take_units(erx_accounts_t *accounts, uint64_t unit, uint64_t units)
{
    if (units == 0)
        return;
    note(accounts, ERX_UNDO_TAKEN, unit, units, NULL);
    erx_free_map_take(&accounts->units, unit, units);
}

static uint64_t unit_place(const erx_accounts_t *accounts, uint64_t unit)
{
    return accounts->heap_start + unit * ERX_ACCOUNTS_UNIT_BYTES;
}

void erx_accounts_free_units(erx_accounts_t *accounts, uint64_t unit, uint64_t units)
{
    if (units == 0)
        return;
    note(accounts, ERX_UNDO_FREED, unit, units, NULL);
    accounts->log_reserved += (uint32_t)erx_accounts_patch_room(
        unit_place(accounts, unit), units * ERX_ACCOUNTS_UNIT_BYTES, true);
}

/* Fills units with zeros and frees them. */
static void clear_units(erx_accounts_t *accounts, const erx_undo_t *step)
{
    memset(accounts->image + unit_place(accounts, step->place), 0,
           step->size * ERX_ACCOUNTS_UNIT_BYTES);
    erx_free_map_give(&accounts->units, step->place, step->size);
}

static void restore_entry(erx_accounts_t *accounts, const erx_undo_t *step)
{
    uint32_t index = (uint32_t)step->place;
    erx_account_entry_t *slot = erx_accounts_slot(accounts, index);
    if (slot->kind != ERX_ACCOUNT_FREE)
        erx_accounts_unlink(accounts, index);
    memcpy(slot, step + 1, sizeof *slot);
    if (slot->kind != ERX_ACCOUNT_FREE)
        erx_accounts_link(accounts, index);
    accounts->changed_in[index] = 0;
}

static void take_back(erx_accounts_t *accounts, const erx_undo_t *step)
{
    switch ((erx_undo_kind_t)step->kind) {
    case ERX_UNDO_BYTES:
        memcpy(accounts->image + step->place, step + 1, step->size);
        break;
    case ERX_UNDO_ENTRY:
        restore_entry(accounts, step);
        break;
    case ERX_UNDO_TAKEN:
        clear_units(accounts, step);
        break;
    case ERX_UNDO_FREED:
        break;
    }
}

static const erx_undo_t *step_at(const erx_accounts_t *accounts, uint32_t place)
{
    return (const erx_undo_t *)(const void *)(accounts->undo + place);
}

void erx_accounts_rollback(erx_accounts_t *accounts)
{
    ERX_ASSERT(accounts->is_open);
    for (uint32_t place = accounts->undo_last; place != NO_STEP;) {
        const erx_undo_t *step = step_at(accounts, place);
        take_back(accounts, step);
        place = step->previous;
    }
    if (!ERX_MUTANT(JOURNAL_UNDONE))
        erx_accounts_log_cut(accounts, accounts->log_begin);
    accounts->log_reserved = 0;
    accounts->changed_count = 0;
    accounts->is_open = false;
}

void erx_accounts_commit(erx_accounts_t *accounts)
{
    ERX_ASSERT(accounts->is_open);
    accounts->log_reserved = 0;
    for (uint32_t place = accounts->undo_last; place != NO_STEP;) {
        const erx_undo_t *step = step_at(accounts, place);
        if (step->kind == ERX_UNDO_FREED) {
            erx_accounts_log_bytes(accounts, unit_place(accounts, step->place), NULL,
                                   step->size * ERX_ACCOUNTS_UNIT_BYTES);
            clear_units(accounts, step);
        }
        place = step->previous;
    }
    for (uint32_t i = 0; i < accounts->changed_count; i++) {
        erx_account_entry_t *slot = erx_accounts_slot(accounts, accounts->changed[i]);
        if (slot->kind != ERX_ACCOUNT_FREE)
            slot->version++;
        erx_accounts_log_entry(accounts, accounts->changed[i]);
    }
    accounts->is_open = false;
}
