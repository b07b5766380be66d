package app

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Config is everything that can be set of a server. Each key can stand in the file, as BLUEBERRY_<KEY> in the environment and as a flag; the later wins.
type Config struct {
	StateDir string `koanf:"state_dir" help:"directory for all that the server keeps itself"`
	Listen   string `koanf:"listen" help:"address of the API, host:port"`

	PublicURL string `koanf:"public_url" help:"address at which people reach the server, for links, sign-in and OAuth; empty means the listen address, as localhost when that is loopback"`

	TLSCertFile    string `koanf:"tls_cert_file" help:"certificate chain, PEM; with tls_key_file the server speaks TLS 1.3 only. Both are read anew when they change"`
	TLSKeyFile     string `koanf:"tls_key_file" help:"private key of the certificate, PEM"`
	TLSSelfMade    bool   `koanf:"tls_self_made" help:"speak TLS with a certificate that the server makes itself, for development; says where its authority's certificate is"`
	RedirectListen string `koanf:"redirect_listen" help:"address, host:port, that sends plain HTTP to HTTPS; empty for none"`
	InternalListen string `koanf:"internal_listen" help:"address, host:port, for clients with a certificate of the platform (mTLS) alone; empty for none"`

	TrustedProxies []string `koanf:"trusted_proxies" help:"networks of proxies, as 10.0.0.0/8, whose word on the client's address is believed"`
	ProxyHeader    string   `koanf:"proxy_header" help:"the header in which trusted_proxies give the client's address: X-Forwarded-For or Forwarded; the other one is never read"`
	CORSOrigins    []string `koanf:"cors_origins" help:"origins, as https://portal.example.com, whose pages may call the API with a token"`

	RateToken   int `koanf:"rate_token" help:"requests per minute of one token or session; 0 for no limit"`
	RateUser    int `koanf:"rate_user" help:"requests per minute of one user over all of their tokens; 0 for no limit"`
	RateAddress int `koanf:"rate_address" help:"requests per minute without a valid token from one address; 0 for no limit"`
	RateSignIn  int `koanf:"rate_sign_in" help:"tries to sign in per minute from one address; 0 for no limit"`

	Redis     string `koanf:"redis" help:"Redis for limits and wake-ups across replicas, as redis://host:6379/0 or rediss://…; empty means that each replica counts alone"`
	RedisFile string `koanf:"redis_file" help:"file that holds the Redis URL, instead of redis"`

	KeysetFile   string `koanf:"keyset_file" help:"file of the keys that encrypt secrets in the database; empty means keyset.json in the state directory. All replicas need the same"`
	KeysetKMS    string `koanf:"keyset_kms" help:"key that encrypts the keyset file, as awskms://… or vault://host/key; empty means that the file is protected by its mode alone"`
	ObjectsStore string `koanf:"objects" help:"where archives go, as file:///directory or s3://bucket?region=…; empty means objects in the state directory"`

	SMTPHost         string `koanf:"smtp_host" help:"mail server for invitations and warnings; empty means none: links are then handed on by people"`
	SMTPPort         int    `koanf:"smtp_port" help:"port of the mail server"`
	SMTPTLS          string `koanf:"smtp_tls" help:"starttls, tls (from the first byte) or none (to loopback only)"`
	SMTPUsername     string `koanf:"smtp_username" help:"user name at the mail server"`
	SMTPPasswordFile string `koanf:"smtp_password_file" help:"file that holds the password at the mail server"`
	SMTPFrom         string `koanf:"smtp_from" help:"sender of mails, as blueberry@example.com"`

	Database     string `koanf:"database" help:"database, as sqlite:///path or postgres://…; empty means SQLite in the state directory"`
	DatabaseFile string `koanf:"database_file" help:"file that holds the database URL, instead of database"`

	GitopsRemote       string `koanf:"gitops_remote" help:"GitOps repository, as a URL; empty means one that the server keeps and serves itself"`
	GitopsBranch       string `koanf:"gitops_branch" help:"branch of the GitOps repository"`
	GitopsUsername     string `koanf:"gitops_username" help:"user name for the GitOps remote"`
	GitopsPasswordFile string `koanf:"gitops_password_file" help:"file that holds the password or token for the GitOps remote"`

	Target       string `koanf:"target" help:"name of the target"`
	TargetDriver string `koanf:"target_driver" help:"kube, argocd or sim. This and the keys down to gateway are of the server's own target; further ones are registered"`
	Kubeconfig   string `koanf:"kubeconfig" help:"kubeconfig of the target's cluster"`
	Domain       string `koanf:"domain" help:"hosts of environments end in it"`
	Region       string `koanf:"region" help:"region of the target, for prices"`

	ArgocdNamespace    string `koanf:"argocd_namespace" help:"namespace in which Argo CD looks for Applications"`
	ArgocdKubeconfig   string `koanf:"argocd_kubeconfig" help:"kubeconfig of the cluster that Argo CD runs in; empty means the target's own"`
	ArgocdRepository   string `koanf:"argocd_repository" help:"URL by which Argo CD reaches the GitOps repository; empty means gitops_remote, else the one that the server serves"`
	ArgocdUsername     string `koanf:"argocd_username" help:"user name with which Argo CD reads gitops_remote; empty means that it knows a credential itself"`
	ArgocdPasswordFile string `koanf:"argocd_password_file" help:"file that holds the password or token with which Argo CD reads gitops_remote; it need not be able to push"`
	ArgocdDestination  string `koanf:"argocd_destination" help:"URL by which Argo CD knows the target's cluster; empty means its own, https://kubernetes.default.svc"`

	Gateway       string `koanf:"gateway" help:"address of the target's ingress, as http://10.0.0.5:80, that the wake gateway passes requests on to"`
	GatewayListen string `koanf:"gateway_listen" help:"address, host:port, at which environments are reached through the wake gateway, which wakes those that sleep; empty for none"`

	AllowLocalRepositories  bool     `koanf:"allow_local_repositories" help:"let requests name application repositories by a path on this machine, and have hosts of repositories spoken to without TLS"`
	AllowLocalNotifications bool     `koanf:"allow_local_notifications" help:"let subscriptions name addresses in networks of the server's own (loopback, private, link-local), and addresses without TLS"`
	LendAWSIdentity         bool     `koanf:"lend_aws_identity" help:"let subscriptions to queues of SQS that have no access key be sent as the server itself: whoever may write a subscription then writes to each queue that the server may write to"`
	ClusterKinds            []string `koanf:"cluster_kinds" help:"kinds beyond a namespace that the default project may create"`

	Workers      int           `koanf:"workers" help:"jobs that run at the same time"`
	DrainDelay   time.Duration `koanf:"drain_delay" help:"how long a stop goes on accepting requests while /readyz says that it stops, so that a load balancer can notice"`
	DrainTimeout time.Duration `koanf:"drain_timeout" help:"how long a stop waits for work that runs"`
	LogFormat    string        `koanf:"log_format" help:"text or json"`
	LogLevel     string        `koanf:"log_level" help:"debug, info, warn or error"`
}

