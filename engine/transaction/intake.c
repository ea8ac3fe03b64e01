#include "engine/transaction/intake.h"

#include "engine/transaction/verify.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "sched/thread.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* A slot serves packet n, then n + slot_count, and so on. Its state is the
 * packet's number and how far that packet is; the number keeps a thread that
 * was held up from taking a later packet for the one that it looked at.
 *
 *   FREE --submit--> FILLED --verify--> READY --take, release--> FREE of n + slot_count
 *
 * Whoever changes the state owns the slot's contents before, and gives them to
 * the next owner: a release store, seen by an acquire load. */
enum { STAGE_FREE, STAGE_FILLED, STAGE_READY, STAGE_COUNT };

typedef struct {
    alignas(ERX_CACHE_LINE) _Atomic uint64_t state;
    erx_intake_item_t item;
    uint8_t packet[ERX_PACKET_BYTES_MAX];
} slot_t;

struct erx_intake {
    slot_t *slots;
    uint32_t slot_count;
    uint32_t worker_count; /* of threads that run */
    erx_thread_t *workers[ERX_INTAKE_WORKERS_MAX];
    /* One post for each packet that was filled; workers sleep here. */
    sem_t filled;
    _Atomic bool stopping;
    erx_intake_verified_fn verified; /* NULL: nobody is told */
    void *verified_context;
    /* The next packet's number: for senders, for workers. Compare-and-swapped. */
    alignas(ERX_CACHE_LINE) _Atomic uint64_t submit_next;
    alignas(ERX_CACHE_LINE) _Atomic uint64_t verify_next;
    /* The control thread's own. */
    alignas(ERX_CACHE_LINE) uint64_t take_next;
    uint64_t release_next;
    /* Counters: relaxed, they order nothing. */
    alignas(ERX_CACHE_LINE) _Atomic uint64_t accepted;
    _Atomic uint64_t refused;
    _Atomic uint64_t bad;
};

static uint64_t state_of(uint64_t number, uint64_t stage)
{
    return number * STAGE_COUNT + stage;
}

static slot_t *slot_of(const erx_intake_t *intake, uint64_t number)
{
    return &intake->slots[number & (intake->slot_count - 1)];
}

static bool is_at(slot_t *slot, uint64_t number, uint64_t stage)
{
    return atomic_load_explicit(&slot->state, memory_order_acquire) == state_of(number, stage);
}

static void hand_on(slot_t *slot, uint64_t number, uint64_t stage)
{
    atomic_store_explicit(&slot->state, state_of(number, stage), memory_order_release);
}

static void tell_verdict(erx_intake_t *intake, const erx_intake_item_t *item)
{
    if (intake->verified == NULL || item->fault != ERX_MESSAGE_GOOD)
        return;
    uint64_t next = atomic_load_explicit(&intake->verify_next, memory_order_relaxed);
    intake->verified(intake->verified_context, erx_message_signature(&item->message, 0),
                     item->error == ERX_TRANSACTION_OK,
                     is_at(slot_of(intake, next), next, STAGE_FILLED));
}

/* Reads and verifies a filled packet, and makes it ready. */
static void verify(erx_intake_t *intake, uint64_t number)
{
    slot_t *slot = slot_of(intake, number);
    erx_intake_item_t *item = &slot->item;
    item->fault = erx_message_parse(slot->packet, item->bytes, &item->message);
    item->error = erx_message_fault_error(item->fault);
    if (item->error == ERX_TRANSACTION_OK && !erx_verify_message(&item->message))
        item->error = ERX_TRANSACTION_SIGNATURE_FAILURE;
    if (item->error == ERX_TRANSACTION_OK)
        erx_message_hash(&item->message, &item->message_hash);
    else
        memset(&item->message_hash, 0, sizeof item->message_hash);
    if (item->error != ERX_TRANSACTION_OK)
        atomic_fetch_add_explicit(&intake->bad, 1, memory_order_relaxed);
    tell_verdict(intake, item);
    hand_on(slot, number, STAGE_READY);
}

/* Claims the next number where its slot is at that stage: STAGE_FREE from
 * senders, STAGE_FILLED from workers. False where it is not there yet. */
static bool claim(erx_intake_t *intake, _Atomic uint64_t *next, uint64_t stage,
                  uint64_t *number_out)
{
    uint64_t number = atomic_load_explicit(next, memory_order_relaxed);
    for (;;) {
        uint64_t state =
            atomic_load_explicit(&slot_of(intake, number)->state, memory_order_acquire);
        if (state < state_of(number, stage))
            return false;
        /* A later state: others claimed this number in between. */
        if (state > state_of(number, stage))
            number = atomic_load_explicit(next, memory_order_relaxed);
        else if (atomic_compare_exchange_weak_explicit(next, &number, number + 1,
                                                       memory_order_relaxed, memory_order_relaxed))
            break;
    }
    *number_out = number;
    return true;
}

