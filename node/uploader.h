/* Uploads a model directory to a validator by transactions: shards, then the
 * manifest. Interrupted and started again it goes on where it stopped. */
#ifndef ERX_NODE_UPLOADER_H
#define ERX_NODE_UPLOADER_H

#include "abi/erx.h"
#include "node/failure.h"
#include "node/keypair.h"

typedef struct {
    const char *directory;
    const char *url;
    erx_keypair_t authority; /* pays and signs; owns the accounts */
    erx_pubkey_t program;
    uint64_t model_id;
    void *context;
    /* After every wave of transactions. */
    void (*on_progress)(void *context, const char *what, uint64_t done, uint64_t total);
} erx_upload_config_t;

typedef struct {
    uint64_t bytes;        /* of weights, tables and manifest */
    uint64_t skipped;      /* that were there already */
    uint64_t transactions; /* that were sent */
    erx_pubkey_t manifest; /* the model's address */
} erx_upload_result_t;

bool erx_upload(const erx_upload_config_t *config, erx_upload_result_t *result_out,
                erx_failure_t *failure);

#endif
