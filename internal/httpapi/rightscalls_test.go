package httpapi_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// browser is the transport of a person: it brings the session as a page of the server does.
type browser struct{ session string }

// RoundTrip sends the request.
func (b browser) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.session != "" {
		r.AddCookie(&http.Cookie{Name: access.SessionCookie, Value: b.session})
	}
	return http.DefaultTransport.RoundTrip(r)
}

func personClient(url, session string) *sdk.Client {
	return &sdk.Client{BaseURL: url, HTTPClient: &http.Client{Transport: browser{session}}, Waits: []time.Duration{}}
}

// everyRightsCall is everyCall for who may do what. A call whose proof the story lacks may be refused with the code that it names.
func everyRightsCall(t *testing.T, r *roomstest.Rooms, url string, c *sdk.Client) {
	t.Helper()
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	_, session := r.Person(t, "ada@example.com", true, nil)
	ada, nobody := personClient(url, session), personClient(url, "")
	invited := got[sdk.InvitedUser](t)(c.CreateUser(ctx, sdk.CreateUserRequest{Email: "bob@example.com"})).User.ID
	gone := got[sdk.InvitedUser](t)(c.CreateUser(ctx, sdk.CreateUserRequest{Email: "gone@example.com"})).User.ID
	got[sdk.Project](t)(c.CreateProject(ctx, sdk.CreateProjectRequest{Name: "shop"}))
	account := got[sdk.ServiceAccount](t)(c.CreateServiceAccount(ctx, "shop", sdk.CreateServiceAccountRequest{Name: "ci", Role: "viewer"})).ID
	token := got[sdk.MadeAPIToken](t)(ada.CreateAPIToken(ctx, sdk.CreateAPITokenRequest{Name: "laptop", Role: "viewer"})).Token.ID
	client := got[sdk.MadeOAuthClient](t)(ada.CreateOAuthClient(ctx, sdk.CreateOAuthClientRequest{
		Name: "dash", Flows: []string{"client_credentials"}, Grants: []string{"environments:read"}, Projects: []string{"shop"},
	})).Client.ID
	secret, name := "not told to anyone", "Bob"
	got[sdk.IdentityProvider](t)(c.SetIdentityProvider(ctx, "corp", sdk.SetIdentityProviderRequest{Kind: "github", ClientID: "blueberry", ClientSecret: &secret}))
	rule := got[sdk.GroupRule](t)(c.CreateGroupRule(ctx, sdk.CreateGroupRuleRequest{Provider: "corp", Group: "dev", Project: "shop", Role: "viewer"})).ID
	certificate := got[sdk.IssuedCertificate](t)(c.IssueCertificate(ctx, sdk.IssueCertificateRequest{Name: "prometheus"})).Certificate.Serial
	mine := got[sdk.SessionList](t)(ada.ListSessions(ctx, sdk.SessionFilter{})).Items[0].ID
	emergency := "emg_none"
	for _, call := range []struct {
		operation, code string
		do              func() error
	}{
		{"get-preferences", "", func() error { return second(ada.GetPreferences(ctx)) }},
		{"get-preferences", "PERSON_NEEDED", func() error { return second(c.GetPreferences(ctx)) }},
		{"set-preferences", "", func() error {
			quiet := sdk.QuietHours{TimeZone: "Europe/Zurich", Windows: []sdk.SleepWindow{{Days: []string{"mon"}, From: "19:00", To: "07:00"}}}
			set, err := ada.SetPreferences(ctx, sdk.SetPreferencesRequest{
				Events: []string{"environment.*"}, Mail: true, Channel: &sdk.ChannelRequest{Kind: "webhook", URL: hookURL}, Quiet: quiet, Muted: []string{"shop"},
			})
			p := set.Preferences
			if p.Version != 1 || p.Channel == nil || p.Channel.Endpoint != "https://hooks.test" || p.Quiet.TimeZone != "Europe/Zurich" || len(p.Ways) != 2 || !strings.HasPrefix(set.Secret, "whsec_") {
				t.Errorf("set %+v", set)
			}
			return err
		}},
		{"set-preferences", "VERSION_MOVED", func() error {
			return second(ada.SetPreferences(ctx, sdk.SetPreferencesRequest{Events: []string{}, Mail: true}, sdk.IfMatch(9)))
		}},
		{"set-preferences", "VALIDATION_FAILED", func() error {
			return second(ada.SetPreferences(ctx, sdk.SetPreferencesRequest{Events: []string{"pull.*"}}))
		}},
		{"test-preferences", "", func() error {
			tested, err := ada.TestPreferences(ctx)
			if len(tested.Notices) != 2 || tested.Notices[0].State != "delivered" {
				t.Errorf("tested %+v", tested)
			}
			return err
		}},
		{"list-own-notices", "", func() error {
			found, err := ada.ListOwnNotices(ctx, sdk.NoticeFilter{State: "delivered", Limit: 2})
			if len(found.Items) != 2 || found.NextBefore == "" {
				t.Errorf("her notices are %+v", found)
			}
			return err
		}},
		{"save-view", "", func() error {
			return second(ada.SaveView(ctx, "what failed", sdk.SaveViewRequest{Page: "environments", Query: "sort=name&phase=failed"}))
		}},
		{"save-view", "VALIDATION_FAILED", func() error { return second(ada.SaveView(ctx, "a/b", sdk.SaveViewRequest{Page: "environments"})) }},
		{"list-views", "", func() error {
			found, err := ada.ListViews(ctx)
			if len(found.Items) != 1 || found.Items[0].Query != "phase=failed&sort=name" {
				t.Errorf("her views are %+v", found)
			}
			return err
		}},
		{"list-views", "PERSON_NEEDED", func() error { return second(c.ListViews(ctx)) }},
		{"delete-view", "", func() error { return ada.DeleteView(ctx, "what failed") }},
		{"delete-view", "VIEW_NOT_FOUND", func() error { return ada.DeleteView(ctx, "what failed") }},
		{"list-users", "", func() error { return second(c.ListUsers(ctx, sdk.UserFilter{})) }},
		{"get-user", "", func() error { return second(c.GetUser(ctx, "bob@example.com")) }},
		{"update-user", "", func() error { return second(c.UpdateUser(ctx, invited, sdk.UpdateUserRequest{Name: &name})) }},
		{"delete-user", "", func() error { return c.DeleteUser(ctx, gone) }},
		{"invite-user", "", func() error { return second(c.InviteUser(ctx, invited)) }},
		{"list-user-sessions", "", func() error { return second(c.ListUserSessions(ctx, invited, sdk.IDWindow{})) }},
		{"revoke-user-sessions", "", func() error { return second(c.RevokeUserSessions(ctx, invited)) }},
		{"revoke-user-sessions", "", func() error { return second(c.RevokeOtherSessions(ctx, invited)) }},
		{"list-sign-in-ways", "", func() error { return second(c.ListSignInWays(ctx)) }},
		{"update-project", "", func() error {
			return second(c.UpdateProject(ctx, "shop", sdk.UpdateProjectRequest{Description: "The shop"}))
		}},
		{"list-project-members", "", func() error { return second(c.ListProjectMembers(ctx, "shop")) }},
		{"set-project-member", "", func() error {
			return second(c.SetProjectMember(ctx, "shop", invited, sdk.SetMemberRequest{Role: "viewer"}))
		}},
		{"remove-project-member", "", func() error { return c.RemoveProjectMember(ctx, "shop", invited) }},
		{"list-service-accounts", "", func() error { return second(c.ListServiceAccounts(ctx, "shop")) }},
		{"get-service-account", "", func() error { return second(c.GetServiceAccount(ctx, account)) }},
		{"update-service-account", "", func() error {
			return second(c.UpdateServiceAccount(ctx, account, sdk.UpdateServiceAccountRequest{Description: &name}))
		}},
		{"delete-service-account", "", func() error { return c.DeleteServiceAccount(ctx, account) }},
		{"list-api-tokens", "", func() error {
			return second(c.ListAPITokens(ctx, sdk.APITokenFilter{User: "*", UnusedDays: 30, Ended: true}))
		}},
		{"get-api-token", "", func() error { return second(c.GetAPIToken(ctx, token)) }},
		{"rotate-api-token", "", func() error { return second(ada.RotateAPIToken(ctx, token, sdk.RotateAPITokenRequest{})) }},
		{"revoke-api-token", "", func() error { return c.RevokeAPIToken(ctx, token) }},
		{"list-oauth-clients", "", func() error { return second(c.ListOAuthClients(ctx, sdk.OAuthClientFilter{})) }},
		{"get-oauth-client", "", func() error { return second(c.GetOAuthClient(ctx, client)) }},
		{"update-oauth-client", "", func() error {
			return second(c.UpdateOAuthClient(ctx, client, sdk.UpdateOAuthClientRequest{Name: &name}))
		}},
		{"rotate-oauth-client-secret", "", func() error { return second(c.RotateOAuthClientSecret(ctx, client)) }},
		{"delete-oauth-client", "", func() error { return c.DeleteOAuthClient(ctx, client) }},
		{"list-oauth-tokens", "", func() error { return second(c.ListOAuthTokens(ctx, sdk.OAuthTokenFilter{})) }},
		{"revoke-oauth-token", "OAUTH_TOKEN_NOT_FOUND", func() error { return c.RevokeOAuthToken(ctx, "tok_none") }},
		{"list-identity-providers", "", func() error { return second(c.ListIdentityProviders(ctx)) }},
		{"get-identity-provider", "", func() error { return second(c.GetIdentityProvider(ctx, "corp")) }},
		{"list-group-rules", "", func() error { return second(c.ListGroupRules(ctx)) }},
		{"delete-group-rule", "", func() error { return c.DeleteGroupRule(ctx, rule) }},
		{"delete-identity-provider", "", func() error { return c.DeleteIdentityProvider(ctx, "corp") }},
		{"list-roles", "", func() error { return second(c.ListRoles(ctx)) }},
		{"list-audit-entries", "", func() error { return second(c.ListAuditEntries(ctx, sdk.AuditFilter{Action: "users:"})) }},
		{"get-audit-entry", "", func() error {
			list, err := c.ListAuditEntries(ctx, sdk.AuditFilter{Limit: 1})
			if err != nil {
				return err
			}
			return second(c.GetAuditEntry(ctx, list.Items[0].ID))
		}},
		{"verify-audit", "", func() error {
			v, err := c.VerifyAudit(ctx, sdk.AuditFilter{})
			if err == nil && (!v.Holds || !v.Report.Whole || v.Report.Entries == 0) {
				t.Errorf("the audit does not hold: %+v", v)
			}
			return err
		}},
		{"export-audit", "", func() error { return c.ExportAudit(ctx, sdk.AuditFilter{}, &bytes.Buffer{}) }},
		{"get-access-review", "", func() error { return second(c.GetAccessReview(ctx, sdk.ReviewFilter{})) }},
		{"open-emergency", "PERSON_NEEDED", func() error {
			return second(c.OpenEmergency(ctx, sdk.OpenEmergencyRequest{Reason: "the shop is down"}))
		}},
		{"list-emergencies", "", func() error { return second(c.ListEmergencies(ctx, sdk.IDWindow{})) }},
		{"close-emergency", "EMERGENCY_NOT_FOUND", func() error { return c.CloseEmergency(ctx, emergency) }},
		{"list-keys", "", func() error { return second(c.ListKeys(ctx)) }},
		{"rotate-keys", "", func() error { return second(c.RotateKeys(ctx)) }},
		{"list-certificates", "", func() error { return second(c.ListCertificates(ctx)) }},
		{"revoke-certificate", "", func() error { return c.RevokeCertificate(ctx, certificate) }},
		{"get-certificate-authority", "", func() error { return second(c.GetCertificateAuthority(ctx)) }},
		{"rotate-certificate-authority", "", func() error { return c.RotateCertificateAuthority(ctx) }},
		{"revoke-session", "", func() error { return c.RevokeSession(ctx, mine) }},
		{"reset-user", "", func() error { return second(c.ResetUser(ctx, "ada@example.com")) }},
		{"delete-project", "", func() error { return c.DeleteProject(ctx, "shop") }},
		{"get-account", "", func() error { return second(c.GetAccount(ctx)) }},
		{"change-password", "SESSION_NEEDED", func() error {
			return c.ChangePassword(ctx, sdk.ChangePasswordRequest{Old: roomstest.Password, New: "nine purple otters asleep"})
		}},
		{"begin-totp", "SESSION_NEEDED", func() error { return second(c.BeginTOTP(ctx)) }},
		{"confirm-totp", "SESSION_NEEDED", func() error { return second(c.ConfirmTOTP(ctx, sdk.CodeRequest{Code: "123456"})) }},
		{"remove-totp", "SESSION_NEEDED", func() error { return c.RemoveTOTP(ctx, sdk.RemoveTOTPRequest{}) }},
		{"create-recovery-codes", "SESSION_NEEDED", func() error { return second(c.CreateRecoveryCodes(ctx, sdk.CodeRequest{Code: "123456"})) }},
		{"list-passkeys", "", func() error { return second(c.ListPasskeys(ctx)) }},
		{"begin-passkey", "SESSION_NEEDED", func() error { return second(c.BeginPasskey(ctx, sdk.BeginPasskeyRequest{Name: "laptop"})) }},
		{"confirm-passkey", "SESSION_NEEDED", func() error { return second(c.ConfirmPasskey(ctx, sdk.PasskeyAnswer{Response: map[string]any{}})) }},
		{"delete-passkey", "SESSION_NEEDED", func() error { return c.DeletePasskey(ctx, "psk_none") }},
		{"list-consents", "PERSON_NEEDED", func() error { return second(c.ListConsents(ctx)) }},
		{"revoke-consent", "PERSON_NEEDED", func() error { return c.RevokeConsent(ctx, "cli_none") }},
		{"unlink-identity", "SESSION_NEEDED", func() error { return c.UnlinkIdentity(ctx, "corp") }},
		{"sign-in-by-password", "SIGN_IN_FAILED", func() error {
			return second(nobody.SignInByPassword(ctx, sdk.PasswordSignInRequest{Email: "x@example.com", Password: "x"}))
		}},
		{"begin-passkey-sign-in", "", func() error { return second(nobody.BeginPasskeySignIn(ctx)) }},
		{"sign-in-by-passkey", "TICKET_INVALID", func() error {
			return second(nobody.SignInByPasskey(ctx, sdk.PasskeyAnswer{Response: map[string]any{}}))
		}},
		{"sign-in-by-id-token", "IDENTITY_PROVIDER_NOT_FOUND", func() error {
			return second(nobody.SignInByIDToken(ctx, sdk.IDTokenSignInRequest{Provider: "none", IDToken: "x"}))
		}},
		{"complete-setup", "LINK_INVALID", func() error { return second(nobody.CompleteSetup(ctx, sdk.SetupRequest{Link: "x"})) }},
		{"accept-invitation", "LINK_INVALID", func() error { return second(nobody.AcceptInvitation(ctx, sdk.AcceptInvitationRequest{Link: "x"})) }},
		{"request-reset", "", func() error { return nobody.RequestReset(ctx, sdk.ResetRequest{Email: "x@example.com"}) }},
		{"complete-reset", "LINK_INVALID", func() error { return second(nobody.CompleteReset(ctx, sdk.CompleteResetRequest{Link: "x"})) }},
		{"sign-out", "", func() error { return nobody.SignOut(ctx) }},
	} {
		err := call.do()
		var p *sdk.Problem
		if call.code == "" && err != nil || call.code != "" && (!errors.As(err, &p) || p.Code != call.code) {
			t.Errorf("%s: %v (%+v), want %q", call.operation, err, p, call.code)
		}
	}
}
