/* Fuzzes the order of calls: an input is a sequence of calls of erx.h with live,
 * closed, foreign and invented handles. Whatever comes, each call is done or
 * refused with a documented code: ARGUMENT for a handle that is not live or of
 * another kind, STATE before the start. Inputs share nothing. */
#include "abi/erx.h"
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/model_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALLS_MAX    96u
#define HANDLES      12u
#define SESSIONS     4u
#define ROLLUPS_MAX  2u
#define HEAVY_MAX    8u /* opened rollups and loaded models: what takes longest */
#define MODEL_ID     1u
#define WINDOW_NS    20000u /* nobody else comes: every product of two seats waits */
#define MEMORY_BYTES 256u

typedef enum { DEAD = 0, ROLLUP, WATCH, GATE, SEAT, SIMULATION } kind_t;

/* A handle that some call gave, and what is known of it. */
typedef struct {
    void *handle;
    kind_t kind;
    bool is_started;
    uint64_t slot;   /* of a rollup's last block */
    uint32_t seats;  /* of a gate that are taken */
    uint32_t parent; /* the gate of a seat */
} known_t;

typedef struct {
    const uint8_t *at;
    size_t left;
    known_t known[HANDLES];
    erx_session_ref_t sessions[SESSIONS];
    uint8_t memory[MEMORY_BYTES]; /* of the virtual machine */
    uint64_t units;
    uint32_t heavy;
} world_t;

/* One call's arguments. */
typedef struct {
    void *handle;
    known_t *known;   /* of the handle: NULL where it is not live */
    known_t *target;  /* where a new handle goes */
    uint32_t session; /* index */
    uint8_t value;
} call_t;

static char model_directory[] = "/tmp/erx-fuzz-abi-XXXXXX";

static uint8_t next(world_t *world)
{
    if (world->left == 0)
        return 0;
    world->left--;
    return *world->at++;
}

/* Up to size bytes of the input. */
static size_t take(world_t *world, uint8_t *bytes, size_t size)
{
    size_t count = ERX_MIN(size, world->left);
    for (size_t i = 0; i < count; i++)
        bytes[i] = next(world);
    return count;
}

static bool is_documented(int32_t result)
{
    switch (result) {
    case ERX_STATUS_OK:
    case ERX_STATUS_ARGUMENT:
    case ERX_STATUS_RANGE:
    case ERX_STATUS_STATE:
    case ERX_STATUS_NOT_FOUND:
    case ERX_STATUS_FULL:
    case ERX_STATUS_FORMAT:
    case ERX_STATUS_HASH:
    case ERX_STATUS_DIFFERS:
        return true;
    default: /* nothing here writes to a disk or asks for much memory */
        return false;
    }
}

/* Checks a result, and that a failure has its reason. */
static bool done(int32_t result)
{
    ERX_ASSERT(is_documented(result));
    ERX_ASSERT(result == ERX_STATUS_OK || strlen(erx_last_error()) > 0);
    return result == ERX_STATUS_OK;
}

static known_t *live(const call_t *call, kind_t kind)
{
    return call->known != NULL && call->known->kind == kind ? call->known : NULL;
}

/* The same for a call that takes a rollup, which has to be started. */
static bool done_started(const call_t *call, int32_t result)
{
    const known_t *rollup = live(call, ROLLUP);
    if (rollup == NULL)
        ERX_ASSERT(result == ERX_STATUS_ARGUMENT);
    else if (!rollup->is_started)
        ERX_ASSERT(result == ERX_STATUS_STATE);
    return done(result);
}

static uint32_t count_live(const world_t *world, kind_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < HANDLES; i++)
        count += world->known[i].kind == kind;
    return count;
}

/* A key that accounts, owners and players share. */
static erx_pubkey_t key_of(uint8_t value)
{
    return (erx_pubkey_t){{value % 4}};
}

/* ------------------------------------------------------------- the rollup */

static void call_open(world_t *world, const call_t *call)
{
    erx_rollup_t *rollup;
    erx_rollup_config_t config;
    if (call->target->kind != DEAD || count_live(world, ROLLUP) >= ROLLUPS_MAX ||
        world->heavy++ >= HEAVY_MAX)
        return;
    erx_rollup_config_default(&config);
    config.worker_count = 1;
    config.account_capacity = 64;
    config.account_bytes = 4u << 16;
    config.queue_transactions = 16;
    config.block_transactions_max = 16;
    config.matrix_cache_bytes = 1u << 16;
    config.syscalls = call->value & 3;
    if (call->value & 128)
        config.struct_size = call->value;
    if (done(erx_rollup_open(&config, &rollup)))
        *call->target = (known_t){.handle = rollup, .kind = ROLLUP};
}

