#!/usr/bin/env bash
# A training pipeline that says what it does: setup, data preparation, training, end.
#
#     bash tools/run_training_pipeline.sh
#     JOURNAL_ROOT=s3://bucket/training-runs bash tools/run_training_pipeline.sh
#
# It is shaped like pipelines that monitors watch already. What it was before the journal is
# pipeline/before.sh: "was" below is what stood there. Training is a stand-in.
#
# RUN_ID, RESUME (1: go on with that run), WORK_DIR, MANIFEST, TRAINING_STEPS, and the seconds that
# the stand-ins take (SETUP_SECONDS, WARMUP_SECONDS, TRAINING_SECONDS) may be set in the environment;
# so may JOURNAL_MODE=disabled: the same pipeline without a journal.
set -Eeuo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

if [ -z "${PYTHON:-}" ]; then
    bash tools/environment.sh
    PYTHON=$PWD/.venv/bin/python
fi
PATH=$(dirname -- "$PYTHON"):$PATH  # where `journal` lies, too

run_id=${RUN_ID:-mistral-$(date -u +%Y%m%d-%H%M%S)}
manifest=${MANIFEST:-tools/dataset/standard_library.toml}
steps=${TRAINING_STEPS:-10}
work=${WORK_DIR:-$(mktemp -d)}
mkdir -p -- "$work"
log=$work/pipeline.log  # what the present step prints
echo "nothing was printed" >"$log"

# was: update_status initializing setup "Installing"
# The keeper that this leaves in the background beats from here to the end, also while nothing runs
# that knows of the journal. Should this script vanish without a word, it says that, too.
JOURNAL_RUN_ID=$(journal start "$run_id" --job training_pipeline ${RESUME:+--resume})
export JOURNAL_RUN_ID  # by which every program below finds the run, and goes along with it

# was: on_error() { update_status failed error "…"; echo "…" | publish _error; }
on_error() {
    local code=$1 line=$2
    trap - ERR
    if [ "$code" -gt 128 ]; then  # somebody pressed Ctrl-C, or sent another signal
        journal finish --status aborted -m "$step, line $line: exit code $code"
    else
        journal fail "$step, line $line: exit code $code; $(tail -n 1 -- "$log")"
    fi
    exit "$code"
}
trap 'on_error $? $LINENO' ERR

step=setup
journal phase setup
sleep "${SETUP_SECONDS:-1}"

# was: update_status running data_prep "Preparing the dataset"
step="data preparation"
journal phase data_prep
"$PYTHON" tools/prepare_dataset.py "$manifest" --work-dir "$work/dataset" | tee -- "$log"

# was: update_status running training "Starting"
step=training
journal phase training warmup
echo "nothing was printed" >"$log"
sleep "${WARMUP_SECONDS:-1}"
journal emit checkpoints directory="$work/checkpoints"

# Training knows of no journal. Its CPU, its I/O and the checkpoints it leaves are seen from outside.
journal phase training
journal exec --job train --phase training/steps --progress-from "$work/checkpoints" \
    --source checkpoints --files "$steps" -- \
    "$PYTHON" tools/pipeline/train.py "$work/dataset/train.jsonl" \
    --checkpoints "$work/checkpoints" --steps "$steps" --seconds "${TRAINING_SECONDS:-10}" \
    2>&1 | tee -- "$log"

# was: update_status completed complete "Done"; echo "trained" | publish _complete
journal finish -m "trained: $steps steps, checkpoints in $work/checkpoints"
