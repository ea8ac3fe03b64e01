/* erx: the execution engine for ephemeral rollups that run a learned world.
 * This header is the whole public surface of the library.
 *
 *   A rollup holds models, sessions, accounts and a gang of pinned workers.
 *   Transactions and direct calls change accounts; sealing a block executes
 *   what was submitted, and one frame of every session that is due, all
 *   sessions of a model in one batch. What was executed is `processed`; what
 *   the journal holds on both copies is `confirmed`, and is there again after
 *   a crash. Blocks are a function of their contents alone: the same bytes on
 *   every machine, for any number of workers.
 *
 * Conventions
 *   Results      Functions that can fail return an ERX_STATUS_* code, 0 or
 *                negative, and then have had no effect. erx_last_error gives
 *                the calling thread's reason in one line.
 *   Handles      Opaque. NULL, closed and foreign handles are refused with
 *                ERX_STATUS_ARGUMENT, except where a close allows NULL.
 *   Structs      Those that callers fill or receive begin with struct_size,
 *                which the caller sets to sizeof: older callers keep working
 *                with newer libraries. *_default functions fill the rest.
 *   Memory       Input is copied unless said otherwise. What is pointed to by
 *                results belongs to the library and lives as long as stated.
 *   Threads      "control": one thread at a time, the one that seals blocks.
 *                "any": any thread at any time between open and close.
 *   Bytes        Accounts, instructions and transactions are little-endian, as
 *                Solana and Anchor lay them out; abi/ACCOUNTS.md has them.
 *   Time         Nanoseconds of CLOCK_MONOTONIC, except a block's timestamp,
 *                which is Unix seconds and the only time that reaches state.
 */
#ifndef ERX_ABI_ERX_H
#define ERX_ABI_ERX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ERX_VERSION_MAJOR 0
#define ERX_VERSION_MINOR 1
#define ERX_VERSION_PATCH 0

#if defined(ERX_BUILDING_LIBRARY)
#define ERX_API __attribute__((visibility("default")))
#else
#define ERX_API
#endif

/* ---------------------------------------------------------------- results */

enum {
    ERX_STATUS_OK = 0,
    ERX_STATUS_ARGUMENT = -10,  /* a value that is never valid: NULL, a dead handle */
    ERX_STATUS_RANGE = -11,     /* outside the range that the message names */
    ERX_STATUS_STATE = -12,     /* not now: a call that another has to precede */
    ERX_STATUS_NOT_FOUND = -13, /* no such file, account, session, model */
    ERX_STATUS_FULL = -14,      /* a limit of the configuration is reached */
    ERX_STATUS_IO = -20,        /* the storage failed; the rollup executes no more */
    ERX_STATUS_MEMORY = -21,
    ERX_STATUS_PERMISSION = -22,
    ERX_STATUS_UNSUPPORTED = -23, /* this machine or build cannot */
    ERX_STATUS_FORMAT = -30,      /* not the documented form */
    ERX_STATUS_HASH = -31,        /* well-formed, but not the bytes that were promised */
    ERX_STATUS_DIFFERS = -32      /* two results that must be equal are not */
};

/* A status code in words; never NULL. Any thread. */
ERX_API const char *erx_strerror(int32_t status);

/* Why the calling thread's last failing call failed: one line, never NULL,
 * valid until its next call that fails. */
ERX_API const char *erx_last_error(void);

/* "MAJOR.MINOR.PATCH" of the library that is running. */
ERX_API const char *erx_version(void);

/* ------------------------------------------------------------------- keys */

#define ERX_PUBKEY_SIZE    32
#define ERX_SIGNATURE_SIZE 64
#define ERX_HASH_SIZE      32
#define ERX_PACKET_MAX     1232 /* bytes of a transaction */
#define ERX_BASE58_SIZE    90   /* characters of 64 bytes, and the end */

typedef struct {
    uint8_t bytes[ERX_PUBKEY_SIZE];
} erx_pubkey_t;

/* Base58 text of size bytes (at most 64) into text_out[ERX_BASE58_SIZE]. */
ERX_API int32_t erx_base58_from_bytes(const uint8_t *bytes, size_t size, char *text_out);

/* The size bytes that text stands for. FORMAT: another character, another size. */
ERX_API int32_t erx_base58_to_bytes(const char *text, uint8_t *bytes_out, size_t size);

/* find_program_address: seeds[count], each at most 32 bytes, count at most 15.
 * bump_out may be NULL. RANGE. */
ERX_API int32_t erx_find_program_address(const uint8_t *const *seeds, const size_t *sizes,
                                         size_t count, const erx_pubkey_t *program,
                                         erx_pubkey_t *address_out, uint8_t *bump_out);

