package cluster

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/pki"
)

// The words by which the program is told which component to be.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kwok              = "kwok"

	etcdPeer = "etcd-peer" // a second port of etcd
)

const (
	serviceCIDR = "10.96.0.0/16"
	serviceIP   = "10.96.0.1" // the first of serviceCIDR is the API server's
	podCIDR     = "10.128.0.0/9"

	// advertised is an address kept for documentation (RFC 5737). The API server refuses to advertise loopback and would look
	// for a network otherwise; nothing uses it, because no endpoint is written.
	advertised = "192.0.2.1"
)

// component is one part of the cluster.
type component struct {
	name   string
	path   string // program that knows of no supervisor; empty: this one, told which component to be
	flags  []string
	env    []string                    // beside what every component is given
	health string                      // page that says 200 when it is ready
	ready  func(context.Context) error // instead of health, where there is no such page
	client string                      // pair that asks for it
	ca     string                      // authority that signed the one who answers
	grace  time.Duration               // to end
}

// stage is what starts together. Each may rely on earlier stages.
type stage struct {
	components []component
	work       []work
}

// work is done once, while the components of its stage start.
type work struct {
	what string
	do   func(ctx context.Context, admin *http.Client) error
}

// stages are in the order in which they start.
func (c *cluster) stages() []stage {
	controllers := stage{components: []component{c.controllerManager(), c.scheduler(), c.kwok()}}
	var late stage
	for _, x := range c.extras {
		first, then := x.stages(c)
		controllers.components, controllers.work = append(controllers.components, first.components...), append(controllers.work, first.work...)
		late.components, late.work = append(late.components, then.components...), append(late.work, then.work...)
	}
	return []stage{{components: []component{c.etcd()}}, {components: []component{c.apiServer()}}, controllers, late}
}

func (c *cluster) etcd() component {
	url, peer := c.url(etcd), c.url(etcdPeer)
	cert, key, ca := c.pki.Cert(pki.Etcd), c.pki.Key(pki.Etcd), c.pki.Cert(pki.EtcdCA)
	return component{
		name: etcd, health: url + "/health", client: pki.EtcdClient, ca: pki.EtcdCA, grace: 5 * time.Second,
		flags: []string{
			"--name=devcluster", "--data-dir=" + filepath.Join(c.dir, "etcd"),
			"--listen-client-urls=" + url, "--advertise-client-urls=" + url,
			"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=devcluster=" + peer,
			"--cert-file=" + cert, "--key-file=" + key, "--trusted-ca-file=" + ca, "--client-cert-auth",
			"--peer-cert-file=" + cert, "--peer-key-file=" + key, "--peer-trusted-ca-file=" + ca, "--peer-client-cert-auth",
			// What was written survives the death of every process without fsync; only a power cut could lose it.
			"--unsafe-no-fsync",
			"--quota-backend-bytes=8589934592",
			"--log-level=warn",
		},
	}
}

func (c *cluster) apiServer() component {
	return component{
		name: apiServer, health: c.url(apiServer) + "/readyz", client: pki.Admin, ca: pki.CA, grace: 8 * time.Second,
		flags: []string{
			"--bind-address=127.0.0.1", c.securePort(apiServer),
			"--advertise-address=" + advertised, "--external-hostname=localhost", "--endpoint-reconciler-type=none",
			"--tls-cert-file=" + c.pki.Cert(pki.APIServer), "--tls-private-key-file=" + c.pki.Key(pki.APIServer),
			"--etcd-servers=" + c.url(etcd), "--etcd-cafile=" + c.pki.Cert(pki.EtcdCA),
			"--etcd-certfile=" + c.pki.Cert(pki.EtcdClient), "--etcd-keyfile=" + c.pki.Key(pki.EtcdClient),
			"--client-ca-file=" + c.pki.Cert(pki.CA), "--anonymous-auth=false", "--authorization-mode=RBAC",
			"--kubelet-client-certificate=" + c.pki.Cert(pki.KubeletClient), "--kubelet-client-key=" + c.pki.Key(pki.KubeletClient),
			"--kubelet-preferred-address-types=InternalIP",
			"--requestheader-client-ca-file=" + c.pki.Cert(pki.FrontProxyCA), "--requestheader-allowed-names=front-proxy-client",
			"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
			"--requestheader-extra-headers-prefix=X-Remote-Extra-",
			"--proxy-client-cert-file=" + c.pki.Cert(pki.FrontProxyClient), "--proxy-client-key-file=" + c.pki.Key(pki.FrontProxyClient),
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file=" + c.pki.Public(), "--service-account-signing-key-file=" + c.pki.Key(pki.ServiceAccount),
			"--service-cluster-ip-range=" + serviceCIDR, "--allow-privileged",
			"--max-requests-inflight=1000", "--max-mutating-requests-inflight=500",
			"--profiling=false",
		},
	}
}

