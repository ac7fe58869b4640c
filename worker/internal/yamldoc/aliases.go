package yamldoc

import (
	"bytes"
	"fmt"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// More nodes than any manifest has; aliases of aliases get there with a handful of lines.
const maxNodes = 2_000_000

// AliasProblem finds an anchor that contains itself, which kustomize follows until its stack is full, or aliases that multiply without
// measure, which fill the memory. What is no YAML is not for here.
func AliasProblem(name string, content []byte) *protocol.Failure {
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
			return &protocol.Failure{Kind: protocol.KindYAML, Message: fmt.Sprintf("the anchor %s contains itself", counter.cycle.Value), Path: name, Line: counter.cycle.Line}
		} else if size > maxNodes {
			return &protocol.Failure{Kind: protocol.KindYAML, Message: "it is too large once its aliases are expanded", Path: name, Line: document.Line}
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
		total = min(total+c.size(child), maxNodes+1)
	}
	c.open[node] = false
	c.sizes[node] = total
	return total
}
