package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	configuration = "/etc/cni/net.d/99-node.conflist"
	kubeadm       = "/kind/kubeadm.conf"
	// Marks the routes that are ours to remove (rtnetlink(7), rtm_protocol).
	protocol = "88"
	// A label of the node in Kind's configuration, which comes to the kubelet's arguments.
	promise = "devloop.dev/network=default"
	// Only who joins a cluster is told how to ask for a certificate; only a control plane has this manifest.
	joining      = "/etc/kubernetes/bootstrap-kubelet.conf"
	controlPlane = "/etc/kubernetes/manifests/kube-apiserver.yaml"
	// The controller-manager's default size of a node's share (--node-cidr-mask-size).
	nodeBits = 24
)

// apply makes this node's runtime and routes what `nodes` say. Doing it again changes nothing.
func apply(name string, nodes map[string]place) error {
	own := nodes[name]
	if own.pods == "" {
		return nil // not registered yet, or no addresses given out yet: a later event brings them
	}
	if err := route(name, nodes); err != nil {
		return err
	}
	if err := masquerade(); err != nil {
		return err
	}
	return write(own.pods)
}

func route(name string, nodes map[string]place) error {
	wanted := map[string]bool{}
	for other, place := range nodes {
		if other == name || place.pods == "" || place.address == "" {
			continue
		}
		wanted[place.pods] = true
		if _, err := run("ip", "route", "replace", place.pods, "via", place.address, "proto", protocol); err != nil {
			return err
		}
	}
	have, err := run("ip", "-4", "route", "show", "proto", protocol)
	if err != nil {
		return err
	}
	for _, line := range strings.Split(strings.TrimSpace(have), "\n") {
		if target, _, _ := strings.Cut(line, " "); target != "" && !wanted[target] {
			if _, err := run("ip", "route", "del", target, "proto", protocol); err != nil {
				return err
			}
		}
	}
	return nil
}

// masquerade lets pods speak to who does not know the way back to them; among pods addresses stay what they are.
func masquerade() error {
	pods, err := podSubnet()
	if err != nil {
		return err
	}
	rule := []string{"POSTROUTING", "-s", pods, "!", "-d", pods, "-m", "addrtype", "!", "--dst-type", "LOCAL", "-j", "MASQUERADE"}
	if _, err := run("iptables", append([]string{"-w", "-t", "nat", "-C"}, rule...)...); err == nil {
		return nil
	}
	_, err = run("iptables", append([]string{"-w", "-t", "nat", "-A"}, rule...)...)
	return err
}

func podSubnet() (string, error) {
	config, err := os.ReadFile(kubeadm)
	if err != nil {
		return "", err
	}
	subnet := regexp.MustCompile(`podSubnet:\s*"?([0-9.]+/[0-9]+)`).FindSubmatch(config)
	if subnet == nil {
		return "", fmt.Errorf("%s names no IPv4 podSubnet", kubeadm)
	}
	return string(subnet[1]), nil
}

// seed makes the first node of a cluster ready at once where its configuration promises that this will be the cluster's network: its pods get
// the first addresses of the cluster's, as the controller-manager gives them out. follow would write the same some seconds later.
func seed() error {
	config, err := os.ReadFile(kubeadm)
	if err != nil || !strings.Contains(string(config), promise) || exists(configuration) || exists(joining) || !exists(controlPlane) {
		return nil
	}
	subnet, err := podSubnet()
	if err != nil {
		return err
	}
	address, size, err := net.ParseCIDR(subnet)
	if err != nil {
		return err
	}
	if bits, _ := size.Mask.Size(); bits > nodeBits {
		return nil
	}
	if err := masquerade(); err != nil {
		return err
	}
	return write(fmt.Sprintf("%s/%d", address.Mask(size.Mask), nodeBits))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// write replaces the runtime's configuration; the runtime watches the folder and takes the first file in it, so another network's goes first.
func write(pods string) error {
	content, err := json.MarshalIndent(conflist(pods), "", "  ")
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(configuration); err == nil && string(have) == string(content) {
		return nil
	}
	log.Printf("pods of this node get addresses of %s", pods)
	if err := os.MkdirAll(filepath.Dir(configuration), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(configuration+".new", content, 0o644); err != nil {
		return err
	}
	return os.Rename(configuration+".new", configuration)
}

type object = map[string]any

// conflist is described in https://github.com/containernetworking/cni/blob/spec-v0.4.0/SPEC.md. Addresses in use are kept in /run, since none
// outlives a restart of the node.
func conflist(pods string) object {
	addresses := object{
		"type":    "host-local",
		"dataDir": "/run/cni-addresses",
		"ranges":  []any{[]any{object{"subnet": pods}}},
		"routes":  []any{object{"dst": "0.0.0.0/0"}},
	}
	return object{
		"cniVersion": "0.4.0",
		"name":       "node",
		"plugins": []any{
			object{"type": "ptp", "ipMasq": false, "ipam": addresses},
			object{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}
}

func run(program string, arguments ...string) (string, error) {
	output, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(arguments, " "), err, strings.TrimSpace(string(output)))
	}
	return string(output), nil
}
