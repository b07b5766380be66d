package httpapi_test

// withQuery gives the address and the headers of an operation that takes more than its path: without them it judges their lack, and not who asks.
func withQuery(operation, path string) (string, []string) {
	switch operation {
	case "exec-environment":
		return path + "?component=web&command=true", execHeaders()
	case "get-environment-live-object":
		return path + "?api_version=v1&kind=Service&name=none", nil
	}
	return path, nil
}

// execHeaders ask for a WebSocket that runs a command.
func execHeaders() []string {
	return []string{
		"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Protocol", "v1.exec.blueberry.dev",
	}
}
