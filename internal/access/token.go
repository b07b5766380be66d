package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TokenPrefix begins every token, so that a leaked one is found by a scan.
const TokenPrefix = "blb_"

// Record is what access needs of the record.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	InsertToken(ctx context.Context, t blueberry.APIToken) error
	// TokenByHash reads the token with the hash, or NotFound.
	TokenByHash(ctx context.Context, hash []byte) (blueberry.APIToken, error)
}

// Gate proves tokens.
type Gate struct {
	Record Record
	Now    func() time.Time
}

// Authenticate gives the actor that holds the token, or an Unauthenticated error that does not say what was wrong with it.
func (g *Gate) Authenticate(ctx context.Context, token string) (blueberry.Actor, error) {
	refused := blueberry.Errorf(blueberry.Unauthenticated, "TOKEN_INVALID", "a valid API token is needed")
	if !strings.HasPrefix(token, TokenPrefix) {
		return blueberry.Actor{}, refused
	}
	var t blueberry.APIToken
	err := g.Record.View(ctx, func(tx Tx) (err error) {
		t, err = tx.TokenByHash(ctx, hash(token))
		return err
	})
	switch {
	case errors.Is(err, blueberry.NotFound):
		return blueberry.Actor{}, refused
	case err != nil:
		return blueberry.Actor{}, fmt.Errorf("read token: %w", err)
	case !t.ExpiresAt.IsZero() && !g.Now().Before(t.ExpiresAt):
		return blueberry.Actor{}, refused
	}
	return blueberry.Actor{Kind: blueberry.ActorToken, ID: t.ID, Name: t.Name, Grants: t.Grants}, nil
}

// EnsureAdmin makes sure that the token in file is known as the admin's. At the first start there is no file: it makes one, readable by its owner
// alone, and reports true. The file is written before the record, so a start that is cut off between the two goes on where it was.
func (g *Gate) EnsureAdmin(ctx context.Context, file string) (created bool, err error) {
	token, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		created = true
		token, err = writeToken(file)
	}
	if err != nil {
		return false, fmt.Errorf("read admin token: %w", err)
	}
	token = bytes.TrimSpace(token)
	if !bytes.HasPrefix(token, []byte(TokenPrefix)) {
		return false, fmt.Errorf("read admin token: %s does not hold a token; remove it to have a new one made", file)
	}
	err = g.Record.Update(ctx, func(tx Tx) error {
		_, err := tx.TokenByHash(ctx, hash(string(token)))
		if !errors.Is(err, blueberry.NotFound) {
			return err
		}
		now := g.Now()
		return tx.InsertToken(ctx, blueberry.APIToken{
			ID: blueberry.NewID(blueberry.TokenID, now), Name: "admin", Hash: hash(string(token)), Grants: []blueberry.Grant{blueberry.GrantAll}, CreatedAt: now,
		})
	})
	if err != nil {
		return false, fmt.Errorf("record admin token: %w", err)
	}
	return created, nil
}

// writeToken makes a token of 256 random bits and a file that holds it, whole or not at all.
func writeToken(file string) ([]byte, error) {
	var random [32]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	token := []byte(TokenPrefix + base64.RawURLEncoding.EncodeToString(random[:]))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	part := file + ".part"
	if err := os.WriteFile(part, append(token, '\n'), 0o600); err != nil {
		return nil, err
	}
	return token, os.Rename(part, file)
}

// hash is what the record keeps. A token has 256 bits of its own, so a fast hash is enough.
func hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}
