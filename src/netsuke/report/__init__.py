"""Self-contained HTML pages: about an artifact or a fit, and about a profile."""

from netsuke.report.page import report_page
from netsuke.report.profile_page import profile_page

__all__ = ["profile_page", "report_page"]