static void call_load_model(world_t *world, const call_t *call)
{
    const char *directory = "nowhere";
    if ((call->value & 1) == 0 && world->heavy++ < HEAVY_MAX)
        directory = model_directory;
    int32_t result = erx_rollup_load_model(call->handle, directory, MODEL_ID, call->value / 2 % 4);
    const known_t *rollup = live(call, ROLLUP);
    if (rollup == NULL)
        ERX_ASSERT(result == ERX_STATUS_ARGUMENT);
    else if (rollup->is_started)
        ERX_ASSERT(result == ERX_STATUS_STATE);
    (void)done(result);
}

static void call_start(world_t *world, const call_t *call)
{
    (void)world;
    known_t *rollup = live(call, ROLLUP);
    int32_t result = erx_rollup_start(call->handle);
    if (rollup == NULL)
        ERX_ASSERT(result == ERX_STATUS_ARGUMENT);
    else if (rollup->is_started)
        ERX_ASSERT(result == ERX_STATUS_STATE);
    if (done(result) && rollup != NULL)
        rollup->is_started = true;
}

static void call_close(world_t *world, const call_t *call)
{
    (void)world;
    known_t *rollup = live(call, ROLLUP);
    bool allowed = rollup != NULL || call->handle == NULL;
    ERX_ASSERT(erx_rollup_close(call->handle) == (allowed ? ERX_STATUS_OK : ERX_STATUS_ARGUMENT));
    if (rollup != NULL)
        rollup->kind = DEAD;
}

static void call_seal(world_t *world, const call_t *call)
{
    (void)world;
    erx_block_config_t block;
    const erx_block_result_t *result;
    known_t *rollup = live(call, ROLLUP);
    erx_block_config_default(&block);
    block.slot = (rollup == NULL ? 0 : rollup->slot) + call->value % 3;
    block.tick = call->value;
    block.crank = (call->value & 64) != 0;
    block.strict = (call->value & 32) != 0;
    int32_t status = erx_rollup_seal(call->handle, &block, &result);
    if (!done_started(call, status)) {
        ERX_ASSERT(rollup == NULL || !rollup->is_started || status == ERX_STATUS_RANGE);
        return;
    }
    ERX_ASSERT(result->slot == block.slot && result->parent == rollup->slot);
    ERX_ASSERT(block.slot > rollup->slot && (block.crank || result->frame_count == 0));
    rollup->slot = block.slot;
    ERX_ASSERT(erx_rollup_processed_slot(call->handle) == block.slot);
}

static void call_read_rollup(world_t *world, const call_t *call)
{
    uint64_t height;
    uint8_t bytes[ERX_SIGNATURE_SIZE] = {0};
    erx_metrics_t metrics = {.struct_size = call->value % 2 ? call->value : sizeof metrics};
    erx_model_info_t info = {.struct_size = sizeof info};
    erx_recovery_info_t recovery = {.struct_size = sizeof recovery};
    erx_signature_status_t status = {.struct_size = sizeof status};
    (void)take(world, bytes, sizeof bytes);
    (void)done_started(call, erx_rollup_metrics(call->handle, &metrics));
    (void)done_started(call, erx_rollup_model(call->handle, call->value % 3, &info));
    (void)done_started(call, erx_rollup_recovery(call->handle, &recovery));
    (void)done_started(call, erx_rollup_health(call->handle));
    (void)done_started(call, erx_rollup_sync(call->handle));
    (void)done_started(call, erx_rollup_signature_status(call->handle, bytes, &status));
    if (done_started(call, erx_rollup_blockhash(call->handle, bytes, &height, NULL)))
        ERX_ASSERT(erx_rollup_blockhash_valid(call->handle, bytes));
    else
        ERX_ASSERT(!erx_rollup_blockhash_valid(call->handle, bytes));
    ERX_ASSERT(erx_rollup_confirmed_slot(call->handle) ==
               (live(call, ROLLUP) == NULL ? 0 : call->known->slot));
}

/* ----------------------------------------------------------- its sessions */

