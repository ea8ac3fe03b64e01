/* A seat is away (nobody waits for it), running, or waiting in a group.
 *
 *   group   free --first seat--> open --window over, or nobody runs--> closed
 *           closed --its last seat has put its vector in--> computing --> free
 *
 * The lock guards seats and groups; vectors, products and sleeping are outside
 * of it. One seat leads: it was the last to arrive, or the first to find the
 * window over, or one of those that wait when nobody runs any more. Whoever
 * waits takes chunks of the product while there are any. All that compute are
 * counted in the group's active, the leader from the start; who counts it down
 * to 0 ends the group and answers its seats.
 *
 * A waiting seat looks at its own signal word: none, lead, done, or asleep,
 * which tells others that it must be woken. While its group is open it also
 * looks at the clock, so that no order of events leaves a group open. It yields
 * its processor for a while before it sleeps: with more programs than
 * processors the next one then runs without the cost of sleeping and waking. */
#include "engine/matmul/gate.h"

#include "engine/matmul/product.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "mem/layout.h"
#include "sched/clock.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A product is cut into this many chunks, so that a helper that comes late
 * still finds one. */
#define CHUNKS 8u

/* More than this many sharing one product gain little. */
#define HELPERS_MAX 3u

/* Yields before sleeping: about one product of some programs by a matrix of the
 * 15M model. */
#define YIELD_NS UINT64_C(100000)

typedef enum { SEAT_FREE, SEAT_AWAY, SEAT_RUNNING, SEAT_WAITING } seat_state_t;
typedef enum { GROUP_FREE, GROUP_OPEN, GROUP_CLOSED, GROUP_COMPUTING } group_state_t;
enum { SIGNAL_NONE, SIGNAL_ASLEEP, SIGNAL_LEAD, SIGNAL_DONE };

typedef struct {
    group_state_t state;
    const erx_matrix_t *matrix;
    uint32_t rows;
    uint32_t members;
    uint32_t ready; /* members whose vector is in */
    uint64_t deadline_ns;
    uint8_t *activation; /* [seats], of the widest matrix */
    erx_gate_seat_t *seats[ERX_GATE_SEATS_MAX];
    void *outputs[ERX_GATE_SEATS_MAX];
    /* While computing. */
    uint32_t chunk_panels;
    atomic_uint next_panel;
    atomic_uint active;
} group_t;

struct erx_gate_seat {
    alignas(ERX_CACHE_LINE) atomic_uint signal;
    seat_state_t state;
    group_t *group; /* while waiting */
    erx_gate_t *gate;
};

struct erx_gate {
    erx_gate_config_t config;
    pthread_mutex_t lock;
    uint32_t running;
    uint32_t helpers; /* seats that compute beside the leader, at most */
    erx_gate_counters_t counters;
    group_t groups[ERX_GATE_GROUPS];
    erx_gate_seat_t *seats; /* [config.seats] */
    uint8_t *memory;        /* owned: seats and activations */
};

/* Signals */

