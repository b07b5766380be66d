package oauth

import (
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ClientWish is what a new client shall be.
type ClientWish struct {
	Name         string
	Public       bool
	RedirectURIs []string
	Flows        []blueberry.OAuthFlow
	Grants       []blueberry.Grant
	Projects     []string // nowhere else; empty for everywhere
}

// MadeClient is a client with the secret that is shown once; empty for public ones.
type MadeClient struct {
	Client blueberry.OAuthClient
	Secret string
}

// ClientChange is what a client shall be from now on; nil for as it is.
type ClientChange struct {
	Name         *string
	RedirectURIs *[]string
	Flows        *[]blueberry.OAuthFlow
	Grants       *[]blueberry.Grant
	Projects     *[]string
	Disabled     *bool // its tokens stop while it is
}

// maxProjects bounds the projects of one client.
const maxProjects = 100

// check notes everything that is wrong with a client.
func check(c blueberry.OAuthClient) error {
	var f blueberry.Faults
	if c.Name == "" {
		f.Add("name", "required", "is needed")
	}
	f.CheckText("name", c.Name, blueberry.MaxPersonName)
	checkFlows(&f, c)
	if len(c.RedirectURIs) > maxRedirectURIs {
		f.Add("redirect_uris", "too_many", "has %d addresses, at most %d are allowed", len(c.RedirectURIs), maxRedirectURIs)
	}
	for i, address := range c.RedirectURIs {
		at := fmt.Sprintf("redirect_uris[%d]", i)
		checkRedirectURI(&f, at, address)
		if slices.Contains(c.RedirectURIs[:i], address) {
			f.Add(at, "duplicate", "is named twice")
		}
	}
	if len(c.Grants) == 0 {
		f.Add("grants", "required", "at least one is needed")
	}
	f.CheckGrants("grants", c.Grants)
	if len(c.Projects) > maxProjects {
		f.Add("projects", "too_many", "has %d projects, at most %d are allowed", len(c.Projects), maxProjects)
	}
	for i, project := range c.Projects {
		at := fmt.Sprintf("projects[%d]", i)
		f.CheckName(at, project, blueberry.MaxProjectName)
		if slices.Contains(c.Projects[:i], project) {
			f.Add(at, "duplicate", "is named twice")
		}
	}
	return f.Err()
}

func checkFlows(f *blueberry.Faults, c blueberry.OAuthClient) {
	has := func(flow blueberry.OAuthFlow) bool { return slices.Contains(c.Flows, flow) }
	if len(c.Flows) == 0 {
		f.Add("flows", "required", "at least one is needed")
	}
	for i, flow := range c.Flows {
		at := fmt.Sprintf("flows[%d]", i)
		switch {
		case !slices.Contains(blueberry.OAuthFlows(), flow):
			f.Add(at, "enum", "%q is no flow", string(flow))
		case slices.Contains(c.Flows[:i], flow):
			f.Add(at, "duplicate", "%s is named twice", flow)
		}
	}
	if c.Public && has(blueberry.FlowClient) {
		f.Add("flows", "public", "a public client has no secret, so it cannot act for itself")
	}
	if has(blueberry.FlowRefresh) && !has(blueberry.FlowCode) && !has(blueberry.FlowDevice) {
		f.Add("flows", "refresh", "refresh_token needs authorization_code or the device flow, which give what is refreshed")
	}
	switch n := len(c.RedirectURIs); {
	case has(blueberry.FlowCode) && n == 0:
		f.Add("redirect_uris", "required", "at least one is needed for authorization_code")
	case !has(blueberry.FlowCode) && n > 0:
		f.Add("redirect_uris", "unused", "are for authorization_code alone")
	}
}

// within refuses a client that would hold what its maker does not, or longer: what is lent for a time, by an emergency or to a program, gives nothing that
// stays.
func within(maker blueberry.Actor, c blueberry.OAuthClient) error {
	if maker.Emergency != "" {
		return blueberry.Errorf(blueberry.Forbidden, "EMERGENCY_GIVES_NOTHING", "in an emergency no OAuth client is given anything: that would outlast it")
	}
	if maker.Kind == blueberry.ActorClient && maker.UserID != "" && !access.IsPerson(maker) {
		return blueberry.Errorf(blueberry.Forbidden, "PERSON_NEEDED", "a program that acts for %s by OAuth makes no OAuth clients", maker.Name)
	}
	whole := blueberry.Actor{Projects: map[string][]blueberry.Grant{}}
	if len(c.Projects) == 0 {
		whole.Grants = c.Grants
	}
	for _, project := range c.Projects {
		whole.Projects[project] = c.Grants
	}
	if maker.Covers(whole) {
		return nil
	}
	for _, g := range c.Grants { // the first that is lacking, so that the refusal can name it
		if len(c.Projects) == 0 {
			if err := maker.Can(g); err != nil {
				return err
			}
		}
		for _, project := range c.Projects {
			if err := maker.CanIn(project, g); err != nil {
				return err
			}
		}
	}
	return blueberry.Errorf(blueberry.Forbidden, "GRANT_MISSING", "%s would give a client more than they hold", maker.Name)
}
