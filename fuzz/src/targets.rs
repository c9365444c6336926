//! What is fuzzed. A target panics when it finds a fault.

use std::sync::Arc;

use mneme_sandbox::{CallRequest, Grants, Limits, NoAgent, Sandbox, SandboxConfig, SandboxError, ToolFailure};
use mneme_toolsource::{Given, Language, SourceError, derive, entry_point};
use tokio::runtime::Runtime;

/// Sources of tools as people write them.
const PYTHON: &[&str] = &[
    include_str!("../../examples/tools/signature.py"),
    include_str!("../../tests/tests/tools/orders.py"),
    include_str!("../../tests/tests/tools/gather.py"),
    include_str!("../../tests/tests/tools/withdraw.py"),
    include_str!("../../tests/tests/tools/rename_human.py"),
];
const TYPESCRIPT: &[&str] = &[
    include_str!("../../examples/tools/weather.ts"),
    "/** Adds.\n * @param a One.\n */\nexport async function add({a, b = 2}: {a: number; b?: number}): Promise<number> { return a + b; }",
    "interface P { x: string | null; y: Array<P>; }\nenum E { A = 'a' }\nexport const f = (p: P, e: E, ...r: [number, ...string[]]) => p;",
    "import ms from \"ms\";\ntype T<K extends string> = { [k in K]?: Record<string, T<'x'>> };\nexport default function g(t: T<'a'>): void {}",
];
const PYTHON_WORDS: &[&str] = &[
    "def f(",
    "):\n    ",
    "\"\"\"",
    "Args:\n        ",
    "list[",
    "dict[str, ",
    "Optional[",
    "Literal['",
    " | None",
    "=",
    "*, ",
    "**k",
    "class A(BaseModel):\n    x: ",
    "@dataclass\n",
    "Field(..., description='",
    "Enum",
    "\t",
    "\\\n",
    "f'{",
    "lambda: ",
    "async ",
    "\u{feff}",
    "# -*- coding: x",
];
const TYPESCRIPT_WORDS: &[&str] = &[
    "export ",
    "function f(",
    "=> ",
    "interface I {",
    "type T = ",
    "?: ",
    "...",
    "<",
    ">",
    "`${",
    "/** ",
    "@param ",
    " */",
    "enum E {",
    "as const",
    "satisfies ",
    "keyof ",
    "import x from 'y';",
    "//",
    "async ",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\u{2028}",
];

/// A small component of the tools' world; every byte of it means something.
const COMPONENT: &str = include_str!("../seeds/tool.wat");

/// Tries one input.
type Trial = Box<dyn Fn(&[u8])>;

/// Something to be fuzzed.
pub struct Target {
    name: &'static str,
    seeds: fn() -> Vec<Vec<u8>>,
    words: &'static [&'static str],
    trial: Trial,
}

impl Target {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Inputs to start from.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        (self.seeds)()
    }

    /// Words that mean something in inputs.
    pub fn words(&self) -> &'static [&'static str] {
        self.words
    }

    /// Tries one input.
    ///
    /// # Panics
    /// When it finds a fault.
    pub fn try_one(&self, input: &[u8]) {
        (self.trial)(input);
    }
}

/// All targets: `python`, `typescript`, `script`, `component`.
///
/// # Panics
/// When the sandbox cannot be set up.
pub fn all() -> Vec<Target> {
    let python = || texts(PYTHON);
    let typescript = || texts(TYPESCRIPT);
    vec![
        Target {
            name: "python",
            seeds: python,
            words: PYTHON_WORDS,
            trial: Box::new(|input| signature(Language::Python, input)),
        },
        Target {
            name: "typescript",
            seeds: typescript,
            words: TYPESCRIPT_WORDS,
            trial: Box::new(|input| signature(Language::TypeScript, input)),
        },
        Target { name: "script", seeds: typescript, words: TYPESCRIPT_WORDS, trial: script() },
        Target { name: "component", seeds: component_seeds, words: &[], trial: component() },
    ]
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The target of that name.
pub fn find(name: &str) -> Option<Target> {
    all().into_iter().find(|target| target.name == name)
}

/// A schema comes out, or a reason; both readers agree on the name.
fn signature(language: Language, input: &[u8]) {
    let source = String::from_utf8_lossy(input);
    let derived = derive(language, &source, Given { description: Some("d"), arguments: None, name: None });
    let entry = entry_point(language, &source);
    for outcome in [derived.as_ref().err(), entry.as_ref().err()] {
        assert!(!matches!(outcome, Some(SourceError::Unreadable)), "the reader gave up");
    }
    if let Ok(signature) = derived {
        assert_eq!(entry.as_deref(), Ok(signature.name.as_str()));
        assert_eq!(signature.parameters["type"], "object");
        let text = serde_json::to_string(&signature.parameters).expect("a schema is JSON");
        assert!(text.len() <= 16 * (input.len() + 4_096), "a schema of {} bytes", text.len());
    }
}

fn machine() -> (Runtime, Sandbox) {
    let runtime = Runtime::new().expect("a runtime");
    (runtime, Sandbox::new(SandboxConfig::default()).expect("a sandbox"))
}

/// The guest that takes the types out: it may fail, but only within its limits and its sandbox.
fn script() -> Trial {
    let (runtime, sandbox) = machine();
    let guest = runtime.block_on(sandbox.typescript()).expect("the guest loads");
    Box::new(move |input| {
        let source = String::from_utf8_lossy(input);
        let request = CallRequest {
            tool: "compile_script".into(),
            arguments: serde_json::json!({ "source": source }).to_string(),
            host: Arc::new(NoAgent),
            limits: Limits { output_bytes: 16 << 20, memory_bytes: 256 << 20, ..Limits::default() },
            grants: Grants { capabilities: Vec::new(), ..Grants::default() },
            env: Vec::new(),
        };
        match runtime.block_on(sandbox.call(&guest, request)).result {
            Ok(text) => {
                let script: serde_json::Value = serde_json::from_str(&text).expect("the guest answers with JSON");
                assert!(script["body"].is_string() && script["lines"].is_array(), "{text}");
            }
            Err(failure) => assert!(!matches!(failure, ToolFailure::Internal(_)), "{failure}"),
        }
    })
}

/// An upload is refused with a reason, or it is a tool; the process lives.
fn component() -> Trial {
    let (runtime, sandbox) = machine();
    Box::new(move |input| match runtime.block_on(sandbox.load(input)) {
        Ok(guest) => assert!(!guest.tools().is_empty()),
        Err(error) => {
            assert!(!matches!(error, SandboxError::Setup(_)), "{error}");
            assert!(error.to_string().len() < 64 << 10, "a reason of {} bytes", error.to_string().len());
        }
    })
}

fn component_seeds() -> Vec<Vec<u8>> {
    let tool = wat::parse_str(COMPONENT).expect("a valid text");
    let empty = b"\0asm\x0d\0\x01\0".to_vec();
    let module = b"\0asm\x01\0\0\0".to_vec();
    vec![tool, empty, module]
}
