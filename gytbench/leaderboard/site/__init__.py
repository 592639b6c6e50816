"""The leaderboard as static pages of HTML that need no network and, to be read, no script."""

from gytbench.leaderboard.site.page import write_site

__all__ = ["write_site"]
