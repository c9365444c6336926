//! TypeScript and JavaScript tools, and what models get to see of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use mneme_toolsource::{Given, Language, Signature, SourceError, derive};
use serde_json::{Value, json};

fn read(source: &str) -> Result<Signature, SourceError> {
    derive(Language::TypeScript, source, Given::default())
}

fn typed(before: &str, annotation: &str) -> Value {
    let source = format!("{before}\n/** Do. */\nexport function tool(it: {annotation}) {{}}\n");
    read(&source).unwrap_or_else(|error| panic!("{error}\n{source}")).parameters["properties"]["it"].take()
}

#[test]
fn a_whole_tool() {
    let source = r#"
import { something } from "somewhere";

interface Options {
  /** whatever */
  deep?: boolean; // a comment
  limits: { min: number, max: number };
}

function helper(x: unknown) { return `${x} function fake(`; }

/**
 * Joins the words.
 *
 * Keeps their order.
 *
 * @param words - The words
 *   to join.
 * @param times how often
 * @returns the text
 */
export async function join(
  words: string[],
  times: number = Math.max(1, (2)), /* here */
  options?: Options,
  mode: "fast" | "slow" | undefined
): Promise<string> {
  return words.join("-");
}

function later() {}
"#;
    let limits = json!({
        "type": "object", "properties": { "min": { "type": "number" }, "max": { "type": "number" } },
        "required": ["min", "max"],
    });
    let expected = json!({
        "name": "join",
        "description": "Joins the words.\n\nKeeps their order.",
        "parameters": {
            "type": "object",
            "properties": {
                "words": { "type": "array", "items": { "type": "string" }, "description": "The words\nto join." },
                "times": { "type": "number", "description": "how often" },
                "options": {
                    "type": "object", "properties": { "deep": { "type": "boolean", "description": "whatever" }, "limits": limits },
                    "required": ["limits"],
                },
                "mode": { "type": "string", "enum": ["fast", "slow"] },
            },
            "required": ["words"],
        },
    });
    assert_eq!(Value::Object(read(source).unwrap().into_schema()), expected);
}

#[test]
fn javascript_has_its_types_in_jsdoc() {
    let source = "/**\n * Adds.\n * @param {number} a - one\n * @param {{x: string}[]} b two\n * @param {string} [c=\"d\"] - three\n */\nfunction add(a, b, c = 'd') {}\n";
    let expected = json!({
        "type": "object",
        "properties": {
            "a": { "type": "number", "description": "one" },
            "b": {
                "type": "array", "description": "two",
                "items": { "type": "object", "properties": { "x": { "type": "string" } }, "required": ["x"] },
            },
            "c": { "type": "string", "description": "three" },
        },
        "required": ["a", "b"],
    });
    assert_eq!(read(source).unwrap().parameters, expected);
}

#[test]
fn jsdoc_may_stand_where_python_has_its_docstring() {
    let doc = "{\n    /**\n     * Writes a block.\n     *\n     * @param label - Which.\n     */\n    return label;\n}";
    let expected = json!({
        "type": "object", "properties": { "label": { "type": "string", "description": "Which." } }, "required": ["label"],
    });
    for signature in [
        "function write(label: string): void ",
        "export async function write(label: string) ",
        "export function write(label: string): { ok: boolean } | { reason: string } ",
        "export function write(agentState: AgentState, label: string): Promise<Record<string, { a: number }[]>> ",
        "export const write = async (label: string): Promise<string> => ",
        "  function write(label: string): void ",
    ] {
        let source = format!("{signature}{}", doc.replace('\n', "\n  "));
        let read = read(&source).unwrap_or_else(|error| panic!("{error}\n{source}"));
        assert_eq!((read.description.as_str(), &read.parameters), ("Writes a block.", &expected), "{source}");
    }
    let both = format!("/** Before. */\nfunction write(label: string) {doc}");
    assert_eq!(read(&both).unwrap().description, "Before.");
    let later = "function write(label: string) {\n  const a = 1;\n  /** Of b. */\n  const b = 2;\n}";
    assert!(read(later).unwrap_err().to_string().contains("lacks a docstring"));
}

