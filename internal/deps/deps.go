// Package deps holds dependencies that are about to be used.
package deps

import (
	_ "github.com/coder/websocket"
	_ "k8s.io/client-go/tools/remotecommand"
)
