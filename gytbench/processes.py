"""Processes that work for another one."""

import os
from multiprocessing import parent_process
from threading import Thread


def end_with_parent() -> None:
    """A run that is killed leaves no process that writes where the next one does."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
