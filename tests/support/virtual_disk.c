#include "tests/support/virtual_disk.h"

#include "mem/assert.h"
#include "tests/support/virtual_media.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_NS_DEFAULT UINT64_C(200000)
#define FLUSH_NS_DEFAULT UINT64_C(800000)
#define POLL_NS          UINT64_C(1000) /* that every poll takes */

/* An operation in flight, in the part that it is in: its write or its flush. */
typedef struct {
    bool active;
    bool flushing;
    uint64_t due_ns;
    uint64_t landing;           /* of the write; 0: it never landed */
    uint64_t last_landing;      /* before the flush began */
    erx_virtual_write_t *write; /* until it landed */
    erx_virtual_fault_t fault;  /* of the part at hand */
    uint64_t flush_number;      /* of a "write then flush" */
    erx_io_operation_t operation;
} flight_t;

/* One opening of the disk. */
typedef struct {
    erx_io_t io;
    erx_virtual_disk_t *disk;
    bool dead;  /* the power failed under it */
    bool woken; /* and no poll has noticed */
    flight_t flights[ERX_IO_SLOTS_MAX];
} device_t;

typedef struct {
    erx_virtual_fault_t fault;
    bool spent;
} planned_fault_t;

struct erx_virtual_disk {
    erx_virtual_media_t media;
    erx_rng_t rng;
    uint64_t write_ns;
    uint64_t flush_ns;
    uint64_t now_ns;
    uint64_t operations;
    uint64_t strikes;
    device_t *device;      /* that is open and alive; NULL: none */
    uint32_t device_count; /* that are not closed */
    uint32_t fault_count;
    planned_fault_t faults[ERX_VIRTUAL_FAULTS_MAX];
    erx_virtual_observer_fn observer;
    void *observer_context;
};

static void observe(erx_virtual_disk_t *disk)
{
    if (disk->observer != NULL)
        disk->observer(disk->observer_context, disk);
}

/* Faults ------------------------------------------------------------------- */

static bool concerns(const erx_virtual_fault_t *fault, erx_virtual_target_t target)
{
    if (fault->target != ERX_VIRTUAL_ANY && fault->target != target)
        return false;
    switch (fault->kind) {
    case ERX_VIRTUAL_MISDIRECTED:
        return target == ERX_VIRTUAL_WRITES;
    case ERX_VIRTUAL_LOST:
        return target != ERX_VIRTUAL_READS;
    case ERX_VIRTUAL_FLIPPED:
        return target != ERX_VIRTUAL_FLUSHES;
    default:
        return true;
    }
}

/* The fault that strikes an operation. No fault is one that delays by nothing. */
static erx_virtual_fault_t draw_fault(erx_virtual_disk_t *disk, uint64_t number,
                                      erx_virtual_target_t target)
{
    for (uint32_t i = 0; i < disk->fault_count; i++) {
        planned_fault_t *planned = &disk->faults[i];
        if (planned->spent || number < planned->fault.from || !concerns(&planned->fault, target))
            continue;
        planned->spent = !planned->fault.for_ever;
        disk->strikes++;
        return planned->fault;
    }
    return (erx_virtual_fault_t){.kind = ERX_VIRTUAL_LATE};
}

/* When a part that takes up to longest_ns and begins now ends. */
static uint64_t draw_due(erx_virtual_disk_t *disk, const erx_virtual_fault_t *fault,
                         uint64_t longest_ns)
{
    uint64_t delay = fault->kind == ERX_VIRTUAL_LATE ? fault->delay_ns : 0;
    return disk->now_ns + delay + (uint64_t)erx_rng_range(&disk->rng, 1, (int64_t)longest_ns);
}

static void flip_bit(uint8_t *bytes, uint32_t size, erx_rng_t *rng)
{
    uint32_t bit = (uint32_t)erx_rng_range(rng, 0, (int64_t)size * 8 - 1);
    bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
}

static bool toss(erx_virtual_disk_t *disk)
{
    return erx_rng_range(&disk->rng, 0, 1) == 1;
}

/* Writes ------------------------------------------------------------------- */

/* Of a write that failed some sectors are new all the same, and no flush will
 * answer for them. */
static void land_in_part(erx_virtual_disk_t *disk, erx_virtual_write_t *write)
{
    for (uint32_t at = 0; at < write->bytes; at += ERX_VIRTUAL_SECTOR)
        if (toss(disk))
            erx_virtual_media_read(&disk->media, write->file, write->offset + at, write->data + at,
                                   ERX_VIRTUAL_SECTOR);
    write->abandoned = true;
    erx_virtual_media_land(&disk->media, write);
}

