package cache

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	patience = 100 * time.Millisecond // with one call of Redis, unless the configuration says otherwise
	rest     = time.Second            // for which Redis is left alone after it failed, so that an outage costs nobody anything
	prefix   = "blueberry:"           // of every key and topic
)

// script is take in Redis' own time, so that replicas whose clocks differ agree. Times are µs: a Lua number holds them exactly.
const script = `local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local each, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local whole = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local next = whole + each
if next - now > window + 0.5 then return {0, math.ceil(whole - now)} end
redis.call('SET', KEYS[1], string.format('%.3f', next), 'PX', math.ceil((next - now) / 1000))
return {1, math.ceil(next - now)}`

// redis counts and wakes through Redis, and in memory while it is away.
type redis struct {
	options  rueidis.ClientOption
	logger   *slog.Logger
	patience time.Duration
	onOutage func()
	script   *rueidis.Lua
	memory   *memory
	local    *bus
	ctx      context.Context // of what runs beside calls
	stop     func()

	mu     sync.Mutex
	client rueidis.Client // nil until the first connection
	opens  chan struct{}  // closed when the attempt to connect that runs has ended; nil when none runs

	health sync.Mutex
	down   bool
	until  time.Time // when down: nobody asks before
}

func newRedis(o rueidis.ClientOption, c Config) *redis {
	ctx, cancel := context.WithCancel(context.Background())
	r := &redis{options: o, logger: c.Logger, patience: c.Patience, onOutage: c.OnOutage, ctx: ctx}
	r.script, r.memory, r.local = rueidis.NewLuaScript(script), newMemory(maxKeys), &bus{}
	r.stop = func() {
		cancel()
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.client != nil {
			r.client.Close()
		}
	}
	return r
}

var errAway = errors.New("there is no connection to Redis")

// connected gives the client. It connects on first use, in the background: one that hangs holds up nobody longer than their patience.
func (r *redis) connected(ctx context.Context) (rueidis.Client, error) {
	r.mu.Lock()
	if r.client != nil {
		defer r.mu.Unlock()
		return r.client, nil
	}
	if r.opens == nil {
		r.opens = make(chan struct{})
		go r.connect(r.opens)
	}
	opens := r.opens
	r.mu.Unlock()
	select {
	case <-opens:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client == nil {
		return nil, errAway
	}
	return r.client, nil
}

func (r *redis) connect(done chan struct{}) {
	client, err := rueidis.NewClient(r.options)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opens = nil
	close(done)
	switch {
	case err != nil:
		r.logger.Debug("Redis not reached", "error", err)
	case r.ctx.Err() != nil:
		client.Close()
	default:
		r.client = client
	}
}

// Allow counts a call.
func (r *redis) Allow(ctx context.Context, key string, l Limit, now time.Time) (Verdict, error) {
	if l.Off() {
		return Verdict{OK: true}, nil
	}
	if !r.mayAsk(now) {
		return r.memory.Allow(ctx, key, l, now)
	}
	v, err := r.ask(ctx, key, l)
	if err == nil {
		r.recovered()
		return v, nil
	}
	if ctx.Err() == nil { // else it is not Redis that failed, but the caller who left
		r.failed(now, err)
	}
	return r.memory.Allow(ctx, key, l, now)
}

func (r *redis) ask(ctx context.Context, key string, l Limit) (Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	client, err := r.connected(ctx)
	if err != nil {
		return Verdict{}, err
	}
	each := float64(l.each()) / float64(time.Microsecond)
	said, err := r.script.Exec(ctx, client, []string{prefix + "rate:" + key}, []string{micros(each), micros(each * float64(l.Quota()))}).AsIntSlice()
	if err != nil {
		return Verdict{}, err
	}
	if len(said) != 2 {
		return Verdict{}, errors.New("Redis gave an answer of another form")
	}
	return l.verdict(said[0] == 1, time.Duration(said[1])*time.Microsecond), nil
}

func micros(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }

// mayAsk reports whether Redis is to be asked. While it is down one caller tries in each rest.
func (r *redis) mayAsk(now time.Time) bool {
	r.health.Lock()
	defer r.health.Unlock()
	if !r.down {
		return true
	}
	if now.Before(r.until) {
		return false
	}
	r.until = now.Add(rest)
	return true
}

// failed begins an outage, or goes on with it.
func (r *redis) failed(now time.Time, err error) {
	r.health.Lock()
	defer r.health.Unlock()
	r.until = now.Add(rest)
	if r.down {
		return
	}
	r.down = true
	r.logger.Warn("Redis does not answer; rates are counted by each process for itself until it does", "error", err)
	if r.onOutage != nil {
		r.onOutage()
	}
}

func (r *redis) recovered() {
	r.health.Lock()
	defer r.health.Unlock()
	if r.down {
		r.down = false
		r.logger.Info("Redis answers again")
	}
}
