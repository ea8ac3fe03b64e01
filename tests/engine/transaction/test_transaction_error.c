#include "engine/transaction/transaction_error.h"
#include "tests/engine/transaction/transaction_suites.h"

#include <string.h>

typedef struct {
    int value; /* the variant's position in the runtime's enumeration */
    const char *name;
} variant_t;

/* Some of each, with the first and the last. */
static const variant_t transaction_variants[] = {
    {0, "AccountInUse"},
    {1, "AccountLoadedTwice"},
    {6, "AlreadyProcessed"},
    {7, "BlockhashNotFound"},
    {8, "InstructionError"},
    {12, "SignatureFailure"},
    {14, "SanitizeFailure"},
    {17, "WouldExceedMaxBlockCostLimit"},
    {19, "InvalidWritableAccount"},
    {22, "TooManyAccountLocks"},
    {23, "AddressLookupTableNotFound"},
    {26, "InvalidAddressLookupTableIndex"},
    {31, "InsufficientFundsForRent"},
    {38, "CommitCancelled"},
};

static const variant_t instruction_variants[] = {
    {0, "GenericError"},
    {2, "InvalidInstructionData"},
    {6, "IncorrectProgramId"},
    {7, "MissingRequiredSignature"},
    {15, "ReadonlyDataModified"},
    {19, "NotEnoughAccountKeys"},
    {25, "Custom"},
    {34, "MaxSeedLengthExceeded"},
    {37, "ComputationalBudgetExceeded"},
    {44, "BorshIoError"},
    {46, "InvalidAccountOwner"},
    {53, "BuiltinProgramsMustConsumeComputeUnits"},
};

START_TEST(test_numbers_and_names_are_the_runtimes)
{
    for (size_t i = 0; i < ERX_COUNT(transaction_variants); i++)
        ck_assert_str_eq(erx_transaction_error_name(
                             (erx_transaction_error_t)(transaction_variants[i].value + 1)),
                         transaction_variants[i].name);
    for (size_t i = 0; i < ERX_COUNT(instruction_variants); i++)
        ck_assert_str_eq(
            erx_instruction_error_name((erx_instruction_error_t)instruction_variants[i].value),
            instruction_variants[i].name);
    ck_assert_uint_eq(ERX_TRANSACTION_ERROR_COUNT, 40);
    ck_assert_uint_eq(ERX_INSTRUCTION_ERROR_COUNT, 54);
}
END_TEST

START_TEST(test_names_are_distinct_and_unknown_values_have_one)
{
    for (int i = 0; i < ERX_TRANSACTION_ERROR_COUNT; i++)
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(erx_transaction_error_name((erx_transaction_error_t)i),
                             erx_transaction_error_name((erx_transaction_error_t)k));
    for (int i = 0; i < ERX_INSTRUCTION_ERROR_COUNT; i++)
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(erx_instruction_error_name((erx_instruction_error_t)i),
                             erx_instruction_error_name((erx_instruction_error_t)k));
    ck_assert_str_eq(erx_transaction_error_name(ERX_TRANSACTION_ERROR_COUNT), "Unknown");
    ck_assert_str_eq(erx_transaction_error_name((erx_transaction_error_t)-1), "Unknown");
    ck_assert_str_eq(erx_instruction_error_name(ERX_INSTRUCTION_ERROR_COUNT), "Unknown");
}
END_TEST

Suite *transaction_error_suite(void)
{
    Suite *suite = suite_create("transaction_error");
    TCase *tcase = tcase_create("transaction_error");
    tcase_add_test(tcase, test_numbers_and_names_are_the_runtimes);
    tcase_add_test(tcase, test_names_are_distinct_and_unknown_values_have_one);
    suite_add_tcase(suite, tcase);
    return suite;
}
