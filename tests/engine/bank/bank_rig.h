/* A bank on a small engine, and transactions for it in a few words. What fails
 * here aborts, so that programs other than tests may use it. */
#ifndef ERX_TESTS_ENGINE_BANK_BANK_RIG_H
#define ERX_TESTS_ENGINE_BANK_BANK_RIG_H

#include "engine/bank/bank.h"
#include "engine/bank/models.h"
#include "engine/bank/program_world.h"
#include "tests/engine/rig.h"
#include "tests/support/transaction_plan.h"

#define RIG_MODEL_ID         7u
#define RIG_SESSIONS         6u
#define RIG_UPLOAD_SESSIONS  3u
#define RIG_TRANSACTIONS_MAX 64u /* of a block */
#define RIG_UNITS_MAX        UINT64_C(20000000)

/* Three layers, so that frames have chunks. */
extern const erx_shape_t bank_rig_shape;

typedef struct {
    erx_fixture_t fixture; /* loaded from its directory, under RIG_MODEL_ID */
    char directory[32];
    erx_engine_t *engine;
    erx_accounts_t *accounts;
    erx_models_t *models;
    erx_blockhash_t *blockhashes;
    erx_status_cache_t *statuses;
    erx_bank_t *bank;
    uint64_t slot;
    int64_t timestamp;
    uint64_t nonce; /* makes equal transactions different */
} bank_rig_t;

/* What differs from the usual bank. */
typedef struct {
    uint64_t fee_per_signature;
    uint64_t block_units_max; /* 0: plenty */
    bool refuse_uncloned;
    uint32_t write_log_bytes; /* 0: plenty */
    uint32_t heap_pages;      /* 0: plenty */
} bank_rig_options_t;

/* Opens it; a block has begun. options may be NULL. */
void bank_rig_open(bank_rig_t *rig, const bank_rig_options_t *options);
void bank_rig_close(bank_rig_t *rig);

/* As newly opened with the same options: no account but the model's, no session. */
void bank_rig_reset(bank_rig_t *rig, const bank_rig_options_t *options);

/* Ends the block and begins the next one. */
void bank_rig_seal(bank_rig_t *rig);

/* A key that follows from a number. */
erx_key_t bank_rig_key(uint64_t number);

/* The world program's addresses. */
erx_key_t bank_rig_manifest(uint64_t model);
erx_key_t bank_rig_weights(uint64_t model, uint8_t shard);
void bank_rig_session(uint64_t session, erx_key_t keys_out[3]);

/* Puts lamports there, as the base layer would. */
void bank_rig_fund(bank_rig_t *rig, const erx_key_t *key, uint64_t lamports);

/* Puts any plain account there. */
void bank_rig_put(bank_rig_t *rig, const erx_account_entry_t *entry, const void *data);

uint64_t bank_rig_lamports(const bank_rig_t *rig, const erx_key_t *key);

/* Hash of everything that a transaction may change: accounts, sessions. */
uint64_t bank_rig_hash(const bank_rig_t *rig);

/* The session of an id. */
erx_session_t *bank_rig_find(const bank_rig_t *rig, uint64_t session);

/* --- transactions --- */

enum { RIG_SIGNS = 1, RIG_WRITES = 2 };

typedef struct {
    erx_key_t key;
    uint8_t flags; /* RIG_* */
} rig_account_t;

#define RIG_ACCOUNTS_MAX     64u
#define RIG_INSTRUCTIONS_MAX 32u
#define RIG_DATA_MAX         4096u

typedef struct {
    uint32_t account_count;
    rig_account_t accounts[RIG_ACCOUNTS_MAX];
    uint32_t instruction_count;
    struct {
        uint8_t program; /* indexes into accounts */
        uint16_t account_count;
        uint8_t accounts[RIG_ACCOUNTS_MAX];
        uint16_t data_bytes;
        uint32_t data_offset;
    } instructions[RIG_INSTRUCTIONS_MAX];
    uint32_t data_bytes;
    uint8_t data[RIG_DATA_MAX];
} rig_transaction_t;

/* Starts one that payer pays for. */
void rig_transaction_begin(rig_transaction_t *transaction, const erx_key_t *payer);

/* Adds an instruction. */
void rig_transaction_add(rig_transaction_t *transaction, const erx_key_t *program,
                         const rig_account_t *accounts, uint32_t account_count, const void *data,
                         uint32_t data_bytes);

/* Makes its packet, as stock clients order keys, and the intake's item. packet
 * must outlive the item. */
void rig_transaction_write(const rig_transaction_t *transaction, const erx_key_t *blockhash,
                           uint8_t packet[ERX_PACKET_BYTES_MAX], erx_intake_item_t *item_out);

/* Executes it with the newest blockhash. The outcome is valid until the next
 * block. */
erx_bank_outcome_t bank_rig_run(bank_rig_t *rig, const rig_transaction_t *transaction);

/* The same for one instruction; accounts[0 .. ) of it. The payer is
 * bank_rig_key(1). */
erx_bank_outcome_t bank_rig_call(bank_rig_t *rig, const erx_key_t *program,
                                 const rig_account_t *accounts, uint32_t account_count,
                                 const void *data, uint32_t data_bytes);

/* Whether a line of the log contains a text. */
bool rig_outcome_logs(const erx_bank_outcome_t *outcome, const char *text);

#endif
