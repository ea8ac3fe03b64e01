#include "sched/cpu_list.h"

#include <ctype.h>
#include <string.h>

typedef struct {
    const char *text;
    const char *next;
} cursor_t;

static erx_status_t complain(const cursor_t *cursor, const char *reason, erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_ARGUMENT,
                         "processor list \"%s\", character %td: %s; write it like 0-3,8",
                         cursor->text, cursor->next - cursor->text + 1, reason);
}

static erx_status_t read_number(cursor_t *cursor, uint32_t *number_out, erx_error_t *error)
{
    if (!isdigit((unsigned char)*cursor->next))
        return complain(cursor, "a number is missing", error);
    uint32_t number = 0;
    const char *end = cursor->next;
    for (; isdigit((unsigned char)*end); end++) {
        number = 10 * number + (uint32_t)(*end - '0');
        if (number >= ERX_CPUS_MAX)
            return complain(cursor, "processor numbers end at 1023", error);
    }
    cursor->next = end;
    *number_out = number;
    return ERX_OK;
}

/* One number or one range. */
static erx_status_t read_range(cursor_t *cursor, bool listed_out[ERX_CPUS_MAX], erx_error_t *error)
{
    uint32_t first;
    erx_status_t status = read_number(cursor, &first, error);
    if (status != ERX_OK)
        return status;
    uint32_t last = first;
    if (*cursor->next == '-') {
        cursor->next++;
        cursor_t place = *cursor;
        status = read_number(cursor, &last, error);
        if (status != ERX_OK)
            return status;
        if (last < first)
            return complain(&place, "a range ends before it begins", error);
    }
    for (uint32_t cpu = first; cpu <= last; cpu++)
        listed_out[cpu] = true;
    return ERX_OK;
}

erx_status_t erx_cpu_list_parse(const char *text, bool listed_out[ERX_CPUS_MAX], erx_error_t *error)
{
    ERX_STATIC_ASSERT(ERX_CPUS_MAX == 1024, "the message of read_number says so");
    memset(listed_out, 0, sizeof(bool) * ERX_CPUS_MAX);
    cursor_t cursor = {.text = text, .next = text};
    for (;;) {
        erx_status_t status = read_range(&cursor, listed_out, error);
        if (status != ERX_OK)
            return status;
        if (*cursor.next == '\0')
            return ERX_OK;
        if (*cursor.next != ',')
            return complain(&cursor, "a comma is missing", error);
        cursor.next++;
    }
}
