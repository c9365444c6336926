//! The file system of WASI 0.1 for core modules, counted in the same way, and with so many files open at a time.

use std::io;

use wasmtime::{AsContextMut, Caller, Extern, Linker, Memory};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as plain, WasiSnapshotPreview1};
use wiggle::GuestMemory;

use super::Allowance;

const MODULE: &str = "wasi_snapshot_preview1";
/// Files and folders that a program may have open at a time: each is one of this process's.
const MAX_OPEN: u32 = 1_000;
/// `errno::success`, `errno::fault`, `errno::mfile`, `errno::noent`, `errno::nospc` and `errno::notsup`.
const SUCCESS: i32 = 0;
const FAULT: i32 = 21;
const MFILE: i32 = 33;
const NOENT: i32 = 44;
const NOSPC: i32 = 51;
const NOTSUP: i32 = 58;
/// `oflags::creat` and `oflags::excl`.
const CREATE: i32 = 1;
const EXCLUSIVE: i32 = 4;
/// The last of standard input, output and error, which are no files and stay what they are.
const STANDARD: i32 = 2;
/// Size of a `ciovec`: address and length.
const VECTOR: usize = 8;

/// What a store has for a module of WASI 0.1.
pub trait Preview1: Send + 'static {
    /// The system interface.
    fn wasi(&mut self) -> &mut WasiP1Ctx;
    /// What may still be written.
    fn allowance(&self) -> &Allowance;
    /// How many files and folders were opened and not closed.
    fn opened(&mut self) -> &mut u32;
}

