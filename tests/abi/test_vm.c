#include <pthread.h>
#include <string.h>

#include "tests/abi/abi_rig.h"
#include "tests/abi/abi_suites.h"

#define BASE   UINT64_C(0x300000000)
#define ROWS   40u
#define COLS   96u
#define INPUT  (ROWS * COLS)
#define OUTPUT (INPUT + COLS)

typedef struct {
    uint8_t memory[OUTPUT + 4 * ROWS];
    uint64_t units;
} machine_t;

static abi_rig_t rig;

static void setup(void)
{
    abi_rig_make(&rig);
    abi_rig_open(&rig);
}

static void teardown(void)
{
    abi_rig_end(&rig);
}

static bool translate(void *context, uint64_t address, uint64_t size, bool writable,
                      erx_vm_range_t *range_out)
{
    machine_t *machine = context;
    (void)writable;
    if (address < BASE || address - BASE > sizeof machine->memory ||
        size > sizeof machine->memory - (address - BASE))
        return false;
    range_out->data = machine->memory + (address - BASE);
    return true;
}

static bool charge(void *context, uint64_t units)
{
    machine_t *machine = context;
    if (machine->units < units)
        return false;
    machine->units -= units;
    return true;
}

static void fill(machine_t *machine, uint64_t seed)
{
    for (uint32_t i = 0; i < OUTPUT; i++)
        machine->memory[i] = (uint8_t)((i * 2654435761u + seed * 40503u) >> 7);
    machine->units = 1000000;
}

static void expect_product(const machine_t *machine)
{
    for (uint32_t row = 0; row < ROWS; row++) {
        int32_t expected = 0, actual;
        for (uint32_t column = 0; column < COLS; column++)
            expected += (int8_t)machine->memory[row * COLS + column] *
                        (int8_t)machine->memory[INPUT + column];
        memcpy(&actual, machine->memory + OUTPUT + 4 * row, sizeof actual);
        ck_assert_int_eq(actual, expected);
    }
}

static erx_vm_t vm_of(machine_t *machine)
{
    return (erx_vm_t){.struct_size = sizeof(erx_vm_t),
                      .context = machine,
                      .translate = translate,
                      .charge = charge};
}

START_TEST(a_product_is_exact_and_charged)
{
    machine_t machine;
    fill(&machine, 1);
    erx_vm_t vm = vm_of(&machine);
    erx_fault_t fault = {.struct_size = sizeof fault};
    ck_assert_uint_eq(erx_sol_matmul_i8(rig.rollup, &vm, NULL, BASE, BASE + INPUT, BASE + OUTPUT,
                                        ROWS, COLS, &fault),
                      0);
    ck_assert_int_eq(fault.kind, ERX_FAULT_NONE);
    expect_product(&machine);
    ck_assert_uint_eq(machine.units, 1000000 - 100 - ROWS * COLS / 100);
}
END_TEST

START_TEST(faults_are_told_by_kind)
{
    machine_t machine;
    fill(&machine, 1);
    erx_vm_t vm = vm_of(&machine);
    erx_fault_t fault = {.struct_size = sizeof fault};
    ck_assert_uint_eq(erx_sol_matmul_i8(rig.rollup, &vm, NULL, BASE, BASE + INPUT, BASE + OUTPUT,
                                        ROWS + 1, COLS, &fault),
                      1);
    ck_assert_int_eq(fault.kind, ERX_FAULT_ACCESS_VIOLATION);
    ck_assert_uint_eq(erx_sol_matmul_i8(rig.rollup, &vm, NULL, BASE, BASE + INPUT, BASE + OUTPUT, 1,
                                        ERX_MATMUL_COLS_MAX + 1, &fault),
                      1);
    ck_assert_int_eq(fault.kind, ERX_FAULT_INVALID_ARGUMENT);
    machine.units = 10;
    ck_assert_uint_eq(erx_sol_matmul_i8(rig.rollup, &vm, NULL, BASE, BASE + INPUT, BASE + OUTPUT,
                                        ROWS, COLS, &fault),
                      1);
    ck_assert_int_eq(fault.kind, ERX_FAULT_BUDGET_EXHAUSTED);
    ck_assert_uint_eq(erx_sol_matmul_i8(rig.rollup, NULL, NULL, 0, 0, 0, 0, 0, &fault), 1);
    ck_assert_int_eq(fault.kind, ERX_FAULT_INVALID_ARGUMENT);
    ck_assert_uint_eq(erx_sol_matmul_i8(NULL, &vm, NULL, 0, 0, 0, 0, 0, NULL), 1);
}
END_TEST

