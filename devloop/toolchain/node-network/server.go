package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"time"
)

// Where kubeadm and the kubelet put them; the certificate's file holds its key too, and is replaced when it is renewed.
const (
	kubeconfig  = "/etc/kubernetes/kubelet.conf"
	authority   = "/etc/kubernetes/pki/ca.crt"
	certificate = "/var/lib/kubelet/pki/kubelet-client-current.pem"
)

var errForbidden = errors.New("forbidden")

type node struct {
	Metadata struct {
		Name            string `json:"name"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Spec struct {
		PodCIDR string `json:"podCIDR"`
	} `json:"spec"`
	Status struct {
		Addresses []struct{ Type, Address string } `json:"addresses"`
	} `json:"status"`
}

// place is what the network needs of a node.
type place struct{ pods, address string }

func (n node) place() place {
	for _, address := range n.Status.Addresses {
		if address.Type == "InternalIP" {
			return place{n.Spec.PodCIDR, address.Address}
		}
	}
	return place{pods: n.Spec.PodCIDR}
}

type server struct {
	base   string
	client *http.Client
}

func connect() (*server, error) {
	config, err := os.ReadFile(kubeconfig)
	if err != nil {
		return nil, err
	}
	base := regexp.MustCompile(`(?m)^\s*server:\s*(\S+)$`).FindSubmatch(config)
	if base == nil {
		return nil, fmt.Errorf("%s names no server", kubeconfig)
	}
	trusted, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(trusted)
	own, err := tls.LoadX509KeyPair(certificate, certificate)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{own}}, DisableKeepAlives: true}
	return &server{string(base[1]), &http.Client{Transport: transport, Timeout: 10 * time.Minute}}, nil
}

func (s *server) get(query string) (*http.Response, error) {
	answer, err := s.client.Get(s.base + "/api/v1/nodes" + query)
	if err != nil {
		return nil, err
	}
	switch {
	case answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized:
		err = errForbidden
	case answer.StatusCode != http.StatusOK:
		err = fmt.Errorf("the API server answers %s", answer.Status)
	}
	if err != nil {
		answer.Body.Close()
		return nil, err
	}
	return answer, nil
}

// list gives the nodes by name, and the version to watch from.
func (s *server) list() (map[string]place, string, error) {
	answer, err := s.get("")
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []node `json:"items"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return nil, "", err
	}
	nodes := map[string]place{}
	for _, item := range list.Items {
		nodes[item.Metadata.Name] = item.place()
	}
	return nodes, list.Metadata.ResourceVersion, nil
}

// watch returns as soon as `nodes` changed, which it changes along.
func (s *server) watch(nodes map[string]place, version string) (string, error) {
	answer, err := s.get("?watch=1&timeoutSeconds=300&resourceVersion=" + version)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	for events := json.NewDecoder(answer.Body); ; {
		var event struct {
			Type   string `json:"type"`
			Object node   `json:"object"`
		}
		if err := events.Decode(&event); err != nil {
			return "", fmt.Errorf("the watch ended: %w", err)
		}
		name, now := event.Object.Metadata.Name, event.Object.place()
		version = event.Object.Metadata.ResourceVersion
		before, known := nodes[name]
		switch {
		case event.Type == "ERROR":
			return "", errors.New("the watch is too old")
		case event.Type == "DELETED":
			delete(nodes, name)
			return version, nil
		case !known || before != now:
			nodes[name] = now
			return version, nil
		}
	}
}
