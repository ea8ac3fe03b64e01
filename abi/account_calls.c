/* Reading accounts, and putting those of the base layer. */
#include <string.h>

#include "abi/rollup.h"

#define FILTERS_MAX 8u

int32_t erx_rollup_read_account(const erx_rollup_t *rollup, const erx_pubkey_t *key,
                                erx_account_info_t *info_out, uint32_t offset, uint8_t *data_out,
                                size_t capacity, size_t *size_out)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (key == NULL || (capacity > 0 && data_out == NULL))
        return erx_result_missing(key == NULL ? "key" : "data_out");
    erx_account_info_t own;
    result = info_out == NULL ? ERX_STATUS_OK : erx_result_fits(info_out, sizeof own);
    if (result != ERX_STATUS_OK)
        return result;
    uint32_t size = 0;
    erx_runtime_t *runtime = state->runtime;
    erx_runtime_read_begin(runtime, false);
    uint32_t index = erx_bank_find(erx_runtime_bank(runtime), erx_key_of(key));
    if (index != ERX_ACCOUNT_NONE && capacity > 0 &&
        erx_accounts_entry(erx_runtime_accounts(runtime), index)->kind ==
            ERX_ACCOUNT_HIDDEN_STATE) {
        erx_runtime_read_end(runtime);
        erx_runtime_read_begin(runtime, true);
        index = erx_bank_find(erx_runtime_bank(runtime), erx_key_of(key));
    }
    if (index != ERX_ACCOUNT_NONE) {
        const erx_account_entry_t *entry = erx_accounts_entry(erx_runtime_accounts(runtime), index);
        own = (erx_account_info_t){
            .owner = erx_pubkey_from(&entry->owner),
            .lamports = entry->lamports,
            .space = erx_bank_space(erx_runtime_bank(runtime), index),
            .executable = (entry->flags & ERX_ACCOUNT_EXECUTABLE) != 0,
            .read_only_clone = (entry->flags & ERX_ACCOUNT_READ_ONLY_CLONE) != 0,
            .delegated = (entry->flags & ERX_ACCOUNT_DELEGATED) != 0,
            .locked = (entry->flags & ERX_ACCOUNT_LOCKED) != 0,
            .version = erx_runtime_version(runtime, index),
            .slot = erx_runtime_changed_slot(runtime, index),
        };
        if (capacity > 0)
            size = erx_runtime_read(runtime, index, offset, data_out,
                                    (uint32_t)ERX_MIN(capacity, (size_t)UINT32_MAX));
    }
    erx_runtime_read_end(runtime);
    if (index == ERX_ACCOUNT_NONE)
        return erx_result_refuse(ERX_STATUS_NOT_FOUND, "key: there is no such account");
    if (size_out != NULL)
        *size_out = size;
    return info_out == NULL ? ERX_STATUS_OK
                            : erx_result_give(info_out, &own, sizeof own, sizeof own);
}

/* Whether an account passes; with the lock. */
static bool passes(const erx_runtime_t *runtime, uint32_t index,
                   const erx_account_filter_t *filters, uint32_t count)
{
    uint8_t bytes[ERX_ACCOUNT_FILTER_BYTES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        const erx_account_filter_t *filter = &filters[i];
        if (filter->bytes == NULL) {
            if (erx_bank_space(erx_runtime_bank(runtime), index) != filter->size)
                return false;
        } else if (erx_runtime_read(runtime, index, filter->offset, bytes, filter->size) !=
                       filter->size ||
                   memcmp(bytes, filter->bytes, filter->size) != 0) {
            return false;
        }
    }
    return true;
}

static int32_t check_filters(const erx_account_filter_t *filters, uint32_t count)
{
    if (count > FILTERS_MAX || (count > 0 && filters == NULL))
        return erx_result_refuse(ERX_STATUS_RANGE, "filter_count: %u is not in 0 to %u", count,
                                 FILTERS_MAX);
    for (uint32_t i = 0; i < count; i++)
        if (filters[i].bytes != NULL && filters[i].size > ERX_ACCOUNT_FILTER_BYTES_MAX)
            return erx_result_refuse(ERX_STATUS_RANGE, "filters[%u].size: %u is more than %u", i,
                                     filters[i].size, ERX_ACCOUNT_FILTER_BYTES_MAX);
    return ERX_STATUS_OK;
}