/* The world program's addresses under a program id. */
typedef enum {
    ERX_ADDRESS_MANIFEST = 0,      /* of a model id */
    ERX_ADDRESS_WEIGHTS = 1,       /* of a model id and a shard index */
    ERX_ADDRESS_SESSION_STATE = 2, /* of a session id */
    ERX_ADDRESS_HIDDEN_STATE = 3,
    ERX_ADDRESS_INPUT_BUFFER = 4
} erx_address_kind_t;

ERX_API int32_t erx_world_address(const erx_pubkey_t *program, erx_address_kind_t kind, uint64_t id,
                                  uint8_t shard, erx_pubkey_t *address_out);

/* ----------------------------------------------------------------- opening */

typedef struct erx_rollup erx_rollup_t;

enum { /* erx_rollup_config_t.syscalls */
       ERX_SYSCALL_MATMUL_I8 = 1,
       ERX_SYSCALL_MATMUL_I8_DIMS = 2
};

typedef struct {
    uint32_t struct_size;
    /* Workers. */
    uint32_t worker_count;   /* 0: one for every processor that may be used */
    const char *cpu_list;    /* such as "0-3,8"; NULL: all that may be used */
    const char *isa;         /* "scalar", "avx2", "avx512vnni"; NULL: the best here */
    uint32_t verifier_count; /* threads that verify signatures; 0: submit does it itself */
    /* Durability. NULL: nothing survives the process. */
    const char *data_directory;
    const char *archive_directory; /* where confirmed records go for outside verifiers, or NULL */
    uint64_t journal_bytes;        /* of one copy, when the directory is made */
    uint64_t restart_ns;           /* how long recovery's re-execution may take */
    uint32_t checkpoint_frames;    /* every session once in so many blocks; 0: as restart_ns asks */
    /* Accounts. */
    uint32_t account_capacity;
    uint64_t account_bytes;        /* for the data of all accounts that are not sessions */
    uint32_t upload_models;        /* models that may arrive by transactions */
    uint32_t upload_sessions;      /* sessions of each of them */
    uint32_t upload_session_bytes; /* arena of such a session: bounds the model's state */
    /* The program and its costs. */
    erx_pubkey_t program;            /* id of the world program */
    erx_pubkey_t identity;           /* this validator's, as delegation records name it */
    uint64_t transaction_units_max;  /* compute units of one transaction */
    uint64_t block_units_max;        /* of all transactions of a block */
    uint64_t fee_per_signature;      /* lamports */
    uint64_t matmul_base_units;      /* of sol_matmul_i8, and of frames' products: */
    uint64_t matmul_unit_divisor;    /* base + rows * cols / divisor */
    uint32_t blockhash_blocks;       /* blocks that a blockhash stays valid */
    uint32_t queue_transactions;     /* that may wait for a block; a power of two */
    uint32_t block_transactions_max; /* of one block; the rest waits for the next */
    uint32_t tick_divisor;           /* of sessions that transactions create: a frame every so
                                        many ticks of the crank; 0: only by run_inference */
    uint32_t syscalls;               /* ERX_SYSCALL_* that this rollup offers */
    uint64_t matrix_cache_bytes;     /* packed matrices that the syscall has seen */
    bool refuse_uncloned;            /* writable accounts must be delegated or made here */
    /* All may be NULL. Called with context on the thread that is named. */
    void *context;
    void (*on_progress)(void *context, const char *what, uint64_t done,
                        uint64_t total);                   /* opener */
    void (*on_note)(void *context, const char *line);      /* opener: what could not be had */
    void (*on_confirmed)(void *context, uint64_t slot);    /* commit or control thread; must not
                                                              block */
    void (*on_failure)(void *context, const char *reason); /* once, where a call finds that the
                                                              storage failed */
    const char *copy_directory; /* where the journal's second copy goes, best on another device;
                                   NULL: in data_directory, or where it went when that was made */
} erx_rollup_config_t;

/* The defaults: in memory only, all processors, no verifier threads. */
ERX_API void erx_rollup_config_default(erx_rollup_config_t *config);

/* Opens a rollup. Then load models, then erx_rollup_start. RANGE names the
 * field. */
ERX_API int32_t erx_rollup_open(const erx_rollup_config_t *config, erx_rollup_t **rollup_out);

/* Loads a model directory for session_capacity sessions, under a model id; its
 * manifest and weight shards become accounts at their addresses. Everything is
 * taken and warmed here: the first frame is as fast as the thousandth. Before
 * start. STATE, FORMAT, HASH, FULL. */
ERX_API int32_t erx_rollup_load_model(erx_rollup_t *rollup, const char *directory,
                                      uint64_t model_id, uint32_t session_capacity);

/* Opens the data directory, makes it the first time, recovers sessions and
 * accounts. After it, blocks can be sealed. Errors name the file and what to do. */
ERX_API int32_t erx_rollup_start(erx_rollup_t *rollup);

/* Waits until everything is durable, ends the threads, frees. NULL is allowed.
 * Returns why the storage had failed, else OK. */
ERX_API int32_t erx_rollup_close(erx_rollup_t *rollup);

