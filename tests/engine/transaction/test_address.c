#include "engine/transaction/address.h"
#include "tests/engine/transaction/address_vectors.h"
#include "tests/engine/transaction/transaction_suites.h"

#include <string.h>

#define SMALL_POINTS   64u /* y from 0 and from p - 1 downwards, in the tables below */
#define REDUCED_POINTS 19u /* y from p to 2^255 - 1, which is not reduced */

static void expect_address(const erx_key_t *address, const char *text)
{
    char found[ERX_KEY_TEXT_MAX];
    erx_key_text(address, found);
    ck_assert_str_eq(found, text);
}

static erx_status_t find(const erx_address_vector_t *vector, erx_key_t *address, uint8_t *bump,
                         erx_error_t *error)
{
    const erx_key_t *program = &erx_key_world;
    switch (vector->kind) {
    case ERX_VECTOR_MANIFEST:
        return erx_address_manifest(program, vector->number, address, bump, error);
    case ERX_VECTOR_WEIGHTS:
        return erx_address_weights(program, vector->number, vector->shard, address, bump, error);
    case ERX_VECTOR_SESSION:
        return erx_address_session(program, vector->number, address, bump, error);
    case ERX_VECTOR_HIDDEN:
        return erx_address_hidden(program, vector->number, address, bump, error);
    default:
        return erx_address_input(program, vector->number, address, bump, error);
    }
}

START_TEST(test_accounts_of_the_world_program)
{
    const erx_address_vector_t *vector = &erx_address_vectors[_i];
    erx_key_t address;
    uint8_t bump;
    erx_error_t error;
    ck_assert_int_eq(find(vector, &address, &bump, &error), ERX_OK);
    expect_address(&address, vector->address);
    ck_assert_uint_eq(bump, vector->bump);
    ck_assert(!erx_address_is_on_curve(&address));
    ck_assert_int_eq(find(vector, &address, NULL, &error), ERX_OK);
}
END_TEST

/* Fills 15 seeds of 32 bytes: the most that a bump can be found for. */
static void fill_seeds(uint8_t data[15][32], erx_address_seed_t seeds[16])
{
    for (uint8_t i = 0; i < 15; i++) {
        memset(data[i], i, 32);
        seeds[i] = (erx_address_seed_t){data[i], 32};
    }
}

START_TEST(test_most_seeds)
{
    static const char expected[] = "D8XR2meQ5dJm3YVYEqbMp9MQRUQLpSPo8CQvtN3V9ADm";
    uint8_t data[15][32], bump;
    erx_address_seed_t seeds[17];
    fill_seeds(data, seeds);
    erx_key_t address;
    erx_error_t error;
    ck_assert_int_eq(erx_address_find(seeds, 15, &erx_key_world, &address, &bump, &error), ERX_OK);
    expect_address(&address, expected);
    ck_assert_uint_eq(bump, 254);
    seeds[15] = (erx_address_seed_t){&bump, 1};
    ck_assert_int_eq(erx_address_create(seeds, 16, &erx_key_world, &address, &error), ERX_OK);
    expect_address(&address, expected);
    /* The bump before it was passed over because it is on the curve. */
    bump = 255;
    ck_assert_int_eq(erx_address_create(seeds, 16, &erx_key_world, &address, &error),
                     ERX_ERR_ARGUMENT);
    expect_address(&address, expected);
}
END_TEST

START_TEST(test_no_seeds_and_other_programs)
{
    erx_key_t address;
    uint8_t bump;
    erx_error_t error;
    ck_assert_int_eq(erx_address_find(NULL, 0, &erx_key_world, &address, &bump, &error), ERX_OK);
    expect_address(&address, "7DhE1UHWKLgosNN8i8LNyAimhTtPzHEKk2oBmLXuNgte");
    ck_assert_uint_eq(bump, 255);
    const erx_address_seed_t record[] = {{"delegation", 10}, {erx_key_world.bytes, 32}};
    ck_assert_int_eq(erx_address_find(record, 2, &erx_key_delegation, &address, &bump, &error),
                     ERX_OK);
    expect_address(&address, "Fdr66iEzTqneUgNFgpLjsDJcy8pGCaKWESMczWcgfjUV");
}
END_TEST

