#!/usr/bin/env bash
# The work of `devloop up local` as an engineer would script it: the same components with the same flags, one step after another.
#
#   by_hand.sh REPOSITORY WORK_FOLDER AGE_KEY_FILE
#
# benchmarks/by_hand.py prepares WORK_FOLDER: settings.sh (addresses, and a function `run-COMPONENT` with the command line of each),
# pki/users, flux.json and nodes.json. Prints `phase NAME SECONDS` as it goes and `ready` when everything is; stops everything when its
# input ends or it is interrupted.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$1 work=$2 age_key_file=$3 patience=60s nudge=yes
cd "$work"
source ./settings.sh
source "$here/by_hand_common.sh"
push_url=$git_url pull_url=$git_url

pids=()
cleanup() {
  { kill -KILL "${pids[@]}" && wait; } 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM

start() {
  "run-$1" >"logs/$1.log" 2>&1 &
  pids+=($!)
}

# --- PKI and kubeconfigs -------------------------------------------------------------------------------------------------------------
certificate() { # FILE SUBJECT USE [NAMES]
  openssl req -x509 -CA pki/ca.crt -CAkey pki/ca.key -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 -subj "$2" \
    -addext "extendedKeyUsage=$3" -addext basicConstraints=critical,CA:FALSE ${4:+-addext "subjectAltName=$4"} \
    -keyout "pki/$1.key" -out "pki/$1.crt" 2>/dev/null
}
kubeconfig() { # USER
  cat >"pki/$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: by-hand
contexts: [{name: by-hand, context: {cluster: by-hand, user: by-hand}}]
clusters: [{name: by-hand, cluster: {server: "$api_server", certificate-authority: $work/pki/ca.crt}}]
users: [{name: by-hand, user: {client-certificate: $work/pki/$1.crt, client-key: $work/pki/$1.key}}]
YAML
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 -subj /CN=by-hand -keyout pki/ca.key -out pki/ca.crt 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out pki/service-account.key
certificate kube-apiserver /CN=kube-apiserver serverAuth "$server_names"
while read -r user subject; do
  certificate "$user" "$subject" clientAuth
  kubeconfig "$user"
done <pki/users
export KUBECONFIG=$work/pki/admin.kubeconfig KUBECACHEDIR=$work/tmp/kube-cache
phase pki

# --- control plane -------------------------------------------------------------------------------------------------------------------
start etcd
start kube-apiserver
until curl --silent --fail --output /dev/null --cacert pki/ca.crt --cert pki/admin.crt --key pki/admin.key "$api_server/readyz"; do sleep 0.05; done
phase api-server
start kube-controller-manager
start kube-scheduler
start kwok
kubectl create -f nodes.json >/dev/null
phase nodes

# --- Git -----------------------------------------------------------------------------------------------------------------------------
pusher_password=$(openssl rand -hex 16) puller_password=$(openssl rand -hex 16)
printf '{"%s": "%s", "%s": "%s"}' "$pusher" "$pusher_password" "$puller" "$puller_password" >git-credentials.json
start git-server
until curl --silent --output /dev/null "$git_url"; do sleep 0.05; done
git clone --quiet --no-checkout "$repository" source
commit
push
phase git

# --- Flux ----------------------------------------------------------------------------------------------------------------------------
kubectl apply --server-side -f flux.json >/dev/null
kubectl wait --for=condition=Established crd --all --timeout=30s >/dev/null
phase crds
for controller in "${controllers[@]}"; do
  start "$controller"
done
hand_over
phase sync

settle_all
phase kustomizations
kubectl wait --for=condition=Available deployment --all --all-namespaces --timeout=60s >/dev/null
phase deployments
echo ready

# The benchmark inspects the cluster now, and closes the input when done.
read -r _ || true
