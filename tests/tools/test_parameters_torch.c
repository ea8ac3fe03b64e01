#include "tests/support/shared.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/parameters.h"
#include "tools/parameters_torch.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

/* {'model_state_dict': {'w': 2 x 2 of storage '0' of 4, transposed}, 'context_len': 5} */
#define PICKLE                                                                                     \
    "\x80\x02}(X\x10\0\0\0model_state_dict}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n"        \
    "((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"                                        \
    "0X\x03\0\0\0"                                                                                 \
    "cpuK\x04tQK\x00K\x02K\x02\x86K\x01K\x02\x86\x89}tRsX\x0b\0\0\0context_lenK\x05u."

#define STORAGE                                                                                    \
    "((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"                                        \
    "0X\x03\0\0\0"                                                                                 \
    "cpuK\x04tQ"
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n" STORAGE
/* {'model_state_dict': {'a': values 0 and 1, 'b': values 2 and 3 of one storage}} */
#define SHARING                                                                                    \
    "\x80\x02}X\x10\0\0\0model_state_dict}(X\x01\0\0\0a" REBUILD                                   \
    "K\x00K\x02\x85K\x01\x85\x89}tRX\x01\0\0\0b" REBUILD "K\x02K\x02\x85K\x01\x85\x89}tRus."

static const float numbers[] = {1.0f, 2.0f, 3.0f, 4.0f};
static const char *byte_order; /* what the archive says of it; NULL: nothing */
static erx_parameters_t checkpoint;
static erx_error_t error;

static void add(zip_t *archive, const char *name, const void *data, size_t size, int method)
{
    zip_source_t *source = zip_source_buffer(archive, data, size, 0);
    zip_int64_t index = zip_file_add(archive, name, source, 0);
    ck_assert_int_ge((int)index, 0);
    ck_assert_int_eq(zip_set_file_compression(archive, (zip_uint64_t)index, method, 0), 0);
}

/* An archive of these records; the caller frees it. */
static uint8_t *archive(const char *pickle, size_t pickle_size, const char *storage, int method,
                        size_t *size_out)
{
    zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_source_keep(target);
    zip_t *file = zip_open_from_source(target, ZIP_TRUNCATE, NULL);
    ck_assert_ptr_nonnull(file);
    add(file, "m/data.pkl", pickle, pickle_size, ZIP_CM_STORE);
    add(file, storage, numbers, sizeof numbers, method);
    if (byte_order != NULL)
        add(file, "m/byteorder", byte_order, strlen(byte_order), ZIP_CM_STORE);
    ck_assert_int_eq(zip_close(file), 0);
    zip_stat_t stat;
    ck_assert_int_eq(zip_source_stat(target, &stat), 0);
    *size_out = (size_t)stat.size;
    uint8_t *bytes = malloc(*size_out);
    ck_assert_int_eq(zip_source_open(target), 0);
    ck_assert_int_eq((int)zip_source_read(target, bytes, *size_out), (int)*size_out);
    zip_source_close(target);
    zip_source_free(target);
    return bytes;
}

static erx_status_t read_archive(const char *pickle, size_t pickle_size, const char *storage,
                                 int method)
{
    size_t size;
    uint8_t *bytes = archive(pickle, pickle_size, storage, method, &size);
    erx_status_t status = erx_parameters_read(&checkpoint, bytes, size, &error);
    free(bytes);
    return status;
}

static void expect_said(const char *text)
{
    ck_assert_ptr_null(checkpoint.tensors);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' does not say '%s'", error.text, text);
}

START_TEST(test_strided_tensors_are_laid_out)
{
    ck_assert_int_eq(read_archive(PICKLE, sizeof PICKLE - 1, "m/data/0", ZIP_CM_STORE), ERX_OK);
    const erx_parameters_tensor_t *tensor = erx_parameters_find(&checkpoint, "w");
    const float transposed[] = {1.0f, 3.0f, 2.0f, 4.0f};
    ck_assert_mem_eq(tensor->values, transposed, sizeof transposed);
    ck_assert_int_eq((int)checkpoint.context_len, 5);
    erx_parameters_close(&checkpoint);
}
END_TEST

START_TEST(test_tensors_may_share_a_storage)
{
    ck_assert_int_eq(read_archive(SHARING, sizeof SHARING - 1, "m/data/0", ZIP_CM_STORE), ERX_OK);
    ck_assert_mem_eq(erx_parameters_find(&checkpoint, "a")->values, numbers, 2 * sizeof(float));
    ck_assert_mem_eq(erx_parameters_find(&checkpoint, "b")->values, numbers + 2, 2 * sizeof(float));
    erx_parameters_close(&checkpoint);
}
END_TEST

/* A small file must not become large tensors. */
START_TEST(test_tensors_that_repeat_a_storage_too_often_are_refused)
{
    char pickle[] = PICKLE;
    char *strides = memmem(pickle, sizeof pickle, "K\x01K\x02\x86", 5);
    strides[1] = 0;
    ck_assert_int_eq(read_archive(pickle, sizeof pickle - 1, "m/data/0", ZIP_CM_STORE),
                     ERX_ERR_UNSUPPORTED);
    expect_said("tensor w repeats its values (stride 0 of dimension 0)");
    char *shape = memmem(pickle, sizeof pickle, "K\x02K\x02\x86", 5);
    strides[1] = 1;
    shape[1] = shape[3] = (char)0xff;
    ck_assert_int_eq(read_archive(pickle, sizeof pickle - 1, "m/data/0", ZIP_CM_STORE),
                     ERX_ERR_RANGE);
    expect_said("tensor w: with those before it");
}
END_TEST

