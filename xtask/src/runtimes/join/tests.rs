use wasmparser::{ElementKind, Operator, Parser, Payload};

use super::*;

/// Two modules as a linker of libraries makes them: one has the memory and the table, the other fills and uses them, and calls the host.
const LINKED: &str = r#"(component
  (import "host" (func $host (param "x" u32) (result u32)))
  (core module $library
    (memory (export "memory") 1)
    (table (export "table") 4 funcref)
    (global (export "base") i32 (i32.const 2))
    (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (data (i32.const 16) "left"))
  (core module $program
    (type $unary (func (param i32) (result i32)))
    (import "library" "memory" (memory 1))
    (import "library" "table" (table 4 funcref))
    (import "library" "base" (global $base i32))
    (import "library" "twice" (func $twice (type $unary)))
    (import "env" "host" (func $host (type $unary)))
    (elem (global.get $base) func $twice)
    (data (i32.const 70000) "right")
    (func (export "run") (type $unary)
      (call $host (call_indirect (type $unary) (local.get 0) (global.get $base)))))
  (core instance $library (instantiate $library))
  (core func $lowered (canon lower (func $host)))
  (core instance $env (export "host" (func $lowered)))
  (core instance $program (instantiate $program (with "library" (instance $library)) (with "env" (instance $env))))
  (func (export "run") (param "x" u32) (result u32) (canon lift (core func $program "run"))))"#;

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a component in text")
}

#[test]
fn modules_become_one_without_data() {
    let made = join(&component(LINKED), |_| Ok(())).expect("joined");
    let (mut memories, mut imports, mut elements, mut calls) = (0, Vec::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(&made) {
        match payload.expect("a part") {
            Payload::MemorySection(section) => memories += section.count(),
            Payload::DataSection(_) => panic!("data"),
            Payload::ImportSection(section) => imports.push(section.count()),
            Payload::ElementSection(section) => {
                for element in section {
                    let ElementKind::Active { offset_expr, .. } = element.expect("an element").kind else { continue };
                    elements.push(offset_expr.get_operators_reader().read().expect("an offset"));
                }
            }
            Payload::CodeSectionEntry(body) => {
                let operators = body.get_operators_reader().expect("code").into_iter();
                calls.extend(operators.filter_map(|operator| match operator {
                    Ok(Operator::Call { function_index }) => Some(function_index),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    assert_eq!(memories, 1);
    assert_eq!(imports, [1, 2], "the host for the joined module; table and host for the one that fills the table");
    assert!(matches!(elements[..], [Operator::I32Const { value: 2 }, Operator::I32Const { value: 0 }]), "{elements:?}");
    assert_eq!(calls, [0], "the host is the first import");
}

#[test]
fn the_memory_is_a_section_that_can_be_mapped() {
    let finish = |memory: &mut [u8]| {
        memory[0] = b'!';
        Ok(())
    };
    let made = join(&component(LINKED), finish).expect("joined");
    let name = made.windows(12).position(|bytes| bytes == b"mneme.memory").expect("the section");
    let memory = &made[(name + 12).next_multiple_of(64 << 10)..];
    assert_eq!(memory.len(), 128 << 10, "whole pages, to the end");
    assert_eq!((&memory[..1], &memory[16..20], &memory[70_000..70_005]), (&b"!"[..], &b"left"[..], &b"right"[..]));
}

#[test]
fn what_cannot_be_joined_is_refused() {
    let refused = |from: &str, to: &str| {
        assert!(LINKED.contains(from), "{from}");
        join(&component(&LINKED.replace(from, to)), |_| Ok(())).expect_err(to).to_string()
    };
    let twice = "(core instance $library (instantiate $library)) (core instance $other (instantiate $library))";
    assert!(refused("(core instance $library (instantiate $library))", twice).contains("instantiated twice"));
    assert!(refused(r#"(data (i32.const 16) "left")"#, "(func $go) (start $go)").contains("to start with"));
    assert!(refused(r#"(data (i32.const 16) "left")"#, r#"(memory 1)"#).contains("2 memories"));
    assert!(join(b"\0asm", |_| Ok(())).is_err());
}
