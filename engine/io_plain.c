/* Storage through pwritev2 and fdatasync: for machines that refuse io_uring.
 * Operations wait in a ring and run one a poll, on the thread that polls. */
#include "engine/io.h"

#include "engine/io_wake.h"
#include "mem/alloc.h"
#include "mem/assert.h"

typedef struct {
    erx_io_t io;
    int wake; /* descriptor of erx_io_wake_open */
    int descriptors[ERX_IO_FILES_MAX];
    uint32_t head; /* counts; operation of a count: modulo ERX_IO_SLOTS_MAX */
    uint32_t tail;
    erx_io_operation_t queue[ERX_IO_SLOTS_MAX];
} plain_t;

static void plain_submit(erx_io_t *io, const erx_io_operation_t *operation)
{
    plain_t *plain = (plain_t *)io;
    ERX_ASSERT(plain->tail - plain->head < ERX_IO_SLOTS_MAX);
    plain->queue[plain->tail++ % ERX_IO_SLOTS_MAX] = *operation;
}

static uint32_t plain_poll(erx_io_t *io, erx_io_outcome_t *outcomes, uint32_t max, uint64_t wait_ns)
{
    (void)max; /* at least one */
    plain_t *plain = (plain_t *)io;
    if (plain->head == plain->tail) {
        erx_io_wake_wait(plain->wake, wait_ns);
        return 0;
    }
    const erx_io_operation_t *operation = &plain->queue[plain->head++ % ERX_IO_SLOTS_MAX];
    int descriptor = plain->descriptors[operation->file];
    bool flush = operation->kind == ERX_IO_FLUSH;
    int32_t result = flush ? erx_io_flush(descriptor) : erx_io_pwrite(descriptor, operation);
    outcomes[0] = (erx_io_outcome_t){.slot = operation->slot, .in_flush = flush, .result = result};
    return 1;
}

static void plain_wake(erx_io_t *io)
{
    erx_io_wake_send(((plain_t *)io)->wake);
}

static int32_t plain_read(erx_io_t *io, uint32_t file, uint64_t offset, void *buffer,
                          uint32_t bytes)
{
    return erx_io_pread(((plain_t *)io)->descriptors[file], offset, buffer, bytes);
}

static void plain_close(erx_io_t *io)
{
    erx_io_wake_close(((plain_t *)io)->wake);
    erx_free(io);
}

static const erx_io_verbs_t verbs = {
    .name = "pwritev2",
    .reads_in_parallel = true,
    .submit = plain_submit,
    .poll = plain_poll,
    .wake = plain_wake,
    .read = plain_read,
    .close = plain_close,
};

erx_status_t erx_io_plain_open(const erx_io_config_t *config, erx_io_t **io_out, erx_error_t *error)
{
    plain_t *plain = erx_alloc(1, sizeof *plain);
    if (plain == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the storage device");
    erx_status_t status = erx_io_wake_open(&plain->wake, error);
    if (status != ERX_OK) {
        erx_free(plain);
        return status;
    }
    erx_io_init(&plain->io, &verbs, config);
    for (uint32_t i = 0; i < config->file_count; i++)
        plain->descriptors[i] = config->files[i].descriptor;
    *io_out = &plain->io;
    return ERX_OK;
}
