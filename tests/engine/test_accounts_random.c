/* Random groups of changes of the account table, against a simple model of what
 * it should hold. */
#include <stdlib.h>
#include <string.h>

#include "tests/engine/accounts_trial.h"
#include "tests/engine/engine_suites.h"
#include "tests/support/rng.h"

typedef struct {
    bool is_used;
    uint64_t name;
    uint64_t lamports;
    uint64_t version;
    uint32_t length;
    uint8_t *data;
} model_account_t;

typedef struct {
    model_account_t accounts[TRIAL_CAPACITY];
    bool changed[TRIAL_CAPACITY];
} model_t;

static void model_copy(model_t *to, const model_t *from)
{
    for (uint32_t i = 0; i < TRIAL_CAPACITY; i++) {
        free(to->accounts[i].data);
        to->accounts[i] = from->accounts[i];
        to->accounts[i].data = calloc(from->accounts[i].length + 1u, 1);
        if (from->accounts[i].is_used)
            memcpy(to->accounts[i].data, from->accounts[i].data, from->accounts[i].length);
    }
    memcpy(to->changed, from->changed, sizeof to->changed);
}

static void model_free(model_t *model)
{
    for (uint32_t i = 0; i < TRIAL_CAPACITY; i++)
        free(model->accounts[i].data);
    free(model);
}

static void model_resize(model_account_t *account, uint32_t length)
{
    uint8_t *data = calloc(length + 1u, 1);
    if (account->is_used)
        memcpy(data, account->data, ERX_MIN(length, account->length));
    free(account->data);
    account->data = data;
    account->length = length;
}

/* Whether the table holds what the model holds. */
static bool agrees(const erx_accounts_t *accounts, const model_t *model)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < TRIAL_CAPACITY; i++) {
        const model_account_t *expected = &model->accounts[i];
        if (erx_accounts_is_used(accounts, i) != expected->is_used)
            return false;
        if (!expected->is_used)
            continue;
        used++;
        const erx_account_entry_t *entry = erx_accounts_entry(accounts, i);
        erx_key_t key = accounts_trial_entry(expected->name, 0).key;
        if (erx_accounts_find(accounts, &key) != i || entry->lamports != expected->lamports ||
            entry->version != expected->version || entry->data_length != expected->length ||
            memcmp(erx_accounts_data(accounts, i), expected->data, expected->length) != 0)
            return false;
    }
    return erx_accounts_count(accounts) == used;
}

static uint32_t draw_length(erx_rng_t *rng)
{
    switch (erx_rng_range(rng, 0, 3)) {
    case 0:
        return 0;
    case 1:
        return (uint32_t)erx_rng_range(rng, 1, 2 * TRIAL_UNIT);
    case 2:
        return TRIAL_UNIT * (uint32_t)erx_rng_range(rng, 1, 20);
    default:
        return (uint32_t)erx_rng_range(rng, 1, TRIAL_PAGE + 100);
    }
}

static void random_create(erx_accounts_t *accounts, model_t *model, erx_rng_t *rng)
{
    erx_error_t error;
    uint64_t name = (uint64_t)erx_rng_range(rng, 1, 90);
    uint32_t length = draw_length(rng), index = ERX_ACCOUNT_NONE;
    const erx_account_entry_t entry = accounts_trial_entry(name, length);
    uint32_t known = erx_accounts_find(accounts, &entry.key);
    erx_status_t status = erx_accounts_create(accounts, &entry, &index, &error);
    if (known != ERX_ACCOUNT_NONE) {
        ck_assert_int_eq(status, ERX_ERR_STATE);
    } else if (status != ERX_OK) {
        ck_assert_int_eq(status, ERX_ERR_FULL);
    } else {
        uint32_t lowest = 0;
        while (model->accounts[lowest].is_used)
            lowest++;
        ck_assert_uint_eq(index, lowest);
        model_resize(&model->accounts[index], length);
        model->accounts[index].name = model->accounts[index].lamports = name;
        model->accounts[index].version = 0;
        model->accounts[index].is_used = model->changed[index] = true;
    }
}

static void random_write(erx_accounts_t *accounts, model_account_t *account, uint32_t index,
                         bool *changed, erx_rng_t *rng)
{
    erx_error_t error;
    uint32_t offset = (uint32_t)erx_rng_range(rng, 0, account->length);
    uint32_t size = (uint32_t)erx_rng_range(rng, 0, account->length - offset);
    uint8_t *bytes = malloc(size + 1u);
    erx_rng_fill(rng, bytes, size);
    if (erx_accounts_write(accounts, index, offset, bytes, size, &error) == ERX_OK) {
        memcpy(account->data + offset, bytes, size);
        *changed = true;
    }
    free(bytes);
}

