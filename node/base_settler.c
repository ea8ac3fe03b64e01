#include "node/base_settler_parts.h"

#include "node/base_backoff.h"
#include "node/log.h"
#include "node/node_clock.h"
#include "node/settlement_line.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REFUSALS_MAX 8u /* then an operator must look; about half a minute */
#define TEMPORARY    ".new"

struct erx_settler {
    erx_base_events_t events;
    erx_telemetry_t *telemetry;
    erx_base_wire_t wire;
    erx_keypair_t identity;
    char *path;
    pthread_t thread;
    bool is_running;
    uint32_t failures; /* rounds in a row that did not reach the node */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_stopping;
    bool is_unsaved;
    uint32_t count;
    erx_settle_job_t *first, *last;
};

/* ----------------------------------------------------------------- queue */

static erx_settle_job_t *find_idle(erx_settler_t *settler, const erx_pubkey_t *account)
{
    for (erx_settle_job_t *job = settler->first; job != NULL; job = job->next)
        if (!job->is_busy && memcmp(&job->settlement.account, account, sizeof *account) == 0)
            return job;
    return NULL;
}

/* With the lock. */
static bool append(erx_settler_t *settler, const erx_settlement_t *settlement)
{
    erx_settle_job_t *job =
        settler->count < ERX_SETTLER_WAITING_MAX ? calloc(1, sizeof *job) : NULL;
    if (job == NULL)
        return false;
    job->settlement = *settlement;
    job->asked_ns = erx_node_now();
    if (settler->last != NULL)
        settler->last->next = job;
    else
        settler->first = job;
    settler->last = job;
    settler->count++;
    return true;
}

void erx_settler_add(erx_settler_t *settler, const erx_settlement_t *settlement)
{
    erx_settlement_t other = *settlement; /* whose fate is known at once */
    erx_settlement_fate_t fate = ERX_SETTLEMENT_DONE;
    (void)pthread_mutex_lock(&settler->lock);
    erx_settle_job_t *job = find_idle(settler, &settlement->account);
    if (job != NULL) {
        other = job->settlement;
        fate = ERX_SETTLEMENT_REPLACED;
        job->settlement = *settlement;
        job->settlement.is_final |= other.is_final;
    } else if (!append(settler, settlement)) {
        fate = ERX_SETTLEMENT_FAILED;
    }
    settler->is_unsaved = true;
    (void)pthread_cond_signal(&settler->changed);
    (void)pthread_mutex_unlock(&settler->lock);
    if (fate != ERX_SETTLEMENT_DONE)
        settler->events.settled(settler->events.context, &other, fate);
}

/* Whether a job of the same account is in the round already. */
static bool has_account(erx_settle_job_t *const *jobs, uint32_t count, const erx_pubkey_t *account)
{
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(&jobs[i]->settlement.account, account, sizeof *account) == 0)
            return true;
    return false;
}

/* With the lock: what is due, at most a round. */
static uint32_t take_due(erx_settler_t *settler, uint64_t now, erx_settle_job_t **jobs)
{
    uint32_t count = 0;
    for (erx_settle_job_t *job = settler->first; job != NULL && count < ERX_SETTLE_ROUND_MAX;
         job = job->next) {
        if (job->due_ns > now || has_account(jobs, count, &job->settlement.account))
            continue;
        job->is_busy = true;
        jobs[count++] = job;
    }
    return count;
}

/* With the lock. */
static void wait_for(erx_settler_t *settler, uint64_t due_ns)
{
    const struct timespec due = {
        .tv_sec = (time_t)(due_ns / ERX_SECOND_NS),
        .tv_nsec = (long)(due_ns % ERX_SECOND_NS),
    };
    (void)pthread_cond_timedwait(&settler->changed, &settler->lock, &due);
}