static void call_create_session(world_t *world, const call_t *call)
{
    erx_session_config_t terms;
    erx_session_config_default(&terms);
    terms.model_id = MODEL_ID + (call->value % 8 == 7);
    terms.session_id = call->value % 4;
    terms.stage = next(world) % 40;
    terms.max_frames = next(world) % 8;
    terms.wait_for_join = (call->value & 16) != 0;
    terms.tick_divisor = call->value / 32;
    (void)done_started(
        call, erx_rollup_create_session(call->handle, &terms, &world->sessions[call->session]));
}

static void call_join_session(world_t *world, const call_t *call)
{
    const erx_pubkey_t key = key_of(call->value);
    (void)done_started(call, erx_rollup_join_session(call->handle, world->sessions[call->session],
                                                     &key, call->value / 4));
}

static void call_input(world_t *world, const call_t *call)
{
    uint8_t control[ERX_CONTROLLER_SIZE] = {0};
    (void)take(world, control, sizeof control);
    (void)done_started(call, erx_rollup_input(call->handle, world->sessions[call->session],
                                              call->value % 3, control));
}

static void call_close_session(world_t *world, const call_t *call)
{
    erx_session_ref_t session = world->sessions[call->session];
    erx_session_info_t info = {.struct_size = sizeof info};
    if (call->value & 1)
        (void)done_started(call, erx_rollup_settle_session(call->handle, session));
    if (done_started(call, erx_rollup_close_session(call->handle, session)))
        ERX_ASSERT(erx_rollup_session(call->handle, session, &info) == ERX_STATUS_NOT_FOUND);
}

static void call_seat_bot(world_t *world, const call_t *call)
{
    const char *directory = call->value & 4 ? NULL : "nowhere";
    (void)done_started(call, erx_rollup_seat_bot(call->handle, world->sessions[call->session],
                                                 call->value % 3, directory));
}

/* Exports a session, and imports it again, perhaps changed and elsewhere. */
static void call_export_session(world_t *world, const call_t *call)
{
    size_t size = 0, again;
    erx_session_ref_t session = world->sessions[call->session];
    if (!done_started(call, erx_rollup_export_session(call->handle, session, NULL, 0, &size)))
        return;
    uint8_t *bytes = malloc(size);
    ERX_ASSERT(bytes != NULL);
    ERX_ASSERT(!done(erx_rollup_export_session(call->handle, session, bytes, size - 1, &again)));
    ERX_ASSERT(done(erx_rollup_export_session(call->handle, session, bytes, size, &again)));
    ERX_ASSERT(size == again);
    if (call->value & 1) { /* the id is in use until the session is closed */
        (void)done(erx_rollup_close_session(call->handle, session));
    }
    if (call->value & 2)
        bytes[next(world) % size] ^= next(world);
    const known_t *other = call->target->kind == ROLLUP ? call->target : call->known;
    (void)done(erx_rollup_import_session(other->handle, bytes, size - (call->value & 4),
                                         &world->sessions[call->session]));
    free(bytes);
}

static void call_import_session(world_t *world, const call_t *call)
{
    uint8_t bytes[64];
    size_t size = take(world, bytes, call->value % sizeof bytes);
    ERX_ASSERT(!done_started(call, erx_rollup_import_session(call->handle, bytes, size,
                                                             &world->sessions[call->session])));
}

static void call_read_sessions(world_t *world, const call_t *call)
{
    size_t count;
    erx_session_ref_t sessions[SESSIONS];
    erx_session_info_t info = {.struct_size = sizeof info}, same = info;
    if (!done_started(
            call, erx_rollup_list_sessions(call->handle, sessions, call->value % SESSIONS, &count)))
        return;
    for (size_t i = 0; i < ERX_MIN(count, call->value % SESSIONS); i++) {
        ERX_ASSERT(done(erx_rollup_session(call->handle, sessions[i], &info)));
        ERX_ASSERT(done(erx_rollup_find_session(call->handle, &info.input_buffer, &same)));
        ERX_ASSERT(memcmp(&info, &same, sizeof info) == 0);
    }
    (void)done(erx_rollup_session(call->handle, world->sessions[call->session], &info));
}

/* --------------------------------------------------------------- accounts */

static void call_put_account(world_t *world, const call_t *call)
{
    uint8_t data[64];
    const erx_account_image_t image = {
        .struct_size = call->value == 255 ? 8 : sizeof image,
        .key = key_of(call->value),
        .owner = key_of(next(world)),
        .lamports = next(world),
        .data_size = take(world, data, call->value / 4),
        .data = data,
        .flags = next(world) % 8,
    };
    int32_t result = erx_rollup_put_account(call->handle, &image);
    if (image.struct_size == sizeof image)
        (void)done_started(call, result);
    else
        ERX_ASSERT(result == ERX_STATUS_ARGUMENT);
}

