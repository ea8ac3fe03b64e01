#include "tests/tools/quantizing_suites.h"
#include "tools/parameters_pickle.h"

#include <string.h>

static erx_pickle_t pickle;
static erx_error_t error;

#define READ(text) erx_pickle_read((const uint8_t *)(text), sizeof(text) - 1, &pickle, &error)

#define EXPECT_REFUSED(input, reason)                                                              \
    do {                                                                                           \
        ck_assert_int_lt(READ(input), 0);                                                          \
        ck_assert_ptr_null(pickle.values);                                                         \
        ck_assert_msg(strstr(error.text, reason) != NULL, "'%s' does not say '%s'", error.text,    \
                      reason);                                                                     \
    } while (0)

/* {'w': tensor of 2 x 3 values from value 1 of storage '0' of 9, 'n': -2} */
#define TENSOR                                                                                     \
    "\x80\x02}(X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\n"        \
    "FloatStorage\nX\x01\0\0\0"                                                                    \
    "0X\x03\0\0\0"                                                                                 \
    "cpuK\x09tQK\x01K\x02K\x03\x86K\x03K\x01\x86\x89}tRX\x01\0\0\0nJ\xfe\xff\xff\xffu."

static const erx_pickle_value_t *root(void)
{
    return &pickle.values[pickle.root];
}

START_TEST(test_a_tensor_is_described)
{
    ck_assert_int_eq(READ(TENSOR), ERX_OK);
    const erx_pickle_value_t *tensor = erx_pickle_get(&pickle, root(), "w");
    ck_assert_int_eq(tensor->kind, ERX_PICKLE_TENSOR);
    ck_assert_uint_eq(tensor->tensor.rank, 2);
    ck_assert_uint_eq(tensor->tensor.first, 1);
    ck_assert_uint_eq(tensor->tensor.dimensions[1], 3);
    ck_assert_uint_eq(tensor->tensor.strides[0], 3);
    const erx_pickle_value_t *storage = &pickle.values[tensor->tensor.storage];
    ck_assert_int_eq(storage->storage.number, ERX_NUMBER_F32);
    ck_assert_uint_eq(storage->storage.count, 9);
    ck_assert(erx_pickle_is_text(&pickle.values[storage->storage.key], "0"));
    ck_assert_int_eq(erx_pickle_get(&pickle, root(), "n")->integer, -2);
    ck_assert_ptr_null(erx_pickle_get(&pickle, root(), "x"));
    erx_pickle_close(&pickle);
}
END_TEST

START_TEST(test_plain_values_of_both_protocols)
{
    /* [None, True, 255, 65535, -1 as LONG1, 1.5, 'a' short, ['b']] */
    ck_assert_int_eq(READ("\x80\x04\x95\0\0\0\0\0\0\0\0](N\x88K\xffM\xff\xff\x8a\x01\xff"
                          "G\x3f\xf8\0\0\0\0\0\0\x8c\x01"
                          "a]\x94X\x01\0\0\0"
                          "bah\0e."),
                     ERX_OK);
    const erx_pickle_ref_t *items = root()->items.items;
    ck_assert_uint_eq(root()->items.count, 9);
    ck_assert_int_eq(pickle.values[items[0]].kind, ERX_PICKLE_NONE);
    ck_assert_int_eq(pickle.values[items[1]].integer, 1);
    ck_assert_int_eq(pickle.values[items[2]].integer, 255);
    ck_assert_int_eq(pickle.values[items[3]].integer, 65535);
    ck_assert_int_eq(pickle.values[items[4]].integer, -1);
    ck_assert_double_eq(pickle.values[items[5]].real, 1.5);
    ck_assert(erx_pickle_is_text(&pickle.values[items[6]], "a"));
    ck_assert_uint_eq(pickle.values[items[7]].items.count, 1);
    ck_assert_uint_eq(items[8], items[7]); /* by the memo */
    erx_pickle_close(&pickle);
}
END_TEST

START_TEST(test_metrics_of_numpy_are_passed_over)
{
    ck_assert_int_eq(READ("}X\x01\0\0\0lcnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n"
                          "X\x02\0\0\0"
                          "f8\x89\x88\x87RNbX\x01\0\0\0x\x86Rs."),
                     ERX_OK);
    ck_assert_int_eq(erx_pickle_get(&pickle, root(), "l")->kind, ERX_PICKLE_OPAQUE);
    erx_pickle_close(&pickle);
}
END_TEST

START_TEST(test_settings_of_training_are_passed_over)
{
    /* [bytes, a set, an integer of 9 bytes, Counter({}), float32] */
    ck_assert_int_eq(READ("\x80\x04](C\x02"
                          "ab\x8f(K\x01K\x02\x90\x8a\x09\1\2\3\4\5\6\7\x08\x09"
                          "ccollections\nCounter\n}\x85Rctorch\nfloat32\ne."),
                     ERX_OK);
    ck_assert_uint_eq(root()->items.count, 5);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_int_eq(pickle.values[root()->items.items[i]].kind, ERX_PICKLE_OPAQUE);
    ck_assert_int_eq(pickle.values[root()->items.items[4]].kind, ERX_PICKLE_CLASS);
    erx_pickle_close(&pickle);
}
END_TEST

