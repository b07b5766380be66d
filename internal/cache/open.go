package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/redis/rueidis"
)

// Config says where the shared state is.
type Config struct {
	URL      string // redis://[user@]host:port[/database], rediss:// for TLS, or unix:///path; empty means this process's memory
	Password string // of Redis, as read from its file; it is never part of the URL
	Logger   *slog.Logger
	Patience time.Duration // with one call of Redis; 0 means 100 ms
	OnOutage func()        // told once of each outage of Redis; nil for nobody
}

// Cache is the limiter and the bus of one process.
type Cache struct {
	Limiter
	Bus
	close func()
}

// Close lets go of Redis.
func (c *Cache) Close() { c.close() }

// CheckURL tells what is wrong with a URL of the configuration.
func CheckURL(text string) error {
	if text == "" {
		return nil
	}
	_, err := options(Config{URL: text})
	return err
}

// Open gives the cache that the configuration asks for. A Redis that is away is no error: it is used as soon as it answers. ctx ends nothing but the opening.
func Open(_ context.Context, c Config) (*Cache, error) {
	if c.URL == "" {
		return &Cache{Limiter: NewMemory(), Bus: NewBus(), close: func() {}}, nil
	}
	opts, err := options(c)
	if err != nil {
		return nil, fmt.Errorf("open cache: %w", err)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Patience == 0 {
		c.Patience = patience
	}
	r := newRedis(opts, c)
	return &Cache{Limiter: r, Bus: r, close: r.stop}, nil
}

func options(c Config) (rueidis.ClientOption, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return rueidis.ClientOption{}, errors.New("the Redis URL cannot be read") // url.Error repeats the text, which may hold a password
	}
	if !slices.Contains([]string{"redis", "rediss", "unix"}, u.Scheme) || u.Scheme != "unix" && u.Host == "" {
		return rueidis.ClientOption{}, errors.New("the Redis URL must begin with redis://, rediss:// or unix:// and name a host or a path")
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") {
		return rueidis.ClientOption{}, errors.New("the Redis URL must not hold a password; it has a file of its own")
	}
	opts, err := rueidis.ParseURL(c.URL)
	if err != nil {
		return rueidis.ClientOption{}, fmt.Errorf("read Redis URL: %w", err)
	}
	opts.Password = c.Password
	opts.ClientName = "blueberry"
	opts.ForceSingleClient, opts.DisableCache, opts.DisableRetry = true, true, true
	ofConnection := max(time.Second, c.Patience) // each call has patience of its own
	opts.Dialer.Timeout, opts.ConnWriteTimeout = ofConnection, ofConnection
	return opts, nil
}
