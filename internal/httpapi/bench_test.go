package httpapi_test

import (
	"fmt"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
)

// BenchmarkNew is what the door adds to a cold start.
func BenchmarkNew(b *testing.B) {
	d := httpapitest.New().Deps()
	for b.Loop() {
		apiOf(b, d)
	}
}

// BenchmarkCreate is what the door adds to a create: gateway, key, decoding, checks of the shape.
func BenchmarkCreate(b *testing.B) {
	api := httpapitest.New().API(b)
	i := 0
	for b.Loop() {
		i++
		ask(b, api, "POST", "/v1/environments", createBody, "Idempotency-Key", fmt.Sprint(i))
	}
}

// BenchmarkListPage is what the door adds to a page of 50.
func BenchmarkListPage(b *testing.B) {
	api := httpapitest.New().API(b)
	for i := range 50 {
		ask(b, api, "POST", "/v1/environments", fmt.Sprintf(`{"name":"pr-%d","source":{"repository":"%s"}}`, i, httpapitest.Repository))
	}
	for b.Loop() {
		if a := ask(b, api, "GET", "/v1/environments", ""); a.StatusCode != 200 {
			b.Fatal(a.text)
		}
	}
}