/* What recovery found. Any thread, after start. */
typedef struct {
    uint32_t struct_size;
    uint64_t slot;     /* of the last block; 0: a new data directory, or none */
    uint64_t sequence; /* of the journal's last record */
    uint64_t replayed_frames;
    uint32_t sessions;
    uint32_t accounts;
    uint64_t duration_ns;
} erx_recovery_info_t;
ERX_API int32_t erx_rollup_recovery(const erx_rollup_t *rollup, erx_recovery_info_t *info_out);

/* ------------------------------------------------------------------ models */

typedef struct {
    uint32_t struct_size;
    erx_pubkey_t manifest; /* address of its ModelManifest */
    uint64_t model_id;
    char name[64];
    uint8_t hash[ERX_HASH_SIZE];
    uint32_t d_model, d_inner, d_state, layers, heads;
    uint64_t parameters;
    uint64_t weight_bytes;
    uint32_t shards;
    uint32_t sessions; /* in use */
    uint32_t session_capacity;
    uint32_t hidden_state_bytes; /* of a HiddenState account */
    uint64_t frame_units;        /* compute units of run_inference, all of them */
    uint64_t frame_ns;           /* measured: one session's share of a full batch */
} erx_model_info_t;

/* Model i of those loaded, from 0. NOT_FOUND past the last. Any thread. */
ERX_API int32_t erx_rollup_model(const erx_rollup_t *rollup, uint32_t i,
                                 erx_model_info_t *info_out);

/* A model from account bytes: whole ModelManifest and WeightShard accounts as
 * abi/ACCOUNTS.md has them, finalized, of this program and model_id, which become
 * accounts here. It takes one of the upload_models. The same happens when
 * finalize_manifest executes. Control thread, after start. FORMAT, HASH, FULL,
 * STATE, RANGE (upload_session_bytes), DIFFERS (the manifest's fields and JSON). */
ERX_API int32_t erx_rollup_load_model_accounts(erx_rollup_t *rollup, uint64_t model_id,
                                               const uint8_t *manifest, size_t manifest_size,
                                               const uint8_t *const *shards,
                                               const size_t *shard_sizes, uint32_t shard_count);

/* ---------------------------------------------------------------- sessions */

typedef uint64_t erx_session_ref_t; /* dead when the session is closed; never used again */

enum { ERX_PLAYER_COUNT = 2, ERX_CONTROLLER_SIZE = 8 };

typedef struct {
    uint32_t struct_size;
    uint64_t session_id; /* its addresses follow from it */
    uint64_t model_id;
    erx_pubkey_t players[ERX_PLAYER_COUNT]; /* all zero: any; second all zero: waits for a join
                                               where wait_for_join is set */
    uint8_t characters[ERX_PLAYER_COUNT];
    uint8_t stage;
    bool wait_for_join;
    uint32_t max_frames; /* 0: unlimited */
    uint64_t seed;
    int64_t timestamp;     /* created_at */
    uint32_t tick_divisor; /* a frame every so many ticks of the crank, 1 to 60; 0: never, only
                              by run_inference */
} erx_session_config_t;

ERX_API void erx_session_config_default(erx_session_config_t *config);

/* Creates a session and its three accounts; durable with the next block.
 * Control thread. FULL, RANGE, ARGUMENT (one key in both seats), NOT_FOUND (model),
 * STATE (the id is in use). */
ERX_API int32_t erx_rollup_create_session(erx_rollup_t *rollup, const erx_session_config_t *config,
                                          erx_session_ref_t *session_out);

/* Seats the second player of a waiting session, at the last block's time. Control
 * thread. STATE, ARGUMENT (the same key). */
ERX_API int32_t erx_rollup_join_session(erx_rollup_t *rollup, erx_session_ref_t session,
                                        const erx_pubkey_t *player, uint8_t character);

/* A player's controller for the next frame: ControllerInput's 8 bytes. It stays
 * until a newer one comes. Any thread; bounded and without locks: the newest
 * of a player wins when the block is sealed. NOT_FOUND, RANGE (player). */
ERX_API int32_t erx_rollup_input(erx_rollup_t *rollup, erx_session_ref_t session, uint32_t player,
                                 const uint8_t control[ERX_CONTROLLER_SIZE]);

/* Ends a session and removes its accounts. Control thread. NOT_FOUND. */
ERX_API int32_t erx_rollup_close_session(erx_rollup_t *rollup, erx_session_ref_t session);

typedef struct {
    uint32_t struct_size;
    erx_session_ref_t session;
    uint64_t session_id;
    uint64_t model_id;
    erx_pubkey_t session_state, hidden_state, input_buffer; /* addresses */
    uint8_t status;                                         /* as SessionState's */
    uint32_t frame;
    uint32_t max_frames;
    uint32_t tick_divisor;
    uint64_t frame_hash; /* of the chain over its frames */
} erx_session_info_t;

