//! What sources say by themselves, kept: reading one takes a thread with a deep stack, and the same tool is run again
//! and again. It follows from the text alone, so it does not matter whose text it was.

use std::sync::LazyLock;

use mneme_domain::JsonObject;
use mneme_memo::{Bounds, Memo};
use mneme_toolsource::Language;
use tokio::sync::Semaphore;

/// Sources read at once. Each may keep a core busy and a deep stack; the others wait.
pub static READERS: Semaphore = Semaphore::const_new(2);

static PYTHON: LazyLock<Known> = LazyLock::new(Known::empty);
static TYPESCRIPT: LazyLock<Known> = LazyLock::new(Known::empty);

/// What is known of the sources in one language.
pub struct Known {
    /// The schema that follows from the source when its author says nothing else.
    pub schemas: Memo<String, JsonObject>,
    /// The name of the function that is the tool.
    entry_points: Memo<String, String>,
}

impl Known {
    fn empty() -> Self {
        /// Bytes of sources that each of the two keeps. What a schema says was in its source.
        const SOURCES: u64 = 2 << 20;
        Self {
            schemas: Memo::weighing(Bounds::of(SOURCES), |source, _| source.len()),
            entry_points: Memo::weighing(Bounds::of(SOURCES), |source, _| source.len()),
        }
    }

    /// What is known of a language's sources.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::Python => &PYTHON,
            Language::TypeScript => &TYPESCRIPT,
        }
    }
}

/// The name of the function that is the tool; none when the source does not say it.
pub async fn entry_point(language: Language, source: &str) -> Option<String> {
    let known = &Known::of(language).entry_points;
    if let Some(name) = known.get(&source.to_owned()) {
        return Some(name);
    }
    let _reader = READERS.acquire().await.ok()?;
    let text = source.to_owned();
    let name = tokio::task::spawn_blocking(move || mneme_toolsource::entry_point(language, &text)).await.ok()?.ok()?;
    known.insert(source.to_owned(), name.clone());
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_that_is_known_says_the_same_again() {
        let (first, second) = ("def one(): pass", "def one(): pass\ndef two(): pass");
        for _ in 0..2 {
            assert_eq!(entry_point(Language::Python, first).await.as_deref(), Some("one"));
            assert_eq!(entry_point(Language::Python, second).await.as_deref(), Some("two"));
            assert_eq!(entry_point(Language::Python, "no function").await, None);
            assert_eq!(entry_point(Language::TypeScript, first).await, None, "each language reads it in its own way");
        }
    }
}