static void misdirect(erx_virtual_disk_t *disk, erx_virtual_write_t *write)
{
    uint64_t room = disk->media.file_bytes[write->file] - write->bytes;
    uint64_t there = (uint64_t)erx_rng_range(&disk->rng, 0, (int64_t)(room / ERX_IO_ALIGNMENT));
    if (there * ERX_IO_ALIGNMENT == write->offset)
        there = there > 0 ? there - 1 : room / ERX_IO_ALIGNMENT;
    write->offset = there * ERX_IO_ALIGNMENT;
    erx_virtual_media_land(&disk->media, write);
}

static int32_t stop_short(erx_virtual_disk_t *disk, erx_virtual_write_t *write)
{
    uint32_t sectors = write->bytes / ERX_VIRTUAL_SECTOR;
    write->bytes = (uint32_t)erx_rng_range(&disk->rng, 1, sectors - 1) * ERX_VIRTUAL_SECTOR;
    erx_virtual_media_land(&disk->media, write);
    return (int32_t)write->bytes;
}

/* What becomes of a write; the result is that of erx_io_outcome_t. */
static int32_t strike_write(erx_virtual_disk_t *disk, erx_virtual_write_t *write,
                            const erx_virtual_fault_t *fault)
{
    switch (fault->kind) {
    case ERX_VIRTUAL_ERROR:
        land_in_part(disk, write);
        return -fault->error_number;
    case ERX_VIRTUAL_SHORT:
        return stop_short(disk, write);
    case ERX_VIRTUAL_CANCELLED:
        land_in_part(disk, write);
        return -ECANCELED;
    case ERX_VIRTUAL_LOST:
        return 0;
    case ERX_VIRTUAL_MISDIRECTED:
        misdirect(disk, write);
        return 0;
    case ERX_VIRTUAL_FLIPPED:
        flip_bit(write->data, write->bytes, &disk->rng);
        break;
    case ERX_VIRTUAL_LATE:
        break;
    }
    erx_virtual_media_land(&disk->media, write);
    return 0;
}

static int32_t end_write(erx_virtual_disk_t *disk, flight_t *flight)
{
    erx_virtual_write_t *write = flight->write;
    flight->write = NULL;
    /* The buffer was the device's until now. */
    ERX_ASSERT(memcmp(write->data, flight->operation.buffer, write->bytes) == 0);
    int32_t result = strike_write(disk, write, &flight->fault);
    flight->landing = write->landed;
    if (write->landed == 0)
        erx_virtual_media_forget(&disk->media, write);
    return result;
}

/* Flushes ------------------------------------------------------------------ */

static void begin_flush(erx_virtual_disk_t *disk, flight_t *flight, uint64_t number)
{
    flight->flushing = true;
    flight->last_landing = disk->media.landings;
    flight->fault = draw_fault(disk, number, ERX_VIRTUAL_FLUSHES);
    flight->due_ns = draw_due(disk, &flight->fault, disk->flush_ns);
}

/* The flush of a "write then flush" answers for its own write; the others of
 * the file may profit. */
static void cover(erx_virtual_disk_t *disk, const flight_t *flight)
{
    if (flight->operation.kind == ERX_IO_WRITE_FLUSH && toss(disk))
        erx_virtual_media_flush(&disk->media, flight->operation.file, flight->landing,
                                flight->landing);
    else
        erx_virtual_media_flush(&disk->media, flight->operation.file, 1, flight->last_landing);
}

static int32_t end_flush(erx_virtual_disk_t *disk, const flight_t *flight)
{
    switch (flight->fault.kind) {
    case ERX_VIRTUAL_ERROR:
    case ERX_VIRTUAL_SHORT:
        erx_virtual_media_abandon(&disk->media, flight->operation.file, flight->last_landing);
        return flight->fault.kind == ERX_VIRTUAL_ERROR ? -flight->fault.error_number : -EIO;
    case ERX_VIRTUAL_CANCELLED:
        return -ECANCELED;
    case ERX_VIRTUAL_LOST:
        return 0;
    default:
        cover(disk, flight);
        return 0;
    }
}

/* The device --------------------------------------------------------------- */

