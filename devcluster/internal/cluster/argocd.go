package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/atomicfile"
	"github.com/blueberry-idp/blueberry/devcluster/internal/pki"
)

// The components of Argo CD; names are also those of their ports.
const (
	argoRedis      = "redis"
	argoRepo       = "argocd-repo-server"
	argoController = "argocd-application-controller"
	argoServer     = "argocd-server"
	argoSets       = "argocd-applicationset-controller"

	argoRepoMetrics   = argoRepo + "-metrics"
	argoServerMetrics = argoServer + "-metrics"
	argoSetsProbe     = argoSets + "-probe"
	argoSetsWebhook   = argoSets + "-webhook"
)

const (
	argoNamespace = "argocd"
	argoGrace     = 5 * time.Second

	// reconciliation is how often Argo CD looks by itself; who cannot wait asks for a refresh.
	reconciliation = "120s"

	// socketLimit is how long the path of a socket may be on macOS; Linux allows four more.
	socketLimit = 103
)

// argoCDExtra is Argo CD: Redis, the server of manifests, the controller of Applications and the API server. There is no
// Dex (the one user is admin) and there are no notifications.
func argoCDExtra(path string, withSets bool) extra {
	x := extra{
		name: argoCD, path: path,
		ports:   []string{argoRedis, argoRepo, argoRepoMetrics, argoController, argoServer, argoServerMetrics},
		prepare: func(c *cluster) error { return c.prepareArgoCD(path) },
	}
	if withSets {
		x.ports = append(x.ports, argoSets, argoSetsProbe, argoSetsWebhook)
	}
	x.stages = func(c *cluster) (first, then stage) {
		first.components = []component{c.redis()}
		first.work = []work{{what: "set up Argo CD", do: func(ctx context.Context, admin *http.Client) error { return c.setUpArgoCD(ctx, admin, path, withSets) }}}
		then.components = []component{c.argoRepo(path), c.argoController(path), c.argoServer(path)}
		if withSets {
			then.components = append(then.components, c.argoSets(path))
		}
		return first, then
	}
	return x
}

// argo is a file of Argo CD in the cluster's directory.
func (c *cluster) argo(parts ...string) string {
	return filepath.Join(append([]string{c.dir, "argocd"}, parts...)...)
}

func (c *cluster) httpURL(name string) string { return fmt.Sprintf("http://%s", c.address(name)) }

func (c *cluster) address(name string) string { return "127.0.0.1:" + strconv.Itoa(c.ports[name]) }

// redisServer finds the program.
func redisServer() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", errors.New("Argo CD needs redis-server, which is not in PATH: install it" +
		" (Debian, Ubuntu: apt-get install redis-server; Fedora: dnf install valkey; macOS: brew install redis)")
}

// prepareArgoCD makes the files that Argo CD has in its image, and those that it shares with Redis.
func (c *cluster) prepareArgoCD(path string) error {
	if _, err := redisServer(); err != nil {
		return err
	}
	if _, err := exec.LookPath("git"); err != nil {
		return errors.New("Argo CD needs git, which is not in PATH: install it")
	}
	for _, dir := range []string{"bin", "redis", "home", "tmp", "plugins", "tls", "ssh", "gpg/source", "gpg/keys", "app/reposerver/tls"} {
		if err := os.MkdirAll(c.argo(dir), 0o700); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
	}
	if err := replace(c.argo("ssh", "ssh_known_hosts"), nil); err != nil {
		return err
	}
	// The server of manifests looks for its certificate here.
	for from, to := range map[string]string{c.pki.Cert(pki.Local): "tls.crt", c.pki.Key(pki.Local): "tls.key"} {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := replace(c.argo("app/reposerver/tls", to), data); err != nil {
			return err
		}
	}
	// git asks `argocd` for passwords, and Argo CD runs the two scripts whatever is to be verified. It calls helm and kustomize
	// only for a directory that holds a chart or a kustomization, so they are whatever the machine has, or nothing.
	if err := link(path, c.argo("bin", "argocd")); err != nil {
		return err
	}
	for _, script := range []string{"git-verify-wrapper.sh", "gpg-wrapper.sh"} {
		data, err := os.ReadFile(filepath.Join(path+".d", script))
		if err != nil {
			return fmt.Errorf("%w: build the program again", err)
		}
		if err := replace(c.argo("bin", script), data); err != nil {
			return err
		}
		if err := os.Chmod(c.argo("bin", script), 0o700); err != nil {
			return err
		}
	}
	password, err := c.secret("redis-password")
	if err != nil {
		return err
	}
	// A file, because every user of the machine sees the flags of a process.
	conf := fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nsave \"\"\nappendonly no\ndaemonize no\nrequirepass %s\n",
		c.ports[argoRedis], strconv.Quote(c.argo("redis")), password)
	return replace(c.argo("redis.conf"), []byte(conf))
}

// link makes a symbolic link, or points it elsewhere.
func link(to, at string) error {
	if have, err := os.Readlink(at); err == nil && have == to {
		return nil
	}
	if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(to, at)
}

