//! The C interface of the scanner: pointers come in and go out here, and nowhere else.
//!
//! Whoever calls keeps three promises: a buffer is readable for the length told, a handle came from `gatepost_*_new`
//! and was not freed, and one batch is used by one thread at a time. An engine is read-only once it is made.

mod classes;
mod columns;
mod engine;
mod heading;
mod spec;

use columns::Batch;
use engine::Engine;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;

/// Grows with every change of this interface or of the table format.
pub const VERSION: u32 = 1;
const BROKEN: i64 = -1;

#[no_mangle]
pub extern "C" fn gatepost_version() -> u32 {
    VERSION
}

/// Null where the table is not well formed.
///
/// # Safety
/// `table` is readable for `len` bytes.
#[no_mangle]
pub unsafe extern "C" fn gatepost_engine_new(table: *const u8, len: usize) -> *mut Engine {
    let table = bytes(table, len);
    match catch_unwind(|| Engine::read(table)) {
        Ok(Some(engine)) => Box::into_raw(Box::new(engine)),
        _ => std::ptr::null_mut(),
    }
}

/// # Safety
/// `engine` outlives the batch.
#[no_mangle]
pub unsafe extern "C" fn gatepost_batch_new(engine: *const Engine) -> *mut Batch {
    Box::into_raw(Box::new(Batch::new(&*engine)))
}

/// # Safety
/// `batch` came from `gatepost_batch_new` and is not used again.
#[no_mangle]
pub unsafe extern "C" fn gatepost_batch_free(batch: *mut Batch) {
    drop(Box::from_raw(batch));
}

/// Recognise lines from `begin` on. Returns where it stopped: the end, or the start of a line whose day is not known
/// yet (tell it with `gatepost_day`, then go on from there). Negative: give the whole buffer to the slow path.
///
/// # Safety
/// `lines` is readable for `len` bytes; the handles are alive.
#[no_mangle]
pub unsafe extern "C" fn gatepost_match(
    engine: *const Engine,
    batch: *mut Batch,
    lines: *const u8,
    len: usize,
    begin: usize,
) -> i64 {
    let (engine, batch, lines) = (&*engine, &mut *batch, bytes(lines, len));
    guarded(|| batch.recognise(engine, lines, begin))
}

/// The microsecond at which a day begins, by the text of the day as it stands in the header. `even`: 0 where clocks
/// change or the year turns within the day, so that its lines go the slow path.
///
/// # Safety
/// `day` is readable for `len` bytes; the handle is alive.
#[no_mangle]
pub unsafe extern "C" fn gatepost_day(batch: *mut Batch, day: *const u8, len: usize, at: i64, even: u8) {
    (*batch).days.know(bytes(day, len), at, even != 0);
}

/// Write the columns. `rows` are the rows of the lines that were left, encoded, in their order.
///
/// # Safety
/// `lines` is the buffer that was recognised; `rows` is readable for `count` bytes; the handles are alive.
#[no_mangle]
pub unsafe extern "C" fn gatepost_fill(
    engine: *const Engine,
    batch: *mut Batch,
    lines: *const u8,
    len: usize,
    rows: *const u8,
    count: usize,
    source: i64,
    offset: i64,
) -> i64 {
    let (engine, batch) = (&*engine, &mut *batch);
    let (lines, rows) = (bytes(lines, len), bytes(rows, count));
    guarded(|| batch.fill(engine, lines, rows, source, offset))
}

/// A part of the batch: `what` as in `Batch::part`. Valid until the batch is recognised into again.
///
/// # Safety
/// The handle is alive; `size` is writable.
#[no_mangle]
pub unsafe extern "C" fn gatepost_part(batch: *const Batch, column: u32, what: u32, size: *mut usize) -> *const u8 {
    let part = (*batch).part(column as usize, what);
    *size = part.map_or(0, |(_, length)| length);
    part.map_or(null(), |(start, _)| start)
}

/// Forget the lines of the batch and keep its memory. `days`: 1 to forget those too, for lines with another clock.
///
/// # Safety
/// The handle is alive.
#[no_mangle]
pub unsafe extern "C" fn gatepost_batch_clear(batch: *mut Batch, days: u8) {
    (*batch).clear();
    if days != 0 {
        (*batch).days.forget();
    }
}

unsafe fn bytes<'a>(start: *const u8, len: usize) -> &'a [u8] {
    if start.is_null() || len == 0 {
        return &[];
    }
    std::slice::from_raw_parts(start, len)
}

fn guarded(work: impl FnOnce() -> Option<i64>) -> i64 {
    catch_unwind(AssertUnwindSafe(work)).ok().flatten().unwrap_or(BROKEN)
}
