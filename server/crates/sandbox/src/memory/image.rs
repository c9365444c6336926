//! The picture of a memory, in the file of a component.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::region::Region;

/// The name of the section.
const SECTION: &str = "mneme.memory";
/// The picture begins in the file at the first multiple of this after the section's name: a multiple of the pages of every machine.
const ALIGNMENT: u64 = 64 << 10;
/// The header of a component: which format, which version.
const HEADER: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// What a memory begins as, mapped to be read.
pub struct Image {
    pub(super) file: File,
    pub(super) offset: u64,
    bytes: Region,
}

impl Image {
    /// The picture in a component's file, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read or is not a component.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        match find(&mut BufReader::new(&file))? {
            None => Ok(None),
            Some((offset, length)) => {
                let bytes = Region::read_only(&file, offset, length)?;
                Ok(Some(Self { file, offset, bytes }))
            }
        }
    }

    /// Its length in bytes.
    pub fn length(&self) -> usize {
        self.bytes.length()
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.contents()
    }
}

/// Where the picture begins in a file, and its length.
fn find(file: &mut (impl Read + Seek)) -> io::Result<Option<(u64, usize)>> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "not a component");
    let mut header = [0; HEADER.len()];
    file.read_exact(&mut header)?;
    if header != HEADER {
        return Err(wrong());
    }
    loop {
        let mut id = [0];
        if file.read(&mut id)? == 0 {
            return Ok(None);
        }
        let length = u64::from(number(file)?);
        let start = file.stream_position()?;
        let end = start.checked_add(length).ok_or_else(wrong)?;
        if id == [0] && is_named(file)? {
            let begin = file.stream_position()?.next_multiple_of(ALIGNMENT);
            let length = end.checked_sub(begin).and_then(|length| usize::try_from(length).ok());
            return length.map(|length| Some((begin, length))).ok_or_else(wrong);
        }
        file.seek(SeekFrom::Start(end))?;
    }
}

/// Whether a section of one's own begins with the name of this one.
fn is_named(file: &mut impl Read) -> io::Result<bool> {
    if number(file)? as usize != SECTION.len() {
        return Ok(false);
    }
    let mut name = [0; SECTION.len()];
    file.read_exact(&mut name)?;
    Ok(name == SECTION.as_bytes())
}

/// A number as WebAssembly writes it (unsigned LEB128 of at most 32 bits).
fn number(file: &mut impl Read) -> io::Result<u32> {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    u32::try_from(value).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a number that is too large"))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn component(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        for (id, content) in sections {
            bytes.push(*id);
            let length = u32::try_from(content.len()).expect("a short section");
            bytes.extend([0x80 | length as u8 & 0x7f, 0x80 | (length >> 7) as u8 & 0x7f, (length >> 14) as u8 & 0x7f]);
            bytes.extend_from_slice(content);
        }
        bytes
    }

    #[test]
    fn a_picture_is_found_among_other_sections() {
        let mut content = vec![12];
        content.extend(SECTION.as_bytes());
        content.resize(70_000, 7);
        let other: &[u8] = b"\x08producers";
        let bytes = component(&[(1, &[0; 20]), (0, other), (0, &content), (0, other)]);
        let (offset, length) = find(&mut Cursor::new(&bytes)).expect("a component").expect("a picture");
        assert_eq!(offset, ALIGNMENT);
        assert!(bytes[ALIGNMENT as usize..][..length].iter().all(|byte| *byte == 7));
        assert_eq!(ALIGNMENT as usize + length, bytes.len() - 4 - other.len(), "up to the end of its section");
    }

    #[test]
    fn a_component_may_have_none() {
        assert_eq!(find(&mut Cursor::new(component(&[(1, &[0; 20])]))).expect("a component"), None);
        assert!(find(&mut Cursor::new(b"\0asm\x01\0\0\0")).is_err(), "a module");
        assert!(find(&mut Cursor::new(component(&[(0, b"\x0cmneme.memory")]))).is_err(), "too short for its picture");
    }
}
