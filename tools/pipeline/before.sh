#!/usr/bin/env bash
# The pipeline as it was before the journal: its status is posted at phase changes, and at no other
# time. Kept to compare with ../run_training_pipeline.sh, and for tests of why that exists: while
# data prep works for more than ten minutes, the old monitor takes this one for dead.
#
#     RUNS=s3://bucket/training-runs RUN_ID=mistral-20250805-142652 bash tools/pipeline/before.sh
#
# PREPARE_ARGUMENTS is added to the data preparation's command line.
set -Eeuo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

runs=${RUNS:?where runs lie: s3://bucket/training-runs, or a directory}
run_id=${RUN_ID:-mistral-$(date -u +%Y%m%d-%H%M%S)}
manifest=${MANIFEST:-tools/dataset/standard_library.toml}
work=${WORK_DIR:-$(mktemp -d)}
python=${PYTHON:-.venv/bin/python}

# Where there is the AWS command line this is: aws s3 cp - "$runs/$run_id/$1"
publish() {
    "$python" tools/pipeline/put.py "$runs/$run_id/$1"
}

update_status() {
    local status=$1 phase=$2 details=$3
    publish metadata.json <<JSON
{
  "run_id": "$run_id",
  "status": "$status",
  "phase": "$phase",
  "last_update": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
  "instance_type": "${INSTANCE_TYPE:-g5.12xlarge}",
  "instance_id": "${INSTANCE_ID:-i-0123456789abcdef0}",
  "instance_ip": "${INSTANCE_IP:-10.0.0.7}",
  "region": "${AWS_REGION:-us-east-1}",
  "details": "$details"
}
JSON
}

on_error() {
    local code=$1 line=$2
    trap - ERR
    update_status failed error "exit code $code in line $line"
    echo "exit code $code in line $line" | publish _error
    exit "$code"
}
trap 'on_error $? $LINENO' ERR

update_status initializing setup "Installing"
sleep "${SETUP_SECONDS:-1}"

update_status running data_prep "Preparing the dataset"
# shellcheck disable=SC2086  # several arguments in one variable
"$python" tools/prepare_dataset.py "$manifest" --work-dir "$work" ${PREPARE_ARGUMENTS:-}

update_status running training "Starting"
sleep "${WARMUP_SECONDS:-1}"
"$python" tools/pipeline/train.py "$work/train.jsonl" --checkpoints "$work/checkpoints" \
    --seconds "${TRAINING_SECONDS:-10}" --progress "$runs/$run_id/progress.json"

update_status completed complete "Done"
echo "trained" | publish _complete
