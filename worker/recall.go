package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
)

// cacheKey names everything that the build depends on except its source; "" where something among it must not leave a trace.
func (b *run) cacheKey() string {
	object, artifact := b.fingerprint, ""
	if b.request.Object != nil {
		object = jsonOf(b.request.Object)
	}
	if b.request.Artifact != nil {
		artifact = jsonOf(b.request.Artifact)
	}
	parts := []string{"build", b.request.Base, b.owner(), strconv.FormatBool(b.request.Lenient), object, artifact}
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
		if source.fingerprint == "" {
			return ""
		}
		parts = append(parts, source.fingerprint)
	}
	return b.builder.results.key(parts...)
}

// cached gives the answer of an earlier run, when everything that it came from is as it was.
func (b *run) cached() json.RawMessage {
	b.key = b.cacheKey()
	entry := decodeEntry(b.builder.results.get(b.key))
	if entry == nil || !b.view.holds(entry.Inputs) {
		return nil
	}
	again := sync.OnceValue(b.again)
	for _, each := range entry.Exports {
		object := &exported{owner: b.owner(), secret: each.Secret, fingerprint: each.Fingerprint}
		if object.whole = each.To > 0; object.whole {
			object.content = plainContent(entry.Answer[each.From:each.To])
		} else {
			object.content = func() exportContent { return again()[each.Key].orEmpty() }
			if strings.HasPrefix(each.Key, "Kustomization/") { // its build will ask soon
				go quietly(func() { again() })
			}
		}
		b.exports[each.Key] = object
	}
	b.scope.keep(b.exports)
	b.scope.remember(&rendering{owner: b.owner(), fingerprint: digest(b.key, string(entry.Inputs)), all: parsed(entry.Answer), maker: b})
	return entry.Answer
}

// again builds for the sake of what the stored answer does not hold, from the same sources of variables.
func (b *run) again() map[string]*exported {
	repeated := b.repeat()
	repeated.exportsOnly = true
	if repeated.render() != nil {
		return nil
	}
	return repeated.exports
}

// store keeps the answer for the next run, and what the build rendered for this one.
func (b *run) store(result json.RawMessage, bodies []span) {
	made := &rendering{owner: b.owner(), all: func() []*rendered { return wrapped(b.result.Objects) }, maker: b}
	inputs, storable := []byte(nil), false
	if b.view != nil && b.key != "" {
		inputs, storable = b.view.inputs()
	}
	if storable {
		made.fingerprint = digest(b.key, string(inputs))
		b.builder.results.put(b.key, b.entry(inputs, result, bodies, made.fingerprint).encode())
	}
	b.scope.keep(b.exports)
	b.scope.remember(made)
}

func (b *run) entry(inputs []byte, result json.RawMessage, bodies []span, fingerprint string) *cacheEntry {
	entry := &cacheEntry{Inputs: inputs, Answer: result}
	for key, object := range b.exports {
		kept := cachedExport{Key: key, Secret: object.secret}
		if object.whole {
			kept.From, kept.To = bodies[object.index].from, bodies[object.index].to
		} else {
			object.fingerprint = digest(fingerprint, key)
		}
		kept.Fingerprint = object.fingerprint
		entry.Exports = append(entry.Exports, kept)
	}
	return entry
}
