//! Telling a component from everything else that people upload, before the engine sees it.

use wasmtime::Engine;

use crate::SandboxError;

/// `\0asm`, then the version of the component format.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// What a tool exports, without the version.
pub const GUEST: &str = "mneme:tool/guest@";
/// The version of the interfaces that this server has.
pub const VERSION: &str = "0.1.0";

/// Accepts what starts like a component and is not too large.
pub fn check(bytes: &[u8], limit: usize) -> Result<(), SandboxError> {
    if bytes.len() > limit {
        return Err(SandboxError::TooLarge { size: bytes.len(), limit });
    }
    if bytes.starts_with(COMPONENT) {
        return Ok(());
    }
    let seen = if bytes.is_empty() {
        "there are no bytes"
    } else if bytes.starts_with(b"\x7fELF") || Engine::detect_precompiled(bytes).is_some() {
        "this is native code, which is never accepted; upload the .wasm file"
    } else if bytes.starts_with(CORE_MODULE) {
        "this is a core module; build the tool for wasm32-wasip2"
    } else if bytes.starts_with(b"\0asm") {
        "this is WebAssembly of an unknown version"
    } else if bytes.trim_ascii_start().starts_with(b"(") {
        "this is WebAssembly text; upload the binary"
    } else {
        "the first bytes are not those of WebAssembly"
    };
    Err(SandboxError::NotAComponent(seen.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_components_pass() {
        assert_eq!(check(COMPONENT, 100), Ok(()));
        for (bytes, hint) in [
            (&b""[..], "no bytes"),
            (b"\x7fELF\x02\x01\x01", "native code"),
            (CORE_MODULE, "core module"),
            (b"\0asm\x02\0\0\0", "unknown version"),
            (b"\n (component)", "text"),
            (b"<html>", "first bytes"),
        ] {
            match check(bytes, 100) {
                Err(SandboxError::NotAComponent(text)) => assert!(text.contains(hint), "{text}"),
                other => panic!("{bytes:?} gave {other:?}"),
            }
        }
        let large = check(COMPONENT, 7);
        assert_eq!(large, Err(SandboxError::TooLarge { size: 8, limit: 7 }));
    }
}
