#include "tools/error_text.h"

erx_status_t erx_error_make_printable(erx_error_t *error)
{
    for (char *at = error->text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    return error->status;
}
