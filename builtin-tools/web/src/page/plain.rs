//! The text of a page that is not worth parsing, or not safe to: everything between the tags.

/// Elements that begin a new line.
const BREAKS: &[&str] = &[
    "p",
    "div",
    "br",
    "li",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "table",
    "section",
    "article",
    "header",
    "footer",
    "blockquote",
    "pre",
    "dt",
    "dd",
    "hr",
];

/// Takes the tags out, in time proportional to the length.
pub fn text(html: &str, most_characters: usize) -> String {
    let mut out = String::new();
    let mut rest = html;
    // A character takes at most four bytes; what goes beyond is cut off exactly by the caller.
    let most = most_characters * 4;
    while let Some(at) = rest.find('<') {
        append(&mut out, &rest[..at], most);
        if out.len() >= most {
            return out;
        }
        rest = &rest[at..];
        let Some(end) = rest.find('>') else { return out };
        let tag = rest[1..end].trim_start_matches('/');
        let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        if BREAKS.iter().any(|known| known.eq_ignore_ascii_case(name)) && !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        rest = &rest[end + 1..];
    }
    append(&mut out, rest, most);
    out
}

/// Appends text with its white space joined and the common entities decoded.
fn append(out: &mut String, text: &str, most: usize) {
    for character in decoded(text) {
        if out.len() >= most {
            return;
        }
        match character.is_whitespace() {
            false => out.push(character),
            true if out.is_empty() || out.ends_with([' ', '\n']) => {}
            true => out.push(' '),
        }
    }
}

fn decoded(text: &str) -> impl Iterator<Item = char> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let entity = rest.strip_prefix('&').and_then(|after| {
            let end = after.bytes().take(10).position(|byte| byte == b';')?;
            Some((entity(&after[..end])?, &after[end + 1..]))
        });
        let (character, after) = entity.unwrap_or((first, &rest[first.len_utf8()..]));
        rest = after;
        Some(character)
    })
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| !c.is_control() || c.is_whitespace())?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn the_text_remains() {
        assert_eq!(
            text("<h1>A  &amp;\n b</h1><p>caf&#233;&#xE9; &unknown; &#0; & 1<b>2</b></p>x<br>y<z", 100),
            "A & b\ncaféé &unknown; &#0; & 12\nx\ny"
        );
        assert!(text(&"<i>word </i>".repeat(100_000), 100).len() < 500);
        assert!(text(&"&amp;".repeat(100_000), 100).len() < 500);
    }
}
