#!/bin/sh
# Gives a cluster the secrets of a folder that "setup secrets" made: one Secret for each reader, named
# rushlight-READER, with one key for each file. Again changes only what changed.
#
#   deploy/kubernetes/secrets.sh FOLDER [--dry-run]    prints the objects instead of applying them
#
# KUBECTL says how kubectl is called, NAMESPACE where they go.
set -eu
folder=${1:?Which folder? Usage: secrets.sh FOLDER [--dry-run]}
namespace=${NAMESPACE:-rushlight}
kubectl=${KUBECTL:-kubectl}
[ -f "$folder/setup/kept.json" ] || { echo "$folder holds no secrets: run \"setup secrets\" first" >&2; exit 1; }

for reader in "$folder"/*/; do
  name=rushlight-$(basename "$reader")
  object=$($kubectl create secret generic "$name" --namespace "$namespace" \
    --from-file="$reader" --dry-run=client --output=yaml)
  if [ "${2:-}" = --dry-run ]; then
    printf '%s\n---\n' "$object"
  else
    # On the server's side: otherwise an annotation would keep a copy of the secret.
    printf '%s\n' "$object" | $kubectl apply --server-side --field-manager=rushlight --filename -
  fi
done
