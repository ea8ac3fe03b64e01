/* What the methods of JSON-RPC are written with. */
#ifndef ERX_NODE_RPC_PARTS_H
#define ERX_NODE_RPC_PARTS_H

#include "node/json_reader.h"
#include "node/key_text.h"
#include "node/rpc.h"

/* JSON-RPC's and Solana's codes. */
enum {
    ERX_RPC_PARSE_ERROR = -32700,
    ERX_RPC_INVALID_REQUEST = -32600,
    ERX_RPC_METHOD_NOT_FOUND = -32601,
    ERX_RPC_INVALID_PARAMS = -32602,
    ERX_RPC_INTERNAL_ERROR = -32603,
    ERX_RPC_SIMULATION_FAILED = -32002,
    ERX_RPC_SIGNATURE_FAILURE = -32003,
    ERX_RPC_UNHEALTHY = -32005,
    ERX_RPC_UNSUPPORTED_VERSION = -32015,
    ERX_RPC_MIN_CONTEXT_SLOT = -32016,
};

typedef struct erx_rpc_call erx_rpc_call_t;
typedef struct erx_rpc_request erx_rpc_request_t;

/* A method writes its result or an error, or defers. */
typedef void (*erx_rpc_method_fn)(erx_rpc_request_t *request);

typedef struct {
    const char *name;
    erx_rpc_method_fn run;
    bool websocket_only;
} erx_rpc_method_t;

/* By name, in strcmp's order (rpc_methods.c). */
extern const erx_rpc_method_t erx_rpc_methods[];
extern const size_t erx_rpc_method_count;

/* One request. Lives during its method's call, or, deferred, until it is
 * resolved. */
struct erx_rpc_request {
    erx_rpc_t *rpc;
    const erx_rpc_config_t *node;
    erx_rpc_call_t *call;
    erx_connection_t *connection; /* only during the method's call */
    const json_t *params;         /* an array, or NULL; only during the method's call */
    json_t *id;
    erx_text_t *text;
    size_t begin; /* of this request's answer in text */
    erx_json_writer_t writer;
    bool is_answered;
    bool is_deferred;
    bool is_busy; /* answered with HTTP status 429 where that is possible */
};

/* The whole message that requests came in. */
struct erx_rpc_call {
    erx_rpc_call_t *next; /* of those that wait for a gate, or are free */
    erx_connection_id_t connection;
    bool is_websocket;
    bool is_batch;
    bool is_busy;
    uint32_t pending;   /* deferred requests */
    uint64_t gate_slot; /* durable before the answer leaves */
    uint64_t give_up_ns;
    erx_text_t text;
    erx_text_t *parts; /* of a batch */
    uint32_t part_count;
};

/* A transaction that was handed over and has no fate yet. */
typedef struct erx_rpc_underway {
    struct erx_rpc_underway *next;
    uint8_t signature[ERX_SIGNATURE_SIZE];
    erx_rpc_request_t *request; /* that waits for an answer; NULL: it has one */
    bool is_foreseen;           /* it would have gone well after the last block */
    bool has_copy;              /* that is under way as well */
    uint64_t since_ns;          /* it arrived */
    uint64_t give_up_ns;
} erx_rpc_underway_t;

#define ERX_RPC_UNDERWAY_BUCKETS 4096u

struct erx_rpc {
    erx_rpc_config_t node;
    erx_server_t *server;
    erx_rpc_call_t *free_calls;
    uint32_t free_call_count;
    erx_rpc_call_t *gated, *last_gated;
    erx_rpc_underway_t *underway[ERX_RPC_UNDERWAY_BUCKETS];
    uint32_t underway_count;
    uint64_t *method_counts;
    uint64_t airdrops;
    uint8_t *account_data; /* what was read last */
    size_t account_capacity;
    bool is_stopping;
};

/* Begins the result; the method writes one value with the writer. */
erx_json_writer_t *erx_rpc_result(erx_rpc_request_t *request);

