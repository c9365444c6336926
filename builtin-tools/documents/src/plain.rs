//! Texts: whatever their encoding is.

use encoding_rs::Encoding;
use serde_json::Value;

use crate::outcome::{Reading, Result, check, unreadable};

/// A JSON text in one line of more than this is laid out, so that it has lines to be found in.
const LONG_LINE: usize = 2_000;

/// The text of some bytes. Those that are no Unicode are read in the encoding that they look most like.
pub fn decode(bytes: Vec<u8>) -> Result<String> {
    check(bytes.len())?;
    if Encoding::for_bom(&bytes).is_none() {
        return Ok(String::from_utf8(bytes).unwrap_or_else(|error| guess(error.as_bytes())));
    }
    // The mark decides; UTF-8 is only named.
    let (text, ..) = encoding_rs::UTF_8.decode(&bytes);
    Ok(text.into_owned())
}

fn guess(bytes: &[u8]) -> String {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    encoding.decode(bytes).0.into_owned()
}

/// JSON as it is, or laid out when its author left the lines out.
pub fn json(bytes: Vec<u8>) -> Result<Reading> {
    let text = decode(bytes)?;
    if text.len() < LONG_LINE || text.lines().any(|line| line.len() < LONG_LINE) {
        return Ok(Reading::of(text));
    }
    let Ok(value) = serde_json::from_str::<Value>(&text) else { return Ok(Reading::of(text)) };
    let text = serde_json::to_string_pretty(&value).map_err(unreadable)?;
    Ok(Reading::of(text))
}

/// The text of an XML file: UTF-8, or UTF-16 with its mark.
pub fn decode_xml(bytes: Vec<u8>) -> String {
    match Encoding::for_bom(&bytes) {
        None => String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        Some(_) => encoding_rs::UTF_8.decode(&bytes).0.into_owned(),
    }
}