static void wake(erx_gate_seat_t *seat)
{
    (void)syscall(SYS_futex, &seat->signal, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void signal_send(erx_gate_seat_t *seat, unsigned signal)
{
    if (atomic_exchange_explicit(&seat->signal, signal, memory_order_acq_rel) == SIGNAL_ASLEEP)
        wake(seat);
}

static bool signal_change(erx_gate_seat_t *seat, unsigned from, unsigned to)
{
    return atomic_compare_exchange_strong_explicit(&seat->signal, &from, to, memory_order_acq_rel,
                                                   memory_order_acquire);
}

/* Sleeps until something is sent, or until the deadline (0: none), or less. */
static void sleep_until(erx_gate_seat_t *seat, uint64_t deadline_ns)
{
    const struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / ERX_NS_PER_SECOND),
        .tv_nsec = (long)(deadline_ns % ERX_NS_PER_SECOND),
    };
    if (!signal_change(seat, SIGNAL_NONE, SIGNAL_ASLEEP))
        return;
    (void)syscall(SYS_futex, &seat->signal, FUTEX_WAIT_BITSET_PRIVATE, SIGNAL_ASLEEP,
                  deadline_ns == 0 ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
    (void)signal_change(seat, SIGNAL_ASLEEP, SIGNAL_NONE);
}

/* Computing */

/* Whether there was a chunk left. */
static bool take_chunks(erx_gate_t *gate, group_t *group)
{
    uint32_t panel_count = group->matrix->panel_count;
    const erx_product_t product = {
        .kernel = gate->config.kernel,
        .matrix = group->matrix,
        .rows = group->rows,
        .count = group->members,
        .activation = group->activation,
        .activation_stride = erx_product_stride(gate->config.kernel, group->matrix->columns),
        .outputs = group->outputs,
    };
    for (bool took = false;; took = true) {
        uint32_t begin = atomic_fetch_add_explicit(&group->next_panel, group->chunk_panels,
                                                   memory_order_relaxed);
        if (begin >= panel_count)
            return took;
        erx_product_run(&product, begin, ERX_MIN(begin + group->chunk_panels, panel_count));
    }
}

/* Every chunk is written: answers all seats. */
static void group_end(erx_gate_t *gate, group_t *group)
{
    erx_gate_seat_t *seats[ERX_GATE_SEATS_MAX];
    (void)pthread_mutex_lock(&gate->lock);
    uint32_t members = group->members;
    for (uint32_t i = 0; i < members; i++) {
        seats[i] = group->seats[i];
        seats[i]->state = SEAT_RUNNING;
        seats[i]->group = NULL;
    }
    gate->running += members;
    gate->counters.products++;
    gate->counters.answers += members;
    group->state = GROUP_FREE;
    (void)pthread_mutex_unlock(&gate->lock);
    for (uint32_t i = 0; i < members; i++)
        signal_send(seats[i], SIGNAL_DONE);
}

static void group_count_down(erx_gate_t *gate, group_t *group)
{
    if (atomic_fetch_sub_explicit(&group->active, 1, memory_order_acq_rel) == 1)
        group_end(gate, group);
}

/* A closed group whose vectors are in will be computed by the one who leads.
 * Lock held. */
static void group_start(erx_gate_t *gate, group_t *group)
{
    uint32_t panel_count = group->matrix->panel_count;
    bool is_shared = gate->helpers > 0 && group->members > 1;
    group->state = GROUP_COMPUTING;
    group->chunk_panels = is_shared ? ERX_CEIL_DIV(panel_count, CHUNKS) : panel_count;
    atomic_store_explicit(&group->next_panel, 0, memory_order_relaxed);
    /* Shows all of the group to those who help. */
    atomic_store_explicit(&group->active, 1, memory_order_release);
}

/* Seats that sleep are woken to help, unless enough are awake. */
static void call_helpers(const erx_gate_t *gate, const group_t *group, const erx_gate_seat_t *self)
{
    uint32_t called = 0;
    for (uint32_t i = 0; i < group->members && called < gate->helpers; i++) {
        erx_gate_seat_t *seat = group->seats[i];
        if (seat == self)
            continue;
        if (signal_change(seat, SIGNAL_ASLEEP, SIGNAL_NONE))
            wake(seat);
        called++;
    }
}

static void group_lead(erx_gate_t *gate, group_t *group, const erx_gate_seat_t *self)
{
    call_helpers(gate, group, self);
    (void)take_chunks(gate, group);
    group_count_down(gate, group);
}

/* Takes part in what the group computes, if it does; whether that was of use.
 * The seat's own product may have ended meanwhile and the group be another's:
 * then it helps those, which is as right. */
static bool group_help(erx_gate_t *gate, group_t *group)
{
    unsigned active = atomic_load_explicit(&group->active, memory_order_relaxed);
    do {
        if (active == 0 || active > gate->helpers)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&group->active, &active, active + 1,
                                                    memory_order_acq_rel, memory_order_relaxed));
    bool took = take_chunks(gate, group);
    group_count_down(gate, group);
    return took;
}

/* Closing; lock held. */

/* Nobody runs: every open group closes. Returns how many there are, and a seat
 * of each that is to lead. */
static uint32_t close_all(erx_gate_t *gate, erx_gate_seat_t *leaders[ERX_GATE_GROUPS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ERX_GATE_GROUPS; i++) {
        group_t *group = &gate->groups[i];
        if (group->state != GROUP_OPEN)
            continue;
        /* All its seats wait, since nobody runs. */
        ERX_ASSERT(group->ready == group->members);
        group_start(gate, group);
        leaders[count++] = group->seats[0];
    }
    return count;
}

/* One seat fewer runs; unlocks. */
static void stop_running(erx_gate_t *gate)
{
    erx_gate_seat_t *leaders[ERX_GATE_GROUPS];
    uint32_t count = --gate->running == 0 ? close_all(gate, leaders) : 0;
    (void)pthread_mutex_unlock(&gate->lock);
    for (uint32_t i = 0; i < count; i++)
        signal_send(leaders[i], SIGNAL_LEAD);
}

