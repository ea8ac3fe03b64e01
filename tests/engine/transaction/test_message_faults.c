#include "engine/transaction/message.h"
#include "tests/engine/transaction/transaction_suites.h"
#include "tests/support/rng.h"
#include "tests/support/transaction_plan.h"

#include <stdlib.h>
#include <string.h>

static uint8_t packet[ERX_PLAN_BYTES_MAX];
static const uint8_t many_entries[ERX_MESSAGE_KEYS_MAX];

/* Parses from a copy without a byte to spare, so that a sanitizer sees every
 * read past the end. */
static erx_message_fault_t parse(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, size);
    static const erx_message_t none;
    erx_message_t message;
    memset(&message, 0xaa, sizeof message);
    erx_message_fault_t fault = erx_message_parse(copy, size, &message);
    if (fault != ERX_MESSAGE_GOOD)
        ck_assert_mem_eq(&message, &none, sizeof none);
    free(copy);
    return fault;
}

static erx_message_fault_t parse_plan(const erx_plan_t *plan)
{
    size_t bytes = erx_plan_write(plan, packet);
    return parse(packet, bytes);
}

typedef struct {
    erx_message_fault_t fault;
    void (*spoil)(erx_plan_t *plan);
} spoiled_t;

static void unsigned_packet(erx_plan_t *plan)
{
    plan->signature_count = plan->signatures_required = 0;
    plan->readonly_signed_count = 0;
}

static void signature_missing(erx_plan_t *plan)
{
    plan->signature_count--;
}

static void signature_extra(erx_plan_t *plan)
{
    plan->signature_count++;
}

static void header_requires_none(erx_plan_t *plan)
{
    plan->signatures_required = 0;
}

static void more_signers_than_keys(erx_plan_t *plan)
{
    plan->signature_count = plan->signatures_required = 6;
    plan->readonly_unsigned_count = 0;
}

static void readonly_and_signers_overlap(erx_plan_t *plan)
{
    plan->readonly_unsigned_count = 4;
}

static void all_signers_readonly(erx_plan_t *plan)
{
    plan->readonly_signed_count = 2;
}

static void more_readonly_than_signers(erx_plan_t *plan)
{
    plan->readonly_signed_count = 255;
}

static void program_is_payer(erx_plan_t *plan)
{
    plan->instructions[1].program = 0;
}

static void program_beyond_keys(erx_plan_t *plan)
{
    plan->instructions[0].program = 5;
}

static void account_beyond_keys(erx_plan_t *plan)
{
    static const uint8_t accounts[] = {0, 1, 5};
    plan->instructions[0].accounts = accounts;
    plan->instructions[0].account_count = sizeof accounts;
}

static void too_many_instructions(erx_plan_t *plan)
{
    for (uint32_t i = 0; i <= ERX_MESSAGE_INSTRUCTIONS_MAX; i++)
        plan->instructions[i] = (erx_plan_instruction_t){.program = 4};
    plan->instruction_count = ERX_MESSAGE_INSTRUCTIONS_MAX + 1;
}

static void too_long(erx_plan_t *plan)
{
    static const uint8_t data[ERX_PACKET_BYTES_MAX];
    plan->instructions[0].data = data;
    plan->instructions[0].data_bytes = sizeof data;
}

static const spoiled_t spoiled[] = {
    {ERX_MESSAGE_NO_SIGNATURE, unsigned_packet},
    {ERX_MESSAGE_SIGNATURE_COUNT, signature_missing},
    {ERX_MESSAGE_SIGNATURE_COUNT, signature_extra},
    {ERX_MESSAGE_SIGNATURE_COUNT, header_requires_none},
    {ERX_MESSAGE_SIGNERS_OVER_KEYS, more_signers_than_keys},
    {ERX_MESSAGE_SIGNERS_OVER_KEYS, readonly_and_signers_overlap},
    {ERX_MESSAGE_PAYER_READONLY, all_signers_readonly},
    {ERX_MESSAGE_PAYER_READONLY, more_readonly_than_signers},
    {ERX_MESSAGE_PROGRAM_IS_PAYER, program_is_payer},
    {ERX_MESSAGE_PROGRAM_INDEX, program_beyond_keys},
    {ERX_MESSAGE_ACCOUNT_INDEX, account_beyond_keys},
    {ERX_MESSAGE_TOO_MANY_INSTRUCTIONS, too_many_instructions},
    {ERX_MESSAGE_TOO_LONG, too_long},
};

