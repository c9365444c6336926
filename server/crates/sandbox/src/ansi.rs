//! Making a guest's text safe to show: terminal control sequences and control characters go.

/// Removes escape sequences, and every control character except line feeds and tabs.
/// A carriage return before a line feed goes too; elsewhere it becomes a line feed.
pub fn strip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\n' | '\t' => out.push(character),
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// What follows an escape character, as ECMA-48 has it.
fn skip_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => skip_control_sequence(rest),
        // Strings (titles, hyperlinks, device control) run to BEL or to ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(character) = rest.next() {
                match character {
                    '\u{7}' => break,
                    '\u{1b}' => {
                        rest.next_if_eq(&'\\');
                        break;
                    }
                    _ => {}
                }
            }
        }
        // Intermediate characters, then one final character.
        Some(' '..='/') => {
            while rest.next_if(|c| (' '..='/').contains(c)).is_some() {}
            rest.next();
        }
        _ => {}
    }
}

/// Parameters and intermediates, then one final character.
fn skip_control_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while rest.next_if(|c| (' '..='?').contains(c)).is_some() {}
    rest.next_if(|c| ('@'..='~').contains(c));
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn sequences_go_and_text_stays() {
        for (given, expected) in [
            ("plain\ttext\nünï", "plain\ttext\nünï"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}Pdevice\u{1b}\\after", "after"),
            ("\u{1b}(Bcharset", "charset"),
            ("\u{9b}2Jcleared", "cleared"),
            ("\u{1b}[?25lcursor", "cursor"),
            ("nul\0 bell\u{7} back\u{8}", "nul bell back"),
            ("dos\r\nold\rmac", "dos\nold\nmac"),
            ("cut \u{1b}[", "cut "),
            ("cut \u{1b}", "cut "),
            ("not ended \u{1b}]0;title", "not ended "),
        ] {
            assert_eq!(strip(given), expected, "{given:?}");
        }
    }
}
