package ports

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var names = []string{"a", "b", "c"}

func TestAssignRemembers(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ports.json")
	first := assign(t, file, Fixed{})
	if len(first) != 3 || first["a"] == first["b"] || first["b"] == first["c"] || first["a"] == first["c"] {
		t.Fatalf("first ports: %v, want three different", first)
	}
	if diff := cmp.Diff(first, assign(t, file, Fixed{})); diff != "" {
		t.Errorf("second ports (-first +second):\n%s", diff)
	}
}

func TestAssignMovesAwayFromAPortInUse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ports.json")
	first := assign(t, file, Fixed{})
	occupy(t, first["b"])
	second, moved, err := Assign(t.Context(), file, names, Fixed{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b"}, moved); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
	if second["b"] == first["b"] || second["a"] != first["a"] || second["c"] != first["c"] {
		t.Errorf("ports %v after %v, want only b to move", second, first)
	}
	if diff := cmp.Diff(second, assign(t, file, Fixed{})); diff != "" {
		t.Errorf("the new port is not remembered (-want +got):\n%s", diff)
	}
}

func TestAssignFixed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ports.json")
	first := assign(t, file, Fixed{})
	// The fixed port of one may be the remembered port of another.
	second := assign(t, file, Fixed{Name: "a", Port: first["c"]})
	if second["a"] != first["c"] || second["c"] == first["c"] || second["b"] != first["b"] {
		t.Errorf("ports %v after %v with a fixed to c's", second, first)
	}
	taken := occupyAny(t)
	if _, _, err := Assign(t.Context(), file, names, Fixed{Name: "a", Port: taken}); err == nil {
		t.Error("a fixed port in use was accepted")
	}
	if diff := cmp.Diff(second, assign(t, file, Fixed{})); diff != "" {
		t.Errorf("a refused port changed what is remembered (-want +got):\n%s", diff)
	}
}

func TestAssignReadsAnything(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "null", "[]", `{"a":-1}`, `{"a":0,"b":70000}`, `{"a":"1"}`, `{"a":21234,"b":21234,"c":21234}`, `{"z":1}`} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "ports.json")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			got := assign(t, file, Fixed{})
			seen := map[int]bool{}
			for _, n := range names {
				if p := got[n]; p < 1024 || p > 65535 || seen[p] {
					t.Errorf("ports %v", got)
				}
				seen[got[n]] = true
			}
		})
	}
}

func assign(t *testing.T, file string, fixed Fixed) map[string]int {
	t.Helper()
	got, _, err := Assign(t.Context(), file, names, fixed)
	if err != nil {
		t.Fatalf("Assign: %v", err)
	}
	return got
}

func occupy(t *testing.T, port int) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}

func occupyAny(t *testing.T) int {
	t.Helper()
	port, err := choose(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	occupy(t, port)
	return port
}
