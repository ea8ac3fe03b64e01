#include "engine/data_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/data_parts.h"
#include "mem/alloc.h"

/* What an interrupted first start leaves here, and where the second copy is. */
static const char *const partial_names[] = {"lock", "journal-1", "journal-2", "checkpoints-",
                                            "model-"};
static const char *const partial_copy_names[] = {"journal-2"};

static bool lock_file(const char *path, int flags, int *descriptor_out)
{
    char name[ERX_DATA_PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/lock", path);
    *descriptor_out = open(name, flags | O_RDWR | O_CLOEXEC, 0644);
    if (*descriptor_out < 0)
        return false;
    if (flock(*descriptor_out, LOCK_EX | LOCK_NB) == 0)
        return true;
    int reason = errno;
    (void)close(*descriptor_out);
    *descriptor_out = -1;
    errno = reason;
    return false;
}

static erx_status_t take_lock(erx_data_directory_t *data, erx_error_t *error)
{
    if (lock_file(data->path, O_CREAT, &data->lock))
        return ERX_OK;
    if (errno == EWOULDBLOCK)
        return erx_error_set(error, ERX_ERR_STATE,
                             "%.300s is in use by another process; end that one first, or use "
                             "another directory",
                             data->path);
    return erx_error_set(error, ERX_ERR_PERMISSION, "%.300s/lock: %s", data->path, strerror(errno));
}

bool erx_data_directory_in_use(const char *path)
{
    int descriptor;
    if (lock_file(path, 0, &descriptor)) {
        (void)close(descriptor);
        return false;
    }
    return errno == EWOULDBLOCK;
}

static bool is_named(const char *name, const char *const *names, size_t count)
{
    bool found = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    for (size_t i = 0; i < count; i++)
        found |= strncmp(name, names[i], strlen(names[i])) == 0;
    return found;
}

/* Refuses a directory that holds what is not ours. */
static erx_status_t check_names(DIR *directory, const char *path, const char *const *names,
                                size_t count, erx_error_t *error)
{
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (!is_named(entry->d_name, names, count))
            return erx_error_set(error, ERX_ERR_STATE,
                                 "%.200s is not a data directory of erx: it holds '%.100s'; name "
                                 "an empty or new directory",
                                 path, entry->d_name);
    return ERX_OK;
}

/* What an interrupted first start left is removed, where there is nothing else. */
static erx_status_t clear_names(const char *path, const char *const *names, size_t count,
                                erx_error_t *error)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return erx_error_set(error, ERX_ERR_IO, "%.300s: %s", path, strerror(errno));
    erx_status_t status = check_names(directory, path, names, count, error);
    rewinddir(directory);
    for (struct dirent *entry; status == ERX_OK && (entry = readdir(directory)) != NULL;) {
        struct stat facts;
        if (fstatat(dirfd(directory), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(facts.st_mode) && strcmp(entry->d_name, "lock") != 0)
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
    }
    (void)closedir(directory);
    return status;
}

static erx_status_t clear_partial(const erx_data_directory_t *data, erx_error_t *error)
{
    erx_status_t status = clear_names(data->path, partial_names, ERX_COUNT(partial_names), error);
    if (status == ERX_OK && data->copy_path[0] != '\0')
        status =
            clear_names(data->copy_path, partial_copy_names, ERX_COUNT(partial_copy_names), error);
    return status;
}

/* Takes the directory that was named for the second copy, in full. */
static erx_status_t take_copy_path(erx_data_directory_t *data, const char *path, erx_error_t *error)
{
    ERX_STATIC_ASSERT(sizeof data->copy_path >= PATH_MAX, "realpath writes that much");
    return realpath(path, data->copy_path) != NULL
               ? ERX_OK
               : erx_error_set(error, errno == ENOENT ? ERX_ERR_NOT_FOUND : ERX_ERR_IO,
                               "%.300s: %s", path, strerror(errno));
}

static erx_data_pool_t describe_model(const erx_model_t *model)
{
    erx_data_pool_t pool = {
        .kind = model->is_place ? ERX_DATA_PLACE : ERX_DATA_MODEL,
        .slots = model->sessions.capacity,
        .arena_bytes = model->sessions.arena_bytes,
    };
    if (!model->is_place) {
        (void)snprintf(pool.name, sizeof pool.name, "%s", model->name);
        memcpy(pool.hash, model->hash, sizeof pool.hash);
    }
    return pool;
}

static erx_data_pool_t describe_accounts(const erx_accounts_config_t *accounts)
{
    return (erx_data_pool_t){
        .kind = ERX_DATA_ACCOUNTS,
        .slots = erx_accounts_pages_of(accounts->account_capacity, accounts->heap_bytes),
        .arena_bytes = ERX_ACCOUNTS_PAGE_BYTES,
        .account_capacity = accounts->account_capacity,
        .heap_bytes = accounts->heap_bytes,
    };
}

/* The pools of a plan; returns how many. */
static uint32_t describe_pools(const erx_data_plan_t *plan, erx_data_pool_t *pools)
{
    for (uint32_t m = 0; m < plan->model_count; m++)
        pools[m] = describe_model(&plan->models[m]);
    if (plan->accounts != NULL)
        pools[plan->model_count] = describe_accounts(plan->accounts);
    return plan->model_count + (plan->accounts != NULL);
}

static void describe(erx_data_directory_t *data, const erx_data_plan_t *plan)
{
    uint8_t id[ERX_SHA256_BYTES] = {0};
    (void)!getrandom(id, sizeof id, 0);
    memcpy(data->file_id, id, sizeof data->file_id);
    data->journal_bytes = plan->journal_bytes;
    data->pool_count = describe_pools(plan, data->pools);
    erx_data_name_folders(data);
}

/* Name and size of the files of the device. */
static uint64_t file_of(const erx_data_directory_t *data, uint32_t index,
                        char name_out[ERX_DATA_NAME_MAX])
{
    if (index < ERX_JOURNAL_COPIES) {
        (void)snprintf(name_out, ERX_DATA_NAME_MAX, "journal-%u", index + 1);
        return data->journal_bytes;
    }
    const erx_data_pool_t *pool = &data->pools[index - ERX_JOURNAL_COPIES];
    (void)snprintf(name_out, ERX_DATA_NAME_MAX, "checkpoints-%u", index - ERX_JOURNAL_COPIES);
    return erx_checkpoint_file_bytes(pool->arena_bytes, pool->slots);
}

/* The directory of a file of the device. */
static const char *folder_of(const erx_data_directory_t *data, uint32_t index)
{
    return index == 1 && data->copy_path[0] != '\0' ? data->copy_path : data->path;
}

typedef struct {
    const erx_data_plan_t *plan;
    uint64_t before;
    uint64_t total;
} making_t;

static void report_making(void *context, uint64_t done, uint64_t total)
{
    const making_t *making = context;
    (void)total;
    if (making->plan->progress != NULL)
        making->plan->progress(making->plan->context, making->before + done, making->total);
}

static erx_status_t make_files(erx_data_directory_t *data, const erx_data_plan_t *plan,
                               erx_error_t *error)
{
    char name[ERX_DATA_NAME_MAX];
    making_t making = {.plan = plan};
    uint32_t count = ERX_JOURNAL_COPIES + data->pool_count;
    for (uint32_t i = 0; i < count; i++)
        making.total += file_of(data, i, name);
    uint64_t elsewhere = data->copy_path[0] != '\0' ? data->journal_bytes : 0;
    erx_status_t status = erx_data_directory_space(data->path, making.total - elsewhere, error);
    if (status == ERX_OK && elsewhere > 0)
        status = erx_data_directory_space(data->copy_path, elsewhere, error);
    for (uint32_t i = 0; status == ERX_OK && i < count; i++) {
        uint64_t bytes = file_of(data, i, name);
        status = erx_data_file_create(folder_of(data, i), name, bytes, report_making, &making,
                                      &data->files[i], error);
        making.before += bytes;
    }
    for (uint32_t i = 0, next = 0; status == ERX_OK && i < data->pool_count; i++)
        if (data->pools[i].kind == ERX_DATA_MODEL)
            status = erx_data_copy_model(data, i, plan->model_directories[next++], error);
    return status;
}

static erx_status_t make(erx_data_directory_t *data, const erx_data_plan_t *plan,
                         erx_error_t *error)
{
    erx_status_t status = ERX_OK;
    if (plan->copy_path != NULL)
        status = erx_data_directory_prepare(plan->copy_path, error);
    if (status == ERX_OK && plan->copy_path != NULL)
        status = take_copy_path(data, plan->copy_path, error);
    if (status == ERX_OK)
        status = clear_partial(data, error);
    if (status != ERX_OK)
        return status;
    describe(data, plan);
    status = make_files(data, plan, error);
    bool noted = false;
    if (status == ERX_OK && plan->copy_path != NULL) {
        status = erx_data_write_copy_note(data, error);
        noted = status == ERX_OK;
    }
    if (status == ERX_OK)
        status = erx_data_write_description(data, error);
    data->made = status == ERX_OK;
    if (status != ERX_OK) {
        /* A full disk gets its room back; what caused the refusal is kept. */
        erx_error_t ignored;
        if (noted)
            erx_data_remove_copy_note(data);
        (void)clear_partial(data, &ignored);
    }
    return status;
}

static erx_status_t open_files(erx_data_directory_t *data, bool read_only, erx_error_t *error)
{
    for (uint32_t i = 0; i < ERX_JOURNAL_COPIES + data->pool_count; i++) {
        char name[ERX_DATA_NAME_MAX];
        uint64_t bytes = file_of(data, i, name);
        erx_status_t status =
            read_only
                ? erx_data_file_open_read_only(folder_of(data, i), name, &data->files[i], error)
                : erx_data_file_open(folder_of(data, i), name, bytes, &data->files[i], error);
        if (status != ERX_OK)
            return status;
    }
    return ERX_OK;
}

static erx_status_t compare_pool(const erx_data_directory_t *data, const erx_data_pool_t *made,
                                 const erx_data_pool_t *given, erx_error_t *error)
{
    if (made->kind != given->kind)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "%.300s was made for models, places of later models and accounts in "
                             "another order; name another directory, or give the same ones",
                             data->path);
    if (memcmp(made->hash, given->hash, sizeof made->hash) != 0)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "%.200s was made for another model: '%s', not '%s' (their hashes "
                             "differ); load the one in %.200s/%s, or name another directory",
                             data->path, made->name, given->name, data->path, made->folder);
    if (made->account_capacity != given->account_capacity || made->heap_bytes != given->heap_bytes)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "%.300s was made for %u accounts and a heap of %" PRIu64
                             " bytes, not %u and %" PRIu64 "; name another directory, or the same "
                             "sizes",
                             data->path, made->account_capacity, made->heap_bytes,
                             given->account_capacity, given->heap_bytes);
    if (made->slots != given->slots)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "%.300s was made for %u sessions, not %u; name another directory, "
                             "or as many sessions",
                             data->path, made->slots, given->slots);
    if (made->arena_bytes == given->arena_bytes)
        return ERX_OK;
    return made->kind == ERX_DATA_MODEL
               ? erx_error_set(error, ERX_ERR_FORMAT, "%.300s/data.json: session_bytes is wrong",
                               data->path)
               : erx_error_set(error, ERX_ERR_DIFFERS,
                               "%.300s was made for places of %u bytes a session, not %u; name "
                               "another directory, or the same size",
                               data->path, made->arena_bytes, given->arena_bytes);
}

