package fleet

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	simDriver     = "sim"
	maxKubeconfig = 1 << 20 // bytes; one with a hundred clusters has about 500 KB
	maxContext    = 253     // characters of the name of a context
	maxAddress    = 500     // characters of an address: what people use is far shorter
)

var (
	regionForm    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`) // as cloud providers name theirs
	namespaceForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`) // RFC 1123
)

// check notes everything that is wrong with a target that people want, with its kubeconfigs in the clear.
func (f *Fleet) check(faults *blueberry.Faults, t blueberry.Target) {
	if !slices.Contains(f.Drivers, t.Driver) {
		faults.Add("driver", "enum", "%q is no driver: %s", t.Driver, strings.Join(f.Drivers, ", "))
	}
	if t.Domain == "" {
		faults.Add("domain", "required", "must be set: hosts of environments end in it")
	} else {
		faults.CheckDomain("domain", t.Domain)
	}
	if t.Region != "" && !regionForm.MatchString(t.Region) {
		faults.Add("region", "pattern", "%q is no region, as europe-west6", t.Region)
	}
	checkKubeconfig(faults, "kubeconfig", t.Kubeconfig, t.Driver)
	checkLine(faults, "context", t.Context, maxContext)
	if t.Argo.Namespace != "" && !namespaceForm.MatchString(t.Argo.Namespace) {
		faults.Add("argo.namespace", "pattern", "%q is no name of a namespace", t.Argo.Namespace)
	}
	checkKubeconfig(faults, "argo.kubeconfig", t.Argo.Kubeconfig, t.Driver)
	checkAddress(faults, "argo.repository", t.Argo.Repository)
	checkAddress(faults, "argo.destination", t.Argo.Destination)
	checkAddress(faults, "gateway", t.Gateway)
	if c := t.Capacity; c != nil {
		for _, x := range []struct {
			name  string
			value int64
		}{{"cpu", c.CPU}, {"memory", c.Memory}, {"pods", c.Pods}, {"storage", c.Storage}} {
			if x.value < 0 {
				faults.Add("capacity."+x.name, "range", "is %d, must not be below zero", x.value)
			}
		}
	}
}

func checkKubeconfig(faults *blueberry.Faults, field string, kubeconfig []byte, driver string) {
	switch {
	case len(kubeconfig) == 0:
	case driver == simDriver:
		faults.Add(field, "forbidden", "a simulated target has no cluster")
	case len(kubeconfig) > maxKubeconfig:
		faults.Add(field, "too_long", "has %d bytes, at most %d are allowed", len(kubeconfig), maxKubeconfig)
	}
}

func checkLine(faults *blueberry.Faults, field, text string, limit int) {
	if strings.ContainsAny(text, "\n\t") {
		faults.Add(field, "text", "must be one line")
		return
	}
	faults.CheckText(field, text, limit)
}

func checkAddress(faults *blueberry.Faults, field, address string) {
	switch {
	case address == "":
	case len(address) > maxAddress:
		faults.Add(field, "too_long", "has %d characters, at most %d are allowed", len(address), maxAddress)
	default:
		faults.CheckHTTP(field, address)
	}
}

// openChecked makes a driver of a target that people want, with its kubeconfigs in the clear, or gives all of the faults: those that were found, and what
// is wrong with the kubeconfigs. What else went wrong is given as it is.
func (f *Fleet) openChecked(ctx context.Context, faults *blueberry.Faults, t blueberry.Target) (Driver, error) {
	if !slices.Contains(f.Drivers, t.Driver) || len(t.Kubeconfig) > maxKubeconfig || len(t.Argo.Kubeconfig) > maxKubeconfig {
		return nil, faults.Err() // noted, and nothing to open
	}
	d, err := f.Open(ctx, t)
	if err == nil {
		if err := faults.Err(); err != nil {
			d.Close()
			return nil, err
		}
		return d, nil
	}
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Invalid {
		return nil, fmt.Errorf("open target %s: %w", t.Name, err)
	}
	if len(e.Fields) == 0 {
		faults.Add("kubeconfig", "unusable", "%s", e.Detail)
	}
	for _, x := range e.Fields {
		if !slices.ContainsFunc([]string{"kubeconfig", "argo", "context", "driver"}, func(root string) bool { return strings.HasPrefix(x.Field, root) }) {
			x.Field = blueberry.JoinField("kubeconfig", x.Field)
		}
		if !slices.Contains(*faults, x) {
			*faults = append(*faults, x)
		}
	}
	return nil, faults.Err()
}
