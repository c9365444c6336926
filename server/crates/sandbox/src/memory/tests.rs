use std::io::Write;

use super::*;

const PAGE: usize = 64 << 10;
const GUARD: usize = 32 << 20;

/// A component's file with a picture of three pages: blank, full of ones, and a word in the middle of the third.
fn image() -> (tempfile::NamedTempFile, Vec<u8>) {
    let mut picture = vec![0; 3 * PAGE];
    picture[PAGE..2 * PAGE].fill(1);
    picture[2 * PAGE + 100..][..4].copy_from_slice(b"word");
    let mut file = vec![0, b'a', b's', b'm', 0x0d, 0, 1, 0, 0];
    let name = b"\x0cmneme.memory";
    let length = PAGE - file.len() - 3 + picture.len();
    file.extend([0x80 | (length & 0x7f) as u8, 0x80 | (length >> 7 & 0x7f) as u8, (length >> 14) as u8]);
    file.extend(name);
    file.resize(PAGE, 0);
    file.extend(&picture);
    let mut on_disk = tempfile::NamedTempFile::new().expect("a file");
    on_disk.write_all(&file).expect("written");
    (on_disk, picture)
}

fn memories(warm_bytes: usize) -> (Memories, Vec<u8>) {
    let (file, picture) = image();
    let image = Image::of(file.path()).expect("a component").expect("a picture");
    (Memories::new(Some(image), 2, warm_bytes), picture)
}

fn new(memories: &Memories) -> Box<dyn LinearMemory> {
    let made = memories.new_memory(MemoryType::new(4, None), 4 * PAGE, None, Some(64 * PAGE), GUARD);
    made.expect("a memory")
}

#[expect(unsafe_code, reason = "looks at a memory as its instance would")]
fn contents(memory: &mut Box<dyn LinearMemory>) -> &mut [u8] {
    // SAFETY: as many bytes as the memory says, which nobody else uses.
    unsafe { std::slice::from_raw_parts_mut(memory.as_ptr(), memory.byte_size()) }
}

/// What every new memory of these holds.
fn is_new(memory: &mut Box<dyn LinearMemory>, picture: &[u8]) -> bool {
    let all = contents(memory);
    all.len() == 4 * PAGE && all.starts_with(picture) && all[picture.len()..].iter().all(|byte| *byte == 0)
}

#[test]
fn nothing_that_an_instance_wrote_is_there_for_the_next() {
    for warm_bytes in [0, 10 << 10, 64 << 20] {
        let (memories, picture) = memories(warm_bytes);
        let mut places = std::collections::HashSet::new();
        for round in 0..20_usize {
            let mut memory = new(&memories);
            places.insert(memory.as_ptr().addr());
            assert!(is_new(&mut memory, &picture), "round {round}, {warm_bytes} bytes are kept");
            // Read only, written in the picture, at its edge, behind it, and all of it.
            let all = contents(&mut memory);
            for at in [PAGE, 2 * PAGE + 101, 3 * PAGE - 1, 3 * PAGE, 4 * PAGE - 1] {
                all[at + (round * 4096) % PAGE / 16 * usize::from(at < 3 * PAGE)] = 99;
            }
            if round % 5 == 4 {
                all.fill(42);
            }
            if round % 3 == 2 {
                memory.grow_to((5 + round) * PAGE).expect("room to grow");
                let grown = &mut contents(&mut memory)[4 * PAGE..];
                assert!(grown.iter().all(|byte| *byte == 0), "new pages are blank");
                grown.fill(7);
            }
        }
        if cfg!(target_os = "linux") {
            assert_eq!(places.len(), 1, "one memory, used again and again");
        }
    }
}

#[test]
fn memories_do_not_share_what_is_written() {
    let (memories, picture) = memories(64 << 20);
    let (mut one, mut other) = (new(&memories), new(&memories));
    contents(&mut one)[PAGE] = 99;
    assert!(is_new(&mut other, &picture));
    drop(one);
    let mut again = new(&memories);
    assert!(is_new(&mut again, &picture));
    assert!(is_new(&mut other, &picture));
}

#[test]
fn a_memory_grows_to_its_reservation_and_no_further() {
    let (memories, _) = memories(64 << 20);
    let mut memory = new(&memories);
    memory.grow_to(64 * PAGE).expect("all of it");
    assert!(memory.grow_to(65 * PAGE).is_err());
    assert_eq!(memory.byte_size(), 64 * PAGE);
}

#[test]
fn a_picture_that_does_not_fit_is_an_error() {
    let (memories, _) = memories(0);
    let made = memories.new_memory(MemoryType::new(2, None), 2 * PAGE, None, Some(64 * PAGE), GUARD);
    assert!(made.err().is_some_and(|reason| reason.contains("larger than the memory")));
}

#[test]
#[expect(unsafe_code, reason = "looks at a stack as its guest would")]
fn stacks_are_blank() {
    let stacks = Stacks::new(1);
    for round in 0..5 {
        let stack = wasmtime::StackCreator::new_stack(&stacks, 128 << 10, true).expect("a stack");
        let range = stack.range();
        assert_eq!((range.len(), stack.top().addr()), (128 << 10, range.end));
        // SAFETY: as many bytes as the stack says, which nobody else uses.
        let all = unsafe { std::slice::from_raw_parts_mut(stack.top().wrapping_sub(range.len()), range.len()) };
        assert!(all.iter().all(|byte| *byte == 0), "round {round}");
        all[range.len() - 4096 * (round + 1)..].fill(1);
        assert_eq!(stack.guard_range().end.addr(), range.start);
    }
}
