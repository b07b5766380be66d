package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestAllFaultsInOneProblem: an unknown field does not hide what only the operation can find.
func TestAllFaultsInOneProblem(t *testing.T) {
	t.Parallel()
	s := start(t, newHost(t, "--target-driver", "sim"))
	body := `{"name":"Bad","ttl_hours":0,"project":"none","colour":"red","Target":"local","source":{"repository":"/nowhere/at/all","branch":"main"}}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/environments", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Client.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var p sdk.Problem
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.Field+" "+f.Code)
	}
	want := []string{"Target unknown_field", "colour unknown_field", "name pattern", "project unknown", "source.branch unknown_field", "source.repository repository_not_found", "ttl_hours range"}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" || res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%s -want +got\n%s", res.Status, diff)
	}
	page, err := s.Client.ListEnvironments(t.Context(), sdk.EnvironmentFilter{})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("%d environments were stored (%v)", len(page.Items), err)
	}
}

// TestSlowBodiesAreCut: a stranger who sends a body drop by drop gets the refusal at once, and holds no connection; the server stops as it should.
func TestSlowBodiesAreCut(t *testing.T) {
	t.Parallel()
	s := start(t, newHost(t, "--target-driver", "sim"))
	for _, path := range []string{"/v1/environments", "/git/gitops.git/git-receive-pack", "/healthz"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{", path)
		if err := conn.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(conn)
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Errorf("%s: no answer: %v", path, err)
			continue
		}
		if res.StatusCode < 400 {
			t.Errorf("%s: %s", path, res.Status)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := r.ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: the connection is still open: %v", path, err)
		}
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// TestNamespaceThatAnotherHandRelabelled: what was made for an environment and now claims to be another's is neither deleted nor called gone.
func TestNamespaceThatAnotherHandRelabelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	s := start(t, kubeHost(t))
	e := waitPhase(ctx, t, s, create(ctx, t, s, "relabelled").ID, sdk.Ready)
	kubectl(ctx, t, "label", "namespace", e.Namespace, blueberry.LabelEnvironment+"=zzz", "--overwrite")
	if _, err := s.Client.DestroyEnvironment(ctx, e.ID); err != nil {
		t.Fatal(err)
	}
	got, err := s.Client.GetEnvironment(ctx, e.ID)
	for err == nil && got.Phase == sdk.Terminating && reasonOf(got, "Synced") != blueberry.ReasonRefused {
		got, err = s.Client.GetEnvironment(ctx, e.ID)
	}
	if err != nil || got.Phase != sdk.Terminating {
		t.Fatalf("it is %s, Synced because %s (%v)", got.Phase, reasonOf(got, "Synced"), err)
	}
	kubectl(ctx, t, "label", "namespace", e.Namespace, blueberry.LabelEnvironment+"="+e.Name, "--overwrite")
	waitPhase(ctx, t, s, e.ID, sdk.Terminated)
	if out, err := tryKubectl(ctx, t, "get", "namespace", e.Namespace); err == nil {
		t.Errorf("the namespace is still there: %s", out)
	}
}
