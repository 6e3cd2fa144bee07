"""What `make nightly` needs beside Python: a test that skips itself would read as passed."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from tests.nightly import nightly

PACKAGES = {
    "chromium": "chromium",
    "faketime": "faketime",
    "nginx": "nginx",
    "openssl": "openssl",
    "systemd-analyze": "systemd",
    "unshare": "util-linux",
}
"""Debian's package of each program without which tests skip themselves."""


@nightly
@pytest.mark.skipif(sys.platform != "linux", reason="these are programs of Linux")
def test_no_test_is_skipped_for_want_of_a_program() -> None:
    path = f"{os.environ['PATH']}:/usr/sbin"
    missing = [PACKAGES[name] for name in PACKAGES if shutil.which(name, path=path) is None]
    assert not missing, f"tests were skipped: apt-get install {' '.join(missing)}"
