#include "tests/support/transaction_plan.h"

#include "mem/assert.h"

#include <sodium.h>
#include <string.h>

static const uint8_t two_accounts[] = {0, 2};
static const uint8_t three_accounts[] = {2, 3, 1};
static const uint8_t writable_entries[] = {0, 2};
static const uint8_t readonly_entries[] = {1};

erx_plan_signer_t erx_plan_signer(uint64_t number)
{
    uint8_t seed[crypto_sign_SEEDBYTES] = {0};
    memcpy(seed, &number, sizeof number);
    erx_plan_signer_t signer;
    (void)crypto_sign_seed_keypair(signer.key.bytes, signer.secret, seed);
    return signer;
}

static erx_key_t filled_key(uint8_t value)
{
    erx_key_t key;
    memset(key.bytes, value, sizeof key.bytes);
    return key;
}

erx_plan_t erx_plan_legacy(void)
{
    return (erx_plan_t){
        .signature_count = 2,
        .signatures_required = 2,
        .readonly_signed_count = 1,
        .readonly_unsigned_count = 2,
        .key_count = 5,
        .keys = {erx_plan_signer(1).key, erx_plan_signer(2).key, filled_key(3), filled_key(4),
                 filled_key(5)},
        .blockhash = filled_key(9),
        .instruction_count = 2,
        .instructions = {{4, sizeof two_accounts, two_accounts, 3, "abc"},
                         {4, sizeof three_accounts, three_accounts, 0, NULL}},
    };
}

erx_plan_t erx_plan_v0(void)
{
    erx_plan_t plan = erx_plan_legacy();
    plan.has_version = true;
    plan.lookup_count = 1;
    plan.lookups[0] = (erx_plan_lookup_t){
        .table = filled_key(7),
        .writable_count = sizeof writable_entries,
        .writable = writable_entries,
        .readonly_count = sizeof readonly_entries,
        .readonly = readonly_entries,
    };
    return plan;
}

size_t erx_plan_compact(uint16_t value, uint8_t out[3])
{
    size_t size = 0;
    uint32_t rest = value;
    for (; rest > 0x7f; rest >>= 7)
        out[size++] = (uint8_t)(0x80 | rest);
    out[size++] = (uint8_t)rest;
    return size;
}

typedef struct {
    uint8_t *packet;
    size_t size;
} writer_t;

static void put(writer_t *writer, const void *data, size_t bytes)
{
    ERX_ASSERT(bytes <= ERX_PLAN_BYTES_MAX - writer->size);
    if (bytes > 0)
        memcpy(writer->packet + writer->size, data, bytes);
    writer->size += bytes;
}

static void put_compact(writer_t *writer, uint16_t value)
{
    uint8_t bytes[3];
    put(writer, bytes, erx_plan_compact(value, bytes));
}

static void put_counted(writer_t *writer, const void *data, uint16_t bytes)
{
    put_compact(writer, bytes);
    put(writer, data, bytes);
}

size_t erx_plan_write(const erx_plan_t *plan, uint8_t packet_out[ERX_PLAN_BYTES_MAX])
{
    static const erx_signature_t unsigned_yet;
    writer_t writer = {.packet = packet_out};
    put_compact(&writer, plan->signature_count);
    for (uint32_t i = 0; i < plan->signature_count; i++)
        put(&writer, unsigned_yet.bytes, sizeof unsigned_yet.bytes);
    if (plan->has_version)
        put(&writer, &(uint8_t){0x80 | plan->version}, 1);
    put(&writer, &plan->signatures_required, 1);
    put(&writer, &plan->readonly_signed_count, 1);
    put(&writer, &plan->readonly_unsigned_count, 1);
    put_compact(&writer, plan->key_count);
    put(&writer, plan->keys, plan->key_count * sizeof plan->keys[0]);
    put(&writer, plan->blockhash.bytes, sizeof plan->blockhash.bytes);
    put_compact(&writer, plan->instruction_count);
    for (uint32_t i = 0; i < plan->instruction_count; i++) {
        const erx_plan_instruction_t *instruction = &plan->instructions[i];
        put(&writer, &instruction->program, 1);
        put_counted(&writer, instruction->accounts, instruction->account_count);
        put_counted(&writer, instruction->data, instruction->data_bytes);
    }
    if (!plan->has_version)
        return writer.size;
    put_compact(&writer, plan->lookup_count);
    for (uint32_t i = 0; i < plan->lookup_count; i++) {
        const erx_plan_lookup_t *lookup = &plan->lookups[i];
        put(&writer, lookup->table.bytes, sizeof lookup->table.bytes);
        put_counted(&writer, lookup->writable, lookup->writable_count);
        put_counted(&writer, lookup->readonly, lookup->readonly_count);
    }
    return writer.size;
}

void erx_plan_sign(const erx_plan_t *plan, uint8_t *packet, size_t bytes)
{
    uint8_t count[3];
    size_t signatures = erx_plan_compact(plan->signature_count, count);
    size_t message = signatures + plan->signature_count * ERX_SIGNATURE_BYTES;
    for (uint32_t i = 0; i < plan->signature_count; i++) {
        erx_plan_signer_t signer = erx_plan_signer(i + 1);
        (void)crypto_sign_detached(packet + signatures + i * ERX_SIGNATURE_BYTES, NULL,
                                   packet + message, bytes - message, signer.secret);
    }
}

size_t erx_plan_numbered(uint64_t number, uint8_t packet_out[ERX_PACKET_BYTES_MAX])
{
    uint8_t wide[ERX_PLAN_BYTES_MAX];
    erx_plan_t plan = erx_plan_legacy();
    plan.signature_count = plan.signatures_required = 1;
    plan.readonly_signed_count = 0;
    plan.instructions[0].data = &number;
    plan.instructions[0].data_bytes = sizeof number;
    size_t bytes = erx_plan_write(&plan, wide);
    erx_plan_sign(&plan, wide, bytes);
    ERX_ASSERT(bytes <= ERX_PACKET_BYTES_MAX);
    memcpy(packet_out, wide, bytes);
    return bytes;
}
