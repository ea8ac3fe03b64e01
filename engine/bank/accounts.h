/* The account table: every account that is not a part of a session's arena
 * lies here whole (wallets, manifests and weight shards under upload, data of
 * other programs), and every account of a session has an entry here that
 * points to its arena. One table of entries and one heap of data, both of
 * fixed size, taken at the start.
 *
 * Table and heap together are one image of pages. All writes go through the
 * functions below, which note them twice: in the undo log, so that a failed
 * transaction leaves nothing behind, and in the write log, which a durable
 * engine's next record takes (journal.h; where the engine is not durable, its
 * owner calls erx_accounts_written_clear with every block instead). Pages are checkpointed in turn
 * like sessions. Free heap is always zero, so an account's zeros need no logging.
 *
 *   image  [0, 128 n)        entries, n = account_capacity; all zero: free
 *          [heap offset, ..) data, from the next page on
 *
 * Which entry and which bytes of the heap an account gets follows from the
 * table's contents alone. What is derived (the index by key, the map of free
 * heap) is made anew by erx_accounts_rebuild.
 *
 * Thread rule: the control thread; see bank.h for readers. */
#ifndef ERX_ENGINE_BANK_ACCOUNTS_H
#define ERX_ENGINE_BANK_ACCOUNTS_H

#include "engine/transaction/key.h"
#include "mem/status.h"

#define ERX_ACCOUNTS_PAGE_BYTES     65536u               /* what is checkpointed at a time */
#define ERX_ACCOUNTS_UNIT_BYTES     256u                 /* heap is handed out in multiples of it */
#define ERX_ACCOUNT_DATA_MAX        ((uint32_t)10 << 20) /* Solana's limit of an account */
#define ERX_ACCOUNTS_CAPACITY_MIN   64u
#define ERX_ACCOUNTS_CAPACITY_MAX   ((uint32_t)1 << 22)
#define ERX_ACCOUNTS_HEAP_BYTES_MAX ((uint64_t)1 << 36)
#define ERX_ACCOUNTS_LOG_BYTES_MAX  ((uint32_t)64 << 20) /* of either log: a quarter of a record */
#define ERX_ACCOUNT_NONE            UINT32_MAX

typedef enum {
    ERX_ACCOUNT_FREE = 0,
    ERX_ACCOUNT_PLAIN = 1,         /* data in the heap */
    ERX_ACCOUNT_SESSION_STATE = 2, /* data in the arena of (pool, slot) */
    ERX_ACCOUNT_HIDDEN_STATE = 3,
    ERX_ACCOUNT_INPUT_BUFFER = 4,
    ERX_ACCOUNT_MODEL_PART = 5 /* manifest or shard of a model that was loaded
                                  from a directory: data comes from the model */
} erx_account_kind_t;

enum { /* erx_account_entry_t.flags */
       ERX_ACCOUNT_EXECUTABLE = 1,
       ERX_ACCOUNT_READ_ONLY_CLONE = 2, /* follows the base layer; no transaction writes it */
       ERX_ACCOUNT_DELEGATED = 4,       /* cloned from the base layer, writable here */
       ERX_ACCOUNT_LOCKED = 8,          /* being undelegated: no transaction writes it */
       ERX_ACCOUNT_MADE_HERE = 16       /* not known to the base layer */
};

/* One account, as the image holds it. */
typedef struct {
    erx_key_t key;
    erx_key_t owner;
    uint64_t lamports;
    uint64_t version;     /* grows with every transaction or frame that changed it */
    uint64_t heap_offset; /* of the data in the heap; plain accounts that have data */
    uint32_t data_length;
    uint32_t pool;       /* sessions' accounts: of the session. Model manifests: the
                            model's pool + 1 once it is loaded, else 0 */
    uint32_t slot;       /* sessions' accounts. Model parts: 0 manifest, 1 + shard */
    uint32_t generation; /* sessions' accounts */
    uint64_t world_id;   /* sessions' accounts: the session's id. Manifests and model
                            parts: the model's */
    uint8_t kind;
    uint8_t flags;
    uint8_t tick_divisor; /* SessionState: a frame every so many ticks of the crank;
                             0: never by the crank */
    uint8_t zero[13];
} erx_account_entry_t;

ERX_STATIC_ASSERT(sizeof(erx_account_entry_t) == 128, "an entry is 128 bytes");

typedef struct erx_accounts erx_accounts_t;

typedef struct {
    uint32_t account_capacity;
    uint64_t heap_bytes;      /* multiple of ERX_ACCOUNTS_PAGE_BYTES */
    uint32_t write_log_bytes; /* what transactions of one record may write */
    uint32_t undo_log_bytes;  /* what one transaction may overwrite */
} erx_accounts_config_t;

/* Takes all memory. Errors: ERX_ERR_RANGE, ERX_ERR_MEMORY. */
erx_status_t erx_accounts_open(const erx_accounts_config_t *config, erx_accounts_t **accounts_out,
                               erx_error_t *error);
void erx_accounts_close(erx_accounts_t *accounts);

/* Empties table, heap and logs. */
void erx_accounts_reset(erx_accounts_t *accounts);

/* Index of the account of a key; ERX_ACCOUNT_NONE. */
uint32_t erx_accounts_find(const erx_accounts_t *accounts, const erx_key_t *key);

/* Whether an index below the capacity is in use. */
bool erx_accounts_is_used(const erx_accounts_t *accounts, uint32_t index);

