"""Write docs/settings.md from the table of settings; a test fails when the page is stale."""

from __future__ import annotations

from pathlib import Path

from mapsi.settings import setting_table

PAGE = """# Settings

Every setting is an environment variable, read once when a command starts. `mapsi settings` prints this table. A value that
cannot be used, or a `MAPSI_` name that is not in the table, ends the command with a sentence that names it.

| variable | default | what it is for |
|---|---|---|
{rows}

`MAPSI_HOME` is the one folder under which everything lies: the catalogue (`catalog.db`, unless `MAPSI_DATABASE_URL` names
another database), our copies of product pictures (`pictures/`), the index (`index/`) and the models it was made with
(`models/`), and the key that signs sessions (`secret-key`). `mapsi demo` keeps its sample catalogue in `demo/` there.
"""  # noqa: E501


def page() -> str:
    """The whole page as Markdown."""
    rows = (f"| `{row.variable}` | {row.default} | {row.help} |" for row in setting_table())
    return PAGE.format(rows="\n".join(rows))


if __name__ == "__main__":
    (Path(__file__).parent / "settings.md").write_text(page(), "utf-8")
