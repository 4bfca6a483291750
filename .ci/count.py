"""Sum the tests in a folder of junit files and print them as `N passed, N failed[, N skipped]`.

usage: count.py FOLDER. Exits with 1 if no test ran.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

KINDS = ("tests", "failures", "errors", "skipped")


def count(folder: Path) -> dict[str, int]:
    """Add up the test suites of every `*.xml` in `folder`."""
    suites = [suite for file in folder.glob("*.xml") for suite in ElementTree.parse(file).iter("testsuite")]
    return {kind: sum(int(suite.get(kind, 0)) for suite in suites) for kind in KINDS}


def main() -> int:
    """Print the sum."""
    counts = count(Path(sys.argv[1]))
    failed = counts["failures"] + counts["errors"]
    passed = counts["tests"] - failed - counts["skipped"]
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{passed} passed, {failed} failed{skipped}")
    return 0 if counts["tests"] else 1


if __name__ == "__main__":
    sys.exit(main())
