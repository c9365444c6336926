//! Archives that mean harm, through the real pip and the real npm.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use mneme_domain::tool::Requirement;
use tempfile::TempDir;

use super::{Packages, PackagesConfig};

/// Makes a wheel or an npm package of a kind: `make.py FOLDER KIND OUTSIDE`.
const MAKE: &str = r##"
import io, json, os, sys, tarfile, zipfile
folder, kind, outside = sys.argv[1:]
ZEROS = 400
# What packages ask for that mean no harm.
NEEDS = {"needy": ["PyYAML>=6", "pydantic_core"], "old": ["jinja2<3"], "native": ["compiled-code>=2"]}

class Zeros(io.RawIOBase):
    def __init__(self): self.left = ZEROS << 20
    def readable(self): return True
    def readinto(self, into):
        size = min(len(into), self.left)
        into[:size] = bytes(size)
        # npm gives up at one in a thousand by itself; this stays below.
        noise = os.urandom(size // 200)
        into[:len(noise)] = noise
        self.left -= size
        return size

def wheel():
    info = kind + "-1.0.dist-info/"
    with zipfile.ZipFile(f"{folder}/{kind}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        def put(path, data, mode=0o100644):
            entry = zipfile.ZipInfo(path)
            entry.external_attr = mode << 16
            archive.writestr(entry, data)
        put(kind + ".py", "WORDS = 'here'\n")
        if kind == "traversal": put("../../escaped.py", "x")
        if kind == "absolute": put(outside + "/escaped.py", "x")
        if kind == "data": put(f"{kind}-1.0.data/data/../../../../escaped.py", "x")
        if kind == "link":
            put("link.txt", outside + "/secret.txt", 0o120777)
            put("folder", outside, 0o120777)
        if kind == "bomb":
            with archive.open("zeros.bin", "w", force_zip64=True) as zeros:
                for _ in range(ZEROS): zeros.write(bytes(1 << 20))
        needs = "".join(f"Requires-Dist: {need}\n" for need in NEEDS.get(kind, []))
        put(info + "METADATA", f"Metadata-Version: 2.1\nName: {kind}\nVersion: 1.0\n{needs}")
        put(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        put(info + "RECORD", "")

def package(base):
    with tarfile.open(f"{folder}/{kind}.tgz", "w:gz") as archive:
        def put(path, data):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        scripts = {name: f"echo x > {outside}/escaped.js" for name in ("preinstall", "install", "postinstall", "prepare")}
        put("package/package.json", json.dumps({"name": "@evil/" + kind, "version": "1.0.0", "scripts": scripts}).encode())
        put("package/index.js", b"module.exports = 'here';")
        if kind == "traversal":
            put("package/../../../../escaped.js", b"x")
            put(outside + "/escaped.js", b"x")
        if kind == "link":
            for name, target in (("package/link.js", outside + "/secret.txt"), ("package/folder", outside)):
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = tarfile.SYMTYPE, target
                archive.addfile(entry)
            put("package/folder/escaped.js", b"x")
        if kind == "bomb":
            entry = tarfile.TarInfo("package/zeros.bin")
            entry.size = ZEROS << 20
            archive.addfile(entry, io.BufferedReader(Zeros()))
    version = {"name": "@evil/" + kind, "version": "1.0.0", "dist": {"tarball": f"{base}/{kind}.tgz"}}
    os.makedirs(f"{folder}/@evil", exist_ok=True)
    with open(f"{folder}/@evil/{kind}", "w") as out:
        json.dump({"name": "@evil/" + kind, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}, out)

base = os.environ.get("BASE")
package(base) if base else wheel()
"##;

/// Folders for what is fetched, for where it comes from, and for what must stay as it is.
struct Place {
    root: TempDir,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["kept", "source", "outside"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("outside/secret.txt"), "canary-secret").unwrap();
        fs::write(root.path().join("make.py"), MAKE).unwrap();
        Self { root }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn make(&self, kind: &str, base: Option<&str>) {
        let mut command = Command::new("python3");
        command.arg(self.at("make.py")).arg(self.at("source")).arg(kind).arg(self.at("outside"));
        command.envs(base.map(|base| ("BASE", base)));
        assert!(command.status().unwrap().success());
    }

    /// A program that runs another with settings of its own.
    fn wrapper(&self, program: &str, settings: &str) -> PathBuf {
        let path = self.at(program);
        fs::write(&path, format!("#!/bin/sh\n{settings}\nexec {program} \"$@\"\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn packages(&self, python: Option<PathBuf>, npm: Option<PathBuf>) -> Packages {
        let (folder, timeout) = (self.at("kept"), Duration::from_secs(120));
        Packages::new(PackagesConfig { folder, python, npm, timeout, max_bytes: 60 << 20 })
    }

    /// Nothing was written where nothing may be, and what failed left nothing.
    fn unharmed(&self, after: &str) {
        let found = files(self.root.path());
        let escaped: Vec<_> = found
            .iter()
            .filter(|path| path.to_string_lossy().contains("escaped") && !path.starts_with(self.at("kept")))
            .collect();
        assert!(escaped.is_empty(), "{after}: {escaped:?}");
        assert_eq!(fs::read_to_string(self.at("outside/secret.txt")).unwrap(), "canary-secret");
        assert_eq!(fs::read_dir(self.at("outside")).unwrap().count(), 1, "{after}");
        let parts: Vec<_> = fs::read_dir(self.at("kept")).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert!(parts.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{after}: {parts:?}");
    }
}

/// Every file below a folder; links are not followed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

fn wanted(name: &str) -> Vec<Requirement> {
    vec![Requirement { name: name.into(), version: None }]
}

#[tokio::test]
async fn wheels_that_mean_harm() {
    let place = Place::new();
    let settings = format!("export PIP_NO_INDEX=1 PIP_FIND_LINKS={}", place.at("source").display());
    let packages = place.packages(Some(place.wrapper("python3", &settings)), None);
    for kind in ["honest", "traversal", "absolute", "data", "link", "bomb"] {
        place.make(kind, None);
        let fetched = packages.python(&wanted(kind)).await;
        place.unharmed(kind);
        match (kind, fetched) {
            ("honest", Ok(folder)) => {
                assert_eq!(fs::read_to_string(folder.join("honest.py")).unwrap(), "WORDS = 'here'\n");
            }
            ("bomb", Err(reason)) => assert!(reason.contains("larger than 60 MiB"), "{reason}"),
            ("honest" | "bomb", other) => panic!("{kind}: {other:?}"),
            (_, Err(reason)) => assert!(!reason.contains("canary"), "{kind}: {reason}"),
            // What was made of it is harmless: no link leads out of the folder.
            (_, Ok(folder)) => {
                let folder = fs::canonicalize(folder).unwrap();
                for file in files(&folder) {
                    let real = fs::canonicalize(&file);
                    assert!(real.as_ref().is_ok_and(|real| real.starts_with(&folder)), "{kind}: {file:?}, {real:?}");
                }
            }
        }
    }
}

/// The index has none of what the runtime brings, as an index has no wheel of pure Python of what is native.
#[tokio::test]
async fn what_the_runtime_brings_is_not_fetched_for_other_packages_either() {
    let place = Place::new();
    let settings = format!("export PIP_NO_INDEX=1 PIP_FIND_LINKS={}", place.at("source").display());
    let packages = place.packages(Some(place.wrapper("python3", &settings)), None);
    for kind in ["needy", "old", "native", "jinja2"] {
        place.make(kind, None);
    }
    let folder = packages.python(&wanted("needy")).await.unwrap();
    assert!(folder.join("needy.py").is_file());
    let code: Vec<_> = files(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "py")).collect();
    let told = super::versions(&folder, &wanted("needy")).unwrap();
    assert!(told.contains("(fetched: needy 1.0, the newest"), "{told}");
    let asked = Requirement { name: "needy".into(), version: Some("1.0".into()) };
    assert_eq!(super::versions(&folder, &[asked]), None);
    assert_eq!(code.len(), 1, "the wheels that stand for the runtime's own have nothing in them: {code:?}");

    // It asks for less than the runtime has; what it asks for is there, so it gets that.
    let folder = packages.python(&wanted("old")).await.unwrap();
    assert!(folder.join("old.py").is_file() && folder.join("jinja2.py").is_file());

    let reason = packages.python(&wanted("native")).await.unwrap_err();
    let told =
        "only packages of pure Python can run in the sandbox, and there is no such compiled-code: check the name";
    assert!(reason.contains(told), "{reason}");
    place.unharmed("native");
}

/// A web server for a folder; it ends with the test.
struct Registry(Child, String);

impl Registry {
    fn start(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("python3");
        command.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(folder).arg(port.to_string());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        for _ in 0..400 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        Self(child, format!("http://127.0.0.1:{port}"))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn npm_packages_that_mean_harm() {
    let place = Place::new();
    let registry = Registry::start(&place.at("source"));
    let settings = place.at("npmrc");
    fs::write(&settings, format!("@evil:registry={}/\ncache={}\n", registry.1, place.at("cache").display())).unwrap();
    let settings = format!("export npm_config_userconfig={}", settings.display());
    let packages = place.packages(None, Some(place.wrapper("npm", &settings)));
    for kind in ["honest", "traversal", "link", "bomb"] {
        place.make(kind, Some(&registry.1));
        let fetched = packages.npm(&wanted(&format!("@evil/{kind}")), &[]).await;
        place.unharmed(kind);
        match (kind, fetched) {
            ("honest", Ok(bundle)) => assert!(bundle.contains("here"), "{bundle}"),
            ("bomb", Err(reason)) => assert!(reason.contains("larger than 60 MiB"), "{reason}"),
            ("honest" | "bomb", other) => panic!("{kind}: {other:?}"),
            (_, outcome) => assert!(!format!("{outcome:?}").contains("canary"), "{kind}: {outcome:?}"),
        }
    }
}
