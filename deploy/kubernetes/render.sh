#!/bin/sh
# Writes rendered/: what each overlay comes to, to be read, reviewed and compared, and for clusters that
# take plain files. Kustomize 5, which kubectl 1.27 and later bring.
set -eu
cd "$(dirname "$0")"
for overlay in overlays/*/; do
  name=$(basename "$overlay")
  { echo "# Written by deploy/kubernetes/render.sh from overlays/$name; a test compares them."
    kubectl kustomize "$overlay"; } > "rendered/$name.yaml"
  echo "deploy/kubernetes/rendered/$name.yaml"
done
