package access_test

import (
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// stage is people with little and much, for attacks.
type stage struct {
	*town
	chief     blueberry.Actor // owner
	admin     blueberry.Actor // of project shop
	developer blueberry.Actor // of project shop
	guest     blueberry.Actor // of nothing
	rescuer   blueberry.Actor // may break the glass
}

func newStage(t *testing.T) stage {
	t.Helper()
	w := newTown(t)
	w.project(t, "shop", "bank")
	return stage{
		town: w, chief: w.person(t, "chief@example.com", owner), admin: w.member(t, "admin@example.com", "shop", blueberry.RoleAdmin),
		developer: w.member(t, "developer@example.com", "shop", blueberry.RoleDeveloper), guest: w.person(t, "guest@example.com", nil),
		rescuer: w.person(t, "rescuer@example.com", breakGlass),
	}
}

// narrowed is a token of a user that holds some grants only.
func (s stage) narrowed(t *testing.T, maker blueberry.Actor, grants ...blueberry.Grant) blueberry.Actor {
	t.Helper()
	_, a := s.token(t, maker, access.NewToken{Grants: grants})
	return a
}

func lacks(g blueberry.Grant) string { return "forbidden GRANT_MISSING [" + string(g) + "]" }

// TestNobodyGivesWhatTheyDoNotHold: no way to make an account, a role or a program gives more than its maker has.
func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	inviter := s.narrowed(t, s.chief, blueberry.GrantUsersWrite, blueberry.GrantUsersRead)
	membersOnly := s.narrowed(t, s.admin, blueberry.GrantMembersWrite)
	servicesOnly := s.narrowed(t, s.admin, blueberry.GrantServiceAccountsWrite)
	err := s.rule(t)
	if err != nil {
		t.Fatal(err)
	}
	program, err := s.CreateServiceAccount(ctx, s.admin, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		attack func() error
		want   string
	}{
		"a developer invites":                       {s.invites(t, s.developer, access.NewUser{Email: "x@example.com"}), lacks("users:write")},
		"an admin of a project invites":             {s.invites(t, s.admin, access.NewUser{Email: "x@example.com"}), lacks("users:write")},
		"a token that invites makes an owner":       {s.invites(t, inviter, access.NewUser{Email: "x@example.com", Owner: true}), lacks("*:*")},
		"a token that invites makes a rescuer":      {s.invites(t, inviter, access.NewUser{Email: "x@example.com", BreakGlass: true}), lacks("*:*")},
		"a token that invites gives a role":         {s.invites(t, inviter, access.NewUser{Email: "x@example.com", Members: []access.MemberWish{{Project: "shop", Role: blueberry.RoleViewer}}}), "not found PROJECT_NOT_FOUND [members:write]"},
		"a developer makes themselves admin":        {s.member(t, s.developer, "shop", s.developer.UserID, blueberry.RoleAdmin), lacks("members:write")},
		"an admin goes into another project":        {s.member(t, s.admin, "bank", s.admin.UserID, blueberry.RoleViewer), "not found PROJECT_NOT_FOUND [members:write]"},
		"a token of members gives a role":           {s.member(t, membersOnly, "shop", s.guest.UserID, blueberry.RoleViewer), lacks("environments:read")},
		"an admin makes an owner of a project":      {s.member(t, s.admin, "shop", s.guest.UserID, blueberry.RoleOwner), "invalid VALIDATION_FAILED role:enum"},
		"a developer makes a program":               {s.program(t, s.developer, "shop", blueberry.RoleViewer), lacks("service-accounts:write")},
		"a token of programs makes one with a role": {s.program(t, servicesOnly, "shop", blueberry.RoleViewer), lacks("environments:read")},
		"a program in another project":              {s.program(t, s.admin, "bank", blueberry.RoleViewer), "not found PROJECT_NOT_FOUND [service-accounts:write]"},
		"a program gets a role of its keeper's better": {func() error {
			_, err := s.UpdateServiceAccount(ctx, servicesOnly, program.ID, access.ServiceAccountChange{Role: to(blueberry.RoleAdmin)}, 0)
			return err
		}, lacks("projects:update")},
		"a token of programs makes a token of one": {s.tokenOf(t, servicesOnly, access.NewToken{Name: "x", ServiceID: program.ID}), lacks("environments:read")},
		"a group is made owners by an admin":       {s.rules(t, s.admin, blueberry.GroupRule{Provider: "google", Group: "all", Role: blueberry.RoleOwner}), lacks("*:*")},
		"a group is made admin by a developer":     {s.rules(t, s.developer, blueberry.GroupRule{Provider: "google", Group: "all", Project: "shop", Role: blueberry.RoleAdmin}), lacks("members:write")},
		"a group is given a role by a token":       {s.rules(t, membersOnly, blueberry.GroupRule{Provider: "google", Group: "all", Project: "shop", Role: blueberry.RoleViewer}), lacks("environments:read")},
		"a group gets another project":             {s.rules(t, s.admin, blueberry.GroupRule{Provider: "google", Group: "all", Project: "bank", Role: blueberry.RoleViewer}), "not found PROJECT_NOT_FOUND [members:write]"},
	} {
		t.Run(name, func(t *testing.T) { wants(t, name, c.want, c.attack()) })
	}
}