/* By the address of any of its accounts, and by reference. Any thread. NOT_FOUND. */
ERX_API int32_t erx_rollup_find_session(const erx_rollup_t *rollup, const erx_pubkey_t *account,
                                        erx_session_info_t *info_out);
ERX_API int32_t erx_rollup_session(const erx_rollup_t *rollup, erx_session_ref_t session,
                                   erx_session_info_t *info_out);

/* All sessions that there are, in a fixed order: up to capacity of them into
 * sessions_out; *count_out is how many there are. Any thread. */
ERX_API int32_t erx_rollup_list_sessions(const erx_rollup_t *rollup,
                                         erx_session_ref_t *sessions_out, size_t capacity,
                                         size_t *count_out);

/* Lets a bundled policy network play a seat: its controllers are inputs like
 * any player's. directory names the policy (loaded once); NULL frees the seat.
 * Control thread. NOT_FOUND, FORMAT, RANGE. */
ERX_API int32_t erx_rollup_seat_bot(erx_rollup_t *rollup, erx_session_ref_t session,
                                    uint32_t player, const char *directory);

/* The bytes of a session (accounts, inputs since the last frame, chain of
 * hashes, a hash over all): *size_out bytes; FULL where capacity is less.
 * Control thread. */
ERX_API int32_t erx_rollup_export_session(const erx_rollup_t *rollup, erx_session_ref_t session,
                                          uint8_t *bytes_out, size_t capacity, size_t *size_out);

/* Goes on with an exported session of the same model, bit for bit. Control
 * thread. FORMAT, HASH, DIFFERS (model), FULL, STATE (id in use). */
ERX_API int32_t erx_rollup_import_session(erx_rollup_t *rollup, const uint8_t *bytes, size_t size,
                                          erx_session_ref_t *session_out);

/* ------------------------------------------------------------ transactions */

/* How a transaction ended: the runtime's TransactionError. A value is one more
 * than the variant's position there; those that occur here. */
typedef enum {
    ERX_TX_OK = 0,
    ERX_TX_ACCOUNT_LOADED_TWICE = 2,
    ERX_TX_ACCOUNT_NOT_FOUND = 3,
    ERX_TX_PROGRAM_ACCOUNT_NOT_FOUND = 4,
    ERX_TX_INSUFFICIENT_FUNDS_FOR_FEE = 5,
    ERX_TX_INVALID_ACCOUNT_FOR_FEE = 6,
    ERX_TX_ALREADY_PROCESSED = 7,
    ERX_TX_BLOCKHASH_NOT_FOUND = 8,
    ERX_TX_INSTRUCTION_ERROR = 9, /* instruction_* say more */
    ERX_TX_INVALID_ACCOUNT_INDEX = 12,
    ERX_TX_SIGNATURE_FAILURE = 13,
    ERX_TX_SANITIZE_FAILURE = 15,
    ERX_TX_WOULD_EXCEED_MAX_BLOCK_COST_LIMIT = 18,
    ERX_TX_UNSUPPORTED_VERSION = 19,
    ERX_TX_INVALID_WRITABLE_ACCOUNT = 20,
    ERX_TX_TOO_MANY_ACCOUNT_LOCKS = 23,
    ERX_TX_ADDRESS_LOOKUP_TABLE_NOT_FOUND = 24,
    ERX_TX_INVALID_ADDRESS_LOOKUP_TABLE_OWNER = 25,
    ERX_TX_INVALID_ADDRESS_LOOKUP_TABLE_DATA = 26,
    ERX_TX_INVALID_ADDRESS_LOOKUP_TABLE_INDEX = 27,
    ERX_TX_DUPLICATE_INSTRUCTION = 31,
    ERX_TX_MAX_LOADED_ACCOUNTS_DATA_SIZE_EXCEEDED = 33,
    ERX_TX_INVALID_LOADED_ACCOUNTS_DATA_SIZE_LIMIT = 34
} erx_tx_code_t;

/* "BlockhashNotFound" and so on, for every TransactionError; "Unknown". */
ERX_API const char *erx_tx_code_name(int32_t code);

/* How an instruction ended: the runtime's InstructionError, by its position
 * there; those that occur most. */
typedef enum {
    ERX_IX_INVALID_ARGUMENT = 1,
    ERX_IX_INVALID_INSTRUCTION_DATA = 2,
    ERX_IX_INVALID_ACCOUNT_DATA = 3,
    ERX_IX_ACCOUNT_DATA_TOO_SMALL = 4,
    ERX_IX_INSUFFICIENT_FUNDS = 5,
    ERX_IX_INCORRECT_PROGRAM_ID = 6,
    ERX_IX_MISSING_REQUIRED_SIGNATURE = 7,
    ERX_IX_ACCOUNT_ALREADY_INITIALIZED = 8,
    ERX_IX_READONLY_LAMPORT_CHANGE = 14,
    ERX_IX_READONLY_DATA_MODIFIED = 15,
    ERX_IX_NOT_ENOUGH_ACCOUNT_KEYS = 19,
    ERX_IX_CUSTOM = 25, /* instruction_custom has the program's number */
    ERX_IX_UNSUPPORTED_PROGRAM_ID = 30,
    ERX_IX_INVALID_SEEDS = 35,
    ERX_IX_COMPUTATIONAL_BUDGET_EXCEEDED = 37,
    ERX_IX_INVALID_ACCOUNT_OWNER = 46,
    ERX_IX_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED = 50
} erx_ix_code_t;

