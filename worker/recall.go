package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// An entry of the store: this head as one line, what the build saw of its source, and its answer.
type storedHead struct {
	Sights int          `json:"sights"` // bytes
	Kept   []storedKept `json:"kept,omitempty"`
}

// storedKept is an object that other builds may ask for. Where the answer holds all of it, From and To say where; else it is made again when
// somebody asks.
type storedKept struct {
	Key    string `json:"key"`
	Secret bool   `json:"secret,omitempty"`
	Print  string `json:"print"`
	From   int    `json:"from,omitempty"`
	To     int    `json:"to,omitempty"`
}

// storeKey names everything that the build depends on except its source; ” where something among it must not leave a trace.
func (b *run) storeKey() string {
	if b.session.store == nil {
		return ""
	}
	object, artifact := b.print, ""
	if b.request.Object != nil {
		object = jsonOf(b.request.Object)
	}
	if b.request.Artifact != nil {
		artifact = jsonOf(b.request.Artifact)
	}
	parts := []string{b.session.salt, b.request.Base, b.owner(), strconv.FormatBool(b.request.Lenient), object, artifact}
	if len(b.request.Remotes) > 0 {
		parts = append(parts, "remotes", jsonOf(b.request.Remotes))
	}
	if object == "" {
		return ""
	}
	for _, source := range b.sources {
		if source == nil {
			parts = append(parts, "absent")
			continue
		}
		if source.print == "" {
			return ""
		}
		parts = append(parts, source.print)
	}
	return digest(parts...)
}

func jsonOf(value any) string {
	content, _ := json.Marshal(value)
	return string(content)
}

// recall gives the answer of an earlier run, when everything that it came from is as it was.
func (b *run) recall() json.RawMessage {
	b.key = b.storeKey()
	head, seen, result := readEntry(b.session.store.get(b.key))
	if head == nil || !b.view.holds(seen) {
		return nil
	}
	again := sync.OnceValue(b.again)
	for _, each := range head.Kept {
		object := &keptObject{owner: b.owner(), secret: each.Secret, print: each.Print}
		if object.whole = each.To > 0; object.whole {
			object.content = plainContent(result[each.From:each.To])
		} else {
			object.content = func() keptContent { return again()[each.Key].orEmpty() }
			if strings.HasPrefix(each.Key, "Kustomization/") { // its build will ask soon
				go quietly(func() { again() })
			}
		}
		b.keeps[each.Key] = object
	}
	b.scope.keep(b.keeps)
	b.scope.remember(&rendering{owner: b.owner(), print: digest(b.key, string(seen)), all: parsed(result), run: b})
	return result
}

// quietly leaves a panic to whoever asks for the same: there, it is the answer.
func quietly(work func()) {
	defer func() { _ = recover() }()
	work()
}

func (k *keptObject) orEmpty() keptContent {
	if k == nil {
		return keptContent{}
	}
	return k.content()
}

// again builds for the sake of what the stored answer does not hold, from the same sources of variables.
func (b *run) again() map[string]*keptObject {
	repeated := b.repeat()
	repeated.keepsOnly = true
	if repeated.render() != nil {
		return nil
	}
	return repeated.keeps
}

// store keeps the answer for the next run, and what the build rendered for this one.
func (b *run) store(result json.RawMessage, bodies []span) {
	made := &rendering{owner: b.owner(), all: func() []*rendered { return wrapped(b.result.Objects) }, run: b}
	seen, storable := []byte(nil), false
	if b.view != nil && b.key != "" {
		seen, storable = b.view.seen.encode()
	}
	if storable {
		made.print = digest(b.key, string(seen))
		b.session.store.put(b.key, b.entry(seen, result, bodies, made.print))
	}
	b.scope.keep(b.keeps)
	b.scope.remember(made)
}

func (b *run) entry(seen []byte, result json.RawMessage, bodies []span, print string) []byte {
	head := storedHead{Sights: len(seen)}
	for key, object := range b.keeps {
		kept := storedKept{Key: key, Secret: object.secret}
		if object.whole {
			kept.From, kept.To = bodies[object.index].from, bodies[object.index].to
		} else {
			object.print = digest(print, key)
		}
		kept.Print = object.print
		head.Kept = append(head.Kept, kept)
	}
	return storedEntry(head, seen, result)
}

func storedEntry(head storedHead, seen []byte, result json.RawMessage) []byte {
	line, _ := json.Marshal(head)
	return slices.Concat(line, []byte("\n"), seen, result)
}

func readEntry(entry []byte) (*storedHead, []byte, json.RawMessage) {
	line, rest, found := bytes.Cut(entry, []byte("\n"))
	var head storedHead
	if !found || json.Unmarshal(line, &head) != nil || head.Sights > len(rest) {
		return nil, nil, nil
	}
	return &head, rest[:head.Sights], rest[head.Sights:]
}

// span is a part of an encoded answer.
type span struct{ from, to int }

// encode gives the answer as JSON, and where in it the objects' bodies are. The bodies of the result become parts of it.
func (r *buildResult) encode() (json.RawMessage, []span) {
	head := *r
	head.Objects = nil
	content, _ := json.Marshal(head)
	content = append(content[:len(content)-1], `,"objects":[`...)
	bodies := make([]span, len(r.Objects))
	for i, object := range r.Objects {
		if i > 0 {
			content = append(content, ',')
		}
		content = append(content, `{"body":`...)
		bodies[i] = span{len(content), len(content) + len(object.Body)}
		content = append(content, object.Body...)
		object.Body = nil
		rest, _ := json.Marshal(object)
		content = append(append(content, ','), rest[1:]...)
	}
	content = append(content, "]}"...)
	for i := range r.Objects {
		r.Objects[i].Body = json.RawMessage(content[bodies[i].from:bodies[i].to])
	}
	return content, bodies
}
