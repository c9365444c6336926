//! Files that a program writes within one call.

use std::sync::Arc;

use mneme_domain::policy::{Policy, ToolKind};
use mneme_sandbox::{Grants, Language, Limits, Sandbox, SandboxConfig, ScriptRequest};

use crate::scripts::{evaluate, raised, run, text};
use crate::support::shared_cache;

/// A program as `run_code` has it.
fn cell(source: &str) -> ScriptRequest {
    let policy = Policy::of(ToolKind::RunCode);
    let limits = Limits { memory_bytes: 128 << 20, file_bytes: 1 << 20, ..Limits::of(&policy) };
    ScriptRequest { limits, grants: Grants::of(&policy), ..evaluate(source) }
}

#[tokio::test]
async fn a_program_works_on_files_and_they_go_with_it() {
    let work = "import csv, os, pathlib, tempfile, shutil\n\
                with open('table.csv', 'w', newline='') as file:\n    csv.writer(file).writerows([['a', 1], ['b', 2]])\n\
                open('table.csv', 'a').write('c,3\\n')\n\
                os.makedirs('deep/er')\n\
                pathlib.Path('deep/er/note.txt').write_text('ünï')\n\
                os.rename('deep/er/note.txt', 'moved.txt')\n\
                with tempfile.TemporaryDirectory(dir='.') as folder:\n    open(os.path.join(folder, 'x'), 'w').write('y')\n\
                shutil.rmtree('deep')\n\
                rows = list(csv.reader(open('/files/table.csv')))\n\
                [os.getcwd(), sorted(os.listdir('.')), rows, open('moved.txt').read(), os.path.getsize('table.csv')]";
    let expected = "['/files', ['moved.txt', 'table.csv'], [['a', '1'], ['b', '2'], ['c', '3']], 'ünï', 14]";
    assert_eq!(text(&run(cell(work)).await), expected);
    assert_eq!(text(&run(cell("import os\nos.listdir('.')")).await), "[]", "nothing is left for the next one");
}

#[tokio::test]
async fn only_so_much_is_written() {
    let full =
        run(cell("for n in range(100):\n    with open(f'{n}', 'wb') as file:\n        file.write(bytes(100_000))"))
            .await;
    let (name, message) = raised(&full);
    assert!(name == "OSError" && message.to_lowercase().contains("space"), "{name}: {message}");
    let sparse = run(cell("open('a', 'wb').truncate(1 << 40)")).await;
    assert_eq!(raised(&sparse).0, "OSError");
    let again =
        run(cell("for _ in range(100):\n    with open('same', 'wb') as file:\n        file.write(bytes(100_000))"))
            .await;
    assert_eq!(raised(&again).0, "OSError", "what is written over counts");
    let many = run(cell("for n in range(10_000):\n    open(f'{n}', 'w').close()")).await;
    assert_eq!(raised(&many).0, "OSError");
    let appended = "for n in range(6_000):\n    open('log', 'a').write('x')\nlen(open('log').read())";
    assert_eq!(text(&run(cell(appended)).await), "6000", "one file counts once");
}

#[tokio::test]
async fn files_lead_nowhere_else() {
    let escapes = [
        "open('../../etc/passwd').read()",
        "open('/etc/passwd').read()",
        "open('../x', 'w').write('y')",
        "import os\nos.symlink('/etc', 'link')\nopen('link/passwd').read()",
        "import os\nos.symlink('../../../../etc/passwd', 'link')\nopen('link').read()",
        "import os\nos.rename('a', '../b')",
    ];
    for escape in escapes {
        let outcome = run(cell(escape)).await;
        assert!(outcome.result.is_err(), "{escape}: {outcome:?}");
    }
    let mut without = cell("import os\nopen('a', 'w').close()\n[os.getcwd(), os.path.isdir('/files')]");
    without.grants.capabilities.retain(|name| name != "scratch");
    let without = run(without).await;
    assert_eq!(text(&without), "['/tmp', False]", "without the capability there are temporary files only");
}

