package activator

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// passage is what is known of one request on its way.
type passage struct {
	host string
	env  blueberry.Environment
	up   *url.URL  // the ingress of its target
	end  time.Time // of its patience
}

type passageKey struct{}

// ServeHTTP passes one request on.
func (a *Activator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.once.Do(a.build)
	host := hostOf(r.Host)
	if len(host) > maxHost {
		a.refuse(w, r, "", blueberry.Environment{}, blueberry.NotFound)
		return
	}
	env, err := a.find(r.Context(), host)
	if err != nil {
		a.refuse(w, r, host, blueberry.Environment{}, err)
		return
	}
	if env.Phase == blueberry.Terminating {
		a.refuse(w, r, host, env, errGone)
		return
	}
	if r.UserAgent() != ProbeAgent {
		defer a.use(env.ID)()
	}
	up := a.Upstream(env.Target)
	p := &passage{host: host, env: env, up: up, end: a.Now().Add(Patience)}
	if asleep(env) {
		held, cancel := context.WithTimeout(r.Context(), Patience)
		err := a.awaken(held, host, env)
		cancel()
		if r.Context().Err() != nil {
			return // nobody waits any more
		}
		if err != nil {
			a.refuse(w, r, host, env, err)
			return
		}
	}
	if up == nil {
		a.refuse(w, r, host, env, errNoUpstream)
		return
	}
	a.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), passageKey{}, p)))
}

func (a *Activator) build() {
	a.page = template.Must(template.New("page").Parse(pageText))
	next := a.Transport
	if next == nil {
		next = &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
			DisableCompression: true, // what comes is passed on as it is
		}
	}
	a.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			p, _ := r.In.Context().Value(passageKey{}).(*passage)
			r.SetURL(p.up)
			r.Out.Host = r.In.Host // the ingress finds the environment by it
			r.SetXForwarded()
		},
		Transport:     patient{a, next},
		FlushInterval: -1, // streams are passed on as they come
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			p, _ := r.Context().Value(passageKey{}).(*passage)
			if r.Context().Err() == nil {
				a.refuse(w, r, p.host, p.env, err)
			}
		},
	}
}

// patient sends a request again while its environment wakes. Only what the environment cannot have acted upon is sent again: nothing was connected, or the
// ingress itself said that nobody is there.
type patient struct {
	activator *Activator
	next      http.RoundTripper
}

func (t patient) RoundTrip(r *http.Request) (*http.Response, error) {
	p, _ := r.Context().Value(passageKey{}).(*passage)
	body, replayable, err := replay(r)
	if err != nil {
		return nil, err
	}
	wait := firstRetry
	for {
		if replayable && body != nil {
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		sent := t.activator.Now()
		res, err := t.next.RoundTrip(r)
		if !replayable || !nobodyThere(res, err) || !t.activator.Now().Before(p.end) {
			return res, err
		}
		if !t.activator.again(r.Context(), p, sent, err != nil || safe(r.Method)) {
			return res, err
		}
		if res != nil {
			_ = res.Body.Close() // what the ingress says of nobody is not passed on
		}
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, longestRetry)
	}
}

// again reports whether nobody is there because the environment sleeps, or slept a moment ago; then it is awake when this returns. What could do a thing
// twice is sent again only if it was sent before the wake or right after it, whoever was held for that: else a status is the application's own. How long the
// answer took says nothing.
func (a *Activator) again(ctx context.Context, p *passage, sent time.Time, harmless bool) bool {
	env, err := a.findSince(ctx, p.host, a.Now()) // what was known may be of before it fell asleep
	if err != nil || env.ID != p.env.ID {
		return false
	}
	if !asleep(env) {
		at := a.wokenAt(env.ID)
		return a.Now().Sub(at) < settle && (harmless || sent.Sub(at) < lag) // else what an environment that is awake says is its own
	}
	held, cancel := context.WithTimeout(ctx, p.end.Sub(a.Now()))
	defer cancel()
	return a.awaken(held, p.host, env) == nil
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// nobodyThere reports whether the request seems to have reached no pod: the ingress could not be connected, or says that it has none for the host.
func nobodyThere(res *http.Response, err error) bool {
	if err != nil {
		var op *net.OpError
		return errors.As(err, &op) && op.Op == "dial"
	}
	return res.StatusCode == http.StatusBadGateway || res.StatusCode == http.StatusServiceUnavailable
}

// replay keeps the body of a request that may have to be sent again. A long one, or one of unknown length, is streamed and sent once.
func replay(r *http.Request) (body []byte, ok bool, err error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, true, nil
	}
	if r.ContentLength <= 0 || r.ContentLength > maxReplayed {
		return nil, false, nil
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, maxReplayed))
	return body, err == nil, errors.Join(err, r.Body.Close())
}
