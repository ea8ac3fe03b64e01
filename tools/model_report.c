#include "tools/model_report.h"

#include "engine/account.h"
#include "tools/model_writer.h"
#include "tools/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MEGA (1024.0 * 1024.0)

static uint64_t state_bytes(const erx_shape_t *shape)
{
    return erx_recurrent_bytes(shape);
}

/* A free-form part, indented; the manifest checked that it is JSON. */
static void print_part(const char *name, const char *text)
{
    json_t *part = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    char *indented =
        part == NULL ? NULL
                     : json_dumps(part, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    printf("%-14s %s\n", name, indented == NULL ? "none" : indented);
    free(indented);
    json_decref(part);
}

static void print_shape(const erx_shape_t *shape)
{
    if (erx_shape_is_stack(shape)) {
        printf("%-14s mlp: %u frames, %u and %u units\n", "shape", shape->stack.context,
               shape->stack.hidden, shape->stack.trunk);
        return;
    }
    printf("%-14s d_model %u, d_inner %u, d_state %u, %u layers, %u heads of %u\n", "shape",
           shape->d_model, shape->d_inner, shape->d_state, shape->layer_count, shape->head_count,
           shape->head_dim);
}

static void print_summary(const erx_model_file_t *file)
{
    const erx_manifest_t *manifest = &file->manifest;
    const erx_shape_t *shape = &manifest->shape;
    char hash[ERX_SHA256_TEXT_MAX];
    erx_sha256_text(file->model_hash, hash);
    printf("%-14s %s\n", "model", manifest->name);
    printf("%-14s %s\n", "hash", hash);
    print_shape(shape);
    printf("%-14s %s\n", "profile", erx_model_writer_profile(shape));
    printf("%-14s %.2f million\n", "parameters", (double)erx_manifest_parameters(manifest) / 1e6);
    printf("%-14s %" PRIu64 " bytes (%.2f MiB) in %u tensors, %u shards\n", "weights",
           manifest->weight_bytes, (double)manifest->weight_bytes / MEGA, manifest->tensor_count,
           manifest->shard_count);
    printf("%-14s %" PRIu64 " bytes a session\n", "hidden state", state_bytes(shape));
    printf("%-14s %s\n", "luts.bin", file->has_luts ? "present" : "absent");
    print_part("fidelity", manifest->fidelity);
    print_part("provenance", manifest->provenance);
}

static void print_shards(const erx_manifest_t *manifest)
{
    printf("\n%6s %12s %10s  %s\n", "shard", "offset", "size", "sha256");
    for (uint32_t i = 0; i < manifest->shard_count; i++) {
        const erx_shard_t *shard = &manifest->shards[i];
        char hash[ERX_SHA256_TEXT_MAX];
        erx_sha256_text(shard->sha256, hash);
        printf("%6u %12" PRIu64 " %10" PRIu64 "  %s\n", i, shard->offset, shard->bytes, hash);
    }
}

static void print_tensors(const erx_manifest_t *manifest)
{
    static const char *const dtypes[] = {"i8", "i16", "i32", "i64"};
    printf("\n%-20s %-5s %12s %12s %10s\n", "tensor", "dtype", "shape", "offset", "size");
    for (uint32_t i = 0; i < manifest->tensor_count; i++) {
        const erx_tensor_entry_t *entry = &manifest->tensors[i];
        char shape[sizeof "4294967295 x 4294967295"];
        if (entry->dimension_count == 1)
            (void)snprintf(shape, sizeof shape, "%u", entry->dimensions[0]);
        else
            (void)snprintf(shape, sizeof shape, "%u x %u", entry->dimensions[0],
                           entry->dimensions[1]);
        printf("%-20s %-5s %12s %12" PRIu64 " %10" PRIu64 "\n", entry->name, dtypes[entry->dtype],
               shape, entry->offset, entry->bytes);
    }
}

void erx_model_report_print(const erx_model_file_t *file, const erx_model_report_t *report)
{
    print_summary(file);
    if (report->shards)
        print_shards(&file->manifest);
    if (report->tensors)
        print_tensors(&file->manifest);
}

static void add_part(json_t *report, const char *name, const char *text)
{
    json_t *part = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    if (part != NULL)
        json_object_set_new(report, name, part);
}

erx_status_t erx_model_report_json(const erx_model_file_t *file, const char *path,
                                   erx_error_t *error)
{
    const erx_manifest_t *manifest = &file->manifest;
    json_t *report = erx_model_writer_manifest(manifest);
    if (report == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the report");
    char hash[ERX_SHA256_TEXT_MAX];
    erx_sha256_text(file->model_hash, hash);
    json_object_set_new(report, "hash", json_string(hash));
    json_object_set_new(report, "parameters",
                        json_integer((json_int_t)erx_manifest_parameters(manifest)));
    json_object_set_new(report, "hidden_state_bytes",
                        json_integer((json_int_t)state_bytes(&manifest->shape)));
    json_object_set_new(report, "luts", json_boolean(file->has_luts));
    add_part(report, "fidelity", manifest->fidelity);
    add_part(report, "provenance", manifest->provenance);
    erx_status_t status = erx_output_json(path, report, error);
    json_decref(report);
    return status;
}
