//! Guests that no compiler would make: written by hand against the world of tools, to go for the limits themselves.

use std::time::{Duration, Instant};

use mneme_sandbox::{CallOutcome, CallRequest, SandboxError, ToolFailure};
use serde_json::json;

use crate::support::{Agent, request, sandbox, tight};

/// Bytes as a text of WebAssembly writes them.
fn bytes(words: &[u32]) -> String {
    words.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("\\{byte:02x}")).collect()
}

/// What differs between the guests.
struct Guest {
    /// More of the module: tables, memories, a start function.
    parts: &'static str,
    /// What `describe` does before it answers.
    describe: &'static str,
    /// Where and how many tools `describe` says that it has.
    tools: [u32; 2],
    /// What `call` does; 1 on the stack answers "held", 0 "broken".
    call: &'static str,
}

const HONEST: Guest = Guest { parts: "", describe: "", tools: [1032, 1], call: "(i32.const 1)" };

impl Guest {
    /// A component of the tools' world with one tool, `bomb`.
    fn component(&self) -> Vec<u8> {
        let Self { parts, describe, tools, call } = self;
        let list = bytes(tools);
        // Name, description, parameters, no capabilities.
        let spec = bytes(&[2048, 4, 2056, 6, 2064, 17, 0, 0]);
        let (held, broken) = (bytes(&[0, 2100, 4]), bytes(&[0, 2110, 6]));
        let types = r#"(record (field "name" string) (field "description" string) (field "parameters" string)
            (field "capabilities" (list string)))"#;
        let errors = r#"(variant (case "invalid-arguments" string) (case "failed" string) (case "denied" string))"#;
        let text = format!(
            r#"(component
            (core module $m
                (memory $own (export "memory") 2)
                {parts}
                (global $free (mut i32) (i32.const 8192))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                    (global.set $free (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                (func (export "describe") (result i32) {describe} (i32.const 1024))
                (func $call (export "call") (param i32 i32 i32 i32) (result i32)
                    (if (result i32) (block (result i32) {call}) (then (i32.const 1200)) (else (i32.const 1232))))
                (data (i32.const 1024) "{list}") (data (i32.const 1032) "{spec}")
                (data (i32.const 1200) "{held}") (data (i32.const 1232) "{broken}")
                (data (i32.const 2048) "bomb") (data (i32.const 2056) "Bombs.")
                (data (i32.const 2064) "{{\"type\":\"object\"}}") (data (i32.const 2100) "held")
                (data (i32.const 2110) "broken"))
            (core instance $i (instantiate $m))
            (type $spec {types})
            (type $error {errors})
            (func $describe (result (list $spec))
                (canon lift (core func $i "describe") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
            (func $call (param "name" string) (param "arguments" string) (result (result string (error $error)))
                (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
            (component $shape
                (type $spec0 {types})
                (import "spec" (type $spec (eq $spec0)))
                (type $error0 {errors})
                (import "error" (type $error (eq $error0)))
                (import "d" (func $d (result (list $spec))))
                (import "c" (func $c (param "name" string) (param "arguments" string)
                    (result (result string (error $error)))))
                (export $spec1 "tool-spec" (type $spec))
                (export $error1 "tool-error" (type $error))
                (export "describe" (func $d) (func (result (list $spec1))))
                (export "call" (func $c) (func (param "name" string) (param "arguments" string)
                    (result (result string (error $error1))))))
            (instance $guest (instantiate $shape (with "spec" (type $spec)) (with "error" (type $error))
                (with "d" (func $describe)) (with "c" (func $call))))
            (export "mneme:tool/guest@0.1.0" (instance $guest)))"#
        );
        wat::parse_str(text).expect("valid text")
    }

    async fn run(&self) -> CallOutcome {
        let guest = sandbox().load(&self.component()).await.expect("it loads");
        let request = CallRequest { limits: tight(), ..request(&Agent::with(&[]), "bomb", json!({})) };
        sandbox().call(&guest, request).await
    }

    async fn refused(&self) -> SandboxError {
        sandbox().load(&self.component()).await.expect_err("refused")
    }
}

#[tokio::test]
async fn an_honest_guest_made_by_hand_works() {
    let outcome = HONEST.run().await;
    assert_eq!(outcome.result, Ok("held".to_owned()), "{outcome:?}");
}

#[tokio::test]
async fn tables_grow_to_their_limit_and_no_further() {
    let grows = Guest {
        parts: "(table $t 1 funcref)",
        call: "(loop $more (br_if $more
                (i32.ne (table.grow $t (ref.null func) (i32.const 4096)) (i32.const -1))))
            (i32.le_u (table.size $t) (i32.const 65536))",
        ..HONEST
    };
    let outcome = grows.run().await;
    assert_eq!(outcome.result, Ok("held".to_owned()), "{outcome:?}");
    for parts in [
        "(table 100000 funcref)",
        "(table 1 funcref)(table 1 funcref)(table 1 funcref)(table 1 funcref)\
                   (table 1 funcref)(table 1 funcref)(table 1 funcref)(table 1 funcref)(table 1 funcref)",
    ] {
        let error = Guest { parts, ..HONEST }.refused().await;
        assert!(!matches!(error, SandboxError::Setup(_)), "{parts}: {error:?}");
    }
}

#[tokio::test]
async fn memory_grows_to_its_limit_and_no_further() {
    // 32 MiB are 512 pages; the guest lives on after the refusal, and says how far it came.
    let grows = Guest {
        call: "(loop $a (br_if $a (i32.ne (memory.grow $own (i32.const 16)) (i32.const -1))))
            (i32.le_u (memory.size $own) (i32.const 512))",
        ..HONEST
    };
    let outcome = grows.run().await;
    assert_eq!(outcome.result, Ok("held".to_owned()), "{outcome:?}");
    assert!(outcome.usage.memory_bytes <= 32 << 20, "{:?}", outcome.usage);
    let error = Guest { parts: "(memory 1)", ..HONEST }.refused().await;
    assert!(matches!(error, SandboxError::Compile(_)), "{error:?}");
}

#[tokio::test]
async fn recursion_ends_in_a_trap() {
    let outcome =
        Guest { call: "(call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))", ..HONEST }.run().await;
    let Err(ToolFailure::Trapped(why)) = &outcome.result else { panic!("{outcome:?}") };
    assert_eq!(why, "its call stack overflowed");
}

/// A component is looked at before anybody calls it: that must not be the way in.
#[tokio::test]
async fn a_guest_that_does_harm_while_it_is_looked_at_is_refused_soon() {
    let start = Instant::now();
    for guest in [
        Guest { describe: "(loop $for_ever (br $for_ever))", ..HONEST },
        Guest { parts: "(func $spin (loop $for_ever (br $for_ever))) (start $spin)", ..HONEST },
        Guest { parts: "(func $die unreachable) (start $die)", ..HONEST },
        Guest { parts: "(func $down (call $down)) (start $down)", ..HONEST },
        // Lists that are not in memory, are not aligned, or have no end.
        Guest { tools: [0xffff_fff0, 1], ..HONEST },
        Guest { tools: [1033, 1], ..HONEST },
        Guest { tools: [1032, u32::MAX], ..HONEST },
        Guest { tools: [1032, 1_000_000], ..HONEST },
        // Names of no length, and bytes that are no text.
        Guest { tools: [4096, 1], ..HONEST },
        Guest {
            parts: r#"(data (i32.const 4096) "\00\20\00\00\02\00\00\00") (data (i32.const 8192) "\ff\fe")"#,
            tools: [4096, 1],
            ..HONEST
        },
    ] {
        let error = guest.refused().await;
        assert!(matches!(error, SandboxError::BadSpec(_)), "{error:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    // The sandbox serves on.
    assert_eq!(HONEST.run().await.result, Ok("held".to_owned()));
}
