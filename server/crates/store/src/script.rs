//! What the words of messages and of passages have in common: how long and how many they may be, and which scripts put no
//! spaces between them.

/// A longer word is known by its beginning, in characters.
pub(crate) const LONGEST: usize = 64;
/// Most distinct words of a text that are indexed on PostgreSQL, whose index entry ends at 1 MiB.
pub(crate) const MOST: usize = 4000;
/// Most distinct words of a query.
pub(crate) const MOST_IN_QUERY: usize = 32;

/// Whether a character belongs to a script that puts no spaces between words.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'     // Thai, Lao
        | '\u{1000}'..='\u{109f}'   // Myanmar
        | '\u{1780}'..='\u{17ff}'   // Khmer
        | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}' // Hangul, whose particles stick to words
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}'
        | '\u{1b000}'..='\u{1b16f}' | '\u{20000}'..='\u{323af}'
    )
}
