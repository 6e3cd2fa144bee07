"""The view of Data Docs: pages of Great Expectations that need no network and no script.

It imports Great Expectations, which takes seconds. Data Docs load it by name, nothing imports it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader, pass_context

from dagster_project.safe_text import xml_text

TEMPLATES = Path(__file__).parent / "docs_pages"
"""Replacements for the templates that load scripts, styles or pictures from elsewhere."""


class DocsPage(DefaultJinjaPageView):  # type: ignore[misc]
    """A page of the site, its index included."""

    _template = "page.j2"

    def __init__(self, **directories: Any) -> None:
        super().__init__(**directories)
        self.env.loader = ChoiceLoader([FileSystemLoader(TEMPLATES), self.env.loader])

    def render(self, document: Any, template: str | None = None, **given: Any) -> str:
        contents = document.to_json_dict()
        for section in contents["sections"]:
            for block in section["content_blocks"]:
                _remove_unnamed_asset(block)
        return str(self._get_template(template or self._template).render(contents, **given))

    @pass_context
    def render_content_block(
        self,
        jinja_context: Any,
        content_block: Any,
        index: Any = None,
        content_block_id: Any = None,
        render_to_markdown: bool = False,
    ) -> Any:
        """As in the base class, but plain text is escaped: it may come from a publisher."""
        if isinstance(content_block, str):
            return xml_text(content_block)
        if isinstance(content_block, list):
            content_block = [
                xml_text(part) if isinstance(part, str) else part for part in content_block
            ]
        return super().render_content_block(
            jinja_context, content_block, index, content_block_id, render_to_markdown
        )


def _remove_unnamed_asset(block: dict[str, Any]) -> None:
    """Remove "Data asset: None": a frame has no name but that of its suite."""
    subheader = block.get("subheader")
    template = subheader.get("string_template") if isinstance(subheader, dict) else None
    if template and template.get("params", {}).get("data_asset_name", "") is None:
        template["template"] = template["template"].replace(
            "\n ${data_asset} ${data_asset_name}", ""
        )
