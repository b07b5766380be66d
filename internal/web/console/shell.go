package console

import (
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// shellView is where a command can run.
type shellView struct {
	environmentView
	Containers []sdk.Container // that run
	Chosen     string          // pod and container, as podContainer has them
	Nonce      string          // by which the terminal may bring a style of its own
	Why        string          // there is no shell now; empty when there may be one
}

func environmentShell(v *visit) (page, error) {
	e, err := v.environment("shell")
	if err != nil {
		return page{}, err
	}
	s := shellView{environmentView: e, Nonce: rand.Text()}
	if !v.may(e.Project, blueberry.GrantEnvironmentsExec) {
		return page{}, &sdk.Problem{Status: http.StatusForbidden, Code: "GRANT_MISSING", Detail: v.who.Name + " lacks the grant " + string(blueberry.GrantEnvironmentsExec)}
	}
	switch {
	case e.Restricted:
		s.Why = "It runs code that nobody vouches for, so nobody runs commands in it."
	case e.Environment.Sleep.Asleep:
		s.Why = "It is asleep and runs no pod. Wake it first."
	case e.Phase == sdk.Terminating || e.Phase == sdk.Terminated:
		s.Why = "It has ended, or is about to."
	default:
		list, problem := v.containers(e)
		if problem != "" {
			s.Why = sentence(problem)
			break
		}
		for _, c := range list {
			if !c.Init && strings.HasPrefix(c.State, "running") {
				s.Containers = append(s.Containers, c)
			}
		}
		if len(s.Containers) == 0 {
			s.Why = "No container runs now. Its overview says what it waits for."
		}
	}
	if q := v.r.URL.Query(); q.Get("pod") != "" {
		s.Chosen = q.Get("pod") + "/" + q.Get("container")
	}
	// The terminal draws with style sheets that it makes itself. They are let in by a word of this one answer; no page lets any other in.
	const header = "Content-Security-Policy"
	v.w.Header().Set(header, strings.Replace(v.w.Header().Get(header), "style-src 'self'", "style-src 'self' 'nonce-"+s.Nonce+"'", 1))
	p := e.page("Shell", page{Body: shellBody(s)})
	p.Watch = interest{} // made anew, the page would end what runs
	return p, nil
}

func podContainer(c sdk.Container) string { return c.Pod + "/" + c.Name }
