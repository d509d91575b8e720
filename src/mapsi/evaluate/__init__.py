"""Any predict function and a labelled folder -> metrics. Metrics are scikit-learn's."""

from mapsi.evaluate.folder import FolderReport, evaluate_folder
from mapsi.evaluate.scores import Interval, Scores, bootstrap, score

__all__ = ["FolderReport", "Interval", "Scores", "bootstrap", "evaluate_folder", "score"]
