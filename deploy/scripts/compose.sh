# What the scripts beside it share; read by them, not started.
# shellcheck shell=sh

# DOCKER says how Docker is called, for whoever has another name for it.
docker=${DOCKER:-docker}
compose_file=$(dirname "$0")/../compose/compose.yml
compose() { "$docker" compose --file "$compose_file" "$@"; }
