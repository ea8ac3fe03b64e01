/* The data directory of a durable engine: made by its first start, opened by
 * the next.
 *
 *   data.json          format, id, sizes, pools; written last when the
 *                      directory is made, so that half a directory is known
 *   lock               held (flock) by the process that has it open
 *   journal-1, -2      the two copies of the journal; the second may be in
 *                      another directory, best on another device, beside a
 *                      copy.json that says whose it is
 *   checkpoints-P      images of the slots of pool P
 *   model-HASH         the model's files, once for each model that was loaded
 *                      from a directory; one that arrived later is in accounts
 *   claim.json         sequence and epoch that are surely durable: written when
 *                      the store is opened and when it is closed in order
 *
 * Everything here is for start and end, on one thread. */
#ifndef ERX_ENGINE_DATA_DIRECTORY_H
#define ERX_ENGINE_DATA_DIRECTORY_H

#include "engine/data_file.h"
#include "engine/store.h"

#define ERX_DATA_FORMAT    "erx_data_v2"
#define ERX_DATA_FILES_MAX (ERX_JOURNAL_COPIES + ERX_POOLS_MAX)
#define ERX_DATA_NAME_MAX  96u

ERX_STATIC_ASSERT(ERX_DATA_FILES_MAX <= ERX_IO_FILES_MAX,
                  "journal and checkpoints are files of one device");

typedef enum {
    ERX_DATA_MODEL,   /* sessions of a model */
    ERX_DATA_PLACE,   /* sessions of a model that arrives later */
    ERX_DATA_ACCOUNTS /* pages of the account table; the last pool */
} erx_data_kind_t;

/* A pool as the directory knows it. */
typedef struct {
    erx_data_kind_t kind;
    uint32_t slots;
    uint32_t arena_bytes;
    char name[ERX_MODEL_NAME_MAX + 1]; /* model */
    uint8_t hash[ERX_SHA256_BYTES];    /* model */
    char folder[ERX_DATA_NAME_MAX];    /* model: in the directory */
    uint32_t account_capacity;         /* accounts */
    uint64_t heap_bytes;               /* accounts */
} erx_data_pool_t;

typedef struct {
    char path[ERX_DATA_PATH_MAX];
    int lock;  /* descriptor; -1: not held */
    bool made; /* by this opening */
    uint8_t file_id[ERX_FILE_ID_BYTES];
    char copy_path[ERX_DATA_PATH_MAX]; /* of the journal's second copy; empty: here */
    uint64_t journal_bytes;
    uint32_t pool_count;
    erx_data_pool_t pools[ERX_POOLS_MAX];
    uint64_t claimed; /* of claim.json; 0: there is none */
    uint64_t claimed_epoch;
    bool closed; /* the last process ended in order */
    erx_data_file_t files[ERX_DATA_FILES_MAX];
    erx_io_file_t io_files[ERX_DATA_FILES_MAX];
} erx_data_directory_t;

/* What a first start makes it of. */
typedef struct {
    uint64_t journal_bytes;
    /* Directory of the journal's second copy. NULL: in the data directory, or
     * where that says; naming it again says that it was moved. */
    const char *copy_path;
    uint32_t model_count;
    const erx_model_t *models;             /* the engine's, also places */
    const char *const *model_directories;  /* of the models that are loaded, in order */
    const erx_accounts_config_t *accounts; /* NULL: there is no account table */
    erx_data_progress_fn progress;         /* may be NULL */
    void *context;
} erx_data_plan_t;

/* Opens the directory for an engine with these models, or makes it. Errors:
 * ERX_ERR_STATE (another process has it; it is not a data directory),
 * ERX_ERR_DIFFERS (it was made for other models, numbers of sessions or sizes),
 * ERX_ERR_FORMAT (another version, damaged description), ERX_ERR_FULL, those
 * of the files. On failure nothing is held. */
erx_status_t erx_data_directory_open(erx_data_directory_t *data_out, const char *path,
                                     const erx_data_plan_t *plan, erx_error_t *error);

typedef enum {
    ERX_DATA_READ_DESCRIPTION, /* holds nothing; an archive has no more */
    ERX_DATA_READ_FILES,       /* files are open for reading; may be in use */
    ERX_DATA_READ_LOCKED,      /* and the lock is held */
} erx_data_read_t;

/* Reads the description of an existing one. Errors: ERX_ERR_NOT_FOUND, and as
 * above. */
erx_status_t erx_data_directory_read(erx_data_directory_t *data_out, const char *path,
                                     erx_data_read_t how, erx_error_t *error);

/* Whether another process holds the lock of a directory. */
bool erx_data_directory_in_use(const char *path);

/* The device, name, file id and claim of a store's configuration. */
void erx_data_directory_configure(const erx_data_directory_t *data, erx_store_config_t *config);

/* Notes that everything up to sequence is durable. */
erx_status_t erx_data_directory_claim(erx_data_directory_t *data, uint64_t sequence, uint64_t epoch,
                                      bool closed, erx_error_t *error);

/* Closes the files and gives the lock back. A zeroed one is allowed. */
void erx_data_directory_close(erx_data_directory_t *data);

#endif
