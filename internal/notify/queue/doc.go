// Package queue hands events to what other programs take them from: queues of SQS, topics of Google Pub/Sub and subjects of NATS.
//
// It owns what each of them calls, how the sender is proven, and which of their answers may pass and which will not. It does not retry, and keeps nothing: the
// room does.
//
// Invariants: every connection is made by notify.Outbound. Events go out in the structured form of CloudEvents, with their attributes beside them. Of an
// answer nothing is told but what words of ours say of it.
package queue
