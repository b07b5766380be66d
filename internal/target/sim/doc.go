// Package sim is a simulated place, for tests, tours and runs at scale: thousands of environments in one process, without a Kubernetes.
//
// It owns a Place, which remembers what each object says (what many say is kept once) and plays the pods of workloads in time, and a Driver that passes the
// same suite as the real ones. It does not check manifests against a schema (only against mistakes that people make), has no defaults of its own, and
// keeps nothing after the process. Time is package time's: a test that wants to rule over it uses testing/synctest.
//
// What a workload does can be told by its pod template, as on the embedded Kubernetes: the annotations blueberry.dev/ready-after ("5s") and
// blueberry.dev/fail ("CrashLoopBackOff"), or an image whose name contains "broken".
//
// Invariant: one timer and no goroutine, however many pods there are.
package sim
