// Package cluster runs one development cluster: etcd, the API server, the controllers, the scheduler and kwok, which
// pretends a node and its pods.
//
// It owns the directory of the cluster (certificates, ports, data, logs, kubeconfig), the flags of the components and the
// order in which they start and end. It does not contain the components: it starts its own program again for each.
//
// Invariant: every listener is on loopback and asks for a certificate or shows no more than a health page and pretended
// pods; whatever ends the supervisor ends the components; what the API server has acknowledged is there after the next
// start, unless the machine itself lost power.
package cluster
