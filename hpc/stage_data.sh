#!/bin/bash
# Run once on the login node, before any job: compute nodes have no internet. `bash hpc/stage_data.sh`
set -euo pipefail

# --- what differs from site to site ----------------------------------------------------------------------------------
MODULES=${MODULES-"python"}
ENVIRONMENT=${ENVIRONMENT:-$PWD/.venv}
export COURSE_CACHE=${COURSE_CACHE:-$PWD/_build/cache}      # on a disk that all nodes see
# ---------------------------------------------------------------------------------------------------------------------

for name in $MODULES; do module load "$name"; done
"$ENVIRONMENT/bin/python" -m course_utils fetch cifar10     # 170 MB, verified, unpacked
"$ENVIRONMENT/bin/python" -m course_utils simulate          # the scenes of data_parallel
