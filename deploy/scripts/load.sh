#!/bin/sh
# A rush against the shop that runs in containers, with its certificate. It needs the lab, which makes
# the crowd, and an edge that does not take the crowd for one visitor:
#
#   RUSHLIGHT_LAB=true RUSHLIGHT_EDGE_REQUESTS_PER_S=0 deploy/scripts/deploy.sh
#   deploy/scripts/load.sh [options of "npm run rush"]
set -eu
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/compose.sh"

if [ "$(compose exec -T gateway printenv RUSHLIGHT_LAB)" != true ]; then
  echo "The lab is off: there is no crowd. Set RUSHLIGHT_LAB=true and deploy again." >&2
  exit 1
fi
if [ "$(compose exec -T edge printenv RUSHLIGHT_EDGE_REQUESTS_PER_S)" != 0 ]; then
  echo "The edge bounds requests from one address. Set RUSHLIGHT_EDGE_REQUESTS_PER_S=0 and deploy again." >&2
  exit 1
fi
url=http://$(compose port edge 8000)
cd "$(dirname "$0")/../.."
exec npm run --silent rush -- --url "$url" "$@"
