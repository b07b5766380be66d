package console

import "github.com/blueberry-idp/blueberry/internal/web/static"

// asset is the address of a file of the binary, with a digest of its content: browsers may keep it for good.
func asset(name string) string { return static.Address(name) }