/* "InvalidAccountData" and so on, for every InstructionError; "Unknown". */
ERX_API const char *erx_ix_code_name(int32_t code);

#define ERX_RETURN_DATA_MAX 1024

typedef struct {
    erx_pubkey_t key;
    uint64_t lamports_before, lamports_after;
} erx_balance_t;

/* What became of one transaction. */
typedef struct {
    const uint8_t *packet; /* its wire bytes */
    size_t packet_size;
    uint8_t signature[ERX_SIGNATURE_SIZE];
    int32_t code; /* erx_tx_code_t */
    uint32_t instruction_index;
    int32_t instruction_code; /* erx_ix_code_t, where code is ERX_TX_INSTRUCTION_ERROR */
    uint32_t instruction_custom;
    uint64_t units; /* compute units that were charged */
    uint64_t fee;   /* lamports */
    const char *const *logs;
    uint32_t log_count;
    const erx_balance_t *balances; /* all accounts, in the message's order */
    uint32_t balance_count;
    erx_pubkey_t return_program;
    const uint8_t *return_data;
    uint32_t return_size;
    uint64_t loaded_size; /* bytes of all its accounts' data */
} erx_transaction_outcome_t;

/* Hands over a signed transaction's wire bytes (legacy or v0). What can be
 * refused at once is: FORMAT (sanitation; the line says what), FULL (the queue:
 * try again after the next block). OK means queued, in this order: the block's
 * result says more. signature_out may be NULL. Any thread. */
ERX_API int32_t erx_rollup_submit(erx_rollup_t *rollup, const uint8_t *packet, size_t size,
                                  uint8_t signature_out[ERX_SIGNATURE_SIZE]);

/* Is told the verdict on a transaction's signatures, of which the first is given.
 * more: the next one is on its way. */
typedef void (*erx_verified_fn)(void *context, const uint8_t signature[ERX_SIGNATURE_SIZE],
                                bool is_good, bool more);

/* Has the verdict on every submitted transaction told as soon as there is one, before
 * its block: on a thread that verifies, at low priority, or inside erx_rollup_submit
 * where verifier_count is 0. verified must not block, nor call the rollup; NULL:
 * nothing is told. Before start. STATE. */
ERX_API int32_t erx_rollup_set_verified(erx_rollup_t *rollup, erx_verified_fn verified,
                                        void *context);

typedef struct {
    uint32_t struct_size;
    bool verify_signatures;
    bool replace_blockhash;
    const erx_pubkey_t *accounts; /* whose state afterwards is wanted */
    uint32_t account_count;
    uint64_t units_max; /* what needs more units fails early; 0: as when it executes */
    bool never_waits;   /* for frames: refused with STATE while they execute */
} erx_simulation_config_t;

typedef struct erx_simulation erx_simulation_t;

/* Executes a transaction on the state of the last block and throws away what it
 * did. A frame that it asks for is charged, not executed. Any thread.
 * FORMAT as erx_rollup_submit; STATE. */
ERX_API int32_t erx_rollup_simulate(erx_rollup_t *rollup, const uint8_t *packet, size_t size,
                                    const erx_simulation_config_t *config,
                                    erx_simulation_t **simulation_out);
ERX_API const erx_transaction_outcome_t *erx_simulation_result(const erx_simulation_t *simulation);

/* Account i of those that were wanted, as it would be afterwards; NULL past the
 * last. exists is false also where the transaction was refused unexecuted. */
typedef struct {
    erx_pubkey_t key;
    bool exists;
    bool executable;
    erx_pubkey_t owner;
    uint64_t lamports;
    const uint8_t *data;
    uint32_t data_size;
} erx_simulated_account_t;
ERX_API const erx_simulated_account_t *erx_simulation_account(const erx_simulation_t *simulation,
                                                              uint32_t i);
ERX_API void erx_simulation_close(erx_simulation_t *simulation); /* NULL is allowed */

/* The newest blockhash; the block height now, and the last one at which it is
 * accepted (both may be NULL): blocks sealed, whatever their slots. Any thread. */
ERX_API int32_t erx_rollup_blockhash(const erx_rollup_t *rollup, uint8_t hash_out[ERX_HASH_SIZE],
                                     uint64_t *last_valid_height_out, uint64_t *height_out);

