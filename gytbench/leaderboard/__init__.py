"""The leaderboard: entries of strangers, scored by us alone, and the page that shows them."""
