//! Sources that nobody would write: whatever the text, the answer comes soon and the process lives.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use mneme_toolsource::{Given, Language, MAX_SOURCE, SourceError, derive, entry_point};
use proptest::prelude::*;

const LANGUAGES: [Language; 2] = [Language::Python, Language::TypeScript];

/// Pieces of sources, so that random texts get past the first token.
const PIECES: [&str; 54] = [
    "def f(",
    "a: ",
    "int",
    "str",
    "= 1",
    ", ",
    ")",
    ":\n",
    "    ",
    "\"\"\"",
    "Args:\n",
    "a: x\n",
    "\n",
    "class A(",
    "BaseModel",
    "B",
    "A",
    "):\n    x: ",
    "Optional[",
    "Literal[",
    "]",
    "'A'",
    " | ",
    "None",
    "f'{",
    "}",
    "'",
    "(",
    "[",
    "{",
    "@dataclass\n",
    "export function g(",
    "\nexport const h = ",
    "async ",
    "export { ",
    "default ",
    "/** D */\n",
    "interface B {",
    "type A = ",
    "x?: ",
    ";",
    "<",
    ">",
    "=>",
    "...",
    "//",
    "/*",
    "lambda: ",
    "extends ",
    "keyof ",
    "Pick<",
    "Omit<",
    "T",
    "'x'",
];

fn try_all(source: &str) {
    for language in LANGUAGES {
        let given = Given { description: Some("d"), ..Given::default() };
        let derived = derive(language, source, given);
        let entry = entry_point(language, source);
        assert!(!matches!(derived, Err(SourceError::Unreadable)), "{source:?}");
        assert!(!matches!(entry, Err(SourceError::Unreadable)), "{source:?}");
        if let Ok(signature) = derived {
            assert_eq!(entry.unwrap(), signature.name);
            assert_eq!(signature.parameters["type"], "object");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "(?s).{0,200}") {
        try_all(&text);
    }

    #[test]
    fn any_pieces_are_answered(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        try_all(&pieces.concat());
    }

    #[test]
    fn any_docstring_is_answered(text in "[ \\t\\n:()*@a-zäöARGSargs{}\\[\\]`-]{0,200}") {
        try_all(&format!("def f(a: int):\n    '''{text}'''\n"));
        try_all(&format!("/**{text}*/\nfunction f(a) {{}}\n"));
    }
}

/// A source of a repeated text, as long as sources may be.
fn long(before: &str, text: &str) -> String {
    let times = (MAX_SOURCE - before.len()) / text.len();
    format!("{before}{}", text.repeat(times))
}

#[test]
fn deep_sources_are_refused() {
    for text in [
        "(",
        "[",
        "{",
        "-",
        "not ",
        "lambda:",
        "a.",
        "a+",
        "a if b else ",
        "f(",
        "a[",
        "x=(",
        "f'{",
        "**",
        "await ",
        "a**",
    ] {
        for before in ["", "x = ", "def f(a: "] {
            let source = long(before, text);
            let result = entry_point(Language::Python, &source);
            assert_eq!(result, Err(SourceError::TooDeep), "{before}{text}");
        }
    }
    let mut blocks = String::new();
    for level in 0..600 {
        blocks.push_str(&" ".repeat(level));
        blocks.push_str("if x:\n");
    }
    assert_eq!(entry_point(Language::Python, &blocks), Err(SourceError::TooDeep));
}

#[test]
fn hostile_sources_are_answered_in_time() {
    let field = "    f: 'A'\n";
    let many_classes: String =
        (0..8000).map(|n| format!("class C{n}(C{}, C{}): x: C{}\n", n + 1, n + 2, n + 3)).collect();
    let many_tools: String = (0..8000).map(|n| format!("class C{n}(C{}, C{}): a = 1\n", n + 1, n + 2)).collect();
    let tool = "def f(a: C0):\n    'd'\n";
    let sources = [
        long("", "f'{a' [[[[ \n"),
        long("f'{a' ", "["),
        // What the lexer and the parser that repairs read differently.
        format!("f'{{a' {}", "[".repeat(60 * 1024)),
        format!("f'{{a' {}", "a+".repeat(30 * 1024)),
        format!("f\"\"\"{{ (x y \n \"\"\"{}\"\"\" ) }}\"\"\"", "[".repeat(500 * 1024)),
        long("", "'"),
        long("", "\""),
        long("", "a\n"),
        long("", "(\n"),
        long("", ")"),
        long("", "def f(a: int): 'd'\n"),
        long("", "elif x: pass\n"),
        long("x = [", "1,"),
        long("class A(BaseModel):\n", field) + "def f(a: A):\n    'd'\n",
        long("", "function f(\n"),
        long("", "const f = (\n"),
        long("", "const f: {\n"),
        long("", "export const f = /*\n"),
        long("", "let f = `\nvar g = \"\n"),
        long("", "export {\n"),
        long("", "export default (\n"),
        long("", "export default <\n"),
        long("/** d */\nfunction f<", "T extends "),
        long("/** d */\nfunction f(a: ", "keyof "),
        long("/** d */\nfunction f(a: ", "?"),
        long("const L = [\n/** d */\nfunction f(a: typeof L) {}\nconst L = [", "'a',"),
        long("/** d */\nexport const f = (", "(a) => "),
        long("/**", "/*"),
        long("/** d */\nfunction f(a: ", "("),
        long("/** d */\nfunction f(a: ", "{a:"),
        long("/** d */\nfunction f(a: string", "[]"),
        long("/** d */\nfunction f(a: {a: string}", " & {a: string}"),
        long("/** d */\nfunction f(a: A) {}\n", "interface A extends A {}\n"),
        long("/** d */\nfunction f({", "a: {"),
        long("/** d */\nfunction f(a: ", "string |"),
        long("/** d */\nfunction f(a = ", "("),
        many_classes.clone() + "class C8000(BaseModel): pass\n" + tool,
        many_classes + tool,
        many_tools.clone() + "class C8000(BaseTool): x = 1\n",
        many_tools + &long("class C8000(BaseTool):\n", "    x = 1\n")[..199_923] + "\n",
        "\u{feff}".to_owned(),
        "\0".to_owned(),
        long("", "\\\n"),
    ];
    for source in sources {
        let begin = Instant::now();
        for language in LANGUAGES {
            let given = Given { description: Some("d"), ..Given::default() };
            let result = derive(language, &source, given);
            assert_ne!(result, Err(SourceError::Unreadable));
        }
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(20), "{took:?}: {:?}", source.chars().take(60).collect::<String>());
    }
}