START_TEST(test_limits_of_seeds)
{
    uint8_t data[15][32];
    const uint8_t too_long[33] = {0};
    erx_address_seed_t seeds[17];
    fill_seeds(data, seeds);
    seeds[15] = seeds[16] = seeds[0];
    erx_key_t address = erx_key_memo;
    erx_error_t error;
    ck_assert_int_eq(erx_address_create(seeds, 17, &erx_key_world, &address, &error),
                     ERX_ERR_RANGE);
    ck_assert_str_eq(error.text, "17 seeds of an address, at most 16");
    ck_assert_int_eq(erx_address_find(seeds, 16, &erx_key_world, &address, NULL, &error),
                     ERX_ERR_RANGE);
    ck_assert_str_eq(error.text, "16 seeds of an address, at most 15");
    seeds[2] = (erx_address_seed_t){too_long, sizeof too_long};
    ck_assert_int_eq(erx_address_create(seeds, 3, &erx_key_world, &address, &error), ERX_ERR_RANGE);
    ck_assert_str_eq(error.text, "seed 2 has 33 bytes, at most 32");
    ck_assert_int_eq(erx_address_find(seeds, 3, &erx_key_world, &address, NULL, &error),
                     ERX_ERR_RANGE);
    ck_assert(erx_key_equals(&address, &erx_key_memo));
}
END_TEST

START_TEST(test_addresses_with_a_seed)
{
    erx_key_t address = erx_key_memo;
    erx_error_t error;
    ck_assert_int_eq(erx_address_create_with_seed(&erx_key_world, "limber chicken: 4/45", 20,
                                                  &erx_key_delegation, &address, &error),
                     ERX_OK);
    expect_address(&address, "8pHWgbtAfs2AcWkgc1WL6ji6mUq4sBAMnqUcvzXRLtTZ");
    ck_assert_int_eq(
        erx_address_create_with_seed(&erx_key_world, "", 0, &erx_key_delegation, &address, &error),
        ERX_OK);
    expect_address(&address, "5ohmwsuY28fqArs1hLd8BAsNKSfVAfmDgJaERyxPmBS");
    static const char long_seed[] = "thirty-three bytes of seed, really";
    ck_assert_int_eq(erx_address_create_with_seed(&erx_key_world, long_seed, 33,
                                                  &erx_key_delegation, &address, &error),
                     ERX_ERR_RANGE);
    erx_key_t owner = {{0}};
    memcpy(owner.bytes + 11, "ProgramDerivedAddress", 21);
    ck_assert_int_eq(erx_address_create_with_seed(&erx_key_world, "x", 1, &owner, &address, &error),
                     ERX_ERR_ARGUMENT);
    expect_address(&address, "5ohmwsuY28fqArs1hLd8BAsNKSfVAfmDgJaERyxPmBS");
}
END_TEST

/* p is 2^255 - 19: its lowest byte is 0xed, the others are ones but for the
 * sign bit. offset is from -64 to 18. */
static erx_key_t point_near_p(int offset)
{
    erx_key_t key;
    memset(key.bytes, 0xff, sizeof key.bytes);
    key.bytes[0] = (uint8_t)(0xed + offset);
    key.bytes[31] = 0x7f;
    return key;
}

/* Which y have a point was computed from the curve's equation with another
 * program's big integers; '1' where (y^2 - 1) / (d y^2 + 1) is a square. */
static void expect_points(const char *table, uint32_t count, int first, int step)
{
    for (uint32_t i = 0; i < count; i++) {
        int offset = first + step * (int)i;
        erx_key_t key = {{(uint8_t)i}};
        if (step != 0)
            key = point_near_p(offset);
        bool expected = table[i] == '1';
        ck_assert_msg(erx_address_is_on_curve(&key) == expected, "%u of %s", i, table);
        key.bytes[31] |= 0x80; /* the sign of x: any will do, also where x is 0 */
        ck_assert_msg(erx_address_is_on_curve(&key) == expected, "%u of %s, sign", i, table);
    }
}

START_TEST(test_points_at_the_ends_of_the_field)
{
    expect_points("1101111001100011101101011111111011010101101110001001101111101111", SMALL_POINTS,
                  0, 0);
    expect_points("1011110011000111011010111111110110101011011100010011011111011110", SMALL_POINTS,
                  -1, -1);
}
END_TEST

/* The same points as y from 0, written with p added. */
START_TEST(test_y_that_is_not_reduced_is_a_point_all_the_same)
{
    expect_points("1101111001100011101", REDUCED_POINTS, 0, 1);
}
END_TEST

Suite *address_suite(void)
{
    Suite *suite = suite_create("address");
    TCase *tcase = tcase_create("address");
    tcase_add_loop_test(tcase, test_accounts_of_the_world_program, 0, ERX_ADDRESS_VECTORS);
    tcase_add_test(tcase, test_most_seeds);
    tcase_add_test(tcase, test_no_seeds_and_other_programs);
    tcase_add_test(tcase, test_limits_of_seeds);
    tcase_add_test(tcase, test_addresses_with_a_seed);
    tcase_add_test(tcase, test_points_at_the_ends_of_the_field);
    tcase_add_test(tcase, test_y_that_is_not_reduced_is_a_point_all_the_same);
    suite_add_tcase(suite, tcase);
    return suite;
}
