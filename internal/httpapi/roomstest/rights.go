package roomstest

import (
	"context"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/audit"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/custody"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/objects"
	"github.com/blueberry-idp/blueberry/internal/pki"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// PublicURL is where people reach the rooms.
const PublicURL = "https://blueberry.test"

// Password is that of every person of Person.
const Password = "nine purple otters dancing"

// Rights is the operations on who may do what. No mail is set up, so links are told in answers.
type Rights struct {
	Gate     *access.Gate
	Accounts *access.Accounts
	SignIn   *access.SignIn
	OAuth    *oauth.Server
	Auditor  *audit.Auditor
	Custody  *custody.Custody

	keyset *keys.Keyset
	bucket *objects.Bucket
}

func openRights(t testing.TB, s *storetest.Store, ring *keys.Ring, dir string) *Rights {
	t.Helper()
	ctx, discard, now := t.Context(), slog.New(slog.DiscardHandler), time.Now
	keyset, err := keys.OpenKeyset(ctx, keys.KeysetConfig{File: filepath.Join(dir, "keyset.json")})
	must(t, err)
	bucket, err := objects.Open(ctx, (&url.URL{Scheme: "file", Path: filepath.Join(dir, "objects")}).String())
	must(t, err)
	t.Cleanup(func() { _ = bucket.Close() })
	asAccess := record[access.Tx]{s, func(tx *store.Tx) access.Tx { return tx }}
	r := &Rights{keyset: keyset, bucket: bucket, Gate: &access.Gate{Record: asAccess, Now: now, Logger: discard}}
	r.OAuth = &oauth.Server{Record: record[oauth.Tx]{s, func(tx *store.Tx) oauth.Tx { return tx }}, People: r.Gate, Issuer: PublicURL, Now: now, Logger: discard}
	r.Gate.OAuth = r.OAuth
	watched := r.Gate.Watch(asAccess)
	r.Accounts = &access.Accounts{Record: watched, Now: now, Seal: keyset, PublicURL: PublicURL, Logger: discard}
	r.SignIn = &access.SignIn{Record: watched, Seal: keyset, PublicURL: PublicURL, Now: now, Logger: discard, Slots: access.PasswordSlots()}
	r.Auditor = &audit.Auditor{Record: record[audit.Tx]{s, func(tx *store.Tx) audit.Tx { return tx }}, Objects: bucket, Signer: ring, Now: now, Logger: discard}
	r.Custody = &custody.Custody{
		Record: record[custody.Tx]{s, func(tx *store.Tx) custody.Tx { return tx }}, Sealed: sealed{s, keyset}, Keyset: keyset,
		Authority: authority{&pki.CA{Secrets: &secrets{values: map[string][]byte{}}, Logger: discard}}, Now: now, Logger: discard,
	}
	must(t, r.OAuth.EnsureCLI(ctx))
	return r
}

// deps is the rights as the door sees them.
func (r *Rights) deps() httpapi.Rights {
	return httpapi.Rights{
		Users: r.Accounts, Sessions: r.Accounts, Account: r.Accounts, Proofs: r.SignIn, SignIns: r.SignIn, ProjectWrites: r.Accounts, Members: r.Accounts,
		ServiceAccounts: r.Accounts, APITokens: r.Accounts, OAuthClients: r.OAuth, OAuthTokens: r.OAuth, IdentityProviders: r.Accounts, Reviews: r.Accounts,
		AuditReads: r.Auditor, Keys: r.Custody, Certificates: r.Custody,
	}
}

// Person invites a user and lets them in: it gives the user and the secret of their session. Roles are by project.
func (r *Rights) Person(t testing.TB, email string, owner bool, roles map[string]blueberry.Role) (blueberry.User, string) {
	t.Helper()
	wish := access.NewUser{Email: email, Owner: owner}
	for project, role := range roles {
		wish.Members = append(wish.Members, access.MemberWish{Project: project, Role: role})
	}
	invited, err := r.Accounts.CreateUser(t.Context(), blueberry.System(), wish)
	must(t, err)
	entered, err := r.SignIn.AcceptInvitation(t.Context(), SecretOf(t, invited.Link), access.Acceptance{Password: Password}, access.From{Address: "192.0.2.7"})
	must(t, err)
	return invited.User, entered.Secret
}

// SecretOf is the secret in a link that a person was given.
func SecretOf(t testing.TB, link string) string {
	t.Helper()
	at := strings.Index(link, access.LinkPrefix)
	if at < 0 {
		t.Fatalf("the link %q holds no secret", link)
	}
	return link[at:]
}

// entrance lets in the house's own tokens, and everyone whom the gate knows.
type entrance struct {
	house httpapi.Access
	gate  *access.Gate
}

// Authenticate gives the actor behind a credential.
func (e entrance) Authenticate(ctx context.Context, credential string) (blueberry.Actor, error) {
	if actor, err := e.house.Authenticate(ctx, credential); err == nil {
		return actor, nil
	}
	return e.gate.Authenticate(ctx, credential)
}

// sealed is everything in the record that is encrypted.
type sealed struct {
	store  *storetest.Store
	keyset *keys.Keyset
}

// Reencrypt seals anew what is not sealed by the newest key.
func (s sealed) Reencrypt(ctx context.Context) (int, error) {
	return s.store.Reencrypt(ctx, store.Reseal{Current: s.keyset.Current, Open: s.keyset.Open, Seal: s.keyset.Seal})
}

// KeysInUse names the keys that something is sealed with.
func (s sealed) KeysInUse(ctx context.Context) ([]string, error) {
	return s.store.KeysInUse(ctx, keys.SealedBy)
}

// authority gives custody the authority of pki.
type authority struct{ *pki.CA }

// Issue signs a certificate.
func (a authority) Issue(ctx context.Context, name string, request []byte, life time.Duration) (custody.Issued, error) {
	if err := a.Open(ctx); err != nil {
		return custody.Issued{}, err
	}
	i, err := a.CA.Issue(ctx, name, request, life)
	return custody.Issued{
		Certificate: blueberry.Certificate{Serial: i.Serial, Name: i.Name, NotBefore: i.NotBefore, NotAfter: i.NotAfter}, PEM: i.Certificate, Key: i.Key,
	}, err
}

// Roots gives the roots that are trusted, PEM.
func (a authority) Roots(ctx context.Context) ([]byte, error) {
	if err := a.Open(ctx); err != nil {
		return nil, err
	}
	return a.CA.Roots(ctx), nil
}

// Rotate makes a new root.
func (a authority) Rotate(ctx context.Context) error {
	if err := a.Open(ctx); err != nil {
		return err
	}
	return a.CA.Rotate(ctx)
}

// secrets keeps the authority's secret in memory: nobody else reads it in a test.
type secrets struct {
	values map[string][]byte
	count  int64
}

// Get reads a value and its version, or NotFound.
func (s *secrets) Get(_ context.Context, name string) ([]byte, int64, error) {
	if v, ok := s.values[name]; ok {
		return v, s.count, nil
	}
	return nil, 0, blueberry.NotFound
}

// Put keeps a value.
func (s *secrets) Put(_ context.Context, name string, value []byte, version int64) error {
	if version != s.count {
		return blueberry.Conflict
	}
	s.values[name] = value
	s.count++
	return nil
}
