"""Install wheels and source distributions in clean environments, and use them as a user would."""

import argparse
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

FIRST_USE = Path(__file__).with_name("first_use.py")
# Python warns of nothing, and takes nothing from this environment.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run(*command, cwd):
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=CLEAN, capture_output=True, text=True, timeout=1800
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds_to_import(python, cwd):
    """Return the median of the CPU seconds that csvfeed takes to import after NumPy."""
    code = (
        "import numpy, time; before = time.process_time(); import csvfeed;"
        "print(time.process_time() - before)"
    )
    return statistics.median(float(run(python, "-c", code, cwd=cwd)) for _ in range(7))


def install_and_use(distribution, interpreter):
    """Use a distribution under an interpreter, with nothing installed but what it requires."""
    with tempfile.TemporaryDirectory() as folder:
        run(interpreter, "-m", "venv", "venv", cwd=folder)
        scripts = Path(folder, "venv", "Scripts" if os.name == "nt" else "bin")
        python = scripts / "python"
        pip = (python, "-m", "pip", "--disable-pip-version-check", "--quiet")
        run(*pip, "install", "--prefer-binary", distribution.resolve(), cwd=folder)
        version = run(python, "--version", cwd=folder).strip()
        said = run(python, "-W", "error", FIRST_USE, cwd=folder).strip()
        command = run(scripts / "csvfeed", "--version", cwd=folder).strip()
        assert command.split()[-1] == said.split()[1], (command, said)
        took = 1000 * seconds_to_import(python, folder)
    print(f"{distribution.name}, {version}: {said}; after NumPy, its import takes {took:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("distributions", nargs="+", type=Path)
    parser.add_argument("--python", action="append", required=True, help="an interpreter")
    options = parser.parse_args()
    for distribution in options.distributions:
        print(f"{distribution.name}: {distribution.stat().st_size / 2**20:.1f} MiB")
        is_wheel = distribution.suffix == ".whl"
        # Building takes minutes, and gives the same under each interpreter.
        for interpreter in options.python if is_wheel else options.python[:1]:
            install_and_use(distribution, interpreter)


if __name__ == "__main__":
    main()
