package devcluster

import (
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// The extras that a cluster may be started with.
const (
	ArgoCD = "argocd"
	// ArgoCDApplicationSets is Argo CD with its controller of ApplicationSets, which we only measure ourselves against.
	ArgoCDApplicationSets = "argocd-applicationset"
	Rollouts              = "rollouts" // Argo Rollouts
	Metrics               = "metrics"  // metrics-server
)

// Extras are the names of all.
func Extras() []string { return []string{ArgoCD, ArgoCDApplicationSets, Rollouts, Metrics} }

// CheckWith returns an Invalid error that lists the known names when one is not known.
func CheckWith(names []string) error {
	for _, name := range names {
		if !slices.Contains(Extras(), name) {
			return blueberry.Errorf(blueberry.Invalid, "DEVCLUSTER_EXTRA_UNKNOWN",
				"the development cluster cannot be started with %q: the known names are %s", name, strings.Join(Extras(), ", "))
		}
	}
	return nil
}

// part is one binary: the cluster itself or an extra.
type part struct {
	title    string   // in what people are told
	suffix   string   // of its file, after that of the cluster
	dir      string   // of its module, below that of the cluster
	pkg      string   // package to build
	upstream string   // module whose version is its own
	set      []string // variables to set to that version
	keep     []string // files of the upstream module that it needs beside it, in <binary>.d, as patterns
}

// base is the cluster itself.
func base() part {
	return part{title: "the development cluster", pkg: ".", upstream: "k8s.io/kubernetes"}
}

// partOf is the binary of an extra.
func partOf(name string) part {
	switch name {
	case Rollouts:
		return part{
			title: "Argo Rollouts", suffix: "-rollouts", dir: "rollouts",
			pkg: "github.com/argoproj/argo-rollouts/cmd/rollouts-controller", upstream: "github.com/argoproj/argo-rollouts",
			set: []string{"github.com/argoproj/argo-rollouts/utils/version.version"}, keep: []string{"manifests/crds/*-crd.yaml"},
		}
	case Metrics:
		return part{
			title: "metrics-server", suffix: "-metrics", dir: "metrics",
			pkg: "sigs.k8s.io/metrics-server/cmd/metrics-server", upstream: "sigs.k8s.io/metrics-server",
			set: []string{"sigs.k8s.io/metrics-server/pkg/version.gitVersion"},
		}
	}
	return part{
		title: "Argo CD", suffix: "-argocd", dir: "argocd",
		pkg: "github.com/argoproj/argo-cd/v3/cmd", upstream: "github.com/argoproj/argo-cd/v3",
		set:  []string{"github.com/argoproj/argo-cd/v3/common.version"},
		keep: []string{"manifests/crds/*-crd.yaml", "manifests/base/config/argocd-*.yaml", "hack/git-verify-wrapper.sh", "hack/gpg-wrapper.sh"},
	}
}

// parts are the binaries that a cluster with these extras needs, each once.
func parts(with []string) []part {
	all := []part{base()}
	for _, name := range Extras() {
		p := partOf(name)
		if slices.Contains(with, name) && !slices.ContainsFunc(all, func(q part) bool { return q.suffix == p.suffix }) {
			all = append(all, p)
		}
	}
	return all
}

func (p part) module() string {
	if p.dir == "" {
		return modulePath
	}
	return modulePath + "/" + p.dir
}

// ldflags make the binary smaller and tell it its version; without it the API server calls itself v0.0.0.
func (p part) ldflags(version string) string {
	flags := []string{"-s", "-w"}
	for _, variable := range p.set {
		value := version
		if p.dir == "argocd" || p.dir == "rollouts" {
			value = strings.TrimPrefix(version, "v") // they put it there themselves
		}
		flags = append(flags, "-X", variable+"="+value)
	}
	if p.dir == "" {
		flags = append(flags, kubernetesFlags(version)...)
	}
	return strings.Join(flags, " ")
}

func kubernetesFlags(version string) (flags []string) {
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, x := range [][2]string{{"gitVersion", version}, {"gitMajor", major}, {"gitMinor", minor}, {"gitTreeState", "clean"}} {
			flags = append(flags, "-X", pkg+"."+x[0]+"="+x[1])
		}
	}
	return flags
}

// withFlag is what the helper binary is told: each extra with its program.
func withFlag(bin string, with []string) string {
	var each []string
	for _, name := range with {
		each = append(each, name+"="+bin+partOf(name).suffix)
	}
	return strings.Join(each, ",")
}