#[test]
fn functions_may_be_bound_to_names() {
    let expected = json!({
        "type": "object",
        "properties": { "a": { "type": "string", "description": "First." }, "b": { "type": "number" } },
        "required": ["a"],
    });
    for declaration in [
        "export const go = (a: string, b?: number) => a;",
        "export const go = async (a: string, b?: number): Promise<string> => {\n  return a;\n};",
        "export const go =\n  (a: string, b: number = Math.max(1, 2)): { a: string } => ({ a });",
        "export const go = function (a: string, b?: number) { return a; };",
        "export const go = async function named(a: string, b?: number) { return a; };",
        "export const go: (a: string, b?: number) => string = (a: string, b?: number) => a;",
        "export let go: Handler<string> = async (a: string, b?: number) => a;",
        "export default function go(a: string, b?: number) { return a; }",
        "export default async function go(a: string, b?: number) { return a; }",
        "const go = (a: string, b?: number) => a;",
        "const go = (a: string, b?: number) => a;\nconst unit = 5;\nexport default go;\nexport const LIMIT = 5;",
        "const go = (a: string, b?: number) => a;\nfunction helper() {}\nexport { go as tool, LIMIT };",
    ] {
        let source = format!("/**\n * Goes.\n * @param a First.\n */\n{declaration}\n");
        let found = read(&source).unwrap_or_else(|error| panic!("{error}\n{source}"));
        assert_eq!((found.name.as_str(), found.description.as_str()), ("go", "Goes."), "{source}");
        assert_eq!(found.parameters, expected, "{source}");
    }
    let plain =
        "/**\n * Goes.\n * @param {string} a First.\n * @param {number} [b]\n */\nconst go = async (a, b) => a;\n";
    assert_eq!(read(plain).unwrap().parameters, expected);
    let single = "/** Goes.\n * @param {string} a First.\n */\nexport const go = async a => a;\n";
    assert_eq!(read(single).unwrap().parameters["required"], json!(["a"]));
}

#[test]
fn the_members_of_a_destructured_parameter_are_the_arguments() {
    let source = r#"
interface Place { city: string }

/**
 * Tells the weather.
 * @param options.unit Of the degrees.
 */
export const weather = async ({ city, unit = "c", days }: Place & {
  unit?: "c" | "f";
  /** How many to look ahead. */
  readonly days: number;
} = {}, agentState: any) => city;
"#;
    let expected = json!({
        "type": "object",
        "properties": {
            "city": { "type": "string" },
            "unit": { "type": "string", "enum": ["c", "f"], "description": "Of the degrees." },
            "days": { "type": "number", "description": "How many to look ahead." },
        },
        "required": ["city", "days"],
    });
    assert_eq!(read(source).unwrap().parameters, expected);
}

#[test]
fn interfaces_inherit() {
    let a = json!({ "type": "string" });
    let all = json!({ "a": a, "b": { "type": "number" }, "c": { "type": "boolean", "description": "Last." } });
    let expected = json!({ "type": "object", "properties": all, "required": ["a", "b"] });
    for (before, annotation) in [
        (
            "interface A { a: string }\ninterface B { b: string }\nexport interface C extends A, B { b: number; /** Last. */ c?: boolean }",
            "C",
        ),
        ("interface A { a: string }\ntype C = A & { b: number } & Readonly<{ /** Last. */ c?: boolean }>", "C"),
        ("type A = { a?: number }", "A & { a: string; b: number } & { /** Last. */ c?: boolean }"),
    ] {
        assert_eq!(typed(before, annotation), expected, "{before}");
    }
    let endless =
        "interface A extends B { a: string }\ninterface B extends A { b: string }\n/** D. */\nfunction f(a: A) {}";
    assert!(read(endless).is_err());
    let mut chain = String::new();
    for level in 0..5_000 {
        chain += &format!("interface A{level} extends A{0}, A{0} {{}}\n", level + 1);
    }
    let multiplied = format!("{chain}/** D. */\nfunction f(a: A0) {{}}");
    assert_eq!(read(&multiplied), Err(SourceError::SchemaTooLarge));
}

