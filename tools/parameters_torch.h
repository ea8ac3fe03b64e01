/* PyTorch .pt files: a zip archive of uncompressed records, data.pkl with the
 * structure and data/N with the numbers of each storage. */
#ifndef ERX_TOOLS_PARAMETERS_TORCH_H
#define ERX_TOOLS_PARAMETERS_TORCH_H

#include "tools/parameters.h"

/* Whether bytes start as torch.save writes them, now or in former times. */
bool erx_torch_is_file(const uint8_t *bytes, size_t size);

/* Reads model_state_dict, encoding_config (or the older config), arch and
 * context_len into an all-zero checkpoint. Compressed records are refused:
 * PyTorch writes none, and so the file's size bounds what is read. What was
 * read when an error comes up is the caller's to close. */
erx_status_t erx_torch_read(erx_parameters_t *checkpoint, const uint8_t *bytes, size_t size,
                            erx_error_t *error);

#endif
