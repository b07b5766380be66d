package argocd_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	targettest.Run(t, p.open)
}
