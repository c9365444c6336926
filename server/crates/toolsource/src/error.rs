//! Why a source does not become a tool, in words for its author.

/// What is wrong with a source or with the schema that came with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// More than [`crate::MAX_SOURCE`] bytes.
    #[error("The source code is longer than {} KiB", crate::MAX_SOURCE / 1024)]
    TooLarge,
    /// The source does not parse. The first words are Python's own.
    #[error("Failed to parse source code: invalid syntax ({}): {reason}", place(*line))]
    Syntax {
        /// Line of the first mistake, from 1, when it is known.
        line: Option<usize>,
        /// What the parser expected.
        reason: String,
    },
    /// Expressions or blocks inside of each other without end.
    #[error("Failed to parse source code: it nests too deeply, or a bracket is never closed")]
    TooDeep,
    /// There is nothing to call.
    #[error("No function found: {expected}")]
    NoFunction {
        /// What would have been one.
        expected: &'static str,
    },
    /// What is exported by default has no name, and nothing else gives the tool one.
    #[error(
        "The function that is exported by default has no name: give it one (`export default function name…`), or give the tool \
         one in json_schema"
    )]
    Nameless,
    /// The function has no text that says what it does.
    #[error("Function '{function}' lacks a docstring that describes it")]
    Undocumented {
        /// The function.
        function: String,
    },
    /// A parameter whose meaning the model would have to guess.
    #[error("Parameter '{parameter}' in function '{function}' lacks a description in the docstring")]
    UndocumentedParameter {
        /// The function.
        function: String,
        /// The parameter.
        parameter: String,
    },
    /// A parameter without a type.
    #[error(
        "Type error in schema generation: Parameter '{parameter}' in function '{function}' lacks a type annotation"
    )]
    Untyped {
        /// The function.
        function: String,
        /// The parameter.
        parameter: String,
    },
    /// A parameter that JSON arguments cannot fill.
    #[error("Type error in schema generation: Parameter '{parameter}' in function '{function}': {reason}")]
    Parameter {
        /// The function.
        function: String,
        /// The parameter.
        parameter: String,
        /// What about it.
        reason: String,
    },
    /// A name that model providers refuse.
    #[error("'{name}' cannot be a tool's name: 1 to {} ASCII letters, digits, '_' and '-'", crate::MAX_NAME)]
    Name {
        /// The name, cut.
        name: String,
    },
    /// The given JSON Schema makes no sense.
    #[error("The given args_json_schema cannot be used: {0}")]
    Arguments(String),
    /// The parser gave up.
    #[error("Failed to parse source code: the parser cannot read it")]
    Unreadable,
    /// The server has no memory for reading a source now.
    #[error("The source code cannot be read right now; try again")]
    Unavailable,
    /// The schema would be larger than any model could read.
    #[error("The schema of the arguments is too large; use fewer or simpler types")]
    SchemaTooLarge,
}

fn place(line: Option<usize>) -> String {
    line.map_or_else(|| "<unknown>".to_owned(), |line| format!("<unknown>, line {line}"))
}
