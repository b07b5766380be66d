package blueberry

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Bounds of the addresses of queues, topics and subjects.
const (
	MaxSubscriptionKey = 16 << 10 // bytes
	maxNATSServers     = 5
	maxSubject         = 255
	minRSA             = 2048 // bits
)

var (
	awsRegion  = regexp.MustCompile(`^[a-z]{2,8}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$`)
	awsKeyID   = regexp.MustCompile(`^[A-Za-z0-9_]{16,128}$`)
	sqsHost    = regexp.MustCompile(`^sqs(-fips)?\.([a-z0-9-]+)\.(amazonaws\.com|amazonaws\.com\.cn|api\.aws)$`)
	sqsPath    = regexp.MustCompile(`^/[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,80}(\.fifo)?$`)
	pubSubHost = regexp.MustCompile(`^([a-z0-9-]+-)?pubsub\.(mtls\.)?googleapis\.com$|^pubsub\.[a-z0-9-]+\.rep\.googleapis\.com$`)
	topicName  = regexp.MustCompile(`^projects/[a-z0-9.:-]{1,100}/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)
	natsToken  = regexp.MustCompile(`^[^\s.*>\x00-\x1f\x7f]+$`)
)

// checkTopicAddress notes what is wrong with the address of a queue, a topic or a subject; false for another kind. Nothing of a key is repeated.
func (f *Faults) checkTopicAddress(kind SubscriptionKind, a SubscriptionAddress, local bool, not func(field, value string)) bool {
	if len(a.Key) > MaxSubscriptionKey {
		f.Add("key", "too_long", "has %d bytes, at most %d are allowed", len(a.Key), MaxSubscriptionKey)
	}
	switch kind {
	case SubscriptionSQS:
		f.checkSQS(a, local)
		not("to", a.To)
		not("stream", a.Stream)
	case SubscriptionPubSub:
		f.checkPubSub(a, local)
		not("user", a.User)
		not("region", a.Region)
		not("stream", a.Stream)
	case SubscriptionNATS:
		f.checkNATS(a, local)
		not("region", a.Region)
	default:
		return false
	}
	return true
}

// AWSRegion is the region of a queue: the one that is named, else that of the URL; empty when neither tells it.
func (a SubscriptionAddress) AWSRegion() string {
	if a.Region != "" {
		return a.Region
	}
	if u, err := url.Parse(a.URL); err == nil {
		if m := sqsHost.FindStringSubmatch(u.Hostname()); m != nil {
			return m[2]
		}
	}
	return ""
}

func (f *Faults) checkSQS(a SubscriptionAddress, local bool) {
	before := len(*f)
	f.checkNoticeURL("url", a.URL, local)
	if u, err := url.Parse(a.URL); len(*f) == before && err == nil {
		if !local && (!sqsHost.MatchString(u.Hostname()) || u.Port() != "") {
			f.Add("url", "host", "is no queue at AWS, as https://sqs.eu-central-1.amazonaws.com/123456789012/events; other services like it are the operator's to allow")
		}
		if !sqsPath.MatchString(u.Path) || u.RawQuery != "" || u.RawPath != "" {
			f.Add("url", "pattern", "must end with an account and the name of a queue, as /123456789012/events")
		}
	}
	switch region := a.AWSRegion(); {
	case region == "":
		f.Add("region", "required", "is needed: the address does not tell it")
	case !awsRegion.MatchString(region):
		f.Add("region", "pattern", "%q is no region of AWS, as eu-central-1", region)
	}
	switch {
	case a.User == "" && a.Key == "":
	case !awsKeyID.MatchString(a.User):
		f.Add("user", "pattern", "must be the id of an access key of AWS")
	}
	if a.User != "" && (len(a.Key) < 16 || !printableKey(a.Key)) || a.User == "" && a.Key != "" && !printableKey(a.Key) {
		f.Add("key", "pattern", "must be the secret access key, in one line")
	}
}

// printableKey reports whether a key is one word.
func printableKey(key string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
}

// GoogleKey is what the key of a service account of Google Cloud tells.
type GoogleKey struct {
	Email string
	KeyID string
	Key   *rsa.PrivateKey
}

// ReadGoogleKey reads the JSON of a key as Google Cloud writes it; what is wrong with it is told without any of it, and empty for nothing.
func ReadGoogleKey(text string) (a GoogleKey, wrong string) {
	var said struct {
		Type     string `json:"type"`
		Email    string `json:"client_email"`
		KeyID    string `json:"private_key_id"`
		Key      string `json:"private_key"`
		Universe string `json:"universe_domain"`
	}
	if text == "" {
		return a, "is needed: the key of a service account, in JSON"
	}
	if json.Unmarshal([]byte(text), &said) != nil || said.Type != "service_account" || said.Email == "" || len(said.Email) > 320 || len(said.KeyID) > 255 {
		return a, "must be the key of a service account, in the JSON that Google Cloud gives"
	}
	if said.Universe != "" && said.Universe != "googleapis.com" {
		return a, "is of another cloud than Google's own"
	}
	block, _ := pem.Decode([]byte(said.Key))
	if block == nil {
		return a, "holds no private key"
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	pair, ok := key.(*rsa.PrivateKey)
	if err != nil || !ok || pair.N.BitLen() < minRSA {
		return a, "holds no private key of RSA with 2048 bits or more"
	}
	return GoogleKey{Email: said.Email, KeyID: said.KeyID, Key: pair}, ""
}

func (f *Faults) checkPubSub(a SubscriptionAddress, local bool) {
	if !topicName.MatchString(a.To) {
		f.Add("to", "pattern", "%q is no topic, as projects/acme/topics/events", clip(a.To, maxSubject))
	}
	if _, wrong := ReadGoogleKey(a.Key); wrong != "" {
		f.Add("key", "pattern", "%s", wrong)
	}
	if a.URL == "" {
		return
	}
	before := len(*f)
	f.checkNoticeURL("url", a.URL, local)
	if u, err := url.Parse(a.URL); len(*f) == before && err == nil {
		if !local && (!pubSubHost.MatchString(u.Hostname()) || u.Port() != "") {
			f.Add("url", "host", "is no address of Pub/Sub, as https://europe-west1-pubsub.googleapis.com; others are the operator's to allow")
		}
		if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			f.Add("url", "pattern", "must be the address of a server alone, as https://europe-west1-pubsub.googleapis.com")
		}
	}
}

func (f *Faults) checkNATS(a SubscriptionAddress, local bool) {
	servers := strings.Split(a.URL, ",")
	switch {
	case a.URL == "":
		f.Add("url", "required", "is needed: where to send to, as tls://nats.example.com:4222")
	case len(a.URL) > maxSubscriptionURL:
		f.Add("url", "too_long", "has %d bytes, at most %d are allowed", len(a.URL), maxSubscriptionURL)
	case len(servers) > maxNATSServers:
		f.Add("url", "too_many", "names %d servers, at most %d are allowed", len(servers), maxNATSServers)
	default:
		for _, s := range servers {
			f.checkNATSServer(s, local)
		}
	}
	if !natsSubject(a.To) {
		f.Add("to", "pattern", "%q is no subject to send to, as blueberry.events: words with dots between them, no wildcard, and nothing that begins with $", clip(a.To, maxSubject))
	}
	if a.User != "" && (len(a.User) > maxSubject || strings.ContainsFunc(a.User, func(r rune) bool { return r < ' ' || r == 0x7f })) {
		f.Add("user", "pattern", "must have at most %d characters, in one line", maxSubject)
	}
	if a.User != "" && a.Key == "" {
		f.Add("key", "required", "is needed with a user: the password")
	}
	if a.Stream != "" && (len(a.Stream) > maxSubject || !natsToken.MatchString(a.Stream) || strings.ContainsAny(a.Stream, `/\`)) {
		f.Add("stream", "pattern", "%q is no name of a stream", clip(a.Stream, maxSubject))
	}
}

func natsSubject(text string) bool {
	if text == "" || len(text) > maxSubject || strings.HasPrefix(text, "$") || strings.HasPrefix(text, "_INBOX") {
		return false
	}
	for token := range strings.SplitSeq(text, ".") {
		if !natsToken.MatchString(token) {
			return false
		}
	}
	return true
}

func (f *Faults) checkNATSServer(text string, local bool) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "tls" && u.Scheme != "nats" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		f.Add("url", "url", "is no address of a server, as tls://nats.example.com:4222")
		return
	}
	if _, _, err := net.SplitHostPort(u.Host); err == nil {
		if n, err := strconv.Atoi(u.Port()); err != nil || n < 1 || n > 65535 {
			f.Add("url", "url", "is no address of a server, as tls://nats.example.com:4222")
		}
	}
	if u.User != nil {
		f.Add("url", "forbidden", "must hold no user name, no password and no token: these are fields of their own")
	}
	if u.Scheme != "tls" && !local {
		f.Add("url", "scheme", "must begin with tls://")
	}
	if !local && localHost(u.Hostname()) {
		f.Add("url", "local", "leads into a network of the server's own, which the operator does not allow")
	}
}