/* The entry of an index that is in use. Valid until the account is removed. */
const erx_account_entry_t *erx_accounts_entry(const erx_accounts_t *accounts, uint32_t index);

/* The data of a plain account: entry->data_length bytes. Valid until the
 * account is resized or removed. */
const uint8_t *erx_accounts_data(const erx_accounts_t *accounts, uint32_t index);

uint32_t erx_accounts_count(const erx_accounts_t *accounts);
uint64_t erx_accounts_heap_used(const erx_accounts_t *accounts); /* bytes */
uint32_t erx_accounts_capacity(const erx_accounts_t *accounts);  /* indexes to look at for a scan */

/* --- changes, always between begin and commit or rollback --- */

/* Starts a group of changes that happen together or not at all. */
void erx_accounts_begin(erx_accounts_t *accounts);

/* Makes them so, and grows the version of every account that was changed. */
void erx_accounts_commit(erx_accounts_t *accounts);

/* Undoes every change since begin, in table, heap, index and write log. */
void erx_accounts_rollback(erx_accounts_t *accounts);

/* The accounts that were changed since begin, each once, in the order of their
 * first change (also those that were removed: their entry is free then). */
const uint32_t *erx_accounts_changed(const erx_accounts_t *accounts, uint32_t *count_out);

/* A new account with data_length zero bytes (plain kinds only; other kinds
 * have their data elsewhere). entry gives key, owner, lamports, data_length,
 * kind, flags, pool, slot, generation, and the version to grow from. Errors:
 * ERX_ERR_STATE (the key is in use), ERX_ERR_FULL (no entry, no heap, or no
 * room in the logs: seal a block first), ERX_ERR_RANGE (data_length). */
erx_status_t erx_accounts_create(erx_accounts_t *accounts, const erx_account_entry_t *entry,
                                 uint32_t *index_out, erx_error_t *error);

/* Removes it; its heap is zero and free from commit on. Errors: ERX_ERR_FULL. */
erx_status_t erx_accounts_remove(erx_accounts_t *accounts, uint32_t index, erx_error_t *error);

/* Replaces what an entry says besides key, kind, version, heap_offset and
 * data_length. Errors: ERX_ERR_FULL. */
erx_status_t erx_accounts_update(erx_accounts_t *accounts, uint32_t index,
                                 const erx_account_entry_t *entry, erx_error_t *error);

/* Gives a plain account data of another length: what fits is kept, the rest is
 * zero. Errors: ERX_ERR_FULL, ERX_ERR_RANGE. */
erx_status_t erx_accounts_resize(erx_accounts_t *accounts, uint32_t index, uint32_t data_length,
                                 erx_error_t *error);

/* Writes data[offset, offset + size), which must be inside a plain account's
 * data. Errors: ERX_ERR_FULL. */
erx_status_t erx_accounts_write(erx_accounts_t *accounts, uint32_t index, uint32_t offset,
                                const void *bytes, uint32_t size, erx_error_t *error);

/* --- for the store --- */

/* Pages of a table of these sizes. */
uint32_t erx_accounts_pages_of(uint32_t account_capacity, uint64_t heap_bytes);

/* The image's pages, contiguous: page p at erx_accounts_image + p * page bytes. */
uint8_t *erx_accounts_image(erx_accounts_t *accounts);
uint32_t erx_accounts_page_count(const erx_accounts_t *accounts);

/* The committed writes since the last clear, for one record: pages that were
 * written, each once, in the order of their first write; and the patches of a
 * page in order, encoded for the record's bulk part:
 *   offset u32 in the page · length u32 (top bit: zeros, no bytes follow) ·
 *   bytes, padded with zeros to a multiple of 8. */
const uint32_t *erx_accounts_written_pages(const erx_accounts_t *accounts, uint32_t *count_out);
uint32_t erx_accounts_page_patches_bytes(const erx_accounts_t *accounts, uint32_t page);
void erx_accounts_page_patches_copy(const erx_accounts_t *accounts, uint32_t page, uint8_t *out);
void erx_accounts_written_clear(erx_accounts_t *accounts);

/* Greatest sum of erx_accounts_page_patches_bytes, and number of pages, of one
 * record. */
uint32_t erx_accounts_patches_bytes_max(const erx_accounts_t *accounts);
uint32_t erx_accounts_written_pages_max(const erx_accounts_t *accounts);

/* Applies a page's encoded patches, any bytes at all. Errors: ERX_ERR_FORMAT. */
erx_status_t erx_accounts_page_apply(uint8_t *page, const uint8_t *patches, uint32_t size,
                                     erx_error_t *error);

/* While pages are being filled by recovery, and there is no index yet: the plain
 * account of a key, or the first plain account whose entry's pool is pool + 1 (a
 * manifest); its data lies in the heap. ERX_ACCOUNT_NONE. Looks at every entry. */
uint32_t erx_accounts_scan(const erx_accounts_t *accounts, const erx_key_t *key);
uint32_t erx_accounts_scan_pool(const erx_accounts_t *accounts, uint32_t pool);

/* After the pages were filled by recovery: checks the table (kinds, lengths,
 * overlaps, doubled keys) and makes what is derived. Errors: ERX_ERR_FORMAT
 * naming the entry, ERX_ERR_MEMORY. */
erx_status_t erx_accounts_rebuild(erx_accounts_t *accounts, erx_error_t *error);

#endif
