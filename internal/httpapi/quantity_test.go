package httpapi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestQuantitiesAreReadAsKubernetesReadsThem(t *testing.T) {
	t.Parallel()
	for text, tc := range map[string]struct {
		reason   string
		resource string
		want     int64
		code     string // of the fault; empty for none
	}{
		"2":                    {"cores", "cpu", 2000, ""},
		"1500m":                {"thousandths", "cpu", 1500, ""},
		"0.5":                  {"a fraction", "cpu", 500, ""},
		"0":                    {"a limit of nothing is a limit", "cpu", 0, ""},
		"0.0005":               {"nobody can be given it", "cpu", 0, "precision"},
		"1k":                   {"a thousand cores", "cpu", 1_000_000, ""},
		"2Gi":                  {"binary", "memory", 2 << 30, ""},
		"1G":                   {"decimal", "memory", 1e9, ""},
		"1.5Gi":                {"whole bytes all the same", "memory", 3 << 29, ""},
		"512Ki":                {"small", "storage", 512 << 10, ""},
		"3Ti":                  {"large", "storage", 3 << 40, ""},
		"7Ei":                  {"the largest unit", "storage", 7 << 60, ""},
		"8Ei":                  {"beyond what can be counted", "storage", 0, "range"},
		"100m":                 {"a tenth of a byte is a slip", "memory", 0, "precision"},
		"9223372036854775807":  {"the most there is", "memory", 9223372036854775807, ""},
		"9999999999999999999E": {"far too large", "memory", 0, "range"},
		"":                     {"nothing", "cpu", 0, "pattern"},
		"-1":                   {"below zero", "cpu", 0, "pattern"},
		"two":                  {"a word", "cpu", 0, "pattern"},
		"2 Gi":                 {"a space", "memory", 0, "pattern"},
		"2gb":                  {"another unit", "memory", 0, "pattern"},
		"1e3":                  {"an exponent", "memory", 0, "pattern"},
		"1/2":                  {"a ratio", "cpu", 0, "pattern"},
		"0x10":                 {"another base", "cpu", 0, "pattern"},
	} {
		got, fault := parseQuantity(tc.resource, text)
		switch {
		case tc.code == "" && (fault != nil || got != tc.want):
			t.Errorf("%s: %q is %d, %v; want %d", tc.reason, text, got, fault, tc.want)
		case tc.code != "" && (fault == nil || fault.Code != tc.code):
			t.Errorf("%s: %q is %d, %v; want a fault %s", tc.reason, text, got, fault, tc.code)
		}
	}
}

func TestEveryFaultOfAQuotaIsTold(t *testing.T) {
	t.Parallel()
	below := int64(-1)
	var found blueberry.Faults
	readQuota(sdk.Quota{
		Limits: sdk.Limits{CPU: "two", Memory: "100m", Pods: &below},
		Kinds:  map[string]sdk.Limits{"preview": {Storage: "8Ei"}, "odd": {}},
	}, &found)
	var got []string
	for _, f := range found {
		got = append(got, f.Field+" "+f.Code)
	}
	want := map[string]bool{"cpu pattern": true, "memory precision": true, "pods range": true, "kinds.preview.storage range": true, "kinds.odd enum": true}
	for _, f := range got {
		if !want[f] {
			t.Errorf("unexpected fault %s", f)
		}
		delete(want, f)
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
}

func TestAQuotaComesBackAsItWasSent(t *testing.T) {
	t.Parallel()
	n := int64(3)
	sent := sdk.Quota{Limits: sdk.Limits{Environments: &n, CPU: "1500m", Memory: "2Gi", Pods: &n, Storage: "0"}, Kinds: map[string]sdk.Limits{"preview": {CPU: "2"}}}
	var found blueberry.Faults
	if diff := cmp.Diff(sent, wireQuota(readQuota(sent, &found))); diff != "" || len(found) > 0 {
		t.Errorf("faults %v (-sent +got):\n%s", found, diff)
	}
}

// FuzzQuantity holds the parser to Kubernetes's own: what we take, it takes for the same amount, and what we write, we read.
func FuzzQuantity(f *testing.F) {
	for _, seed := range []string{"2", "1500m", "0.5", "2Gi", "1.5Gi", "7Ei", "8Ei", "1e3", "-1", "0000000000000000001", "0.000000001k", "9999999999999999999E", "1..2", "½", "Gi"} {
		f.Add("cpu", seed)
		f.Add("memory", seed)
	}
	f.Fuzz(func(t *testing.T, kind, text string) {
		if kind != "cpu" {
			kind = "memory"
		}
		got, fault := parseQuantity(kind, text)
		if fault != nil {
			if fault.Code == "" || fault.Message == "" || len(fault.Message) > 200 || strings.ContainsAny(fault.Message, "\n\x00") {
				t.Errorf("%q: fault %+v", text, fault)
			}
			return
		}
		if got < 0 {
			t.Errorf("%q is %d", text, got)
		}
		theirs, err := resource.ParseQuantity(text)
		if err != nil {
			t.Fatalf("%q is %d for us, and for Kubernetes: %v", text, got, err)
		}
		ours := resource.NewQuantity(got, resource.BinarySI)
		if kind == "cpu" {
			ours = resource.NewMilliQuantity(got, resource.DecimalSI)
		}
		if ours.Cmp(theirs) != 0 {
			t.Errorf("%s %q is %s for us and %s for Kubernetes", kind, text, ours, theirs.String())
		}
		if again, fault := parseQuantity(kind, sdk.QuantityText(kind, got)); fault != nil || again != got {
			t.Errorf("%d of %s is written %q and read %d, %v", got, kind, sdk.QuantityText(kind, got), again, fault)
		}
	})
}