// secret is a random word kept in a file.
func (c *cluster) secret(name string) (string, error) {
	data, err := os.ReadFile(c.argo(name))
	if err == nil && len(strings.TrimSpace(string(data))) > 0 {
		return strings.TrimSpace(string(data)), nil
	}
	word := rand.Text()
	return word, atomicfile.Write(c.argo(name), []byte(word+"\n"))
}

func (c *cluster) redis() component {
	path, err := redisServer()
	if err != nil {
		path = "redis-server" // was there a moment ago; its start will say what is wrong
	}
	return component{
		name: argoRedis, path: path, flags: []string{c.argo("redis.conf")}, grace: 2 * time.Second,
		ready: c.redisReady,
	}
}

// argoComponent is one of the components that are all the same program.
func (c *cluster) argoComponent(name, path, health string, flags []string) component {
	// Unreadable is as good as wrong: then the component cannot log in to Redis, and says so.
	password, _ := c.secret("redis-password")
	return component{
		name: name, path: path, grace: argoGrace, flags: append(flags, "--logformat=text"),
		health: health, client: pki.Admin, ca: pki.CA,
		env: []string{
			"ARGOCD_BINARY_NAME=" + name, // which component to be
			"PATH=" + c.argo("bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
			"HOME=" + c.argo("home"), "TMPDIR=" + c.argo("tmp"), "HOSTNAME=" + name + "-0",
			"GIT_CONFIG_NOSYSTEM=1", "NO_PROXY=127.0.0.1,localhost",
			"REDIS_PASSWORD=" + password,
			"ARGOCD_RECONCILIATION_TIMEOUT=" + reconciliation, "ARGOCD_RECONCILIATION_JITTER=0s",
			// So that https://kubernetes.default.svc is this API server.
			"ARGOCD_FAKE_IN_CLUSTER=true", "KUBECONFIG=" + c.kubeconfigOf(pki.ArgoCD),
			// Where its image has these.
			"ARGOCD_APP_CONF_PATH=" + c.argo("app"), "ARGOCD_TLS_DATA_PATH=" + c.argo("tls"), "ARGOCD_SSH_DATA_PATH=" + c.argo("ssh"),
			"ARGOCD_PLUGINSOCKFILEPATH=" + c.argo("plugins"), "ARGOCD_ASK_PASS_SOCK=" + c.askPass(),
			"ARGOCD_GPG_ENABLED=false", "ARGOCD_GNUPGHOME=" + c.argo("gpg/keys"), "ARGOCD_GPG_DATA_PATH=" + c.argo("gpg/source"),
		},
	}
}

// askPass is the socket on which git asks for passwords. The directory of the cluster may be too deep for a socket.
func (c *cluster) askPass() string {
	if path := c.argo("askpass"); len(path) <= socketLimit {
		return path
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("devcluster-%d-askpass", c.ports[argoRepo]))
}

// toRepo are the flags of those who ask the server of manifests.
func (c *cluster) toRepo(flag string) []string {
	return []string{
		"--namespace=" + argoNamespace, flag + "=" + c.address(argoRepo),
		"--repo-server-ca-cert-path=" + c.pki.Cert(pki.CA),
		"--repo-server-client-cert-path=" + c.pki.Cert(pki.ArgoCD), "--repo-server-client-cert-key-path=" + c.pki.Key(pki.ArgoCD),
	}
}

func (c *cluster) argoRepo(path string) component {
	return c.argoComponent(argoRepo, path, c.httpURL(argoRepoMetrics)+"/healthz", []string{
		"--address=127.0.0.1", c.port("port", argoRepo), "--metrics-address=127.0.0.1", c.port("metrics-port", argoRepoMetrics),
		"--client-ca-path=" + c.pki.Cert(pki.CA), "--redis=" + c.address(argoRedis),
	})
}

func (c *cluster) argoController(path string) component {
	return c.argoComponent(argoController, path, c.httpURL(argoController)+"/healthz", append(c.toRepo("--repo-server"),
		"--redis="+c.address(argoRedis), c.port("metrics-port", argoController)))
}

func (c *cluster) argoServer(path string) component {
	return c.argoComponent(argoServer, path, c.httpURL(argoServer)+"/healthz", append(c.toRepo("--repo-server"),
		"--insecure", "--address=127.0.0.1", c.port("port", argoServer), "--metrics-address=127.0.0.1", c.port("metrics-port", argoServerMetrics),
		"--redis="+c.address(argoRedis), "--dex-server=http://127.0.0.1:1", "--staticassets="+c.argo("app")))
}

func (c *cluster) argoSets(path string) component {
	return c.argoComponent(argoSets, path, c.httpURL(argoSets)+"/metrics", append(c.toRepo("--argocd-repo-server"),
		"--metrics-addr="+c.address(argoSets), "--probe-addr="+c.address(argoSetsProbe), "--webhook-addr="+c.address(argoSetsWebhook)))
}

func (c *cluster) port(flag, name string) string {
	return "--" + flag + "=" + strconv.Itoa(c.ports[name])
}