START_TEST(test_files_of_other_machines_are_refused)
{
    byte_order = "big";
    ck_assert_int_eq(read_archive(PICKLE, sizeof PICKLE - 1, "m/data/0", ZIP_CM_STORE),
                     ERX_ERR_UNSUPPORTED);
    expect_said("m/byteorder: the file was saved on a big-endian machine");
    byte_order = "little";
    ck_assert_int_eq(read_archive(PICKLE, sizeof PICKLE - 1, "m/data/0", ZIP_CM_STORE), ERX_OK);
    byte_order = NULL;
    erx_parameters_close(&checkpoint);
}
END_TEST

START_TEST(test_archives_that_could_grow_are_refused)
{
    ck_assert_int_eq(read_archive(PICKLE, sizeof PICKLE - 1, "m/data/0", ZIP_CM_DEFLATE),
                     ERX_ERR_UNSUPPORTED);
    expect_said("m/data/0 is compressed");
}
END_TEST

START_TEST(test_records_that_do_not_fit_are_refused)
{
    ck_assert_int_lt(read_archive(PICKLE, sizeof PICKLE - 1, "m/data/1", ZIP_CM_STORE), 0);
    expect_said("tensor w: record m/data/0");
    ck_assert_int_lt(read_archive("}.", 2, "m/data/0", ZIP_CM_STORE), 0);
    expect_said("model_state_dict");
    ck_assert_int_lt(read_archive("}X\x05\0\0\0modelNs.", 14, "m/data/0", ZIP_CM_STORE), 0);
    expect_said("its keys are: model;");
    char pickle[] = PICKLE;
    char *shape = memmem(pickle, sizeof pickle, "K\x02K\x02\x86", 5);
    shape[3] = 3; /* 2 x 3 does not fit 4 values */
    ck_assert_int_lt(read_archive(pickle, sizeof pickle - 1, "m/data/0", ZIP_CM_STORE), 0);
    expect_said("tensor w reaches beyond");
}
END_TEST

START_TEST(test_bare_pickles_are_refused)
{
    const uint8_t old[] = {0x80, 2, 0x8a, 10, 'l', 0xfc, 0x9c, 'F', 0xf9, ' ', 'j', 0xa8};
    ck_assert_int_eq(erx_parameters_read(&checkpoint, old, sizeof old, &error),
                     ERX_ERR_UNSUPPORTED);
    expect_said("PROTO");
}
END_TEST

START_TEST(test_truncated_archives_are_refused)
{
    size_t size;
    uint8_t *bytes = archive(PICKLE, sizeof PICKLE - 1, "m/data/0", ZIP_CM_STORE, &size);
    for (size_t length = 0; length < size; length++)
        ck_assert_int_lt(erx_parameters_read(&checkpoint, bytes, length, &error), 0);
    free(bytes);
}
END_TEST

START_TEST(test_both_forms_of_a_real_checkpoint_are_equal)
{
    char torch[ERX_SHARED_PATH_MAX], tensors[ERX_SHARED_PATH_MAX];
    if (!erx_shared_path("models/checkpoints/tiny.pt", torch) ||
        !erx_shared_path("models/checkpoints/tiny.safetensors", tensors))
        return;
    erx_parameters_t other;
    ck_assert_int_eq(erx_parameters_open(&checkpoint, torch, &error), ERX_OK);
    ck_assert_int_eq(erx_parameters_open(&other, tensors, &error), ERX_OK);
    ck_assert_uint_eq(checkpoint.count, other.count);
    for (uint32_t i = 0; i < other.count; i++) {
        ck_assert_str_eq(checkpoint.tensors[i].name, other.tensors[i].name);
        ck_assert_uint_eq(checkpoint.tensors[i].count, other.tensors[i].count);
        ck_assert_mem_eq(checkpoint.tensors[i].values, other.tensors[i].values,
                         other.tensors[i].count * sizeof(float));
    }
    ck_assert(json_equal(checkpoint.encoding_config, other.encoding_config));
    ck_assert_int_eq((int)checkpoint.context_len, (int)other.context_len);
    erx_parameters_close(&checkpoint);
    erx_parameters_close(&other);
}
END_TEST

Suite *parameters_torch_suite(void)
{
    Suite *suite = suite_create("parameters_torch");
    TCase *tests = tcase_create("read");
    tcase_add_test(tests, test_strided_tensors_are_laid_out);
    tcase_add_test(tests, test_tensors_may_share_a_storage);
    tcase_add_test(tests, test_tensors_that_repeat_a_storage_too_often_are_refused);
    tcase_add_test(tests, test_files_of_other_machines_are_refused);
    tcase_add_test(tests, test_archives_that_could_grow_are_refused);
    tcase_add_test(tests, test_records_that_do_not_fit_are_refused);
    tcase_add_test(tests, test_bare_pickles_are_refused);
    tcase_add_test(tests, test_truncated_archives_are_refused);
    tcase_add_test(tests, test_both_forms_of_a_real_checkpoint_are_equal);
    suite_add_tcase(suite, tests);
    return suite;
}
