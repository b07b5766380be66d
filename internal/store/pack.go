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

// maxRendering keeps a damaged row from filling the memory; in bytes.
const maxRendering = 256 << 20

// pack gives files as gzip over one line of JSON and then every content, one behind the other. Contents stay bytes: nothing is lost on text that is not
// UTF-8, and gzip sees the YAML as it is.
func pack(files []blueberry.RenderedFile) ([]byte, error) {
	head := make([]packedFile, len(files))
	for i, f := range files {
		head[i] = packedFile{f.Name, f.Wave, f.Component, len(f.Content), f.Objects}
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(head); err != nil { // ends in a line feed
		return nil, err
	}
	for _, f := range files {
		if _, err := z.Write(f.Content); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpack(b []byte) ([]blueberry.RenderedFile, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(io.LimitReader(z, maxRendering))
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
