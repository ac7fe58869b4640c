#!/usr/bin/env bash
# The work of `devloop up local --provisioner kind` as an engineer would script it with kind, kubectl, docker and git, one step after the
# other; all images exist already.
#
#   by_hand_kind.sh REPOSITORY WORK_FOLDER AGE_KEY_FILE
#
# benchmarks/by_hand_kind.py prepares WORK_FOLDER: settings.sh (names, images), kind.yaml, flux.json and controllers.json. Prints
# `phase NAME SECONDS` as it goes and `done` after each command: first the whole environment, then each line of its input, `reconcile`
# (the current working tree) or `delete`. Removes everything when its input ends or it is interrupted.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$1 work=$2 age_key_file=$3 patience=300s absent=yes
cd "$work"
source ./settings.sh
source "$here/by_hand_common.sh"
export KUBECONFIG=$work/kubeconfig KUBECACHEDIR=$work/kube-cache

remove_all() {
  kind delete cluster --quiet --name "$cluster"
  docker rm --force --volumes "$git_server" >/dev/null
  docker volume rm --force "$git_server" >/dev/null
}
trap 'remove_all &>/dev/null || true' EXIT
trap 'exit 130' INT TERM

applied() { # KUSTOMIZATION REVISION
  kubectl wait --for="jsonpath={.status.lastAppliedRevision}=$2" "kustomization/$1" --namespace flux-system --timeout=300s >/dev/null
}

# --- the cluster -------------------------------------------------------------------------------------------------------------------------
kind create cluster --name "$cluster" --config kind.yaml
phase cluster

# --- the Git server ------------------------------------------------------------------------------------------------------------------------
pusher_password=$(openssl rand -hex 16) puller_password=$(openssl rand -hex 16)
mkdir credentials
printf '{"%s": "%s", "%s": "%s"}' "$pusher" "$pusher_password" "$puller" "$puller_password" >credentials/credentials.json
chmod 644 credentials/credentials.json
docker volume create "$git_server" >/dev/null
docker create --name "$git_server" --network kind --publish "127.0.0.1::8080" --volume "$git_server:/srv/git" "$git_image" >/dev/null
tar --create --directory credentials --transform 's,^,run/devloop/,' credentials.json | docker cp - "$git_server:/"
docker start "$git_server" >/dev/null
address=$(docker port "$git_server" 8080/tcp)
push_url=http://$address/$git_repository pull_url=http://$git_server:8080/$git_repository
until curl --silent --output /dev/null "http://$address/"; do sleep 0.05; done
phase git-server
git clone --quiet --no-checkout "$repository" source
commit
push
phase git

# --- images --------------------------------------------------------------------------------------------------------------------------------
if ((${#images[@]})); then
  kind load docker-image --name "$cluster" "${images[@]}"
fi
phase images

# --- Flux ----------------------------------------------------------------------------------------------------------------------------------
kubectl apply --server-side -f flux.json >/dev/null
kubectl wait --for=condition=Established crd --all --timeout=60s >/dev/null
phase crds
kubectl apply --server-side -f controllers.json >/dev/null
for controller in "${controllers[@]}"; do
  kubectl rollout status "deployment/$controller" --namespace flux-system --timeout=180s >/dev/null
done
phase controllers
hand_over
phase sync
settle_all
phase kustomizations
echo done

# --- commands of the benchmark -------------------------------------------------------------------------------------------------------------
while read -r request; do
  phase_start=${EPOCHREALTIME/./}
  case $request in
    reconcile)
      commit
      push
      revision=main@sha1:$(git -C source rev-parse HEAD)
      ask gitrepository flux-system
      for name in flux-system variables infrastructure-controllers infrastructure apps; do
        applied "$name" "$revision"
        settle "$name"
      done
      phase reconcile
      ;;
    delete)
      kind delete cluster --quiet --name "$cluster"
      phase "kind-delete-cluster"
      remove_all
      phase "rest-of-delete"
      ;;
  esac
  echo done
done
