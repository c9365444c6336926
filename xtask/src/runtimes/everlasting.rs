//! Objects of the Python in a snapshot that never die.
//!
//! Using an object means counting references in it, and each page that an instance writes to is copied for it and put back after it.
//! CPython does not count the references of objects whose count says that they are immortal
//! ([PEP 683](https://peps.python.org/pep-0683/)). The snapshot lists those that stay (`bake.py`); here they become immortal.

use crate::fail::{Done, Failure};

/// What comes before the address of the list, as `bake.py` writes it.
const MARK: &[u8] = b"mneme: objects that stay, listed at";
/// Where a list has its length and the address of its items, in bytes. Before these come the count of references and the type.
const LENGTH: usize = 8;
const ITEMS: usize = 12;
/// `_Py_IMMORTAL_INITIAL_REFCNT` of CPython 3.14 where pointers have 32 bits.
const IMMORTAL: u32 = 5 << 28;
/// `_Py_IMMORTAL_MINIMUM_REFCNT`.
const LEAST: u32 = 1 << 30;

/// Makes what is listed immortal.
///
/// # Errors
/// When there is no list, or something in it is no object.
pub fn make(memory: &mut [u8]) -> Done {
    let list = find(memory).ok_or_else(|| Failure::new("the snapshot does not list its objects"))?;
    let (length, items) = (word(memory, list + LENGTH)?, word(memory, list + ITEMS)?);
    for item in 0..length as usize {
        let object = word(memory, items as usize + 4 * item)? as usize;
        let (count, kind) = (word(memory, object)?, word(memory, object + 4)?);
        if count == 0 || kind == 0 || kind as usize >= memory.len() {
            return Err(Failure::new(format!("what the snapshot lists at {object:#x} is no object")));
        }
        if count < LEAST {
            memory[object..object + 4].copy_from_slice(&IMMORTAL.to_le_bytes());
        }
    }
    Ok(())
}

/// Where the list is. The words alone may be there more than once, such as in the code that writes them.
fn find(memory: &[u8]) -> Option<usize> {
    let places = memory.windows(MARK.len()).enumerate().filter(|(_, bytes)| *bytes == MARK);
    let lists: Vec<usize> = places
        .filter_map(|(at, _)| {
            let list = word(memory, at + MARK.len()).ok()? as usize;
            let (length, items) = (word(memory, list + LENGTH).ok()?, word(memory, list + ITEMS).ok()?);
            (length > 0 && (items as usize).checked_add(4 * length as usize)? <= memory.len()).then_some(list)
        })
        .collect();
    match lists.as_slice() {
        [list] => Some(*list),
        _ => None,
    }
}

fn word(memory: &[u8], at: usize) -> Done<u32> {
    let bytes = memory.get(at..).and_then(|rest| rest.first_chunk::<4>());
    bytes
        .map(|bytes| u32::from_le_bytes(*bytes))
        .ok_or_else(|| Failure::new(format!("the snapshot has nothing at {at:#x}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A memory with a list of two objects, and the words twice: once as code has them, once with the list's address.
    fn snapshot() -> Vec<u8> {
        let mut memory = vec![0xff; 4096];
        let mut put = |at: usize, words: &[u32]| {
            for (word, place) in words.iter().zip((at..).step_by(4)) {
                memory[place..place + 4].copy_from_slice(&word.to_le_bytes());
            }
        };
        put(1000, &[2, 4, 0]);
        put(1100, &[5 << 28, 4, 0]);
        put(1200, &[1000, 1100]);
        put(1300, &[1, 4, 2, 1200, 4]);
        put(100 + MARK.len(), &[1300]);
        for at in [100, 500] {
            memory[at..at + MARK.len()].copy_from_slice(MARK);
        }
        memory
    }

    #[test]
    fn listed_objects_never_die_and_nothing_else_changes() {
        let (mut memory, before) = (snapshot(), snapshot());
        make(&mut memory).expect("done");
        assert_eq!(word(&memory, 1000).expect("a word"), IMMORTAL);
        memory[1000..1004].copy_from_slice(&before[1000..1004]);
        assert_eq!(memory, before);
    }

    #[test]
    fn what_is_no_object_stops_the_build() {
        let mut memory = snapshot();
        memory[1004..1008].fill(0);
        assert!(make(&mut memory).expect_err("a list of no objects").to_string().contains("is no object"));
        let mut memory = snapshot();
        memory[1308..1312].fill(0);
        assert!(make(&mut memory).expect_err("an empty list").to_string().contains("does not list"));
        assert!(make(&mut [0; 64]).is_err());
    }
}
