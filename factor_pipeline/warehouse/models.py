"""SQL models: one SELECT per file under ``sql/``, shipped inside the wheel."""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


@cache
def sql_folder() -> Path:
    """Folder of the SQL models: inside an installed wheel, else beside the package."""
    installed = _PACKAGE / "_sql"
    return installed if installed.is_dir() else _PACKAGE.parent / "sql"


@cache
def load_sql(name: str) -> str:
    """Text of ``sql/<name>.sql``."""
    return (sql_folder() / f"{name}.sql").read_text(encoding="utf-8")


@cache
def shipped_queries() -> dict[str, str]:
    """Name and text of the questions under ``sql/queries``."""
    paths = sorted((sql_folder() / "queries").glob("*.sql"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}
