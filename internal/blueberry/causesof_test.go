package blueberry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestCausesOf(t *testing.T) {
	t.Parallel()
	type is struct {
		code     blueberry.CauseCode
		severity blueberry.Severity
	}
	for reason, c := range map[string]struct {
		condition blueberry.Condition
		left      time.Duration // of the lease; 0 for none
		want      []is
	}{
		"nothing is wrong":            {blueberry.Condition{Type: blueberry.Synced, Status: blueberry.True, Code: blueberry.CodeTargetRefused}, 0, nil},
		"what waits by itself is not": {blueberry.Condition{Type: blueberry.Synced, Status: blueberry.False, Reason: blueberry.ReasonWaiting}, 0, nil},
		"Git refuses":                 {blueberry.Condition{Type: blueberry.Committed, Status: blueberry.False, Code: blueberry.CodeGitRefused}, 0, []is{{blueberry.CauseGitRefused, blueberry.Fails}}},
		"Git denies":                  {blueberry.Condition{Type: blueberry.Committed, Status: blueberry.False, Code: blueberry.CodeGitDenied}, 0, []is{{blueberry.CauseGitRefused, blueberry.Fails}}},
		"Git is away":                 {blueberry.Condition{Type: blueberry.Committed, Status: blueberry.False, Reason: blueberry.ReasonRepositoryUnavailable}, 0, []is{{blueberry.CauseGitUnreachable, blueberry.Waits}}},
		"the target is away, of old":  {blueberry.Condition{Type: blueberry.Synced, Status: blueberry.False, Reason: blueberry.ReasonTargetUnavailable}, 0, []is{{blueberry.CauseTargetUnreachable, blueberry.Waits}}},
		"the code is nearer than the reason": {
			blueberry.Condition{Type: blueberry.Synced, Status: blueberry.False, Reason: blueberry.ReasonTargetUnavailable, Code: blueberry.CodeTargetWebhook}, 0, []is{{blueberry.CauseWebhookTimeout, blueberry.Waits}},
		},
		"Argo CD": {blueberry.Condition{Type: blueberry.Synced, Status: blueberry.False, Code: blueberry.CodeArgoSync}, 0, []is{{blueberry.CauseArgoSync, blueberry.Fails}}},
		"a lease of two hours is not about to end": {blueberry.Condition{}, 2 * time.Hour, nil},
		"a lease that ends comes last": {
			blueberry.Condition{Type: blueberry.Synced, Status: blueberry.False, Code: blueberry.CodeWaveWaiting},
			time.Hour,
			[]is{{blueberry.CauseWaveWaiting, blueberry.Waits}, {blueberry.CauseLeaseEnding, blueberry.Warns}},
		},
	} {
		e := blueberry.Environment{Name: "pr-1", Phase: blueberry.Provisioning, Conditions: blueberry.NewConditions(noon)}
		c.condition.Message = "said the target, word for word"
		blueberry.SetCondition(e.Conditions, c.condition, noon)
		if c.left > 0 {
			e.Lease.ExpiresAt = noon.Add(c.left)
		}
		var got []is
		for _, x := range blueberry.CausesOf(e, noon) {
			got = append(got, is{x.Code, x.Severity})
			if x.Fix == "" || x.Step != x.Code.Step() || x.Code != blueberry.CauseLeaseEnding && !strings.HasSuffix(x.Message, ": said the target, word for word") {
				t.Errorf("%s: %+v", reason, x)
			}
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(is{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
}

func TestEveryCauseHasAStepInTheOrderOfTheWaterfall(t *testing.T) {
	t.Parallel()
	order, at := map[blueberry.ConditionType]int{}, 0
	for i, c := range blueberry.NewConditions(noon) {
		order[c.Type] = i
	}
	order[""] = len(order)
	for _, code := range blueberry.CauseCodes() {
		n, ok := order[code.Step()]
		if !ok || n < at {
			t.Errorf("%s is of step %q, and one before it is of a later one", code, code.Step())
		}
		at = n
	}
}

func TestMergeCauses(t *testing.T) {
	t.Parallel()
	ref := blueberry.ObjectRef{APIVersion: "v1", Kind: "Widget", Name: "a"}
	plain := blueberry.Cause{Code: blueberry.CauseKindUnknown, Severity: blueberry.Waits, Message: "a kind is not known"}
	named := plain
	named.Object = ref
	crash := blueberry.Cause{Code: blueberry.CauseCrash, Severity: blueberry.Fails, Message: "ends"}
	got := blueberry.MergeCauses([]blueberry.Cause{plain}, []blueberry.Cause{named, crash, named})
	if diff := cmp.Diff([]blueberry.Cause{crash, named}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConditionCode(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"":            nil,
		"OWN":         fmt.Errorf("sync: %w", blueberry.Errorf(blueberry.Invalid, "OWN", "no")),
		"of_a_fault":  &blueberry.Error{Kind: blueberry.Invalid, Fields: []blueberry.Fault{{Code: "of_a_fault"}}},
		"OWN_AND_ALL": &blueberry.Error{Code: "OWN_AND_ALL", Fields: []blueberry.Fault{{Code: "of_a_fault"}}},
	} {
		if got := blueberry.ConditionCode(err); got != want {
			t.Errorf("code of %v is %q, want %q", err, got, want)
		}
	}
}

func TestEvidenceHidesSecrets(t *testing.T) {
	t.Parallel()
	const secret = "Tr0ub4dor&3xkcd"
	for reason, c := range map[string]struct{ text, want string }{
		"plain text stays":      {"panic: no route to host\nexit", "panic: no route to host\nexit"},
		"an assignment":         {"connect DB_PASSWORD=" + secret + " now\nnext", "connect DB_PASSWORD=(hidden) now\nnext"},
		"JSON":                  {`{"user":"a","password":"` + secret + `"}`, `{"user":"a","password":(hidden)}`},
		"a known form of token": {"using gh" + "p_16C7e42F292c6912E7710c838347Ae178B4a now", "using (hidden) now"},
		"what is no secret":     {"listen port=8080 path=/healthz", "listen port=8080 path=/healthz"},
	} {
		if got := blueberry.NewEvidence("log", c.text, noon).Text; got != c.want {
			t.Errorf("%s: got %q, want %q", reason, got, c.want)
		}
	}
	long := blueberry.NewEvidence("log", strings.Repeat("ä", 5000)+"end", time.Time{}).Text
	if n := len([]rune(long)); n != blueberry.MaxEvidence || !strings.HasSuffix(long, "end") {
		t.Errorf("a long text has %d characters and ends in %q", n, long[len(long)-3:])
	}
}

func TestProbeCause(t *testing.T) {
	t.Parallel()
	const dns = `Get "https://web.example.com": dial tcp: lookup web.example.com: no such host`
	for reason, c := range map[string]struct {
		status   int
		failure  string
		after    time.Duration
		code     blueberry.CauseCode // empty: nothing is told
		severity blueberry.Severity
	}{
		"it answers":                {200, "", time.Hour, "", ""},
		"it wants a sign-in":        {401, "", time.Hour, "", ""},
		"a 404 is never a failure":  {404, "", time.Hour, blueberry.CauseURL, blueberry.Warns},
		"at first a warning":        {503, "", blueberry.ProbeGrace - 1, blueberry.CauseURL, blueberry.Warns},
		"then a failure":            {503, "", blueberry.ProbeGrace, blueberry.CauseURL, blueberry.Fails},
		"a name that is not known":  {0, dns, time.Minute, blueberry.CauseDNS, blueberry.Warns},
		"for long":                  {0, dns, time.Hour, blueberry.CauseDNS, blueberry.Fails},
		"nobody listens":            {0, "dial tcp 127.0.0.1:80: connect: connection refused", time.Hour, blueberry.CauseURL, blueberry.Fails},
		"a bad certificate":         {0, "tls: failed to verify certificate: x509: certificate signed by unknown authority", time.Hour, blueberry.CauseURL, blueberry.Fails},
		"before it was ready first": {503, "", -1, "", ""},
	} {
		first := noon
		if c.after < 0 {
			first = time.Time{}
		}
		got, told := blueberry.ProbeCause("web.example.com", c.status, c.failure, first, noon.Add(c.after))
		if told != (c.code != "") || got.Code != c.code || got.Severity != c.severity || told && (got.Fix == "" || got.Message == "" || len(got.Evidence) != 1) {
			t.Errorf("%s: got %+v, %t", reason, got, told)
		}
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	e := blueberry.Environment{CreatedAt: noon, Conditions: blueberry.NewConditions(noon)}
	for i, c := range []blueberry.ConditionType{blueberry.Committed, blueberry.Synced} {
		blueberry.SetCondition(e.Conditions, blueberry.Condition{Type: c, Status: blueberry.True}, noon.Add(time.Duration(i+1)*10*time.Second))
	}
	blueberry.SetCondition(e.Conditions, blueberry.Condition{Type: blueberry.Scheduled, Status: blueberry.False}, noon.Add(21*time.Second))
	type line struct {
		Type  blueberry.ConditionType
		Began time.Duration // since noon; -1 for not yet
		Took  time.Duration
		Over  bool
	}
	lines := func(now time.Time) (out []line) {
		for _, s := range blueberry.Steps(e, now) {
			l := line{s.Type, -1, s.Took, s.Over}
			if !s.Began.IsZero() {
				l.Began = s.Began.Sub(noon)
			}
			out = append(out, l)
		}
		return out
	}
	want := []line{
		{blueberry.Rendered, 0, 0, false},
		{blueberry.Committed, 0, 10 * time.Second, false},
		{blueberry.Synced, 10 * time.Second, 10 * time.Second, false},
		{blueberry.Scheduled, 21 * time.Second, 99 * time.Second, true},
		{blueberry.Started, -1, 0, false},
		{blueberry.IsReady, -1, 0, false},
		{blueberry.Reachable, -1, 0, false},
	}
	if diff := cmp.Diff(want, lines(noon.Add(2*time.Minute))); diff != "" {
		t.Errorf("on its way (-want +got):\n%s", diff)
	}
	for _, c := range []blueberry.ConditionType{blueberry.Scheduled, blueberry.Started, blueberry.IsReady, blueberry.Reachable} {
		blueberry.SetCondition(e.Conditions, blueberry.Condition{Type: c, Status: blueberry.True}, noon.Add(time.Minute))
	}
	if got := lines(noon.Add(time.Hour))[6]; got != (line{blueberry.Reachable, time.Minute, 0, false}) {
		t.Errorf("of what is done the clock stands: %+v", got)
	}
	blueberry.SetCondition(e.Conditions, blueberry.Condition{Type: blueberry.IsReady, Status: blueberry.False}, noon.Add(time.Hour))
	if got := lines(noon.Add(time.Hour + time.Minute))[5]; got != (line{blueberry.IsReady, time.Hour, time.Minute, false}) {
		t.Errorf("what broke later began then: %+v", got)
	}
	blueberry.RenewConditions(e.Conditions, noon.Add(2*time.Hour))
	if got := lines(noon.Add(2*time.Hour + time.Minute))[1]; got != (line{blueberry.Committed, 2 * time.Hour, time.Minute, true}) {
		t.Errorf("a newer revision begins anew: %+v", got)
	}
}
