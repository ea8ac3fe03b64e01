#include "engine/transaction/message.h"
#include "tests/engine/transaction/hex.h"
#include "tests/engine/transaction/packets.h"
#include "tests/engine/transaction/transaction_suites.h"
#include "tests/support/transaction_plan.h"

#include <string.h>

#define META_BYTES 56u
#define ENTRIES    5u
#define ACTIVE     UINT64_MAX
#define SLOT       1000u

/* A table's account with entries of bytes 10, 11, 12, ... */
typedef struct {
    erx_key_t key;
    erx_key_t owner;
    size_t bytes;
    uint8_t data[META_BYTES + ERX_MESSAGE_LOCKS_MAX * ERX_KEY_BYTES];
    uint32_t asked; /* how often it was looked for */
} table_t;

static table_t make_table(uint8_t key)
{
    table_t table = {.owner = erx_key_address_lookup_table};
    table.bytes = META_BYTES + ENTRIES * ERX_KEY_BYTES;
    memset(table.key.bytes, key, ERX_KEY_BYTES);
    table.data[0] = 1;
    memset(table.data + 4, 0xff, 8);
    table.data[20] = 3; /* the first entry of the last extension, in slot 0 */
    for (uint8_t i = 0; i < ERX_MESSAGE_LOCKS_MAX; i++)
        memset(table.data + META_BYTES + i * ERX_KEY_BYTES, 10 + i, ERX_KEY_BYTES);
    return table;
}

static void set_slots(table_t *table, uint64_t deactivated, uint64_t extended)
{
    memcpy(table->data + 4, &deactivated, sizeof deactivated);
    memcpy(table->data + 12, &extended, sizeof extended);
}

static bool find(void *context, const erx_key_t *key, erx_message_table_t *table_out)
{
    table_t *table = context;
    table->asked++;
    *table_out = (erx_message_table_t){table->owner, table->data, table->bytes};
    return erx_key_equals(key, &table->key);
}

static erx_message_fault_t resolve(const erx_plan_t *plan, table_t *table, erx_message_keys_t *keys)
{
    static uint8_t packet[ERX_PLAN_BYTES_MAX];
    static const erx_message_keys_t none;
    erx_message_t message;
    size_t bytes = erx_plan_write(plan, packet);
    ck_assert_int_eq(erx_message_parse(packet, bytes, &message), ERX_MESSAGE_GOOD);
    erx_message_fault_t fault =
        erx_message_resolve(&message, SLOT, table == NULL ? NULL : find, table, keys);
    if (fault != ERX_MESSAGE_GOOD)
        ck_assert_mem_eq(keys, &none, sizeof none);
    return fault;
}