/* How many accounts are looked at with the lock taken once, so that the control
 * thread never waits long. */
#define SCAN_STRIDE 256u

int32_t erx_rollup_scan_accounts(const erx_rollup_t *rollup, const erx_pubkey_t *owner,
                                 const erx_account_filter_t *filters, uint32_t filter_count,
                                 bool (*visit)(void *context, const erx_pubkey_t *key),
                                 void *context)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (owner == NULL || visit == NULL)
        return erx_result_missing(owner == NULL ? "owner" : "visit");
    result = check_filters(filters, filter_count);
    erx_pubkey_t found[SCAN_STRIDE];
    erx_accounts_t *table = erx_runtime_accounts(state->runtime);
    uint32_t capacity = erx_accounts_capacity(table);
    for (uint32_t begin = 0; result == ERX_STATUS_OK && begin < capacity; begin += SCAN_STRIDE) {
        uint32_t count = 0;
        erx_runtime_read_begin(state->runtime, false);
        for (uint32_t i = begin; i < ERX_MIN(begin + SCAN_STRIDE, capacity); i++) {
            if (!erx_accounts_is_used(table, i))
                continue;
            const erx_account_entry_t *entry = erx_accounts_entry(table, i);
            bool readable = entry->kind != ERX_ACCOUNT_HIDDEN_STATE || filter_count == 0;
            if (readable && erx_key_equals(&entry->owner, erx_key_of(owner)) &&
                passes(state->runtime, i, filters, filter_count))
                found[count++] = erx_pubkey_from(&entry->key);
        }
        erx_runtime_read_end(state->runtime);
        for (uint32_t i = 0; i < count; i++)
            if (!visit(context, &found[i]))
                return ERX_STATUS_OK;
    }
    return result;
}

/* -------------------------------------------------------------- base layer */

/* A group of changes of the table by the embedder. replaces: the account's bytes,
 * which those of models that play keep. */
static int32_t change(erx_rollup_t *rollup, const erx_pubkey_t *key, bool replaces,
                      erx_status_t (*apply)(erx_accounts_t *table, uint32_t index,
                                            const void *argument, erx_error_t *error),
                      const void *argument)
{
    int32_t result;
    erx_error_t error;
    erx_bank_t *bank;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (replaces && erx_models_holds(erx_runtime_models(state->runtime), erx_key_of(key)))
        return erx_result_refuse(ERX_STATUS_STATE, "key: the account is a part of a model");
    if (erx_runtime_change_begin(state->runtime, &bank, &error) != ERX_OK)
        return erx_result_keep(&error);
    erx_accounts_t *table = erx_runtime_accounts(state->runtime);
    erx_accounts_begin(table);
    erx_status_t status = apply(table, erx_accounts_find(table, erx_key_of(key)), argument, &error);
    if (status == ERX_OK)
        status = erx_bank_note_change(bank, erx_key_of(key), &error);
    if (status == ERX_OK)
        erx_accounts_commit(table);
    else
        erx_accounts_rollback(table);
    erx_runtime_change_end(state->runtime);
    return status == ERX_OK ? ERX_STATUS_OK : erx_result_keep(&error);
}

#define IMAGE_FLAGS                                                                                \
    (ERX_ACCOUNT_IMAGE_READ_ONLY | ERX_ACCOUNT_IMAGE_DELEGATED | ERX_ACCOUNT_IMAGE_EXECUTABLE)

static uint8_t flags_of(uint32_t image_flags)
{
    uint8_t flags = 0;
    if (image_flags & ERX_ACCOUNT_IMAGE_READ_ONLY)
        flags |= ERX_ACCOUNT_READ_ONLY_CLONE;
    if (image_flags & ERX_ACCOUNT_IMAGE_DELEGATED)
        flags |= ERX_ACCOUNT_DELEGATED;
    if (image_flags & ERX_ACCOUNT_IMAGE_EXECUTABLE)
        flags |= ERX_ACCOUNT_EXECUTABLE;
    return flags;
}

