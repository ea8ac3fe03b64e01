#include "node/base_delegation.h"

#include <string.h>

#define RECORD_BYTES         96u
#define RECORD_DISCRIMINATOR UINT64_C(100)
#define RECORD_AT_VALIDATOR  8u
#define RECORD_AT_OWNER      40u
#define RECORD_AT_SLOT       72u
#define RECORD_AT_LAMPORTS   80u

#define METADATA_AT_COMMITS  8u
#define METADATA_AT_SEEDS    17u /* after commits u64 and "may be undelegated" u8 */
#define SEEDS_MAX            16u /* of an address */

const char erx_delegation_program_text[] = "DELeGGvXpWV2fqJUhqcF5ZSYMS4JTLjteaAMARRSaeSh";

erx_pubkey_t erx_delegation_program(void)
{
    erx_pubkey_t key = {{0}};
    (void)erx_base58_to_bytes(erx_delegation_program_text, key.bytes, sizeof key.bytes);
    return key;
}

bool erx_delegation_address(erx_delegation_address_t kind, const erx_pubkey_t *key,
                            erx_pubkey_t *address_out)
{
    static const char *const names[] = {
        [ERX_DELEGATION_RECORD] = "delegation",
        [ERX_DELEGATION_METADATA] = "delegation-metadata",
        [ERX_DELEGATION_COMMIT_STATE] = "state-diff",
        [ERX_DELEGATION_COMMIT_RECORD] = "commit-state-record",
        [ERX_DELEGATION_UNDELEGATE_BUFFER] = "undelegate-buffer",
        [ERX_DELEGATION_VALIDATOR_FEES] = "v-fees-vault",
        [ERX_DELEGATION_PROGRAM_CONFIG] = "p-conf",
        [ERX_DELEGATION_FEES] = "fees-vault",
    };
    const uint8_t *const seeds[] = {(const uint8_t *)names[kind], key->bytes};
    const size_t sizes[] = {strlen(names[kind]), sizeof key->bytes};
    size_t count = kind == ERX_DELEGATION_FEES ? 1 : 2;
    erx_pubkey_t program = erx_delegation_program();
    return erx_find_program_address(seeds, sizes, count, &program, address_out, NULL) ==
           ERX_STATUS_OK;
}

static uint64_t get_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static uint32_t get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static bool is_the_programs(const erx_base_account_t *account)
{
    erx_pubkey_t program = erx_delegation_program();
    return account->exists && memcmp(&account->owner, &program, sizeof program) == 0;
}

bool erx_delegation_record_read(const erx_base_account_t *account, erx_delegation_t *delegation_out)
{
    if (!is_the_programs(account) || account->data_size < RECORD_BYTES ||
        get_u64(account->data) != RECORD_DISCRIMINATOR)
        return false;
    *delegation_out = (erx_delegation_t){
        .is_delegated = true,
        .slot = get_u64(account->data + RECORD_AT_SLOT),
        .lamports = get_u64(account->data + RECORD_AT_LAMPORTS),
    };
    memcpy(&delegation_out->authority, account->data + RECORD_AT_VALIDATOR, ERX_PUBKEY_SIZE);
    memcpy(&delegation_out->owner, account->data + RECORD_AT_OWNER, ERX_PUBKEY_SIZE);
    return true;
}

bool erx_delegation_metadata_read(const erx_base_account_t *account,
                                  erx_delegation_metadata_t *metadata_out)
{
    size_t at = METADATA_AT_SEEDS + sizeof(uint32_t);
    if (!is_the_programs(account) || account->data_size < at)
        return false;
    uint32_t seeds = get_u32(account->data + METADATA_AT_SEEDS);
    for (uint32_t i = 0; i < seeds; i++) {
        if (i == SEEDS_MAX || account->data_size - at < sizeof(uint32_t))
            return false;
        uint32_t size = get_u32(account->data + at);
        at += sizeof(uint32_t);
        if (account->data_size - at < size)
            return false;
        at += size;
    }
    if (account->data_size - at < ERX_PUBKEY_SIZE)
        return false;
    metadata_out->commits = get_u64(account->data + METADATA_AT_COMMITS);
    memcpy(&metadata_out->rent_payer, account->data + at, ERX_PUBKEY_SIZE);
    return true;
}