/* Whether a transaction may still name that blockhash. Any thread. */
ERX_API bool erx_rollup_blockhash_valid(const erx_rollup_t *rollup,
                                        const uint8_t hash[ERX_HASH_SIZE]);

typedef struct {
    uint32_t struct_size;
    uint64_t slot;
    int32_t code;
    uint32_t instruction_index;
    int32_t instruction_code;
    uint32_t instruction_custom;
} erx_signature_status_t;

/* The fate of a signature of the last blockhash_blocks blocks. Any thread.
 * NOT_FOUND. */
ERX_API int32_t erx_rollup_signature_status(const erx_rollup_t *rollup,
                                            const uint8_t signature[ERX_SIGNATURE_SIZE],
                                            erx_signature_status_t *status_out);

/* ------------------------------------------------------------------ blocks */

typedef struct {
    uint32_t struct_size;
    uint64_t slot;     /* the block's number; grows, below UINT64_MAX */
    int64_t timestamp; /* Unix seconds; what accounts carry as time */
    bool crank;        /* one frame of every active session that is due */
    uint64_t tick;     /* of the crank: sessions with tick % tick_divisor == 0 are due */
    bool strict;       /* cranked sessions wait for both players; else the last input holds */
} erx_block_config_t;

ERX_API void erx_block_config_default(erx_block_config_t *config);

/* An account as it was after the block. data is whole except for HiddenState,
 * of which the 16 bytes of header are given. */
typedef struct {
    erx_pubkey_t key;
    erx_pubkey_t owner;
    uint64_t lamports; /* 0 and removed: the account is gone */
    const uint8_t *data;
    uint32_t data_size; /* bytes at data */
    uint32_t space;     /* bytes of the account */
    bool executable;
    bool removed;
    uint64_t version; /* grows with every change of this account */
} erx_account_change_t;

typedef struct {
    erx_session_ref_t session;
    erx_pubkey_t session_state;
    uint32_t frame; /* frames of the session after it */
    uint64_t frame_hash;
    uint64_t finished_ns;
    uint8_t controls[ERX_PLAYER_COUNT][ERX_CONTROLLER_SIZE]; /* that led to it */
} erx_frame_result_t;

typedef struct {
    uint64_t slot;
    uint64_t parent; /* slot of the block before */
    int64_t timestamp;
    uint8_t blockhash[ERX_HASH_SIZE];
    uint64_t started_ns; /* seal was called */
    uint64_t frames_ns;  /* transactions were executed, frames began */
    uint64_t finished_ns;
    const erx_transaction_outcome_t *transactions; /* in the order of execution */
    uint32_t transaction_count;
    const erx_account_change_t *changes; /* each account once, in the order of first change */
    uint32_t change_count;
    const erx_frame_result_t *frames;
    uint32_t frame_count;
} erx_block_result_t;

/* Executes a block: what was submitted before (verified by now, in the order of
 * submission), direct changes, then frames, one batch a model. Returns when all
 * is executed (`processed`); its journal record is on its way. result_out
 * (may be NULL) stays valid until the control thread's next call that changes
 * something. Control thread. IO once the
 * storage has failed: nothing was executed. */
ERX_API int32_t erx_rollup_seal(erx_rollup_t *rollup, const erx_block_config_t *config,
                                const erx_block_result_t **result_out);

/* Slots of the last executed and of the last durable block. A rollup without a
 * data directory confirms at once. Any thread. */
ERX_API uint64_t erx_rollup_processed_slot(const erx_rollup_t *rollup);
ERX_API uint64_t erx_rollup_confirmed_slot(const erx_rollup_t *rollup);

/* Waits until everything sealed is durable. Control thread. IO. */
ERX_API int32_t erx_rollup_sync(erx_rollup_t *rollup);

/* OK, or why nothing more is executed. Any thread. */
ERX_API int32_t erx_rollup_health(const erx_rollup_t *rollup);

/* ---------------------------------------------------------------- accounts */

typedef struct {
    uint32_t struct_size;
    erx_pubkey_t owner;
    uint64_t lamports;
    uint32_t space; /* bytes of data */
    bool executable;
    bool read_only_clone, delegated, locked; /* see erx_rollup_put_account */
    uint64_t version;
    uint64_t slot; /* of the block that changed it last; 0: before the start */
} erx_account_info_t;

/* An account's facts, and data[offset, offset + capacity) as far as there is
 * any: *size_out bytes into data_out (both may be NULL with capacity 0). The
 * state is that of the last executed block. Any thread. NOT_FOUND. */
ERX_API int32_t erx_rollup_read_account(const erx_rollup_t *rollup, const erx_pubkey_t *key,
                                        erx_account_info_t *info_out, uint32_t offset,
                                        uint8_t *data_out, size_t capacity, size_t *size_out);

#define ERX_ACCOUNT_FILTER_BYTES_MAX 128

typedef struct {
    uint32_t offset;
    const uint8_t *bytes; /* compared with data at offset; NULL: size is data's size */
    uint32_t size;        /* at most ERX_ACCOUNT_FILTER_BYTES_MAX where there are bytes */
} erx_account_filter_t;

