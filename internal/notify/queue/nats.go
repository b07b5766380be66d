package queue

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// NATS publishes to subjects. It holds no connection in between.
type NATS struct{ Outbound *notify.Outbound }

// The time-outs: to connect to one server, and of it all.
const (
	natsConnect = 5 * time.Second
	natsTime    = 15 * time.Second
)

// Send implements notify.Sender. Without a stream a message is delivered when the server has it: who does not listen then never gets it.
func (s NATS) Send(ctx context.Context, p notify.Parcel) blueberry.NoticeResult {
	ctx, cancel := context.WithTimeout(ctx, natsTime)
	defer cancel()
	way := &line{ctx: ctx, out: s.Outbound}
	defer context.AfterFunc(ctx, way.cut)() // the library keeps to no context while it connects
	sign, ok := proof(p.Address)
	if !ok {
		return refused("the key is none of NATS")
	}
	var told firstError
	options := []nats.Option{
		nats.Name("Blueberry"), nats.SetCustomDialer(way), nats.SkipHostLookup(), nats.IgnoreDiscoveredServers(), nats.NoReconnect(), nats.Timeout(natsConnect),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { told.keep(err) }), nats.DontRandomize(), sign,
	}
	if encrypted(p.Address.URL) { // else an operator allows plain ones: a server that asks for encryption gets it all the same
		options = append(options, nats.Secure(s.Outbound.TLS()))
	}
	c, err := nats.Connect(p.Address.URL, options...)
	if err != nil {
		return natsMeaning(ctx, way.failed(err))
	}
	defer c.Close()
	m := &nats.Msg{Subject: p.Address.To, Data: p.CloudEvent, Header: nats.Header{nats.MsgIdHdr: {p.ID}}}
	for name, value := range p.Attributes {
		m.Header[name] = []string{value}
	}
	if p.Address.Stream != "" {
		return stored(ctx, c, m, p.Address.Stream, &told)
	}
	if err := c.PublishMsg(m); err != nil {
		return natsMeaning(ctx, err)
	}
	if err := c.FlushWithContext(ctx); err != nil {
		return natsMeaning(ctx, errors.Join(told.get(), c.LastError(), err))
	}
	if err := errors.Join(told.get(), c.LastError()); err != nil { // a server tells of what it does not take before it answers to the flush
		return natsMeaning(ctx, err)
	}
	return blueberry.NoticeResult{}
}

// Errors of JetStream that say no for good: there is another stream, or none takes such a message.
const (
	streamMismatch = 10060
	messageTooBig  = 10054
	streamSealed   = 10109
)

// stored publishes to a stream, and waits until it has the message. One that comes twice is dropped there, for as long as the stream remembers.
func stored(ctx context.Context, c *nats.Conn, m *nats.Msg, stream string, told *firstError) blueberry.NoticeResult {
	m.Header[nats.ExpectedStreamHdr] = []string{stream}
	answer, err := c.RequestMsgWithContext(ctx, m)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return blueberry.NoticeResult{Error: "no stream takes the subject now"} // or those that do have no leader, as while servers start: it may pass
	case err != nil:
		return natsMeaning(ctx, errors.Join(told.get(), c.LastError(), err))
	}
	var said struct {
		Stream string `json:"stream"`
		Error  *struct {
			Code   int `json:"code"`
			Reason int `json:"err_code"`
		} `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &said); err != nil || said.Error == nil && said.Stream != stream {
		return refused("what answers for the subject is not the stream")
	}
	if said.Error == nil {
		return blueberry.NoticeResult{}
	}
	switch said.Error.Reason {
	case streamMismatch:
		return refused("another stream takes the subject")
	case messageTooBig:
		return refused("the stream does not take so large a message")
	case streamSealed:
		return refused("the stream takes no more messages")
	}
	return blueberry.NoticeResult{Error: "the stream has not stored it"}
}

// encrypted reports whether one of the servers is to be spoken to by TLS alone; then all are.
func encrypted(servers string) bool {
	for s := range strings.SplitSeq(servers, ",") {
		if u, err := url.Parse(s); err == nil && u.Scheme == "tls" {
			return true
		}
	}
	return false
}

// What a key may be besides a password and a token.
const (
	credentials = "-----BEGIN NATS USER JWT-----"
	seedLength  = 58
)

// proof is what a key proves who sends with: the password of a user, credentials (a JWT with its seed), the seed of an nkey, or a token; false for one that is
// none of them.
func proof(a blueberry.SubscriptionAddress) (nats.Option, bool) {
	key := strings.TrimSpace(a.Key)
	switch {
	case a.User != "":
		return nats.UserInfo(a.User, a.Key), true
	case key == "":
		return func(*nats.Options) error { return nil }, true
	case strings.Contains(key, credentials):
		if _, err := nkeys.ParseDecoratedUserNKey([]byte(key)); err != nil {
			return nil, false
		}
		return nats.UserCredentialBytes([]byte(key)), true
	case len(key) == seedLength && strings.HasPrefix(key, "SU"):
		if pair, err := nkeys.FromSeed([]byte(key)); err == nil {
			public, err := pair.PublicKey()
			return nats.Nkey(public, pair.Sign), err == nil
		}
	}
	return nats.Token(key), true
}

// natsMeaning tells what an error means. What a server says is in none of it.
func natsMeaning(ctx context.Context, err error) blueberry.NoticeResult {
	text := strings.ToLower(err.Error())
	for _, x := range []struct {
		is   bool
		says string
	}{
		{errors.Is(err, nats.ErrSecureConnWanted), "the server does not encrypt"},
		{errors.Is(err, nats.ErrPermissionViolation) || strings.Contains(text, "permissions violation"), "the sender may not publish to the subject"},
		{errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) || errors.Is(err, nats.ErrAccountAuthExpired) ||
			errors.Is(err, nats.ErrNkeysNotSupported) || strings.Contains(text, "authorization violation") || strings.Contains(text, "authentication"), "the server does not know the key"},
		{errors.Is(err, nats.ErrMaxPayload), "the server does not take so large a message"},
		{errors.Is(err, nats.ErrHeadersNotSupported), "the server takes no headers: NATS 2.2 or newer is needed"},
	} {
		if x.is {
			return refused(x.says)
		}
	}
	if ctx.Err() != nil {
		return notify.Failure(context.DeadlineExceeded)
	}
	return notify.Failure(err)
}

// line makes the connections of one Send.
type line struct {
	ctx context.Context //nolint:containedctx // the library has no place for one
	out *notify.Outbound

	mu   sync.Mutex
	conn net.Conn
	err  error // of the last that was dialled in vain
	off  bool
}

// Dial implements nats.CustomDialer.
func (l *line) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(l.ctx, natsConnect)
	defer cancel()
	conn, err := l.out.Dial(ctx, network, address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err = err; err != nil {
		return nil, err
	}
	if l.off {
		_ = conn.Close()
		return nil, context.Canceled
	}
	l.conn = conn
	return conn, nil
}

// failed is why it could not be connected: of a library's own error and that of the dialler the second, which knows more.
func (l *line) failed(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	return err
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off = true; l.conn != nil {
		_ = l.conn.Close()
	}
}

// firstError keeps what a server told of its own accord.
type firstError struct {
	mu  sync.Mutex
	err error
}

func (f *firstError) keep(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