static void call_change_account(world_t *world, const call_t *call)
{
    (void)world;
    const erx_pubkey_t key = key_of(call->value);
    int32_t (*const changes[])(erx_rollup_t *, const erx_pubkey_t *) = {
        erx_rollup_remove_account, erx_rollup_lock_account, erx_rollup_unlock_account,
        erx_rollup_clone_done};
    (void)done_started(call, changes[call->value / 4 % ERX_COUNT(changes)](call->handle, &key));
}

static bool visit(void *context, const erx_pubkey_t *key)
{
    const call_t *call = context;
    uint8_t data[8];
    size_t size;
    erx_account_info_t info = {.struct_size = sizeof info};
    ERX_ASSERT(done(
        erx_rollup_read_account(call->handle, key, &info, call->value, data, sizeof data, &size)));
    ERX_ASSERT(size <= sizeof data && (size == 0 || call->value + size <= info.space));
    return true;
}

static void call_read_accounts(world_t *world, const call_t *call)
{
    uint8_t bytes[4];
    call_t context = *call;
    const erx_pubkey_t owner = key_of(call->value);
    const erx_account_filter_t filter = {.offset = next(world),
                                         .bytes = call->value & 8 ? bytes : NULL,
                                         .size = (uint32_t)take(world, bytes, sizeof bytes)};
    (void)done_started(call, erx_rollup_scan_accounts(call->handle, &owner, &filter,
                                                      call->value & 1, visit, &context));
    (void)done_started(
        call, erx_rollup_read_account(call->handle, &owner, NULL, call->value, NULL, 0, NULL));
}

static void call_watch(world_t *world, const call_t *call)
{
    (void)world;
    erx_watch_t *watch;
    const erx_pubkey_t key = key_of(call->value);
    if (call->target->kind != DEAD)
        return;
    int32_t result = erx_rollup_watch(call->handle, call->value & 4 ? &key : NULL,
                                      call->value & 8 ? &key : NULL, call->value / 16, &watch);
    if (done_started(call, result))
        *call->target = (known_t){.handle = watch, .kind = WATCH};
}

static void call_watch_next(world_t *world, const call_t *call)
{
    (void)world;
    erx_watch_event_t event = {.struct_size = sizeof event};
    bool told = erx_watch_next(call->handle, &event);
    ERX_ASSERT(!told || live(call, WATCH) != NULL);
}

static void call_watch_close(world_t *world, const call_t *call)
{
    (void)world;
    erx_watch_close(call->handle);
    if (live(call, WATCH) != NULL)
        call->known->kind = DEAD;
}

/* -------------------------------------------------- the gate, the syscall */

static void call_gate_open(world_t *world, const call_t *call)
{
    (void)world;
    erx_matmul_gate_t *gate;
    if (call->target->kind != DEAD)
        return;
    int32_t result = erx_matmul_gate_open(call->handle, call->value % 80,
                                          call->value & 128 ? UINT64_MAX : WINDOW_NS, &gate);
    if (live(call, ROLLUP) == NULL)
        ERX_ASSERT(result == ERX_STATUS_ARGUMENT);
    if (done(result))
        *call->target = (known_t){.handle = gate, .kind = GATE};
}

static void call_gate_join(world_t *world, const call_t *call)
{
    erx_matmul_seat_t *seat;
    known_t *gate = live(call, GATE);
    if (call->target->kind != DEAD)
        return;
    int32_t result = erx_matmul_gate_join(call->handle, &seat);
    if (gate == NULL)
        ERX_ASSERT(result == ERX_STATUS_ARGUMENT);
    if (!done(result) || gate == NULL)
        return;
    gate->seats++;
    *call->target = (known_t){.handle = seat, .kind = SEAT};
    call->target->parent = (uint32_t)(gate - world->known);
}

static void call_gate_rest(world_t *world, const call_t *call)
{
    (void)world;
    erx_matmul_gate_rest(call->handle);
}

static void call_gate_leave(world_t *world, const call_t *call)
{
    known_t *seat = live(call, SEAT);
    erx_matmul_gate_leave(call->handle);
    if (seat == NULL)
        return;
    world->known[seat->parent].seats--;
    seat->kind = DEAD;
}

