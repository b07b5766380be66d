package httpapi

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// wishes is what the bodies of create, change and preview have in common, as they came.
type wishes struct {
	blueprint  *sdk.Blueprint
	catalogue  *string
	configSets []string // nil: not given
	parameters map[string]any
	overrides  map[string]any
	strict     bool
}

// read makes the operation's wish of it. at is where it stands in the body.
func (w wishes) read(at string, found *blueberry.Faults) provision.Wish {
	checkSize(found, blueberry.JoinField(at, "parameters"), w.parameters)
	checkSize(found, blueberry.JoinField(at, "overrides"), w.overrides)
	out := provision.Wish{
		Blueprint: readBlueprint(w.blueprint, blueberry.JoinField(at, "blueprint"), found), Catalogue: w.catalogue,
		Parameters: blueberry.PlainValues(w.parameters), Overrides: blueberry.PlainValues(w.overrides), Strict: w.strict,
	}
	if w.configSets != nil {
		out.ConfigSets = &w.configSets
	}
	return out
}

// checkSize notes values that are larger than one document of them may be.
func checkSize(found *blueberry.Faults, field string, values map[string]any) {
	if len(values) == 0 {
		return
	}
	data, err := json.Marshal(values)
	if err != nil {
		panic(err) // it came as JSON
	}
	if len(data) > blueberry.MaxValuesSize {
		found.Add(field, "too_large", "has %d bytes, at most %d are allowed", len(data), blueberry.MaxValuesSize)
	}
}

// given is nil for a text that was left out.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// givenMap is nil for one that was left out; an empty one was not.
func givenMap(m map[string]string) *map[string]string {
	if m == nil {
		return nil
	}
	return &m
}

// wishSource names the repository of a request in which what is empty was left out.
func wishSource(w *provision.Wish, s *sdk.Source) {
	if s != nil {
		w.Repository, w.Ref, w.Path = given(s.Repository), given(s.Ref), given(s.Path)
	}
}

func readCreate(b sdk.CreateEnvironmentRequest, strict bool, found blueberry.Faults) provision.CreateRequest {
	r := provision.CreateRequest{Project: b.Project, Name: b.Name, Target: b.Target, Labels: b.Labels, PlanID: b.PlanID}
	if b.TTLHours != nil {
		if r.Hours = *b.TTLHours; r.Hours == 0 { // for the operation, 0 asks for the blueprint's own
			found.CheckHours("ttl_hours", 0)
		}
	}
	r.Wish = wishes{b.Blueprint, given(b.BlueprintRef), b.ConfigSets, b.Parameters, b.Overrides, b.Strict || strict}.read("", &found)
	wishSource(&r.Wish, b.Source)
	r.Branch, r.Images = given(b.Branch), givenMap(b.Images)
	if b.Drift != nil {
		r.Drift = readDriftPolicy(*b.Drift)
	}
	r.Found = found
	return r
}

// readChange reads a change; at is where it stands in the body.
func readChange(b sdk.ChangeEnvironmentRequest, strict bool, at string, found blueberry.Faults) provision.ChangeRequest {
	r := provision.ChangeRequest{Reason: b.Reason, Refresh: b.Refresh, PlanID: b.PlanID}
	r.Wish = wishes{b.Blueprint, b.BlueprintRef, b.ConfigSets, b.Parameters, b.Overrides, b.Strict || strict}.read(at, &found)
	r.Branch, r.Images = b.Branch, givenMap(b.Images)
	if b.Source != nil {
		r.Repository, r.Ref, r.Path = b.Source.Repository, b.Source.Ref, b.Source.Path
	}
	r.Found = found
	return r
}

func readPreview(b sdk.BlueprintRequest, strict bool, found blueberry.Faults) provision.PreviewRequest {
	r := provision.PreviewRequest{Project: b.Project, Name: b.Name, Files: b.Files}
	r.Wish = wishes{b.Blueprint, given(b.BlueprintRef), b.ConfigSets, b.Parameters, b.Overrides, b.Strict || strict}.read("", &found)
	wishSource(&r.Wish, b.Source)
	r.Found = found
	return r
}

// asAsked gives the faults of a request the field paths of its body. The operation names fields of a blueprint as its file does, and those of a change or
// rollback as if it were asked for alone; inside of a plan it stands below part.
func asAsked(err error, b *sdk.Blueprint, part string) error {
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Invalid {
		return err
	}
	out := *e
	out.Fields = slices.Clone(e.Fields)
	for i := range out.Fields {
		f := &out.Fields[i]
		if b != nil {
			f.Field = inBody.Replace(f.Field)
		}
		if part != "" && f.Field != part && !strings.HasPrefix(f.Field, part+".") {
			f.Field = blueberry.JoinField(part, f.Field)
		}
	}
	return &out
}

var inBody = strings.NewReplacer("blueprint.configSets", "blueprint.config_sets", "blueprint.configUpdates", "blueprint.config_updates")
