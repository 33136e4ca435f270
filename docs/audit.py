"""Show the licence and the known advisories of every package that the lesson needs: `python docs/audit.py`.

Ends with 0 if all is well, 1 if a licence is not on our list or an advisory is known, and 2 if nothing was found but
advisories could not be looked up for every package.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "backdoor-by-hand"
# With these, anyone may use the lesson, change it and pass it on; the MPL's conditions end at its own files.
# The names are those of SPDX, or of Python's classifiers, or a package's own.
ALLOWED = {
    "0BSD",
    "Apache 2.0",
    "Apache License, Version 2.0",
    "Apache Software License",
    "Apache-2.0",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "ISC License (ISCL)",
    "MIT",
    "MIT License",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)",
    "PSF-2.0",
    "Python Software Foundation License",
    "Zlib",
}


def needed(package: str, requires: Callable[[str], list[str] | None] = metadata.requires) -> set[str]:
    """Return the packages that a package needs on this machine, and those that they need."""
    seen: set[tuple[str, str]] = set()  # package, extra
    waiting = [(package, "")]
    while waiting:
        name, extra = waiting.pop()
        for requirement in map(Requirement, requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                wanted = {(canonicalize_name(requirement.name), each) for each in ("", *requirement.extras)}
                waiting += wanted - seen
                seen |= wanted
    return {name for name, _ in seen}


def licence(package: str) -> str:
    """Return the licence that a package declares: its SPDX expression, or its classifiers, or its own words."""
    declared = metadata.metadata(package)
    classifiers = [text.split(" :: ") for text in declared.get_all("Classifier", []) if text.startswith("License ::")]
    named = "; ".join(parts[-1] for parts in classifiers if parts[-1] != "OSI Approved")
    return declared.get("License-Expression") or named or (declared.get("License") or "unknown").splitlines()[0]


def is_allowed(licence: str) -> bool:
    """Tell whether we may take all parts of a licence, or any where it is a mere choice."""
    enough = any if " OR " in licence and " AND " not in licence else all
    return enough(part.strip("() ") in ALLOWED or part in ALLOWED for part in re.split(r" AND | OR |; ", licence))


def advisories(versions: dict[str, str]) -> tuple[list[str], str]:
    """Return the known advisories of packages, and why some could not be looked up ("" if all were)."""
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, "pins.txt")
        pins.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "-r", str(pins), "--no-deps", "--disable-pip"]
        # The other service calls a package that it does not know safe, if one looks at the exit status alone.
        command += ["--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off"]
        result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    return judge(versions, result.stdout, result.stderr)


def judge(versions: dict[str, str], report: str, errors: str) -> tuple[list[str], str]:
    """Read pip-audit's report: a package counts as looked up only if the report says so."""
    try:
        found = {each["name"]: each["vulns"] for each in json.loads(report)["dependencies"] if "vulns" in each}
    except ValueError:
        return [], (errors.strip().splitlines() or ["pip-audit printed nothing"])[-1]
    known = [
        f"{name} {versions[name]}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'no version yet'}"
        for name, listed in found.items()
        for each in listed
    ]
    left_out = sorted(versions.keys() - found.keys())
    return known, f"not known to the service: {', '.join(left_out)}" if left_out else ""


def main() -> int:
    """Print the table and the advisories; return the exit status."""
    versions = {name: metadata.version(name) for name in sorted(needed(PROJECT))}
    licences = {name: licence(name) for name in versions}
    refused = [name for name in versions if not is_allowed(licences[name])]
    for name, version in versions.items():
        print(f"{name:28}{version:14}{licences[name]}{'   <- not on our list' if name in refused else ''}")
    print(f"\n{len(versions)} packages, {len(refused)} with a licence that is not on our list.")
    known, unknown = advisories(versions)
    print(*(f"advisory: {each}" for each in known), sep="\n", end="\n" if known else "")
    print(f"advisories not checked: {unknown}" if unknown else f"advisories checked: {len(known)} known.")
    return 1 if refused or known else 2 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
