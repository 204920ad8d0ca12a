#!/bin/sh
# Asks every process of the shop whether it takes work (/ready), every replica of it, and the engines
# how they are. One line for each that does not; exit code 0 when there is none.
#
#   deploy/scripts/health-check.sh [--wait SECONDS]
set -eu
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/compose.sh"

processes="identity inventory payments kitchen notifications orders gateway monitor"
others="postgres rabbitmq redis edge"

wait_s=0
case ${1:-} in
  '') ;;
  --wait) wait_s=${2:?--wait needs a number of seconds} ;;
  *)
    echo "Usage: health-check.sh [--wait SECONDS]" >&2
    exit 64
    ;;
esac

# Called by their names.
# shellcheck disable=SC2317
is_ready() { "$docker" exec "$1" /opt/rushlight/deploy/image/is-ready >/dev/null 2>&1; }
# shellcheck disable=SC2317
is_healthy() { [ "$("$docker" inspect --format '{{.State.Health.Status}}' "$1" 2>&1)" = healthy ]; }

# check HOW SERVICE…
check() {
  how=$1
  shift
  for service in "$@"; do
    ids=$(compose ps --quiet "$service" 2>/dev/null) || ids=
    [ -n "$ids" ] || echo "$service: does not run"
    for id in $ids; do
      "$how" "$id" || echo "$service: not ready ($(echo "$id" | cut -c 1-12))"
    done
  done
}

# Names are words of a list.
# shellcheck disable=SC2086
found() {
  check is_ready $processes
  check is_healthy $others
}

end=$(($(date +%s) + wait_s))
while :; do
  what=$(found)
  if [ -z "$what" ]; then
    echo "all parts work"
    exit 0
  fi
  [ "$(date +%s)" -lt "$end" ] || break
  sleep 2
done
echo "$what" >&2
echo "Their logs: docker compose --file $compose_file logs NAME" >&2
exit 1
