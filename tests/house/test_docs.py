"""The documents say what is true: links lead somewhere, commands exist, generated pages and terms follow the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from coax.interfaces.cli.main import app
from docs.generate import generate

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
SOURCE = "\n".join(
    path.read_text(encoding="utf-8")
    for pattern in ("*.py", "*.sql", "*.html")
    for path in sorted((ROOT / "src").rglob(pattern))
)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(coax [^`]+)`")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def find_rows(page: Path) -> list[list[str]]:
    """Return the cells of all rows of tables."""
    lines = page.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if line.startswith("|")]
    return [row for row in rows if not set(row[0]) <= {"-", ":"}]


def find_anchors(page: Path) -> set[str]:
    """Return the anchors that headings give."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    missing = []
    for groups in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = next(filter(None, groups))
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in find_anchors(found)):
            missing.append(target)
    assert missing == []


def test_generated_pages_are_up_to_date() -> None:
    for name, text in generate().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, "run: make docs"


def find_commands(page: Path) -> list[str]:
    """Return the commands of coax on a page, in blocks and in running text, without what follows them."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in FENCE.findall(text) for line in block.splitlines()]
    found = [line for line in lines if re.match(r"(\S+=\S+ )?coax [a-z]", line)] + INLINE.findall(FENCE.sub("", text))
    return [re.split(r" #|[;|)…]| \.\.\.", re.sub(r"^\S+=\S+ ", "", command))[0].strip() for command in found]


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "cli.md"], ids=name_of)
def test_commands_exist(page: Path) -> None:
    assert [fault for command in find_commands(page) if (fault := find_fault(command))] == []


def find_fault(command: str) -> str:
    """Return what is wrong with a command: a name or an option that there is not."""
    words = re.sub(r"[\[\]\\]", " ", command).split()[1:]
    here: Any = typer.main.get_command(app)
    while words and not words[0].startswith("-") and words[0] in getattr(here, "commands", {}):
        here = here.commands[words.pop(0)]
    is_group = bool(getattr(here, "commands", {}))
    if is_group and words and not words[0].startswith("-"):
        return f"{command}: there is no {words[0]}"
    known = {name for parameter in here.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in words if word.startswith("-") and word not in {*known, "--help"}]
    return f"{command}: no option {unknown[0]}" if unknown else ""


def test_every_term_of_the_glossary_is_a_word_of_the_code() -> None:
    rows = find_rows(ROOT / "docs/glossary.md")[1:]
    words = {term: re.findall(r"`([^`]+)`", code) for term, code, _ in rows}
    assert [term for term, found in words.items() if not found] == []
    assert [term for term, found in words.items() for word in found if not re.search(rf"\b{word}", SOURCE)] == []
    assert list(words) == sorted(words)


def test_every_variable_is_explained() -> None:
    read = set(re.findall(r"[\"'](COAX_[A-Z_]+)[\"']", SOURCE))
    explained = {code.strip("`") for code, *_ in find_rows(ROOT / "docs/operations.md") if code.startswith("`COAX_")}
    assert explained == read


def test_every_dependency_is_explained() -> None:
    wanted = {
        re.split(r"[<>=\[ ]", line)[0].lower()
        for path in (ROOT / "requirements").glob("*.in")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("-", "#"))
    }
    rows = find_rows(ROOT / "docs/dependencies.md")
    explained = {name for first, *_ in rows for name in re.findall(r"`([^`]+)`", first)}
    assert explained == wanted


def test_decisions_are_numbered_and_told_alike() -> None:
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]
