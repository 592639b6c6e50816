"""Collecting centre points: what is asked, the log of answers, the page that asks.

An annotator sees one frame after the other and clicks the centre of the action.
Every answer is on disk before the next frame is shown.
"""

from gytbench.collection.export import export_answers
from gytbench.collection.log import Answer, AnswerLog, read_answers
from gytbench.collection.server import PointServer
from gytbench.collection.session import Session
from gytbench.collection.tasks import Task, TaskList, list_tasks

__all__ = [
    "Answer",
    "AnswerLog",
    "PointServer",
    "Session",
    "Task",
    "TaskList",
    "export_answers",
    "list_tasks",
    "read_answers",
]
