/* Writes the seeds of fuzz_safetensors and fuzz_pickle into the files named on
 * the command line: a small safetensors file, a pickle, a .pt file. */
#include "mem/assert.h"
#include "tests/support/file.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zip.h>

static const char header[] =
    "{\"__metadata__\":{\"encoding_config\":\"{\\\"xy_scale\\\": 0.05}\",\"context_len\":\"8\"},"
    "\"layers.0.mamba.D\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
    "\"frame_proj.weight\":{\"dtype\":\"F16\",\"shape\":[2,1],\"data_offsets\":[8,12]}}";

static const char pickle[] =
    "\x80\x02}q\x00(X\x10\0\0\0model_state_dictq\x01}q\x02X\x01\0\0\0wctorch._utils\n"
    "_rebuild_tensor_v2\nq\x03((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"
    "0X\x03\0\0\0"
    "cpuK\x04tQK\x00K\x02K\x02\x86K\x02K\x01\x86\x89"
    "ccollections\nOrderedDict\n)RtRsX\x0f\0\0\0"
    "encoding_config}X\x08\0\0\0xy_scaleG?\xa9\x99\x99\x99\x99\x99\x9asX\x0b\0\0\0context_lenK\x05"
    "X\x01\0\0\0l](N\x88J\xff\xff\xff\xff\x8a\x01\x05"
    "eu.";

static const float numbers[] = {1.0f, 2.0f, 3.0f, 4.0f};

static void write_safetensors(const char *path)
{
    const uint64_t length = sizeof header - 1;
    FILE *file = fopen(path, "wb");
    ERX_ASSERT(file != NULL);
    ERX_ASSERT(fwrite(&length, sizeof length, 1, file) == 1);
    ERX_ASSERT(fwrite(header, 1, sizeof header - 1, file) == sizeof header - 1);
    ERX_ASSERT(fwrite(numbers, 1, 12, file) == 12);
    ERX_ASSERT(fclose(file) == 0);
}

static void write_pickle(const char *path)
{
    erx_file_write(path, pickle, sizeof pickle - 1);
}

static void add_record(zip_t *archive, const char *name, const void *data, size_t size)
{
    zip_source_t *source = zip_source_buffer(archive, data, size, 0);
    zip_int64_t index = zip_file_add(archive, name, source, 0);
    ERX_ASSERT(index >= 0);
    ERX_ASSERT(zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0);
    ERX_ASSERT(zip_file_set_mtime(archive, (zip_uint64_t)index, 315532800, 0) == 0);
}

static void write_archive(const char *path)
{
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    ERX_ASSERT(archive != NULL);
    add_record(archive, "m/data.pkl", pickle, sizeof pickle - 1);
    add_record(archive, "m/data/0", numbers, sizeof numbers);
    ERX_ASSERT(zip_close(archive) == 0);
}

int main(int argc, char **argv)
{
    ERX_ASSERT(argc == 4);
    write_safetensors(argv[1]);
    write_pickle(argv[2]);
    write_archive(argv[3]);
    return 0;
}