static erx_status_t compare(const erx_data_directory_t *data, const erx_data_plan_t *plan,
                            erx_error_t *error)
{
    erx_data_pool_t given[ERX_POOLS_MAX] = {0};
    uint32_t count = describe_pools(plan, given);
    if (data->pool_count != count)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "%.300s was made for %u models, places of later models and accounts, "
                             "not %u; name another directory",
                             data->path, data->pool_count, count);
    for (uint32_t i = 0; i < count; i++)
        if (compare_pool(data, &data->pools[i], &given[i], error) != ERX_OK)
            return error->status;
    return ERX_OK;
}

/* Finds the journal's second copy where it is not in the directory. */
static erx_status_t find_copy(erx_data_directory_t *data, const char *named, erx_error_t *error)
{
    if (data->copy_path[0] == '\0')
        return named == NULL
                   ? ERX_OK
                   : erx_error_set(error, ERX_ERR_DIFFERS,
                                   "%.300s holds both copies of its journal; name no other "
                                   "directory for the second, or a new data directory",
                                   data->path);
    if (named != NULL && take_copy_path(data, named, error) != ERX_OK)
        return error->status;
    return erx_data_check_copy_note(data, error);
}

static void start(erx_data_directory_t *data, const char *path)
{
    memset(data, 0, sizeof *data);
    data->lock = -1;
    for (uint32_t i = 0; i < ERX_DATA_FILES_MAX; i++)
        data->files[i].descriptor = -1;
    (void)snprintf(data->path, sizeof data->path, "%s", path);
}

