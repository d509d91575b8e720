"""Any model and labelled photos -> figures with intervals, comparisons, reports and plots. Metrics are scikit-learn's.

Plots (:mod:`mapsi.evaluate.report.plots`, :mod:`mapsi.evaluate.report.curves`) and pages
(:mod:`mapsi.evaluate.report.pages`) are imported where they are used: matplotlib takes a second to load and is not
part of a serving installation.
"""

from mapsi.evaluate.answers import Answers, Candidate, answer_photos
from mapsi.evaluate.comparison import Comparison, compare
from mapsi.evaluate.photos import Photo, labelled_photos
from mapsi.evaluate.report.report import Report, build_report
from mapsi.evaluate.scores import Interval, Scores, score

__all__ = [
    "Answers",
    "Candidate",
    "Comparison",
    "Interval",
    "Photo",
    "Report",
    "Scores",
    "answer_photos",
    "build_report",
    "compare",
    "labelled_photos",
    "score",
]