func (s stage) rule(t *testing.T) error {
	t.Helper()
	_, err := s.PutProvider(t.Context(), root, access.ProviderWish{Name: "google", Kind: blueberry.ProviderOIDC, Issuer: "https://accounts.google.com", ClientID: "x"}, 0)
	return err
}

func (s stage) invites(t *testing.T, a blueberry.Actor, r access.NewUser) func() error {
	return func() error { _, err := s.CreateUser(t.Context(), a, r); return err }
}

func (s stage) member(t *testing.T, a blueberry.Actor, project, user string, role blueberry.Role) func() error {
	return func() error { _, err := s.PutMember(t.Context(), a, project, user, role); return err }
}

func (s stage) program(t *testing.T, a blueberry.Actor, project string, role blueberry.Role) func() error {
	return func() error {
		_, err := s.CreateServiceAccount(t.Context(), a, access.NewServiceAccount{Project: project, Name: "evil", Role: role})
		return err
	}
}

func (s stage) tokenOf(t *testing.T, a blueberry.Actor, r access.NewToken) func() error {
	return func() error { _, err := s.CreateToken(t.Context(), a, r); return err }
}

func (s stage) rules(t *testing.T, a blueberry.Actor, r blueberry.GroupRule) func() error {
	return func() error { _, err := s.AddGroupRule(t.Context(), a, r); return err }
}

