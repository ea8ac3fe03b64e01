/* The embedded base layer: a ledger in the data directory.
 *
 * ledger.jsonl has one line of JSON for each settlement, the newest of an
 * account last; a line is durable before its settlement is told as done. A line
 * that a crash cut short is left out. When a file has far more lines than
 * accounts it is written anew at start. */
#include "node/base_layer.h"

#include "node/log.h"
#include "node/node_clock.h"
#include "node/settlement_line.h"
#include "node/watch_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES     (ERX_CONFIG_TEXT_MAX + 64u)
#define QUEUE_MAX      65536u
#define REWRITE_FACTOR 4u
#define REWRITE_LINES  10000u /* shorter files are left as they are */
#define BUCKETS        4096u
#define RENT_PER_BYTE  UINT64_C(6960)
#define RENT_OVERHEAD  128u

typedef struct entry {
    struct entry *next;      /* in the queue */
    struct entry *next_same; /* in its bucket */
    uint64_t asked_ns;
    erx_settlement_t settlement;
} entry_t;

struct erx_base {
    erx_base_events_t events;
    erx_telemetry_t *telemetry;
    char directory[PATH_BYTES];
    char path[PATH_BYTES];
    int file;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_stopping;
    entry_t *first, *last;
    uint32_t queued;
    entry_t *accounts[BUCKETS]; /* the newest settlement of each account */
    uint32_t account_count;
};

static entry_t **find_account(erx_base_t *base, const erx_pubkey_t *key)
{
    entry_t **place = &base->accounts[erx_key_hash(key) % BUCKETS];
    while (*place != NULL && memcmp(&(*place)->settlement.account, key, sizeof *key) != 0)
        place = &(*place)->next_same;
    return place;
}

/* Makes it the account's newest; with the lock. */
static bool keep(erx_base_t *base, const erx_settlement_t *settlement)
{
    entry_t **place = find_account(base, &settlement->account);
    if (*place == NULL) {
        *place = calloc(1, sizeof **place);
        if (*place == NULL)
            return false;
        base->account_count++;
    }
    (*place)->settlement = *settlement;
    return true;
}

/* ----------------------------------------------------------------- lines */

static bool append_line(erx_base_t *base, const erx_settlement_t *settlement)
{
    erx_text_t text;
    erx_text_open(&text, ERX_SETTLEMENT_LINE_MAX);
    erx_settlement_write(settlement, &text);
    bool is_written = !text.overflowed &&
                      write(base->file, text.bytes, text.length) == (ssize_t)text.length &&
                      fdatasync(base->file) == 0;
    erx_text_close(&text);
    return is_written;
}

/* ---------------------------------------------------------------- thread */

static entry_t *wait_for_entry(erx_base_t *base)
{
    (void)pthread_mutex_lock(&base->lock);
    while (base->first == NULL && !base->is_stopping)
        (void)pthread_cond_wait(&base->changed, &base->lock);
    entry_t *entry = base->first;
    if (entry != NULL) {
        base->first = entry->next;
        if (base->first == NULL)
            base->last = NULL;
        base->queued--;
    }
    (void)pthread_mutex_unlock(&base->lock);
    return entry;
}

static void *run(void *context)
{
    erx_base_t *base = context;
    entry_t *entry;
    while ((entry = wait_for_entry(base)) != NULL) {
        bool is_done = append_line(base, &entry->settlement);
        erx_telemetry_add(base->telemetry, ERX_METRIC_BASE_REQUESTS, 1);
        if (is_done)
            erx_telemetry_observe(base->telemetry, ERX_TIMING_SETTLE,
                                  erx_node_now() - entry->asked_ns);
        else
            erx_telemetry_add(base->telemetry, ERX_METRIC_BASE_FAILURES, 1);
        erx_telemetry_set(base->telemetry, ERX_METRIC_BASE_REACHABLE, is_done);
        (void)pthread_mutex_lock(&base->lock);
        is_done = is_done && keep(base, &entry->settlement);
        (void)pthread_mutex_unlock(&base->lock);
        base->events.settled(base->events.context, &entry->settlement,
                             is_done ? ERX_SETTLEMENT_DONE : ERX_SETTLEMENT_FAILED);
        free(entry);
    }
    return NULL;
}

/* --------------------------------------------------------------- opening */

/* Reads the lines that there are; returns how many. */
static uint32_t load(erx_base_t *base)
{
    FILE *file = fopen(base->path, "re");
    char line[ERX_SETTLEMENT_LINE_MAX];
    uint32_t lines = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        erx_settlement_t settlement;
        size_t length = strlen(line);
        lines++;
        if (line[length - 1] != '\n' || !erx_settlement_read(line, length, &settlement))
            erx_log(ERX_LOG_WARNING, "ledger-line-skipped", "file=%s line=%u", base->path, lines);
        else
            (void)keep(base, &settlement);
    }
    if (file != NULL)
        (void)fclose(file);
    return lines;
}

/* Writes the newest settlement of each account into a new file. */
static bool rewrite(erx_base_t *base, erx_failure_t *failure)
{
    char temporary[PATH_BYTES + 8];
    (void)snprintf(temporary, sizeof temporary, "%s.new", base->path);
    base->file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    erx_text_t text;
    erx_text_open(&text, (size_t)base->account_count * ERX_SETTLEMENT_LINE_MAX + 1);
    for (uint32_t i = 0; i < BUCKETS; i++)
        for (const entry_t *entry = base->accounts[i]; entry != NULL; entry = entry->next_same)
            erx_settlement_write(&entry->settlement, &text);
    bool is_written = base->file >= 0 && !text.overflowed &&
                      write(base->file, text.bytes, text.length) == (ssize_t)text.length &&
                      fsync(base->file) == 0 && rename(temporary, base->path) == 0;
    int reason = errno;
    erx_text_close(&text);
    if (base->file >= 0)
        (void)close(base->file);
    return is_written || erx_failure_set(failure, "%.400s: %s", temporary, strerror(reason));
}