/* Calls visit for the key of every account of an owner that passes all filters
 * (at most 8), until it returns false. HiddenStates pass no filter. visit may
 * read accounts, not seal. Any thread. RANGE. */
ERX_API int32_t erx_rollup_scan_accounts(const erx_rollup_t *rollup, const erx_pubkey_t *owner,
                                         const erx_account_filter_t *filters, uint32_t filter_count,
                                         bool (*visit)(void *context, const erx_pubkey_t *key),
                                         void *context);

/* Watching: a bounded queue of changes of one account (key) or of all accounts
 * of an owner. Of an account that changes faster than it is read only the
 * newest state is kept; what was passed over is counted. */
typedef struct erx_watch erx_watch_t;

ERX_API int32_t erx_rollup_watch(erx_rollup_t *rollup, const erx_pubkey_t *key,
                                 const erx_pubkey_t *owner, uint32_t queue_accounts,
                                 erx_watch_t **watch_out);

typedef struct {
    uint32_t struct_size;
    erx_pubkey_t key;
    uint64_t slot; /* of the block whose state is told */
    uint64_t version;
    bool removed;
    uint64_t dropped; /* changes of this watch that were passed over so far */
} erx_watch_event_t;

/* The next change; false when there is none. One reader a watch, any thread. */
ERX_API bool erx_watch_next(erx_watch_t *watch, erx_watch_event_t *event_out);
ERX_API void erx_watch_close(erx_watch_t *watch); /* NULL is allowed; before the rollup closes */

/* -------------------------------------------------------------- base layer */

enum {                                  /* erx_account_image_t.flags */
       ERX_ACCOUNT_IMAGE_READ_ONLY = 1, /* follows the base layer */
       ERX_ACCOUNT_IMAGE_DELEGATED = 2, /* to this validator: writable here */
       ERX_ACCOUNT_IMAGE_EXECUTABLE = 4
};

typedef struct {
    uint32_t struct_size;
    erx_pubkey_t key;
    erx_pubkey_t owner;
    uint64_t lamports;
    const uint8_t *data;
    size_t data_size;
    uint32_t flags;
} erx_account_image_t;

/* Puts an account there, or replaces it, as the base layer has it (a clone, or
 * a genesis account). Durable with the next block. Control thread. FULL, RANGE,
 * STATE (it is delegated and has changed here, or a session's or a model's). */
ERX_API int32_t erx_rollup_put_account(erx_rollup_t *rollup, const erx_account_image_t *image);

/* Removes a clone. Control thread. NOT_FOUND, STATE (a session's or a model's
 * account). */
ERX_API int32_t erx_rollup_remove_account(erx_rollup_t *rollup, const erx_pubkey_t *key);

/* Locks an account: from now on no transaction writes it (undelegation).
 * Control thread. NOT_FOUND. */
ERX_API int32_t erx_rollup_lock_account(erx_rollup_t *rollup, const erx_pubkey_t *key);

/* Ends that: the base layer has what was settled. Control thread. NOT_FOUND. */
ERX_API int32_t erx_rollup_unlock_account(erx_rollup_t *rollup, const erx_pubkey_t *key);

/* The base layer, for sessions and accounts that live there. */
typedef struct {
    uint32_t struct_size;
    void *context;
    /* A transaction names an account that is not here: fetch it and put it. The
     * transaction waits (others do not) until erx_rollup_clone_done. Called on
     * the control thread while sealing; must not block, nor call the rollup. NULL:
     * missing accounts are empty. */
    void (*clone)(void *context, const erx_pubkey_t *key);
    /* A session ended, is about to be closed, or was asked to settle: its
     * SessionState, and the SHA-256 and size of its HiddenState's data (without the
     * header). Control thread, after the block is
     * executed; must not block, nor call the rollup. NULL: nothing is settled. */
    void (*settle)(void *context, const erx_session_info_t *session, const uint8_t *session_state,
                   size_t session_state_size, const uint8_t hidden_hash[ERX_HASH_SIZE],
                   uint32_t hidden_size);
} erx_base_layer_t;

/* Before start. */
ERX_API int32_t erx_rollup_set_base_layer(erx_rollup_t *rollup, const erx_base_layer_t *base_layer);

/* The account asked for was put, or does not exist. Control thread. */
ERX_API int32_t erx_rollup_clone_done(erx_rollup_t *rollup, const erx_pubkey_t *key);

/* Asks for a session to be settled with the next block. Control thread. */
ERX_API int32_t erx_rollup_settle_session(erx_rollup_t *rollup, erx_session_ref_t session);

/* ----------------------------------------------------------------- metrics */