// DefaultConfig is what a server runs with when nothing is set.
func DefaultConfig() Config {
	return Config{
		StateDir: DefaultStateDir(), Listen: "127.0.0.1:7080", GitopsBranch: "main",
		Target: "local", TargetDriver: "kube", Domain: "localhost",
		ProxyHeader: "X-Forwarded-For", RateToken: 1000, RateUser: 3000, RateAddress: 300, RateSignIn: 10, SMTPPort: 587, SMTPTLS: "starttls",
		Workers: 8, DrainTimeout: 20 * time.Second, LogFormat: "text", LogLevel: "info",
	}
}

// DefaultStateDir is $BLUEBERRY_STATE_DIR, else blueberry below $XDG_STATE_HOME, else below ~/.local/state.
func DefaultStateDir() string {
	if d := os.Getenv(envPrefix + "STATE_DIR"); d != "" {
		return d
	}
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = "."
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "blueberry")
}

// domainName is a DNS name (RFC 1123); with a host label of 63 characters before it, 180 are left of 253 and more.
var domainName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

const envPrefix = "BLUEBERRY_"

// clientVariables are BLUEBERRY_ variables of the client commands, which a server does not read.
var clientVariables = []string{"URL", "TOKEN", "TOKEN_FILE", "CONFIG", "CONTEXT"}

