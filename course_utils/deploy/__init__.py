"""A trained model outside Python: exported files, a golden patch, and a C and Fortran interface (chapter 15).

Both engines report to their makers that they are used, from the moment they are imported. Importing this package first
turns it off for the process: ONNX Runtime reads a variable, OpenVINO does without the package that would report.
"""

import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", None)