func (c *cluster) controllerManager() component {
	return component{
		name: controllerManager, health: c.url(controllerManager) + "/healthz", client: pki.Admin, ca: pki.CA, grace: 3 * time.Second,
		flags: append(c.behindAPIServer(controllerManager, pki.ControllerManager),
			"--allocate-node-cidrs=false", "--service-cluster-ip-range="+serviceCIDR,
			"--service-account-private-key-file="+c.pki.Key(pki.ServiceAccount), "--root-ca-file="+c.pki.Cert(pki.CA),
			"--cluster-signing-cert-file="+c.pki.Cert(pki.CA), "--cluster-signing-key-file="+c.pki.Key(pki.CA),
			"--concurrent-deployment-syncs=20", "--concurrent-replicaset-syncs=20", "--concurrent-namespace-syncs=20",
		),
	}
}

func (c *cluster) scheduler() component {
	return component{
		name: scheduler, health: c.url(scheduler) + "/healthz", client: pki.Admin, ca: pki.CA, grace: 3 * time.Second,
		flags: c.behindAPIServer(scheduler, pki.Scheduler),
	}
}

// behindAPIServer are the flags that the controller manager and the scheduler share.
func (c *cluster) behindAPIServer(name, pair string) []string {
	return []string{
		"--bind-address=127.0.0.1", c.securePort(name),
		"--tls-cert-file=" + c.pki.Cert(pki.Local), "--tls-private-key-file=" + c.pki.Key(pki.Local),
		"--kubeconfig=" + c.kubeconfigOf(pair),
		"--leader-elect=false", "--profiling=false",
		"--kube-api-qps=200", "--kube-api-burst=300", // the defaults of 20 and 50 are for shared clusters
	}
}

func (c *cluster) kwok() component {
	port := strconv.Itoa(c.ports[kwok])
	return component{
		name: kwok, health: c.url(kwok) + "/healthz", client: pki.Admin, ca: pki.CA, grace: 2 * time.Second,
		flags: []string{
			"--kubeconfig=" + c.kubeconfigOf(pki.Kwok), "--config=" + c.kwokConfig(),
			"--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
			"--node-ip=127.0.0.1", "--node-port=" + port, "--server-address=127.0.0.1:" + port, "--cidr=" + podCIDR,
			"--tls-cert-file=" + c.pki.Cert(pki.Local), "--tls-private-key-file=" + c.pki.Key(pki.Local),
			// Without a lease the node would be NotReady after 40 s.
			"--node-lease-duration-seconds=40",
		},
	}
}

func (c *cluster) url(name string) string {
	return fmt.Sprintf("https://127.0.0.1:%d", c.ports[name])
}

func (c *cluster) securePort(name string) string {
	return "--secure-port=" + strconv.Itoa(c.ports[name])
}

func (c *cluster) kubeconfigOf(pair string) string {
	return filepath.Join(c.dir, "pki", pair+".kubeconfig")
}

func (c *cluster) kwokConfig() string { return filepath.Join(c.dir, "kwok.yaml") }
