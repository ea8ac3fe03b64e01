/* The set of tensors that a profile gives a model: what each is called,
 * what it holds, and which field of erx_tensors_t it fills. One list serves
 * the writer's layout (erx_manifest_plan), the reader's check and the binding. */
#ifndef ERX_ENGINE_TENSOR_PLAN_H
#define ERX_ENGINE_TENSOR_PLAN_H

#include "engine/manifest.h"

/* Bytes of one element. */
uint32_t erx_dtype_bytes(erx_dtype_t dtype);

/* "i8", "i16", "i32" or "i64". */
const char *erx_dtype_name(erx_dtype_t dtype);

/* Points every field of tensors_out into weights, where the manifest says its
 * tensor lies, and copies the scalars (sc, eps1, eps2). weights holds the
 * manifest's weight_bytes and is 64-byte aligned. */
void erx_tensor_plan_bind(const erx_manifest_t *manifest, const uint8_t *weights,
                          erx_tensors_t *tensors_out);

#endif