/* The window of a waiting seat's group is over: whether the seat is to lead. */
static bool window_ends(erx_gate_seat_t *seat)
{
    erx_gate_t *gate = seat->gate;
    bool leads = false;
    (void)pthread_mutex_lock(&gate->lock);
    group_t *group = seat->group;
    if (group != NULL && group->state == GROUP_OPEN) {
        gate->counters.late++;
        group->state = GROUP_CLOSED;
        leads = group->ready == group->members;
        if (leads)
            group_start(gate, group);
    }
    (void)pthread_mutex_unlock(&gate->lock);
    return leads;
}

/* Waiting */

/* Returns when the seat's output is written; deadline_ns is the window's end,
 * or 0 where the group is closed. */
static void wait_for_answer(erx_gate_seat_t *seat, group_t *group, uint64_t deadline_ns)
{
    erx_gate_t *gate = seat->gate;
    uint64_t sleepy_ns = erx_clock_now() + YIELD_NS;
    for (;;) {
        unsigned signal = atomic_load_explicit(&seat->signal, memory_order_acquire);
        if (signal == SIGNAL_DONE)
            return;
        if (signal == SIGNAL_LEAD) {
            atomic_store_explicit(&seat->signal, SIGNAL_NONE, memory_order_relaxed);
            deadline_ns = 0;
            group_lead(gate, group, seat);
            continue;
        }
        if (group_help(gate, group))
            continue;
        uint64_t now = erx_clock_now();
        if (deadline_ns != 0 && now >= deadline_ns) {
            deadline_ns = 0;
            if (window_ends(seat))
                group_lead(gate, group, seat);
        } else if (now < sleepy_ns) {
            (void)sched_yield();
        } else {
            sleep_until(seat, deadline_ns);
        }
    }
}

/* The open group of that matrix, else a new one; NULL where all are taken. */
static group_t *group_find(erx_gate_t *gate, const erx_matrix_t *matrix, uint32_t rows)
{
    group_t *place = NULL;
    for (uint32_t i = 0; i < ERX_GATE_GROUPS; i++) {
        group_t *group = &gate->groups[i];
        if (group->state == GROUP_OPEN && group->matrix == matrix && group->rows == rows)
            return group;
        if (group->state == GROUP_FREE)
            place = group;
    }
    if (place != NULL) {
        place->state = GROUP_OPEN;
        place->matrix = matrix;
        place->rows = rows;
        place->members = 0;
        place->ready = 0;
        place->deadline_ns = erx_clock_now() + gate->config.window_ns;
    }
    return place;
}

/* Takes a place in a group; NULL where none is free. */
static group_t *arrive(erx_gate_seat_t *seat, const erx_matrix_t *matrix, uint32_t rows,
                       void *output, uint32_t *member_out)
{
    erx_gate_t *gate = seat->gate;
    (void)pthread_mutex_lock(&gate->lock);
    if (seat->state == SEAT_AWAY) {
        seat->state = SEAT_RUNNING;
        gate->running++;
    }
    group_t *group = group_find(gate, matrix, rows);
    if (group != NULL) {
        *member_out = group->members++;
        group->seats[*member_out] = seat;
        group->outputs[*member_out] = output;
        seat->group = group;
        atomic_store_explicit(&seat->signal, SIGNAL_NONE, memory_order_relaxed);
    }
    (void)pthread_mutex_unlock(&gate->lock);
    return group;
}

/* The seat's vector is in. Whether the seat is to lead. */
static bool settle_down(erx_gate_seat_t *seat, group_t *group)
{
    erx_gate_t *gate = seat->gate;
    (void)pthread_mutex_lock(&gate->lock);
    seat->state = SEAT_WAITING;
    group->ready++;
    bool is_over = gate->running == 1 || group->state == GROUP_CLOSED;
    bool leads = is_over && group->ready == group->members;
    if (leads)
        group_start(gate, group);
    stop_running(gate);
    return leads;
}

void erx_gate_multiply(erx_gate_seat_t *seat, const erx_matrix_t *matrix, uint32_t rows,
                       const int8_t *input, void *output)
{
    const erx_kernel_t *kernel = seat->gate->config.kernel;
    uint32_t member;
    group_t *group = arrive(seat, matrix, rows, output, &member);
    if (group == NULL) {
        erx_product_alone(kernel, matrix, rows, input, output);
        return;
    }
    uint64_t deadline_ns = group->deadline_ns; /* constant while the seat is in */
    kernel->activation_pack(group->activation +
                                member * erx_product_stride(kernel, matrix->columns),
                            input, matrix->columns);
    if (settle_down(seat, group)) {
        deadline_ns = 0;
        group_lead(seat->gate, group, seat);
    }
    wait_for_answer(seat, group, deadline_ns);
}

/* The interface */

