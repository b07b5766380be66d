package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// SQS sends messages to queues at AWS, by the JSON protocol of the service.
type SQS struct {
	Outbound *notify.Outbound
	// Own is the identity of the server itself, for subscriptions without a key. Nil: none may use it, since each of them could do what the server may.
	Own aws.CredentialsProvider
}

type sqsAttribute struct {
	DataType    string
	StringValue string
}

type sqsMessage struct {
	QueueURL        string                  `json:"QueueUrl"`
	Body            string                  `json:"MessageBody"`
	Attributes      map[string]sqsAttribute `json:"MessageAttributes"`
	GroupID         string                  `json:"MessageGroupId,omitempty"`
	DeduplicationID string                  `json:"MessageDeduplicationId,omitempty"`
}

// Send implements notify.Sender.
func (s SQS) Send(ctx context.Context, p notify.Parcel) blueberry.NoticeResult {
	u, err := url.Parse(p.Address.URL)
	if err != nil || u.Host == "" {
		return refused("the address is none of a queue")
	}
	keys, wrong := s.keys(ctx, p.Address)
	if wrong.Error != "" {
		return wrong
	}
	m := sqsMessage{QueueURL: p.Address.URL, Body: string(p.CloudEvent), Attributes: map[string]sqsAttribute{}}
	for name, value := range p.Attributes {
		m.Attributes[name] = sqsAttribute{"String", value}
	}
	if strings.HasSuffix(u.Path, ".fifo") { // what is of one environment comes as it was sent, and what comes twice is dropped within five minutes
		m.GroupID, m.DeduplicationID = group(p.Event), p.ID
	}
	body, err := json.Marshal(m)
	if err != nil {
		return refused("the event is no JSON")
	}
	endpoint := u.Scheme + "://" + u.Host + "/"
	header, err := s.signed(ctx, endpoint, p, keys, body)
	if err != nil {
		return refused("the call could not be signed")
	}
	r, answer := s.Outbound.Ask(ctx, endpoint, header, body)
	var said struct {
		Type string `json:"__type"`
		ID   string `json:"MessageId"`
	}
	_ = json.Unmarshal(answer, &said) // what is no JSON says nothing
	if r.OK() && said.ID == "" {
		return blueberry.NoticeResult{Error: "the answer is none of a queue"}
	}
	return sqsMeaning(r, said.Type[strings.LastIndexByte(said.Type, '#')+1:])
}

// group is what stays in order: an environment's events, and a project's others. It is of letters that a group id may have.
func group(e blueberry.Event) string {
	for _, id := range []string{e.EnvironmentID, e.Project} {
		if id != "" {
			return id
		}
	}
	return "blueberry"
}

func (s SQS) keys(ctx context.Context, a blueberry.SubscriptionAddress) (aws.Credentials, blueberry.NoticeResult) {
	if a.User != "" {
		return aws.Credentials{AccessKeyID: a.User, SecretAccessKey: a.Key}, blueberry.NoticeResult{}
	}
	if s.Own == nil {
		return aws.Credentials{}, refused("it has no access key, and the operator does not lend the identity of the server")
	}
	keys, err := s.Own.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, blueberry.NoticeResult{Error: "the server has no identity at AWS now"}
	}
	return keys, blueberry.NoticeResult{}
}

func (s SQS) signed(ctx context.Context, endpoint string, p notify.Parcel, keys aws.Credentials, body []byte) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	sum := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), "sqs", p.Address.AWSRegion(), time.Unix(p.At, 0))
	return req.Header, err
}

// sqsMeaning tells what an error means that SQS names. Those that it does not name are judged by the status alone.
func sqsMeaning(r blueberry.NoticeResult, code string) blueberry.NoticeResult {
	if r.Status < 400 {
		return r
	}
	switch code {
	case "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue":
		r.Error = "there is no such queue"
	case "QueueDeletedRecently":
		r.Status, r.Error = 0, "the queue has just been deleted"
	case "AccessDenied", "AccessDeniedException", "KmsAccessDenied":
		r.Error = "the key may not send to the queue"
	case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidSecurity", "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "NotAuthorized":
		r.Error = "AWS does not know the key"
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
		r.Status, r.Error = 0, "AWS says that the call, or what it was signed with, is too old"
	case "RequestThrottled", "ThrottlingException", "Throttling", "OverLimit", "KmsThrottled", "TooManyRequestsException":
		r.Status, r.Error = 0, "the queue takes no more for now" // it says so with 400 or 403, which would mean never
	case "InvalidMessageContents", "BatchRequestTooLong", "InvalidParameterValue", "InvalidAttributeValue", "UnsupportedOperation":
		r.Error = "the queue does not take such a message"
	case "KmsDisabled", "KmsInvalidState", "KmsInvalidKeyUsage", "KmsNotFound", "KmsOptInRequired":
		r.Error = "the queue cannot encrypt with its key"
	}
	return r
}

func refused(why string) blueberry.NoticeResult {
	return blueberry.NoticeResult{Error: why, Refused: true}
}
