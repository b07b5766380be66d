package blueberry

// Target is a registered place that can hold environments.
type Target struct {
	Name   string // "local"
	Driver string // "kube", "sim"
	Domain string // hosts of its environments end in it: "127.0.0.1.sslip.io", "localhost"
}
