// Node-network is the default network of a cluster made from our node image: on every node it tells the container runtime which addresses its
// pods get, and the kernel how to reach the pods of the other nodes. All nodes must be on one network, as Kind's are. IPv4 only.
//
// It reads Nodes as the kubelet. That is forbidden until the cluster's administrator (for Kind: default-cni.yaml) allows it to the nodes: a
// cluster that brings a network of its own does not, and nothing happens here.
package main

import (
	"errors"
	"log"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "seed" {
		if err := seed(); err != nil {
			log.Fatal(err)
		}
		return
	}
	name, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	pause := shortest
	for said := ""; ; pause = min(pause+pause/10, longest) {
		text := reason(follow(name, func() { pause = shortest }))
		if text != said {
			log.Print(text)
			said = text
		}
		time.Sleep(pause)
	}
}

// How long until the API server is asked again that did not answer or did not allow it.
const shortest, longest = 200 * time.Millisecond, 5 * time.Second

func reason(err error) string {
	if errors.Is(err, errForbidden) {
		return "not asked to be this cluster's network"
	}
	return err.Error()
}

// follow applies what the API server says of the nodes until it stops to answer; it always ends with an error. It tells `allowed` when it may.
func follow(name string, allowed func()) error {
	server, err := connect()
	if err != nil {
		return err
	}
	nodes, version, err := server.list()
	if err != nil {
		return err
	}
	allowed()
	for {
		if err := apply(name, nodes); err != nil {
			return err
		}
		if version, err = server.watch(nodes, version); err != nil {
			return err
		}
	}
}
