"""A deferred module is imported when it is used, by whoever has it under whichever name."""

import subprocess
import sys

import pytest

from dagster_project.quality.deferred import defer

PREAMBLE = """
import sys
from dagster_project.quality.deferred import defer
defer("scipy.stats")
"""

USES = {
    "as an attribute": "from scipy import stats; found = stats.norm",
    "by its name": "import scipy.stats; found = scipy.stats.norm",
    "a name of it": "from scipy.stats import norm as found",
    "by one that had it before": (
        "from scipy import stats as before; import scipy.stats; scipy.stats.norm; "
        "found = before.norm"
    ),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_it_is_imported_when_it_is_used(use: str) -> None:
    run(
        PREAMBLE,
        "from scipy import stats",
        "import scipy.stats",
        "assert not hasattr(stats, '__file__')",
        "assert 'scipy.stats._stats_py' not in sys.modules",
        use,
        "assert found.cdf(0.0) == 0.5",
        "assert sys.modules['scipy.stats'].__file__",
    )


def test_what_does_not_exist_is_no_attribute_of_it() -> None:
    run(
        PREAMBLE,
        "from scipy import stats",
        "assert not hasattr(stats, 'nothing')",
        "try: from scipy.stats import nothing",
        "except ImportError: pass",
        "else: raise AssertionError",
    )


def test_what_is_imported_already_stays() -> None:
    defer("pytest")
    assert sys.modules["pytest"] is pytest


def test_an_expectation_that_needs_it_holds_as_ever() -> None:
    run(
        "import sys",
        "from dagster_project.quality.runner import great_expectations",
        "gx, _ = great_expectations()",
        "assert not {'scipy.stats._stats_py', 'altair.vegalite'} & sys.modules.keys()",
        "import pandas",
        "frame = pandas.DataFrame({'code': ['a', 'a', 'a', 'b']})",
        "data = gx.get_context(mode='ephemeral').data_sources.add_pandas('p')",
        "batch = data.add_dataframe_asset('d').add_batch_definition_whole_dataframe('w')",
        "batch = batch.get_batch({'dataframe': frame})",
        "rule = gx.expectations.ExpectColumnKLDivergenceToBeLessThan(column='code', threshold=0.1,",
        "    partition_object={'values': ['a', 'b'], 'weights': [0.5, 0.5]})",
        "found = batch.validate(rule)",
        # 0.75 ln(0.75 / 0.5) + 0.25 ln(0.25 / 0.5)
        "assert not found.success",
        "assert abs(found.result['observed_value'] - 0.1308) < 1e-4, found.result",
    )


def run(*lines: str) -> None:
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)
