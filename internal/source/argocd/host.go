package argocd

import (
	"net/http"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Host is the notifications of Argo CD.
type Host struct{}

// Named gives nothing: Argo CD numbers no deliveries, and has one kind of them.
func (Host) Named(http.Header) (id, event string) { return "", "notification" }

// Signed reports whether the call holds one of the secrets.
func (Host) Signed(h http.Header, _ []byte, secrets []string, _ time.Time) bool {
	return source.TokenOf(secrets, source.Once(h, "X-Blueberry-Token"))
}

type notification struct {
	Event      string `json:"event"`
	App        string `json:"app"`
	Namespace  string `json:"namespace"`
	Project    string `json:"project"`
	Sync       string `json:"sync"`
	Health     string `json:"health"`
	Phase      string `json:"phase"`
	Revision   string `json:"revision"`
	Message    string `json:"message"`
	FinishedAt string `json:"finishedAt"`
}

// Read tells what a delivery says.
func (Host) Read(_ http.Header, body []byte) (source.Incoming, error) {
	var said notification
	if err := source.Decode(body, &said); err != nil {
		return source.Incoming{}, err
	}
	var r source.Reading
	text := func(field, value string) string { return r.Text(field, value, source.MaxName) }
	s := blueberry.EnvironmentSign{Application: text("app", said.App), Namespace: text("namespace", said.Namespace), At: r.Time("finishedAt", said.FinishedAt)}
	if said.App == "" && said.Namespace == "" {
		r.Name("app", "")
	}
	text("project", said.Project)
	sync, health, phase := text("sync", said.Sync), text("health", said.Health), text("phase", said.Phase)
	if s.Event = text("event", said.Event); s.Event == "" {
		s.Event = event(sync, health, phase)
	}
	var parts []string
	for _, x := range []struct{ name, value string }{{"sync", sync}, {"health", health}, {"operation", phase}, {"revision", text("revision", said.Revision)}} {
		if x.value != "" {
			parts = append(parts, x.name+" "+x.value)
		}
	}
	s.Message = strings.Join(parts, ", ")
	if m := strings.Join(strings.Fields(r.Title(said.Message)), " "); m != "" {
		s.Message = strings.TrimPrefix(s.Message+": "+m, ": ")
	}
	return r.Give(source.Incoming{Sign: &s})
}

// event names what is told: the worst of it.
func event(sync, health, phase string) string {
	switch {
	case phase == "Failed" || phase == "Error":
		return "sync-failed"
	case health == "Degraded" || health == "Missing":
		return "health-" + strings.ToLower(health)
	case phase != "":
		return "sync-" + strings.ToLower(phase)
	case sync != "":
		return "sync-status-" + strings.ToLower(sync)
	}
	return "notification"
}
