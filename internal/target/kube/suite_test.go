package kube_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	targettest.Run(t, open)
}