// Flags adds --config and one flag for each key.
func Flags(fs *pflag.FlagSet) {
	fs.String("config", os.Getenv(envPrefix+"CONFIG"), "configuration file, YAML")
	d := reflect.ValueOf(DefaultConfig())
	for f := range fields() {
		name, help, v := flagName(f.key), f.help, d.FieldByIndex(f.index).Interface()
		switch v := v.(type) {
		case string:
			fs.String(name, v, help)
		case bool:
			fs.Bool(name, v, help)
		case int:
			fs.Int(name, v, help)
		case time.Duration:
			fs.Duration(name, v, help)
		case []string:
			fs.StringSlice(name, v, help)
		}
	}
}

type field struct {
	key, help string
	index     []int
}

func fields() func(yield func(field) bool) {
	return func(yield func(field) bool) {
		t := reflect.TypeFor[Config]()
		for i := range t.NumField() {
			f := t.Field(i)
			if !yield(field{f.Tag.Get("koanf"), f.Tag.Get("help"), f.Index}) {
				return
			}
		}
	}
}

func flagName(key string) string { return strings.ReplaceAll(key, "_", "-") }

// Load reads the file, the environment and the flags over the defaults. It tells every fault at once: unknown keys, wrong types, values that cannot be.
func Load(defaults Config, fs *pflag.FlagSet, environ []string) (Config, error) {
	var faults blueberry.Faults
	k := koanf.New(".")
	if path := flagValue(fs, "config"); path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return Config{}, fmt.Errorf("read configuration %s: %w", path, err)
		}
	}
	vars := env.Provider(".", env.Opt{Prefix: envPrefix, EnvironFunc: func() []string { return environ }, TransformFunc: func(key, value string) (string, any) {
		key = strings.TrimPrefix(key, envPrefix)
		if slices.Contains(clientVariables, key) || strings.HasPrefix(key, "TEST_") || strings.HasPrefix(key, "FAULT_") {
			return "", nil
		}
		return strings.ToLower(key), value
	}})
	if err := k.Load(vars, nil); err != nil {
		return Config{}, fmt.Errorf("read environment: %w", err)
	}
	set := map[string]any{}
	fs.Visit(func(f *pflag.Flag) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		if !known(key) {
			return
		}
		set[key] = f.Value.String()
		if s, ok := f.Value.(pflag.SliceValue); ok {
			set[key] = s.GetSlice()
		}
	})
	if err := k.Load(confmap.Provider(set, "."), nil); err != nil {
		return Config{}, fmt.Errorf("read flags: %w", err)
	}
	for _, key := range k.Keys() {
		if !known(key) {
			faults.Add(key, "unknown", "is not a key of the configuration")
		}
	}
	c := defaults
	for f := range fields() {
		if k.Exists(f.key) {
			part := koanf.New(".")
			_ = part.Set(f.key, k.Get(f.key)) // a map never refuses
			if err := part.Unmarshal("", &c); err != nil {
				faults.Add(f.key, "type", "%v does not fit: %s", k.Get(f.key), oneLine(err))
			}
		}
	}
	c.check(&faults)
	return c, faults.Err()
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func flagValue(fs *pflag.FlagSet, name string) string {
	if f := fs.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

func known(key string) bool {
	for f := range fields() {
		if f.key == key {
			return true
		}
	}
	return false
}

func (c Config) check(f *blueberry.Faults) {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		f.Add("listen", "address", "%q is not host:port", c.Listen)
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		f.Add("tls_key_file", "required", "tls_cert_file and tls_key_file go together")
	}
	c.checkEdge(f)
	c.checkOutside(f)
	if c.Database != "" && c.DatabaseFile != "" {
		f.Add("database_file", "exclusive", "database and database_file cannot both be set")
	}
	if c.Database != "" && !strings.HasPrefix(c.Database, "sqlite://") && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		f.Add("database", "scheme", "must begin with sqlite:// or postgres://")
	}
	if u, err := url.Parse(c.GitopsRemote); err != nil || u.User != nil {
		f.Add("gitops_remote", "url", "must be a URL without user and password; those have keys of their own")
	}
	if c.GitopsPasswordFile != "" && c.GitopsRemote == "" {
		f.Add("gitops_password_file", "forbidden", "belongs to gitops_remote, which is not set")
	}
	f.CheckName("target", c.Target, blueberry.MaxTargetName)
	c.checkTarget(f)
	if !domainName.MatchString(c.Domain) || len(c.Domain) > 180 {
		f.Add("domain", "pattern", "%q must be a DNS name of lower-case letters, digits, dashes and dots, at most 180 characters", c.Domain)
	}
	if c.Workers < 1 || c.Workers > 1000 {
		f.Add("workers", "range", "is %d, must be 1 to 1000", c.Workers)
	}
	if c.DrainTimeout < 0 {
		f.Add("drain_timeout", "range", "must not be negative")
	}
	if c.DrainDelay < 0 {
		f.Add("drain_delay", "range", "must not be negative")
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		f.Add("log_format", "enum", "%q is not text or json", c.LogFormat)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		f.Add("log_level", "enum", "%q is not debug, info, warn or error", c.LogLevel)
	}
}

