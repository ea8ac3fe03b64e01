/* Known addresses of the world program's accounts. */
#ifndef ERX_TESTS_ENGINE_TRANSACTION_ADDRESS_VECTORS_H
#define ERX_TESTS_ENGINE_TRANSACTION_ADDRESS_VECTORS_H

#include <stdint.h>

#define ERX_ADDRESS_VECTORS 36

typedef enum {
    ERX_VECTOR_MANIFEST,
    ERX_VECTOR_WEIGHTS,
    ERX_VECTOR_SESSION,
    ERX_VECTOR_HIDDEN,
    ERX_VECTOR_INPUT
} erx_address_kind_t;

typedef struct {
    erx_address_kind_t kind;
    uint64_t number; /* of the model or the session */
    uint8_t shard;   /* of weights */
    uint8_t bump;
    const char *address;
} erx_address_vector_t;

extern const erx_address_vector_t erx_address_vectors[ERX_ADDRESS_VECTORS];

#endif