/* Waits for something to do; 0 where the settler is to stop. */
static uint32_t wait_for_round(erx_settler_t *settler, erx_settle_job_t **jobs)
{
    uint32_t count = 0;
    (void)pthread_mutex_lock(&settler->lock);
    while (!settler->is_stopping) {
        uint64_t now = erx_node_now();
        count = take_due(settler, now, jobs);
        if (count > 0)
            break;
        if (settler->first != NULL)
            wait_for(settler, now + ERX_BACKOFF_LEAST_NS / 2);
        else
            (void)pthread_cond_wait(&settler->changed, &settler->lock);
    }
    (void)pthread_mutex_unlock(&settler->lock);
    return count;
}

/* A round's pause; false where the settler is to stop. */
static bool pause_for(void *context, uint64_t ns)
{
    erx_settler_t *settler = context;
    uint64_t due_ns = erx_node_now() + ns;
    (void)pthread_mutex_lock(&settler->lock);
    while (!settler->is_stopping && erx_node_now() < due_ns)
        wait_for(settler, due_ns);
    bool goes_on = !settler->is_stopping;
    (void)pthread_mutex_unlock(&settler->lock);
    return goes_on;
}

/* ------------------------------------------------------------------ file */

static bool write_file(const char *path, const erx_text_t *text)
{
    char *temporary = NULL;
    if (text->overflowed || asprintf(&temporary, "%s%s", path, TEMPORARY) < 0)
        return false;
    FILE *file = fopen(temporary, "we");
    bool is_written = file != NULL && fwrite(text->bytes, 1, text->length, file) == text->length &&
                      fflush(file) == 0 && fdatasync(fileno(file)) == 0;
    if (file != NULL)
        is_written = fclose(file) == 0 && is_written && rename(temporary, path) == 0;
    free(temporary);
    return is_written;
}

/* Writes what is not settled yet, where it has changed. */
static void save(erx_settler_t *settler)
{
    erx_text_t text;
    erx_text_open(&text, (size_t)ERX_SETTLER_WAITING_MAX * ERX_SETTLEMENT_LINE_MAX);
    (void)pthread_mutex_lock(&settler->lock);
    bool is_unsaved = settler->is_unsaved;
    for (const erx_settle_job_t *job = settler->first; is_unsaved && job != NULL; job = job->next)
        erx_settlement_write(&job->settlement, &text);
    settler->is_unsaved = false;
    (void)pthread_mutex_unlock(&settler->lock);
    if (is_unsaved && !write_file(settler->path, &text))
        erx_log(ERX_LOG_ERROR, "settlements-unsaved",
                "path=\"%s\" text=\"a crash now would lose what is not settled yet\"",
                settler->path);
    erx_text_close(&text);
}

static bool load(erx_settler_t *settler, erx_failure_t *failure)
{
    char line[ERX_SETTLEMENT_LINE_MAX];
    FILE *file = fopen(settler->path, "re");
    if (file == NULL)
        return errno == ENOENT ||
               erx_failure_set(failure, "%.300s: %s", settler->path, strerror(errno));
    bool is_read = true;
    while (is_read && fgets(line, sizeof line, file) != NULL) {
        erx_settlement_t settlement;
        is_read =
            erx_settlement_read(line, strlen(line), &settlement) && append(settler, &settlement);
    }
    (void)fclose(file);
    if (!is_read)
        return erx_failure_set(failure,
                               "%.300s: a line that is no settlement; move the file away, and "
                               "settle what it names by hand",
                               settler->path);
    if (settler->count > 0)
        settler->events.resumed(settler->events.context, settler->count);
    return true;
}

/* ---------------------------------------------------------------- thread */

static void remove_job(erx_settler_t *settler, const erx_settle_job_t *job)
{
    erx_settle_job_t *before = NULL;
    for (erx_settle_job_t *other = settler->first; other != job; other = other->next)
        before = other;
    if (before != NULL)
        before->next = job->next;
    else
        settler->first = job->next;
    if (settler->last == job)
        settler->last = before;
    settler->count--;
    settler->is_unsaved = true;
}