START_TEST(test_signers_and_writable_keys_of_a_legacy_message)
{
    erx_plan_t plan = erx_plan_legacy();
    erx_message_keys_t keys;
    ck_assert_int_eq(resolve(&plan, NULL, &keys), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(keys.count, 5);
    ck_assert_uint_eq(keys.signers, 0x03);
    ck_assert_uint_eq(keys.writable, 0x05);
    for (uint32_t i = 0; i < keys.count; i++)
        ck_assert(erx_key_equals(&keys.keys[i], &plan.keys[i]));
}
END_TEST

START_TEST(test_keys_of_a_clients_v0_message)
{
    static const uint8_t looked_up[] = {13, 14, 11};
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_message_t message;
    erx_message_keys_t keys;
    table_t table = make_table(200);
    size_t bytes = erx_hex_read(v0_packet, packet, sizeof packet);
    ck_assert_int_eq(erx_message_parse(packet, bytes, &message), ERX_MESSAGE_GOOD);
    ck_assert_int_eq(erx_message_resolve(&message, SLOT, find, &table, &keys), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(table.asked, 1);
    ck_assert_uint_eq(keys.count, 10);
    ck_assert_uint_eq(keys.signers, 0x003);
    ck_assert_uint_eq(keys.writable, 0x185); /* payer, receiver, two of the table */
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t k = 0; k < ERX_KEY_BYTES; k++)
            ck_assert_uint_eq(keys.keys[7 + i].bytes[k], looked_up[i]);
}
END_TEST

/* All writable ones come before all read-only ones, whatever their table. */
START_TEST(test_order_of_keys_of_several_lookups)
{
    static const uint8_t expected[] = {10, 12, 14, 11, 13};
    static const uint8_t fourth[] = {4}, third[] = {3};
    erx_plan_t plan = erx_plan_v0();
    plan.lookups[1] = (erx_plan_lookup_t){plan.lookups[0].table, 1, fourth, 1, third};
    plan.lookup_count = 2;
    table_t table = make_table(7);
    erx_message_keys_t keys;
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(keys.count, 10);
    ck_assert_uint_eq(keys.writable, 0x0e5);
    for (uint32_t i = 0; i < sizeof expected; i++)
        ck_assert_uint_eq(keys.keys[5 + i].bytes[0], expected[i]);
}
END_TEST

START_TEST(test_programs_and_reserved_keys_are_not_written)
{
    erx_plan_t plan = erx_plan_legacy();
    erx_message_keys_t keys;
    plan.readonly_unsigned_count = 0; /* asks to write the program */
    ck_assert_int_eq(resolve(&plan, NULL, &keys), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(keys.writable, 0x0d);
    plan.keys[3] = erx_key_sysvar_clock;
    ck_assert_int_eq(resolve(&plan, NULL, &keys), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(keys.writable, 0x05);
    /* With the upgradeable loader a called program stays writable, the loader
     * itself does not. */
    plan.keys[3] = erx_key_upgradeable_loader;
    ck_assert_int_eq(resolve(&plan, NULL, &keys), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(keys.writable, 0x15);
    /* A program that no instruction calls is an account like others. */
    plan.keys[3] = erx_key_memo;
    plan.instruction_count = 0;
    ck_assert_int_eq(resolve(&plan, NULL, &keys), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(keys.writable, 0x1d);
}
END_TEST

START_TEST(test_looked_up_reserved_keys_are_not_written)
{
    erx_plan_t plan = erx_plan_v0();
    table_t table = make_table(7);
    erx_message_keys_t keys;
    memcpy(table.data + META_BYTES, erx_key_sysvar_rent.bytes, ERX_KEY_BYTES);
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(keys.writable, 0x45); /* entry 0 is the rent, entry 2 remains */
}
END_TEST

START_TEST(test_duplicate_keys)
{
    erx_message_keys_t keys;
    for (uint32_t i = 1; i < 5; i++)
        for (uint32_t k = 0; k < i; k++) {
            erx_plan_t plan = erx_plan_legacy();
            plan.keys[i] = plan.keys[k];
            ck_assert_int_eq(resolve(&plan, NULL, &keys), ERX_MESSAGE_DUPLICATE_KEY);
        }
    /* Of a table with the packet's own, and of a table twice. */
    table_t table = make_table(7);
    erx_plan_t plan = erx_plan_v0();
    memcpy(table.data + META_BYTES, plan.keys[3].bytes, ERX_KEY_BYTES);
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_DUPLICATE_KEY);
    table = make_table(7);
    plan.lookups[0].readonly = plan.lookups[0].writable;
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_DUPLICATE_KEY);
}
END_TEST

typedef struct {
    uint64_t deactivated;
    uint64_t extended;
    erx_message_fault_t fault;
} slots_t;

/* The plan's entries are 0, 2 and 1, all from before the last extension, which
 * begins at 3. */
static const slots_t slots[] = {
    {ACTIVE, 0, ERX_MESSAGE_GOOD},       {ACTIVE, SLOT, ERX_MESSAGE_GOOD},
    {SLOT, 0, ERX_MESSAGE_GOOD},         {SLOT + 1, 0, ERX_MESSAGE_GOOD},
    {SLOT - 512, 0, ERX_MESSAGE_GOOD},   {SLOT - 513, 0, ERX_MESSAGE_TABLE_NOT_FOUND},
    {0, 0, ERX_MESSAGE_TABLE_NOT_FOUND},
};

START_TEST(test_deactivated_tables)
{
    erx_plan_t plan = erx_plan_v0();
    table_t table = make_table(7);
    erx_message_keys_t keys;
    set_slots(&table, slots[_i].deactivated, slots[_i].extended);
    ck_assert_int_eq(resolve(&plan, &table, &keys), slots[_i].fault);
}
END_TEST

START_TEST(test_entries_of_this_slot_do_not_count_yet)
{
    static const uint8_t new_entry[] = {3}, beyond[] = {ENTRIES};
    erx_plan_t plan = erx_plan_v0();
    table_t table = make_table(7);
    erx_message_keys_t keys;
    plan.lookups[0].readonly = new_entry;
    set_slots(&table, ACTIVE, SLOT - 1);
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_GOOD);
    set_slots(&table, ACTIVE, SLOT);
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_INDEX);
    set_slots(&table, ACTIVE, 0);
    plan.lookups[0].readonly = beyond;
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_INDEX);
    plan.lookups[0].writable = beyond;
    plan.lookups[0].writable_count = 1;
    plan.lookups[0].readonly_count = 0;
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_INDEX);
}
END_TEST