static void call_gate_close(world_t *world, const call_t *call)
{
    (void)world;
    known_t *gate = live(call, GATE);
    int32_t result = erx_matmul_gate_close(call->handle);
    if (gate == NULL)
        ERX_ASSERT(result == ERX_STATUS_ARGUMENT);
    else
        ERX_ASSERT(result == (gate->seats > 0 ? ERX_STATUS_STATE : ERX_STATUS_OK));
    if (done(result) && gate != NULL)
        gate->kind = DEAD;
}

static bool translate(void *context, uint64_t address, uint64_t size, bool writable,
                      erx_vm_range_t *range_out)
{
    world_t *world = context;
    (void)writable;
    if (address > MEMORY_BYTES || size > MEMORY_BYTES - address)
        return false;
    range_out->data = world->memory + address;
    return true;
}

static bool charge(void *context, uint64_t units)
{
    world_t *world = context;
    bool enough = units <= world->units;
    world->units -= enough ? units : 0;
    return enough;
}

static void call_matmul(world_t *world, const call_t *call)
{
    const erx_vm_t vm = {.struct_size = call->value == 255 ? 8 : sizeof vm,
                         .context = world,
                         .translate = translate,
                         .charge = charge};
    erx_fault_t fault = {.struct_size = sizeof fault};
    uint64_t rows = next(world) % 16, cols = next(world) % 16;
    erx_matmul_seat_t *seat = call->value & 1 ? call->target->handle : NULL;
    bool sound = live(call, ROLLUP) != NULL && vm.struct_size == sizeof vm &&
                 (seat == NULL || call->target->kind == SEAT);
    world->units = 200;
    uint64_t result =
        call->value & 2
            ? erx_sol_matmul_i8_dims(call->handle, &vm, seat, 0, 128, 192, call->value, 0, &fault)
            : erx_sol_matmul_i8(call->handle, &vm, seat, 0, 128, 192, rows, cols, &fault);
    ERX_ASSERT(result <= 1 && (result == 0) == (fault.kind == ERX_FAULT_NONE));
    ERX_ASSERT(sound || fault.kind == ERX_FAULT_INVALID_ARGUMENT);
}

/* ----------------------------------------------------------- transactions */

static void call_submit(world_t *world, const call_t *call)
{
    uint8_t packet[ERX_PACKET_MAX], signature[ERX_SIGNATURE_SIZE];
    size_t size = take(world, packet, (size_t)call->value * 2);
    (void)done_started(call, erx_rollup_submit(call->handle, packet, size, signature));
}

static void call_simulate(world_t *world, const call_t *call)
{
    erx_simulation_t *simulation;
    uint8_t packet[ERX_PACKET_MAX];
    const erx_pubkey_t key = key_of(call->value);
    const erx_simulation_config_t config = {
        .struct_size = sizeof config, .accounts = &key, .account_count = call->value & 1};
    if (call->target->kind != DEAD)
        return;
    size_t size = take(world, packet, (size_t)call->value * 2);
    if (!done_started(call, erx_rollup_simulate(call->handle, packet, size, &config, &simulation)))
        return;
    *call->target = (known_t){.handle = simulation, .kind = SIMULATION};
    ERX_ASSERT(erx_simulation_result(simulation)->packet_size == size);
}

static void call_simulation_close(world_t *world, const call_t *call)
{
    (void)world;
    bool is_live = live(call, SIMULATION) != NULL;
    ERX_ASSERT((erx_simulation_result(call->handle) != NULL) == is_live);
    ERX_ASSERT(is_live || erx_simulation_account(call->handle, 0) == NULL);
    erx_simulation_close(call->handle);
    if (is_live)
        call->known->kind = DEAD;
}

/* ------------------------------------------------------------------------- */

typedef void (*call_fn)(world_t *world, const call_t *call);

