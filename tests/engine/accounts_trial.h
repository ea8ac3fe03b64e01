/* What the suites of the account table share. What fails here fails the test
 * that calls it. */
#ifndef ERX_TESTS_ENGINE_ACCOUNTS_TRIAL_H
#define ERX_TESTS_ENGINE_ACCOUNTS_TRIAL_H

#include "engine/bank/accounts.h"

#define TRIAL_UNIT     ERX_ACCOUNTS_UNIT_BYTES
#define TRIAL_PAGE     ERX_ACCOUNTS_PAGE_BYTES
#define TRIAL_CAPACITY ERX_ACCOUNTS_CAPACITY_MIN

/* A small table: TRIAL_CAPACITY accounts, four pages of heap. */
extern const erx_accounts_config_t accounts_trial_config;

erx_accounts_t *accounts_trial_open(const erx_accounts_config_t *config);

/* The entry of a plain account whose key and lamports are name. */
erx_account_entry_t accounts_trial_entry(uint64_t name, uint32_t data_length);

size_t accounts_trial_image_bytes(const erx_accounts_t *accounts);

/* Applies what the next record would take to an older image, and clears it. */
void accounts_trial_seal(erx_accounts_t *accounts, uint8_t *image);

#endif
