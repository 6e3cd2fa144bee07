"""What every test may use: where real figures lie, and how to skip without them."""

from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"
"""Real figures for tests, beside the checkout where they exist; never part of the project."""

needs_shared = pytest.mark.skipif(
    not (SHARED / "data").is_dir(), reason="the folder of real figures is not beside this checkout"
)
