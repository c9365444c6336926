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
