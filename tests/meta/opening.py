# SPDX-License-Identifier: Apache-2.0
# How a file opens: the licence, and one sentence that says what it is for.
from pathlib import Path

TOPS = ("config", "quiesce", "kexec", "daemon", "ui", "tests", "packaging", "docs")
LICENCE = "SPDX-License-Identifier: Apache-2.0"
# comment sign by kind; meson files need no sentence, their folder says it
WITH_PURPOSE = {".cpp": "// ", ".hpp": "// ", ".c": "// ", ".py": "# ", ".sh": "# "}


def problem_of(path: Path):
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[0].startswith("#!"):
        lines = lines[1:]
    if path.name == "meson.build":
        return None if lines[0] == "# " + LICENCE else "the SPDX line is missing"
    sign = WITH_PURPOSE[path.suffix]
    if lines[0] != sign + LICENCE:
        return "the SPDX line is missing"
    if path.name.endswith("_test.cpp"):
        return None  # what it tests is its name
    if path.suffix == ".py" and len(lines) > 1 and lines[1].startswith('"""'):
        return None
    if len(lines) < 2 or not lines[1].startswith(sign) or len(lines[1]) < len(sign) + 10:
        return "no sentence of purpose follows the SPDX line"
    return None


def violations(root: Path):
    found = []
    for top in TOPS:
        for path in sorted((root / top).rglob("*")):
            generated = "__pycache__" in path.parts
            if path.is_file() and not generated and (path.suffix in WITH_PURPOSE or path.name == "meson.build"):
                problem = problem_of(path)
                if problem:
                    found.append(f"{path.relative_to(root).as_posix()}: {problem}")
    return found