static void disk_submit(erx_io_t *io, const erx_io_operation_t *operation)
{
    device_t *device = (device_t *)io;
    erx_virtual_disk_t *disk = device->disk;
    flight_t *flight = &device->flights[operation->slot];
    ERX_ASSERT(!flight->active);
    *flight = (flight_t){.active = true, .operation = *operation};
    if (device->dead)
        return;
    if (operation->kind == ERX_IO_FLUSH) {
        begin_flush(disk, flight, disk->operations++);
    } else {
        flight->write = erx_virtual_media_add(&disk->media, operation);
        flight->fault = draw_fault(disk, disk->operations++, ERX_VIRTUAL_WRITES);
        flight->due_ns = draw_due(disk, &flight->fault, disk->write_ns);
        if (operation->kind == ERX_IO_WRITE_FLUSH)
            flight->flush_number = disk->operations++;
    }
    observe(disk);
}

/* The flight that ends next; NULL: none is in flight. */
static flight_t *next_flight(device_t *device)
{
    flight_t *next = NULL;
    for (uint32_t i = 0; i < ERX_IO_SLOTS_MAX; i++) {
        flight_t *flight = &device->flights[i];
        if (flight->active && (next == NULL || flight->due_ns < next->due_ns))
            next = flight;
    }
    return next;
}

/* Ends the part that a flight is in. False where its flush begins now. */
static bool end_part(device_t *device, flight_t *flight, erx_io_outcome_t *outcome)
{
    erx_virtual_disk_t *disk = device->disk;
    bool over = true;
    *outcome = (erx_io_outcome_t){
        .slot = flight->operation.slot, .in_flush = flight->flushing, .result = -EIO};
    if (device->dead) {
        flight->active = false;
        return true;
    }
    outcome->result = flight->flushing ? end_flush(disk, flight) : end_write(disk, flight);
    if (!flight->flushing && outcome->result == 0 && flight->operation.kind == ERX_IO_WRITE_FLUSH) {
        begin_flush(disk, flight, flight->flush_number);
        over = false;
    }
    flight->active = !over;
    observe(disk);
    return over;
}

/* Ends what is due by now. */
static uint32_t end_due(device_t *device, erx_io_outcome_t *outcomes, uint32_t max)
{
    uint32_t count = 0;
    while (count < max) {
        flight_t *flight = next_flight(device);
        if (flight == NULL || flight->due_ns > device->disk->now_ns)
            break;
        if (end_part(device, flight, &outcomes[count]))
            count++;
    }
    return count;
}

static uint32_t disk_poll(erx_io_t *io, erx_io_outcome_t *outcomes, uint32_t max, uint64_t wait_ns)
{
    device_t *device = (device_t *)io;
    erx_virtual_disk_t *disk = device->disk;
    disk->now_ns += POLL_NS;
    uint64_t until = disk->now_ns + ERX_MIN(wait_ns, UINT64_MAX - disk->now_ns);
    uint32_t count = end_due(device, outcomes, max);
    while (count == 0 && disk->now_ns < until && !device->woken) {
        const flight_t *flight = next_flight(device);
        disk->now_ns = flight == NULL ? until : ERX_MIN(until, flight->due_ns);
        count = end_due(device, outcomes, max);
    }
    if (count == 0 && wait_ns > 0)
        device->woken = false;
    return count;
}

static void disk_wake(erx_io_t *io)
{
    ((device_t *)io)->woken = true;
}

static int32_t disk_read(erx_io_t *io, uint32_t file, uint64_t offset, void *buffer, uint32_t bytes)
{
    device_t *device = (device_t *)io;
    erx_virtual_disk_t *disk = device->disk;
    if (device->dead)
        return -EIO;
    erx_virtual_fault_t fault = draw_fault(disk, disk->operations++, ERX_VIRTUAL_READS);
    disk->now_ns += fault.delay_ns;
    erx_virtual_media_read(&disk->media, file, offset, buffer, bytes);
    switch (fault.kind) {
    case ERX_VIRTUAL_ERROR:
        return -fault.error_number;
    case ERX_VIRTUAL_SHORT:
        return -EIO;
    case ERX_VIRTUAL_CANCELLED:
        return -ECANCELED;
    case ERX_VIRTUAL_FLIPPED:
        flip_bit(buffer, bytes, &disk->rng);
        return 0;
    default:
        return 0;
    }
}

static void disk_close(erx_io_t *io)
{
    device_t *device = (device_t *)io;
    device->disk->device_count--;
    if (device->disk->device == device)
        device->disk->device = NULL;
    free(device);
}