#[test]
fn a_declared_function_goes_before_one_that_is_bound() {
    let source = "/** The tool. */\nexport function tool() {}\n/** Helps. */\nexport const help = (x: number) => x;\n";
    assert_eq!(read(source).unwrap().name, "tool");
    let source = "/** Helps. */\nfunction help() {}\n/** The tool. */\nexport const tool = (x: number) => x;\n";
    assert_eq!(read(source).unwrap().name, "tool");
}

#[test]
fn the_server_fills_the_agent_in() {
    let source = "/** D. */\nexport const f = (agentState: Map<string, AgentState>, a: string) => a;";
    let properties = json!({ "a": { "type": "string" } });
    let expected = json!({ "type": "object", "properties": properties, "required": ["a"] });
    assert_eq!(read(source).unwrap().parameters, expected);
}

#[test]
fn types_become_schemas() {
    let string = json!({ "type": "string" });
    for (before, annotation, expected) in [
        ("", "string", string.clone()),
        ("", "any", json!({})),
        ("", "readonly string[]", json!({ "type": "array", "items": string })),
        (
            "",
            "Array<string | number>",
            json!({ "type": "array", "items": { "anyOf": [string, { "type": "number" }] } }),
        ),
        ("", "(string | null)[]", json!({ "type": "array", "items": { "anyOf": [string, { "type": "null" }] } })),
        ("", "Record<string, number>", json!({ "type": "object", "additionalProperties": { "type": "number" } })),
        ("", "{ [key: string]: number }", json!({ "type": "object", "additionalProperties": { "type": "number" } })),
        ("", "[string, string]", json!({ "type": "array", "items": string, "minItems": 2, "maxItems": 2 })),
        ("", "1 | 2", json!({ "type": "number", "enum": [1, 2] })),
        ("export type Mode =\n  | 'a'\n  | 'b';", "Mode", json!({ "type": "string", "enum": ["a", "b"] })),
        ("type Mode = 'a' | 'b';", "Mode | 'c' | 'a'", json!({ "type": "string", "enum": ["a", "b", "c"] })),
        (
            "export enum Color {\n  Red = 'red', // warm\n  Blue = \"blue\",\n}",
            "Color",
            json!({ "type": "string", "enum": ["red", "blue"] }),
        ),
        ("const enum N { A, B = 5, C, D = -1 }", "N", json!({ "type": "number", "enum": [0, 5, 6, -1] })),
        ("enum M { A = 1, B = 'b' }", "M[]", json!({ "type": "array", "items": { "enum": [1, "b"] } })),
        (
            "interface Node {\n  next?: Node\n}",
            "Node",
            json!({ "type": "object", "properties": { "next": { "type": "object" } }, "required": [] }),
        ),
    ] {
        assert_eq!(typed(before, annotation), expected, "{annotation}");
    }
}

#[test]
fn a_function_without_a_name_has_the_name_that_its_author_gives() {
    let expected = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
    for declaration in [
        "export default (a: string) => a;",
        "export default async (a: string): Promise<string> => {\n  return a;\n}",
        "export default function (a: string) { return a; }",
        "export default async function(a: string) { return a; }",
        "export default\n  <T extends string>(a: T) => a;",
    ] {
        let source = format!("function help(b: number) {{}}\n/** Goes. */\n{declaration}\n");
        let given = Given { name: Some("go"), ..Given::default() };
        let found = derive(Language::TypeScript, &source, given).unwrap_or_else(|error| panic!("{error}\n{source}"));
        assert_eq!((found.name.as_str(), found.description.as_str()), ("go", "Goes."), "{source}");
        assert_eq!(found.parameters, expected, "{source}");
        assert_eq!(read(&source), Err(SourceError::Nameless), "{source}");
    }
    let named = derive(
        Language::TypeScript,
        "/** Goes. */\nexport default function go() {}",
        Given { name: Some("other"), ..Given::default() },
    );
    assert_eq!(named.unwrap().name, "go");
}

