# Shared by by_hand.sh and by_hand_kind.sh; sourced after settings.sh.
#
# Expects repository, work, age_key_file, pusher, puller and their passwords, push_url, pull_url; `patience` for one wait of kubectl. With
# `nudge`, a Kustomization whose workloads are ready is reconciled again; with `absent`, a Kustomization may not exist yet.
umask 077
export LC_ALL=C

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

# --- Flux: the keys, the source and the root Kustomization -----------------------------------------------------------------------------
hand_over() {
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
}

# --- wait, one Kustomization after the other ---------------------------------------------------------------------------------------------
ask() { # KIND NAME: reconcile it now
  kubectl annotate "$1/$2" --namespace flux-system --overwrite "reconcile.fluxcd.io/requestedAt=$EPOCHREALTIME" >/dev/null
}
settle() { # KUSTOMIZATION [NAMESPACE]...: it is Ready, and so are the Deployments in these namespaces
  local namespace
  if [[ ${absent:-} ]]; then
    until kubectl get "kustomization/$1" --namespace flux-system &>/dev/null; do sleep 0.05; done
  fi
  for namespace in "${@:2}"; do
    # Fails until it exists.
    until kubectl wait --for=condition=Available deployment --all --namespace "$namespace" --timeout="$patience" &>/dev/null; do sleep 0.05; done
  done
  # Flux checks health every five seconds, but at once when asked to reconcile.
  if [[ ${nudge:-} ]] && (($# > 1)); then
    ask kustomization "$1"
  fi
  kubectl wait --for=condition=Ready "kustomization/$1" --namespace flux-system --timeout="$patience" >/dev/null
}
settle_all() {
  settle flux-system
  settle variables
  settle infrastructure-controllers platform-system
  settle infrastructure monitoring
  settle apps storefront catalogue
}
