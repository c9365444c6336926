//! TypeScript and JavaScript files as the runtime gets them.
#![allow(clippy::unwrap_used)]

use crate::script::script;

fn body(source: &str) -> String {
    script(source).unwrap().body
}

#[test]
fn types_and_exports_go() {
    let source = "interface Point { x: number }\n\n/** Adds. */\nexport function add(a: Point, b: number = 1): number {\n  \
                  return a.x + b;\n}\n";
    let body = body(source);
    assert!(!body.contains("interface") && !body.contains("export") && !body.contains("number"), "{body}");
    assert!(body.contains("function add(a, b = 1)"), "{body}");
}

#[test]
fn all_forms_of_exports_go() {
    for source in [
        "export const go = async (a: string, b?: number) => a;",
        "const go = function (a, b) {};\nexport { go };",
        "export default async function go(a, b) {}",
        "function go(a: string): string;\nfunction go(a: any, b: any): any { return a }",
    ] {
        let body = body(source);
        assert!(body.contains("go") && !body.contains("export") && !body.contains("any"), "{body}");
    }
}

#[test]
fn what_is_exported_by_default_without_a_name_gets_one() {
    for (source, expected) in [
        ("export default (a: number) => a + 1", "const __default_export = (a) => a + 1;"),
        (
            "export default async function (a: string) {\n  return a;\n}\n(1, 2)",
            "const __default_export = async function",
        ),
        ("export default async (a) => a;\nfunction help() {}", "const __default_export = async (a) => a;"),
        ("function go() {}\nexport default go;", "const __default_export = go;"),
    ] {
        let body = body(source);
        assert!(body.contains(expected) && !body.contains("}(1, 2)"), "{body}");
    }
}

#[test]
fn imports_become_requires() {
    let source = "import type { T } from 'types';\nimport dayjs, { extend as e, type U } from \"dayjs\";\n\
                  import * as all from 'lodash';\nimport 'side';\nexport function go() { return dayjs(e, all) }";
    let script = script(source).unwrap();
    assert_eq!(script.packages, ["dayjs", "lodash", "side"]);
    assert!(!script.body.contains("import"), "{}", script.body);
    assert!(script.body.contains("extend: e") || script.body.contains("\"extend\": e"), "{}", script.body);
    let refused = crate::script::script("\nexport * from './x';").unwrap_err().to_string();
    assert!(refused.contains("line 2"), "{refused}");
}

#[test]
fn modules_are_imported_where_they_are_needed() {
    let source = "import dayjs from 'dayjs';\nexport default async (a) => {\n  const it = 1\n  import('lodash').then(f)\n  \
                  return (await import(\n  'dayjs')).default(a, await import(a + 'x', import('never')));\n}";
    let script = script(source).unwrap();
    assert_eq!(script.packages, ["dayjs", "lodash"]);
    assert!(!script.body.contains("import('") && !script.body.contains("import(\""), "{}", script.body);
    assert!(script.body.contains("require(\"lodash\")") && script.body.contains("Promise.reject("), "{}", script.body);
    assert!(script.body.contains("const it = 1;"), "{}", script.body);
    assert!(script.body.contains("const __default_export = async"), "{}", script.body);
}

#[test]
fn what_is_evaluated_keeps_its_last_value() {
    assert_eq!(body("const x: number = 1;\nx + 1"), "const x = 1;\nx + 1;\n");
    assert_eq!(body("await f();"), "await f();\n");
    assert_eq!(body("enum E { A = 1 }\nE.A").lines().last(), Some("E.A;"));
    assert_eq!(body(""), "");
}

#[test]
fn places_are_those_of_the_authors_file() {
    let source =
        "// a comment\n\ninterface I {\n  a: string\n}\n\nexport function go(i: I) {\n\n  throw new Error('x');\n}\n";
    let script = script(source).unwrap();
    let thrown = script.body.lines().position(|line| line.contains("throw")).unwrap() + 1;
    assert_eq!(script.lines[thrown - 1], 9);
}

#[test]
fn mistakes_are_named_with_their_line() {
    let mistake = script("const a = 1;\nconst = 2;");
    assert!(mistake.as_ref().unwrap_err().to_string().ends_with("(line 2)"), "{mistake:?}");
}
