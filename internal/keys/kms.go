package keys

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"gocloud.dev/secrets"
	"gocloud.dev/secrets/awskms"
)

const (
	kmsPatience   = 15 * time.Second
	maxVaultReply = 64 << 10 // bytes; a reply has about 300
	maxVaultToken = 16 << 10
)

// errAskedOnce is why a process that has started does not ask a KMS again.
var errAskedOnce = errors.New("its key was made anew while this process runs; start it again")

// kms is a key outside, which never leaves it.
type kms interface {
	name() string // the URL, which holds no secret
	encrypt(ctx context.Context, plain []byte) ([]byte, error)
	decrypt(ctx context.Context, sealed []byte) ([]byte, error)
	close() // after this it refuses
}

func openKMS(ctx context.Context, address string) (kms, error) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return nil, errors.New("keyset_kms must be a URL without a password in it")
	}
	switch u.Scheme {
	case awskms.Scheme:
		opener := awskms.URLOpener{}
		keeper, err := opener.OpenKeeperURL(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", address, err)
		}
		return &awsKey{address: address, keeper: keeper}, nil
	case "vault":
		return openVault(u)
	}
	return nil, fmt.Errorf("keyset_kms starts with %q, must be awskms:// or vault://", u.Scheme)
}

type awsKey struct {
	address string
	keeper  *secrets.Keeper // nil once closed
}

func (k *awsKey) name() string { return k.address }

func (k *awsKey) close() { _, k.keeper = k.keeper.Close(), nil }

func (k *awsKey) encrypt(ctx context.Context, plain []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, kmsPatience)
	defer cancel()
	return k.keeper.Encrypt(ctx, plain)
}

func (k *awsKey) decrypt(ctx context.Context, sealed []byte) ([]byte, error) {
	if k.keeper == nil {
		return nil, errAskedOnce
	}
	ctx, cancel := context.WithTimeout(ctx, kmsPatience)
	defer cancel()
	return k.keeper.Decrypt(ctx, sealed)
}

// vaultKey is a key of the transit engine of Vault or OpenBao.
type vaultKey struct {
	address   string // "vault://vault.example.com/blueberry"
	base      string // "https://vault.example.com/v1/transit"
	key       string
	namespace string
	token     string
	client    *http.Client // nil once closed
}

// openVault reads "vault://host[:port]/key", with the options mount (default "transit"), token_file (default: the environment variable VAULT_TOKEN) and namespace.
// It speaks HTTPS, but plain HTTP to a loopback address that does not ask for tls=true.
func openVault(u *url.URL) (kms, error) {
	q := u.Query()
	for name := range q {
		switch name {
		case "mount", "token_file", "namespace", "tls":
		default:
			return nil, fmt.Errorf("keyset_kms has the unknown option %q", name)
		}
	}
	key, mount := strings.Trim(u.Path, "/"), strings.Trim(q.Get("mount"), "/")
	if mount == "" {
		mount = "transit"
	}
	if u.Host == "" || key == "" || strings.Contains(key, "/") {
		return nil, errors.New("keyset_kms must be vault://host/key")
	}
	token, err := vaultToken(q.Get("token_file"))
	if err != nil {
		return nil, err
	}
	scheme := "https"
	if ip := net.ParseIP(u.Hostname()); (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) && q.Get("tls") != "true" {
		scheme = "http"
	}
	return &vaultKey{
		address: u.String(), key: key, token: token, namespace: q.Get("namespace"),
		base: (&url.URL{Scheme: scheme, Host: u.Host, Path: "/v1/" + mount}).String(),
		client: &http.Client{
			Timeout:       kmsPatience,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this host
		},
	}, nil
}

func vaultToken(file string) (string, error) {
	if file == "" {
		token := os.Getenv("VAULT_TOKEN")
		if token == "" {
			return "", errors.New("keyset_kms is a key of Vault, but there is no token: set VAULT_TOKEN, or token_file in the URL")
		}
		return token, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read the token of Vault: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxVaultToken))
	if err != nil {
		return "", fmt.Errorf("read the token of Vault: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if token == "" {
		return "", fmt.Errorf("read the token of Vault: %s is empty", file)
	}
	return token, nil
}

func (k *vaultKey) name() string { return k.address }

func (k *vaultKey) close() {
	k.client.CloseIdleConnections()
	k.client, k.token = nil, ""
}

func (k *vaultKey) encrypt(ctx context.Context, plain []byte) ([]byte, error) {
	data, err := k.ask(ctx, "encrypt", map[string]string{"plaintext": base64.StdEncoding.EncodeToString(plain)})
	if err != nil {
		return nil, err
	}
	if data.Ciphertext == "" {
		return nil, errors.New("the reply of Vault holds no ciphertext")
	}
	return []byte(data.Ciphertext), nil
}

func (k *vaultKey) decrypt(ctx context.Context, sealed []byte) ([]byte, error) {
	if k.client == nil {
		return nil, errAskedOnce
	}
	data, err := k.ask(ctx, "decrypt", map[string]string{"ciphertext": string(sealed)})
	if err != nil {
		return nil, err
	}
	plain, err := base64.StdEncoding.DecodeString(data.Plaintext)
	if err != nil {
		return nil, errors.New("the reply of Vault holds no plaintext")
	}
	return plain, nil
}

type vaultData struct {
	Ciphertext string `json:"ciphertext"`
	Plaintext  string `json:"plaintext"`
}

// ask calls the transit engine. Nothing of a request is told in an error, and of a reply only its status.
func (k *vaultKey) ask(ctx context.Context, operation string, body map[string]string) (vaultData, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return vaultData{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.base+"/"+operation+"/"+url.PathEscape(k.key), bytes.NewReader(b))
	if err != nil {
		return vaultData{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Vault-Request", "true")
	req.Header.Set("X-Vault-Token", k.token)
	if k.namespace != "" {
		req.Header.Set("X-Vault-Namespace", k.namespace)
	}
	res, err := k.client.Do(req)
	if err != nil {
		return vaultData{}, fmt.Errorf("ask Vault: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return vaultData{}, fmt.Errorf("ask Vault: it answers %s", res.Status)
	}
	var reply struct {
		Data vaultData `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxVaultReply)).Decode(&reply); err != nil {
		return vaultData{}, errors.New("ask Vault: its reply is not of the transit engine")
	}
	return reply.Data, nil
}
