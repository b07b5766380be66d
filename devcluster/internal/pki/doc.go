// Package pki makes and keeps the certificates of one development cluster: three authorities (Kubernetes, front proxy,
// etcd), one certificate for each component, and the key that signs service account tokens.
//
// It owns the files below one directory. It does not know what they are used for.
//
// Invariant: after Ensure every pair on disk fits together, is signed by an authority that is on disk, names the hosts it
// must name and stays valid for at least Margin; a pair that already did is not touched.
package pki