static const call_fn calls[ERX_FUZZ_ABI_CALLS] = {
    [ERX_FUZZ_ABI_OPEN] = call_open,
    [ERX_FUZZ_ABI_LOAD_MODEL] = call_load_model,
    [ERX_FUZZ_ABI_START] = call_start,
    [ERX_FUZZ_ABI_CLOSE] = call_close,
    [ERX_FUZZ_ABI_SEAL] = call_seal,
    [ERX_FUZZ_ABI_CREATE_SESSION] = call_create_session,
    [ERX_FUZZ_ABI_JOIN_SESSION] = call_join_session,
    [ERX_FUZZ_ABI_INPUT] = call_input,
    [ERX_FUZZ_ABI_CLOSE_SESSION] = call_close_session,
    [ERX_FUZZ_ABI_SEAT_BOT] = call_seat_bot,
    [ERX_FUZZ_ABI_EXPORT_SESSION] = call_export_session,
    [ERX_FUZZ_ABI_IMPORT_SESSION] = call_import_session,
    [ERX_FUZZ_ABI_READ_SESSIONS] = call_read_sessions,
    [ERX_FUZZ_ABI_PUT_ACCOUNT] = call_put_account,
    [ERX_FUZZ_ABI_CHANGE_ACCOUNT] = call_change_account,
    [ERX_FUZZ_ABI_READ_ACCOUNTS] = call_read_accounts,
    [ERX_FUZZ_ABI_WATCH] = call_watch,
    [ERX_FUZZ_ABI_WATCH_NEXT] = call_watch_next,
    [ERX_FUZZ_ABI_WATCH_CLOSE] = call_watch_close,
    [ERX_FUZZ_ABI_GATE_OPEN] = call_gate_open,
    [ERX_FUZZ_ABI_GATE_JOIN] = call_gate_join,
    [ERX_FUZZ_ABI_GATE_REST] = call_gate_rest,
    [ERX_FUZZ_ABI_GATE_LEAVE] = call_gate_leave,
    [ERX_FUZZ_ABI_GATE_CLOSE] = call_gate_close,
    [ERX_FUZZ_ABI_MATMUL] = call_matmul,
    [ERX_FUZZ_ABI_SUBMIT] = call_submit,
    [ERX_FUZZ_ABI_SIMULATE] = call_simulate,
    [ERX_FUZZ_ABI_SIMULATION_CLOSE] = call_simulation_close,
    [ERX_FUZZ_ABI_READ_ROLLUP] = call_read_rollup,
};

static known_t *find_live(world_t *world, const void *handle)
{
    for (uint32_t i = 0; i < HANDLES; i++)
        if (world->known[i].kind != DEAD && world->known[i].handle == handle)
            return &world->known[i];
    return NULL;
}

/* A handle of the table, dead ones too; or one that the input makes up. */
static void *choose_handle(world_t *world, uint8_t which)
{
    uint64_t made_up = 0;
    if (which < 128)
        return world->known[which % HANDLES].handle;
    if (which < 192)
        return NULL;
    for (uint32_t i = 0; i < sizeof made_up; i++)
        made_up = made_up << 8 | next(world);
    return (void *)(uintptr_t)made_up;
}

static void close_all(world_t *world)
{
    for (uint32_t i = 0; i < HANDLES; i++) {
        known_t *known = &world->known[i];
        if (known->kind == ROLLUP)
            ERX_ASSERT(erx_rollup_close(known->handle) == ERX_STATUS_OK);
        else if (known->kind == WATCH)
            erx_watch_close(known->handle);
        else if (known->kind == SEAT)
            erx_matmul_gate_leave(known->handle);
        else if (known->kind == SIMULATION)
            erx_simulation_close(known->handle);
    }
    for (uint32_t i = 0; i < HANDLES; i++)
        if (world->known[i].kind == GATE)
            ERX_ASSERT(erx_matmul_gate_close(world->known[i].handle) == ERX_STATUS_OK);
}

static void remove_model(void)
{
    char path[64];
    static const char *const names[] = {"manifest.json", "weights_int8.bin"};
    for (uint32_t i = 0; i < ERX_COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", model_directory, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(model_directory);
}

static void make_model_once(void)
{
    static bool is_made;
    erx_fixture_t fixture;
    if (is_made)
        return;
    ERX_ASSERT(mkdtemp(model_directory) != NULL && atexit(remove_model) == 0);
    erx_fixture_model(&erx_fixture_micro, 3, &fixture);
    erx_fixture_write(&fixture, model_directory);
    erx_fixture_free(&fixture);
    is_made = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world_t world = {.at = data, .left = size};
    make_model_once();
    for (uint32_t i = 0; i < CALLS_MAX && world.left > 0; i++) {
        call_t call = {0};
        call_fn make = calls[next(&world) % ERX_FUZZ_ABI_CALLS];
        call.handle = choose_handle(&world, next(&world));
        call.known = find_live(&world, call.handle);
        uint8_t where = next(&world);
        call.target = &world.known[where % HANDLES];
        call.session = where % SESSIONS;
        call.value = next(&world);
        make(&world, &call);
    }
    close_all(&world);
    return 0;
}
