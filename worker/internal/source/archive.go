package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
)

// What comes out of an archive may be as large as what comes out of a source, and no larger.
const maxUnpacked = 128 << 20

func isArchive(name string) bool {
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz")
}

// unpack gives every regular file of a .tar.gz to put.
func unpack(content []byte, put func(name string, content []byte) error) error {
	packed, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return err
	}
	archive := tar.NewReader(io.LimitReader(packed, maxUnpacked+1))
	for total := int64(0); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if total += header.Size; total > maxUnpacked {
			return errors.New("it is too large")
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%s lies outside of it", header.Name)
		}
		file, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		if err := put(path.Clean(header.Name), file); err != nil {
			return err
		}
	}
}
