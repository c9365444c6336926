//! What of a file is in view: its lines with their numbers, as many as the agent has room for.

use mneme_store::files::View;

/// A part of a text as an agent gets to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub view: View,
    /// The first line in view, from 1; 0 when there is none.
    pub first: u64,
    /// The last line in view.
    pub last: u64,
    /// Lines of the whole text.
    pub lines: u64,
    /// Whether less than what was asked for is in view.
    pub cut: bool,
}

/// Lines of a text, from one, counted from 0, so many, in at most so many characters. Without a range it begins at the
/// front. None when it begins behind the end.
pub fn window(text: &str, range: Option<(u64, Option<u64>)>, limit: i64) -> Option<Window> {
    let lines = text.lines().count() as u64;
    let (offset, length) = range.unwrap_or((0, None));
    if offset >= lines && !(offset == 0 && lines == 0) {
        return None;
    }
    let wanted = length.map_or(lines, |length| offset.saturating_add(length).min(lines));
    let head = match range {
        None => format!("[Viewing file start (out of {lines} lines)]"),
        Some(_) => format!("[Viewing lines {} to {wanted} (out of {lines} lines)]", offset + 1),
    };
    let limit = usize::try_from(limit).unwrap_or(0);
    let mut out = head;
    let mut left = limit.saturating_sub(out.chars().count());
    let (mut last, mut cut) = (offset, false);
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    for (number, line) in (offset + 1..=wanted).zip(text.lines().skip(skipped)) {
        let shown = format!("\n{number}: {line}");
        let chars = shown.chars().count();
        if chars > left {
            // A line that has no room by itself is shown as far as it goes.
            if last == offset {
                out.extend(shown.chars().take(left));
                last = number;
            }
            cut = true;
            break;
        }
        left -= chars;
        out.push_str(&shown);
        last = number;
    }
    if cut {
        out.push_str(&format!("\n[Cut off after line {last}: more does not fit; open it with offset={last} to go on]"));
    }
    let span = range.is_some().then(|| (to_i64(offset + 1), to_i64(last)));
    let first = if last > offset { offset + 1 } else { 0 };
    Some(Window { view: View { text: out, lines: span }, first, last, lines, cut })
}

fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_carry_their_numbers() {
        let whole = window("a\nb\nc\n", None, 1_000).unwrap();
        assert_eq!(whole.view.text, "[Viewing file start (out of 3 lines)]\n1: a\n2: b\n3: c");
        assert_eq!((whole.view.lines, whole.first, whole.last, whole.cut), (None, 1, 3, false));
        let part = window("a\nb\nc", Some((1, Some(1))), 1_000).unwrap();
        assert_eq!(part.view.text, "[Viewing lines 2 to 2 (out of 3 lines)]\n2: b");
        assert_eq!(part.view.lines, Some((2, 2)));
        let rest = window("a\nb\nc", Some((1, None)), 1_000).unwrap();
        assert_eq!(rest.view.text, "[Viewing lines 2 to 3 (out of 3 lines)]\n2: b\n3: c");
        assert_eq!(window("a", Some((1, None)), 1_000), None);
        assert_eq!(window("", None, 1_000).unwrap().view.text, "[Viewing file start (out of 0 lines)]");
    }

    #[test]
    fn what_has_no_room_is_left_out_and_said() {
        let text = "x".repeat(30) + "\n" + &"y".repeat(30);
        let cut = window(&text, None, 80).unwrap();
        assert_eq!((cut.last, cut.cut), (1, true));
        assert!(cut.view.text.ends_with("[Cut off after line 1: more does not fit; open it with offset=1 to go on]"));
        let long = window(&"ü".repeat(500), None, 80).unwrap();
        assert!(long.cut && long.view.text.contains("\n1: üüü") && long.view.text.chars().count() < 200);
    }
}