static void run_worker(void *context)
{
    erx_intake_t *intake = context;
    for (;;) {
        while (sem_wait(&intake->filled) != 0)
            continue; /* interrupted by a signal */
        if (atomic_load_explicit(&intake->stopping, memory_order_relaxed))
            return;
        uint64_t number;
        while (claim(intake, &intake->verify_next, STAGE_FILLED, &number)) {
            verify(intake, number);
            /* Taken for the packet that comes next, if that is already there:
             * the loop looks again after it, so none is missed. */
            (void)sem_trywait(&intake->filled);
            if (atomic_load_explicit(&intake->stopping, memory_order_relaxed))
                return;
        }
    }
}

static erx_status_t check_settings(const erx_intake_settings_t *settings, erx_error_t *error)
{
    uint32_t count = settings->slot_count;
    if (count < 2 || count > ERX_INTAKE_SLOTS_MAX || (count & (count - 1)) != 0)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "slot_count is %u, must be a power of two from 2 to %u", count,
                             ERX_INTAKE_SLOTS_MAX);
    if (settings->worker_count > ERX_INTAKE_WORKERS_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "worker_count is %u, at most %u",
                             settings->worker_count, ERX_INTAKE_WORKERS_MAX);
    return ERX_OK;
}

static erx_status_t open_workers(erx_intake_t *intake, uint32_t worker_count, erx_error_t *error)
{
    for (uint32_t i = 0; i < worker_count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "erx-verify-%u", i);
        erx_status_t status =
            erx_thread_open_background(name, run_worker, intake, &intake->workers[i], error);
        if (status != ERX_OK)
            return status;
        intake->worker_count++;
    }
    return ERX_OK;
}

erx_status_t erx_intake_open(const erx_intake_settings_t *settings, erx_intake_t **intake_out,
                             erx_error_t *error)
{
    erx_status_t status = check_settings(settings, error);
    if (status != ERX_OK)
        return status;
    erx_intake_t *intake = erx_alloc(1, sizeof *intake);
    slot_t *slots = erx_alloc(settings->slot_count, sizeof *slots);
    if (intake == NULL || slots == NULL) {
        erx_free(slots);
        erx_free(intake);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u transactions",
                             settings->slot_count);
    }
    intake->slots = slots;
    intake->slot_count = settings->slot_count;
    for (uint32_t i = 0; i < settings->slot_count; i++)
        atomic_init(&slots[i].state, state_of(i, STAGE_FREE));
    ERX_ASSERT(sem_init(&intake->filled, 0, 0) == 0);
    status = open_workers(intake, settings->worker_count, error);
    if (status != ERX_OK) {
        erx_intake_close(intake);
        return status;
    }
    *intake_out = intake;
    return ERX_OK;
}

void erx_intake_set_verified(erx_intake_t *intake, erx_intake_verified_fn verified, void *context)
{
    intake->verified_context = context;
    intake->verified = verified;
}

void erx_intake_close(erx_intake_t *intake)
{
    if (intake == NULL)
        return;
    atomic_store_explicit(&intake->stopping, true, memory_order_relaxed);
    for (uint32_t i = 0; i < intake->worker_count; i++)
        (void)sem_post(&intake->filled);
    for (uint32_t i = 0; i < intake->worker_count; i++)
        erx_thread_close(intake->workers[i]);
    (void)sem_destroy(&intake->filled);
    erx_free(intake->slots);
    erx_free(intake);
}

erx_status_t erx_intake_submit(erx_intake_t *intake, const uint8_t *packet, size_t bytes,
                               uint64_t tag)
{
    if (bytes == 0 || bytes > ERX_PACKET_BYTES_MAX)
        return ERX_ERR_RANGE;
    uint64_t number;
    if (!claim(intake, &intake->submit_next, STAGE_FREE, &number)) {
        atomic_fetch_add_explicit(&intake->refused, 1, memory_order_relaxed);
        return ERX_ERR_FULL;
    }
    slot_t *slot = slot_of(intake, number);
    memcpy(slot->packet, packet, bytes);
    slot->item.tag = tag;
    slot->item.packet = slot->packet;
    slot->item.bytes = (uint32_t)bytes;
    atomic_fetch_add_explicit(&intake->accepted, 1, memory_order_relaxed);
    if (intake->worker_count == ERX_INTAKE_WORKERS_INLINE) {
        verify(intake, number);
        return ERX_OK;
    }
    hand_on(slot, number, STAGE_FILLED);
    (void)sem_post(&intake->filled); /* fails only where more posts wait than it counts */
    return ERX_OK;
}

const erx_intake_item_t *erx_intake_take(erx_intake_t *intake)
{
    slot_t *slot = slot_of(intake, intake->take_next);
    if (!is_at(slot, intake->take_next, STAGE_READY))
        return NULL;
    intake->take_next++;
    return &slot->item;
}

void erx_intake_release(erx_intake_t *intake, uint32_t count)
{
    ERX_ASSERT(count <= intake->take_next - intake->release_next);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = intake->release_next++;
        hand_on(slot_of(intake, number), number + intake->slot_count, STAGE_FREE);
    }
}

erx_intake_counts_t erx_intake_counts(const erx_intake_t *intake)
{
    return (erx_intake_counts_t){
        .accepted = atomic_load_explicit(&intake->accepted, memory_order_relaxed),
        .refused = atomic_load_explicit(&intake->refused, memory_order_relaxed),
        .bad = atomic_load_explicit(&intake->bad, memory_order_relaxed),
    };
}