/// Puts counted functions in the place of those that write, open and close.
///
/// # Errors
/// When the linker does not take them.
pub fn bound<T: Preview1>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap_async(MODULE, "fd_write", |mut caller: Caller<'_, T>, args: (i32, i32, i32, i32)| {
        Box::new(async move {
            let (file, vectors, count, written) = args;
            if file > STANDARD
                && let Some(errno) = refused(charge(&mut caller, vectors, count))
            {
                return Ok(errno);
            }
            let (wasi, mut memory) = parts(&mut caller)?;
            plain::fd_write(wasi, &mut memory, file, vectors, count, written).await
        })
    })?;
    linker.func_wrap_async(MODULE, "fd_pwrite", |mut caller: Caller<'_, T>, args: (i32, i32, i32, i64, i32)| {
        Box::new(async move {
            let (file, vectors, count, offset, written) = args;
            if let Some(errno) = refused(charge(&mut caller, vectors, count)) {
                return Ok(errno);
            }
            let (wasi, mut memory) = parts(&mut caller)?;
            plain::fd_pwrite(wasi, &mut memory, file, vectors, count, offset, written).await
        })
    })?;
    linker.func_wrap_async(MODULE, "fd_filestat_set_size", |mut caller: Caller<'_, T>, args: (i32, i64)| {
        Box::new(async move {
            let (file, size) = args;
            if let Some(errno) = refused(caller.data().allowance().take(size.cast_unsigned())) {
                return Ok(errno);
            }
            let (wasi, mut memory) = parts(&mut caller)?;
            plain::fd_filestat_set_size(wasi, &mut memory, file, size).await
        })
    })?;
    linker.func_wrap_async(MODULE, "fd_close", |mut caller: Caller<'_, T>, args: (i32,)| {
        Box::new(async move { close(&mut caller, args.0).await })
    })?;
    // It could put a file in the place of standard output, which is not counted.
    linker.func_wrap(MODULE, "fd_renumber", |_: i32, _: i32| -> i32 { NOTSUP })?;
    linker.func_wrap_async(MODULE, "path_open", |mut caller: Caller<'_, T>, args: Open| {
        Box::new(async move {
            // Only what is not there yet takes an entry.
            if args.4 & CREATE == 0 {
                return open(&mut caller, args).await;
            }
            if args.4 & EXCLUSIVE == 0 {
                let mut existing = args;
                existing.4 &= !CREATE;
                let answer = open(&mut caller, existing).await?;
                if answer != NOENT {
                    return Ok(answer);
                }
            }
            match refused(caller.data().allowance().take_entry()) {
                Some(errno) => Ok(errno),
                None => open(&mut caller, args).await,
            }
        })
    })?;
    linker.func_wrap_async(MODULE, "path_create_directory", |mut caller: Caller<'_, T>, args: (i32, i32, i32)| {
        Box::new(async move {
            let (folder, path, length) = args;
            if let Some(errno) = refused(caller.data().allowance().take_entry()) {
                return Ok(errno);
            }
            let (wasi, mut memory) = parts(&mut caller)?;
            plain::path_create_directory(wasi, &mut memory, folder, path, length).await
        })
    })?;
    linker.func_wrap_async(MODULE, "path_link", |mut caller: Caller<'_, T>, args: Link| {
        Box::new(async move {
            let (folder, look, path, length, other, name, name_length) = args;
            if let Some(errno) = refused(caller.data().allowance().take_entry()) {
                return Ok(errno);
            }
            let (wasi, mut memory) = parts(&mut caller)?;
            plain::path_link(wasi, &mut memory, folder, look, path, length, other, name, name_length).await
        })
    })?;
    linker.func_wrap_async(MODULE, "path_symlink", |mut caller: Caller<'_, T>, args: (i32, i32, i32, i32, i32)| {
        Box::new(async move {
            let (target, target_length, folder, name, length) = args;
            if let Some(errno) = refused(caller.data().allowance().take_entry()) {
                return Ok(errno);
            }
            let (wasi, mut memory) = parts(&mut caller)?;
            plain::path_symlink(wasi, &mut memory, target, target_length, folder, name, length).await
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

type Open = (i32, i32, i32, i32, i32, i64, i64, i32, i32);
type Link = (i32, i32, i32, i32, i32, i32, i32);

async fn open<T: Preview1>(caller: &mut Caller<'_, T>, args: Open) -> wasmtime::Result<i32> {
    if *caller.data_mut().opened() >= MAX_OPEN {
        return Ok(MFILE);
    }
    let (folder, look, path, length, open, rights, inherited, flags, opened) = args;
    let (wasi, mut memory) = parts(caller)?;
    let errno =
        plain::path_open(wasi, &mut memory, folder, look, path, length, open, rights, inherited, flags, opened).await?;
    if errno == SUCCESS {
        *caller.data_mut().opened() += 1;
    }
    Ok(errno)
}

/// Closes a file or folder. Whoever opens one next may get its number, so the standard ones stay open.
async fn close<T: Preview1>(caller: &mut Caller<'_, T>, file: i32) -> wasmtime::Result<i32> {
    if (0..=STANDARD).contains(&file) {
        return Ok(NOTSUP);
    }
    let (wasi, mut memory) = parts(caller)?;
    let errno = plain::fd_close(wasi, &mut memory, file).await?;
    if errno == SUCCESS {
        let opened = caller.data_mut().opened();
        // Folders of the call were there from the beginning, and may be closed as well.
        *opened = opened.saturating_sub(1);
    }
    Ok(errno)
}

/// What the plain functions work on.
fn parts<'a, T: Preview1>(caller: &'a mut Caller<'_, T>) -> wasmtime::Result<(&'a mut WasiP1Ctx, GuestMemory<'a>)> {
    let fuel = caller.as_context_mut().hostcall_fuel();
    let memory = memory(caller).ok_or_else(|| wasmtime::Error::msg("the module has no memory"))?;
    let (bytes, state): (&'a mut [u8], &'a mut T) = memory.data_and_store_mut(caller);
    let wasi = state.wasi();
    wasi.set_hostcall_fuel(fuel);
    Ok((wasi, GuestMemory::Unshared(bytes)))
}

fn memory<T: 'static>(caller: &mut Caller<'_, T>) -> Option<Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Some(memory),
        _ => None,
    }
}

fn refused(taken: io::Result<()>) -> Option<i32> {
    match taken {
        Ok(()) => None,
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Some(NOSPC),
        Err(_) => Some(FAULT),
    }
}

/// Takes what one write puts into a file: it writes the first vector that is not empty.
fn charge<T: Preview1>(caller: &mut Caller<'_, T>, vectors: i32, count: i32) -> io::Result<()> {
    let memory = memory(caller).ok_or(io::ErrorKind::InvalidInput)?;
    let start = vectors.cast_unsigned() as usize;
    let end = start.saturating_add((count.cast_unsigned() as usize).saturating_mul(VECTOR));
    let vectors = memory.data(&*caller).get(start..end).ok_or(io::ErrorKind::InvalidInput)?;
    let length = |vector: &[u8]| vector.get(4..VECTOR)?.try_into().ok().map(u32::from_le_bytes);
    let first = vectors.chunks_exact(VECTOR).filter_map(length).find(|length| *length > 0);
    caller.data().allowance().take(u64::from(first.unwrap_or(0)))
}
