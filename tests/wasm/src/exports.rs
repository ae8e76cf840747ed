//! What node calls. Numbers go over as numbers, a check's name as the place of its bytes in the module's
//! memory.
#![allow(
    unsafe_code,
    reason = "an exported name needs `no_mangle`, which the linker cannot check for clashes"
)]

use core::cell::RefCell;

use crate::{CHECKS, Check, SOAKS};

thread_local! {
    /// The values of the check that ran last.
    static VALUES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Those of every run, and then those that take minutes.
fn check(index: usize) -> &'static Check {
    CHECKS.get(index).unwrap_or_else(|| &SOAKS[index - CHECKS.len()])
}

/// The number of checks of every run. Those that take minutes come after them.
#[unsafe(no_mangle)]
extern "C" fn quick_count() -> usize {
    CHECKS.len()
}

/// The number of checks; the functions below take an index less than it and panic, which traps, at any other.
#[unsafe(no_mangle)]
extern "C" fn check_count() -> usize {
    CHECKS.len() + SOAKS.len()
}

/// Where the name of a check begins.
#[unsafe(no_mangle)]
extern "C" fn check_name(index: usize) -> *const u8 {
    check(index).name.as_ptr()
}

/// How many bytes of UTF-8 the name of a check has.
#[unsafe(no_mangle)]
extern "C" fn check_name_length(index: usize) -> usize {
    check(index).name.len()
}

/// Runs a check and returns the number of its values.
#[unsafe(no_mangle)]
extern "C" fn check_run(index: usize) -> usize {
    let values = (check(index).run)();
    VALUES.replace(values);
    VALUES.with_borrow(Vec::len)
}

/// One value of the check that ran last, as a BigInt whose sign is to be ignored.
#[unsafe(no_mangle)]
extern "C" fn check_value(place: usize) -> u64 {
    VALUES.with_borrow(|values| values[place])
}
