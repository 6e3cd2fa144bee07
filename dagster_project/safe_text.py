"""Makes a text safe for the place where it is shown: a terminal, a Markdown page, an XML file.

Texts of publishers, files and people may be hostile. Every room may import this module.
"""

from __future__ import annotations

import logging
import re
from html import escape

_MARKUP = re.compile(
    r"[\\`*\[\]<>~@]|&[\w#]|://|www\.|(?<!\w)_|_(?!\w)"
    r"|^\s*(?:#|[+-](?:\s|$)|\d+[.)](?:\s|$)|[-=][-=\s]*$)",
    re.IGNORECASE,
)
"""What Markdown or HTML could read as markup or as a link."""


def printable(text: str, keep: str = "") -> str:
    """The text with a blank for each character that is not shown as one, of the same length.

    Such are control characters (colours, moves of the cursor), line ends, marks that turn the
    direction of writing, and characters of no width. Those in `keep` stay.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep else " " for character in text
    )


def for_output(text: str, *, is_terminal: bool) -> str:
    """Lines of an exact format: as they are for a program, printable in a terminal."""
    return printable(text, keep="\n\t") if is_terminal else text


def markdown_text(text: str) -> str:
    """A line of Markdown that shows the text as it is: no markup, link or picture comes from it.

    A text that could be read as markup is shown as code, since GitHub's Markdown makes a link of an
    address even where its characters are escaped.
    """
    line = printable(text).strip()  # four blanks at the beginning would make it code
    if not _MARKUP.search(line):
        return line
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence, blank = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{blank}{line}{blank}{fence}"


def markdown_cell(text: str) -> str:
    """The same for a cell of a table, which a bar would end; backslashes before it are doubled."""
    return re.sub(r"(\\*)\|", r"\1\1\\|", markdown_text(text))


def xml_text(text: str) -> str:
    """The text between tags of XML, HTML or SVG, or between the quotation marks of an attribute."""
    return escape(printable(text))


def logger(name: str) -> logging.Logger:
    """The logger of a module, whose lines are printable: nobody else filters them."""
    named = logging.getLogger(name)
    named.addFilter(_make_printable)
    return named


def _make_printable(record: logging.LogRecord) -> bool:
    record.msg, record.args = printable(record.getMessage()), ()
    return True
