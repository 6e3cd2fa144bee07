"""The acts that a text names, in the form in which all publishers of notices write them."""

from __future__ import annotations

import pytest

from dagster_project.sources.notice_acts import acts_in


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("Ministry of Commerce (4 April 2025). Announcement No. 18 of 2025: https://x",
         ["MOFCOM 2025-18"]),
        ("MOFCOM Announcement [2025] No. 61 and Announcement No.062, 2025",
         ["MOFCOM 2025-61", "MOFCOM 2025-62"]),
        ("商务部 海关总署公告2025年第18号", ["MOFCOM 2025-18"]),
        ("公告 2025年第 08 号", ["MOFCOM 2025-8"]),
        ("商务部公告〔2025〕第18号、商务部2025年第57号公告", ["MOFCOM 2025-18", "MOFCOM 2025-57"]),
        ("海关总署2025年第57号公告", []),
        ("海关总署公告2025年第18号", []),
        ("General Administration of Customs, Announcement No. 18 of 2025", []),
        ("Ministry of Commerce.\nCustoms: Announcement No. 18 of 2025", []),
        ("Federal Register 2025-19846 (90 FR 57078)", ["90 FR 57078", "FR 2025-19846"]),
        ("https://www.federalregister.gov/documents/2025/11/12/2025-19846/x", ["FR 2025-19846"]),
        ("90 F.R. 12345 03/28/2025; 89 F. R. 1,234 01/02/2024", ["89 FR 1234", "90 FR 12345"]),
        ("Report 2025-19846 of a ministry", []),
        ("Council Regulation (EU) 2024/1851, CELEX 32023R2890", []),
        ("", []),
    ],
)  # fmt: skip
def test_acts_have_one_form_whoever_names_them(text: str, acts: list[str]) -> None:
    assert list(acts_in(text)) == acts


def test_acts_of_several_texts_are_named_once() -> None:
    assert acts_in("90 FR 57078", None, "90 F.R. 57078") == ("90 FR 57078",)
