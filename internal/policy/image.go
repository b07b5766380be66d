package policy

import (
	"regexp"
	"strings"

	"github.com/cedar-policy/cedar-go"
)

var imageDigest = regexp.MustCompile(`^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,}$`)

// dockerHub is the registry of references that name none.
const dockerHub = "docker.io"

// imageOf is the entity of an image, taken apart the way that container runtimes do.
func imageOf(reference, component, object string) cedar.Entity {
	rest, digest, _ := strings.Cut(reference, "@")
	name, tag := rest, ""
	if colon := strings.LastIndexByte(rest, ':'); colon > strings.LastIndexByte(rest, '/') {
		name, tag = rest[:colon], rest[colon+1:]
	}
	registry, repository, found := strings.Cut(name, "/")
	if !found || !strings.ContainsAny(registry, ".:") && registry != "localhost" && registry == strings.ToLower(registry) {
		registry, repository = dockerHub, name
	}
	registry = strings.ToLower(registry)
	if registry == "index.docker.io" {
		registry = dockerHub
	}
	if registry == dockerHub && !strings.Contains(repository, "/") {
		repository = "library/" + repository
	}
	return cedar.Entity{
		UID:     cedar.NewEntityUID("Image", cedar.String(reference)),
		Parents: cedar.NewEntityUIDSet(cedar.NewEntityUID("Object", cedar.String(object))),
		Attributes: cedar.NewRecord(cedar.RecordMap{
			"reference":  cedar.String(reference),
			"component":  cedar.String(component),
			"object":     cedar.String(object),
			"registry":   cedar.String(registry),
			"repository": cedar.String(repository),
			"tag":        cedar.String(tag),
			"digest":     cedar.String(digest),
			"by_digest":  cedar.Boolean(imageDigest.MatchString(digest)),
		}),
	}
}
