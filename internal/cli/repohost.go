package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// hostFlags say how the host of a repository is spoken to.
type hostFlags struct {
	api        sdk.HostAPI
	credential string // file
	named      func(flag string) bool
}

func (h *hostFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&h.credential, "credential", "", "file with a token, or with the private key of a GitHub App, with which the host is told how environments are; - is the input")
	f.StringVar(&h.api.URL, "api", "", "address of the host's API; else that of its kind")
	f.StringVar(&h.api.User, "api-user", "", "whose the token is, at Bitbucket")
	f.Int64Var(&h.api.App, "app", 0, "id of the GitHub App whose private key the credential is")
	f.Int64Var(&h.api.Installation, "installation", 0, "of the GitHub App on the repository; else it is looked up")
	h.named = f.Changed
}

// over gives how the host is to be spoken to: as it is, but for the flags that were named.
func (h *hostFlags) over(was sdk.HostAPI) sdk.HostAPI {
	for flag, take := range map[string]func(){
		"api": func() { was.URL = h.api.URL }, "api-user": func() { was.User = h.api.User },
		"app": func() { was.App = h.api.App }, "installation": func() { was.Installation = h.api.Installation },
	} {
		if h.named(flag) {
			take()
		}
	}
	return was
}

// some reports whether a flag of the address was named.
func (h *hostFlags) some() bool {
	return slices.ContainsFunc([]string{"api", "api-user", "app", "installation"}, h.named)
}

// read gives the credential; empty when no file was named.
func (h *hostFlags) read(s *shared) (string, error) {
	if h.credential == "" {
		return "", nil
	}
	data, err := s.read(h.credential)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", usageErrorf("there is nothing in %s: it is to hold a token or a private key", h.credential)
	}
	return text, nil
}

// hostHealthText says how speaking to the host goes.
func (s *shared) hostHealthText(r sdk.Repository, wide bool) string {
	h := r.HostHealth
	switch {
	case !r.CredentialSet:
		return "not spoken to: there is no credential"
	case h.PausedUntil.After(s.streams.Now()):
		return "wants no calls until " + s.when(h.PausedUntil, wide)
	case !h.FailedAt.IsZero():
		return "fails since " + s.when(h.FailedAt, wide) + ": " + h.Message
	case h.AnsweredAt.IsZero():
		return "not spoken to yet"
	}
	return "answers, last " + s.when(h.AnsweredAt, wide)
}
