package static

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"sync"
)

// Address is where a file is served, with a digest of its content: browsers may keep it for good. It is empty for a file that is not there.
func Address(name string) string { return addresses()[name] }

var addresses = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	names, err := fs.Glob(Files, "*")
	if err != nil {
		panic(err) // the pattern is ours
	}
	for _, name := range names {
		content, err := fs.ReadFile(Files, name)
		if err != nil {
			panic(err) // they are in the binary
		}
		sum := sha256.Sum256(content)
		out[name] = "/static/" + name + "?v=" + hex.EncodeToString(sum[:8])
	}
	return out
})