#[tokio::test]
async fn every_program_has_a_folder_for_temporary_files() {
    let work = "import os, pathlib, shutil, tempfile\n\
                pathlib.Path('/tmp/note.txt').write_text('kept within the call')\n\
                os.makedirs('/tmp/a/b')\n\
                shutil.move('/tmp/note.txt', '/tmp/a/b/note.txt')\n\
                with tempfile.NamedTemporaryFile('w+', suffix='.txt') as file:\n    \
                file.write('one')\n    file.seek(0)\n    named = [file.name.startswith('/tmp/'), file.read()]\n\
                with tempfile.TemporaryFile() as file:\n    file.write(b'two')\n    file.seek(0)\n    unnamed = file.read()\n\
                with tempfile.TemporaryDirectory() as folder:\n    pathlib.Path(folder, 'x').write_text('y')\n    \
                inside = os.listdir(folder)\n\
                [tempfile.gettempdir(), pathlib.Path('/tmp/a/b/note.txt').read_text(), named, unnamed, inside, os.listdir('/tmp')]";
    let expected = "['/tmp', 'kept within the call', [True, 'one'], b'two', ['x'], ['a']]";
    // A program of a model, and a tool, which has no other folder.
    for request in [cell(work), evaluate(work)] {
        assert_eq!(text(&run(request).await), expected);
    }
    for request in [cell("import os\nos.listdir('/tmp')"), evaluate("import os\nos.listdir('/tmp')")] {
        assert_eq!(text(&run(request).await), "[]", "nothing is left for the next one");
    }
    let moved = "import os, shutil\nopen('/tmp/x', 'w').close()\nshutil.move('/tmp/x', 'y')\n[os.listdir('/tmp'), os.listdir('.')]";
    assert_eq!(text(&run(cell(moved)).await), "[[], ['y']]");
}

#[tokio::test]
async fn only_so_much_is_written_to_temporary_files() {
    let fill = "def fill(size):\n    with open('/tmp/big', 'wb') as file:\n        for _ in range(size):\n            \
                file.write(bytes(1_000_000))\n";
    assert_eq!(text(&run(evaluate(&format!("{fill}fill(15)\n'fits'"))).await), "'fits'");
    let full = run(evaluate(&format!("{fill}fill(18)"))).await;
    let (name, message) = raised(&full);
    assert!(name == "OSError" && message.to_lowercase().contains("space"), "{name}: {message}");
    // Both folders of a program share one allowance, here of a megabyte.
    let both = "open('here', 'wb').write(bytes(600_000))\nopen('/tmp/there', 'wb').write(bytes(600_000))";
    assert_eq!(raised(&run(cell(both)).await).0, "OSError");
    let many = run(evaluate("for n in range(10_000):\n    open(f'/tmp/{n}', 'w').close()")).await;
    assert_eq!(raised(&many).0, "OSError");
    let mut none = evaluate("open('/tmp/x', 'w')");
    none.limits.file_bytes = 0;
    assert!(run(none).await.result.is_err(), "a policy of no bytes gives no folder");
}

#[tokio::test]
async fn temporary_files_lead_nowhere_else() {
    let escapes = [
        "open('/tmp/../etc/passwd').read()",
        "open('/tmp/../../etc/passwd').read()",
        "open('/tmp/../x', 'w').write('y')",
        "import os\nos.symlink('/etc', '/tmp/link')\nopen('/tmp/link/passwd').read()",
        "import os\nos.symlink('../../../../../etc/passwd', '/tmp/link')\nopen('/tmp/link').read()",
        "import os\nopen('/tmp/a', 'w').close()\nos.rename('/tmp/a', '/tmp/../b')",
        "import os\nos.listdir('/tmp/..')",
        "import os\nos.link('/etc/passwd', '/tmp/passwd')",
    ];
    for escape in escapes {
        let outcome = run(evaluate(escape)).await;
        assert!(outcome.result.is_err(), "{escape}: {outcome:?}");
    }
}

#[tokio::test]
async fn folders_are_removed_however_a_program_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let scratch = folder.path().join("scratch");
    std::fs::create_dir(&scratch).expect("made");
    // One that a killed process left: no process has this number.
    std::fs::create_dir(scratch.join("4294967294.left")).expect("made");
    let runtimes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../builtin-tools/dist/runtimes");
    let config = SandboxConfig { runtimes_dir: Some(runtimes), scratch_dir: Some(scratch.clone()), ..shared_cache() };
    let sandbox = Arc::new(Sandbox::new(config).expect("a sandbox"));
    sandbox.warm_up(Language::Python).await.expect("python.wasm, built by `cargo xtask setup`");
    for source in [
        "open('a', 'w').write('x')",
        "open('/tmp/a', 'w').write('x')",
        "open('a', 'w').write('x')\n1/0",
        "open('a', 'w')\nwhile True: pass",
    ] {
        let mut request = cell(source);
        request.limits.cpu = std::time::Duration::from_millis(300);
        let _ = sandbox.run_script(Language::Python, request).await.expect("a runtime");
    }
    // Folders are removed off the threads that run guests.
    for _ in 0..500 {
        if std::fs::read_dir(&scratch).expect("there").count() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{:?}", std::fs::read_dir(&scratch).expect("there").collect::<Vec<_>>());
}
