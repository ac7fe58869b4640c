package main

import (
	"bytes"
	"fmt"

	"gopkg.in/yaml.v3"
)

// More nodes than any manifest has; aliases of aliases get there with a handful of lines.
const mostNodes = 2_000_000

// aliasTrouble finds an anchor that contains itself, which kustomize follows until its stack is full, or aliases that multiply without
// measure, which fill the memory. What is no YAML is not for here.
func aliasTrouble(name string, content []byte) *failure {
	if !bytes.ContainsRune(content, '&') || !bytes.ContainsRune(content, '*') {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return nil
		}
		counter := aliasCounter{sizes: map[*yaml.Node]int{}, open: map[*yaml.Node]bool{}}
		if size := counter.size(&document); counter.cycle != nil {
			return &failure{Kind: kindYAML, Message: fmt.Sprintf("the anchor %s contains itself", counter.cycle.Value), Path: name, Line: counter.cycle.Line}
		} else if size > mostNodes {
			return &failure{Kind: kindYAML, Message: "it is too large once its aliases are expanded", Path: name, Line: document.Line}
		}
	}
}

// aliasCounter counts nodes as if every alias were a copy; cycle is an alias of something that it is a part of.
type aliasCounter struct {
	sizes map[*yaml.Node]int
	open  map[*yaml.Node]bool
	cycle *yaml.Node
}

func (c *aliasCounter) size(node *yaml.Node) int {
	if node.Kind == yaml.AliasNode {
		if c.open[node.Alias] {
			c.cycle = node
			return 1
		}
		return c.size(node.Alias)
	}
	if known, ok := c.sizes[node]; ok {
		return known
	}
	c.open[node] = true
	total := 1
	for _, child := range node.Content {
		total = min(total+c.size(child), mostNodes+1)
	}
	c.open[node] = false
	c.sizes[node] = total
	return total
}
