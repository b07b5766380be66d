package store

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// packedFile is one file in the head of a packed rendering.
type packedFile struct {
	Name      string                `json:"name"`
	Wave      int                   `json:"wave"`
	Component string                `json:"component"`
	Size      int                   `json:"size"`
	Objects   []blueberry.ObjectRef `json:"objects"`
}

// maxPacked keeps a damaged row from filling the memory; in bytes.
const maxPacked = 256 << 20

// press gives what write writes as gzip. A writer of gzip is most of a megabyte, so each is used again.
func (s *Store) press(write func(w io.Writer) error) ([]byte, error) {
	z, ok := s.gzips.Get().(*gzip.Writer)
	if !ok {
		z = gzip.NewWriter(io.Discard)
	}
	defer s.gzips.Put(z)
	var b bytes.Buffer
	z.Reset(&b)
	if err := write(z); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// unpress reads what press gave.
func unpress(b []byte) (io.Reader, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.LimitReader(z, maxPacked), nil
}

// pressExact is encodeExact as gzip.
func (s *Store) pressExact(what string, v any) ([]byte, error) {
	plain, err := encodeExact(what, v)
	if err != nil {
		return nil, err
	}
	b, err := s.press(func(w io.Writer) error {
		_, err := w.Write(plain)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("press %s: %w", what, err)
	}
	return b, nil
}

func unpressExact(what string, b []byte, v any) error {
	z, err := unpress(b)
	if err != nil {
		return fmt.Errorf("unpress %s: %w", what, err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		return fmt.Errorf("unpress %s: %w", what, err)
	}
	return decodeExact(what, plain, v)
}

// pack gives files as gzip over one line of JSON and then every content, one behind the other. Contents stay bytes: nothing is lost on text that is not
// UTF-8, and gzip sees the YAML as it is.
func (s *Store) pack(files []blueberry.RenderedFile) ([]byte, error) {
	head := make([]packedFile, len(files))
	for i, f := range files {
		head[i] = packedFile{f.Name, f.Wave, f.Component, len(f.Content), f.Objects}
	}
	return s.press(func(w io.Writer) error {
		if err := json.NewEncoder(w).Encode(head); err != nil { // ends in a line feed
			return err
		}
		for _, f := range files {
			if _, err := w.Write(f.Content); err != nil {
				return err
			}
		}
		return nil
	})
}

func unpack(b []byte) ([]blueberry.RenderedFile, error) {
	z, err := unpress(b)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(z)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("read head: %w", err)
	}
	var head []packedFile
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("read head: %w", err)
	}
	rest, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read contents: %w", err)
	}
	var files []blueberry.RenderedFile
	for _, h := range head {
		if h.Size < 0 || h.Size > len(rest) {
			return nil, fmt.Errorf("content of %q is cut off", h.Name)
		}
		files = append(files, blueberry.RenderedFile{Name: h.Name, Wave: h.Wave, Component: h.Component, Content: rest[:h.Size:h.Size], Objects: h.Objects})
		rest = rest[h.Size:]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes too many", len(rest))
	}
	return files, nil
}
