package app

import (
	"fmt"
	"reflect"
	"strings"
)

// Reference is the page of docs/guide about configuration, made from the struct that is read.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Made by ` + "`make generate`" + ` from internal/app/config.go. -->

A server reads its configuration from a YAML file (` + "`--config`" + ` or ` + "`BLUEBERRY_CONFIG`" + `), then from variables, then from flags; the later wins. An unknown
key, a wrong type and a value that cannot be are told all at once, and the server does not start. Secrets are read from files, never from the configuration itself.

| key | variable | flag | default | meaning |
|---|---|---|---|---|
`)
	d := DefaultConfig()
	d.StateDir = "~/.local/state/blueberry"
	v := reflect.ValueOf(d)
	for f := range fields() {
		value := fmt.Sprint(v.FieldByIndex(f.index).Interface())
		if value == "" || value == "[]" {
			value = " "
		} else {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s%s` | `--%s` | %s | %s |\n", f.key, envPrefix, strings.ToUpper(f.key), flagName(f.key), value, f.help)
	}
	b.WriteString(`
` + "`blueberry dev`" + ` takes the same; there ` + "`allow_local_repositories`" + ` is on, and without a kubeconfig it starts a cluster of its own.

## Health

| path | answers |
|---|---|
| ` + "`/healthz`" + ` | 200 while the process lives |
| ` + "`/readyz`" + ` | 200 when it can serve; else 503 with what is not ready, why, and a hint. A target or a Git remote that is down is a warning: requests are accepted and wait for it |
| ` + "`/metrics`" + ` | Prometheus text: requests by route, environments by phase, jobs by state, process and Go runtime |

## Files in the state directory

| file | holds |
|---|---|
| ` + "`admin-token`" + ` | the token that the first start made, readable by its owner alone |
| ` + "`signing-key`" + ` | the key that this server signs plans with, readable by its owner alone; its public half is in the record |
| ` + "`keyset.json`" + ` | the keys that encrypt secrets in the record, readable by its owner alone. **Without it the record does not open: back it up, apart from the database** |
| ` + "`audit-head`" + ` | the end of the audit as this server signed it last; it signs nothing below it |
| ` + "`setup-link`" + ` | the address at which the first owner makes their account, until it was used |
| ` + "`tls/`" + ` | the certificate that the server made itself, and the authority that signed it (` + "`tls_self_made`" + `) |
| ` + "`objects/`" + ` | archives of the audit |
| ` + "`blueberry.db`" + ` | the record, when it is SQLite |
| ` + "`gitops.git`" + ` | the GitOps repository, or the mirror of the remote one |
| ` + "`sources/`" + ` | a cache of application repositories; may be removed while no server runs |
| ` + "`devcluster/`" + ` | the embedded cluster of ` + "`blueberry dev`" + `: kubeconfig, certificates, data, logs |
`)
	return b.String()
}