// checkTarget notes what is wrong with the server's own target.
func (c Config) checkTarget(f *blueberry.Faults) {
	if !slices.Contains(blueberry.TargetDrivers(), c.TargetDriver) {
		f.Add("target_driver", "enum", "%q is not kube, argocd or sim", c.TargetDriver)
	}
	if c.Gateway != "" {
		f.CheckHTTP("gateway", c.Gateway)
	}
	if c.ArgocdRepository != "" {
		f.CheckHTTP("argocd_repository", c.ArgocdRepository)
	}
	if c.ArgocdDestination != "" {
		f.CheckHTTP("argocd_destination", c.ArgocdDestination)
	}
	if c.TargetDriver == "argocd" && c.GitopsRemote != "" && c.ArgocdRepository == "" && !strings.HasPrefix(c.GitopsRemote, "https://") && !strings.HasPrefix(c.GitopsRemote, "http://") {
		f.Add("argocd_repository", "required", "Argo CD reaches repositories by http or https, and gitops_remote is neither")
	}
}

// checkEdge notes what is wrong with how the server is reached.
func (c Config) checkEdge(f *blueberry.Faults) {
	if c.TLSSelfMade && c.TLSCertFile != "" {
		f.Add("tls_self_made", "exclusive", "tls_self_made and tls_cert_file cannot both be set")
	}
	for _, x := range [][2]string{{"redirect_listen", c.RedirectListen}, {"internal_listen", c.InternalListen}, {"gateway_listen", c.GatewayListen}} {
		if _, _, err := net.SplitHostPort(x[1]); x[1] != "" && err != nil {
			f.Add(x[0], "address", "%q is not host:port", x[1])
		}
	}
	if c.RedirectListen != "" && !c.TLS() {
		f.Add("redirect_listen", "forbidden", "leads to HTTPS, which is not set up: set tls_cert_file or tls_self_made")
	}
	if c.PublicURL != "" && !isOrigin(c.PublicURL) {
		f.Add("public_url", "url", "must look like https://blueberry.example.com, without a path")
	}
	for i, network := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(network); err != nil {
			f.Add(fmt.Sprintf("trusted_proxies[%d]", i), "network", "%q is not a network as 10.0.0.0/8", network)
		}
	}
	if c.ProxyHeader != "X-Forwarded-For" && c.ProxyHeader != "Forwarded" {
		f.Add("proxy_header", "enum", "%q is not X-Forwarded-For or Forwarded", c.ProxyHeader)
	}
	for i, origin := range c.CORSOrigins {
		if !isOrigin(origin) {
			f.Add(fmt.Sprintf("cors_origins[%d]", i), "origin", "%q is not an origin as https://portal.example.com", origin)
		}
	}
	for i, rate := range []int{c.RateToken, c.RateUser, c.RateAddress, c.RateSignIn} {
		if rate < 0 {
			f.Add([]string{"rate_token", "rate_user", "rate_address", "rate_sign_in"}[i], "range", "must not be negative")
		}
	}
}

