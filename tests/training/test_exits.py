"""A process ends, whatever it leaves unfinished."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "support" / "exits.py"


def test_a_process_ends_whatever_it_leaves_unfinished():
    # Once each, of which `make test-exits` does 200, and those collect all garbage.
    command = [sys.executable, str(SCRIPT), "--times", "1", "--freeze"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    results = json.loads(done.stdout)
    assert len(results) >= 8
    assert results == {name: {"ended": 1} for name in results}
    assert done.returncode == 0
