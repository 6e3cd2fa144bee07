"""What a message repeats of a file is short, and holds no credential that is in use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import (
    LONGEST_MESSAGE,
    MOST_QUOTED,
    KidoError,
    UpstreamFormatError,
    amount_of_bytes,
    exception_text,
    listed,
    redacted,
    redacting,
    shortened,
)


@pytest.mark.parametrize("mark", ["'", '"', "`"])
def test_a_quoted_text_of_a_megabyte_is_shortened_and_the_words_around_it_are_not(
    mark: str,
) -> None:
    value = f"{mark}{'x' * 1_000_000}{mark}"
    error = UpstreamFormatError(f"baci: {value} is not a year.", hint=f"Is it of {value}?")
    assert error.message.startswith(f"baci: {mark}xxx")
    assert error.message.endswith(f"x…{mark} is not a year.")
    assert str(error).endswith(f"x…{mark}?")
    assert len(str(error)) < 2 * MOST_QUOTED + 60


def test_a_long_sentence_with_apostrophes_and_short_quotes_stays_as_it_is() -> None:
    sentence = f"CEPII's file says 'a' {'and so on ' * 60}of the publisher's 'b', isn't it?"
    assert KidoError(sentence).message == sentence


def test_a_message_without_quotation_marks_ends_in_an_ellipsis() -> None:
    message = KidoError("x" * 1_000_000).message
    assert len(message) == LONGEST_MESSAGE
    assert message.endswith("x…")


def test_values_in_a_row_are_as_many_as_fit_and_the_others_are_counted() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([]) == ""
    assert listed(f"x{number:03}" for number in range(1000)).endswith("x032 and 967 more")
    assert listed(["x" * 1000, "y"]) == f"{'x' * 199}… and 1 more"


@given(st.lists(st.text(max_size=300), max_size=50))
def test_no_row_of_values_is_much_longer_than_a_quoted_text(values: list[str]) -> None:
    assert len(listed(values)) <= MOST_QUOTED + len(" and 50 more")


def test_what_a_library_reports_is_shortened_to_one_line() -> None:
    output = exception_text(ValueError("a\n  b" + "c" * 1000))
    assert output.startswith("ValueError: a b")
    assert len(output) == len("ValueError: ") + MOST_QUOTED


def test_credentials_in_use_are_in_no_error_and_no_shortened_text() -> None:
    with redacting(lambda text: text.replace("s3cr3t", "***")):
        error = UpstreamFormatError("the key s3cr3t", hint="s3cr3t?")
        brief = shortened(f"{'x' * 197}s3cr3t")
        assert redacted("s3cr3t") == "***"
    assert (str(error), error.args) == ("the key *** ***?", ("the key ***",))
    assert brief == f"{'x' * 197}***"
    assert redacted("s3cr3t") == "s3cr3t"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_949, "999.9 kB"),
        (999_950, "1.0 MB"), (12_345_678, "12.3 MB"), (2_500_000_000_000, "2,500.0 GB"),
    ],
)  # fmt: skip
def test_bytes_have_the_unit_that_leaves_at_most_three_digits(count: int, text: str) -> None:
    assert amount_of_bytes(count) == text
