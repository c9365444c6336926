//! Which characters the bytes of a page stand for.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Where a page may still declare its encoding, in bytes from its start.
const DECLARED_WITHIN: usize = 4096;

/// Decodes bytes: by a byte order mark, by the content type, by what an HTML page says about itself, and in the end as
/// UTF-8 if it is that. Bytes that stand for nothing become replacement characters.
pub fn decode<'a>(bytes: &'a [u8], content_type: &str, html: bool) -> Cow<'a, str> {
    let declared = label(content_type.as_bytes())
        .or_else(|| label(bytes.get(..DECLARED_WITHIN).unwrap_or(bytes)).filter(|_| html))
        .unwrap_or_else(|| undeclared(bytes));
    declared.decode(bytes).0
}

/// The encoding after the first `charset=`, in a header as in a `<meta>`.
fn label(text: &[u8]) -> Option<&'static Encoding> {
    const KEY: &[u8] = b"charset";
    let mut rest = text;
    while let Some(at) = rest.windows(KEY.len()).position(|window| window.eq_ignore_ascii_case(KEY)) {
        rest = &rest[at + KEY.len()..];
        let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        let end = value.iter().position(|byte| b"\"' ;>/\r\n\t".contains(byte)).unwrap_or(value.len());
        if let Some(encoding) = Encoding::for_label(&value[..end]) {
            return Some(encoding);
        }
    }
    None
}

/// Old pages that declare nothing are Western European, as browsers take them.
fn undeclared(bytes: &[u8]) -> &'static Encoding {
    match std::str::from_utf8(bytes) {
        Ok(_) => UTF_8,
        // A page that was cut off within a character is still UTF-8.
        Err(error) if error.error_len().is_none() => UTF_8,
        Err(_) => WINDOWS_1252,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_encoding_is_found() {
        for (bytes, content_type, expected) in [
            (&b"caf\xe9"[..], "text/html; charset=ISO-8859-1", "café"),
            (b"<meta charset='shift_jis'>\x93\xfa\x96{", "text/html", "<meta charset='shift_jis'>日本"),
            (
                b"<meta http-equiv=x content=\"text/html; Charset = koi8-r\">\xc4\xc1",
                "",
                "<meta http-equiv=x content=\"text/html; Charset = koi8-r\">да",
            ),
            (b"charset=nonsense caf\xe9 x", "text/html; charset=", "charset=nonsense café x"),
            (b"\xef\xbb\xbfcaf\xc3\xa9", "text/html; charset=latin1", "café"),
            ("café".as_bytes(), "text/html", "café"),
            (b"caf\xc3", "text/html", "caf\u{fffd}"),
            (b"", "text/html", ""),
        ] {
            assert_eq!(decode(bytes, content_type, true), expected);
        }
        assert_eq!(decode(b"charset=koi8-r \xc4 x", "text/plain", false), "charset=koi8-r Ä x");
    }
}