/* What became of a job in a round; a job that is over is freed. */
static void finish(erx_settler_t *settler, erx_settle_job_t *job, bool has_reached)
{
    bool is_refused = has_reached && job->state != ERX_SETTLE_LANDED;
    job->refusals += is_refused;
    bool is_landed = job->state == ERX_SETTLE_LANDED;
    bool is_over = is_landed || job->state == ERX_SETTLE_ELSEWHERE || job->refusals >= REFUSALS_MAX;
    (void)pthread_mutex_lock(&settler->lock);
    job->is_busy = false;
    job->due_ns = erx_node_now() + (is_refused ? erx_backoff_wait(job->refusals) : 0);
    if (is_over)
        remove_job(settler, job);
    (void)pthread_mutex_unlock(&settler->lock);
    if (!is_over)
        return;
    if (is_landed)
        erx_telemetry_observe(settler->telemetry, ERX_TIMING_SETTLE,
                              erx_node_now() - job->asked_ns);
    settler->events.settled(settler->events.context, &job->settlement,
                            is_landed ? ERX_SETTLEMENT_DONE : ERX_SETTLEMENT_FAILED);
    free(job);
}

static void *run(void *context)
{
    erx_settler_t *settler = context;
    const erx_settle_round_t round = {&settler->wire, &settler->identity, settler, pause_for};
    erx_settle_job_t *jobs[ERX_SETTLE_ROUND_MAX];
    uint32_t count;
    while ((count = wait_for_round(settler, jobs)) > 0) {
        erx_failure_t failure = {""};
        save(settler);
        bool has_reached = erx_settle_round_run(&round, jobs, count, &failure);
        settler->failures = has_reached ? 0 : settler->failures + 1;
        if (!has_reached)
            erx_log(ERX_LOG_DEBUG, "settle-again", "sessions=%" PRIu32 " reason=\"%.300s\"", count,
                    failure.text);
        for (uint32_t i = 0; i < count; i++)
            finish(settler, jobs[i], has_reached);
        save(settler);
        if (!has_reached)
            (void)pause_for(settler, erx_backoff_wait(settler->failures));
    }
    save(settler); /* what came while it stopped */
    return NULL;
}

bool erx_settler_open(const erx_config_t *config, const char *path, const erx_keypair_t *identity,
                      const erx_base_events_t *events, erx_telemetry_t *telemetry,
                      erx_settler_t **settler_out, erx_failure_t *failure)
{
    erx_settler_t *settler = calloc(1, sizeof *settler);
    if (settler == NULL)
        return erx_failure_set(failure, "no memory for settlements");
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&settler->lock, NULL);
    (void)pthread_cond_init(&settler->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    settler->events = *events;
    settler->telemetry = telemetry;
    settler->identity = *identity;
    settler->path = strdup(path);
    bool is_open = settler->path != NULL && load(settler, failure) &&
                   erx_base_wire_open(config, telemetry, &settler->wire, failure);
    if (is_open) {
        settler->is_running = pthread_create(&settler->thread, NULL, run, settler) == 0;
        is_open = settler->is_running ||
                  erx_failure_set(failure, "the settling thread could not be started");
    }
    if (!is_open) {
        erx_settler_close(settler);
        return false;
    }
    (void)pthread_setname_np(settler->thread, "erx-settle");
    *settler_out = settler;
    return true;
}

void erx_settler_close(erx_settler_t *settler)
{
    if (settler == NULL)
        return;
    if (settler->is_running) {
        (void)pthread_mutex_lock(&settler->lock);
        settler->is_stopping = true;
        (void)pthread_cond_broadcast(&settler->changed);
        (void)pthread_mutex_unlock(&settler->lock);
        (void)pthread_join(settler->thread, NULL);
    }
    while (settler->first != NULL) {
        erx_settle_job_t *job = settler->first;
        settler->first = job->next;
        free(job);
    }
    erx_base_wire_close(&settler->wire);
    (void)pthread_cond_destroy(&settler->changed);
    (void)pthread_mutex_destroy(&settler->lock);
    free(settler->path);
    free(settler);
}