static const erx_io_verbs_t verbs = {
    .name = "virtual disk",
    .submit = disk_submit,
    .poll = disk_poll,
    .wake = disk_wake,
    .read = disk_read,
    .close = disk_close,
};

erx_status_t erx_virtual_disk_open(void *context, const erx_io_config_t *config, erx_io_t **io_out,
                                   char note_out[ERX_IO_NOTE_MAX], erx_error_t *error)
{
    (void)error;
    erx_virtual_disk_t *disk = context;
    ERX_ASSERT(disk->device == NULL);
    ERX_ASSERT(config->file_count == disk->media.file_count);
    for (uint32_t i = 0; i < config->file_count; i++)
        ERX_ASSERT(config->files[i].bytes == disk->media.file_bytes[i]);
    device_t *device = calloc(1, sizeof *device);
    ERX_ASSERT(device != NULL);
    erx_io_init(&device->io, &verbs, config);
    device->disk = disk;
    disk->device = device;
    disk->device_count++;
    note_out[0] = '\0';
    *io_out = &device->io;
    return ERX_OK;
}

/* The disk ----------------------------------------------------------------- */

erx_virtual_disk_t *erx_virtual_disk_create(const erx_virtual_disk_config_t *config)
{
    erx_virtual_disk_t *disk = calloc(1, sizeof *disk);
    ERX_ASSERT(disk != NULL);
    erx_virtual_media_open(&disk->media, config->file_count, config->file_bytes);
    disk->rng.state = config->seed;
    disk->write_ns = config->write_ns != 0 ? config->write_ns : WRITE_NS_DEFAULT;
    disk->flush_ns = config->flush_ns != 0 ? config->flush_ns : FLUSH_NS_DEFAULT;
    return disk;
}

void erx_virtual_disk_set_faults(erx_virtual_disk_t *disk, const erx_virtual_fault_t *faults,
                                 uint32_t count)
{
    ERX_ASSERT(count <= ERX_VIRTUAL_FAULTS_MAX);
    disk->fault_count = count;
    for (uint32_t i = 0; i < count; i++)
        disk->faults[i] = (planned_fault_t){.fault = faults[i]};
}

void erx_virtual_disk_observe(erx_virtual_disk_t *disk, erx_virtual_observer_fn observer,
                              void *context)
{
    disk->observer = observer;
    disk->observer_context = context;
}

/* The open device loses touch with the media. */
static void detach(erx_virtual_disk_t *disk)
{
    if (disk->device == NULL)
        return;
    disk->device->dead = true;
    disk->device = NULL;
}

void erx_virtual_disk_cut(erx_virtual_disk_t *disk)
{
    detach(disk);
    erx_virtual_media_cut(&disk->media, &disk->rng);
}

void erx_virtual_disk_kill(erx_virtual_disk_t *disk)
{
    detach(disk);
    erx_virtual_media_kill(&disk->media, &disk->rng);
}

erx_virtual_disk_t *erx_virtual_disk_fork(const erx_virtual_disk_t *disk, uint64_t seed)
{
    erx_virtual_disk_t *fork = calloc(1, sizeof *fork);
    ERX_ASSERT(fork != NULL);
    fork->rng.state = seed;
    fork->write_ns = disk->write_ns;
    fork->flush_ns = disk->flush_ns;
    fork->now_ns = disk->now_ns;
    erx_virtual_media_copy_cut(&disk->media, &fork->rng, &fork->media);
    return fork;
}

uint8_t *erx_virtual_disk_bytes(erx_virtual_disk_t *disk, uint32_t file)
{
    ERX_ASSERT(file < disk->media.file_count);
    while (disk->media.write_count > 0)
        erx_virtual_media_cover(&disk->media, disk->media.writes[0]);
    return disk->media.files[file];
}

uint64_t erx_virtual_disk_operations(const erx_virtual_disk_t *disk)
{
    return disk->operations;
}

uint64_t erx_virtual_disk_now(const erx_virtual_disk_t *disk)
{
    return disk->now_ns;
}

uint64_t erx_virtual_disk_strikes(const erx_virtual_disk_t *disk)
{
    return disk->strikes;
}

void erx_virtual_disk_advance(erx_virtual_disk_t *disk, uint64_t ns)
{
    disk->now_ns += ns;
}

void erx_virtual_disk_free(erx_virtual_disk_t *disk)
{
    if (disk == NULL)
        return;
    ERX_ASSERT(disk->device_count == 0);
    erx_virtual_media_close(&disk->media);
    free(disk);
}