#[test]
fn type_parameters_mean_what_they_are_bound_to() {
    let source = "interface Opts<T = string> { only: T[]; mode?: keyof Named }\ninterface Named { a: string; b: string }\n\
                  /** Picks. */\nexport function pick<T extends 'x' | 'y', const K extends keyof Named = 'a', V>(\n  \
                  key: T, from: Record<string, T>, name: K, any: V, opts: Opts<T>, more: Opts) {}\n";
    let letters = json!({ "type": "string", "enum": ["x", "y"] });
    let names = json!({ "type": "string", "enum": ["a", "b"] });
    let opts = |item: Value| {
        let only = json!({ "type": "array", "items": item });
        json!({ "type": "object", "properties": { "only": only, "mode": names }, "required": ["only"] })
    };
    let expected = json!({
        "key": letters,
        "from": { "type": "object", "additionalProperties": letters },
        "name": names,
        "any": {},
        "opts": opts(letters.clone()),
        "more": opts(json!({ "type": "string" })),
    });
    assert_eq!(read(source).unwrap().parameters["properties"], expected);
}

#[test]
fn types_that_are_made_of_others() {
    let before = "interface P { a: string; b?: number; c: boolean }\ntype K = 'a' | 'b';\ntype Maybe<T> = T | null;\n\
                  interface Page<T> { items: T[]; next?: Page<T> }\ninterface Users extends Page<string> { total: number }\n\
                  export const MODES = ['fast', \"slow\"] as const;\ntype Mode = (typeof MODES)[number];";
    let (a, b, c) = (json!({ "type": "string" }), json!({ "type": "number" }), json!({ "type": "boolean" }));
    let object =
        |members: Value, required: Value| json!({ "type": "object", "properties": members, "required": required });
    let page = |more: Value| {
        let mut members = json!({ "items": { "type": "array", "items": a }, "next": { "type": "object" } });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        members
    };
    for (annotation, expected) in [
        ("Partial<P>", json!({ "type": "object", "properties": { "a": a, "b": b, "c": c } })),
        ("Required<P>", object(json!({ "a": a, "b": b, "c": c }), json!(["a", "b", "c"]))),
        ("Pick<P, 'a' | 'b'>", object(json!({ "a": a, "b": b }), json!(["a"]))),
        ("Pick<P, K>", object(json!({ "a": a, "b": b }), json!(["a"]))),
        ("Omit<P, 'c'>", object(json!({ "a": a, "b": b }), json!(["a"]))),
        ("Omit<P, 'c'> & { d: number }", object(json!({ "a": a, "b": b, "d": b }), json!(["a", "d"]))),
        ("Partial<Pick<P, 'a'>>", json!({ "type": "object", "properties": { "a": a } })),
        ("Record<K, number>", object(json!({ "a": b, "b": b }), json!(["a", "b"]))),
        ("Exclude<K | 'c', 'a'>", json!({ "type": "string", "enum": ["b", "c"] })),
        ("Extract<K, 'a' | 'z'>", json!({ "type": "string", "enum": ["a"] })),
        ("NonNullable<Maybe<number>>", b.clone()),
        ("Maybe<number>", json!({ "anyOf": [b, { "type": "null" }] })),
        ("keyof P", json!({ "type": "string", "enum": ["a", "b", "c"] })),
        ("P['a']", a.clone()),
        ("P[]", json!({ "type": "array", "items": object(json!({ "a": a, "b": b, "c": c }), json!(["a", "c"])) })),
        ("Page<string>", object(page(json!({})), json!(["items"]))),
        ("Users", object(page(json!({ "total": b })), json!(["items", "total"]))),
        ("Mode", json!({ "type": "string", "enum": ["fast", "slow"] })),
        ("Array<Record<string, Mode>>", {
            let mode = json!({ "type": "string", "enum": ["fast", "slow"] });
            json!({ "type": "array", "items": { "type": "object", "additionalProperties": mode } })
        }),
        ("string & {}", a.clone()),
        ("`item-${string}`", a.clone()),
        ("-1 | 0.5", json!({ "type": "number", "enum": [-1, 0.5] })),
    ] {
        assert_eq!(typed(before, annotation), expected, "{annotation}");
    }
}

