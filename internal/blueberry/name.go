package blueberry

import (
	"fmt"
	"regexp"
	"strings"
)

// Lengths. A namespace and a host label hold 63 characters (RFC 1123); "<project>-<name>" and "<component>-<name>" must fit.
const (
	MaxProjectName     = 20
	MaxEnvironmentName = 40
	MaxComponentName   = 22
)

var dnsLabel = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)

// CheckName notes what is wrong with a name that becomes part of a DNS label: lower-case letters, digits and dashes, from a letter to a
// letter or digit, at most limit characters.
func (f *Faults) CheckName(field, name string, limit int) {
	switch {
	case name == "":
		f.Add(field, "required", "must be set")
	case len(name) > limit:
		f.Add(field, "too_long", "has %d characters, at most %d are allowed", len(name), limit)
	case !dnsLabel.MatchString(name):
		f.Add(field, "pattern", "%q must be lower-case letters, digits and dashes, starting with a letter and ending with a letter or digit", name)
	}
}

// Namespace is the namespace of an environment: "<project>-<name>".
func Namespace(project, name string) string { return project + "-" + name }

// Host is the host name of a component of an environment: "<component>-<name>.<domain>".
func Host(component, name, domain string) string {
	return fmt.Sprintf("%s-%s.%s", component, name, domain)
}

// PullRequestName is the name of the environment of a pull request: "pr-42".
func PullRequestName(number int) string { return fmt.Sprintf("pr-%d", number) }

// imageRef follows the reference grammar of the OCI distribution specification: [host[:port]/]path[:tag][@digest].
var imageRef = regexp.MustCompile(`^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?/)?` +
	`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*` +
	`(:[\w][\w.-]{0,127})?(@[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,})?$`)

// CheckImage notes what is wrong with an image reference. A reference without tag and digest means whatever is newest today, so it is refused.
func (f *Faults) CheckImage(field, image string) {
	m := imageRef.FindStringSubmatch(image)
	switch {
	case image == "":
		f.Add(field, "required", "must be set")
	case strings.TrimSpace(image) != image || m == nil:
		f.Add(field, "image", "%q is not an image reference", image)
	case m[1] == "" && m[2] == "":
		f.Add(field, "image_unpinned", "%q has neither tag nor digest", image)
	}
}

var imageDigest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
