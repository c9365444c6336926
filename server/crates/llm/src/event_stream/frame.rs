//! One frame: its length, the length of its headers, a checksum of both, headers, payload, a checksum of all.

/// A frame without headers and payload.
pub(crate) const SHORTEST: usize = 16;
/// Lengths and their checksum.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// The type of a header whose value is text; others are passed over.
const TEXT: u8 = 7;

/// A frame's contents.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// The headers whose values are text, in order.
    pub headers: Vec<(&'a str, &'a str)>,
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads a whole frame; `None` when it is damaged.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        let end = bytes.len().checked_sub(CHECKSUM)?;
        if usize::try_from(number(0)?).ok()? != bytes.len()
            || number(8)? != checksum(bytes.get(..8)?)
            || number(end)? != checksum(bytes.get(..end)?)
        {
            return None;
        }
        let headers_end = PRELUDE.checked_add(usize::try_from(number(4)?).ok()?)?;
        let payload = bytes.get(headers_end..end)?;
        Some(Self { headers: headers(bytes.get(PRELUDE..headers_end)?)?, payload })
    }

    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }
}

fn headers(mut rest: &[u8]) -> Option<Vec<(&str, &str)>> {
    let mut found = Vec::new();
    while let Some((length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        let (kind, after) = after.split_first()?;
        // Two kinds say all by themselves, the others have a fixed length or tell theirs.
        let (length, after) = match *kind {
            0 | 1 => (0, after),
            2 => (1, after),
            3 => (2, after),
            4 => (4, after),
            5 | 8 => (8, after),
            9 => (16, after),
            6 | TEXT => {
                let (length, after) = after.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), after)
            }
            _ => return None,
        };
        let (value, after) = after.split_at_checked(length)?;
        if *kind == TEXT {
            found.push((std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?));
        }
        rest = after;
    }
    Some(found)
}

/// CRC-32 as in zip and Ethernet.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut crc = at as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the CRC's catalogue.
    #[test]
    fn the_checksum_is_the_common_one() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b""), 0);
    }

    /// A frame of AWS's own test vectors for its event streams: one header of each kind would be longer, this one has a
    /// 32-bit number.
    #[test]
    fn a_frame_of_aws_is_read() {
        let mut bytes = vec![0, 0, 0, 45, 0, 0, 0, 16];
        bytes.extend(checksum(&bytes).to_be_bytes());
        bytes.extend(b"\x0aevent-type\x04\x00\x00\xa0\x0c{'foo':'bar'}");
        bytes.extend(checksum(&bytes).to_be_bytes());
        assert_eq!(bytes.len(), 45);
        assert_eq!(&bytes[8..12], &[0x41, 0xc4, 0x24, 0xb8]);
        assert_eq!(&bytes[41..], &[0x36, 0xf4, 0x80, 0xa0]);
        assert_eq!(Frame::read(&bytes), Some(Frame { headers: vec![], payload: b"{'foo':'bar'}" }));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_stumble(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            // What is no frame is none, and nothing panics.
            let _ = Frame::read(&bytes);
            let _ = headers(&bytes);
        }
    }
}
