package sdk

import (
	"context"
	"net/http"
)

// GetSystemStatus asks everything that the server leans on how it is.
func (c *Client) GetSystemStatus(ctx context.Context) (SystemStatus, error) {
	return fetch[SystemStatus](ctx, c, newCall(http.MethodGet, "system", "status"))
}
