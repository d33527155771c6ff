"""``.env.example`` is what the code says it is, and a shop would start with it."""

from itertools import pairwise
from pathlib import Path

from bot.settings import env_example, read_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_the_example_is_the_one_that_the_code_generates():
    assert EXAMPLE.read_bytes() == env_example().encode()


def test_the_example_parses_back_to_the_defaults():
    assert read_settings({}, EXAMPLE) == read_settings({}, None)


def test_the_example_suggests_a_target_format_to_be_confirmed():
    (line,) = [line for line in env_example().splitlines() if "{user_id}{server_id}" in line]
    assert line.endswith("to be confirmed by one test order.")


def test_every_setting_has_one_line_of_help_above_it():
    lines = env_example().splitlines()
    for above, line in pairwise(lines):
        if "=" in line and not line.startswith("#"):
            assert above.startswith("# ")
            assert len(above) > 10
