package oauth_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// withoutNode says that a machine has no Node.js, in the manner of BLUEBERRY_TEST_WITHOUT_POSTGRES.
const withoutNode = "BLUEBERRY_TEST_WITHOUT_NODE"

// TestNodeClient has oauth4webapi, a client of npm, complete each flow.
func TestNodeClient(t *testing.T) {
	t.Parallel()
	if os.Getenv(withoutNode) == "1" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s=1 in CI: a test that was skipped is a test that did not hold", withoutNode)
		}
		t.Logf("%s=1: not run with a client of npm", withoutNode)
		return
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("Node.js 20 or later is needed; %s=1 runs the tests without: %v", withoutNode, err)
	}
	const dir = "testdata/client"
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oauth4webapi")); err != nil {
		install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = dir
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}
	h := newHouse(t)
	confidential, open := h.client(nil), h.client(public)
	given, err := json.Marshal(map[string]any{
		"issuer": h.Issuer, "redirect": page,
		"confidential": map[string]string{"id": confidential.Client.ID, "secret": confidential.Secret},
		"open":         map[string]string{"id": open.Client.ID},
	})
	h.must(err)
	run := exec.CommandContext(t.Context(), node, "flows.mjs", string(given))
	run.Dir = dir
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("the client failed: %v\n%s", err, out)
	}
	if n := strings.Count(string(out), "\n"); n != 8 {
		t.Errorf("the client did %d of 8 things:\n%s", n, out)
	}
	if h.logs.String() != "" {
		t.Errorf("logs = %s", h.logs)
	}
}