static size_t place(erx_gate_t *gate)
{
    erx_layout_t layout = erx_layout_begin(gate->memory);
    uint32_t seats = gate->config.seats;
    size_t stride = erx_product_stride(gate->config.kernel, ERX_MATVEC_COLUMNS_MAX);
    gate->seats = erx_layout_take(&layout, seats * sizeof *gate->seats);
    for (uint32_t i = 0; i < ERX_GATE_GROUPS; i++)
        gate->groups[i].activation = erx_layout_take(&layout, seats * stride);
    return erx_layout_bytes(&layout);
}

static erx_status_t config_check(const erx_gate_config_t *config, erx_error_t *error)
{
    if (config->seats == 0 || config->seats > ERX_GATE_SEATS_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "gate: seats is %u, must be 1 to %u",
                             config->seats, ERX_GATE_SEATS_MAX);
    if (config->window_ns > ERX_GATE_WINDOW_MAX_NS)
        return erx_error_set(error, ERX_ERR_RANGE, "gate: window_ns is %llu, at most %llu",
                             (unsigned long long)config->window_ns,
                             (unsigned long long)ERX_GATE_WINDOW_MAX_NS);
    return ERX_OK;
}

erx_status_t erx_gate_open(const erx_gate_config_t *config, erx_gate_t **gate_out,
                           erx_error_t *error)
{
    if (config_check(config, error) != ERX_OK)
        return error->status;
    erx_gate_t *gate = erx_alloc(1, sizeof *gate);
    if (gate == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the gate");
    gate->config = *config;
    gate->memory = erx_alloc(1, place(gate));
    if (gate->memory == NULL) {
        erx_free(gate);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a gate of %u seats",
                             config->seats);
    }
    (void)place(gate);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    gate->helpers = processors < 2 ? 0 : ERX_MIN((uint32_t)processors - 1, HELPERS_MAX);
    ERX_ASSERT(pthread_mutex_init(&gate->lock, NULL) == 0);
    *gate_out = gate;
    return ERX_OK;
}

void erx_gate_close(erx_gate_t *gate)
{
    if (gate == NULL)
        return;
    for (uint32_t i = 0; i < gate->config.seats; i++)
        ERX_ASSERT(gate->seats[i].state == SEAT_FREE);
    (void)pthread_mutex_destroy(&gate->lock);
    erx_free(gate->memory);
    erx_free(gate);
}

erx_status_t erx_gate_join(erx_gate_t *gate, erx_gate_seat_t **seat_out, erx_error_t *error)
{
    erx_gate_seat_t *seat = NULL;
    (void)pthread_mutex_lock(&gate->lock);
    for (uint32_t i = 0; i < gate->config.seats && seat == NULL; i++)
        if (gate->seats[i].state == SEAT_FREE)
            seat = &gate->seats[i];
    if (seat != NULL) {
        seat->gate = gate;
        seat->state = SEAT_RUNNING;
        gate->running++;
    }
    (void)pthread_mutex_unlock(&gate->lock);
    if (seat == NULL)
        return erx_error_set(error, ERX_ERR_FULL, "all %u seats of the gate are taken",
                             gate->config.seats);
    *seat_out = seat;
    return ERX_OK;
}

/* Out of the running, into state. */
static void withdraw(erx_gate_seat_t *seat, seat_state_t state)
{
    erx_gate_t *gate = seat->gate;
    (void)pthread_mutex_lock(&gate->lock);
    ERX_ASSERT(seat->state == SEAT_RUNNING || seat->state == SEAT_AWAY);
    bool was_running = seat->state == SEAT_RUNNING;
    seat->state = state;
    if (was_running)
        stop_running(gate);
    else
        (void)pthread_mutex_unlock(&gate->lock);
}

void erx_gate_leave(erx_gate_seat_t *seat)
{
    withdraw(seat, SEAT_FREE);
}

void erx_gate_rest(erx_gate_seat_t *seat)
{
    withdraw(seat, SEAT_AWAY);
}

const void *erx_gate_owner(const erx_gate_seat_t *seat)
{
    return seat->gate->config.owner;
}

uint32_t erx_gate_seats_taken(erx_gate_t *gate)
{
    uint32_t taken = 0;
    (void)pthread_mutex_lock(&gate->lock);
    for (uint32_t i = 0; i < gate->config.seats; i++)
        taken += gate->seats[i].state != SEAT_FREE;
    (void)pthread_mutex_unlock(&gate->lock);
    return taken;
}

erx_gate_counters_t erx_gate_counters(erx_gate_t *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    erx_gate_counters_t counters = gate->counters;
    (void)pthread_mutex_unlock(&gate->lock);
    return counters;
}
