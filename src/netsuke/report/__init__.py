"""One self-contained HTML page about an artifact: verdict, memory, layers, verification."""

from netsuke.report.page import report_page

__all__ = ["report_page"]
