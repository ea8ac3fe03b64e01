#include "engine/io.h"

#include "mem/assert.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void erx_io_init(erx_io_t *io, const erx_io_verbs_t *verbs, const erx_io_config_t *config)
{
    ERX_ASSERT(config->file_count >= 1 && config->file_count <= ERX_IO_FILES_MAX);
    ERX_ASSERT(config->buffer_count <= ERX_IO_BUFFERS_MAX);
    memset(io, 0, sizeof *io);
    io->verbs = verbs;
    io->file_count = config->file_count;
    io->buffer_count = config->buffer_count;
    for (uint32_t i = 0; i < config->file_count; i++) {
        ERX_ASSERT(config->files[i].bytes % ERX_IO_ALIGNMENT == 0);
        io->file_bytes[i] = config->files[i].bytes;
        (void)snprintf(io->file_names[i], ERX_IO_NAME_MAX, "%s", config->files[i].name);
    }
    for (uint32_t i = 0; i < config->buffer_count; i++) {
        ERX_ASSERT((uintptr_t)config->buffers[i].base % ERX_IO_ALIGNMENT == 0);
        ERX_ASSERT(config->buffers[i].bytes >= 1 && config->buffers[i].bytes <= ERX_IO_BYTES_MAX);
        io->buffers[i] = config->buffers[i];
    }
}

erx_status_t erx_io_open(void *context, const erx_io_config_t *config, erx_io_t **io_out,
                         char note_out[ERX_IO_NOTE_MAX], erx_error_t *error)
{
    (void)context;
    note_out[0] = '\0';
    if (config->backend == ERX_IO_PLAIN)
        return erx_io_plain_open(config, io_out, error);
    erx_status_t status = erx_io_uring_open(config, io_out, note_out, error);
    if (status != ERX_ERR_UNSUPPORTED || config->backend == ERX_IO_URING)
        return status;
    (void)snprintf(note_out, ERX_IO_NOTE_MAX, "%s: using pwritev2 and fdatasync, which is slower",
                   error->text);
    return erx_io_plain_open(config, io_out, error);
}

void erx_io_close(erx_io_t *io)
{
    if (io == NULL)
        return;
    while (io->in_flight > 0) {
        erx_io_completion_t completions[ERX_IO_SLOTS_MAX];
        (void)erx_io_poll(io, completions, ERX_IO_SLOTS_MAX, UINT64_C(1000000000));
    }
    io->verbs->close(io);
}

static bool holds(const erx_io_buffer_t *buffer, const void *memory, uint32_t bytes)
{
    uintptr_t base = (uintptr_t)buffer->base;
    uintptr_t begin = (uintptr_t)memory;
    return begin >= base && begin - base <= buffer->bytes &&
           bytes <= buffer->bytes - (begin - base);
}

/* The buffer that holds memory[0, bytes). */
static uint32_t find_region(const erx_io_t *io, const void *memory, uint32_t bytes)
{
    uint32_t region = 0;
    while (region < io->buffer_count && !holds(&io->buffers[region], memory, bytes))
        region++;
    ERX_ASSERT(region < io->buffer_count);
    return region;
}

static void check_range(const erx_io_t *io, uint32_t file, uint64_t offset, const void *buffer,
                        uint32_t bytes)
{
    ERX_ASSERT(file < io->file_count);
    ERX_ASSERT(bytes >= 1 && bytes <= ERX_IO_BYTES_MAX);
    ERX_ASSERT(offset <= io->file_bytes[file] && bytes <= io->file_bytes[file] - offset);
    ERX_ASSERT(offset % ERX_IO_ALIGNMENT == 0 && bytes % ERX_IO_ALIGNMENT == 0);
    ERX_ASSERT((uintptr_t)buffer % ERX_IO_ALIGNMENT == 0);
}

static void submit(erx_io_t *io, const erx_io_operation_t *operation)
{
    ERX_ASSERT(operation->slot < ERX_IO_SLOTS_MAX);
    erx_io_slot_t *slot = &io->slots[operation->slot];
    ERX_ASSERT(slot->state == ERX_IO_SLOT_FREE);
    slot->operation = *operation;
    io->in_flight++;
    if (io->failed) {
        slot->state = ERX_IO_SLOT_REJECTED;
        io->rejected++;
        return;
    }
    slot->state = ERX_IO_SLOT_SUBMITTED;
    io->verbs->submit(io, operation);
}

void erx_io_submit_write(erx_io_t *io, uint32_t slot, uint32_t file, uint64_t offset,
                         const void *buffer, uint32_t bytes, bool then_flush)
{
    check_range(io, file, offset, buffer, bytes);
    submit(io, &(erx_io_operation_t){
                   .slot = slot,
                   .file = file,
                   .kind = then_flush ? ERX_IO_WRITE_FLUSH : ERX_IO_WRITE,
                   .region = find_region(io, buffer, bytes),
                   .bytes = bytes,
                   .offset = offset,
                   .buffer = buffer,
               });
}

