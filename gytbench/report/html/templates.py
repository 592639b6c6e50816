"""How pages are made of templates: everything is escaped, and nothing may be missing."""

from pathlib import Path
from typing import TYPE_CHECKING

from gytbench.errors import InputError

if TYPE_CHECKING:
    import jinja2


def page_templates(folder: Path) -> "jinja2.Environment":
    """The templates of a folder; raises `InputError` where Jinja2 is not installed."""
    try:
        import jinja2
    except ImportError:
        raise InputError("needs Jinja2: pip install 'gytbench[report]'") from None
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
