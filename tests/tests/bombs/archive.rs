//! Zip archives made byte by byte, honest and not.

/// A part of an archive.
pub enum Part {
    /// As it is.
    Stored(String, Vec<u8>),
    /// An opening and then so many zeros, packed a hundredfold.
    Zeros(String, &'static str, usize),
}

/// The archive of some parts.
pub fn zip(parts: &[Part]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for part in parts {
        let (name, method, size, sum, packed) = match part {
            Part::Stored(name, content) => (name, 0_u16, content.len(), crc32(content), content.clone()),
            // Nobody unpacks it to the end, so nobody asks for its sum.
            Part::Zeros(name, opening, count) => (name, 8, opening.len() + count, 0, zeros(opening, *count)),
        };
        let start = u32::try_from(out.len()).unwrap();
        let mut head = Vec::new();
        for number in [20, 0, method, 0, 0] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        for number in [sum, u32::try_from(packed.len()).unwrap(), u32::try_from(size).unwrap()] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        head.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        head.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&head);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&packed);
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&head);
        // Comment, disk, attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&start.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let start = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(parts.len()).unwrap();
    let size = u32::try_from(directory.len()).unwrap();
    out.append(&mut directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

/// Deflate with the fixed code: the opening letter by letter, then matches of 258 bytes one byte back.
fn zeros(opening: &str, count: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block, with the fixed code.
    bits.push(0b110, 3);
    for byte in opening.bytes().chain([b'0']) {
        bits.push(0x30 + u32::from(byte), 8);
    }
    for _ in 0..count / 258 {
        // Length 258, then distance 1.
        bits.push(0b1100_0101, 8);
        bits.push(0, 5);
    }
    bits.push(0, 7);
    bits.bytes
}

/// Bits as deflate packs them: each byte is filled from its lowest bit, a code begins with its highest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, code: u32, length: u32) {
        for place in (0..length).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if (code >> place) & 1 == 1 {
                *self.bytes.last_mut().unwrap() |= 1 << (self.used % 8);
            }
            self.used += 1;
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _: u32| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}
