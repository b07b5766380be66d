// Package static holds what browsers load beside the pages: style sheets, scripts and pictures. What is built (app.css, htmx.js, hx-sse.js, xterm and its parts, editor.js, the schemas) comes from ../assets.
package static

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Files are all of them, by name.
//
//go:embed *.css *.js *.json *.svg
var Files embed.FS

// packed gives the files that are smaller so, compressed.
var packed = sync.OnceValue(func() map[string][]byte {
	out := map[string][]byte{}
	names, err := fs.Glob(Files, "*")
	if err != nil {
		panic(err) // the pattern is ours
	}
	for _, name := range names {
		content, err := fs.ReadFile(Files, name)
		if err != nil {
			panic(err) // they are in the binary
		}
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			panic(err) // the level is one of its own
		}
		if _, err := w.Write(content); err != nil || w.Close() != nil {
			panic("compress into memory")
		}
		if b.Len() < len(content) {
			out[name] = b.Bytes()
		}
	}
	return out
})

// Handler serves them by name, compressed to who takes that. Browsers keep them: for good, where the address names the content.
func Handler() http.Handler {
	plain := http.FileServerFS(Files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		if r.URL.Query().Has("v") {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		w.Header().Set("Vary", "Accept-Encoding")
		content, ok := packed()[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok || !TakesGzip(r) || r.Header.Get("Range") != "" {
			plain.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		http.ServeContent(w, r, r.URL.Path, time.Time{}, bytes.NewReader(content))
	})
}

// TakesGzip reports whether who calls can read what is compressed.
func TakesGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}
