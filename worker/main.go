// Command worker builds Flux Kustomizations for devloop with Flux's own libraries.
//
// It reads requests and writes answers as JSON, one per line, several at a time and in any order. It never writes below the repository,
// never goes to the network, and what it decrypts stays in its memory.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Garbage is cheap in a process that lives for seconds, up to this much of it.
const softMemoryLimit = 768 << 20

// The longest request: a Kustomization with all its patches, or the list of all encrypted files.
const maxRequest = 64 << 20

// A library that calls itself without end is ended soon.
const maxStack = 64 << 20

// More than any repository needs, and less than a machine has: a file that unfolds without end costs this process, not the machine.
const hardMemoryLimit = 4 << 30

func main() {
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: hardMemoryLimit, Max: hardMemoryLimit})
	debug.SetMaxStack(maxStack)
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(softMemoryLimit)
	http.DefaultTransport = offline{}
	go loadSchemas()
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// offline refuses what kustomize would fetch; git is out of reach because the worker is started with an empty PATH.
type offline struct{}

func (offline) RoundTrip(request *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%s is remote", request.URL)
}

func serve(in *os.File, out *os.File) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<16), maxRequest)
	answers := &answerWriter{out: out}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var current atomic.Pointer[session]
	var pending sync.WaitGroup
	defer func() { pending.Wait(); current.Load().end() }()
	go leaveWithParent(func() { current.Load().end() })
	for lines.Scan() {
		var request request
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			return fmt.Errorf("unreadable request: %w", err)
		}
		if request.Open != nil {
			opened, err := openSession(request.Open)
			if err == nil {
				current.Store(opened)
			}
			answers.write(answer{ID: request.ID, Failure: asFailure(err)})
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

// leaveWithParent ends the process soon after whoever started it has ended: nobody waits for what it does, which may take for ever.
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

func (w *answerWriter) write(a answer) {
	line, err := a.encode()
	if err != nil {
		line, _ = answer{ID: a.ID, Failure: asFailure(err)}.encode()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.out.Write(append(line, '\n'))
}
