//! What node calls. Numbers go over as numbers, a check's name as the place of its bytes in the module's
//! memory.
#![allow(
    unsafe_code,
    reason = "an exported name needs `no_mangle`, which the linker cannot check for clashes"
)]

use core::cell::RefCell;

use crate::CHECKS;

thread_local! {
    /// The values of the check that ran last.
    static VALUES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The number of checks; the functions below take an index less than it and panic, which traps, at any other.
#[unsafe(no_mangle)]
extern "C" fn check_count() -> usize {
    CHECKS.len()
}

/// Where the name of a check begins.
#[unsafe(no_mangle)]
extern "C" fn check_name(index: usize) -> *const u8 {
    CHECKS[index].name.as_ptr()
}

/// How many bytes of UTF-8 the name of a check has.
#[unsafe(no_mangle)]
extern "C" fn check_name_length(index: usize) -> usize {
    CHECKS[index].name.len()
}

/// Runs a check and returns the number of its values.
#[unsafe(no_mangle)]
extern "C" fn check_run(index: usize) -> usize {
    let values = (CHECKS[index].run)();
    VALUES.replace(values);
    VALUES.with_borrow(Vec::len)
}

/// One value of the check that ran last, as a BigInt whose sign is to be ignored.
#[unsafe(no_mangle)]
extern "C" fn check_value(place: usize) -> u64 {
    VALUES.with_borrow(|values| values[place])
}
