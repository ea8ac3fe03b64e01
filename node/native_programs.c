#include "node/native_programs.h"

#include "node/common.h"

#include <string.h>

static const struct {
    const char *key;
    erx_native_program_t program;
    const char *name;
} programs[] = {
    {"11111111111111111111111111111111", ERX_PROGRAM_SYSTEM, "system_program"},
    {"ComputeBudget111111111111111111111111111111", ERX_PROGRAM_COMPUTE_BUDGET,
     "compute_budget_program"},
    {"Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo", ERX_PROGRAM_MEMO, "memo_program"},
    {"MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr", ERX_PROGRAM_MEMO, "memo_program"},
    {"WrLd111111111111111111111111111111111111111", ERX_PROGRAM_WORLD, "world_program"},
};

static const char native_loader[] = "NativeLoader1111111111111111111111111111111";

/* Its place in the table; the table's length for another key. */
static size_t find(const uint8_t key[ERX_PUBKEY_SIZE])
{
    size_t i = 0;
    for (; i < ERX_ARRAY_COUNT(programs); i++) {
        uint8_t bytes[ERX_PUBKEY_SIZE];
        if (erx_base58_to_bytes(programs[i].key, bytes, sizeof bytes) == ERX_STATUS_OK &&
            memcmp(bytes, key, sizeof bytes) == 0)
            break;
    }
    return i;
}

erx_native_program_t erx_native_program(const uint8_t key[ERX_PUBKEY_SIZE])
{
    size_t i = find(key);
    return i < ERX_ARRAY_COUNT(programs) ? programs[i].program : ERX_PROGRAM_OTHER;
}

bool erx_native_program_account(const erx_pubkey_t *key, erx_account_t *account_out)
{
    size_t i = find(key->bytes);
    if (i == ERX_ARRAY_COUNT(programs))
        return false;
    *account_out = (erx_account_t){
        .lamports = 1, /* as Solana's: what is there has lamports */
        .data = (const uint8_t *)programs[i].name,
        .data_size = (uint32_t)strlen(programs[i].name),
        .executable = true,
    };
    return erx_base58_to_bytes(native_loader, account_out->owner.bytes,
                               sizeof account_out->owner.bytes) == ERX_STATUS_OK;
}
