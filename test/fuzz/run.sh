#!/bin/sh
# npm run fuzz -- --minutes 60 [--seed 7]
set -eu
cd "$(dirname "$0")/../.."
minutes=5
while [ $# -gt 0 ]; do
  case "$1" in
    --minutes) minutes="${2:?--minutes wants a number}"; shift 2 ;;
    --seed) export SLUICE_TEST_SEED="${2:?--seed wants a number}"; shift 2 ;;
    *) echo "unknown: $1; known are --minutes and --seed" >&2; exit 64 ;;
  esac
done
case "$minutes" in '' | *[!0-9]*) echo "--minutes $minutes is no whole number" >&2; exit 64 ;; esac
export SLUICE_FUZZ_SECONDS=$((minutes * 60)) AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
# One after the other: one of them measures delays.
exec node --import tsx --test --test-concurrency=1 --test-timeout=$((minutes * 120000 + 120000)) test/fuzz/*.test.ts
