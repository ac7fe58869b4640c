// Command worker builds Flux Kustomizations for devloop with Flux's own libraries.
//
// It reads requests and writes answers as JSON, one per line, several at a time and in any order. It never writes below the repository,
// never goes to the network, and what it decrypts stays in its memory.
package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"

	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/session"
)

// Garbage is cheap in a process that lives for seconds, up to this much of it.
const softMemoryLimit = 768 << 20

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
	go kustomize.LoadSchemas()
	if err := session.Serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// offline refuses what kustomize would fetch; git is out of reach because the worker is started with an empty PATH.
type offline struct{}

func (offline) RoundTrip(request *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%s is remote", request.URL)
}