/* Begins {"context":{"slot":slot},"value": ; the method writes one value and
 * calls erx_rpc_end_value. */
erx_json_writer_t *erx_rpc_begin_value(erx_rpc_request_t *request, uint64_t slot);
void erx_rpc_end_value(erx_rpc_request_t *request);

/* Answers with an error, whatever was written before. */
void erx_rpc_fail(erx_rpc_request_t *request, int code, const char *format, ...) ERX_FORMATS(3, 4);

/* The same; the method writes data with the writer and calls erx_rpc_end_fail. */
erx_json_writer_t *erx_rpc_begin_fail(erx_rpc_request_t *request, int code, const char *message);
void erx_rpc_end_fail(erx_rpc_request_t *request);

/* Puts the request aside to be answered later; NULL (answered with an error)
 * where there is no memory. */
erx_rpc_request_t *erx_rpc_defer(erx_rpc_request_t *request);

/* Ends a deferred request that has its answer, and frees it. */
void erx_rpc_resolve(erx_rpc_request_t *request);

/* Parameter i; NULL where it is missing or null. */
const json_t *erx_rpc_param(const erx_rpc_request_t *request, size_t i);

/* The options object at i; false, answered, where something else is there.
 * *options_out is NULL where there is none. */
bool erx_rpc_options(erx_rpc_request_t *request, size_t i, const json_t **options_out);

/* A key at i; false, answered, where there is none. */
bool erx_rpc_key_param(erx_rpc_request_t *request, size_t i, erx_pubkey_t *key_out);

/* Answers that value is no key or signature, and why, in Solana's words. */
void erx_rpc_fail_base58(erx_rpc_request_t *request, const json_t *value);

/* What a commitment asks for: the newest executed block, or the newest durable
 * one (confirmed, finalized, none). False, answered, for another word or a
 * minContextSlot that is not reached. */
typedef struct {
    bool is_processed;
    uint64_t slot; /* of the block that the answer speaks of */
} erx_rpc_view_t;
bool erx_rpc_view(erx_rpc_request_t *request, const json_t *options, erx_rpc_view_t *view_out);

/* Has the answer wait until slot is durable, unless the view is processed. */
void erx_rpc_gate(erx_rpc_request_t *request, erx_rpc_view_t *view, uint64_t slot);

/* Reads an account into memory that is good until the next call; false where
 * there is none. */
bool erx_rpc_read_account(erx_rpc_t *rpc, const erx_pubkey_t *key, erx_account_t *account_out,
                          uint64_t *slot_out);

/* Accounts (rpc_accounts.c). */
void erx_rpc_get_account_info(erx_rpc_request_t *request);
void erx_rpc_get_multiple_accounts(erx_rpc_request_t *request);
void erx_rpc_get_program_accounts(erx_rpc_request_t *request);
void erx_rpc_get_balance(erx_rpc_request_t *request);
void erx_rpc_get_rent_minimum(erx_rpc_request_t *request);

/* The chain (rpc_chain.c). */
void erx_rpc_get_slot(erx_rpc_request_t *request);
void erx_rpc_get_block_height(erx_rpc_request_t *request);
void erx_rpc_get_latest_blockhash(erx_rpc_request_t *request);
void erx_rpc_get_blockhash_for_accounts(erx_rpc_request_t *request);
void erx_rpc_is_blockhash_valid(erx_rpc_request_t *request);
void erx_rpc_get_epoch_info(erx_rpc_request_t *request);
void erx_rpc_get_epoch_schedule(erx_rpc_request_t *request);
void erx_rpc_get_version(erx_rpc_request_t *request);
void erx_rpc_get_health(erx_rpc_request_t *request);
void erx_rpc_get_identity(erx_rpc_request_t *request);
void erx_rpc_get_genesis_hash(erx_rpc_request_t *request);
void erx_rpc_get_transaction_count(erx_rpc_request_t *request);
void erx_rpc_get_first_available_block(erx_rpc_request_t *request);
void erx_rpc_get_slot_leader(erx_rpc_request_t *request);
void erx_rpc_get_routes(erx_rpc_request_t *request);
void erx_rpc_get_cluster_nodes(erx_rpc_request_t *request);
void erx_rpc_get_delegation_status(erx_rpc_request_t *request);

