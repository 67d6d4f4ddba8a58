#!/usr/bin/env python3
"""Lists and checks the crates of the workspace for bin/audit, with `cargo metadata`.

packages.py publishable   names of the crates that can be published
packages.py features      a line for each feature of each crate: `crate feature`, and `crate -` for none
packages.py check         problems in the packages of publishable crates
"""

import json
import re
import subprocess
import sys
from pathlib import Path

# Crates in `crates/` that only tests of the workspace use.
FOR_TESTS = {"bellwire-races", "bellwire-testkit"}

LICENCES = {"LICENSE-MIT", "LICENSE-APACHE"}


def metadata():
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def is_publishable(package):
    return package["publish"] is None or bool(package["publish"])


def features(packages):
    for package in packages:
        for feature in ["-", *sorted(package["features"])]:
            print(package["name"], feature)


def files_of(package):
    command = ["cargo", "package", "--list", "--allow-dirty", "--offline"]
    command += ["--package", package["name"]]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    listed = subprocess.run(command, check=True, text=True, **pipes)
    return set(listed.stdout.split())


def bad_links(markdown, files):
    """Links that break on a registry's page: to items of the code, and to files not in the package."""
    text = re.sub(r"^```.*?^```", "", markdown, flags=re.S | re.M)
    # Brackets in code are not links; code in brackets may be one.
    text = re.sub(r"(\[?)`[^`\n]*`", lambda code: code[0] if code[1] else "", text)
    defined = {name.lower() for name in re.findall(r"^\[([^\]]+)\]:", text, re.M)}
    targets = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, re.M)
    for target in targets:
        path = target.split("#")[0]
        if path and not re.match(r"https?://|mailto:", target) and path.rstrip("/") not in files:
            yield f"its README links to `{target}`, which is not in the package"
    for name in re.findall(r"\[([^\]\n]+)\](?![\[(:])", text):
        if name.lower() not in defined:
            yield f"its README has `[{name}]` without a target"


def problems(package):
    for field in ("description", "license", "readme", "rust_version"):
        if not package[field]:
            yield f"`{field.replace('_', '-')}` is missing"
    files = files_of(package)
    for licence in sorted(LICENCES - files):
        yield f"{licence} is not in the package"
    readme = Path(package["manifest_path"]).with_name(package["readme"] or "README.md")
    if readme.exists():
        yield from bad_links(readme.read_text(), files)
    for dependency in package["dependencies"]:
        if dependency.get("path") and dependency["kind"] != "dev" and dependency["req"] == "*":
            yield f"`{dependency['name']}` has a path and no version"


def check(packages, root):
    failed = False
    for package in packages:
        ours = Path(package["manifest_path"]).is_relative_to(Path(root) / "crates")
        found = list(problems(package)) if is_publishable(package) else []
        if ours and is_publishable(package) == (package["name"] in FOR_TESTS):
            found.append("`publish` has the wrong value for this crate")
        for problem in found:
            failed = True
            print(f"{package['name']}: {problem}")
    return failed


def main():
    whole = metadata()
    packages = whole["packages"]
    match sys.argv[1:]:
        case ["publishable"]:
            print(*sorted(package["name"] for package in packages if is_publishable(package)))
        case ["features"]:
            features(packages)
        case ["check"]:
            sys.exit(check(packages, whole["workspace_root"]))
        case _:
            sys.exit(__doc__)


main()