erx_status_t erx_data_directory_open(erx_data_directory_t *data, const char *path,
                                     const erx_data_plan_t *plan, erx_error_t *error)
{
    start(data, path);
    erx_status_t status = erx_data_directory_prepare(path, error);
    if (status == ERX_OK)
        status = take_lock(data, error);
    if (status == ERX_OK) {
        status = erx_data_read_description(data, error);
        if (status == ERX_ERR_NOT_FOUND) {
            status = make(data, plan, error);
        } else if (status == ERX_OK) {
            status = compare(data, plan, error);
            if (status == ERX_OK)
                status = find_copy(data, plan->copy_path, error);
            if (status == ERX_OK)
                status = open_files(data, false, error);
        }
    }
    if (status != ERX_OK)
        erx_data_directory_close(data);
    return status;
}

erx_status_t erx_data_directory_read(erx_data_directory_t *data, const char *path,
                                     erx_data_read_t how, erx_error_t *error)
{
    start(data, path);
    erx_status_t status = erx_data_read_description(data, error);
    if (status == ERX_OK && how == ERX_DATA_READ_LOCKED)
        status = take_lock(data, error);
    if (status == ERX_OK && how != ERX_DATA_READ_DESCRIPTION)
        status = find_copy(data, NULL, error);
    if (status == ERX_OK && how != ERX_DATA_READ_DESCRIPTION)
        status = open_files(data, true, error);
    if (status != ERX_OK)
        erx_data_directory_close(data);
    return status;
}

void erx_data_directory_configure(const erx_data_directory_t *data, erx_store_config_t *config)
{
    erx_data_directory_t *own = (erx_data_directory_t *)(uintptr_t)data;
    uint32_t count = ERX_JOURNAL_COPIES + data->pool_count;
    for (uint32_t i = 0; i < count; i++)
        own->io_files[i] = erx_data_file_io(&data->files[i]);
    memcpy(config->file_id, data->file_id, sizeof config->file_id);
    config->claimed = data->claimed;
    config->claimed_epoch = data->claimed_epoch;
    config->name = data->path;
    config->io_open = erx_io_open;
    config->io.file_count = count;
    config->io.files = data->io_files;
}

void erx_data_directory_close(erx_data_directory_t *data)
{
    for (uint32_t i = 0; data->path[0] != '\0' && i < ERX_DATA_FILES_MAX; i++)
        if (data->files[i].descriptor >= 0)
            erx_data_file_close(&data->files[i]);
    if (data->path[0] != '\0' && data->lock >= 0)
        (void)close(data->lock);
    memset(data, 0, sizeof *data);
    data->lock = -1;
}
