#!/bin/sh
# The suite against programs of other people. What is missing of them is installed from Debian's packages
# where that can be done (as root, with apt-get) and named where it cannot; each test skips what it lacks.
set -eu
cd "$(dirname "$0")/../.."
PATH="$PATH:/usr/sbin:/sbin" # where daemons are, which is not on everybody's PATH
AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
export PATH AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED

has () { command -v "$1" > /dev/null; }

# Debian's package belongs to Debian's Python, which need not be the first on PATH.
has_paho () {
  for python in python3 /usr/bin/python3; do
    "$python" -c 'import paho.mqtt.client' 2> /dev/null && return
  done
  return 1
}

find_missing () {
  missing=
  has mosquitto || missing="$missing mosquitto"
  has mosquitto_pub || missing="$missing mosquitto-clients"
  has_paho || missing="$missing python3-paho-mqtt"
  has radosgw || missing="$missing radosgw"
  has ceph-mon || missing="$missing ceph-mon"
  has ceph-osd || missing="$missing ceph-osd"
  { has ceph && has radosgw-admin; } || missing="$missing ceph-common"
  has aws || missing="$missing awscli"
  has s3cmd || missing="$missing s3cmd"
  { has prometheus && has promtool; } || missing="$missing prometheus"
  has prometheus-alertmanager || missing="$missing prometheus-alertmanager"
  has curl || missing="$missing curl"
  has strace || missing="$missing strace"
  has mkfs.ext4 || missing="$missing e2fsprogs"
}

# Debian starts the services of what it installs, and this suite starts its own on other ports. Two variables
# prevent that and leave nothing behind: systemctl talks to nobody (systemd's ENVIRONMENT.md), and in single
# user mode invoke-rc.d starts nothing (runlevel(8)).
apt () {
  SYSTEMD_OFFLINE=1 RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -qq \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@" < /dev/null
}

install_missing () {
  echo "installing:$missing"
  apt update || return
  # shellcheck disable=SC2086 # a list of names
  apt install -y --no-install-recommends $missing > /dev/null && return
  # Not every release of Debian or Ubuntu has them all, and apt-get installs all or nothing.
  for package in $missing; do
    apt install -y --no-install-recommends "$package" > /dev/null || echo "$package cannot be installed"
  done
}

find_missing
if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ] && has apt-get; then
  install_missing || true
  if [ -d /run/systemd/system ]; then
    echo "services just installed were not started, but will be at the next boot unless they are disabled"
  fi
  find_missing
fi
[ -z "$missing" ] || echo "not there, and skipped:$missing"

# One file at a time: they measure delays. Failing writes are here as well, because strace may have come just now.
exec node --import tsx --test --test-concurrency=1 --test-timeout=240000 test/system/*.test.ts test/faults/write-errors.test.ts
