"""What the documents say is so."""

import argparse
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.__main__ import _parser
from bot.bootstrap import curated_games
from bot.settings import SETTINGS
from shop.cases import CaseKind
from shop.orders import BY_THE_OWNER, MOVES, Status
from tests.repo.order_life import GROUPS, diagram, drawn_into
from tests.repo.tree import ROOT, documents, pyproject, table_after, text_of

ORDER_LIFE = text_of(Path("docs/order-life.md"))
README = text_of(Path("README.md"))


# --- links ---


def headings(markdown: str) -> set[str]:
    """The anchors a forge gives to the headings."""
    found = re.findall(
        r"^#+ +(.+)$", re.sub(r"```.*?```", "", markdown, flags=re.DOTALL), flags=re.MULTILINE
    )
    plain = (re.sub(r"[^\w\- ]", "", line.strip().lower()) for line in found)
    return {line.replace(" ", "-") for line in plain}


def links(document: Path) -> Iterator[str]:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(document), flags=re.DOTALL)
    yield from re.findall(r"\]\(([^)\s]+)\)", prose)


def is_broken(document: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return False
    name, _, anchor = link.partition("#")
    target = (ROOT / document).parent / name if name else ROOT / document
    if not target.exists():
        return True
    return bool(anchor) and anchor not in headings(target.read_text("utf-8"))


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{doc}: {link}" for doc in documents() for link in links(doc) if is_broken(doc, link)
    ]
    assert broken == []


def test_a_link_that_leads_nowhere_would_be_found() -> None:
    assert is_broken(Path("README.md"), "docs/nowhere.md")
    assert is_broken(Path("README.md"), "docs/operations.md#nothing")
    assert not is_broken(Path("README.md"), "docs/operations.md#cases")


# --- commands ---


def shell_lines(document: Path) -> Iterator[str]:
    """Every command line in a shell block or between backticks."""
    text = text_of(document)
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
        yield from re.sub(r"\\\n", " ", block).splitlines()
    yield from re.findall(
        r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    )


def typed(part: str) -> list[str]:
    """The words of one command, without who it is run as and where the program lies."""
    bare = re.sub(r"^\s*(?:sudo )?(?:-u \w+ )?(?:[\w./-]*/)?", "", part)
    return shlex.split(bare, comments=True) if bare.count("'") % 2 == 0 else []


def commands(program: str) -> list[tuple[str, list[str]]]:
    """What the documents tell to type after the name of a program, and which one tells it."""
    parts = [
        (str(document), typed(part))
        for document in documents()
        for line in shell_lines(document)
        for part in re.split(r"&&|;", line)
    ]
    return [(where, words[1:]) for where, words in parts if words[:1] == [program]]


def test_every_lapak_command_in_the_documents_is_one() -> None:
    told = [(where, words) for where, words in commands("lapak") if words]
    assert len(told) > 10
    for where, words in told:
        try:
            _parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"{where}: lapak {shlex.join(words)} is no command")


def test_every_make_command_in_the_documents_is_one() -> None:
    targets = set(
        re.findall(r"^([\w./-]+):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    told = [(where, words) for where, words in commands("make") if words]
    assert len(told) > 6
    for where, words in told:
        wanted = words[2:] if words[0] == "-C" else words
        assert {word for word in wanted if "=" not in word} <= targets, where


def test_every_command_is_in_the_readme() -> None:
    (subparsers,) = [
        action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)
    ]
    told = {words.split()[0] for words in re.findall(r"(?m)^\| `lapak ([^`]+)` \|", README)}
    missing = [name for name in subparsers.choices if name not in told]
    assert missing == []


def test_the_shortest_env_has_settings_that_exist() -> None:
    known = {setting.name for setting in SETTINGS}
    named = {
        (str(document), name)
        for document in documents()
        for name in re.findall(r"\b(?:LAPAK|TELEGRAM|ZULTOPUP)_[A-Z_]*[A-Z]\b", text_of(document))
    }
    assert {each for each in named if each[1] not in known} == set()
    (block,) = re.findall(r"```ini\n(.*?)```", README, flags=re.DOTALL)
    assert {line.rstrip("=") for line in block.split()} <= known


# --- tables ---


def test_the_table_of_moves_is_the_one_in_the_code() -> None:
    told = [tuple(row[:3]) for row in table_after("## Moves", ORDER_LIFE)]
    real = [(str(was), str(event), str(to)) for (was, event), to in MOVES.items()]
    assert len(told) == len(set(told))
    assert set(told) == set(real)


def test_every_status_is_explained() -> None:
    told = [row[0] for row in table_after("## Where an order stands", ORDER_LIFE)]
    assert told == [str(status) for status in Status]


def test_the_diagram_of_an_order_is_drawn_from_the_table_of_moves() -> None:
    assert drawn_into(ORDER_LIFE) == ORDER_LIFE, "make docs draws it anew"


def test_the_diagram_of_an_order_shows_every_move_and_no_other() -> None:
    drawn = [
        (was, label, to)
        for was, to, labels in re.findall(r"^ +(\w+) --> (\w+): (.+)$", diagram(), re.MULTILINE)
        for label in labels.split(", ")
    ]
    assert sorted(drawn) == sorted(
        (str(was), f"{event} (owner)" if event in BY_THE_OWNER else str(event), str(to))
        for (was, event), to in MOVES.items()
    )


def test_every_status_is_in_one_group_of_the_diagram() -> None:
    grouped = [status for members, _ in GROUPS.values() for status in members]
    assert sorted(grouped) == sorted(Status)


def test_a_diagram_with_another_arrow_would_be_found() -> None:
    wrong = ORDER_LIFE.replace("placed --> opening", "placed --> delivered")
    assert wrong != ORDER_LIFE
    assert drawn_into(wrong) == ORDER_LIFE


def test_a_document_without_the_marks_is_not_rewritten() -> None:
    with pytest.raises(ValueError, match="marks"):
        drawn_into("# The life of an order\n")


def test_every_kind_of_case_is_explained() -> None:
    told = {row[0] for row in table_after("## Cases", ORDER_LIFE)}
    assert told == {str(kind) for kind in CaseKind}


def test_every_game_has_its_source() -> None:
    rows = table_after("# Games", text_of(Path("docs/games.md")))
    assert [row[1] for row in rows] == [game.slug for game in curated_games()]
    assert all(row[-1] for row in rows)


def test_decisions_are_numbered_without_gaps() -> None:
    found = sorted((ROOT / "docs/adr").glob("*.md"))
    for number, path in enumerate(found, start=1):
        text = path.read_text("utf-8")
        assert path.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number:04} ")
        assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]


def test_the_changelog_knows_the_version_to_come() -> None:
    changes = text_of(Path("CHANGELOG.md"))
    assert "## [Unreleased]" in changes
    assert pyproject()["project"]["version"] in changes


# --- CI ---


def test_ci_is_a_script_that_can_be_run() -> None:
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111 == 0o111
    assert "set -euo pipefail" in script.read_text("utf-8")
    subprocess.run(["bash", "-n", str(script)], check=True)
