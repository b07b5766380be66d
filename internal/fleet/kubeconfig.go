package fleet

import (
	"fmt"
	"net/url"

	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// kubeconfigBound and argoKubeconfigBound are what the kubeconfigs of a target are bound to: their columns in the record, and its name.
func kubeconfigBound(name string) string     { return "targets.kubeconfig:" + name }
func argoKubeconfigBound(name string) string { return "targets.argo_kubeconfig:" + name }

// sealed gives a target of the record with its kubeconfigs sealed.
func (f *Fleet) sealed(t blueberry.Target) (blueberry.Target, error) {
	return throughSeal(t, "seal", f.sealer().Seal)
}

// Unsealed gives a target of the record with its kubeconfigs in the clear, for who opens drivers.
func (f *Fleet) Unsealed(t blueberry.Target) (blueberry.Target, error) {
	return throughSeal(t, "open", f.sealer().Open)
}

func (f *Fleet) sealer() Sealer {
	if f.Seal == nil {
		return noSealer{}
	}
	return f.Seal
}

func throughSeal(t blueberry.Target, doing string, through func([]byte, string) ([]byte, error)) (blueberry.Target, error) {
	var err error
	if len(t.Kubeconfig) > 0 {
		if t.Kubeconfig, err = through(t.Kubeconfig, kubeconfigBound(t.Name)); err != nil {
			return blueberry.Target{}, fmt.Errorf("%s the kubeconfig of target %s: %w", doing, t.Name, err)
		}
	}
	if len(t.Argo.Kubeconfig) > 0 {
		if t.Argo.Kubeconfig, err = through(t.Argo.Kubeconfig, argoKubeconfigBound(t.Name)); err != nil {
			return blueberry.Target{}, fmt.Errorf("%s the kubeconfig of the Argo CD of target %s: %w", doing, t.Name, err)
		}
	}
	return t, nil
}

// noSealer refuses: a kubeconfig is kept sealed or not at all.
type noSealer struct{}

func (noSealer) Seal([]byte, string) ([]byte, error) { return nil, errNoKeys }
func (noSealer) Open([]byte, string) ([]byte, error) { return nil, errNoKeys }

var errNoKeys = blueberry.Errorf(blueberry.Unavailable, "KEYS_MISSING", "the server has no keys to seal a kubeconfig with")

// withoutSecrets gives a target that may be shown.
func withoutSecrets(t blueberry.Target) blueberry.Target {
	t.Kubeconfig, t.Argo.Kubeconfig = nil, nil
	return t
}

// serverOf is the address of the API server that a kubeconfig names in a context (empty: in its current one); empty when it names none.
func serverOf(kubeconfig []byte, context string) string {
	var k struct {
		Clusters []struct {
			Name    string `json:"name"`
			Cluster struct {
				Server string `json:"server"`
			} `json:"cluster"`
		} `json:"clusters"`
		Contexts []struct {
			Name    string `json:"name"`
			Context struct {
				Cluster string `json:"cluster"`
			} `json:"context"`
		} `json:"contexts"`
		Current string `json:"current-context"`
	}
	if yaml.Unmarshal(kubeconfig, &k) != nil {
		return ""
	}
	if context == "" {
		context = k.Current
	}
	for _, x := range k.Contexts {
		if x.Name != context {
			continue
		}
		for _, c := range k.Clusters {
			if c.Name == x.Context.Cluster {
				return shown(c.Cluster.Server)
			}
		}
	}
	return ""
}

// shown is an address without what may be a credential.
func shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
