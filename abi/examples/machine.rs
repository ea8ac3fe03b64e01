//! A virtual machine that uses erx, with nothing but the standard library: a toy
//! memory map and meter, `sol_matmul_i8` registered with them under the number
//! that programs call it by, and a session that plays for a while.
//!
//!     rustc machine.rs -l erx -L $(pkg-config --variable=libdir erx)
//!     ./machine $(pkg-config --variable=modelsdir erx)/world

use std::collections::HashMap;
use std::ffi::{c_void, CStr, CString};
use std::mem::{size_of, MaybeUninit};
use std::os::raw::c_char;
use std::process::exit;
use std::ptr::{null, null_mut};

// ------------------------------------------------------------- what erx.h says

const CONTROLLER_SIZE: usize = 8;
const STATUS_OK: i32 = 0;
const FAULT_NAMES: [&str; 5] =
    ["none", "access violation", "budget exhausted", "invalid argument", "unsupported"];

type Pubkey = [u8; 32];

/// A rollup; only pointers to it are passed around.
#[repr(C)]
struct Rollup {
    private: [u8; 0],
}

/// A seat of a gate; this program multiplies alone.
#[repr(C)]
struct Seat {
    private: [u8; 0],
}

/// What begins erx_rollup_config_t. Its defaults are the library's.
#[repr(C)]
struct RollupConfig {
    struct_size: u32,
    worker_count: u32,
    cpu_list: *const c_char,
    isa: *const c_char,
    verifier_count: u32,
}

#[repr(C)]
struct SessionConfig {
    struct_size: u32,
    session_id: u64,
    model_id: u64,
    players: [Pubkey; 2],
    characters: [u8; 2],
    stage: u8,
    wait_for_join: bool,
    max_frames: u32,
    seed: u64,
    timestamp: i64,
    tick_divisor: u32,
}

#[repr(C)]
struct BlockConfig {
    struct_size: u32,
    slot: u64,
    timestamp: i64,
    crank: bool,
    tick: u64,
    strict: bool,
}

#[repr(C)]
struct VmRange {
    data: *mut u8,
    account: *const Pubkey,
    version: u64,
    account_offset: u64,
}

#[repr(C)]
struct Vm {
    struct_size: u32,
    context: *mut c_void,
    translate: unsafe extern "C" fn(*mut c_void, u64, u64, bool, *mut VmRange) -> bool,
    charge: unsafe extern "C" fn(*mut c_void, u64) -> bool,
}

#[repr(C)]
struct Fault {
    struct_size: u32,
    kind: u32,
    address: u64,
    size: u64,
}

extern "C" {
    fn erx_last_error() -> *const c_char;
    fn erx_rollup_config_default(config: *mut RollupConfig);
    fn erx_rollup_open(config: *const RollupConfig, rollup_out: *mut *mut Rollup) -> i32;
    fn erx_rollup_load_model(
        rollup: *mut Rollup,
        directory: *const c_char,
        model_id: u64,
        session_capacity: u32,
    ) -> i32;
    fn erx_rollup_start(rollup: *mut Rollup) -> i32;
    fn erx_rollup_close(rollup: *mut Rollup) -> i32;
    fn erx_session_config_default(config: *mut SessionConfig);
    fn erx_rollup_create_session(
        rollup: *mut Rollup,
        config: *const SessionConfig,
        session_out: *mut u64,
    ) -> i32;
    fn erx_rollup_input(
        rollup: *mut Rollup,
        session: u64,
        player: u32,
        control: *const [u8; CONTROLLER_SIZE],
    ) -> i32;
    fn erx_block_config_default(config: *mut BlockConfig);
    fn erx_rollup_seal(
        rollup: *mut Rollup,
        config: *const BlockConfig,
        result_out: *mut *const c_void,
    ) -> i32;
    fn erx_rollup_processed_slot(rollup: *const Rollup) -> u64;
    fn erx_sol_matmul_i8(
        rollup: *mut Rollup,
        vm: *const Vm,
        seat: *mut Seat,
        weights: u64,
        input: u64,
        output: u64,
        rows: u64,
        cols: u64,
        fault_out: *mut Fault,
    ) -> u64;
}

