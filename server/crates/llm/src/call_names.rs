//! Ids and names of calls in a history, in forms that every provider takes.
//!
//! A model writes any name that comes to its mind, and a server any id. Both come back with every later request, and
//! OpenAI, Anthropic, Google and AWS refuse a request for one of them: names of other characters or too long, ids that
//! are too long.

use std::borrow::Cow;

/// Longest id of a call, in bytes: OpenAI's limit.
const MAX_ID: usize = 40;
/// Longest name of a function, in characters.
const MAX_NAME: usize = 64;

/// The id, or a short one that is always the same for it.
pub(crate) fn id(id: &str) -> Cow<'_, str> {
    if (1..=MAX_ID).contains(&id.len()) { id.into() } else { format!("call_{:016x}", hash(id)).into() }
}

/// The name, or one like it.
pub(crate) fn name(name: &str) -> Cow<'_, str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && name.len() <= MAX_NAME && name.chars().all(allowed) {
        return name.into();
    }
    let spelled = name.chars().map(|c| if allowed(c) { c } else { '_' });
    // Google wants a letter at the beginning.
    let first = (!begins).then_some('_');
    first.into_iter().chain(spelled).take(MAX_NAME).collect::<String>().into()
}

/// FNV-1a; two ids of one conversation that meet would need a conversation of millions of calls.
pub(crate) fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_provider_takes_stays() {
        for good in ["f", "memory_insert", "_x-9", &"n".repeat(MAX_NAME)] {
            assert_eq!(name(good), good);
        }
        for good in ["c", "functions.f:0", &"i".repeat(MAX_ID)] {
            assert_eq!(id(good), good);
        }
    }

    #[test]
    fn what_one_of_them_refuses_is_spelled_another_way() {
        for (written, spelled) in
            [("functions.f", "functions_f"), ("../f", "____f"), ("9f", "_9f"), ("f g\u{202e}é", "f_g__"), ("", "_")]
        {
            assert_eq!(name(written), spelled, "{written}");
        }
        assert_eq!(name(&"é".repeat(100)).len(), MAX_NAME);
        let long = format!("chatcmpl-tool-{}", "0".repeat(32));
        assert_eq!(id(&long).len(), 21);
        assert_eq!(id(&long), id(&long));
        assert_ne!(id(&long), id(&format!("{long}_2")));
        assert_eq!(id("").len(), 21);
    }
}