#[test]
fn jsdoc_describes_members_one_by_one() {
    let text = json!({ "type": "string", "description": "Whose." });
    let members = json!({ "name": text, "times": { "type": "number" }, "tags": { "type": "array", "items": { "type": "string" } } });
    let doc = "/**\n * Greets.\n * @param {Object} options\n * @param {string} options.name - Whose.\n * @param {number} \
               [options.times=1]\n * @param {?Array.<string>=} options.tags\n */\n";
    let whole = read(&format!("{doc}function greet({{ name, times = 1, tags }} = {{}}) {{}}\n")).unwrap().parameters;
    let mut expected = members;
    expected["tags"] = json!({ "anyOf": [expected["tags"], { "type": "null" }] });
    let expected = json!({ "type": "object", "properties": expected, "required": ["name"] });
    assert_eq!(whole, expected);
    let one = read(&format!("{doc}function greet(options) {{}}\n")).unwrap().parameters;
    assert_eq!(one["properties"]["options"], expected);
    let inline =
        "/** Adds.\n * @param {{a: number, b: *}} both */\nfunction add({ a, b }) {}\nmodule.exports = { add };\n";
    let expected =
        json!({ "type": "object", "properties": { "a": { "type": "number" }, "b": {} }, "required": ["a", "b"] });
    assert_eq!(read(inline).unwrap().parameters, expected);
    let this = "/** D. */\nexport function f(this: Window, a: string) {}";
    assert_eq!(read(this).unwrap().parameters["required"], json!(["a"]));
}

