package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestAChangeOverOverridesThatMoved lets something happen between the look at the overrides and the change that is made of them.
func TestAChangeOverOverridesThatMoved(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason    string
		meanwhile func(t *testing.T, c *sdk.Client, id string)
		code      int
		says      string
	}{
		"the record alone": {"its version moves by itself", func(t *testing.T, c *sdk.Client, id string) {
			if _, err := c.ExtendEnvironment(t.Context(), id, 1); err != nil {
				t.Error(err)
			}
		}, 0, ""},
		"the overrides": {"someone else's change would be undone", func(t *testing.T, c *sdk.Client, id string) {
			if _, err := c.ChangeEnvironment(t.Context(), id, sdk.ChangeEnvironmentRequest{Overrides: map[string]any{"web": map[string]any{"env": map[string]any{"OTHER": "1"}}}}); err != nil {
				t.Error(err)
			}
		}, cli.ExitRefused, "was changed by someone else at the same time"},
	} {
		for _, plan := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := roomstest.Open(t)
				_, client := r.Serve(t)
				r.Push(shopRepository, map[string]string{"blueberry.yaml": webBlueprint})
				api := r.API(t)
				var once atomic.Bool
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					id, _ := strings.CutPrefix(req.URL.Path, "/v1/environments/")
					if req.Method == http.MethodPatch || req.Method == http.MethodPost && strings.HasSuffix(id, "/plan") {
						if id = strings.TrimSuffix(id, "/plan"); once.CompareAndSwap(false, true) {
							tc.meanwhile(t, client, id)
						}
					}
					api.ServeHTTP(w, req)
				}))
				t.Cleanup(srv.Close)
				p := at(srv.URL)
				p.create(t, "pr-1", "--set", "web.env.A=1")
				args, code := []string{"env", "change", "pr-1", "--set", "web.env.B=2"}, tc.code
				if plan {
					args = append(args, "--plan", "--yes")
				}
				_, said := p.ends(t, code, args...)
				contains(t, tc.reason, said, tc.says)
			})
		}
	}
}
