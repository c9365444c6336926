//! A look at the shape of a JSON text before it is parsed: how deep it nests and how many values it has. Parsing
//! costs a hundred times a value's length in memory, so a small body must not be able to ask for millions.

/// Nesting that any JSON body may have; serde_json's own limit, found before anything is built.
pub const MAX_DEPTH: usize = 128;

/// What is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// Lists and objects nest deeper than [`MAX_DEPTH`].
    Depth,
    /// There are more values than allowed.
    Values,
}

/// Checks a text in one pass. Texts that are no JSON are for the parser to refuse.
pub fn check(text: &[u8], max_values: usize) -> Result<(), Excess> {
    let (mut depth, mut values, mut in_string, mut escaped) = (0usize, 1usize, false, false);
    for byte in text {
        if in_string {
            match (escaped, byte) {
                (true, _) => escaped = false,
                (false, b'\\') => escaped = true,
                (false, b'"') => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                if depth > MAX_DEPTH {
                    return Err(Excess::Depth);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if values > max_values {
            return Err(Excess::Values);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(nested(128).as_bytes(), 1000), Ok(()));
        assert_eq!(check(nested(129).as_bytes(), 1000), Err(Excess::Depth));
        assert_eq!(check("{\"a\":".repeat(100_000).as_bytes(), usize::MAX), Err(Excess::Depth));
    }

    #[test]
    fn values_are_counted_outside_of_strings() {
        let list = format!("[{}0]", "0,".repeat(98));
        assert_eq!(check(list.as_bytes(), 100), Ok(()));
        assert_eq!(check(format!("[0,{}", &list[1..]).as_bytes(), 100), Err(Excess::Values));
        let text = format!("\"{}\\\"[[[[,,,\"", "[,".repeat(1000));
        assert_eq!(check(text.as_bytes(), 1), Ok(()));
    }
}
