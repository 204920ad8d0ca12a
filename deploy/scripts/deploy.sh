#!/bin/sh
# Builds the image, starts the whole shop, and waits until all of it works. Started again, it brings
# what runs to the state of this checkout and of deploy/compose/.env.
#
#   deploy/scripts/deploy.sh [--no-build]
#
# WAIT_S: how long to wait (300).
set -eu
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/compose.sh"

case ${1:-} in
  '') compose build ;;
  --no-build) ;;
  *)
    echo "Usage: deploy.sh [--no-build]" >&2
    exit 64
    ;;
esac
compose up --detach --remove-orphans
"$(dirname "$0")/health-check.sh" --wait "${WAIT_S:-300}"

echo "The shop: http://$(compose port edge 8000)"
echo "With TLS: https://$(compose port edge 8443) (when RUSHLIGHT_TLS is not off)"
if [ "$(compose exec -T gateway printenv RUSHLIGHT_LAB)" = true ]; then
  echo "The lab is on: anybody can log in as admin, with the password of the documentation."
else
  echo "The first admin is \"admin\". Its password:"
  echo "  docker compose --file $compose_file exec identity cat /run/rushlight/identity/admin-password"
fi
