/* The syscall for virtual machines, and its gate. */
#include <string.h>

#include "abi/rollup.h"

ERX_STATIC_ASSERT(ERX_MATMUL_COLS_MAX == ERX_MATMUL_COLUMNS_MAX, "the limit is the engine's");
ERX_STATIC_ASSERT(sizeof(erx_pubkey_t) == ERX_ACCOUNT_KEY_BYTES, "accounts are named by keys");

/* A call under way: the embedder's machine in the engine's terms. */
typedef struct {
    const erx_vm_t *vm;
} call_t;

static bool translate(void *context, uint64_t address, uint64_t length, bool is_write,
                      erx_matmul_range_t *range_out)
{
    const call_t *call = context;
    erx_vm_range_t range = {0};
    if (!call->vm->translate(call->vm->context, address, length, is_write, &range) ||
        range.data == NULL)
        return false;
    range_out->bytes = range.data;
    range_out->is_named = range.account != NULL;
    if (range.account != NULL) {
        memcpy(range_out->account, range.account->bytes, sizeof range_out->account);
        range_out->version = range.version;
        range_out->offset = range.account_offset;
    }
    return true;
}

static bool charge(void *context, uint64_t units)
{
    const call_t *call = context;
    return call->vm->charge(call->vm->context, units);
}

static uint64_t report(const erx_matmul_fault_t *fault, erx_fault_t *fault_out)
{
    static const erx_fault_kind_t kinds[] = {
        [ERX_MATMUL_OK] = ERX_FAULT_NONE,
        [ERX_MATMUL_ACCESS_VIOLATION] = ERX_FAULT_ACCESS_VIOLATION,
        [ERX_MATMUL_COMPUTE_EXHAUSTED] = ERX_FAULT_BUDGET_EXHAUSTED,
        [ERX_MATMUL_INVALID_ARGUMENT] = ERX_FAULT_INVALID_ARGUMENT,
    };
    const erx_fault_t own = {
        .kind = kinds[fault->kind], .address = fault->address, .size = fault->length};
    if (fault->kind != ERX_MATMUL_OK) {
        char text[160];
        erx_matmul_fault_text(fault, text, sizeof text);
        (void)erx_result_refuse(ERX_STATUS_ARGUMENT, "%s", text);
    }
    if (fault_out != NULL)
        (void)erx_result_give(fault_out, &own, sizeof own, sizeof own);
    return fault->kind == ERX_MATMUL_OK ? 0 : 1;
}

static uint64_t refuse(erx_fault_kind_t kind, erx_fault_t *fault_out)
{
    const erx_fault_t own = {.kind = kind};
    if (fault_out != NULL)
        (void)erx_result_give(fault_out, &own, sizeof own, sizeof own);
    return 1;
}

/* What a call needs; false where it is refused, and told so. */
static bool prepare(erx_rollup_t *rollup, const erx_vm_t *vm, erx_matmul_seat_t *seat,
                    uint32_t syscall, call_t *call, erx_matmul_machine_t *machine_out,
                    erx_matmul_t **matmul_out, erx_fault_t *fault_out)
{
    const erx_rollup_state_t *state = erx_rollup_of(rollup);
    erx_gate_seat_t *own_seat = seat == NULL ? NULL : erx_handle_object(ERX_HANDLE_SEAT, seat);
    if (state == NULL || vm == NULL || vm->struct_size < sizeof *vm || vm->translate == NULL ||
        vm->charge == NULL || (seat != NULL && own_seat == NULL)) {
        (void)erx_result_refuse(ERX_STATUS_ARGUMENT,
                                "rollup, vm or seat: NULL, incomplete, or not a live handle");
        (void)refuse(ERX_FAULT_INVALID_ARGUMENT, fault_out);
        return false;
    }
    if ((state->syscalls & syscall) == 0) {
        (void)erx_result_refuse(ERX_STATUS_UNSUPPORTED,
                                "syscalls: this rollup was opened without this one");
        (void)refuse(ERX_FAULT_UNSUPPORTED, fault_out);
        return false;
    }
    if (own_seat != NULL && erx_gate_owner(own_seat) != state->runtime) {
        (void)erx_result_refuse(ERX_STATUS_ARGUMENT, "seat: of another rollup's gate");
        (void)refuse(ERX_FAULT_INVALID_ARGUMENT, fault_out);
        return false;
    }
    call->vm = vm;
    *machine_out = (erx_matmul_machine_t){
        .translate = translate, .charge = charge, .context = call, .seat = own_seat};
    *matmul_out = erx_runtime_matmul(state->runtime);
    return true;
}

