package build

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/crash"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
)

// cacheKey names everything that the build depends on except its source; "" where something among it must not leave a trace.
func (b *run) cacheKey() string {
	object, artifact := b.fingerprint, ""
	if b.request.Object != nil {
		object = cache.JSON(b.request.Object)
	}
	if b.request.Artifact != nil {
		artifact = cache.JSON(b.request.Artifact)
	}
	parts := []string{"build", b.request.Base, b.owner(), strconv.FormatBool(b.request.Lenient), object, artifact}
	if b.request.Settings != nil {
		parts = append(parts, "settings", cache.JSON(b.request.Settings))
	}
	if len(b.request.Remotes) > 0 {
		parts = append(parts, "remotes", cache.JSON(b.request.Remotes))
	}
	if object == "" {
		return ""
	}
	for _, source := range b.sources {
		if source.Export == nil {
			parts = append(parts, "absent")
			continue
		}
		if source.Fingerprint == "" {
			return ""
		}
		parts = append(parts, source.Fingerprint)
	}
	return b.builder.Results.Key(parts...)
}

// cached gives the answer of an earlier run, when everything that it came from is as it was.
func (b *run) cached() json.RawMessage {
	b.key = b.cacheKey()
	entry := cache.DecodeEntry(b.builder.Results.Get(b.key))
	if entry == nil || !b.view.StillHolds(entry.Inputs) {
		return nil
	}
	again := sync.OnceValue(b.again)
	for _, each := range entry.Exports {
		object := &scope.Export{Owner: b.owner(), Secret: each.Secret, Fingerprint: each.Fingerprint}
		if object.Whole = each.To > 0; object.Whole {
			object.Content = scope.PlainContent(entry.Answer[each.From:each.To])
		} else {
			object.Content = func() scope.Content { return again()[each.Key].OrEmpty() }
			if strings.HasPrefix(each.Key, "Kustomization/") { // its build will ask soon
				go crash.Ignore(func() { again() })
			}
		}
		b.exports[each.Key] = object
	}
	b.scope.AddExports(b.exports)
	b.scope.AddRendering(&scope.Rendering{Owner: b.owner(), Fingerprint: cache.Digest(b.key, string(entry.Inputs)), All: scope.ParseObjects(entry.Answer), Maker: b})
	return entry.Answer
}

// again builds for the sake of what the stored answer does not hold, from the same sources of variables.
func (b *run) again() map[string]*scope.Export {
	repeated := b.repeat()
	repeated.exportsOnly = true
	if repeated.render() != nil {
		return nil
	}
	return repeated.exports
}

// inputs is what the build read of its source, as the answer's fingerprint has it; nil where nothing may depend on the answer.
func (b *run) inputs() []byte {
	if b.view == nil || b.key == "" {
		return nil
	}
	inputs, storable := b.view.Inputs()
	if !storable {
		return nil
	}
	b.result.Fingerprint = cache.Digest(b.key, string(inputs))
	return inputs
}

// store keeps the answer for the next run, and what the build rendered for this one.
func (b *run) store(inputs []byte, result json.RawMessage, bodies []protocol.Span) {
	if b.result.Fingerprint != "" {
		b.builder.Results.Put(b.key, b.entry(inputs, result, bodies).Encode())
	}
	b.scope.AddExports(b.exports)
	all := func() []*scope.Object { return scope.WrapObjects(b.result.Objects) }
	b.scope.AddRendering(&scope.Rendering{Owner: b.owner(), Fingerprint: b.result.Fingerprint, All: all, Maker: b})
}

func (b *run) entry(inputs []byte, result json.RawMessage, bodies []protocol.Span) *cache.Entry {
	entry := &cache.Entry{Inputs: inputs, Answer: result}
	for key, object := range b.exports {
		export := cache.Export{Key: key, Secret: object.Secret}
		if object.Whole {
			export.From, export.To = bodies[object.Index].From, bodies[object.Index].To
		} else {
			object.Fingerprint = cache.Digest(b.result.Fingerprint, key)
		}
		export.Fingerprint = object.Fingerprint
		entry.Exports = append(entry.Exports, export)
	}
	return entry
}
