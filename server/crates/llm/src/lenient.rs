//! Reads JSON as servers write it. What a text cannot hold, or not every database keep, becomes the replacement
//! character: halves of surrogate pairs, as programs that count in UTF-16 cut them, and NUL.

use std::borrow::Cow;

use serde_json::Value;

/// What stands for what cannot be kept.
const REPLACEMENT: &str = "\\ufffd";
/// Length of an escaped code unit, in bytes.
const ESCAPE: usize = 6;

/// The value that a text is.
pub(crate) fn value(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(&mended(text))
}

/// The value that bytes are.
pub(crate) fn value_of(bytes: &[u8]) -> serde_json::Result<Value> {
    match std::str::from_utf8(bytes) {
        Ok(text) => value(text),
        Err(_) => serde_json::from_slice(bytes),
    }
}

/// The same JSON text without such escapes.
pub(crate) fn text(text: String) -> String {
    let mended = match mended(&text) {
        Cow::Owned(mended) => Some(mended),
        Cow::Borrowed(_) => None,
    };
    mended.unwrap_or(text)
}

fn mended(text: &str) -> Cow<'_, str> {
    // Nearly all texts are without any.
    if !["\\u0000", "\\ud", "\\uD"].iter().any(|escape| text.contains(escape)) {
        return text.into();
    }
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        let start = at + found;
        let broken = match unit(bytes, start) {
            Some(0xD800..=0xDBFF) if matches!(unit(bytes, start + ESCAPE), Some(0xDC00..=0xDFFF)) => {
                at = start + 2 * ESCAPE;
                continue;
            }
            Some(0 | 0xD800..=0xDFFF) => true,
            Some(_) => false,
            // Another escape, such as that of a backslash, is one character long; text that is no JSON may have more.
            None => {
                at = start + if bytes.get(start + 1).is_some_and(u8::is_ascii) { 2 } else { 1 };
                continue;
            }
        };
        at = start + ESCAPE;
        if broken {
            out.push_str(&text[copied..start]);
            out.push_str(REPLACEMENT);
            copied = at;
        }
    }
    if copied == 0 {
        return text.into();
    }
    out.push_str(&text[copied..]);
    out.into()
}

/// The code unit that is escaped at a place.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0_u16, |unit, digit| {
        let digit = char::from(*digit).to_digit(16).and_then(|digit| u16::try_from(digit).ok())?;
        Some((unit << 4) | digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_kept_stays() {
        for good in [
            r#"{"a":"plain \\ud83d \n é"}"#,
            r#""\ud83d\ude00 \uD83D\uDE00 \u00e9 \\u0000 \\\\u0000""#,
            r#""\\\"\\ud83d""#,
            r#""\ud"#,
            "\\é\\ud",
            "\\ud8\\",
        ] {
            assert_eq!(mended(good), good);
            assert!(matches!(mended(good), Cow::Borrowed(_)), "{good}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_replaced() {
        for (given, expected) in [
            (r#""a\u0000b""#, "a\u{fffd}b"),
            (r#""\\\u0000""#, "\\\u{fffd}"),
            (r#""hi \ud83d""#, "hi \u{fffd}"),
            (r#""\ude00 there \ud83d\ude00""#, "\u{fffd} there 😀"),
            (r#""\ud83d\ud83d\ude00\uDE00\u0041""#, "\u{fffd}😀\u{fffd}A"),
        ] {
            assert_eq!(value(given).ok(), Some(Value::from(expected)), "{given}");
            assert_eq!(value_of(given.as_bytes()).ok(), Some(Value::from(expected)), "{given}");
            assert_eq!(text(given.to_owned()), mended(given), "{given}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in r#"([a-f0-9\\u"dD8é]|\\u|\\ud8|\\udc|\\u0000){0,40}"#) {
            let mended = mended(&text).into_owned();
            proptest::prop_assert!(!mended.contains("\\u0000") || mended.contains("\\\\u0000"));
        }
    }
}
