"""The message of a failed test of the dbt project, in the line that a person reads first."""

from collections.abc import Mapping, Sequence

import pytest

from dagster_project.orchestration.dbt_models import offending_rows


@pytest.mark.parametrize(
    ("count", "sample", "output"),
    [
        (
            2,
            [{"instrument": "XYZ", "n": 1}, {"instrument": "ABC"}],
            "2 offending rows, first XYZ 1; ABC",
        ),
        (
            1,
            [{"n_records": 3, "unit": None, "economy_iso3": "ZZZ"}],
            "1 offending row, first 3 ZZZ",
        ),
        (3000, [{"year": 2024, "share": 14157552.0}], "3,000 offending rows, first 2024 14157552"),
        (3, [], "3 offending rows"),
    ],
)
def test_the_first_text_of_the_first_row_is_named(
    count: int, sample: Sequence[Mapping[str, object]], output: str
) -> None:
    assert offending_rows(count, sample) == output
