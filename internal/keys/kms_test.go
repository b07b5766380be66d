package keys_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/keys"
)

const vaultToken = "hvs.the-token-of-a-test"

// service is a key service on loopback: what it encrypted it finds again by a handle, so that nothing of it is in the handle.
type service struct {
	url  string // for keyset_kms
	asks atomic.Int64
	down atomic.Bool

	mu   sync.Mutex
	kept map[string][]byte
}

func (s *service) seal(plain []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	handle := "vault:v1:" + rand.Text()
	s.kept[handle] = plain
	return handle
}

func (s *service) open(handle string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plain, ok := s.kept[handle]
	return plain, ok
}

func (s *service) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// awsKMS speaks the JSON protocol of AWS KMS.
func awsKMS(t *testing.T) *service {
	t.Helper()
	s := &service{kept: map[string][]byte{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asks.Add(1)
		var in struct {
			KeyID, Plaintext, CiphertextBlob string
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || s.down.Load() {
			s.answer(w, http.StatusBadRequest, map[string]string{"__type": "DisabledException", "message": "the key is disabled"})
			return
		}
		switch r.Header.Get("X-Amz-Target") {
		case "TrentService.Encrypt":
			plain, err := base64.StdEncoding.DecodeString(in.Plaintext)
			if err != nil || in.KeyID != "alias/blueberry" || !strings.Contains(r.Header.Get("Authorization"), "/eu-north-1/kms/") {
				t.Errorf("asked for key %q, %v", in.KeyID, err)
			}
			s.answer(w, http.StatusOK, map[string]string{"KeyId": in.KeyID, "CiphertextBlob": base64.StdEncoding.EncodeToString([]byte(s.seal(plain)))})
		case "TrentService.Decrypt":
			handle, _ := base64.StdEncoding.DecodeString(in.CiphertextBlob)
			plain, ok := s.open(string(handle))
			if !ok {
				s.answer(w, http.StatusBadRequest, map[string]string{"__type": "InvalidCiphertextException"})
				return
			}
			s.answer(w, http.StatusOK, map[string]string{"Plaintext": base64.StdEncoding.EncodeToString(plain)})
		default:
			t.Errorf("asked for %q", r.Header.Get("X-Amz-Target"))
		}
	}))
	t.Cleanup(server.Close)
	s.url = "awskms://alias/blueberry?region=eu-north-1&endpoint=" + url.QueryEscape(server.URL)
	return s
}

