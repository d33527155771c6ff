"""Who may import whom: nothing of ours is left out of the contract, no file grows without end."""

from tests.repo.tree import PACKAGES, files, pyproject, text_of

MOST_LINES = 400


def layers() -> set[str]:
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    (contract,) = [each for each in contracts if each["type"] == "layers"]
    return {name.strip() for layer in contract["layers"] for name in layer.split("|")}


def test_every_room_is_named_in_the_layers() -> None:
    # A module that no layer names is not held back by the contract.
    inside = {path.parts[1].removesuffix(".py") for path in files() if path.parts[0] == "bot"}
    rooms = {f"bot.{name}" for name in inside - {"__init__"}} | set(PACKAGES) - {"bot"}
    assert rooms - layers() == set()


def test_no_layer_is_of_something_that_is_gone() -> None:
    modules = {".".join(path.with_suffix("").parts) for path in files() if path.suffix == ".py"}
    known = {name.removesuffix(".__init__") for name in modules}
    assert layers() - known == set()


def test_no_module_is_too_long_to_read() -> None:
    ours = [path for path in files() if path.parts[0] in PACKAGES and path.suffix == ".py"]
    lines = {str(path): text_of(path).count("\n") for path in ours}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
