#include "tools/policy_writer.h"

#include "kernels/tables.h"
#include "tools/output.h"
#include "tools/output_directory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the manifest ---- */

static json_t *digest_json(const uint8_t digest[ERX_SHA256_BYTES])
{
    char text[ERX_SHA256_TEXT_MAX];
    erx_sha256_text(digest, text);
    return json_string(text);
}

static json_t *manifest_json(const erx_policy_manifest_t *manifest)
{
    const erx_policy_shape_t *shape = &manifest->shape;
    json_t *widths = json_array();
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        json_array_append_new(widths, json_integer(shape->embed_widths[i]));
    return json_pack(
        "{s:s, s:s, s:s, s:{s:s, s:i, s:i, s:i, s:o}, s:I, s:o, s:o}", "format", ERX_POLICY_FORMAT,
        "profile", ERX_POLICY_PROFILE, "name", manifest->name, "architecture", "model_type",
        "policy", "context_len", (int)shape->context, "hidden_dim", (int)shape->hidden, "trunk_dim",
        (int)shape->trunk, "embed_widths", widths, "total_weight_bytes",
        (json_int_t)manifest->weight_bytes, "sha256", digest_json(manifest->weight_sha256),
        "tables_sha256", digest_json(erx_tables_sha256));
}

/* ---- writing ---- */

static erx_status_t write_files(const erx_policy_file_t *policy,
                                const erx_output_directory_t *directory, const json_t *manifest,
                                erx_error_t *error)
{
    char path[PATH_MAX];
    erx_status_t status = erx_output_directory_file(directory, ERX_POLICY_MANIFEST, path, error);
    if (status == ERX_OK)
        status = erx_output_json(path, manifest, error);
    if (status == ERX_OK)
        status = erx_output_directory_file(directory, ERX_POLICY_WEIGHTS, path, error);
    if (status == ERX_OK)
        status = erx_output_write(path, policy->weights, policy->manifest.weight_bytes, error);
    return status;
}

erx_status_t erx_policy_write(const erx_policy_file_t *policy, const char *directory,
                              json_t *provenance, json_t *fidelity, erx_error_t *error)
{
    erx_output_directory_t output;
    erx_status_t status = erx_output_directory_open(&output, directory, error);
    if (status != ERX_OK)
        return status;
    json_t *manifest = manifest_json(&policy->manifest);
    if (provenance != NULL)
        json_object_set(manifest, "provenance", provenance);
    if (fidelity != NULL)
        json_object_set(manifest, "fidelity", fidelity);
    status = write_files(policy, &output, manifest, error);
    json_decref(manifest);
    if (status == ERX_OK)
        return erx_output_directory_commit(&output, error);
    erx_output_directory_abandon(&output);
    return status;
}

/* ---- showing ---- */

static uint64_t parameter_count(const erx_policy_shape_t *shape)
{
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    uint64_t bytes, count = 0;
    erx_policy_plan(shape, entries, &bytes);
    for (uint32_t i = 0; i < ERX_POLICY_TENSORS; i++)
        count += entries[i].dtype == ERX_DTYPE_I8 ? entries[i].bytes : 0;
    return count;
}

/* A free-form part, indented; the manifest was checked to be JSON. */
static void print_part(const char *name, const char *text)
{
    json_t *part = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    char *indented =
        part == NULL ? NULL
                     : json_dumps(part, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    printf("%-14s %s\n", name, indented == NULL ? "none" : indented);
    free(indented);
    json_decref(part);
}

static void print_tensors(const erx_policy_shape_t *shape)
{
    static const char *const dtypes[] = {"i8", "i16", "i32", "i64"};
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    uint64_t bytes;
    erx_policy_plan(shape, entries, &bytes);
    printf("\n%-8s %-5s %12s %10s %10s\n", "tensor", "dtype", "shape", "offset", "size");
    for (uint32_t i = 0; i < ERX_POLICY_TENSORS; i++) {
        const erx_tensor_entry_t *entry = &entries[i];
        char text[sizeof "4294967295 x 4294967295"];
        (void)snprintf(text, sizeof text, entry->dimension_count == 2 ? "%u x %u" : "%u",
                       entry->dimensions[0], entry->dimensions[1]);
        printf("%-8s %-5s %12s %10" PRIu64 " %10" PRIu64 "\n", entry->name, dtypes[entry->dtype],
               text, entry->offset, entry->bytes);
    }
}

void erx_policy_report_print(const erx_policy_file_t *policy, bool tensors)
{
    const erx_policy_shape_t *shape = &policy->manifest.shape;
    printf("%-14s %s\n", "policy", policy->manifest.name);
    printf("%-14s %u frames, layers of %u and %u units\n", "shape", shape->context, shape->hidden,
           shape->trunk);
    printf("%-14s %.2f million\n", "parameters", (double)parameter_count(shape) / 1e6);
    printf("%-14s %" PRIu64 " bytes\n", "weights", policy->manifest.weight_bytes);
    printf("%-14s %zu bytes a seat\n", "memory", shape->context * erx_policy_frame_bytes(shape));
    print_part("fidelity", policy->manifest.fidelity);
    print_part("provenance", policy->manifest.provenance);
    if (tensors)
        print_tensors(shape);
}

static void add_part(json_t *report, const char *name, const char *text)
{
    json_t *part = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    if (part != NULL)
        json_object_set_new(report, name, part);
}

erx_status_t erx_policy_report_json(const erx_policy_file_t *policy, const char *path,
                                    erx_error_t *error)
{
    json_t *report = manifest_json(&policy->manifest);
    if (report == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the report");
    json_object_set_new(report, "parameters",
                        json_integer((json_int_t)parameter_count(&policy->manifest.shape)));
    add_part(report, "fidelity", policy->manifest.fidelity);
    add_part(report, "provenance", policy->manifest.provenance);
    erx_status_t status = erx_output_json(path, report, error);
    json_decref(report);
    return status;
}