uint64_t erx_sol_matmul_i8(erx_rollup_t *rollup, const erx_vm_t *vm, erx_matmul_seat_t *seat,
                           uint64_t weights, uint64_t input, uint64_t output, uint64_t rows,
                           uint64_t cols, erx_fault_t *fault_out)
{
    call_t call;
    erx_matmul_t *matmul;
    erx_matmul_machine_t machine;
    erx_matmul_fault_t fault;
    if (!prepare(rollup, vm, seat, ERX_SYSCALL_MATMUL_I8, &call, &machine, &matmul, fault_out))
        return 1;
    (void)erx_matmul_i8(matmul, &machine, weights, input, output, rows, cols, &fault);
    return report(&fault, fault_out);
}

uint64_t erx_sol_matmul_i8_dims(erx_rollup_t *rollup, const erx_vm_t *vm, erx_matmul_seat_t *seat,
                                uint64_t weights, uint64_t input, uint64_t output, uint64_t dims,
                                uint64_t unused, erx_fault_t *fault_out)
{
    call_t call;
    erx_matmul_t *matmul;
    erx_matmul_machine_t machine;
    erx_matmul_fault_t fault;
    (void)unused;
    if (!prepare(rollup, vm, seat, ERX_SYSCALL_MATMUL_I8_DIMS, &call, &machine, &matmul, fault_out))
        return 1;
    (void)erx_matmul_i8_dims(matmul, &machine, weights, input, output, dims, &fault);
    return report(&fault, fault_out);
}

int32_t erx_rollup_forget_matrices(erx_rollup_t *rollup, const erx_pubkey_t *account)
{
    const erx_rollup_state_t *state = erx_rollup_of(rollup);
    if (state == NULL)
        return ERX_STATUS_ARGUMENT;
    if (account == NULL)
        return erx_result_missing("account");
    erx_matrix_cache_t *cache = erx_matmul_cache(erx_runtime_matmul(state->runtime));
    if (cache != NULL)
        erx_matrix_cache_forget(cache, account->bytes);
    return ERX_STATUS_OK;
}

int32_t erx_matmul_gate_open(erx_rollup_t *rollup, uint32_t seats_max, uint64_t window_ns,
                             erx_matmul_gate_t **gate_out)
{
    erx_gate_t *gate;
    erx_error_t error;
    const erx_rollup_state_t *state = erx_rollup_of(rollup);
    if (state == NULL)
        return ERX_STATUS_ARGUMENT;
    if (gate_out == NULL)
        return erx_result_missing("gate_out");
    const erx_gate_config_t config = {
        .kernel = erx_matmul_kernel(erx_runtime_matmul(state->runtime)),
        .window_ns = window_ns,
        .seats = seats_max,
        .owner = state->runtime,
    };
    if (erx_gate_open(&config, &gate, &error) != ERX_OK)
        return erx_result_keep(&error);
    *gate_out = erx_handle_make(ERX_HANDLE_GATE, gate);
    if (*gate_out != NULL)
        return ERX_STATUS_OK;
    erx_gate_close(gate);
    return erx_result_refuse(ERX_STATUS_FULL, "%u handles are live", ERX_HANDLES_MAX);
}

int32_t erx_matmul_gate_join(erx_matmul_gate_t *gate, erx_matmul_seat_t **seat_out)
{
    erx_gate_seat_t *seat;
    erx_error_t error;
    erx_gate_t *own = erx_handle_object(ERX_HANDLE_GATE, gate);
    if (own == NULL)
        return erx_result_dead("gate");
    if (seat_out == NULL)
        return erx_result_missing("seat_out");
    if (erx_gate_join(own, &seat, &error) != ERX_OK)
        return erx_result_keep(&error);
    *seat_out = erx_handle_make(ERX_HANDLE_SEAT, seat);
    if (*seat_out != NULL)
        return ERX_STATUS_OK;
    erx_gate_leave(seat);
    return erx_result_refuse(ERX_STATUS_FULL, "%u handles are live", ERX_HANDLES_MAX);
}

void erx_matmul_gate_rest(erx_matmul_seat_t *seat)
{
    erx_gate_seat_t *own = erx_handle_object(ERX_HANDLE_SEAT, seat);
    if (own != NULL)
        erx_gate_rest(own);
}

void erx_matmul_gate_leave(erx_matmul_seat_t *seat)
{
    erx_gate_seat_t *own = erx_handle_end(ERX_HANDLE_SEAT, seat);
    if (own != NULL)
        erx_gate_leave(own);
}

int32_t erx_matmul_gate_close(erx_matmul_gate_t *gate)
{
    erx_gate_t *own = erx_handle_object(ERX_HANDLE_GATE, gate);
    if (own == NULL)
        return erx_result_dead("gate");
    if (erx_gate_seats_taken(own) > 0)
        return erx_result_refuse(ERX_STATUS_STATE, "gate: seats are still taken");
    (void)erx_handle_end(ERX_HANDLE_GATE, gate);
    erx_gate_close(own);
    return ERX_STATUS_OK;
}
