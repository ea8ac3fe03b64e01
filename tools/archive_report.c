#include "tools/archive_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/archive.h"
#include "tools/output.h"

/* What happened to slots, by kind of event. */
static const struct {
    erx_event_kind_t kind;
    const char *key;
    const char *text;
} kinds[] = {
    {ERX_EVENT_CREATE, "created", "created"},
    {ERX_EVENT_JOIN, "joined", "joined"},
    {ERX_EVENT_IMPORT, "imported", "imported"},
    {ERX_EVENT_END, "ended", "ended"},
    {ERX_EVENT_WRITE, "pages", "pages of accounts written"},
};

typedef struct {
    uint64_t records;
    uint64_t bytes;
    uint64_t frames;
    uint64_t events[ERX_COUNT(kinds)];
    uint64_t first_block, last_block, last_slot;
    int64_t first_timestamp, last_timestamp;
} figures_t;

bool erx_archive_report_applies(const char *path)
{
    char name[ERX_DATA_PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/records", path);
    bool has_records = access(name, F_OK) == 0;
    (void)snprintf(name, sizeof name, "%s/data.json", path);
    return has_records && access(name, F_OK) == 0;
}

static void count(figures_t *figures, const erx_record_t *record)
{
    const erx_event_t *events = erx_record_events(record);
    if (figures->records++ == 0) {
        figures->first_block = record->block;
        figures->first_timestamp = record->timestamp;
    }
    figures->last_block = record->block;
    figures->last_slot = record->slot;
    figures->last_timestamp = record->timestamp;
    figures->bytes += record->length;
    figures->frames += record->frame_count;
    for (uint32_t i = 0; i < record->event_count; i++)
        for (uint32_t k = 0; k < ERX_COUNT(kinds); k++)
            figures->events[k] += events[i].kind == kinds[k].kind;
}

static erx_status_t read_records(const erx_data_directory_t *data, figures_t *figures,
                                 erx_error_t *error)
{
    erx_archive_reader_t reader;
    const erx_record_t *record = NULL;
    erx_status_t status = erx_archive_read_open(&reader, data->path, data->file_id, error);
    if (status != ERX_OK)
        return status;
    while ((status = erx_archive_read_next(&reader, &record, error)) == ERX_OK && record != NULL)
        count(figures, record);
    erx_archive_read_close(&reader);
    return status;
}

static void print(const erx_data_directory_t *data, const figures_t *figures)
{
    (void)printf("archive of a data directory %s\n", ERX_DATA_FORMAT);
    (void)printf("  records      %" PRIu64 " in %.1f MB, blocks %" PRIu64 " to %" PRIu64
                 ", %" PRIu64 " session-frames\n",
                 figures->records, (double)figures->bytes / 1e6, figures->first_block,
                 figures->last_block, figures->frames);
    (void)printf("  events       ");
    for (uint32_t k = 0; k < ERX_COUNT(kinds); k++)
        (void)printf("%s%" PRIu64 " %s", k == 0 ? "" : ", ", figures->events[k], kinds[k].text);
    (void)printf("\n");
    for (uint32_t i = 0; i < data->pool_count; i++) {
        const erx_data_pool_t *pool = &data->pools[i];
        if (pool->kind == ERX_DATA_MODEL)
            (void)printf("  model %-6u %s, %u slots, in %s\n", i, pool->name, pool->slots,
                         pool->folder);
        else if (pool->kind == ERX_DATA_PLACE)
            (void)printf("  place %-6u for a model that arrives later, %u slots\n", i, pool->slots);
        else
            (void)printf("  accounts     at most %u, heap of %.1f MB\n", pool->account_capacity,
                         (double)pool->heap_bytes / 1e6);
    }
}

static json_t *describe(const figures_t *figures)
{
    json_t *events = json_object();
    for (uint32_t k = 0; k < ERX_COUNT(kinds); k++)
        (void)json_object_set_new(events, kinds[k].key,
                                  json_integer((json_int_t)figures->events[k]));
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "format",
                     ERX_DATA_FORMAT, "records", (json_int_t)figures->records, "bytes",
                     (json_int_t)figures->bytes, "frames", (json_int_t)figures->frames,
                     "first_block", (json_int_t)figures->first_block, "last_block",
                     (json_int_t)figures->last_block, "last_slot", (json_int_t)figures->last_slot,
                     "first_timestamp", (json_int_t)figures->first_timestamp, "last_timestamp",
                     (json_int_t)figures->last_timestamp, "events", events);
}

static erx_status_t write_json(const char *json, const figures_t *figures, erx_error_t *error)
{
    json_t *value = describe(figures);
    if (value == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the figures");
    erx_status_t status = erx_output_json(json, value, error);
    json_decref(value);
    return status;
}

erx_status_t erx_archive_report(const char *path, const char *json, erx_error_t *error)
{
    static erx_data_directory_t data; /* large */
    figures_t figures = {0};
    erx_status_t status = erx_data_directory_read(&data, path, ERX_DATA_READ_DESCRIPTION, error);
    if (status != ERX_OK)
        return status;
    status = read_records(&data, &figures, error);
    if (figures.records > 0 || status == ERX_OK) {
        erx_error_t writing;
        if (json == NULL)
            print(&data, &figures);
        else if (write_json(json, &figures, &writing) != ERX_OK && status == ERX_OK) {
            *error = writing;
            status = error->status;
        }
    }
    erx_data_directory_close(&data);
    return status;
}
