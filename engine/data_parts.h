/* The data directory's descriptions and copies, for data_directory.c. */
#ifndef ERX_ENGINE_DATA_PARTS_H
#define ERX_ENGINE_DATA_PARTS_H

#include "engine/data_directory.h"

/* Names the models' folders after their hashes. */
void erx_data_name_folders(erx_data_directory_t *data);

/* Writes data.json. */
erx_status_t erx_data_write_description(const erx_data_directory_t *data, erx_error_t *error);

/* Writes copy.json beside the journal's second copy, and checks that it is this
 * directory's: ERX_ERR_NOT_FOUND, ERX_ERR_DIFFERS. */
erx_status_t erx_data_write_copy_note(const erx_data_directory_t *data, erx_error_t *error);
erx_status_t erx_data_check_copy_note(const erx_data_directory_t *data, erx_error_t *error);

void erx_data_remove_copy_note(const erx_data_directory_t *data);

/* Reads data.json and claim.json. ERX_ERR_NOT_FOUND where there is no data.json. */
erx_status_t erx_data_read_description(erx_data_directory_t *data, erx_error_t *error);

/* Copies the files of a pool's model into its folder, unless it is there. */
erx_status_t erx_data_copy_model(const erx_data_directory_t *data, uint32_t pool,
                                 const char *directory, erx_error_t *error);

#endif
