package render

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func digestImage(name, digit string) string {
	return "ghcr.io/acme/" + name + "@sha256:" + strings.Repeat(digit, 64)
}

// TestBuiltLayer: an image that CI built lies above the blueprint, the config sets and what the blueprint computes, and below what a person chose.
func TestBuiltLayer(t *testing.T) {
	t.Parallel()
	image := digestImage("web", "a")
	of := func(change func(*Input), layers ...blueberry.Layer) Input {
		in := shop(layers...)
		in.AppCommit, in.Images = "c0ffee", map[string]string{"web": image}
		change(&in)
		return in
	}
	none := func(*Input) {}
	chosen := func(in *Input) {
		in.Blueprint.Parameters = []blueberry.Parameter{{Name: "image", Default: "ghcr.io/acme/web:default", Sets: []string{"web.image"}}}
	}
	for name, c := range map[string]struct {
		in     Input
		want   string
		reason string
	}{
		"over the blueprint": {of(none), image + " (build ) < ghcr.io/acme/web:1 (blueprint )", "what was built of the commit is what runs"},
		"over a config set":  {of(none, set("a", values{"web": values{"image": "ghcr.io/acme/web:2"}})), image + " (build ) < ghcr.io/acme/web:2 (config_set a) < ghcr.io/acme/web:1 (blueprint )", "a set is for many environments"},
		"below an override":  {of(none, overrides(values{"web": values{"image": "ghcr.io/acme/web:3"}})), "ghcr.io/acme/web:3 (environment ) < " + image + " (build ) < ghcr.io/acme/web:1 (blueprint )", "a person has the word"},
		"over a default":     {of(chosen), image + " (build ) < ghcr.io/acme/web:default (blueprint image) < ghcr.io/acme/web:1 (blueprint )", "a default is the blueprint's"},
		"below a parameter":  {of(func(in *Input) { chosen(in); in.Parameters = values{"image": "ghcr.io/acme/web:4"} }), "ghcr.io/acme/web:4 (environment image) < " + image + " (build ) < ghcr.io/acme/web:1 (blueprint )", "so has one who chose a parameter"},
		"over what is computed": {
			of(func(in *Input) { in.Blueprint.Computed = map[string]string{"web.image": "ghcr.io/acme/web:${commit}"} }),
			image + " (build ) < ghcr.io/acme/web:c0ffee (computed ) < ghcr.io/acme/web:1 (blueprint )", "a tag made of the commit stands for what is not known",
		},
		"over what is computed for all, in spite of an override": {
			of(func(in *Input) {
				in.Blueprint.Computed = map[string]string{"all.image": "ghcr.io/acme/web:${commit}"}
			}, overrides(values{"web": values{"image": "ghcr.io/acme/web:3"}})),
			image + " (build ) < ghcr.io/acme/web:c0ffee (computed ) < ghcr.io/acme/web:1 (blueprint )", "nobody overrides what is computed",
		},
		"none for this one": {of(func(in *Input) { in.Images = map[string]string{} }), "ghcr.io/acme/web:1 (blueprint )", "then all is as before"},
		"forbidden to others": {
			of(func(in *Input) { in.Blueprint.Fields.Forbidden = []string{"*.image"} }, overrides(values{"web": values{"image": "ghcr.io/acme/web:3"}})),
			image + " (build ) < ghcr.io/acme/web:1 (blueprint )", "the class is for people's layers",
		},
		"required": {
			of(func(in *Input) {
				in.Blueprint.Components[0].Image = ""
				in.Blueprint.Fields.Required = []string{"web.image"}
			}),
			image + " (build )", "CI is someone who sets it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := Environment(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := story(t, out.Settings, "web.image"); got != c.want {
				t.Errorf("%s, want %s: %s", got, c.want, c.reason)
			}
			runs, _, _ := strings.Cut(c.want, " ")
			if out.Images["web"] != runs || !strings.Contains(allText(out), "image: "+runs+"\n") {
				t.Errorf("runs %s, want %s", out.Images["web"], runs)
			}
		})
	}
	settings, _, err := Settings(of(none))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(settings, func(s blueberry.Setting) bool { return s.Path == "web.image" })
	if settings[i].Commit != "c0ffee" {
		t.Errorf("the image is said to be of commit %q", settings[i].Commit)
	}
}

