package kube_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

func BenchmarkSync(b *testing.B) {
	targettest.BenchmarkSync(b, open)
}

func BenchmarkCompare(b *testing.B) {
	targettest.BenchmarkCompare(b, open)
}
