"""Makes the runtime's own modules importable, with a host that only pretends."""

import os
import sys
from pathlib import Path

import fake_host

ROOT = Path(__file__).resolve().parent.parent
for folder in (ROOT, ROOT / "stand_ins", Path(__file__).parent / "packages"):
    sys.path.insert(0, str(folder))
# The packages that are baked into the snapshot, as the set-up command installed them.
BAKED = os.environ.get("MNEME_RUNTIME_PACKAGES")
if BAKED:
    sys.path.append(BAKED)
fake_host.install()
