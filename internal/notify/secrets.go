package notify

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// SecretPrefix stands before the base64 of a secret, as the Standard Webhooks have it.
const SecretPrefix = "whsec_"

// Bounds of a secret that someone brings along, in bytes of the key.
const (
	minKey = 24
	maxKey = 64
	newKey = 32
)

// SecretKey is the key that a secret is the text of; false for what is no secret.
func SecretKey(secret string) ([]byte, bool) {
	digits, ok := strings.CutPrefix(secret, SecretPrefix)
	key, err := base64.StdEncoding.DecodeString(digits)
	return key, ok && err == nil && len(key) >= minKey && len(key) <= maxKey && !strings.ContainsAny(digits, "\r\n") // which the decoder passes over
}

func checkSecret(faults *blueberry.Faults, kind blueberry.SubscriptionKind, secret string) {
	switch _, ok := SecretKey(secret); {
	case kind != blueberry.SubscriptionWebhook:
		faults.Add("secret", "forbidden", "only webhooks are signed")
	case !ok:
		faults.Add("secret", "pattern", "must be %s and the base64 of %d to %d bytes", SecretPrefix, minKey, maxKey)
	}
}

func newSecret(now time.Time, value string) blueberry.WebhookSecret {
	if value == "" {
		var b [newKey]byte
		if _, err := rand.Read(b[:]); err != nil {
			panic(err) // crypto/rand never fails on a supported system
		}
		value = SecretPrefix + base64.StdEncoding.EncodeToString(b[:])
	}
	return blueberry.WebhookSecret{ID: blueberry.NewID(blueberry.HookSecretID, now), Value: value, CreatedAt: now}
}

func addressBound(id string) string { return "subscriptions.address:" + id }

func secretsBound(id string) string { return "subscriptions.secrets:" + id }

func (s *Subscriptions) sealAddress(sub *blueberry.Subscription, a blueberry.SubscriptionAddress) (err error) {
	sub.Address, err = s.sealed("address", a, addressBound(sub.ID))
	return err
}

func (s *Subscriptions) sealSecrets(sub *blueberry.Subscription, list []blueberry.WebhookSecret) (err error) {
	sub.Secrets, err = s.sealed("secrets", list, secretsBound(sub.ID))
	return err
}

func (s *Subscriptions) sealed(what string, v any, bound string) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s of subscription: %w", what, err)
	}
	out, err := s.Seal.Seal(plain, bound)
	if err != nil {
		return nil, fmt.Errorf("seal %s of subscription: %w", what, err)
	}
	return out, nil
}

func (s *Subscriptions) opened(what string, sealed []byte, bound string, v any) error {
	plain, err := s.Seal.Open(sealed, bound)
	if err != nil {
		return fmt.Errorf("open %s of subscription: %w", what, err)
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("decode %s of subscription: %w", what, err)
	}
	return nil
}

// address is where the notices of a subscription go.
func (s *Subscriptions) address(sub blueberry.Subscription) (a blueberry.SubscriptionAddress, err error) {
	return a, s.opened("address", sub.Address, addressBound(sub.ID), &a)
}

// secrets gives those of a subscription that live, newest first; none for one that signs nothing.
func (s *Subscriptions) secrets(sub blueberry.Subscription) (list []blueberry.WebhookSecret, err error) {
	if len(sub.Secrets) == 0 {
		return nil, nil
	}
	if err := s.opened("secrets", sub.Secrets, secretsBound(sub.ID), &list); err != nil {
		return nil, err
	}
	now := s.Now()
	return slices.DeleteFunc(list, func(x blueberry.WebhookSecret) bool { return !x.EndsAt.IsZero() && !now.Before(x.EndsAt) }), nil
}
