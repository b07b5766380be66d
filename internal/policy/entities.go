package policy

import (
	"slices"

	"github.com/cedar-policy/cedar-go"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// world is what rules see while one resource is judged. It is the resource's own: two objects may have an image of one name.
type world struct {
	fixed    cedar.EntityMap
	resource cedar.Entity
}

// Get finds an entity.
func (w world) Get(uid cedar.EntityUID) (cedar.Entity, bool) {
	if uid == w.resource.UID {
		return w.resource, true
	}
	e, ok := w.fixed[uid]
	return e, ok
}

// subject is one thing that rules are asked about.
type subject struct {
	entity cedar.Entity
	name   string // in verdicts
}

// subjects gives all that a plan is judged by, and the entities that are known all the while.
func subjects(q Question, withManifest bool) ([]subject, cedar.EntityMap) {
	environment := environmentOf(q)
	fixed := cedar.EntityMap{environment.UID: environment}
	for _, e := range append(actions(), actorOf(q.Actor, q.Environment.Project)) {
		fixed[e.UID] = e
	}
	list := []subject{{environment, "environment " + q.Environment.Name}}
	for _, m := range q.Manifests {
		object, images := objectOf(m, environment.UID, withManifest)
		fixed[object.UID] = object
		list = append(list, subject{object, m.String()})
		for _, reference := range images {
			list = append(list, subject{imageOf(reference, m.Component, m.String()), "image " + reference + " of " + m.String()})
		}
	}
	return list, fixed
}

func actions() []cedar.Entity {
	var out []cedar.Entity
	for _, kind := range []blueberry.PlanKind{blueberry.PlanCreate, blueberry.PlanChange, blueberry.PlanRollback, blueberry.PlanDestroy} {
		out = append(out, cedar.Entity{UID: actionUID(kind)})
	}
	return out
}

func actionUID(kind blueberry.PlanKind) cedar.EntityUID {
	return cedar.NewEntityUID("Action", cedar.String(kind))
}

func actorUID(a blueberry.Actor) cedar.EntityUID {
	kind := cedar.EntityType("User")
	switch a.Kind {
	case blueberry.ActorToken:
		kind = "Token"
	case blueberry.ActorClient:
		kind = "Client"
	case blueberry.ActorJob:
		kind = "Job"
	case blueberry.ActorUser, blueberry.ActorHost:
	}
	return cedar.NewEntityUID(kind, cedar.String(a.Name))
}

// actorOf gives who asks, with what they may do in the project.
func actorOf(a blueberry.Actor, project string) cedar.Entity {
	var grants []string
	for _, g := range a.In(project) {
		grants = append(grants, string(g))
	}
	return cedar.Entity{
		UID: actorUID(a),
		Attributes: cedar.NewRecord(cedar.RecordMap{
			"name":   cedar.String(a.Name),
			"kind":   cedar.String(a.Kind),
			"grants": setOf(grants),
		}),
	}
}

func environmentOf(q Question) cedar.Entity {
	e := q.Environment
	kind := e.Kind()
	if kind == blueberry.Standing && q.LeaseHours > 0 {
		kind = blueberry.Ephemeral // it does not have its lease yet
	}
	var components []string
	for _, c := range q.Inputs.Blueprint.Components {
		components = append(components, c.Name)
	}
	slices.Sort(components)
	var repositories []string
	for _, x := range q.Inputs.Sources {
		repositories = append(repositories, x.Repository)
	}
	if q.Inputs.Source.Repository != "" {
		repositories = append(repositories, q.Inputs.Source.Repository)
	}
	slices.Sort(repositories)
	return cedar.Entity{
		UID: cedar.NewEntityUID("Environment", cedar.String(e.Project+"/"+e.Name)),
		Attributes: cedar.NewRecord(cedar.RecordMap{
			"project":      cedar.String(e.Project),
			"name":         cedar.String(e.Name),
			"kind":         cedar.String(kind),
			"target":       cedar.String(e.Target),
			"lease_hours":  cedar.Long(q.LeaseHours),
			"blueprint":    cedar.String(q.Inputs.Blueprint.Name),
			"catalogue":    cedar.String(q.Inputs.Catalogue.String()),
			"repository":   cedar.String(q.Inputs.Source.Repository),
			"repositories": setOf(slices.Compact(repositories)),
			"restricted":   cedar.Boolean(e.Restricted),
			"commit":       cedar.String(q.Inputs.Source.Commit),
			"components":   setOf(components),
			"cpu":          cedar.Long(q.Demand.CPU),
			"memory":       cedar.Long(q.Demand.Memory),
			"pods":         cedar.Long(q.Demand.Pods),
			"storage":      cedar.Long(q.Demand.Storage),
		}),
	}
}
