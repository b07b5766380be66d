package queue

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// Own is the identity that the server itself has at AWS: of its environment, its files, its pod or its machine. It is looked for when it is first needed.
type Own struct {
	mu    sync.Mutex
	found aws.CredentialsProvider
}

// Retrieve implements aws.CredentialsProvider.
func (o *Own) Retrieve(ctx context.Context) (aws.Credentials, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.found == nil {
		c, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return aws.Credentials{}, fmt.Errorf("find the identity of the server at AWS: %w", err)
		}
		o.found = c.Credentials
	}
	return o.found.Retrieve(ctx)
}