START_TEST(test_accounts_that_are_no_tables)
{
    erx_plan_t plan = erx_plan_v0();
    erx_message_keys_t keys;
    table_t table = make_table(8);
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_NOT_FOUND);
    table = make_table(7);
    table.owner = erx_key_system;
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_OWNER);
    table = make_table(7);
    table.data[0] = 0; /* not initialized */
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_DATA);
    table.data[0] = 2;
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_DATA);
    table = make_table(7);
    set_slots(&table, ACTIVE, SLOT);
    table.data[20] = ENTRIES + 1; /* an extension behind the end */
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_DATA);
    for (table = make_table(7); table.bytes > 0; table.bytes--) {
        bool whole = table.bytes >= META_BYTES && (table.bytes - META_BYTES) % ERX_KEY_BYTES == 0;
        bool enough = table.bytes >= META_BYTES + 3 * ERX_KEY_BYTES;
        erx_message_fault_t expected = enough ? ERX_MESSAGE_GOOD : ERX_MESSAGE_TABLE_INDEX;
        ck_assert_int_eq(resolve(&plan, &table, &keys), whole ? expected : ERX_MESSAGE_TABLE_DATA);
    }
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_DATA);
}
END_TEST

START_TEST(test_most_keys)
{
    uint8_t entries[ERX_MESSAGE_LOCKS_MAX];
    for (uint8_t i = 0; i < sizeof entries; i++)
        entries[i] = i;
    erx_plan_t plan = erx_plan_v0();
    plan.lookups[0].writable = entries;
    plan.lookups[0].writable_count = ERX_MESSAGE_LOCKS_MAX - 5;
    plan.lookups[0].readonly_count = 0;
    erx_message_keys_t keys;
    table_t table = make_table(7);
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_TABLE_INDEX);
    table.bytes = sizeof table.data;
    ck_assert_int_eq(resolve(&plan, &table, &keys), ERX_MESSAGE_GOOD);
    ck_assert_uint_eq(keys.count, ERX_MESSAGE_LOCKS_MAX);
    ck_assert_uint_eq(keys.writable, ~UINT64_C(0x1a));
    ck_assert_uint_eq(keys.keys[63].bytes[31], 10 + 58);
}
END_TEST

Suite *message_resolve_suite(void)
{
    Suite *suite = suite_create("message_resolve");
    TCase *tcase = tcase_create("message_resolve");
    tcase_add_test(tcase, test_signers_and_writable_keys_of_a_legacy_message);
    tcase_add_test(tcase, test_keys_of_a_clients_v0_message);
    tcase_add_test(tcase, test_order_of_keys_of_several_lookups);
    tcase_add_test(tcase, test_programs_and_reserved_keys_are_not_written);
    tcase_add_test(tcase, test_looked_up_reserved_keys_are_not_written);
    tcase_add_test(tcase, test_duplicate_keys);
    tcase_add_loop_test(tcase, test_deactivated_tables, 0, ERX_COUNT(slots));
    tcase_add_test(tcase, test_entries_of_this_slot_do_not_count_yet);
    tcase_add_test(tcase, test_accounts_that_are_no_tables);
    tcase_add_test(tcase, test_most_keys);
    suite_add_tcase(suite, tcase);
    return suite;
}
