package console

import (
	"io/fs"

	"github.com/blueberry-idp/blueberry/internal/web/static"
)

// asset is the address of a file of the binary, with a digest of its content: browsers may keep it for good.
func asset(name string) string { return addresses[name] }

var addresses = func() map[string]string {
	out := map[string]string{}
	entries, err := fs.ReadDir(static.Files, ".")
	if err != nil {
		panic(err) // they are in the binary
	}
	for _, e := range entries {
		content, err := fs.ReadFile(static.Files, e.Name())
		if err != nil {
			panic(err)
		}
		out[e.Name()] = "/static/" + e.Name() + "?v=" + digestOf(content)
	}
	return out
}()