// TestImageTexts: a chart is given the image in the parts that its values have.
func TestImageTexts(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"cache.image.all": "${image}", "cache.image.repository": "${image.repository}", "cache.image.tag": "${image.tag}", "cache.image.digest": "${image.digest}",
	}
	digest := "sha256:" + strings.Repeat("a", 64)
	for image, want := range map[string]map[string]any{
		"host:5000/a/cache:1.2@" + digest: {"all": "host:5000/a/cache:1.2@" + digest, "repository": "host:5000/a/cache", "tag": "1.2", "digest": digest},
		"host:5000/cache@" + digest:       {"all": "host:5000/cache@" + digest, "repository": "host:5000/cache", "digest": digest},
		"cache@" + digest:                 {"all": "cache@" + digest, "repository": "cache", "digest": digest},
	} {
		in := shop()
		in.Blueprint.Computed, in.Images = maps.Clone(texts), map[string]string{"cache": image}
		if want["tag"] == nil {
			if _, err := Environment(in); !slices.ContainsFunc(invalid(t, err), func(f blueberry.Fault) bool {
				return f.Field == "computed[cache.image.tag]" && f.Code == "image_required"
			}) {
				t.Errorf("%s has no tag: %v", image, err)
			}
			delete(in.Blueprint.Computed, "cache.image.tag")
		}
		out, err := Environment(in)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for _, s := range out.Settings {
			if key, ok := strings.CutPrefix(s.Path, "cache.image."); ok {
				got[key] = s.Value
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || out.Images["cache"] != image {
			t.Errorf("%s is %s (-want +got):\n%s", image, out.Images["cache"], diff)
		}
	}

	in := shop()
	in.Blueprint.Computed = texts
	_, err := Environment(in)
	var fields []string
	for _, f := range invalid(t, err) {
		fields = append(fields, f.Field+" "+f.Code)
	}
	want := []string{"computed[cache.image.all] image_required", "computed[cache.image.digest] image_required", "computed[cache.image.repository] image_required", "computed[cache.image.tag] image_required"}
	if !cmp.Equal(fields, want) {
		t.Errorf("faults %q, want %q", fields, want)
	}
	in.Looking = true
	if _, err := Environment(in); err != nil {
		t.Errorf("only looked at: %v", err)
	}

	in = shop()
	in.Images = map[string]string{"cache": digestImage("cache", "a")}
	out, err := Environment(in)
	if err != nil || len(out.Warnings) != 1 || out.Warnings[0].Code != "image_unused" || out.Warnings[0].Field != "images.cache" {
		t.Errorf("an image that no value takes: %+v (%v)", out.Warnings, err)
	}
}

// TestBuiltScore: a Score file that leaves its image open is complete with that of CI.
func TestBuiltScore(t *testing.T) {
	t.Parallel()
	in := scoreInput("apiVersion: score.dev/v1b1\nmetadata: {name: worker}\ncontainers: {main: {image: \".\"}}\n")
	if _, err := Environment(in); err == nil {
		t.Error("there is no image, and no fault")
	}
	name := in.Blueprint.Components[0].Name
	in.Images = map[string]string{name: digestImage("worker", "b")}
	out, err := Environment(in)
	if err != nil || out.Images[name] != digestImage("worker", "b") {
		t.Errorf("runs %q (%v)", out.Images[name], err)
	}
}

// TestCommitsOfComponents: ${commit} is that of the component whose value it stands in, also where it is said to all.
func TestCommitsOfComponents(t *testing.T) {
	t.Parallel()
	in := shop()
	in.Blueprint.Repositories = []blueberry.SideRepository{{Name: "front", URL: "https://git.example.com/front"}}
	in.Blueprint.Components = []blueberry.Component{
		{Name: "app", Image: "acme/app:1"}, {Name: "own", Image: "acme/own:1"}, {Name: "side", Image: "acme/side:1", Repository: "front"},
	}
	in.Blueprint.Computed = map[string]string{"all.env.COMMIT": "${commit}", "own.env.OWN": "own-${commit}"}
	in.AppCommit, in.Commits = "aaa", map[string]string{"own": "bbb", "side": "ccc"}
	out, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"app.env.COMMIT": "aaa", "own.env.COMMIT": "bbb", "own.env.OWN": "own-bbb", "side.env.COMMIT": "ccc"} {
		if got := story(t, out.Settings, path); got != want+" (computed )" {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	delete(in.Commits, "side")
	if _, err := Environment(in); !slices.ContainsFunc(invalid(t, err), func(f blueberry.Fault) bool { return f.Code == "source_required" }) {
		t.Errorf("the application's commit stands for that of another repository: %v", err)
	}
}

// TestTreesOfComponents: each component reads the files of its own repository, whatever the others have at the same path.
func TestTreesOfComponents(t *testing.T) {
	t.Parallel()
	chart := func(says string) fstest.MapFS {
		return fstest.MapFS{
			"deploy/Chart.yaml":        {Data: []byte("apiVersion: v2\nname: x\nversion: 1.0.0\n")},
			"deploy/values.yaml":       {Data: []byte("says: " + says + "\n")},
			"deploy/templates/cm.yaml": {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Release.Name }}\"}\ndata: {says: \"{{ .Values.says }}\"}\n")},
			"k/kustomization.yaml":     {Data: []byte("resources: [cm.yaml]\n")},
			"k/cm.yaml":                {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: k-" + says + "}\n")},
			"score.yaml":               {Data: []byte("apiVersion: score.dev/v1b1\nmetadata: {name: w}\ncontainers: {main: {image: \"acme/" + says + ":1\"}}\n")},
		}
	}
	in := shop()
	in.Blueprint.Repositories = []blueberry.SideRepository{{Name: "front", URL: "https://git.example.com/front"}}
	in.Blueprint.Components = []blueberry.Component{
		{Name: "main", Chart: "deploy"},
		{Name: "side", Chart: "deploy", Repository: "front"},
		{Name: "k-main", Kustomization: "k"},
		{Name: "k-side", Kustomization: "k", Repository: "front"},
		{Name: "s-main", Score: "score.yaml"},
		{Name: "s-side", Score: "score.yaml", Repository: "front"},
	}
	in.Source, in.Sources = chart("ours"), map[string]Tree{"front": {FS: chart("theirs"), Commit: "beef"}}
	out, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	for component, want := range map[string]string{"main": "says: ours", "side": "says: theirs", "k-main": "name: k-ours", "k-side": "name: k-theirs", "s-main": "image: acme/ours:1", "s-side": "image: acme/theirs:1"} {
		i := slices.IndexFunc(out.Files, func(f blueberry.RenderedFile) bool { return f.Component == component })
		if text := string(out.Files[i].Content); !strings.Contains(text, want) {
			t.Errorf("%s does not have %q:\n%s", component, want, text)
		}
	}
	i := slices.IndexFunc(out.Settings, func(s blueberry.Setting) bool { return s.Path == "side.says" })
	if out.Settings[i].Commit != "beef" {
		t.Errorf("the default of the chart is said to be of commit %q", out.Settings[i].Commit)
	}
	for range 3 {
		again, err := Environment(in)
		if err != nil || again.Digest != out.Digest {
			t.Fatalf("the same input renders to something else (%v)", err)
		}
	}
	in.Sources = nil
	_, err = Environment(in)
	var fields []string
	for _, f := range invalid(t, err) {
		fields = append(fields, f.Field+" "+f.Code)
	}
	if want := []string{"components[1].chart source_required", "components[3].kustomization source_required", "components[5].score source_required"}; !cmp.Equal(fields, want) {
		t.Errorf("without the other repository: %q, want %q", fields, want)
	}
}

// TestAComponentNamedImage: what a blueprint computes of a component with this name is what it was before there were images of CI.
func TestAComponentNamedImage(t *testing.T) {
	t.Parallel()
	in := shop()
	in.Blueprint.Components = []blueberry.Component{{Name: "image", Image: "acme/image:1"}, {Name: "web", Image: "acme/web:1"}}
	in.Blueprint.Computed = map[string]string{"web.env.IMAGES": "${image.service}"}
	out, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := story(t, out.Settings, "web.env.IMAGES"); got != "http://image (computed )" {
		t.Errorf("computed %s", got)
	}
}
