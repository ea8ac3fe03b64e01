/* The base layer: where accounts live before and after the rollup. Two
 * implementations: a ledger in the data directory (base_ledger.c), and a Solana
 * RPC node (base_solana.c).
 *
 * A base layer works on threads of its own and never blocks its callers: what
 * it found is handed back through erx_base_events_t, on the control thread. */
#ifndef ERX_NODE_BASE_LAYER_H
#define ERX_NODE_BASE_LAYER_H

#include "abi/erx.h"
#include "node/config.h"
#include "node/keypair.h"
#include "node/telemetry.h"

/* Of a settled account: SessionState has 256; of more, a transaction would not take
 * what it is settled with. */
#define ERX_SETTLED_BYTES_MAX 256u

typedef struct erx_base erx_base_t;

/* What is settled of a session: its state, and the digest of what stays here. Or of
 * another account that is delegated here: its data and lamports. */
typedef struct {
    bool is_plain; /* no session's */
    uint64_t session_id;
    erx_pubkey_t account; /* SessionState's address */
    uint64_t lamports;    /* of a plain account; a session's are the base layer's */
    uint64_t slot;
    uint8_t hidden_hash[ERX_HASH_SIZE];
    uint32_t hidden_size;
    uint32_t state_size;
    uint8_t state[ERX_SETTLED_BYTES_MAX]; /* SessionState, or the account's data */
    erx_pubkey_t owner;                   /* the world program, or the account's */
    bool is_final;                        /* the session is over: the account goes back */
} erx_settlement_t;

/* An account as the base layer has it. */
typedef struct {
    erx_pubkey_t key;
    bool exists;
    bool is_delegated_here; /* its owner is the original one then */
    bool is_delegated_elsewhere;
    erx_pubkey_t owner;
    uint64_t lamports;
    bool executable;
    uint64_t base_slot;
    uint8_t *data; /* freed with erx_base_account_free */
    size_t data_size;
} erx_base_account_t;

void erx_base_account_free(erx_base_account_t *account);

/* A delegation record, where an account has one. */
typedef struct {
    bool is_delegated;
    erx_pubkey_t authority; /* the validator it is delegated to */
    erx_pubkey_t owner;
    uint64_t slot;
    uint64_t lamports;
} erx_delegation_t;

/* What JSON-RPC methods may ask on the network thread: answered from memory. */
typedef struct {
    void *context;
    bool (*delegation)(void *context, const erx_pubkey_t *key, erx_delegation_t *delegation_out);
    /* A copy of an account as it was settled; the caller frees it. */
    bool (*account)(void *context, const erx_pubkey_t *key, erx_base_account_t *account_out);
} erx_base_layer_view_t;

typedef enum {
    ERX_SETTLEMENT_DONE,
    ERX_SETTLEMENT_REPLACED, /* a newer one of the same account takes its place */
    ERX_SETTLEMENT_FAILED,   /* the base layer will not have it */
} erx_settlement_fate_t;

/* Hands results over; called on the base layer's threads. */
typedef struct {
    void *context;
    void (*fetched)(void *context, erx_base_account_t *account); /* takes the account */
    /* One that is followed, or that is followed no longer: exists is false then. */
    void (*changed)(void *context, erx_base_account_t *account);
    void (*settled)(void *context, const erx_settlement_t *settlement, erx_settlement_fate_t fate);
    /* While it is opened: so many settlements of an earlier life are to be done. */
    void (*resumed)(void *context, uint32_t count);
} erx_base_events_t;

typedef struct {
    const char *name; /* "ledger", "solana" */
    /* What is not settled when it closes, it settles when it is opened again. */
    bool keeps_unsettled;
    bool (*open)(const erx_config_t *config, const erx_keypair_t *identity,
                 const erx_base_events_t *events, erx_telemetry_t *telemetry, erx_base_t **base_out,
                 erx_failure_t *failure);
    /* Finishes what is under way, a few seconds at most. */
    void (*close)(erx_base_t *base);
    /* Fetches an account and its delegation record, and follows it where it is
     * not delegated to us. */
    void (*fetch)(erx_base_t *base, const erx_pubkey_t *key);
    void (*settle)(erx_base_t *base, const erx_settlement_t *settlement);
    /* As in erx_base_layer_view_t; context is the base. account may be NULL. */
    bool (*delegation)(void *base, const erx_pubkey_t *key, erx_delegation_t *delegation_out);
    bool (*account)(void *base, const erx_pubkey_t *key, erx_base_account_t *account_out);
} erx_base_layer_kind_t;

extern const erx_base_layer_kind_t erx_base_ledger_kind;
extern const erx_base_layer_kind_t erx_base_solana_kind;

#endif
