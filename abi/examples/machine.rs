//! A virtual machine's view of erx, with nothing but the standard library: a toy
//! memory map and meter, `sol_matmul_i8` registered with them, and a session
//! that plays for a while.
//!
//!     rustc machine.rs -l erx -L LIBRARY_DIRECTORY
//!     ./machine MODEL_DIRECTORY

use std::ffi::{c_char, c_void, CStr, CString};
use std::mem::{size_of, MaybeUninit};

const CONTROLLER_SIZE: usize = 8;
const STATUS_OK: i32 = 0;

/// What this program uses of erx.h. Structs that grow begin with their size and
/// are filled by the library's *_default, so only their front is named here.
#[repr(C)]
struct Vm {
    struct_size: u32,
    context: *mut c_void,
    translate: extern "C" fn(*mut c_void, u64, u64, bool, *mut VmRange) -> bool,
    charge: extern "C" fn(*mut c_void, u64) -> bool,
}

#[repr(C)]
struct VmRange {
    data: *mut u8,
    account: *const [u8; 32],
    version: u64,
    account_offset: u64,
}

#[repr(C)]
#[derive(Default)]
struct Fault {
    struct_size: u32,
    kind: i32,
    address: u64,
    size: u64,
}

#[repr(C)]
struct SessionConfig {
    struct_size: u32,
    session_id: u64,
    model_id: u64,
    players: [[u8; 32]; 2],
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

/// At least as large and aligned as erx_rollup_config_t of this version.
#[repr(C, align(8))]
struct RollupConfig([u8; 1024]);

extern "C" {
    fn erx_last_error() -> *const c_char;
    fn erx_rollup_config_default(config: *mut RollupConfig);
    fn erx_rollup_open(config: *const RollupConfig, rollup: *mut *mut c_void) -> i32;
    fn erx_rollup_load_model(
        rollup: *mut c_void,
        directory: *const c_char,
        model_id: u64,
        sessions: u32,
    ) -> i32;
    fn erx_rollup_start(rollup: *mut c_void) -> i32;
    fn erx_rollup_close(rollup: *mut c_void) -> i32;
    fn erx_session_config_default(config: *mut SessionConfig);
    fn erx_rollup_create_session(
        rollup: *mut c_void,
        config: *const SessionConfig,
        session: *mut u64,
    ) -> i32;
    fn erx_rollup_input(
        rollup: *mut c_void,
        session: u64,
        player: u32,
        control: *const [u8; CONTROLLER_SIZE],
    ) -> i32;
    fn erx_block_config_default(config: *mut BlockConfig);
    fn erx_rollup_seal(
        rollup: *mut c_void,
        config: *const BlockConfig,
        result: *mut *const c_void,
    ) -> i32;
    fn erx_rollup_processed_slot(rollup: *const c_void) -> u64;
    fn erx_sol_matmul_i8(
        rollup: *mut c_void,
        vm: *const Vm,
        seat: *mut c_void,
        weights: u64,
        input: u64,
        output: u64,
        rows: u64,
        cols: u64,
        fault: *mut Fault,
    ) -> u64;
}

fn check(status: i32, what: &str) {
    if status != STATUS_OK {
        let reason = unsafe { CStr::from_ptr(erx_last_error()) };
        eprintln!("{what}: {}", reason.to_string_lossy());
        std::process::exit(1);
    }
}

/// A machine with one region at BASE, as SBF programs have their heap.
struct Machine {
    memory: Vec<u8>,
    units: u64,
}

const BASE: u64 = 0x3_0000_0000;

extern "C" fn translate(
    context: *mut c_void,
    address: u64,
    size: u64,
    _writable: bool,
    range: *mut VmRange,
) -> bool {
    let machine = unsafe { &mut *context.cast::<Machine>() };
    let Some(offset) = address.checked_sub(BASE) else { return false };
    let Some(end) = offset.checked_add(size) else { return false };
    if end > machine.memory.len() as u64 {
        return false;
    }
    unsafe { (*range).data = machine.memory.as_mut_ptr().add(offset as usize) };
    true
}

extern "C" fn charge(context: *mut c_void, units: u64) -> bool {
    let machine = unsafe { &mut *context.cast::<Machine>() };
    match machine.units.checked_sub(units) {
        Some(rest) => machine.units = rest,
        None => return false,
    }
    true
}

/// Multiplies a small matrix through the syscall and compares with a plain loop.
fn multiply(rollup: *mut c_void) {
    const ROWS: usize = 24;
    const COLS: usize = 40;
    let (input_at, output_at) = (ROWS * COLS, ROWS * COLS + COLS);
    let mut machine = Machine { memory: vec![0; output_at + 4 * ROWS], units: 1000 };
    for (i, byte) in machine.memory[..output_at].iter_mut().enumerate() {
        *byte = (i * 37 % 256) as u8;
    }
    let context: *mut c_void = (&raw mut machine).cast();
    let vm = Vm { struct_size: size_of::<Vm>() as u32, context, translate, charge };
    let mut fault = Fault { struct_size: size_of::<Fault>() as u32, ..Default::default() };
    let call = |rows: u64, fault: &mut Fault| unsafe {
        let (input, output) = (BASE + input_at as u64, BASE + output_at as u64);
        let none = std::ptr::null_mut();
        erx_sol_matmul_i8(rollup, &vm, none, BASE, input, output, rows, COLS as u64, fault)
    };
    assert_eq!(call(ROWS as u64, &mut fault), 0);
    for row in 0..ROWS {
        let expected: i32 = (0..COLS)
            .map(|j| {
                let weight = i32::from(machine.memory[row * COLS + j] as i8);
                weight * i32::from(machine.memory[input_at + j] as i8)
            })
            .sum();
        let at = output_at + 4 * row;
        assert_eq!(machine.memory[at..at + 4], expected.to_le_bytes());
    }
    assert_eq!(machine.units, 1000 - 100 - (ROWS * COLS / 100) as u64);
    assert_eq!(call(ROWS as u64 + 1, &mut fault), 1);
    println!("syscall: {ROWS} x {COLS} exact; one row more is fault {} at {:#x}", fault.kind, fault.address);
}

fn play(rollup: *mut c_void) {
    let mut terms = MaybeUninit::<SessionConfig>::uninit();
    let mut session = 0;
    unsafe {
        erx_session_config_default(terms.as_mut_ptr());
        let mut terms = terms.assume_init();
        (terms.session_id, terms.model_id, terms.stage) = (1, 1, 31);
        check(erx_rollup_create_session(rollup, &terms, &mut session), "create session");
        for frame in 1..=120 {
            let mut block = MaybeUninit::<BlockConfig>::uninit();
            erx_block_config_default(block.as_mut_ptr());
            let mut block = block.assume_init();
            (block.slot, block.timestamp, block.crank, block.tick) = (frame, 0, true, frame);
            let control = [80, 0, 0, 0, 0, 0, 0, 0];
            check(erx_rollup_input(rollup, session, 0, &control), "input");
            check(erx_rollup_seal(rollup, &block, std::ptr::null_mut()), "seal");
        }
        println!("session: {} blocks", erx_rollup_processed_slot(rollup));
    }
}

fn main() {
    let Some(directory) = std::env::args().nth(1) else {
        eprintln!("usage: machine MODEL_DIRECTORY");
        std::process::exit(2);
    };
    let directory = CString::new(directory).expect("a path without zeros");
    let mut config = RollupConfig([0; 1024]);
    let mut rollup = std::ptr::null_mut();
    unsafe {
        erx_rollup_config_default(&mut config);
        check(erx_rollup_open(&config, &mut rollup), "open");
        check(erx_rollup_load_model(rollup, directory.as_ptr(), 1, 4), "load model");
        check(erx_rollup_start(rollup), "start");
        multiply(rollup);
        play(rollup);
        check(erx_rollup_close(rollup), "close");
    }
}