/* Transactions (rpc_transactions.c, rpc_send.c). */
void erx_rpc_send_transaction(erx_rpc_request_t *request);
void erx_rpc_simulate_transaction(erx_rpc_request_t *request);
void erx_rpc_request_airdrop(erx_rpc_request_t *request);
void erx_rpc_get_fee_for_message(erx_rpc_request_t *request);
void erx_rpc_get_signature_statuses(erx_rpc_request_t *request);
void erx_rpc_get_transaction(erx_rpc_request_t *request);
void erx_rpc_get_signatures_for_address(erx_rpc_request_t *request);

/* Subscriptions (rpc_subscriptions.c). */
void erx_rpc_account_subscribe(erx_rpc_request_t *request);
void erx_rpc_program_subscribe(erx_rpc_request_t *request);
void erx_rpc_signature_subscribe(erx_rpc_request_t *request);
void erx_rpc_logs_subscribe(erx_rpc_request_t *request);
void erx_rpc_slot_subscribe(erx_rpc_request_t *request);
void erx_rpc_account_unsubscribe(erx_rpc_request_t *request);
void erx_rpc_program_unsubscribe(erx_rpc_request_t *request);
void erx_rpc_signature_unsubscribe(erx_rpc_request_t *request);
void erx_rpc_logs_unsubscribe(erx_rpc_request_t *request);
void erx_rpc_slot_unsubscribe(erx_rpc_request_t *request);

/* Filters of getProgramAccounts and programSubscribe (rpc_filters.c). */
#define ERX_RPC_FILTERS_MAX      4u   /* as Solana */
#define ERX_RPC_FILTER_BYTES_MAX 128u /* as Solana */
typedef struct {
    uint32_t count;
    erx_account_filter_t filters[ERX_RPC_FILTERS_MAX];
    uint8_t bytes[ERX_RPC_FILTERS_MAX][ERX_RPC_FILTER_BYTES_MAX];
} erx_rpc_filters_t;

/* Returns what is wrong, or NULL. The filters lead into filters_out. */
const char *erx_rpc_filters_read(const json_t *options, erx_rpc_filters_t *filters_out);

/* Reads a transaction in base58 or base64 from the first parameter; false,
 * answered, where there is none (rpc_send.c). */
bool erx_rpc_read_packet(erx_rpc_request_t *request, const json_t *options,
                         uint8_t packet_out[ERX_PACKET_MAX], size_t *size_out);

/* Answers of transactions (rpc_send.c). */
void erx_rpc_answer_signature(erx_rpc_request_t *request,
                              const uint8_t signature[ERX_SIGNATURE_SIZE]);
void erx_rpc_answer_signature_failure(erx_rpc_request_t *request);
void erx_rpc_answer_fate(erx_rpc_request_t *request, const erx_transaction_outcome_t *outcome);

/* Notes a transaction that was handed over; NULL where there are too many, or no
 * memory (rpc_underway.c). */
erx_rpc_underway_t *erx_rpc_add_underway(erx_rpc_t *rpc,
                                         const uint8_t signature[ERX_SIGNATURE_SIZE],
                                         uint64_t since_ns);

/* Answers what waits for a verdict on signatures, or for a fate. */
void erx_rpc_tell_verdict(erx_rpc_t *rpc, const erx_verdict_t *verdict);
void erx_rpc_tell_fate(erx_rpc_t *rpc, const erx_transaction_record_t *record,
                       uint64_t finished_ns);

/* Forgets what waited too long, and answers. */
void erx_rpc_expire_underway(erx_rpc_t *rpc, uint64_t now_ns);

#endif
