#!/usr/bin/env bash
# The work of `devloop up local --provisioner kind` as an engineer would script it with kind, kubectl, docker and git, one step after the
# other; all images are there.
#
#   by_hand_kind.sh REPOSITORY WORK_FOLDER AGE_KEY_FILE
#
# WORK_FOLDER is prepared by benchmarks/by_hand_kind.py: settings.sh (names, images), kind.yaml, flux.json and controllers.json. Prints
# `phase NAME SECONDS` as it goes and `done` after everything that it was asked for: first all of the environment, then each line of its
# input, `reconcile` (the working tree as it is now) or `delete`. Removes everything when its input ends, or when it is interrupted.
set -euo pipefail
umask 077
export LC_ALL=C
repository=$1 work=$2 age_key_file=$3
cd "$work"
source ./settings.sh
export KUBECONFIG=$work/kubeconfig KUBECACHEDIR=$work/kube-cache

remove_all() {
  kind delete cluster --quiet --name "$cluster"
  docker rm --force --volumes "$git_server" >/dev/null
  docker volume rm --force "$git_server" >/dev/null
}
trap 'remove_all &>/dev/null || true' EXIT
trap 'exit 130' INT TERM

phase_start=${EPOCHREALTIME/./}
phase() {
  local now=${EPOCHREALTIME/./}
  printf 'phase %s %d.%06d\n' "$1" $(((now - phase_start) / 1000000)) $(((now - phase_start) % 1000000))
  phase_start=$now
}

# --- Git: the working tree, uncommitted changes included, as a commit ------------------------------------------------------------------
commit() {
  git -C source rm -r --quiet --force --ignore-unmatch .
  git -C "$repository" ls-files --cached --others --exclude-standard -z | tar --create --null --directory "$repository" --files-from - |
    tar --extract --directory source
  git -C source add --all
  git -C source -c user.name=by-hand -c user.email=by-hand@localhost commit --quiet --allow-empty --message "The working tree"
}
push() {
  local authorization
  authorization=$(printf '%s' "$pusher:$pusher_password" | base64 --wrap 0)
  GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader GIT_CONFIG_VALUE_0="Authorization: Basic $authorization" \
    git -C source push --quiet "$push_url" HEAD:refs/heads/main
}

# --- wait, one Kustomization after the other ---------------------------------------------------------------------------------------------
ask() { # KIND NAME: look at it now
  kubectl annotate "$1/$2" --namespace flux-system --overwrite "reconcile.fluxcd.io/requestedAt=$EPOCHREALTIME" >/dev/null
}
settle() { # KUSTOMIZATION [NAMESPACE]...: it is Ready, and so are the Deployments in these namespaces
  local namespace
  # An error as long as there is none yet.
  until kubectl get "kustomization/$1" --namespace flux-system &>/dev/null; do sleep 0.05; done
  for namespace in "${@:2}"; do
    until kubectl wait --for=condition=Available deployment --all --namespace "$namespace" --timeout=300s &>/dev/null; do sleep 0.05; done
  done
  # Left alone, Flux looks at the health of what it applied every five seconds; asked to reconcile, it looks at once.
  if [[ $nudge ]] && (($# > 1)); then
    ask kustomization "$1"
  fi
  kubectl wait --for=condition=Ready "kustomization/$1" --namespace flux-system --timeout=300s >/dev/null
}
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
kubectl create secret generic sops-age --namespace flux-system --from-file=identity.agekey="$age_key_file" >/dev/null
kubectl create secret generic devloop-git --namespace flux-system \
  --from-literal=username="$puller" --from-file=password=<(printf '%s' "$puller_password") >/dev/null
kubectl apply --server-side -f - >/dev/null <<YAML
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 1h
  timeout: 60s
  url: $pull_url
  ref: {branch: main}
  secretRef: {name: devloop-git}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 1h
  retryInterval: 1m
  timeout: 5m
  prune: true
  path: ./k8s/clusters/local
  sourceRef: {kind: GitRepository, name: flux-system}
  decryption: {provider: sops, secretRef: {name: sops-age}}
YAML
phase sync
settle flux-system
settle variables
settle infrastructure-controllers platform-system
settle infrastructure monitoring
settle apps storefront catalogue
phase kustomizations
echo done

# --- what whoever measures asks for --------------------------------------------------------------------------------------------------------
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