#[test]
fn types_that_multiply_are_refused() {
    let mut source = String::from("class C20(BaseModel):\n    x: int\n");
    for level in (0..20).rev() {
        source += &format!("class C{level}(BaseModel):\n");
        for field in 0..10 {
            source += &format!("    f{field}: C{}\n", level + 1);
        }
    }
    source += "def f(a: C0):\n    '''D.\n\n    Args:\n        a: x\n    '''\n";
    assert_eq!(derive(Language::Python, &source, Given::default()), Err(SourceError::SchemaTooLarge));
}

#[test]
fn types_that_are_filled_in_do_not_multiply() {
    let mut wide = String::from("type W0<T> = { a: T; b: T }\n");
    let mut deep = String::from("type W0<T> = { a: T }\n");
    for level in 1..20 {
        let before = level - 1;
        wide += &format!("type W{level}<T> = W{before}<{{ a: T; b: T; c: T }}>\n");
        deep += &format!("type W{level}<T> = W{before}<{}>\n", "{ a: ".repeat(20) + "T" + &" }".repeat(20));
    }
    for types in [wide, deep] {
        let source = format!("{types}/** D. */\nexport function f(a: W19<string>) {{}}\n");
        let result = derive(Language::TypeScript, &source, Given::default());
        assert_eq!(result, Err(SourceError::SchemaTooLarge), "{source}");
    }
}

#[test]
fn long_sources_are_refused() {
    let source = format!("def f():\n    'd'\n#{}", "x".repeat(MAX_SOURCE));
    for language in LANGUAGES {
        assert_eq!(entry_point(language, &source), Err(SourceError::TooLarge));
    }
}
