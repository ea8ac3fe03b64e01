/* The account table's inside, shared by accounts*.c alone. */
#ifndef ERX_ENGINE_BANK_ACCOUNTS_PARTS_H
#define ERX_ENGINE_BANK_ACCOUNTS_PARTS_H

#include "engine/bank/accounts.h"
#include "engine/bank/free_map.h"
#include "mem/region.h"

#define ERX_PATCH_ZEROS      0x80000000u /* in a patch's length: zeros, no bytes follow */
#define ERX_PATCH_ALIGNMENT  8u
#define ERX_PATCH_HEAD_BYTES 8u /* of an encoded patch */

/* One step that a rollback takes back; what was there before follows, padded
 * to a multiple of 8. */
typedef struct {
    uint64_t place; /* bytes: in the image; entry: its index; units: the first */
    uint64_t size;  /* bytes, units */
    uint32_t kind;
    uint32_t previous; /* the step before: place in the undo log */
} erx_undo_t;

typedef enum {
    ERX_UNDO_BYTES = 1, /* data was overwritten */
    ERX_UNDO_ENTRY = 2, /* an entry was changed, for the first time since begin */
    ERX_UNDO_TAKEN = 3, /* units of the heap were taken */
    ERX_UNDO_FREED = 4  /* units will be zero and free on commit */
} erx_undo_kind_t;

/* One patch of the write log, in the order of writing; its bytes follow. */
typedef struct {
    uint32_t page;
    uint32_t offset;   /* in the page */
    uint32_t length;   /* with ERX_PATCH_ZEROS */
    uint32_t previous; /* of the same page: place in the log + 1; 0: none */
} erx_patch_t;

/* What the write log holds of one page. */
typedef struct {
    uint32_t last;  /* newest patch: place in the log + 1; 0: none */
    uint32_t bytes; /* of all its patches, encoded */
} erx_page_log_t;

struct erx_accounts {
    erx_accounts_config_t config;
    erx_region_t region; /* the image */
    uint8_t *image;
    uint64_t heap_start; /* in the image */
    uint32_t page_count;
    uint32_t count; /* entries in use */
    /* derived */
    uint64_t hash_seed;
    uint32_t bucket_mask;
    uint32_t *buckets; /* first entry of a chain, ERX_ACCOUNT_NONE */
    uint32_t *chain;   /* [account_capacity] next entry; ascending in a chain */
    erx_free_map_t entries;
    erx_free_map_t units;
    /* the group of changes */
    bool is_open;
    uint64_t group;
    uint64_t *changed_in; /* [account_capacity] group that last changed an entry */
    uint64_t *placed_in;  /* [account_capacity] group that took the whole of its heap */
    uint32_t *changed;
    uint32_t changed_count;
    uint8_t *undo;
    uint32_t undo_bytes;
    uint32_t undo_last; /* newest step */
    /* the write log */
    uint8_t *log;
    uint32_t log_bytes;
    uint32_t log_begin;    /* log_bytes when the group began */
    uint32_t log_reserved; /* what commit will add at most */
    uint32_t *entry_patch; /* [account_capacity] place in the log + 1 */
    erx_page_log_t *pages; /* [page_count] */
    uint32_t *written;
    uint32_t written_count;
    uint32_t written_capacity;
};

static inline erx_account_entry_t *erx_accounts_slot(const erx_accounts_t *accounts, uint32_t index)
{
    return (erx_account_entry_t *)(void *)accounts->image + index;
}

static inline uint64_t erx_accounts_units_of(uint64_t bytes)
{
    return ERX_CEIL_DIV(bytes, ERX_ACCOUNTS_UNIT_BYTES);
}

/* Enters an entry that is in use into the index and the count, or takes it out. */
void erx_accounts_link(erx_accounts_t *accounts, uint32_t index);
void erx_accounts_unlink(erx_accounts_t *accounts, uint32_t index);

/* Whether undo_bytes more of undo log and log_bytes more of write log are
 * there, besides what commit needs; ERX_ERR_FULL. */
erx_status_t erx_accounts_check_room(const erx_accounts_t *accounts, uint64_t undo_bytes,
                                     uint64_t log_bytes, erx_error_t *error);

/* Room that these steps need; a change asks for all of it before its first
 * step. */
uint64_t erx_accounts_undo_room(uint64_t bytes);
uint64_t erx_accounts_entry_undo_room(const erx_accounts_t *accounts, uint32_t index);
uint64_t erx_accounts_entry_log_room(const erx_accounts_t *accounts, uint32_t index);
uint64_t erx_accounts_patch_room(uint64_t place, uint64_t size, bool zeros);

/* The entry is about to change. */
void erx_accounts_save_entry(erx_accounts_t *accounts, uint32_t index);

/* Overwrites the image (bytes NULL: with zeros); undone where is_saved. */
void erx_accounts_put(erx_accounts_t *accounts, uint64_t place, const void *bytes, uint64_t size,
                      bool is_saved);

/* Takes units that are free; a rollback frees them and fills them with zeros. */
void erx_accounts_take_units(erx_accounts_t *accounts, uint64_t unit, uint64_t units);

/* Adds patches to the write log (bytes NULL: zeros), or cuts it to what it held
 * when it was begin long. There is room. */
void erx_accounts_log_bytes(erx_accounts_t *accounts, uint64_t place, const void *bytes,
                            uint64_t size);
void erx_accounts_log_entry(erx_accounts_t *accounts, uint32_t index);
void erx_accounts_log_cut(erx_accounts_t *accounts, uint32_t begin);

/* Lets commit free units and fill them with zeros. */
void erx_accounts_free_units(erx_accounts_t *accounts, uint64_t unit, uint64_t units);

#endif