typedef struct {
    uint32_t struct_size;
    uint64_t blocks, frames, transactions, transactions_failed;
    uint64_t signatures_refused, queue_refused;
    uint32_t queue_depth; /* transactions that wait */
    uint32_t sessions[4]; /* by status */
    uint32_t accounts;
    uint64_t account_bytes;   /* heap in use */
    uint32_t batch_frames;    /* of the last block */
    uint64_t execute_ns;      /* of the last block: frames */
    uint64_t transactions_ns; /* of the last block: transactions */
    uint64_t confirmed_slot, processed_slot;
    uint64_t commit_p50_ns, commit_p99_ns, commit_p999_ns, commit_max_ns; /* since start */
    uint64_t journal_bytes, checkpoint_bytes, checkpoints;
    uint64_t checkpoint_age_blocks; /* of the oldest checkpoint that recovery needs */
    uint64_t commit_cpu_ns;         /* processor time of the commit thread */
    uint64_t watch_drops;
    uint64_t memory_bytes; /* of the library's heap, by all rollups of the process */
} erx_metrics_t;

/* Any thread. */
ERX_API int32_t erx_rollup_metrics(const erx_rollup_t *rollup, erx_metrics_t *metrics_out);

/* ----------------------------------------------------- syscall and the gate */

/* What a VM's memory map says of a range. data: size bytes, valid until the
 * syscall returns. account and version identify a read-only range whose bytes
 * change only with version, so that a packed copy may be kept; they are packed
 * beside, so such data stays readable and unchanged until
 * erx_rollup_forget_matrices of the account returns. account NULL: none. */
typedef struct {
    uint8_t *data;
    const erx_pubkey_t *account;
    uint64_t version;
    uint64_t account_offset; /* of data[0] in the account's data */
} erx_vm_range_t;

typedef struct {
    uint32_t struct_size;
    void *context;
    /* Translates [address, address + size); false: access violation. */
    bool (*translate)(void *context, uint64_t address, uint64_t size, bool writable,
                      erx_vm_range_t *range_out);
    /* Takes units from the meter; false: exhausted. */
    bool (*charge)(void *context, uint64_t units);
} erx_vm_t;

typedef enum {
    ERX_FAULT_NONE = 0,
    ERX_FAULT_ACCESS_VIOLATION = 1, /* address and size */
    ERX_FAULT_BUDGET_EXHAUSTED = 2,
    ERX_FAULT_INVALID_ARGUMENT = 3, /* cols over 16,384, rows x cols over 2^64, overlap */
    ERX_FAULT_UNSUPPORTED = 4       /* the rollup's configuration does not offer it */
} erx_fault_kind_t;

typedef struct {
    uint32_t struct_size;
    erx_fault_kind_t kind;
    uint64_t address;
    uint64_t size;
} erx_fault_t;

#define ERX_MATMUL_COLS_MAX 16384

typedef struct erx_matmul_gate erx_matmul_gate_t;
typedef struct erx_matmul_seat erx_matmul_seat_t;

/* y[i] = sum over j < cols of W[i * cols + j] * x[j], i8 x i8 -> i32, row-major.
 * Registers as the VM has them. seat: of a gate of this rollup, or NULL. Returns 0, or 1 with
 * *fault_out filled. Any thread. */
ERX_API uint64_t erx_sol_matmul_i8(erx_rollup_t *rollup, const erx_vm_t *vm,
                                   erx_matmul_seat_t *seat, uint64_t weights, uint64_t input,
                                   uint64_t output, uint64_t rows, uint64_t cols,
                                   erx_fault_t *fault_out);

/* As above, with rows and cols as two u32 at address dims. */
ERX_API uint64_t erx_sol_matmul_i8_dims(erx_rollup_t *rollup, const erx_vm_t *vm,
                                        erx_matmul_seat_t *seat, uint64_t weights, uint64_t input,
                                        uint64_t output, uint64_t dims, uint64_t unused,
                                        erx_fault_t *fault_out);

/* Forgets packed matrices of an account; afterwards nothing reads the data that
 * was named by it. Any thread. */
ERX_API int32_t erx_rollup_forget_matrices(erx_rollup_t *rollup, const erx_pubkey_t *account);

/* A block's gate: VM instances that take a seat are answered together when they
 * multiply with the same matrix within window_ns. */
ERX_API int32_t erx_matmul_gate_open(erx_rollup_t *rollup, uint32_t seats_max, uint64_t window_ns,
                                     erx_matmul_gate_t **gate_out);
ERX_API int32_t erx_matmul_gate_join(erx_matmul_gate_t *gate,
                                     erx_matmul_seat_t **seat_out); /* any thread; FULL */
ERX_API void erx_matmul_gate_rest(erx_matmul_seat_t *seat);  /* not multiplying for a while */
ERX_API void erx_matmul_gate_leave(erx_matmul_seat_t *seat); /* finished, faulted or out of units */
ERX_API int32_t erx_matmul_gate_close(erx_matmul_gate_t *gate); /* STATE while seats are taken */

#ifdef __cplusplus
}
#endif

#endif