void erx_io_submit_flush(erx_io_t *io, uint32_t slot, uint32_t file)
{
    ERX_ASSERT(file < io->file_count);
    submit(io, &(erx_io_operation_t){.slot = slot, .file = file, .kind = ERX_IO_FLUSH});
}

static erx_io_completion_t release(erx_io_t *io, uint32_t slot, int32_t result)
{
    io->slots[slot].state = ERX_IO_SLOT_FREE;
    io->in_flight--;
    return (erx_io_completion_t){.slot = slot, .result = result};
}

static uint32_t take_rejected(erx_io_t *io, erx_io_completion_t *completions, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; io->rejected > 0 && slot < ERX_IO_SLOTS_MAX && count < max; slot++) {
        if (io->slots[slot].state != ERX_IO_SLOT_REJECTED)
            continue;
        io->rejected--;
        completions[count++] = release(io, slot, -EIO);
    }
    return count;
}

/* Applies the rule that failure is final. */
static erx_io_completion_t settle(erx_io_t *io, const erx_io_outcome_t *outcome)
{
    ERX_ASSERT(outcome->slot < ERX_IO_SLOTS_MAX);
    const erx_io_slot_t *slot = &io->slots[outcome->slot];
    ERX_ASSERT(slot->state == ERX_IO_SLOT_SUBMITTED);
    if (outcome->result != 0 && !io->failed) {
        io->failed = true;
        io->failed_in_flush = outcome->in_flush;
        io->failed_result = outcome->result;
        io->failed_operation = slot->operation;
    }
    int32_t result = outcome->result < 0 ? outcome->result : io->failed ? -EIO : 0;
    return release(io, outcome->slot, result);
}

uint32_t erx_io_poll(erx_io_t *io, erx_io_completion_t *completions, uint32_t max, uint64_t wait_ns)
{
    ERX_ASSERT(max >= 1);
    uint32_t count = take_rejected(io, completions, max);
    if (count > 0)
        return count;
    erx_io_outcome_t outcomes[ERX_IO_SLOTS_MAX];
    count = io->verbs->poll(io, outcomes, ERX_MIN(max, ERX_IO_SLOTS_MAX), wait_ns);
    for (uint32_t i = 0; i < count; i++)
        completions[i] = settle(io, &outcomes[i]);
    return count;
}

void erx_io_wake(erx_io_t *io)
{
    io->verbs->wake(io);
}

int32_t erx_io_read(erx_io_t *io, uint32_t file, uint64_t offset, void *buffer, uint32_t bytes)
{
    check_range(io, file, offset, buffer, bytes);
    return io->verbs->read(io, file, offset, buffer, bytes);
}

uint32_t erx_io_in_flight(const erx_io_t *io)
{
    return io->in_flight;
}

/* What a person can do about a failure. */
static const char *advice(int32_t reason)
{
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "free space (or raise the quota or file size limit), then start again to recover";
    case ENOENT:
        return "the file was removed: put back a copy of the data directory, or start a new one";
    case EROFS:
        return "mount the file system for writing, then start again to recover";
    case EBADF:
    case ENODEV:
    case ENXIO:
        return "bring the device back, then start again to recover";
    default:
        return "check the disk (dmesg, smartctl), then start again to recover";
    }
}

erx_status_t erx_io_health(const erx_io_t *io, erx_error_t *error)
{
    if (!io->failed)
        return ERX_OK;
    const erx_io_operation_t *operation = &io->failed_operation;
    const char *name = io->file_names[operation->file];
    if (io->failed_result > 0)
        return erx_error_set(error, ERX_ERR_IO,
                             "%s: a write at byte %llu stopped after %d of %u bytes; nothing more "
                             "is confirmed: %s",
                             name, (unsigned long long)operation->offset, io->failed_result,
                             operation->bytes, advice(ENOSPC));
    int32_t reason = -io->failed_result;
    if (io->failed_in_flush)
        return erx_error_set(error, ERX_ERR_IO,
                             "%s: making writes durable failed (%s); nothing more is confirmed: %s",
                             name, strerror(reason), advice(reason));
    return erx_error_set(error, ERX_ERR_IO,
                         "%s: a write of %u bytes at byte %llu failed (%s); nothing more is "
                         "confirmed: %s",
                         name, operation->bytes, (unsigned long long)operation->offset,
                         strerror(reason), advice(reason));
}

uint64_t erx_io_cpu_ns(const erx_io_t *io)
{
    return io->verbs->cpu_ns == NULL ? 0 : io->verbs->cpu_ns(io);
}

const char *erx_io_name(const erx_io_t *io)
{
    return io->verbs->name;
}
