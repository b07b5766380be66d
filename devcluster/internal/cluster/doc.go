// Package cluster runs one development cluster: etcd, the API server, the controllers, the scheduler and kwok, which
// pretends a node and its pods; and what else was asked for: Argo CD, Argo Rollouts, metrics-server.
//
// It owns the directory of the cluster (certificates, ports, secrets, data, logs, kubeconfig), the flags of the components and
// the order in which they start and end. It does not contain the components: it starts its own program again for each, and
// other programs for the extras. How the pods behave, and how a test makes them misbehave, is at the head of kwok.yaml.
//
// Invariant: every listener is on loopback and asks for a certificate or a password or shows no more than a health page,
// figures and pretended pods; whatever ends the supervisor ends the components; what the API server has acknowledged is there
// after the next start, unless the machine itself lost power. Two exceptions: the health and metrics pages of Argo CD's
// application controller and of Argo Rollouts cannot be told an address and listen on all; and with Options.Exec whoever
// reaches kwok's port runs processes.
package cluster
