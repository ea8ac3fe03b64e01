#include "node/web_pages.h"

#include <stdio.h>
#include <string.h>

#define PATH_BYTES 1024u

static const char *content_type(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < ERX_ARRAY_COUNT(types); i++)
        if (strcmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

/* Letters, digits and a few signs, no step upwards: a file below the directory. */
static bool is_plain(const char *path)
{
    return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "/._-")] == '\0' &&
           strstr(path, "..") == NULL && strstr(path, "/.") == NULL;
}

static bool read_file(const char *directory, const char *path, erx_text_t *text)
{
    char full[PATH_BYTES];
    if ((size_t)snprintf(full, sizeof full, "%s%s", directory, path) >= sizeof full)
        return false;
    FILE *file = fopen(full, "re");
    if (file == NULL)
        return false;
    char piece[4096];
    size_t count;
    while ((count = fread(piece, 1, sizeof piece, file)) > 0)
        erx_text_append(text, piece, count);
    bool is_read = ferror(file) == 0;
    (void)fclose(file);
    return is_read;
}

bool erx_web_page_read(const char *directory, const char *path, erx_text_t *text,
                       const char **content_type_out)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    *content_type_out = content_type(path);
    if (!is_plain(path))
        return false;
    if (directory[0] != '\0')
        return read_file(directory, path, text);
    for (size_t i = 0; i < erx_web_file_count; i++) {
        if (strcmp(erx_web_files[i].path, path) == 0) {
            erx_text_append(text, erx_web_files[i].bytes,
                            (size_t)(erx_web_files[i].end - erx_web_files[i].bytes));
            return true;
        }
    }
    return false;
}
