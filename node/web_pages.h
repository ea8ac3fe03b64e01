/* The web page: files that are part of the program, or those of a directory. */
#ifndef ERX_NODE_WEB_PAGES_H
#define ERX_NODE_WEB_PAGES_H

#include "node/text_buffer.h"

/* A file that is part of the program. */
typedef struct {
    const char *path; /* "/index.html" */
    const uint8_t *bytes;
    const uint8_t *end;
} erx_web_file_t;

/* Made by embed_web.py from node/web/. */
extern const erx_web_file_t erx_web_files[];
extern const size_t erx_web_file_count;

/* Appends the file that a request's path means ("/" is index.html) and tells
 * its content type; directory "" stands for the files of the program. False
 * where there is no such file. */
bool erx_web_page_read(const char *directory, const char *path, erx_text_t *text,
                       const char **content_type_out);

#endif
