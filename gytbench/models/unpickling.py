"""What stands for the names in a pickle that is not to be trusted."""


class WouldRunCodeError(Exception):
    """A pickle names something to be imported that no checkpoint needs."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Ignored:
    """Stands for a value that is no weight; takes any arguments and state, keeps nothing."""

    def __new__(cls, *_args: object) -> "Ignored":
        """The same, whatever the arguments."""
        return super().__new__(cls)

    def __init__(self, *_args: object) -> None:
        """Keeps nothing."""

    def __setstate__(self, state: object) -> None:
        """Keeps nothing."""
