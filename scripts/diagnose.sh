#!/usr/bin/env bash
# Collects the state of this machine, to analyse a failed run later:
#
#   scripts/diagnose.sh FOLDER
#
# Nodes, pods, events, Flux objects and controller logs of every Kind cluster, Kind's logs, containers, processes, memory, disk. Works
# without any of these, and collects no Secrets, keys or environments of containers.
set -uo pipefail
umask 077
folder=${1:?usage: scripts/diagnose.sh FOLDER}
mkdir -p "$folder"

gather() { # FILE COMMAND...: its output or its failure
  local file=$folder/$1
  shift
  mkdir -p "${file%/*}"
  { echo "\$ $*" && timeout 60 "$@"; } >"$file" 2>&1 || echo "ended with $?" >>"$file"
}

gather machine.txt sh -c 'uptime; free -m; df -h; df -i; uname -a; ps -eo pid,ppid,rss,etimes,stat,comm'
gather docker/containers.txt docker ps --all --no-trunc --size
gather docker/images.txt docker images --digests
gather docker/rest.txt sh -c 'docker volume ls; docker network ls; docker system df; docker info'
for container in $(timeout 20 docker ps --all --filter label=devloop.dev/environment --format '{{.Names}}' 2>/dev/null); do
  gather "docker/$container.log" docker logs --timestamps --tail 2000 "$container"
done

for cluster in $(timeout 20 kind get clusters 2>/dev/null); do
  KUBECONFIG=$(mktemp)
  export KUBECONFIG
  kind export kubeconfig --name "$cluster" --kubeconfig "$KUBECONFIG" >/dev/null 2>&1
  gather "$cluster/nodes.txt" kubectl get nodes --output wide
  gather "$cluster/nodes-described.txt" kubectl describe nodes
  gather "$cluster/pods.txt" kubectl get pods --all-namespaces --output wide
  gather "$cluster/pods-described.txt" kubectl describe pods --all-namespaces
  gather "$cluster/events.txt" kubectl get events --all-namespaces --sort-by=.lastTimestamp
  gather "$cluster/flux.txt" kubectl get gitrepositories,ocirepositories,helmreleases,kustomizations --all-namespaces
  gather "$cluster/flux.yaml" kubectl get gitrepositories,kustomizations --all-namespaces --output yaml
  for controller in source-controller kustomize-controller helm-controller; do
    gather "$cluster/$controller.log" kubectl logs --namespace flux-system "deployment/$controller" --tail 5000
  done
  gather "$cluster/export.txt" kind export logs --name "$cluster" "$folder/$cluster/nodes"
  rm -f "$KUBECONFIG"
done
echo "gathered in $folder"