// vault speaks the transit engine of Vault.
func vault(t *testing.T) *service {
	t.Helper()
	s := &service{kept: map[string][]byte{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asks.Add(1)
		var in struct{ Plaintext, Ciphertext string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || s.down.Load() || r.Header.Get("X-Vault-Token") != vaultToken || r.Method != http.MethodPost {
			s.answer(w, http.StatusForbidden, map[string]any{"errors": []string{"permission denied for " + r.Header.Get("X-Vault-Token")}})
			return
		}
		switch r.URL.Path {
		case "/v1/secret/transit/encrypt/blueberry":
			plain, err := base64.StdEncoding.DecodeString(in.Plaintext)
			if err != nil || r.Header.Get("X-Vault-Namespace") != "team" {
				t.Error(err)
			}
			s.answer(w, http.StatusOK, map[string]any{"data": map[string]string{"ciphertext": s.seal(plain)}})
		case "/v1/secret/transit/decrypt/blueberry":
			plain, ok := s.open(in.Ciphertext)
			if !ok {
				s.answer(w, http.StatusBadRequest, map[string]any{"errors": []string{"invalid ciphertext"}})
				return
			}
			s.answer(w, http.StatusOK, map[string]any{"data": map[string]string{"plaintext": base64.StdEncoding.EncodeToString(plain)}})
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	}))
	t.Cleanup(server.Close)
	s.url = "vault://" + strings.TrimPrefix(server.URL, "http://") + "/blueberry?mount=secret/transit&namespace=team&token_file=" + url.QueryEscape(tokenFile(t, vaultToken+"\n"))
	return s
}

func tokenFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheKMSIsAskedOnceAtStart(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) *service{"AWS": awsKMS, "Vault": vault} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			config := keys.KeysetConfig{File: filepath.Join(t.TempDir(), "keyset"), KMS: s.url}
			k := openKeyset(t, config)
			if n := s.asks.Load(); n != 1 {
				t.Errorf("asked %d times to make a keyset", n)
			}
			sealed := seal(t, k, "hunter2", bound)
			s.asks.Store(0)
			other := openKeyset(t, config)
			wantOpen(t, other, sealed, bound, "hunter2")
			id, err := k.Rotate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			wantOpen(t, other, seal(t, k, "new", bound), bound, "new")
			if got := seal(t, other, "x", bound); keys.SealedBy(got) != id {
				t.Error("the other process did not take the new key")
			}
			wantOpen(t, openKeyset(t, config), sealed, bound, "hunter2")
			if n := s.asks.Load(); n != 2 {
				t.Errorf("two starts asked %d times", n)
			}

			// A copy of the file alone opens nothing.
			text, err := os.ReadFile(config.File)
			if err != nil {
				t.Fatal(err)
			}
			for _, plain := range s.kept {
				if bytes.Contains(text, []byte(base64.StdEncoding.EncodeToString(plain))) {
					t.Error("the file holds the key that encrypts it")
				}
			}
			for reason, c := range map[string]struct {
				config keys.KeysetConfig
				want   string
			}{
				"without the KMS": {keys.KeysetConfig{File: config.File}, "set keyset_kms"},
				"another KMS":     {keys.KeysetConfig{File: config.File, KMS: start(t).url}, "decrypt " + config.File},
			} {
				if _, err := keys.OpenKeyset(t.Context(), c.config); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), vaultToken) {
					t.Errorf("%s: %v", reason, err)
				}
			}
			clear := filepath.Join(t.TempDir(), "clear")
			openKeyset(t, keys.KeysetConfig{File: clear})
			if _, err := keys.OpenKeyset(t.Context(), keys.KeysetConfig{File: clear, KMS: s.url}); err == nil || !strings.Contains(err.Error(), "is not encrypted") {
				t.Errorf("a file that is not encrypted: %v", err)
			}
			changed := bytes.Replace(text, []byte(`"keyset": "`), []byte(`"keyset": "AAAA`), 1)
			if err := os.WriteFile(config.File, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := keys.OpenKeyset(t.Context(), config); err == nil || !strings.Contains(err.Error(), "was changed") {
				t.Errorf("a file that was changed: %v", err)
			}
			s.down.Store(true)
			for _, file := range []string{config.File, filepath.Join(t.TempDir(), "none")} {
				if _, err := keys.OpenKeyset(t.Context(), keys.KeysetConfig{File: file, KMS: s.url}); err == nil || strings.Contains(err.Error(), vaultToken) {
					t.Errorf("the KMS refuses: %v", err)
				}
			}
		})
	}
}

func TestTheAddressOfAKMS(t *testing.T) {
	t.Parallel()
	token := tokenFile(t, vaultToken)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the token went to %s", r.Host) }))
	t.Cleanup(elsewhere.Close)
	sends := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(sends.Close)
	for reason, c := range map[string]struct{ kms, want string }{
		"no URL":              {"://", "must be a URL"},
		"a password in it":    {"vault://root:hunter2@vault.example/key", "without a password"},
		"another service":     {"gcpkms://x", "awskms:// or vault://"},
		"no key":              {"vault://vault.example/?token_file=" + token, "vault://host/key"},
		"no host":             {"vault:///key?token_file=" + token, "vault://host/key"},
		"two keys":            {"vault://vault.example/a/b?token_file=" + token, "vault://host/key"},
		"unknown option":      {"vault://vault.example/key?tokenfile=" + token, "unknown option"},
		"unknown AWS option":  {"awskms://key?hunter=1", "unknown query parameter"},
		"no token":            {"vault://vault.example/key", "VAULT_TOKEN"},
		"an empty token file": {"vault://vault.example/key?token_file=" + tokenFile(t, " \n"), "is empty"},
		"no such token file":  {"vault://vault.example/key?token_file=/none", "/none"},
		"a redirect":          {"vault://" + strings.TrimPrefix(sends.URL, "http://") + "/key?token_file=" + token, "307"},
		"plain HTTP where TLS is asked for": {
			"vault://" + strings.TrimPrefix(sends.URL, "http://") + "/key?tls=true&token_file=" + token, "HTTP response to HTTPS client",
		},
	} {
		_, err := keys.OpenKeyset(t.Context(), keys.KeysetConfig{File: filepath.Join(t.TempDir(), "keyset"), KMS: c.kms})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), vaultToken) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", reason, err)
		}
	}
}
