package cache

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Entry is what one build or release gave: its answer, the files and folders that it read in its source, and the objects that other
// builds may ask for.
type Entry struct {
	Inputs  []byte
	Answer  json.RawMessage
	Exports []Export
}

// Export is an object that other builds may ask for. Where the answer holds all of it, From and To say where; else it is built again
// when it is needed.
type Export struct {
	Key         string `json:"key"`
	Secret      bool   `json:"secret,omitempty"`
	Fingerprint string `json:"fingerprint"`
	From        int    `json:"from,omitempty"`
	To          int    `json:"to,omitempty"`
}

// entryHead is the first line of an encoded entry; the inputs and the answer follow.
type entryHead struct {
	Inputs  int      `json:"inputs"` // bytes
	Exports []Export `json:"exports,omitempty"`
}

// Encode gives the bytes to keep.
func (e *Entry) Encode() []byte {
	line, _ := json.Marshal(entryHead{len(e.Inputs), e.Exports})
	return slices.Concat(line, []byte("\n"), e.Inputs, e.Answer)
}

// DecodeEntry reads what encode wrote, nil where it is something else.
func DecodeEntry(content []byte) *Entry {
	line, rest, found := bytes.Cut(content, []byte("\n"))
	var head entryHead
	if !found || json.Unmarshal(line, &head) != nil || head.Inputs > len(rest) {
		return nil
	}
	return &Entry{rest[:head.Inputs], rest[head.Inputs:], head.Exports}
}