START_TEST(test_an_object_is_read_as_the_dict_of_its_fields)
{
    ck_assert_int_eq(READ("cmodels.encoding\nEncodingConfig\n)\x81}X\x01\0\0\0aK\x07sb."), ERX_OK);
    ck_assert_int_eq(erx_pickle_get(&pickle, root(), "a")->integer, 7);
    erx_pickle_close(&pickle);
    /* what a dict has beside its entries is dropped */
    ck_assert_int_eq(READ("ccollections\nOrderedDict\n)R}X\x01\0\0\0aK\x07sb."), ERX_OK);
    ck_assert_ptr_null(erx_pickle_get(&pickle, root(), "a"));
    erx_pickle_close(&pickle);
    EXPECT_REFUSED("cargparse\nNamespace\n)\x81K\x01"
                   "b.",
                   "BUILD");
    EXPECT_REFUSED("cargparse\nNamespace\n)R.", "REDUCE");
    EXPECT_REFUSED("](\x90.", "ADDITEMS");
}
END_TEST

START_TEST(test_code_is_refused_by_name)
{
    EXPECT_REFUSED("cposix\nsystem\n(X\x02\0\0\0idtR.", "GLOBAL at byte 0: it names posix.system");
    EXPECT_REFUSED("\x8c\x08"
                   "builtins\x8c\x04"
                   "eval\x93.",
                   "STACK_GLOBAL at byte 16: it names builtins.eval");
    EXPECT_REFUSED("(X\x02\0\0\0idios\nsystem\n.", "pickle opcode INST");
    EXPECT_REFUSED("(cposix\nsystem\no.", "names posix.system");
    EXPECT_REFUSED("ccollections\nOrderedDict\n)\x81.", "pickle opcode NEWOBJ at byte 26");
    EXPECT_REFUSED("\x82\x01.", "pickle opcode EXT1");
    EXPECT_REFUSED("Pos.system\n.", "pickle opcode PERSID");
    EXPECT_REFUSED("\xff.", "(unknown)");
    EXPECT_REFUSED("ctorch\nFloatStorage\n)R.", "REDUCE");
    EXPECT_REFUSED("NN\x85R.", "REDUCE");
    EXPECT_REFUSED("](NNeNb.", "BUILD");
    EXPECT_REFUSED("c\x1b[1m\nx\n.", "it names ?[1m.x");
}
END_TEST

START_TEST(test_broken_pickles_are_refused)
{
    EXPECT_REFUSED("", "without the opcode STOP");
    EXPECT_REFUSED(".", "STOP");
    EXPECT_REFUSED("NN.", "STOP");
    EXPECT_REFUSED("(N.", "STOP");
    EXPECT_REFUSED("N\x85\x86.", "TUPLE2");
    EXPECT_REFUSED("t.", "TUPLE");
    EXPECT_REFUSED("h\x05.", "BINGET");
    EXPECT_REFUSED("q\x05.", "BINPUT");
    EXPECT_REFUSED("Nr\xff\xff\xff\xff.", "LONG_BINPUT");
    EXPECT_REFUSED("}(Nu.", "SETITEMS");
    EXPECT_REFUSED("NNa.", "APPEND");
    EXPECT_REFUSED("X\xff\xff\xff\x7f.", "BINUNICODE");
    EXPECT_REFUSED("K\x01Q.", "BINPERSID");
    EXPECT_REFUSED("cabc", "GLOBAL");
    EXPECT_REFUSED("(K\x01(0.", "POP");
}
END_TEST

START_TEST(test_every_truncation_is_refused)
{
    for (size_t length = 0; length + 1 < sizeof TENSOR; length++)
        ck_assert_int_lt(erx_pickle_read((const uint8_t *)TENSOR, length, &pickle, &error), 0);
}
END_TEST

START_TEST(test_a_list_that_holds_itself_is_no_trap)
{
    ck_assert_int_eq(READ("]q\0h\0a."), ERX_OK);
    ck_assert_uint_eq(root()->items.items[0], pickle.root);
    erx_pickle_close(&pickle);
}
END_TEST

Suite *parameters_pickle_suite(void)
{
    Suite *suite = suite_create("parameters_pickle");
    TCase *tests = tcase_create("read");
    tcase_add_test(tests, test_a_tensor_is_described);
    tcase_add_test(tests, test_plain_values_of_both_protocols);
    tcase_add_test(tests, test_metrics_of_numpy_are_passed_over);
    tcase_add_test(tests, test_settings_of_training_are_passed_over);
    tcase_add_test(tests, test_an_object_is_read_as_the_dict_of_its_fields);
    tcase_add_test(tests, test_code_is_refused_by_name);
    tcase_add_test(tests, test_broken_pickles_are_refused);
    tcase_add_test(tests, test_every_truncation_is_refused);
    tcase_add_test(tests, test_a_list_that_holds_itself_is_no_trap);
    suite_add_tcase(suite, tests);
    return suite;
}
