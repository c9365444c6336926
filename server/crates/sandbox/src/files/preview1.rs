//! The file system of WASI 0.1 for core modules, counted in the same way.

use std::io;

use wasmtime::{AsContextMut, Caller, Extern, Linker, Memory};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as plain, WasiSnapshotPreview1};
use wiggle::GuestMemory;

use super::Allowance;

const MODULE: &str = "wasi_snapshot_preview1";
/// `errno::fault`, `errno::noent` and `errno::nospc`.
const FAULT: i32 = 21;
const NOENT: i32 = 44;
const NOSPC: i32 = 51;
/// `oflags::creat` and `oflags::excl`.
const CREATE: i32 = 1;
const EXCLUSIVE: i32 = 4;
/// Standard input, output and error, which are no files.
const STANDARD: i32 = 2;
/// Size of a `ciovec`: address and length.
const VECTOR: usize = 8;

/// What a store has for a module of WASI 0.1.
pub trait Preview1: Send + 'static {
    /// The system interface.
    fn wasi(&mut self) -> &mut WasiP1Ctx;
    /// What may still be written.
    fn allowance(&self) -> &Allowance;
}

/// Puts counted functions in the place of those that write.
///
/// # Errors
/// When the linker does not take them.
pub fn bound<T: Preview1>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap_async(MODULE, "fd_write", |mut caller: Caller<'_, T>, args: (i32, i32, i32, i32)| {
        Box::new(async move {
            let (file, vectors, count, written) = args;
            let (memory, fuel) = parts(&mut caller)?;
            if file > STANDARD
                && let Some(errno) = refused(charge(&mut caller, memory, vectors, count))
            {
                return Ok(errno);
            }
            let (bytes, state) = memory.data_and_store_mut(&mut caller);
            state.wasi().set_hostcall_fuel(fuel);
            plain::fd_write(state.wasi(), &mut GuestMemory::Unshared(bytes), file, vectors, count, written).await
        })
    })?;
    linker.func_wrap_async(MODULE, "fd_pwrite", |mut caller: Caller<'_, T>, args: (i32, i32, i32, i64, i32)| {
        Box::new(async move {
            let (file, vectors, count, offset, written) = args;
            let (memory, fuel) = parts(&mut caller)?;
            if let Some(errno) = refused(charge(&mut caller, memory, vectors, count)) {
                return Ok(errno);
            }
            let (bytes, state) = memory.data_and_store_mut(&mut caller);
            state.wasi().set_hostcall_fuel(fuel);
            plain::fd_pwrite(state.wasi(), &mut GuestMemory::Unshared(bytes), file, vectors, count, offset, written)
                .await
        })
    })?;
    linker.func_wrap_async(MODULE, "fd_filestat_set_size", |mut caller: Caller<'_, T>, (file, size): (i32, i64)| {
        Box::new(async move {
            let (memory, fuel) = parts(&mut caller)?;
            if let Some(errno) = refused(caller.data().allowance().take(size.cast_unsigned())) {
                return Ok(errno);
            }
            let (bytes, state) = memory.data_and_store_mut(&mut caller);
            state.wasi().set_hostcall_fuel(fuel);
            plain::fd_filestat_set_size(state.wasi(), &mut GuestMemory::Unshared(bytes), file, size).await
        })
    })?;
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
            let (memory, fuel) = parts(&mut caller)?;
            if let Some(errno) = refused(caller.data().allowance().take_entry()) {
                return Ok(errno);
            }
            let (bytes, state) = memory.data_and_store_mut(&mut caller);
            state.wasi().set_hostcall_fuel(fuel);
            plain::path_create_directory(state.wasi(), &mut GuestMemory::Unshared(bytes), folder, path, length).await
        })
    })?;
    type Link = (i32, i32, i32, i32, i32, i32, i32);
    linker.func_wrap_async(MODULE, "path_link", |mut caller: Caller<'_, T>, args: Link| {
        Box::new(async move {
            let (folder, look, path, length, other, name, name_length) = args;
            let (memory, fuel) = parts(&mut caller)?;
            if let Some(errno) = refused(caller.data().allowance().take_entry()) {
                return Ok(errno);
            }
            let (bytes, state) = memory.data_and_store_mut(&mut caller);
            state.wasi().set_hostcall_fuel(fuel);
            let mut guest = GuestMemory::Unshared(bytes);
            plain::path_link(state.wasi(), &mut guest, folder, look, path, length, other, name, name_length).await
        })
    })?;
    linker.func_wrap_async(MODULE, "path_symlink", |mut caller: Caller<'_, T>, args: (i32, i32, i32, i32, i32)| {
        Box::new(async move {
            let (target, target_length, folder, name, length) = args;
            let (memory, fuel) = parts(&mut caller)?;
            if let Some(errno) = refused(caller.data().allowance().take_entry()) {
                return Ok(errno);
            }
            let (bytes, state) = memory.data_and_store_mut(&mut caller);
            state.wasi().set_hostcall_fuel(fuel);
            let mut guest = GuestMemory::Unshared(bytes);
            plain::path_symlink(state.wasi(), &mut guest, target, target_length, folder, name, length).await
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

type Open = (i32, i32, i32, i32, i32, i64, i64, i32, i32);

async fn open<T: Preview1>(caller: &mut Caller<'_, T>, args: Open) -> wasmtime::Result<i32> {
    let (folder, look, path, length, open, rights, inherited, flags, opened) = args;
    let (memory, fuel) = parts(caller)?;
    let (bytes, state) = memory.data_and_store_mut(caller);
    state.wasi().set_hostcall_fuel(fuel);
    let mut guest = GuestMemory::Unshared(bytes);
    let wasi = state.wasi();
    plain::path_open(wasi, &mut guest, folder, look, path, length, open, rights, inherited, flags, opened).await
}

fn parts<T>(caller: &mut Caller<'_, T>) -> wasmtime::Result<(Memory, usize)> {
    let fuel = caller.as_context_mut().hostcall_fuel();
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok((memory, fuel)),
        _ => Err(wasmtime::Error::msg("the module has no memory")),
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
fn charge<T: Preview1>(caller: &mut Caller<'_, T>, memory: Memory, vectors: i32, count: i32) -> io::Result<()> {
    let (bytes, state) = memory.data_and_store_mut(caller);
    let start = vectors.cast_unsigned() as usize;
    let end = start.saturating_add((count.cast_unsigned() as usize).saturating_mul(VECTOR));
    let vectors = bytes.get(start..end).ok_or(io::ErrorKind::InvalidInput)?;
    let length = |vector: &[u8]| vector.get(4..VECTOR)?.try_into().ok().map(u32::from_le_bytes);
    let first = vectors.chunks_exact(VECTOR).filter_map(length).find(|length| *length > 0);
    state.allowance().take(u64::from(first.unwrap_or(0)))
}
