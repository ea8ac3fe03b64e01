#include "tests/engine/accounts_trial.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

const erx_accounts_config_t accounts_trial_config = {
    .account_capacity = TRIAL_CAPACITY,
    .heap_bytes = 4 * TRIAL_PAGE,
    .write_log_bytes = 1u << 20,
    .undo_log_bytes = 1u << 19,
};

erx_accounts_t *accounts_trial_open(const erx_accounts_config_t *config)
{
    erx_accounts_t *accounts = NULL;
    erx_error_t error;
    ck_assert_int_eq(erx_accounts_open(config, &accounts, &error), ERX_OK);
    return accounts;
}

erx_account_entry_t accounts_trial_entry(uint64_t name, uint32_t data_length)
{
    erx_account_entry_t entry = {
        .lamports = name, .data_length = data_length, .kind = ERX_ACCOUNT_PLAIN};
    memcpy(entry.key.bytes, &name, sizeof name);
    memset(entry.owner.bytes, 7, sizeof entry.owner.bytes);
    return entry;
}

size_t accounts_trial_image_bytes(const erx_accounts_t *accounts)
{
    return (size_t)erx_accounts_page_count(accounts) * TRIAL_PAGE;
}

void accounts_trial_seal(erx_accounts_t *accounts, uint8_t *image)
{
    uint32_t count = 0;
    uint64_t bytes = 0;
    const uint32_t *pages = erx_accounts_written_pages(accounts, &count);
    ck_assert_uint_le(count, erx_accounts_written_pages_max(accounts));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = erx_accounts_page_patches_bytes(accounts, pages[i]);
        uint8_t *patches = malloc(size);
        erx_error_t error;
        ck_assert_uint_gt(size, 0);
        erx_accounts_page_patches_copy(accounts, pages[i], patches);
        ck_assert_int_eq(
            erx_accounts_page_apply(image + (size_t)pages[i] * TRIAL_PAGE, patches, size, &error),
            ERX_OK);
        free(patches);
        bytes += size;
    }
    ck_assert_uint_le(bytes, erx_accounts_patches_bytes_max(accounts));
    erx_accounts_written_clear(accounts);
    (void)erx_accounts_written_pages(accounts, &count);
    ck_assert_uint_eq(count, 0);
}