static erx_status_t put(erx_accounts_t *table, uint32_t index, const void *argument,
                        erx_error_t *error)
{
    const erx_account_image_t *image = argument;
    erx_account_entry_t entry = {
        .key = *erx_key_of(&image->key),
        .owner = *erx_key_of(&image->owner),
        .lamports = image->lamports,
        .data_length = (uint32_t)image->data_size,
        .kind = ERX_ACCOUNT_PLAIN,
        .flags = flags_of(image->flags),
    };
    erx_status_t status;
    if (index == ERX_ACCOUNT_NONE) {
        status = erx_accounts_create(table, &entry, &index, error);
    } else {
        const erx_account_entry_t *before = erx_accounts_entry(table, index);
        if (before->kind != ERX_ACCOUNT_PLAIN || (before->flags & ERX_ACCOUNT_DELEGATED) != 0)
            return erx_error_set(error, ERX_ERR_STATE,
                                 "key: the account is a session's, a model's or delegated, and "
                                 "changes here");
        status = erx_accounts_resize(table, index, entry.data_length, error);
        if (status == ERX_OK)
            status = erx_accounts_update(table, index, &entry, error);
    }
    if (status == ERX_OK && image->data_size > 0)
        status =
            erx_accounts_write(table, index, 0, image->data, (uint32_t)image->data_size, error);
    return status;
}

int32_t erx_rollup_put_account(erx_rollup_t *rollup, const erx_account_image_t *image)
{
    erx_account_image_t own = {0};
    if (image == NULL)
        return erx_result_missing("image");
    int32_t result = erx_result_take(&own, sizeof own, image, sizeof own);
    if (result != ERX_STATUS_OK)
        return result;
    if (own.data_size > ERX_ACCOUNT_DATA_MAX || (own.data_size > 0 && own.data == NULL))
        return erx_result_refuse(ERX_STATUS_RANGE, "data_size: %zu is not in 0 to %u",
                                 own.data_size, ERX_ACCOUNT_DATA_MAX);
    if ((own.flags & ~(uint32_t)IMAGE_FLAGS) != 0)
        return erx_result_refuse(ERX_STATUS_RANGE, "flags: 0x%x has unknown bits", own.flags);
    return change(rollup, &own.key, true, put, &own);
}

static erx_status_t remove_clone(erx_accounts_t *table, uint32_t index, const void *argument,
                                 erx_error_t *error)
{
    (void)argument;
    if (index == ERX_ACCOUNT_NONE)
        return erx_error_set(error, ERX_ERR_NOT_FOUND, "key: there is no such account");
    if (erx_accounts_entry(table, index)->kind != ERX_ACCOUNT_PLAIN)
        return erx_error_set(error, ERX_ERR_STATE, "key: the account is a session's or a model's");
    return erx_accounts_remove(table, index, error);
}

int32_t erx_rollup_remove_account(erx_rollup_t *rollup, const erx_pubkey_t *key)
{
    return key == NULL ? erx_result_missing("key") : change(rollup, key, true, remove_clone, NULL);
}

static erx_status_t change_lock(erx_accounts_t *table, uint32_t index, bool is_locked,
                                erx_error_t *error)
{
    if (index == ERX_ACCOUNT_NONE)
        return erx_error_set(error, ERX_ERR_NOT_FOUND, "key: there is no such account");
    erx_account_entry_t entry = *erx_accounts_entry(table, index);
    entry.flags &= (uint8_t)~ERX_ACCOUNT_LOCKED;
    if (is_locked)
        entry.flags |= ERX_ACCOUNT_LOCKED;
    return erx_accounts_update(table, index, &entry, error);
}

static erx_status_t lock(erx_accounts_t *table, uint32_t index, const void *argument,
                         erx_error_t *error)
{
    (void)argument;
    return change_lock(table, index, true, error);
}

static erx_status_t unlock(erx_accounts_t *table, uint32_t index, const void *argument,
                           erx_error_t *error)
{
    (void)argument;
    return change_lock(table, index, false, error);
}

int32_t erx_rollup_lock_account(erx_rollup_t *rollup, const erx_pubkey_t *key)
{
    return key == NULL ? erx_result_missing("key") : change(rollup, key, false, lock, NULL);
}

int32_t erx_rollup_unlock_account(erx_rollup_t *rollup, const erx_pubkey_t *key)
{
    return key == NULL ? erx_result_missing("key") : change(rollup, key, false, unlock, NULL);
}
