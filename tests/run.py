"""Runs pytest so that nothing of it stays behind: `python -m tests.run ARGUMENTS OF PYTEST`.

Pytest keeps the temporary folders of its last runs; browsers and tools leave theirs as they like.
All of them go into one folder, which is removed at the end.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Run pytest with a temporary folder of its own. Returns its exit code."""
    with tempfile.TemporaryDirectory(prefix="bekal-suite-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # the engines' account must be able to walk through
        environ = {**os.environ, "TMPDIR": folder}
        return subprocess.run(
            [sys.executable, "-m", "pytest", *sys.argv[1:]], env=environ, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