START_TEST(test_each_fault_of_a_legacy_message)
{
    erx_plan_t plan = erx_plan_legacy();
    ck_assert_int_eq(parse_plan(&plan), ERX_MESSAGE_GOOD);
    spoiled[_i].spoil(&plan);
    ck_assert_int_eq(parse_plan(&plan), spoiled[_i].fault);
}
END_TEST

static void later_version(erx_plan_t *plan)
{
    plan->version = 1;
}

static void highest_version(erx_plan_t *plan)
{
    plan->version = 127;
}

static void empty_lookup(erx_plan_t *plan)
{
    plan->lookups[1] = (erx_plan_lookup_t){.table = plan->lookups[0].table};
    plan->lookup_count = 2;
}

/* A looked-up key can be an account, but not a program. */
static void looked_up_program(erx_plan_t *plan)
{
    plan->instructions[0].program = 5;
}

static void account_beyond_looked_up_keys(erx_plan_t *plan)
{
    static const uint8_t accounts[] = {7, 8};
    plan->instructions[0].accounts = accounts;
}

static void locks_over_the_limit(erx_plan_t *plan)
{
    plan->lookups[0].readonly = many_entries;
    plan->lookups[0].readonly_count = ERX_MESSAGE_LOCKS_MAX - 7 + 1;
}

static void keys_over_an_index(erx_plan_t *plan)
{
    plan->lookups[0].readonly = many_entries;
    plan->lookups[0].readonly_count = ERX_MESSAGE_KEYS_MAX - 7 + 1;
}

static const spoiled_t spoiled_v0[] = {
    {ERX_MESSAGE_VERSION, later_version},
    {ERX_MESSAGE_VERSION, highest_version},
    {ERX_MESSAGE_EMPTY_LOOKUP, empty_lookup},
    {ERX_MESSAGE_PROGRAM_INDEX, looked_up_program},
    {ERX_MESSAGE_ACCOUNT_INDEX, account_beyond_looked_up_keys},
    {ERX_MESSAGE_TOO_MANY_LOCKS, locks_over_the_limit},
    {ERX_MESSAGE_KEYS_OVER_INDEX, keys_over_an_index},
};

START_TEST(test_each_fault_of_a_v0_message)
{
    erx_plan_t plan = erx_plan_v0();
    ck_assert_int_eq(parse_plan(&plan), ERX_MESSAGE_GOOD);
    spoiled_v0[_i].spoil(&plan);
    ck_assert_int_eq(parse_plan(&plan), spoiled_v0[_i].fault);
}
END_TEST

START_TEST(test_most_locks_and_instructions_are_good)
{
    erx_plan_t plan = erx_plan_v0();
    plan.lookups[0].readonly = many_entries;
    plan.lookups[0].readonly_count = ERX_MESSAGE_LOCKS_MAX - 7;
    ck_assert_int_eq(parse_plan(&plan), ERX_MESSAGE_GOOD);
    plan = erx_plan_legacy();
    too_many_instructions(&plan);
    plan.instruction_count--;
    ck_assert_int_eq(parse_plan(&plan), ERX_MESSAGE_GOOD);
}
END_TEST

START_TEST(test_every_shorter_and_longer_packet_is_refused)
{
    for (int v0 = 0; v0 < 2; v0++) {
        erx_plan_t plan = v0 ? erx_plan_v0() : erx_plan_legacy();
        size_t bytes = erx_plan_write(&plan, packet);
        for (size_t size = 0; size < bytes; size++)
            ck_assert_int_eq(parse(packet, size), ERX_MESSAGE_TRUNCATED);
        packet[bytes] = 0;
        ck_assert_int_eq(parse(packet, bytes + 1), ERX_MESSAGE_TRAILING_BYTES);
    }
    erx_message_t message;
    ck_assert_int_eq(erx_message_parse(NULL, 0, &message), ERX_MESSAGE_TRUNCATED);
}
END_TEST

typedef struct {
    const char *bytes;
    size_t size;
    erx_message_fault_t fault;
} count_t;

/* Counts of signatures. Those that are well-formed lead to other faults, since
 * nothing follows them. */
static const count_t counts[] = {
    {"\x7f", 1, ERX_MESSAGE_TRUNCATED},
    {"\x80\x01", 2, ERX_MESSAGE_TRUNCATED},
    {"\xff\xff\x03", 3, ERX_MESSAGE_TRUNCATED},
    {"\x80", 1, ERX_MESSAGE_TRUNCATED},
    {"\x80\x80", 2, ERX_MESSAGE_TRUNCATED},
    {"\x80\x00", 2, ERX_MESSAGE_COUNT_ENCODING},
    {"\x81\x00", 2, ERX_MESSAGE_COUNT_ENCODING},
    {"\xff\x80\x00", 3, ERX_MESSAGE_COUNT_ENCODING},
    {"\xff\xff\x04", 3, ERX_MESSAGE_COUNT_ENCODING},
    {"\xff\xff\x83\x00", 4, ERX_MESSAGE_COUNT_ENCODING},
    {"\x80\x80\x80\x01", 4, ERX_MESSAGE_COUNT_ENCODING},
};

