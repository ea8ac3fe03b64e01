/* Writes the seeds of fuzz_checkpoint into the files named on the command line:
 * a page of accounts, and a session. */
#include "engine/account.h"
#include "engine/bank/accounts.h"
#include "mem/assert.h"
#include "tests/support/model_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_seed(const char *path, uint8_t pool, const uint8_t *arena, size_t size)
{
    const uint8_t head[16] = {pool, 0, 0, 0, 1};
    FILE *file = fopen(path, "wb");
    ERX_ASSERT(file != NULL);
    ERX_ASSERT(fwrite(head, sizeof head, 1, file) == 1);
    ERX_ASSERT(fwrite(arena, size, 1, file) == 1);
    ERX_ASSERT(fclose(file) == 0);
}

static void write_page(const char *path)
{
    const erx_accounts_config_t config = {
        .account_capacity = ERX_ACCOUNTS_CAPACITY_MIN,
        .heap_bytes = ERX_ACCOUNTS_PAGE_BYTES,
        .write_log_bytes = 4096,
        .undo_log_bytes = 4096,
    };
    erx_accounts_t *accounts;
    erx_error_t error;
    ERX_ASSERT(erx_accounts_open(&config, &accounts, &error) == ERX_OK);
    erx_accounts_begin(accounts);
    for (uint8_t i = 0; i < 4; i++) {
        uint32_t index;
        erx_account_entry_t entry = {.kind = ERX_ACCOUNT_PLAIN, .data_length = 200u * i};
        entry.key.bytes[0] = i;
        ERX_ASSERT(erx_accounts_create(accounts, &entry, &index, &error) == ERX_OK);
    }
    erx_accounts_commit(accounts);
    write_seed(path, 2, erx_accounts_image(accounts), 5 * sizeof(erx_account_entry_t));
    erx_accounts_close(accounts);
}

int main(int argc, char **argv)
{
    const erx_session_terms_t terms = {.stage = 3, .characters = {1, 2}};
    ERX_ASSERT(argc == 3);
    write_page(argv[1]);
    size_t size = erx_arena_bytes(&erx_fixture_micro);
    uint8_t *arena = calloc(1, size);
    ERX_ASSERT(arena != NULL);
    erx_arena_start(arena, &erx_fixture_micro, &terms);
    write_seed(argv[2], 0, arena, size);
    free(arena);
    return 0;
}