// isOrigin reports whether text is scheme, host and port alone.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && text == u.Scheme+"://"+u.Host
}

// checkOutside notes what is wrong with the services that the server leans on.
func (c Config) checkOutside(f *blueberry.Faults) {
	if c.Redis != "" && c.RedisFile != "" {
		f.Add("redis_file", "exclusive", "redis and redis_file cannot both be set")
	}
	if c.Redis != "" && !strings.HasPrefix(c.Redis, "redis://") && !strings.HasPrefix(c.Redis, "rediss://") {
		f.Add("redis", "scheme", "must begin with redis:// or rediss://")
	}
	if c.KeysetKMS != "" && !strings.HasPrefix(c.KeysetKMS, "awskms://") && !strings.HasPrefix(c.KeysetKMS, "vault://") {
		f.Add("keyset_kms", "scheme", "must begin with awskms:// or vault://")
	}
	if c.ObjectsStore != "" && !strings.HasPrefix(c.ObjectsStore, "file:///") && !strings.HasPrefix(c.ObjectsStore, "s3://") {
		f.Add("objects", "scheme", "must begin with file:/// or s3://")
	}
	if c.SMTPHost == "" {
		for _, x := range [][2]string{{"smtp_username", c.SMTPUsername}, {"smtp_password_file", c.SMTPPasswordFile}, {"smtp_from", c.SMTPFrom}} {
			if x[1] != "" {
				f.Add(x[0], "forbidden", "belongs to smtp_host, which is not set")
			}
		}
		return
	}
	f.CheckEmail("smtp_from", c.SMTPFrom)
	if c.SMTPPort < 1 || c.SMTPPort > 65535 {
		f.Add("smtp_port", "range", "is %d, must be 1 to 65535", c.SMTPPort)
	}
	if !slices.Contains([]string{"starttls", "tls", "none"}, c.SMTPTLS) {
		f.Add("smtp_tls", "enum", "%q is not starttls, tls or none", c.SMTPTLS)
	}
}

// TLS reports whether the API is served over TLS.
func (c Config) TLS() bool { return c.TLSCertFile != "" || c.TLSSelfMade }

// secret reads a file that holds one secret; no path gives no secret.
func secret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// AdminTokenFile is where the token that the first start makes is kept.
func (c Config) AdminTokenFile() string { return filepath.Join(c.StateDir, "admin-token") }

// SetupLinkFile is where the link that makes the first owner is kept until it was used.
func (c Config) SetupLinkFile() string { return filepath.Join(c.StateDir, "setup-link") }

// keysetFile is where the keys are that encrypt secrets in the record.
func (c Config) keysetFile() string {
	if c.KeysetFile != "" {
		return c.KeysetFile
	}
	return filepath.Join(c.StateDir, "keyset.json")
}

// objectsURL is where archives go.
func (c Config) objectsURL() (string, error) {
	if c.ObjectsStore != "" {
		return c.ObjectsStore, nil
	}
	abs, err := filepath.Abs(filepath.Join(c.StateDir, "objects"))
	return (&url.URL{Scheme: "file", Path: abs}).String(), err
}

// SigningKeyFile is where the key that this server signs plans with is kept.
func (c Config) SigningKeyFile() string { return filepath.Join(c.StateDir, "signing-key") }

func (c Config) dsn() (string, error) {
	switch {
	case c.DatabaseFile != "":
		return secret(c.DatabaseFile)
	case c.Database != "":
		return c.Database, nil
	}
	abs, err := filepath.Abs(filepath.Join(c.StateDir, "blueberry.db"))
	return "sqlite://" + abs, err
}