/// A struct that the library fills with its defaults. Those of a newer library
/// may be longer: there is room behind, and its struct_size says that it counts.
#[repr(C)]
struct Filled<T> {
    known: T,
    later: [u64; 512],
}

impl<T> Filled<T> {
    fn by(fill: unsafe extern "C" fn(*mut T)) -> Box<Self> {
        let mut room = Box::new(MaybeUninit::<Self>::zeroed());
        // Integers, bools and pointers of zero bits are values of their types.
        unsafe {
            fill(room.as_mut_ptr().cast());
            let filled = Box::from_raw(Box::into_raw(room).cast::<Self>());
            let size = *filled.as_ptr().cast::<u32>() as usize;
            assert!((size_of::<T>()..=size_of::<Self>()).contains(&size), "not this erx.h");
            filled
        }
    }

    /// All of it, also what this program has no names for.
    fn as_ptr(&self) -> *const T {
        (self as *const Self).cast()
    }
}

fn check(status: i32, what: &str) {
    if status != STATUS_OK {
        let reason = unsafe { CStr::from_ptr(erx_last_error()) };
        eprintln!("{}: {}", what, reason.to_string_lossy());
        exit(1);
    }
}

// ---------------------------------------------------------------- the machine

const HEAP: u64 = 0x3_0000_0000; // where programs have theirs
const SOL_MATMUL_I8: u32 = 1; // any number that programs are compiled for

type Syscall = fn(&mut Machine, [u64; 5]) -> Result<u64, String>;

/// One region of memory, a meter, and syscalls by number.
struct Machine {
    rollup: *mut Rollup,
    heap: Vec<u8>,
    units: u64,
    syscalls: HashMap<u32, Syscall>,
}

impl Machine {
    fn call(&mut self, number: u32, registers: [u64; 5]) -> Result<u64, String> {
        match self.syscalls.get(&number).copied() {
            Some(syscall) => syscall(self, registers),
            None => Err(format!("no syscall {}", number)),
        }
    }
}

/// Called by erx during the syscall. It must not panic: C cannot unwind.
unsafe extern "C" fn translate(
    context: *mut c_void,
    address: u64,
    size: u64,
    _writable: bool,
    range_out: *mut VmRange,
) -> bool {
    let machine = &mut *context.cast::<Machine>();
    let bytes = machine.heap.len() as u64;
    let offset = address.wrapping_sub(HEAP);
    if address < HEAP || offset > bytes || size > bytes - offset {
        return false;
    }
    // The heap can be written to, so it has no account whose bytes stay.
    let data = machine.heap.as_mut_ptr().add(offset as usize);
    *range_out = VmRange { data, account: null(), version: 0, account_offset: 0 };
    true
}

unsafe extern "C" fn charge(context: *mut c_void, units: u64) -> bool {
    let machine = &mut *context.cast::<Machine>();
    let rest = machine.units.checked_sub(units);
    machine.units = rest.unwrap_or(0);
    rest.is_some()
}

/// What is registered: registers r1 to r5 in, r0 or the machine's error out.
fn sol_matmul_i8(machine: &mut Machine, [weights, input, output, rows, cols]: [u64; 5])
    -> Result<u64, String> {
    let rollup = machine.rollup;
    let context = (machine as *mut Machine).cast();
    let vm = Vm { struct_size: size_of::<Vm>() as u32, context, translate, charge };
    let mut fault = Fault { struct_size: size_of::<Fault>() as u32, kind: 0, address: 0, size: 0 };
    let status = unsafe {
        erx_sol_matmul_i8(rollup, &vm, null_mut(), weights, input, output, rows, cols, &mut fault)
    };
    if status == 0 {
        return Ok(0);
    }
    let name = FAULT_NAMES.get(fault.kind as usize).copied().unwrap_or("unknown fault");
    Err(format!("{} at {:#x}, {} bytes", name, fault.address, fault.size))
}

