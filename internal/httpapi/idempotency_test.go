package httpapi_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/provision"
)

func TestSameKeySameCallIsOneCall(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	api := house.API(t)
	first := ask(t, api, "POST", "/v1/environments", createBody, "Idempotency-Key", "k1")
	again := ask(t, api, "POST", "/v1/environments", createBody, "Idempotency-Key", "k1")
	if first.StatusCode != 202 || again.StatusCode != 202 || first.text != again.text {
		t.Errorf("the second answer differs: %d %s, %d %s", first.StatusCode, first.text, again.StatusCode, again.text)
	}
	for _, h := range []string{"Location", "ETag", "Content-Type"} {
		if first.Header.Get(h) != again.Header.Get(h) {
			t.Errorf("%s is %q, then %q", h, first.Header.Get(h), again.Header.Get(h))
		}
	}
	if first.Header.Get("Idempotency-Replayed") != "" || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Error("only the second answer must say that it is replayed")
	}
	if house.Creates() != 1 {
		t.Errorf("the operation was called %d times", house.Creates())
	}
	p := ask(t, api, "POST", "/v1/environments", `{"name":"pr-2"}`, "Idempotency-Key", "k1").problem(t)
	if p.Status != 409 || p.Code != "IDEMPOTENCY_KEY_REUSED" {
		t.Errorf("another call with the key gives %d %s", p.Status, p.Code)
	}
	if p := ask(t, api, "POST", "/v1/environments", createBody).problem(t); p.Status != 422 {
		t.Errorf("a call without key gives %d, want its own answer", p.Status)
	}
}

func TestRefusalIsReplayedButAFailureIsNot(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	api := house.API(t)
	ask(t, api, "POST", "/v1/environments", `{"name":"BAD"}`, "Idempotency-Key", "k")
	if a := ask(t, api, "POST", "/v1/environments", `{"name":"BAD"}`, "Idempotency-Key", "k"); a.Header.Get("Idempotency-Replayed") != "true" || a.StatusCode != 422 {
		t.Errorf("a refusal is final: %d replayed=%q", a.StatusCode, a.Header.Get("Idempotency-Replayed"))
	}
	broken := httpapitest.New()
	broken.Fail = errors.New("disk is full")
	api = broken.API(t)
	for range 2 {
		if a := ask(t, api, "POST", "/v1/environments", createBody, "Idempotency-Key", "k"); a.StatusCode != 500 || a.Header.Get("Idempotency-Replayed") != "" {
			t.Errorf("a failure was kept: %d", a.StatusCode)
		}
	}
	if broken.Creates() != 2 {
		t.Errorf("after a failure the call was made %d times, want twice", broken.Creates())
	}
}

// slow holds Create until it is let go.
type slow struct {
	*httpapitest.House
	begun, release chan struct{}
}

func (s *slow) Create(ctx context.Context, actor blueberry.Actor, r provision.CreateRequest) (blueberry.Environment, error) {
	close(s.begun)
	<-s.release
	return s.House.Create(ctx, actor, r)
}

func TestKeyOfARunningCallAnswers409(t *testing.T) {
	t.Parallel()
	s := &slow{httpapitest.New(), make(chan struct{}), make(chan struct{})}
	d := s.Deps()
	d.Environments = s
	api := apiOf(t, d)
	var wg sync.WaitGroup
	wg.Go(func() {
		if a := ask(t, api, "POST", "/v1/environments", createBody, "Idempotency-Key", "k"); a.StatusCode != 202 {
			t.Errorf("the first call gives %d", a.StatusCode)
		}
	})
	<-s.begun
	a := ask(t, api, "POST", "/v1/environments", createBody, "Idempotency-Key", "k")
	if p := a.problem(t); p.Status != 409 || p.Code != "IDEMPOTENCY_IN_PROGRESS" || a.Header.Get("Retry-After") != "1" {
		t.Errorf("the second call gives %d %s, Retry-After %q", p.Status, p.Code, a.Header.Get("Retry-After"))
	}
	close(s.release)
	wg.Wait()
	if a := ask(t, api, "POST", "/v1/environments", createBody, "Idempotency-Key", "k"); a.Header.Get("Idempotency-Replayed") != "true" {
		t.Error("the third call is not replayed")
	}
}

func TestKeyOfACallThatDiedIsTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		house := httpapitest.New()
		api := house.API(t)
		first := ask(t, api, "POST", "/v1/environments", createBody, "Idempotency-Key", "probe")
		if first.StatusCode != 202 {
			t.Fatal(first.text)
		}
		// The server died in the middle: the key is reserved and nobody will answer.
		body := `{"name":"pr-2","source":{"repository":"` + httpapitest.Repository + `"}}`
		dead := &reserving{House: house}
		d := house.Deps()
		d.Idempotency = dead
		ask(t, apiOf(t, d), "POST", "/v1/environments", body, "Idempotency-Key", "k")
		house.Move(t, "pr-2", blueberry.Terminating, blueberry.EnvironmentDestroyAsked, "x", "x")
		house.Move(t, "pr-2", blueberry.Terminated, blueberry.EnvironmentTerminated, "x", "x")
		if a := ask(t, api, "POST", "/v1/environments", body, "Idempotency-Key", "k"); a.StatusCode != 409 {
			t.Errorf("at once the key is still taken: %d", a.StatusCode)
		}
		time.Sleep(blueberry.IdempotencyPatience) // of the bubble's clock
		if a := ask(t, api, "POST", "/v1/environments", body, "Idempotency-Key", "k"); a.StatusCode != 202 {
			t.Errorf("later the call is made anew: %d %s", a.StatusCode, a.text)
		}
	})
}

// reserving never gets to keep an answer, as a process that is killed.
type reserving struct{ *httpapitest.House }

func (reserving) FinishIdempotency(context.Context, blueberry.IdempotentAnswer) error { return nil }