static void close_ledger(erx_base_t *base)
{
    if (base->is_running) {
        (void)pthread_mutex_lock(&base->lock);
        base->is_stopping = true;
        (void)pthread_cond_signal(&base->changed);
        (void)pthread_mutex_unlock(&base->lock);
        (void)pthread_join(base->thread, NULL);
    }
    for (uint32_t i = 0; i < BUCKETS; i++) {
        while (base->accounts[i] != NULL) {
            entry_t *entry = base->accounts[i];
            base->accounts[i] = entry->next_same;
            free(entry);
        }
    }
    if (base->file >= 0)
        (void)close(base->file);
    (void)pthread_cond_destroy(&base->changed);
    (void)pthread_mutex_destroy(&base->lock);
    free(base);
}

static bool open_file(erx_base_t *base, erx_failure_t *failure)
{
    if (mkdir(base->directory, 0755) != 0 && errno != EEXIST)
        return erx_failure_set(failure, "%.400s: %s", base->directory, strerror(errno));
    uint32_t lines = load(base);
    if (lines > REWRITE_LINES && lines > base->account_count * REWRITE_FACTOR &&
        !rewrite(base, failure))
        return false;
    base->file = open(base->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return base->file >= 0 || erx_failure_set(failure, "%.400s: %s", base->path, strerror(errno));
}

static bool open_ledger(const erx_config_t *config, const erx_keypair_t *identity,
                        const erx_base_events_t *events, erx_telemetry_t *telemetry,
                        erx_base_t **base_out, erx_failure_t *failure)
{
    (void)identity; /* the ledger is this validator's own */
    erx_base_t *base = calloc(1, sizeof *base);
    if (base == NULL)
        return erx_failure_set(failure, "no memory for the ledger");
    base->events = *events;
    base->telemetry = telemetry;
    base->file = -1;
    (void)snprintf(base->directory, sizeof base->directory, "%s/validator", config->data);
    (void)snprintf(base->path, sizeof base->path, "%s/validator/ledger.jsonl", config->data);
    (void)pthread_mutex_init(&base->lock, NULL);
    (void)pthread_cond_init(&base->changed, NULL);
    bool is_open = open_file(base, failure);
    if (is_open) {
        base->is_running = pthread_create(&base->thread, NULL, run, base) == 0;
        is_open = base->is_running ||
                  erx_failure_set(failure, "the ledger's thread could not be started");
    }
    if (!is_open) {
        close_ledger(base);
        return false;
    }
    (void)pthread_setname_np(base->thread, "erx-base");
    erx_telemetry_set(telemetry, ERX_METRIC_BASE_REACHABLE, 1);
    *base_out = base;
    return true;
}

/* Accounts that are not here do not exist. */
static void fetch(erx_base_t *base, const erx_pubkey_t *key)
{
    erx_base_account_t account = {.key = *key};
    base->events.fetched(base->events.context, &account);
}

static void settle(erx_base_t *base, const erx_settlement_t *settlement)
{
    entry_t *entry = base->queued < QUEUE_MAX ? calloc(1, sizeof *entry) : NULL;
    if (entry == NULL) {
        base->events.settled(base->events.context, settlement, ERX_SETTLEMENT_FAILED);
        return;
    }
    entry->settlement = *settlement;
    entry->asked_ns = erx_node_now();
    (void)pthread_mutex_lock(&base->lock);
    if (base->last != NULL)
        base->last->next = entry;
    else
        base->first = entry;
    base->last = entry;
    base->queued++;
    (void)pthread_cond_signal(&base->changed);
    (void)pthread_mutex_unlock(&base->lock);
}

static uint64_t lamports_of(const erx_settlement_t *settlement)
{
    return (settlement->state_size + RENT_OVERHEAD) * RENT_PER_BYTE;
}

static bool find_delegation(void *context, const erx_pubkey_t *key,
                            erx_delegation_t *delegation_out)
{
    erx_base_t *base = context;
    (void)pthread_mutex_lock(&base->lock);
    const entry_t *entry = *find_account(base, key);
    if (entry != NULL)
        *delegation_out = (erx_delegation_t){
            .is_delegated = !entry->settlement.is_final,
            .owner = entry->settlement.owner,
            .slot = entry->settlement.slot,
            .lamports = lamports_of(&entry->settlement),
        };
    (void)pthread_mutex_unlock(&base->lock);
    return entry != NULL;
}

static bool read_account(void *context, const erx_pubkey_t *key, erx_base_account_t *account_out)
{
    erx_base_t *base = context;
    (void)pthread_mutex_lock(&base->lock);
    const entry_t *entry = *find_account(base, key);
    uint8_t *data = entry != NULL ? malloc(ERX_SETTLED_BYTES_MAX) : NULL;
    if (data != NULL) {
        const erx_settlement_t *settlement = &entry->settlement;
        memcpy(data, settlement->state, settlement->state_size);
        *account_out = (erx_base_account_t){
            .key = *key,
            .exists = true,
            .owner = settlement->owner,
            .lamports = lamports_of(settlement),
            .base_slot = settlement->slot,
            .data = data,
            .data_size = settlement->state_size,
        };
    }
    (void)pthread_mutex_unlock(&base->lock);
    return data != NULL;
}

const erx_base_layer_kind_t erx_base_ledger_kind = {
    .name = "ledger",
    .open = open_ledger,
    .close = close_ledger,
    .fetch = fetch,
    .settle = settle,
    .delegation = find_delegation,
    .account = read_account,
};
