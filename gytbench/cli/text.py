"""Text that comes from files, made safe for a terminal."""


def one_line(text: str) -> str:
    """Text on one line that a terminal prints as it is: no line ends, no control characters."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def counted(number: int, noun: str) -> str:
    """A number of things: 1 box, 2 boxes, 1,000 frames."""
    plural = f"{noun}es" if noun.endswith("x") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
