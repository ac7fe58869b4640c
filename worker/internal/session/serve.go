// Package session answers the requests of one devloop process: it reads them line by line, hands each to the package that knows the answer, and
// keeps what belongs to the repository that is open.
package session

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Serve answers requests until there are no more; it fails at input that is not a request.
func Serve(in *os.File, out *os.File) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<16), maxRequest)
	answers := &answerWriter{out: out}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var current atomic.Pointer[session]
	var pending sync.WaitGroup
	defer func() { pending.Wait(); current.Load().end() }()
	go leaveWithParent(func() { current.Load().end() })
	for lines.Scan() {
		var request protocol.Request
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			return fmt.Errorf("unreadable request: %w", err)
		}
		if request.Open != nil {
			opened, err := openSession(request.Open)
			if err == nil {
				current.Store(opened)
			}
			answers.write(protocol.Answer{ID: request.ID, Failure: protocol.AsFailure(err)})
			continue
		}
		session := current.Load()
		if session == nil {
			return fmt.Errorf("request %d came before open", request.ID)
		}
		slots <- struct{}{}
		pending.Add(1)
		go func() {
			defer func() { <-slots; pending.Done() }()
			answers.write(session.handle(request))
		}()
	}
	return lines.Err()
}

// leaveWithParent ends the process soon after whoever started it has ended: nobody waits for its answers any more, and what it does may never end.
func leaveWithParent(cleanUp func()) {
	parent := os.Getppid()
	for range time.Tick(time.Second) {
		if os.Getppid() != parent {
			cleanUp()
			os.Exit(1)
		}
	}
}

type answerWriter struct {
	mu  sync.Mutex
	out *os.File
}

func (w *answerWriter) write(a protocol.Answer) {
	line, err := a.Encode()
	if err != nil {
		line, _ = protocol.Answer{ID: a.ID, Failure: protocol.AsFailure(err)}.Encode()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.out.Write(append(line, '\n'))
}

// The longest request: a Kustomization with all its patches, or the list of all encrypted files.
const maxRequest = 64 << 20