// TestNobodyRaisesThemselves: nobody gets more by changing their own account, or takes over that of someone who has more.
func TestNobodyRaisesThemselves(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	inviter := s.narrowed(t, s.chief, blueberry.GrantUsersWrite, blueberry.GrantUsersRead)
	_, command := s.signedInByCommandLine(t, s.chief, "users:write", "users:read")
	for name, c := range map[string]struct {
		actor  blueberry.Actor
		id     string
		change access.UserChange
		want   string
	}{
		"a developer makes themselves owner":     {s.developer, s.developer.UserID, access.UserChange{Owner: to(true)}, lacks("users:write")},
		"a developer makes themselves rescuer":   {s.developer, s.developer.UserID, access.UserChange{BreakGlass: to(true)}, lacks("users:write")},
		"a developer takes another address":      {s.developer, s.developer.UserID, access.UserChange{Email: to("chief2@example.com")}, lacks("users:write")},
		"a developer renames another one":        {s.developer, s.admin.UserID, access.UserChange{Name: to("Eve")}, "not found USER_NOT_FOUND [users:write]"},
		"a token changes the name of its user":   {s.narrowed(t, s.developer, blueberry.GrantEnvironmentsRead), s.developer.UserID, access.UserChange{Name: to("Eve")}, lacks("users:write")},
		"a token makes its user owner again":     {inviter, s.chief.UserID, access.UserChange{BreakGlass: to(true)}, lacks("*:*")},
		"a token redirects the mail of an owner": {inviter, s.chief.UserID, access.UserChange{Email: to("eve@example.com")}, lacks("*:*")},
		"a command line with a scope does so":    {command, s.chief.UserID, access.UserChange{Email: to("eve@example.com")}, lacks("*:*")},
		"a token redirects the mail of an admin": {inviter, s.admin.UserID, access.UserChange{Email: to("eve@example.com")}, lacks("audit:read")},
		"a token locks an owner out":             {inviter, s.chief.UserID, access.UserChange{Status: to(blueberry.UserInactive)}, lacks("*:*")},
		"a token makes a rescuer less":           {inviter, s.rescuer.UserID, access.UserChange{BreakGlass: to(false)}, lacks("*:*")},
		"a token may lock out who has a role":    {inviter, s.developer.UserID, access.UserChange{Status: to(blueberry.UserInactive)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.UpdateUser(t.Context(), c.actor, c.id, c.change, 0)
			wants(t, name, c.want, err)
		})
	}
	_, err := s.UpdateUser(t.Context(), inviter, s.developer.UserID, access.UserChange{Status: to(blueberry.UserActive)}, 0)
	wants(t, "and not let them in again, with what they had", lacks("blueprints:read"), err)
	_, err = s.ResetUser(t.Context(), inviter, s.chief.UserID)
	wants(t, "a token gets a link into the account of an owner", lacks("*:*"), err)
	_, err = s.ResetUser(t.Context(), s.admin, s.developer.UserID)
	wants(t, "an admin of a project gets a link into an account", "not found USER_NOT_FOUND [users:write]", err)
	pending, err := s.CreateUser(t.Context(), s.chief, access.NewUser{Email: "new@example.com", Owner: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.InviteUser(t.Context(), inviter, pending.User.ID)
	wants(t, "a token gets the link of an owner who is invited", lacks("*:*"), err)
	if _, err := s.UpdateUser(t.Context(), s.guest, s.guest.UserID, access.UserChange{Name: to("Guest")}, 0); err != nil {
		t.Errorf("people change their own name: %v", err)
	}
}

// signedInByCommandLine is a user with our own command line, bound to scopes.
func (s stage) signedInByCommandLine(t *testing.T, user blueberry.Actor, scopes ...string) (*access.Gate, blueberry.Actor) {
	t.Helper()
	return s.byOAuth(t, user, blueberry.CLIClientID, scopes...)
}

func (s stage) byOAuth(t *testing.T, user blueberry.Actor, client string, scopes ...string) (*access.Gate, blueberry.Actor) {
	t.Helper()
	g := s.gateOf()
	g.OAuth = oauthOf{
		token: blueberry.OAuthToken{
			ID: "tok_oauth", Kind: blueberry.OAuthAccess, ClientID: client, UserID: user.UserID, Scopes: scopes, IssuedAt: s.clock.now(), ExpiresAt: s.clock.now().Add(time.Hour),
		},
		client: blueberry.OAuthClient{ID: client, Grants: []blueberry.Grant{blueberry.GrantAll}},
	}
	secret, _ := access.NewSecret(access.AccessPrefix)
	return g, s.enter(t, g, secret)
}

// TestTokensDoNotGrow: by no token does anyone get more than they had, now or later, nor for longer.
func TestTokensDoNotGrow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	shopOnly, bound := s.token(t, s.chief, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead, blueberry.GrantTokensRead}, Projects: []string{"shop"}, Life: time.Hour})
	wide, _ := s.token(t, s.chief, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantAll}})
	_, scoped := s.signedInByCommandLine(t, s.chief, "environments:read")
	_, stranger := s.byOAuth(t, s.chief, "cli_dashboards", "*:*")
	program, err := s.CreateServiceAccount(ctx, s.admin, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	read := []blueberry.Grant{blueberry.GrantEnvironmentsRead}
	for name, c := range map[string]struct {
		actor blueberry.Actor
		wish  access.NewToken
		want  string
	}{
		"more than one holds":                      {s.developer, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantConfigWrite}}, lacks("config:write")},
		"everything":                               {s.developer, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantAll}}, lacks("*:*")},
		"the role of an owner":                     {s.admin, access.NewToken{Role: blueberry.RoleOwner}, lacks("*:*")},
		"a role above one's own":                   {s.developer, access.NewToken{Role: blueberry.RoleAdmin}, lacks("projects:update")},
		"a project one does not see":               {s.developer, access.NewToken{Grants: read, Projects: []string{"bank"}}, "not found PROJECT_NOT_FOUND [environments:read]"},
		"a token makes one for everywhere":         {bound, access.NewToken{Grants: read}, lacks("environments:read")},
		"a token makes one for another project":    {bound, access.NewToken{Grants: read, Projects: []string{"bank"}}, "not found PROJECT_NOT_FOUND [environments:read]"},
		"a token makes one with more":              {bound, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantEnvironmentsCreate}, Projects: []string{"shop"}}, "forbidden GRANT_MISSING [environments:create]"},
		"a command line makes one beyond scope":    {scoped, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantAll}}, "forbidden PERSON_NEEDED"},
		"a program by OAuth makes one to keep":     {stranger, access.NewToken{Grants: read}, "forbidden PERSON_NEEDED"},
		"the installation's own makes one of none": {root, access.NewToken{Grants: read}, "invalid VALIDATION_FAILED service_account_id:required"},
		"of a program of another project":          {s.person(t, "x@example.com", nil), access.NewToken{ServiceID: program.ID}, "not found SERVICE_ACCOUNT_NOT_FOUND [service-accounts:write]"},
		"of a program by a developer":              {s.developer, access.NewToken{ServiceID: program.ID}, lacks("service-accounts:write")},
		"of a program, beyond it":                  {s.chief, access.NewToken{ServiceID: program.ID, Grants: []blueberry.Grant{blueberry.GrantUsersRead}, Projects: []string{"bank"}}, "invalid VALIDATION_FAILED grants[0]:beyond projects[0]:beyond"},
		"too long":                                 {s.chief, access.NewToken{Grants: read, Life: 366 * 24 * time.Hour}, "invalid VALIDATION_FAILED days:range"},
	} {
		t.Run(name, func(t *testing.T) {
			c.wish.Name = "evil"
			_, err := s.CreateToken(ctx, c.actor, c.wish)
			wants(t, name, c.want, err)
		})
	}
	child, _ := s.token(t, bound, access.NewToken{Grants: read, Projects: []string{"shop"}, Life: 300 * 24 * time.Hour})
	if !child.Token.ExpiresAt.Equal(shopOnly.Token.ExpiresAt) {
		t.Errorf("the child ends %s, its parent %s", child.Token.ExpiresAt, shopOnly.Token.ExpiresAt)
	}
	renewed, err := s.RotateToken(ctx, bound, bound.ID, 0, 300*24*time.Hour)
	if err != nil || !renewed.Token.ExpiresAt.Equal(shopOnly.Token.ExpiresAt) {
		t.Errorf("a token that rotates itself ends %s, before it was %s (%v)", renewed.Token.ExpiresAt, shopOnly.Token.ExpiresAt, err)
	}
	for name, actor := range map[string]blueberry.Actor{"a narrow token": bound, "a narrow command line": scoped, "a program by OAuth": stranger} {
		if got, err := s.RotateToken(ctx, actor, wide.Token.ID, 0, 0); err == nil {
			t.Errorf("%s got the secret of a wide token: %+v", name, got.Token)
		}
	}
}