START_TEST(test_encodings_of_counts)
{
    ck_assert_int_eq(parse((const uint8_t *)counts[_i].bytes, counts[_i].size), counts[_i].fault);
}
END_TEST

/* The same count where it stands last in a good packet: the data's size of the
 * last instruction, 0, written as 80 00. */
START_TEST(test_longer_encoding_inside_a_packet)
{
    erx_plan_t plan = erx_plan_legacy();
    size_t bytes = erx_plan_write(&plan, packet);
    packet[bytes - 1] = 0x80;
    packet[bytes] = 0;
    ck_assert_int_eq(parse(packet, bytes + 1), ERX_MESSAGE_COUNT_ENCODING);
}
END_TEST

/* Whatever bytes come: no read past the end, and what is accepted can be walked
 * to its end, which is the packet's. */
START_TEST(test_changed_packets_are_read_within_their_bounds)
{
    erx_rng_t rng = erx_rng_open(7);
    uint32_t accepted = 0;
    for (int i = 0; i < 20000; i++) {
        erx_plan_t plan = i % 2 == 0 ? erx_plan_v0() : erx_plan_legacy();
        size_t bytes = erx_plan_write(&plan, packet);
        for (int64_t k = erx_rng_range(&rng, 1, 3); k > 0; k--)
            packet[erx_rng_range(&rng, 0, (int64_t)bytes - 1)] =
                (uint8_t)erx_rng_range(&rng, 0, i % 3 == 0 ? 255 : 5);
        accepted += parse(packet, bytes) == ERX_MESSAGE_GOOD;
    }
    ck_assert_uint_gt(accepted, 1000);
    ck_assert_uint_lt(accepted, 19000);
}
END_TEST

START_TEST(test_faults_have_texts_and_errors)
{
    for (int fault = 0; fault < ERX_MESSAGE_FAULT_COUNT; fault++) {
        const char *text = erx_message_fault_text((erx_message_fault_t)fault);
        ck_assert_uint_gt(strlen(text), 10);
        for (int other = 0; other < fault; other++)
            ck_assert_str_ne(text, erx_message_fault_text((erx_message_fault_t)other));
        bool is_error = erx_message_fault_error((erx_message_fault_t)fault) != ERX_TRANSACTION_OK;
        ck_assert_int_eq(is_error, fault != ERX_MESSAGE_GOOD);
    }
    ck_assert_str_eq(erx_message_fault_text(ERX_MESSAGE_FAULT_COUNT), "unknown fault");
    ck_assert_int_eq(erx_message_fault_error(ERX_MESSAGE_TRUNCATED),
                     ERX_TRANSACTION_SANITIZE_FAILURE);
    ck_assert_int_eq(erx_message_fault_error(ERX_MESSAGE_VERSION),
                     ERX_TRANSACTION_UNSUPPORTED_VERSION);
    ck_assert_int_eq(erx_message_fault_error(ERX_MESSAGE_TOO_MANY_LOCKS),
                     ERX_TRANSACTION_TOO_MANY_ACCOUNT_LOCKS);
    ck_assert_int_eq(erx_message_fault_error(ERX_MESSAGE_DUPLICATE_KEY),
                     ERX_TRANSACTION_ACCOUNT_LOADED_TWICE);
}
END_TEST

Suite *message_faults_suite(void)
{
    Suite *suite = suite_create("message_faults");
    TCase *tcase = tcase_create("message_faults");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_each_fault_of_a_legacy_message, 0, ERX_COUNT(spoiled));
    tcase_add_loop_test(tcase, test_each_fault_of_a_v0_message, 0, ERX_COUNT(spoiled_v0));
    tcase_add_test(tcase, test_most_locks_and_instructions_are_good);
    tcase_add_test(tcase, test_every_shorter_and_longer_packet_is_refused);
    tcase_add_loop_test(tcase, test_encodings_of_counts, 0, ERX_COUNT(counts));
    tcase_add_test(tcase, test_longer_encoding_inside_a_packet);
    tcase_add_test(tcase, test_changed_packets_are_read_within_their_bounds);
    tcase_add_test(tcase, test_faults_have_texts_and_errors);
    suite_add_tcase(suite, tcase);
    return suite;
}
