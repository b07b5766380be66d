package render

import (
	"errors"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestNoSecretInFaults: wherever a secret stands in what is rendered, the faults say where, and never repeat it.
func TestNoSecretInFaults(t *testing.T) {
	t.Parallel()
	token := "ghp_" + strings.Repeat("aB3dE5fG7h", 4)[:36]
	const weak = "Tr0ub4dor-and-3" // of no known form
	web := func(values map[string]any) []blueberry.Layer {
		return []blueberry.Layer{{Origin: blueberry.Origin{Layer: blueberry.LayerEnvironment}, Field: "overrides", Values: map[string]any{"web": values}}}
	}
	schema := map[string]any{"properties": map[string]any{"web": map[string]any{"properties": map[string]any{"env": map[string]any{"additionalProperties": map[string]any{"pattern": "^x"}}}}}}
	for reason, c := range map[string]struct {
		layers []blueberry.Layer
		schema map[string]any
		secret string
	}{
		"as an image":                  {layers: web(map[string]any{"image": token}), secret: token},
		"as a path":                    {layers: web(map[string]any{"health": token}), secret: token},
		"as a quantity":                {layers: web(map[string]any{"resources": map[string]any{"limits": map[string]any{"cpu": token}}}), secret: token},
		"as a reference":               {layers: web(map[string]any{"env": map[string]any{"A": map[string]any{"secretRef": token}}}), secret: token},
		"as a key":                     {layers: web(map[string]any{"env": map[string]any{token: "x"}}), secret: token},
		"as a component":               {layers: []blueberry.Layer{{Origin: blueberry.Origin{Layer: blueberry.LayerEnvironment}, Field: "overrides", Values: map[string]any{token: map[string]any{"a": "b"}}}}, secret: token},
		"against a pattern":            {layers: web(map[string]any{"env": map[string]any{"A": token}}), schema: schema, secret: token},
		"a password against a pattern": {layers: web(map[string]any{"env": map[string]any{"PASSWORD": weak}}), schema: schema, secret: weak},
	} {
		in := shop(c.layers...)
		in.Blueprint.Schema = c.schema
		_, err := Environment(in)
		if !errors.Is(err, blueberry.Invalid) || strings.Contains(err.Error(), c.secret) {
			t.Errorf("%s: %v", reason, err)
		}
	}
	for reason, content := range map[string]string{
		"a comment":               "web:\n  # was " + token + "\n  replicas: 2\n",
		"a line that is out":      "web:\n  replicas: 2\n#  token: " + token + "\n",
		"a doubled key":           "web: {" + token + ": 1, " + token + ": 2}\n",
		"a tag":                   "web: !" + token + " {a: 1}\n",
		"the name of a component": token + ": {a: 1}\n",
		"a reference":             "web: {env: {A: {secretRef: " + token + "}}}\n",
	} {
		_, err := ParseValues([]byte(content), nil)
		if !errors.Is(err, blueberry.Invalid) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// TestNumbersStayExact: what cannot be held exactly is refused, not rounded.
func TestNumbersStayExact(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"9007199254740992": true, "9007199254740993": false, "-9007199254740993": false, "18446744073709551615": false, "18446744073709551616": false,
		"123456789012345678901234567890": false, "0x20000000000001": false, "1e30": true, "0.1": true,
	} {
		if _, err := ParseValues([]byte("web: {id: "+value+"}\n"), nil); (err == nil) != want {
			t.Errorf("%s: %v", value, err)
		}
	}
}
