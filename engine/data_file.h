/* Files of a data directory: of fixed size, zero-filled when they are made, so
 * that a full disk strikes then and never while the engine runs; and small
 * ones that appear whole or not at all.
 *
 * Everything here is for start-up, before any frame, on one thread. Messages
 * name the path and what to do. */
#ifndef ERX_ENGINE_DATA_FILE_H
#define ERX_ENGINE_DATA_FILE_H

#include "engine/io.h"

#define ERX_DATA_PATH_MAX       4096u
#define ERX_DATA_SMALL_FILE_MAX (16u << 20)

/* A file that erx_io_open can drive. */
typedef struct {
    int descriptor;
    bool direct; /* opened with O_DIRECT; false where the file system has none */
    uint64_t bytes;
    char path[ERX_DATA_PATH_MAX];
} erx_data_file_t;

/* Called now and then with the bytes that are on disk; may draw a bar. */
typedef void (*erx_data_progress_fn)(void *context, uint64_t done, uint64_t total);

/* Makes the directory where it is missing (its parent must exist) and makes
 * its name durable. Refuses what is not a directory, and one that cannot be
 * written to. Errors: ERX_ERR_NOT_FOUND, ERX_ERR_PERMISSION, ERX_ERR_IO. */
erx_status_t erx_data_directory_prepare(const char *directory, erx_error_t *error);

/* Checks that the file system has room for bytes more, for this process.
 * Errors: ERX_ERR_FULL with both figures. */
erx_status_t erx_data_directory_space(const char *directory, uint64_t bytes, erx_error_t *error);

/* One line where the directory is on a file system that does not survive a
 * restart of the machine, or where O_DIRECT is refused; else an empty string. */
void erx_data_directory_note(const char *directory, char note_out[ERX_IO_NOTE_MAX]);

/* Makes names in the directory durable: what was made, renamed, removed. */
erx_status_t erx_data_directory_sync(const char *directory, erx_error_t *error);

/* Creates directory/name with bytes of zeros (a multiple of ERX_IO_ALIGNMENT),
 * really written, synced, and with its name durable. An existing file of that
 * name is refused. On failure there is no such file. progress may be NULL.
 * Errors: ERX_ERR_FULL (disk, quota or file size limit), ERX_ERR_PERMISSION,
 * ERX_ERR_NOT_FOUND, ERX_ERR_STATE (exists), ERX_ERR_IO. */
erx_status_t erx_data_file_create(const char *directory, const char *name, uint64_t bytes,
                                  erx_data_progress_fn progress, void *context,
                                  erx_data_file_t *file_out, erx_error_t *error);

/* Opens directory/name for reading and writing; bytes 0: whatever it has, else
 * exactly that. Errors: as above, ERX_ERR_FORMAT for another size. */
erx_status_t erx_data_file_open(const char *directory, const char *name, uint64_t bytes,
                                erx_data_file_t *file_out, erx_error_t *error);

/* The same for reading only, so that an inspection changes nothing. */
erx_status_t erx_data_file_open_read_only(const char *directory, const char *name,
                                          erx_data_file_t *file_out, erx_error_t *error);

/* How erx_io_config_t names it. The name points into file. */
erx_io_file_t erx_data_file_io(const erx_data_file_t *file);

/* A zeroed one, or one whose opening failed, is allowed. */
void erx_data_file_close(erx_data_file_t *file);

/* Writes directory/name as a whole: under a temporary name, synced, renamed,
 * directory synced. An earlier file of that name is replaced, or stays as it
 * was when this fails. */
erx_status_t erx_data_small_write(const char *directory, const char *name, const void *bytes,
                                  size_t size, erx_error_t *error);

/* Reads a whole file of at most ERX_DATA_SMALL_FILE_MAX bytes into memory that
 * the caller frees with erx_free; one zero byte follows the last. Errors:
 * ERX_ERR_NOT_FOUND where there is none, ERX_ERR_RANGE where it is longer. */
erx_status_t erx_data_small_read(const char *directory, const char *name, void **bytes_out,
                                 size_t *size_out, erx_error_t *error);

#endif