// TestTheOldSecretDoesNotLastByItself: whoever found the secret from before a rotation gets nothing by it that outlasts the overlap.
func TestTheOldSecretDoesNotLastByItself(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	made, _ := s.token(t, s.chief, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantAll}})
	if _, err := s.RotateToken(t.Context(), s.chief, made.Token.ID, time.Hour, 0); err != nil {
		t.Fatal(err)
	}
	old := s.enter(t, s.gate, made.Secret)
	end := s.clock.now().Add(time.Hour)
	child, _ := s.token(t, old, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantAll}})
	again, err := s.RotateToken(t.Context(), old, made.Token.ID, 0, 0)
	if err != nil || child.Token.ExpiresAt.After(end) || again.Token.ExpiresAt.After(end) {
		t.Errorf("they end %s and %s, the overlap %s (%v)", child.Token.ExpiresAt, again.Token.ExpiresAt, end, err)
	}
}

// TestOthersThings: of what belongs to others, one who may not see it learns nothing; one who may see it and not touch it is told the grant.
func TestOthersThings(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	theirs, _ := s.token(t, s.developer, access.NewToken{Role: blueberry.RoleViewer})
	program, err := s.CreateServiceAccount(ctx, s.admin, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	ofProgram, itself := s.token(t, s.admin, access.NewToken{ServiceID: program.ID})
	maintainer := s.town.member(t, "maintainer@example.com", "shop", blueberry.RoleMaintainer)
	auditor := s.narrowed(t, s.chief, blueberry.GrantTokensRead, blueberry.GrantSessionsRead, blueberry.GrantUsersRead)
	token, session, missing := theirs.Token.ID, s.developer.Credential, "tok_0000000000000000000000000"
	_, stranger := s.byOAuth(t, s.developer, "cli_dashboards", "*:*")
	const noToken, noSession, noProgram = "not found API_TOKEN_NOT_FOUND", "not found SESSION_NOT_FOUND", "not found SERVICE_ACCOUNT_NOT_FOUND"
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"read a token":                       {s.reads(t, s.guest, token), noToken + " [api-tokens:read]"},
		"read a token that is not there":     {s.reads(t, s.guest, missing), noToken},
		"rotate a token":                     {s.rotates(t, s.guest, token), noToken + " [api-tokens:write]"},
		"revoke a token":                     {s.revokes(t, s.guest, token), noToken + " [api-tokens:write]"},
		"revoke a token as admin of project": {s.revokes(t, s.admin, token), noToken + " [api-tokens:write]"},
		"revoke a token that one may see":    {s.revokes(t, auditor, token), lacks("api-tokens:write")},
		"read a token that one may see":      {s.reads(t, auditor, token), ""},
		"rotate a token as owner":            {s.rotates(t, s.chief, token), "forbidden API_TOKEN_OF_ANOTHER"},
		"a program reads a user's":           {s.reads(t, itself, token), noToken + " [api-tokens:read]"},
		"a program reads itself":             {s.reads(t, itself, ofProgram.Token.ID), ""},
		"a program's by a developer":         {s.reads(t, s.developer, ofProgram.Token.ID), noToken + " [api-tokens:read]"},
		"a program's by a maintainer":        {s.reads(t, maintainer, ofProgram.Token.ID), ""},
		"a program's revoked by those":       {s.revokes(t, maintainer, ofProgram.Token.ID), lacks("api-tokens:write")},
		"by OAuth, a token of the user":      {s.reads(t, stranger, token), noToken + " [api-tokens:read]"},
		"a session":                          {func() error { return s.RevokeSession(ctx, s.guest, session) }, noSession + " [sessions:revoke]"},
		"a session that is not there":        {func() error { return s.RevokeSession(ctx, s.guest, "ses_0") }, noSession},
		"a session that one may see":         {func() error { return s.RevokeSession(ctx, auditor, session) }, lacks("sessions:revoke")},
		"by OAuth, a session of the user":    {func() error { return s.RevokeSession(ctx, stranger, session) }, noSession + " [sessions:revoke]"},
		"the sessions of another":            {func() error { _, err := s.Sessions(ctx, s.guest, s.developer.UserID, "", 0); return err }, lacks("sessions:read")},
		"the sessions of nobody":             {func() error { _, err := s.Sessions(ctx, s.guest, "usr_0", "", 0); return err }, lacks("sessions:read")},
		"all sessions":                       {func() error { _, err := s.Sessions(ctx, s.guest, "*", "", 0); return err }, lacks("sessions:read")},
		"end those of another":               {func() error { _, err := s.RevokeSessions(ctx, s.guest, s.developer.UserID, false); return err }, lacks("sessions:revoke")},
		"by OAuth, the user's own sessions":  {func() error { _, err := s.Sessions(ctx, stranger, "", "", 0); return err }, "forbidden PERSON_NEEDED"},
		"tokens of another": {func() error {
			_, err := s.Tokens(ctx, s.guest, blueberry.APITokenQuery{UserID: s.developer.UserID})
			return err
		}, lacks("api-tokens:read")},
		"all tokens":                    {func() error { _, err := s.Tokens(ctx, s.guest, blueberry.APITokenQuery{UserID: "*"}); return err }, lacks("api-tokens:read")},
		"a service account":             {func() error { _, err := s.ServiceAccount(ctx, s.guest, program.ID); return err }, noProgram + " [service-accounts:read]"},
		"a service account that is not": {func() error { _, err := s.ServiceAccount(ctx, s.guest, "svc_0"); return err }, noProgram},
		"change one that one may see": {func() error {
			_, err := s.UpdateServiceAccount(ctx, maintainer, program.ID, access.ServiceAccountChange{Disabled: to(true)}, 0)
			return err
		}, lacks("service-accounts:write")},
		"remove one":              {func() error { return s.DeleteServiceAccount(ctx, s.guest, program.ID, 0) }, noProgram + " [service-accounts:write]"},
		"a user":                  {func() error { _, err := s.User(ctx, s.guest, s.chief.UserID); return err }, "not found USER_NOT_FOUND [users:read]"},
		"a user by address":       {func() error { _, err := s.UserDetail(ctx, s.guest, "chief@example.com"); return err }, "not found USER_NOT_FOUND [users:read]"},
		"nobody by address":       {func() error { _, err := s.UserDetail(ctx, s.guest, "nobody@example.com"); return err }, "not found USER_NOT_FOUND [users:read]"},
		"oneself":                 {func() error { _, err := s.User(ctx, s.guest, "Guest@Example.com"); return err }, ""},
		"remove a user":           {func() error { return s.DeleteUser(ctx, s.guest, s.chief.UserID, 0) }, "not found USER_NOT_FOUND [users:write]"},
		"remove oneself":          {func() error { return s.DeleteUser(ctx, s.guest, s.guest.UserID, 0) }, lacks("users:write")},
		"members":                 {func() error { _, err := s.Members(ctx, s.guest, "shop"); return err }, "not found PROJECT_NOT_FOUND [members:read]"},
		"remove a project":        {func() error { return s.DeleteProject(ctx, s.admin, "shop", 0) }, lacks("projects:delete")},
		"remove a project unseen": {func() error { return s.DeleteProject(ctx, s.admin, "bank", 0) }, "not found PROJECT_NOT_FOUND [projects:delete]"},
		"describe one unseen":     {func() error { _, err := s.UpdateProject(ctx, s.admin, "bank", "x", 0); return err }, "not found PROJECT_NOT_FOUND [projects:update]"},
		"review":                  {func() error { _, err := s.Review(ctx, s.admin, access.ReviewQuery{}); return err }, lacks("access:review")},
		"identity providers":      {func() error { _, err := s.Providers(ctx, s.admin); return err }, lacks("identity-providers:read")},
		"emergencies":             {func() error { _, err := s.Emergencies(ctx, s.admin, "", 0); return err }, lacks("emergencies:read")},
		"the group rules":         {func() error { _, err := s.GroupRules(ctx, s.guest); return err }, lacks("members:read")},
	} {
		t.Run(name, func(t *testing.T) { wants(t, name, c.want, c.do()) })
	}
	alive := func(secret string) { s.enter(t, s.gate, secret) }
	alive(theirs.Secret)
	alive(ofProgram.Secret)
	if own, err := s.Tokens(ctx, s.developer, blueberry.APITokenQuery{}); err != nil || len(own) != 1 || own[0].ID != token {
		t.Errorf("one's own tokens: %v (%v)", own, err)
	}
	if own, err := s.Tokens(ctx, s.enter(t, s.gate, theirs.Secret), blueberry.APITokenQuery{}); err != nil || len(own) != 1 {
		t.Errorf("a token lists itself: %v (%v)", own, err)
	}
}

func (s stage) reads(t *testing.T, a blueberry.Actor, id string) func() error {
	return func() error { _, err := s.Token(t.Context(), a, id); return err }
}

func (s stage) rotates(t *testing.T, a blueberry.Actor, id string) func() error {
	return func() error { _, err := s.RotateToken(t.Context(), a, id, 0, 0); return err }
}

func (s stage) revokes(t *testing.T, a blueberry.Actor, id string) func() error {
	return func() error { return s.RevokeToken(t.Context(), a, id) }
}

// TestTokenOfAnInactiveUser: it is refused while its user is inactive, and works again with them.
func TestTokenOfAnInactiveUser(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	made, _ := s.token(t, s.developer, access.NewToken{Role: blueberry.RoleViewer})
	for _, status := range []blueberry.UserStatus{blueberry.UserInactive, blueberry.UserActive} {
		if _, err := s.UpdateUser(t.Context(), s.chief, s.developer.UserID, access.UserChange{Status: to(status)}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.gate.Authenticate(t.Context(), made.Secret); (err == nil) != (status == blueberry.UserActive) {
			t.Errorf("the user is %s: %v", status, err)
		}
	}
}
