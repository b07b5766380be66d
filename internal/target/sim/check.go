package sim

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// CheckAll implements target.Checker. A simulated place lacks nothing once it is reached.
func (d Driver) CheckAll(ctx context.Context) ([]blueberry.TargetCheck, error) {
	if err := d.Place.call(ctx); err != nil {
		return nil, err
	}
	return []blueberry.TargetCheck{{Name: "reach", OK: true, Message: "a simulated place"}}, nil
}
