// Package manager has the names of AWS' SDK that SOPS refers to.
package manager

import "io"

func ReadSeekCloser(reader io.Reader) io.Reader { return reader }
