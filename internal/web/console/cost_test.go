package console_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestCostIsShown: on the overview and in a plan, with what it is the sum of; where no prices are set, that is said, and nothing looks free.
func TestCostIsShown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	wish := url.Values{"project": {"default"}, "repository": {repository}, "name": {"pr-2"}, "ttl_hours": {"10"}}
	show := func(path string, form url.Values, want ...string) {
		t.Helper()
		_, _, page := s.ask(t, httpapitest.Token, path, form)
		for _, x := range want {
			if !strings.Contains(page, x) {
				t.Errorf("%s holds no %q", path, x)
			}
		}
		if strings.Contains(page, "0.00 an hour") {
			t.Errorf("%s says that it is free", path)
		}
	}
	show("/environments/"+e.ID, nil, "not known: no prices are set for "+e.Target)
	show("/environments/new", wish, "Not known: no prices are set for the target.")
	if _, err := s.client.SetPrices(t.Context(), sdk.SetPricesRequest{Currency: "EUR", CPUHour: "0.031", MemoryHour: "0.004"}); err != nil {
		t.Fatal(err)
	}
	now, err := s.client.GetEnvironment(t.Context(), e.ID)
	if err != nil || now.Cost == nil || len(now.Cost.Parts) != 1 || now.Cost.Parts[0].Component != "web" || now.Cost.PerHour == "0.00" {
		t.Fatalf("%+v, %v", now.Cost, err)
	}
	show("/environments/"+e.ID, nil, now.Cost.PerHour+" EUR", "so far", "more until the lease ends", "What it is the sum of", "Together, EUR")
	show("/environments/new", wish, now.Cost.PerHour+" EUR an hour", "until the lease ends", "Together, EUR")
	show("/environments/"+e.ID+"/change", url.Values{"overrides": {`{"web": {"replicas": 3}}`}}, "→", "An hour now", "An hour then")
}

// TestCentsText: what is more than nothing never looks like nothing.
func TestCentsText(t *testing.T) {
	t.Parallel()
	for amount, want := range map[string]string{
		"0.00": "0.00", "1.005": "1.01", "12.345678": "12.35", "0.004": "less than 0.01", "-0.004": "0.00", "-1.239": "-1.24", "x": "x", "": "", "1.1234567": "1.1234567", "3": "3.00",
	} {
		if got := sdk.CentsText(amount); got != want {
			t.Errorf("%q is shown as %q, want %q", amount, got, want)
		}
	}
}
