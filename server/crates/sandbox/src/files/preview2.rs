//! `wasi:filesystem` for components, counted: every write takes from the call's allowance first.

use bytes::Bytes;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    Filesize, Host, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, FsError, FsResult, OutputStream, Pollable, StreamError, StreamResult,
};

use super::Allowance;
use crate::state::State;

/// Puts the counted file system in the place of the plain one.
///
/// # Errors
/// When the linker does not take it.
pub fn bound(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let bound = types::add_to_linker::<State, Counted>(linker, State::files);
    linker.allow_shadowing(false);
    bound
}

struct Counted;

impl HasData for Counted {
    type Data<'a> = Files<'a>;
}

/// The file system of one call.
pub struct Files<'a> {
    /// What does the work.
    pub inner: WasiFilesystemCtxView<'a>,
    /// What may still be written.
    pub allowance: &'a Allowance,
}

impl Files<'_> {
    fn entry(&self) -> FsResult<()> {
        self.allowance.take_entry().map_err(FsError::from)
    }

    /// A stream into a file, counted.
    fn counted(&mut self, stream: Resource<DynOutputStream>) -> FsResult<Resource<DynOutputStream>> {
        let inner = self.inner.table.delete(stream)?;
        let counted: DynOutputStream = Box::new(Writes { inner, allowance: self.allowance.clone() });
        Ok(self.inner.table.push(counted)?)
    }
}

struct Writes {
    inner: DynOutputStream,
    allowance: Allowance,
}

#[async_trait::async_trait]
impl Pollable for Writes {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait::async_trait]
impl OutputStream for Writes {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.allowance.take(bytes.len() as u64).map_err(|full| StreamError::LastOperationFailed(full.into()))?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

impl Host for Files<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.inner.filesystem_error_code(error)
    }
}

impl HostDescriptor for Files<'_> {
    async fn write(&mut self, file: Resource<Descriptor>, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        self.allowance.take(bytes.len() as u64)?;
        self.inner.write(file, bytes, offset).await
    }

    fn write_via_stream(
        &mut self,
        file: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.inner.write_via_stream(file, offset)?;
        self.counted(stream)
    }

    fn append_via_stream(&mut self, file: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.inner.append_via_stream(file)?;
        self.counted(stream)
    }

    async fn set_size(&mut self, file: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        self.allowance.take(size)?;
        self.inner.set_size(file, size).await
    }

    async fn open_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        if !open.contains(OpenFlags::CREATE) {
            return self.inner.open_at(folder, path_flags, path, open, flags).await;
        }
        if !open.contains(OpenFlags::EXCLUSIVE) {
            // Only what is not there yet takes an entry.
            let (again, existing) = (Resource::new_borrow(folder.rep()), open & !OpenFlags::CREATE);
            match self.inner.open_at(again, path_flags, path.clone(), existing, flags).await {
                Err(error) if matches!(error.downcast_ref(), Some(ErrorCode::NoEntry)) => {}
                answer => return answer,
            }
        }
        self.entry()?;
        self.inner.open_at(folder, path_flags, path, open, flags).await
    }

    async fn create_directory_at(&mut self, folder: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.entry()?;
        self.inner.create_directory_at(folder, path).await
    }

    async fn link_at(
        &mut self,
        folder: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        other: Resource<Descriptor>,
        name: String,
    ) -> FsResult<()> {
        self.entry()?;
        self.inner.link_at(folder, flags, path, other, name).await
    }

    async fn symlink_at(&mut self, folder: Resource<Descriptor>, target: String, name: String) -> FsResult<()> {
        self.entry()?;
        self.inner.symlink_at(folder, target, name).await
    }

    // What follows takes no room.

    async fn advise(
        &mut self,
        file: Resource<Descriptor>,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.inner.advise(file, offset, length, advice).await
    }

    async fn sync_data(&mut self, file: Resource<Descriptor>) -> FsResult<()> {
        self.inner.sync_data(file).await
    }

    async fn sync(&mut self, file: Resource<Descriptor>) -> FsResult<()> {
        self.inner.sync(file).await
    }

    async fn get_flags(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.inner.get_flags(file).await
    }

    async fn get_type(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.inner.get_type(file).await
    }

    async fn set_times(
        &mut self,
        file: Resource<Descriptor>,
        read: NewTimestamp,
        written: NewTimestamp,
    ) -> FsResult<()> {
        self.inner.set_times(file, read, written).await
    }

    async fn set_times_at(
        &mut self,
        folder: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        read: NewTimestamp,
        written: NewTimestamp,
    ) -> FsResult<()> {
        self.inner.set_times_at(folder, flags, path, read, written).await
    }

    async fn read(
        &mut self,
        file: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        self.inner.read(file, length, offset).await
    }

    fn read_via_stream(&mut self, file: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        self.inner.read_via_stream(file, offset)
    }

    async fn read_directory(&mut self, folder: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        self.inner.read_directory(folder).await
    }

    async fn stat(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.inner.stat(file).await
    }

    async fn stat_at(
        &mut self,
        folder: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        self.inner.stat_at(folder, flags, path).await
    }

    async fn readlink_at(&mut self, folder: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.inner.readlink_at(folder, path).await
    }

    async fn remove_directory_at(&mut self, folder: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.inner.remove_directory_at(folder, path).await
    }

    async fn rename_at(
        &mut self,
        folder: Resource<Descriptor>,
        path: String,
        other: Resource<Descriptor>,
        name: String,
    ) -> FsResult<()> {
        self.inner.rename_at(folder, path, other, name).await
    }

    async fn unlink_file_at(&mut self, folder: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.inner.unlink_file_at(folder, path).await
    }

    async fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.inner.is_same_object(one, other).await
    }

    async fn metadata_hash(&mut self, file: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.inner.metadata_hash(file).await
    }

    async fn metadata_hash_at(
        &mut self,
        folder: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.inner.metadata_hash_at(folder, flags, path).await
    }

    fn drop(&mut self, file: Resource<Descriptor>) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.inner, file)
    }
}

impl HostDirectoryEntryStream for Files<'_> {
    async fn read_directory_entry(
        &mut self,
        entries: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.inner.read_directory_entry(entries).await
    }

    fn drop(&mut self, entries: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.inner, entries)
    }
}
