"""Text that comes from files, made safe for a terminal."""


def one_line(text: str) -> str:
    """Text on one line that a terminal prints as it is: no line ends, no control characters."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
