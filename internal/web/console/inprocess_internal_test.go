package console

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestBrokenAnswersAreErrors: half an answer of the API is a fault that a page can tell of, and ends neither the page nor the server.
func TestBrokenAnswersAreErrors(t *testing.T) {
	t.Parallel()
	ask := func(do func(w http.ResponseWriter)) (*http.Response, error) {
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { do(w) })
		return inProcess{h}.RoundTrip(httptest.NewRequest(http.MethodGet, "/v1/x", nil))
	}
	res, err := ask(func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	})
	if !errors.Is(err, io.ErrUnexpectedEOF) || res != nil {
		t.Errorf("half an answer: %v, %v", res, err)
	}
	if res, err = ask(func(w http.ResponseWriter) { _, _ = io.WriteString(w, "whole") }); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("a whole answer: %v, %v", res, err)
	}
	defer func() {
		if x := recover(); x != "a fault of ours" {
			t.Errorf("a panic came out as %v", x)
		}
	}()
	_, _ = ask(func(http.ResponseWriter) { panic("a fault of ours") })
}
