package sdk

import "time"

// Account is who is asking, and what they may do.
type Account struct {
	Kind       string              `json:"kind" enum:"user,token,client,job" doc:"What is asking" example:"user"`
	ID         string              `json:"id" doc:"Of the user, token or client" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Name       string              `json:"name" doc:"As it stands in owner fields and in the audit" example:"ada@example.com"`
	OnBehalfOf string              `json:"on_behalf_of,omitempty" doc:"Address of the user that a token or client acts for" example:"ada@example.com"`
	Credential string              `json:"credential,omitempty" doc:"Id of the session or token that proved it" example:"ses_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Emergency  string              `json:"emergency,omitempty" doc:"Id of the emergency that is open; absent for none" example:"emg_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Grants     []string            `json:"grants" nullable:"false" doc:"What they may do on the installation, and so in every project" example:"[\"projects:read\"]"`
	Projects   map[string][]string `json:"projects" doc:"What they may do in a project, by its name" example:"{\"shop\": [\"environments:read\"]}"`
	User       *UserDetail         `json:"user,omitempty" doc:"The account that it acts on; absent if there is none"`
	Session    *Session            `json:"session,omitempty" doc:"The session that the call was made with; absent for none"`
}

// ChangePasswordRequest gives one's own account another password. Other sessions end.
type ChangePasswordRequest struct {
	Old  string `json:"old_password,omitempty" maxLength:"512" doc:"The password so far; empty if there is none" writeOnly:"true" example:"correct horse battery staple"`
	New  string `json:"new_password" maxLength:"512" doc:"The new one, 12 to 128 characters" writeOnly:"true" example:"nine purple otters dancing"`
	Code string `json:"code,omitempty" maxLength:"64" doc:"Code of the authenticator, if there is one" writeOnly:"true" example:"123456"`
}

// TOTPSetup is what an authenticator needs. It counts once a code confirmed it.
type TOTPSetup struct {
	Secret string `json:"secret" doc:"Secret, told only here: in base32, to type" example:"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"`
	URL    string `json:"url" doc:"Secret, told only here: the same for programs" example:"otpauth://totp/Blueberry:ada@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"`
	QR     []byte `json:"qr" doc:"Secret, told only here: the same as a picture, PNG" example:"iVBORw0KGgo="`
}

// CodeRequest proves that one has the authenticator.
type CodeRequest struct {
	Code string `json:"code" maxLength:"64" doc:"Code of the authenticator" writeOnly:"true" example:"123456"`
}

// RemoveTOTPRequest takes the second factor off one's own account.
type RemoveTOTPRequest struct {
	Password string `json:"password" maxLength:"512" doc:"The password" writeOnly:"true" example:"correct horse battery staple"`
	Code     string `json:"code" maxLength:"64" doc:"Code of the authenticator, or a recovery code" writeOnly:"true" example:"123456"`
}

// RecoveryCodes are what lets one in without the authenticator, each once.
type RecoveryCodes struct {
	Codes []string `json:"codes" nullable:"false" doc:"Secret, told only here" example:"[\"k3c8-qf2v-9m4n\"]"`
}

// BeginPasskeyRequest begins to add a passkey.
type BeginPasskeyRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"100" doc:"To tell it from others" example:"laptop"`
}

// PasskeyList is one's own passkeys.
type PasskeyList struct {
	Items []Passkey `json:"items" nullable:"false" doc:"Oldest first"`
}

// SignInWays are how people can sign in at this installation, beside a password.
type SignInWays struct {
	Providers   []SignInProvider `json:"providers" nullable:"false" doc:"Identity providers that are in use, by name"`
	PasskeysOff string           `json:"passkeys_off,omitempty" doc:"Why there are no passkeys at this address; absent when there are" example:"passkeys need a public address by https"`
}

// SignInProvider is an identity provider as its button shows it.
type SignInProvider struct {
	Name  string `json:"name" doc:"Its name" example:"google"`
	Label string `json:"label" doc:"For people" example:"Google"`
}

// Consent is what a user allowed an OAuth client.
type Consent struct {
	ClientID  string    `json:"client_id" doc:"Id of the client" example:"cli_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Client    string    `json:"client,omitempty" doc:"Its name" example:"Dashboards"`
	Scopes    []string  `json:"scopes" nullable:"false" doc:"What it may do for the user" example:"[\"environments:read\"]"`
	GrantedAt time.Time `json:"granted_at" doc:"When the user agreed"`
}

// ConsentList is every client that one has allowed.
type ConsentList struct {
	Items []Consent `json:"items" nullable:"false" doc:"By client"`
}
