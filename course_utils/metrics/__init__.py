"""Scores of a cloud mask over valid pixels: counts, IoU, recall, accuracy, curves, calibration."""

from course_utils.codes import CLEAR, IGNORE, THICK, THIN
from course_utils.metrics.calibration import Reliability, reliability
from course_utils.metrics.counts import (
    Counts,
    MaskError,
    UndefinedScore,
    accuracy,
    clear_iou,
    count,
    false_alarm_rate,
    iou,
    mean_iou,
    precision,
    recall,
)
from course_utils.metrics.curves import Curve, precision_recall_curve, roc_curve
from course_utils.metrics.regions import SMALL_CLOUD_PIXELS, from_codes, recall_on, small_clouds

__all__ = [
    "CLEAR",
    "IGNORE",
    "SMALL_CLOUD_PIXELS",
    "THICK",
    "THIN",
    "Counts",
    "Curve",
    "MaskError",
    "Reliability",
    "UndefinedScore",
    "accuracy",
    "clear_iou",
    "count",
    "false_alarm_rate",
    "from_codes",
    "iou",
    "mean_iou",
    "precision",
    "precision_recall_curve",
    "recall",
    "recall_on",
    "reliability",
    "roc_curve",
    "small_clouds",
]