static void random_step(erx_accounts_t *accounts, model_t *model, erx_rng_t *rng)
{
    erx_error_t error;
    uint32_t index = (uint32_t)erx_rng_range(rng, 0, TRIAL_CAPACITY - 1);
    model_account_t *account = &model->accounts[index];
    int64_t kind = erx_rng_range(rng, 0, 9);
    if (kind < 4 || !account->is_used) {
        random_create(accounts, model, rng);
    } else if (kind < 6) {
        random_write(accounts, account, index, &model->changed[index], rng);
    } else if (kind < 7) {
        erx_account_entry_t entry = *erx_accounts_entry(accounts, index);
        entry.lamports = account->lamports + 1;
        entry.version = 99;
        if (erx_accounts_update(accounts, index, &entry, &error) == ERX_OK) {
            account->lamports++;
            model->changed[index] = true;
        }
    } else if (kind < 9) {
        uint32_t length = draw_length(rng);
        if (erx_accounts_resize(accounts, index, length, &error) == ERX_OK) {
            model_resize(account, length);
            model->changed[index] = true;
        }
    } else if (erx_accounts_remove(accounts, index, &error) == ERX_OK) {
        account->is_used = false;
        model->changed[index] = true;
    }
}

/* A group of random changes, kept or undone; both table and model know it. */
static void random_group(erx_accounts_t *accounts, model_t *model, erx_rng_t *rng)
{
    model_t *before = calloc(1, sizeof *before);
    size_t size = accounts_trial_image_bytes(accounts);
    uint8_t *image = malloc(size);
    memcpy(image, erx_accounts_image(accounts), size);
    memset(model->changed, 0, sizeof model->changed);
    model_copy(before, model);
    erx_accounts_begin(accounts);
    for (int64_t steps = erx_rng_range(rng, 1, 8); steps > 0; steps--)
        random_step(accounts, model, rng);
    uint32_t changed_count = 0, changed = 0;
    const uint32_t *indexes = erx_accounts_changed(accounts, &changed_count);
    for (uint32_t i = 0; i < changed_count; i++)
        ck_assert(model->changed[indexes[i]]);
    for (uint32_t i = 0; i < TRIAL_CAPACITY; i++)
        changed += model->changed[i];
    ck_assert_uint_eq(changed_count, changed);
    if (erx_rng_range(rng, 0, 2) == 0) {
        erx_accounts_rollback(accounts);
        ck_assert_int_eq(memcmp(image, erx_accounts_image(accounts), size), 0);
        model_copy(model, before);
    } else {
        erx_accounts_commit(accounts);
        for (uint32_t i = 0; i < TRIAL_CAPACITY; i++)
            model->accounts[i].version += model->changed[i];
    }
    model_free(before);
    free(image);
}

START_TEST(test_random_groups_agree_with_a_model)
{
    erx_rng_t rng = erx_rng_open((uint64_t)_i);
    erx_accounts_t *accounts = accounts_trial_open(&accounts_trial_config);
    erx_accounts_t *rebuilt = accounts_trial_open(&accounts_trial_config);
    model_t *model = calloc(1, sizeof *model);
    size_t size = accounts_trial_image_bytes(accounts);
    uint8_t *sealed = calloc(1, size);
    erx_error_t error;
    for (uint32_t round = 0; round < 1500; round++) {
        random_group(accounts, model, &rng);
        if (erx_rng_range(&rng, 0, 3) == 0) {
            accounts_trial_seal(accounts, sealed);
            ck_assert_int_eq(memcmp(sealed, erx_accounts_image(accounts), size), 0);
        }
        if (round % 100 == 99) {
            ck_assert(agrees(accounts, model));
            accounts_trial_seal(accounts, sealed);
            memcpy(erx_accounts_image(rebuilt), sealed, size);
            ck_assert_int_eq(erx_accounts_rebuild(rebuilt, &error), ERX_OK);
            ck_assert(agrees(rebuilt, model));
            /* Go on with the table that knows only the image. */
            erx_accounts_t *other = accounts;
            accounts = rebuilt;
            rebuilt = other;
        }
    }
    ck_assert_uint_gt(erx_accounts_count(accounts), 0);
    model_free(model);
    free(sealed);
    erx_accounts_close(accounts);
    erx_accounts_close(rebuilt);
}
END_TEST

Suite *accounts_random_suite(void)
{
    Suite *suite = suite_create("accounts_random");
    TCase *tcase = tcase_create("accounts_random");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_random_groups_agree_with_a_model, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