START_TEST(the_dims_variant_reads_its_sizes)
{
    machine_t machine;
    const uint32_t dims[2] = {ROWS, COLS};
    fill(&machine, 3);
    erx_vm_t vm = vm_of(&machine);
    memcpy(machine.memory + OUTPUT - 8, dims, sizeof dims); /* the input's end */
    ck_assert_uint_eq(erx_sol_matmul_i8_dims(rig.rollup, &vm, NULL, BASE, BASE + INPUT,
                                             BASE + OUTPUT, BASE + OUTPUT - 8, 0, NULL),
                      0);
    expect_product(&machine);
}
END_TEST

START_TEST(a_rollup_without_the_syscall_says_so)
{
    machine_t machine;
    erx_vm_t vm = vm_of(&machine);
    erx_fault_t fault = {.struct_size = sizeof fault};
    abi_rig_close(&rig);
    rig.config.syscalls = ERX_SYSCALL_MATMUL_I8_DIMS;
    abi_rig_open(&rig);
    ck_assert_uint_eq(erx_sol_matmul_i8(rig.rollup, &vm, NULL, 0, 0, 0, 0, 0, &fault), 1);
    ck_assert_int_eq(fault.kind, ERX_FAULT_UNSUPPORTED);
}
END_TEST

typedef struct {
    erx_matmul_gate_t *gate;
    machine_t machine;
} player_t;

static void *play(void *context)
{
    player_t *player = context;
    erx_matmul_seat_t *seat;
    erx_vm_t vm = vm_of(&player->machine);
    if (erx_matmul_gate_join(player->gate, &seat) != 0)
        return player;
    for (uint32_t i = 0; i < 50; i++)
        if (erx_sol_matmul_i8(rig.rollup, &vm, seat, BASE, BASE + INPUT, BASE + OUTPUT, ROWS, COLS,
                              NULL) != 0)
            return player;
    erx_matmul_gate_leave(seat);
    return NULL;
}

START_TEST(machines_meet_at_a_gate)
{
    pthread_t threads[4];
    static player_t players[4];
    erx_matmul_gate_t *gate;
    erx_matmul_seat_t *seat;
    ck_assert_int_eq(erx_matmul_gate_open(rig.rollup, 4, 100000, &gate), 0);
    for (uint32_t i = 0; i < 4; i++) {
        players[i].gate = gate;
        fill(&players[i].machine, i);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, play, &players[i]), 0);
    }
    for (uint32_t i = 0; i < 4; i++) {
        void *failure;
        (void)pthread_join(threads[i], &failure);
        ck_assert_ptr_null(failure);
        expect_product(&players[i].machine);
    }
    ck_assert_int_eq(erx_matmul_gate_join(gate, &seat), 0);
    ck_assert_int_eq(erx_matmul_gate_close(gate), ERX_STATUS_STATE);
    erx_matmul_gate_leave(seat);
    erx_matmul_gate_leave(seat); /* dead already */
    ck_assert_int_eq(erx_matmul_gate_close(gate), 0);
    ck_assert_int_eq(erx_matmul_gate_close(gate), ERX_STATUS_ARGUMENT);
}
END_TEST

START_TEST(a_seat_of_another_rollup_is_refused)
{
    machine_t machine;
    erx_rollup_t *other;
    erx_matmul_gate_t *gate;
    erx_matmul_seat_t *seat;
    erx_fault_t fault = {.struct_size = sizeof fault};
    fill(&machine, 5);
    erx_vm_t vm = vm_of(&machine);
    const erx_rollup_config_t config = rig.config;
    ck_assert_msg(erx_rollup_open(&config, &other) == 0, "%s", erx_last_error());
    ck_assert_int_eq(erx_matmul_gate_open(other, 1, 0, &gate), 0);
    ck_assert_int_eq(erx_matmul_gate_join(gate, &seat), 0);
    uint64_t units = machine.units;
    ck_assert_uint_eq(erx_sol_matmul_i8(rig.rollup, &vm, seat, BASE, BASE + INPUT, BASE + OUTPUT,
                                        ROWS, COLS, &fault),
                      1);
    ck_assert_int_eq(fault.kind, ERX_FAULT_INVALID_ARGUMENT);
    ck_assert_uint_eq(machine.units, units);
    ck_assert_uint_eq(
        erx_sol_matmul_i8(other, &vm, seat, BASE, BASE + INPUT, BASE + OUTPUT, ROWS, COLS, &fault),
        0);
    expect_product(&machine);
    erx_matmul_gate_leave(seat);
    ck_assert_int_eq(erx_matmul_gate_close(gate), 0);
    ck_assert_int_eq(erx_rollup_close(other), 0);
}
END_TEST

Suite *vm_suite(void)
{
    Suite *suite = suite_create("vm");
    TCase *tests = tcase_create("vm");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_product_is_exact_and_charged);
    tcase_add_test(tests, faults_are_told_by_kind);
    tcase_add_test(tests, the_dims_variant_reads_its_sizes);
    tcase_add_test(tests, a_rollup_without_the_syscall_says_so);
    tcase_add_test(tests, machines_meet_at_a_gate);
    tcase_add_test(tests, a_seat_of_another_rollup_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