#[test]
fn sources_as_people_send_them() {
    let expected = json!({ "type": "object", "properties": { "a": { "type": "string", "description": "First." } }, "required": ["a"] });
    for source in [
        "\n    /**\n     * Goes.\n     * @param a First.\n     */\n    export function go(a: string) {\n      return a;\n    }\n  ",
        "\t/** Goes.\n\t * @param a First. */\n\texport const go = (a: string) => a;\n",
        "/** Goes.\n * @param a First. */\n// eslint-disable-next-line\n// @ts-ignore\nexport function go(a: string) {}\n",
        "/* v1 */ /** Goes.\n * @param a First. */\nexport function go(a: string) {}\n",
        "/**\n * Goes.\n * @param {string} a - First.\n */\nfunction go(a) {}\nfunction help(b) {}\nmodule.exports = { go };\n",
        "/**\n * Goes.\n * @param {string} a - First.\n */\nconst go = async (a) => a;\nfunction help(b) {}\nmodule.exports = go;\n",
    ] {
        let found = read(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
        assert_eq!((found.name.as_str(), found.description.as_str()), ("go", "Goes."), "{source}");
        assert_eq!(found.parameters, expected, "{source}");
    }
    let one_line = read("/** Goes. */ export function go(a: string) {}\n").unwrap();
    assert_eq!(one_line.description, "Goes.");
}

#[test]
fn refusals_say_what_is_missing() {
    let at = "Type error in schema generation: Parameter";
    for (source, expected) in [
        (
            "const f = (1 + 2);\nexport const g = f ? (f) : f;\nexport const h: string = 'x => y';",
            "No function found: the last exported function that begins a line of the file is the tool, such as \
             `export function f` or `export const f = (…) => …`"
                .to_owned(),
        ),
        ("const f = () => 1;", "Function 'f' lacks a docstring that describes it".to_owned()),
        (
            "/** D. */\nexport const f = <T extends>(a: T) => a;",
            format!("{at} '<>' in function 'f': '>' was not expected in its type"),
        ),
        ("/** D. */\nexport const f = a => a;", format!("{at} 'a' in function 'f' lacks a type annotation")),
        ("export function f(a: string) {}", "Function 'f' lacks a docstring that describes it".to_owned()),
        ("/** D. */\nexport function f(a) {}", format!("{at} 'a' in function 'f' lacks a type annotation")),
        (
            "/** D. */\nexport function f(a: Foo) {}",
            format!("{at} 'a' in function 'f': the type 'Foo' is neither built in nor declared in the source"),
        ),
        (
            "/** D. */\nexport function f(a: A & B) {}",
            format!("{at} 'a' in function 'f': the type 'A' is neither built in nor declared in the source"),
        ),
        (
            "/** D. */\nexport function f(...a: string[]) {}",
            format!("{at} '...' in function 'f': a tool's arguments have to be known; use an array"),
        ),
        (
            "/** D. */\nexport function f({ a }) {}",
            format!("{at} '{{}}' in function 'f': a destructured parameter needs a type"),
        ),
        (
            "/** D. */\nexport function f({ a }: any) {}",
            format!("{at} '{{}}' in function 'f': a destructured parameter needs a type with known members"),
        ),
        (
            "/** D. */\nexport function f({ a }: { a: string }, b: string) {}",
            format!(
                "{at} '{{}}' in function 'f': a destructured parameter takes all arguments, so there can be no other"
            ),
        ),
        (
            "/** D. */\nexport function f([a]: string[]) {}",
            format!("{at} '[]' in function 'f': a destructured array cannot be filled by name"),
        ),
        (
            "/** D. */\nexport function f(a: { b: string } & string) {}",
            format!("{at} 'a' in function 'f': only objects with known members can be intersected or extended"),
        ),
        (
            "/** D. */\nexport function f(a: string",
            format!("{at} 'a' in function 'f': ',' or ')' was expected, not the end"),
        ),
        (
            "enum E { A = 1 << 2 }\n/** D. */\nexport function f(a: E) {}",
            format!("{at} 'a' in function 'f': '<' was not expected in its type"),
        ),
        (
            "interface P { b: string }\n/** D. */\nexport function f(a: Pick<P, string>) {}",
            format!("{at} 'a' in function 'f': 'Pick' needs literal names such as \"a\" | \"b\""),
        ),
        (
            "/** D. */\nexport function f(a: Omit<string, 'b'>) {}",
            format!("{at} 'a' in function 'f': 'Omit' needs an object with known members"),
        ),
        (
            "type A<T> = T extends string ? 1 : 2;\n/** D. */\nexport function f(a: A<string>) {}",
            format!("{at} 'a' in function 'f': the type 'A' depends on a condition"),
        ),
        (
            "/** D. */\nexport function f(a: typeof B) {}",
            format!("{at} 'a' in function 'f': 'typeof B' is not the type of a list of texts or numbers in the source"),
        ),
        (
            "const S = z.object({});\n/** D. */\nexport function f(a: z.infer<typeof S>) {}",
            format!("{at} 'a' in function 'f': the type 'z.infer' is neither built in nor declared in the source"),
        ),
        (
            "/** D. */\nexport function f(a: Date) {}",
            format!(
                "{at} 'a' in function 'f': JSON has no 'Date'; take a text, a number, an array or an object and make one of it"
            ),
        ),
        (
            "/** D. */\nexport default (a: string) => a;",
            "The function that is exported by default has no name: give it one (`export default function name…`), or give the \
             tool one in json_schema"
                .to_owned(),
        ),
    ] {
        assert_eq!(read(source).expect_err(source).to_string(), expected);
    }
}