// ---------------------------------------------------------------- the program

const ROWS: usize = 24;
const COLS: usize = 40;
const INPUT: usize = ROWS * COLS;
const OUTPUT: usize = INPUT + COLS;
const UNITS: u64 = 1000;

/// Row `row` of the product, as anyone would write it.
fn expected(heap: &[u8], row: usize) -> i32 {
    let weights = &heap[row * COLS..][..COLS];
    let products = weights.iter().zip(&heap[INPUT..]);
    products.map(|(&w, &x)| i32::from(w as i8) * i32::from(x as i8)).sum()
}

/// Multiplies a small matrix through the syscall and compares with a plain loop.
fn multiply(rollup: *mut Rollup) {
    let mut heap: Vec<u8> = (0..OUTPUT).map(|i| (i * 37) as u8).collect();
    heap.resize(OUTPUT + 4 * ROWS, 0);
    let mut machine = Machine { rollup, heap, units: UNITS, syscalls: HashMap::new() };
    machine.syscalls.insert(SOL_MATMUL_I8, sol_matmul_i8);

    let at = |offset: usize| HEAP + offset as u64;
    let registers = [at(0), at(INPUT), at(OUTPUT), ROWS as u64, COLS as u64];
    assert_eq!(machine.call(SOL_MATMUL_I8, registers), Ok(0));
    for row in 0..ROWS {
        let product = &machine.heap[OUTPUT + 4 * row..][..4];
        assert_eq!(product, expected(&machine.heap, row).to_le_bytes());
    }
    assert_eq!(UNITS - machine.units, 100 + (ROWS * COLS / 100) as u64);
    println!("syscall: {} x {} exact for {} units", ROWS, COLS, UNITS - machine.units);

    let one_row_more = [at(0), at(INPUT), at(OUTPUT), ROWS as u64 + 1, COLS as u64];
    let refused = machine.call(SOL_MATMUL_I8, one_row_more).expect_err("it is past the heap");
    println!("syscall: one row more is refused: {}", refused);
    machine.units = 99;
    let refused = machine.call(SOL_MATMUL_I8, registers).expect_err("it costs more");
    println!("syscall: with 99 units: {}", refused);
}

fn play(rollup: *mut Rollup, frames: u64) {
    let mut session = 0;
    let mut terms = Filled::by(erx_session_config_default);
    terms.known.session_id = 1;
    terms.known.model_id = 1;
    terms.known.stage = 31; // Battlefield
    let status = unsafe { erx_rollup_create_session(rollup, terms.as_ptr(), &mut session) };
    check(status, "create session");
    let mut block = Filled::by(erx_block_config_default);
    block.known.crank = true;
    for frame in 1..=frames {
        let control = [80, 0, 0, 0, 0, 0, 0, 0]; // the stick to the right
        block.known.slot = frame;
        block.known.tick = frame;
        unsafe {
            check(erx_rollup_input(rollup, session, 0, &control), "input");
            check(erx_rollup_seal(rollup, block.as_ptr(), null_mut()), "seal");
        }
    }
    println!("session: {} blocks", unsafe { erx_rollup_processed_slot(rollup) });
}

fn main() {
    let directory = std::env::args().nth(1).and_then(|path| CString::new(path).ok());
    let directory = directory.unwrap_or_else(|| {
        eprintln!("usage: machine MODEL_DIRECTORY");
        exit(2);
    });
    let config = Filled::by(erx_rollup_config_default);
    let mut rollup = null_mut();
    unsafe {
        check(erx_rollup_open(config.as_ptr(), &mut rollup), "open");
        check(erx_rollup_load_model(rollup, directory.as_ptr(), 1, 4), "load model");
        check(erx_rollup_start(rollup), "start");
    }
    multiply(rollup);
    play(rollup, 120);
    check(unsafe { erx_rollup_close(rollup) }, "close");
}
