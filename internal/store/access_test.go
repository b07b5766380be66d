package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// whole gives a noun each of whose fields has a value of its own, also those that someone will add: a store that forgets one is found out.
func whole[N any](seed int) N {
	var n N
	fillValue(reflect.ValueOf(&n).Elem(), &seed)
	return n
}

func fillValue(v reflect.Value, seed *int) {
	*seed++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(start.Add(time.Duration(*seed) * time.Minute)))
		return
	case time.Duration:
		v.SetInt(int64(time.Duration(*seed) * time.Second))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf(`it's "%d" \ ? ö`, *seed))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*seed))
	case reflect.Uint8:
		v.SetUint(uint64(*seed % 256))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fillValue(v.Index(i), seed)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillValue(key, seed)
		fillValue(value, seed)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), seed)
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i), seed)
		}
	default:
		panic("whole knows no " + v.Type().String())
	}
}

// user is one with a whole record.
func user(id string) blueberry.User {
	u := whole[blueberry.User](1)
	u.ID, u.Email, u.Status = id, id+"@example.test", blueberry.UserActive
	return u
}

func identity(userID string) blueberry.Identity {
	i := whole[blueberry.Identity](1)
	i.Provider, i.Subject, i.UserID, i.Groups = "google", "subject of "+userID, userID, []string{"ops", "dev", "ops"}
	return i
}

func session(id, userID string, at time.Time) blueberry.Session {
	return blueberry.Session{ID: id, Hash: []byte(id), UserID: userID, CreatedAt: at, ExpiresAt: at.Add(blueberry.SessionLife)}
}

func oauthToken(id, family string) blueberry.OAuthToken {
	return blueberry.OAuthToken{
		ID: id, Hash: []byte(id), Kind: blueberry.OAuthRefresh, Family: family, ClientID: "cli_1", UserID: "usr_1",
		IssuedAt: start, ExpiresAt: start.Add(blueberry.RefreshTokenLife),
	}
}

func device(id, code string) blueberry.DeviceAuthorization {
	return blueberry.DeviceAuthorization{
		ID: id, DeviceHash: []byte(id), UserCodeHash: []byte(code), ClientID: "cli_1", Status: blueberry.DevicePending, CreatedAt: start,
		ExpiresAt: start.Add(blueberry.DeviceCodeLife), Interval: blueberry.DeviceInterval,
	}
}

// populate adds what the others refer to: a user, an identity provider and an OAuth client.
func populate(t *testing.T, s *store.Store) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.InsertUser(ctx, user("usr_1")), tx.PutProvider(ctx, googleProvider()), tx.PutOAuthClient(ctx, console()))
	})
}

func googleProvider() blueberry.IdentityProvider {
	return blueberry.IdentityProvider{ID: "idp_1", Name: "google", Kind: blueberry.ProviderOIDC, ClientSecret: []byte("sealed")}
}

func console() blueberry.OAuthClient { return blueberry.OAuthClient{ID: "cli_1", Name: "console"} }

// fillAccess puts a row into every table of access and of OAuth.
func fillAccess(ctx context.Context, tx *store.Tx, userID string) error {
	if err := tx.InsertUser(ctx, user(userID)); err != nil {
		return err
	}
	if _, err := tx.Provider(ctx, "google"); errors.Is(err, blueberry.NotFound) {
		if err := errors.Join(tx.PutProvider(ctx, googleProvider()), tx.PutOAuthClient(ctx, console())); err != nil {
			return err
		}
	}
	return errors.Join(
		tx.PutCredentials(ctx, blueberry.Credentials{UserID: userID, Password: "$argon2id$", TOTPSecret: []byte("sealed")}),
		tx.PutPasskey(ctx, blueberry.Passkey{ID: "psk_" + userID, UserID: userID, CredentialID: []byte(userID), CreatedAt: start}),
		tx.PutIdentity(ctx, identity(userID)),
		tx.InsertLink(ctx, blueberry.Link{ID: "lnk_" + userID, Kind: blueberry.LinkReset, UserID: userID, Hash: []byte(userID), ExpiresAt: start}),
		tx.PutGroupRule(ctx, blueberry.GroupRule{ID: "grp_" + userID, Provider: "google", Group: userID, Project: blueberry.DefaultProject, Role: blueberry.RoleViewer}),
		tx.PutMember(ctx, blueberry.Member{Project: blueberry.DefaultProject, UserID: userID, Role: blueberry.RoleViewer}),
		tx.PutServiceAccount(ctx, blueberry.ServiceAccount{ID: "svc_" + userID, Project: blueberry.DefaultProject, Name: userID}),
		tx.InsertSession(ctx, session("ses_"+userID, userID, start)),
		tx.PutAttempts(ctx, blueberry.Attempts{Key: "user:" + userID, Failures: 1, Since: start}),
		tx.InsertEmergency(ctx, blueberry.Emergency{ID: "emg_" + userID, UserID: userID, Reason: "the cluster burns", OpenedAt: start}),
		tx.InsertOAuthToken(ctx, oauthToken("tok_of_"+userID, "gnt_1")),
		tx.PutConsent(ctx, blueberry.Consent{UserID: userID, ClientID: "cli_1", GrantedAt: start}),
		tx.InsertDevice(ctx, device("gnt_"+userID, userID)),
		tx.BumpAccessEpoch(ctx),
	)
}

// roundTrip writes a noun and reads it back as want says.
func roundTrip[N any](sent N, put func(context.Context, *store.Tx, N) error, get func(context.Context, *store.Tx) (N, error), stored func(*N)) func(*testing.T, *store.Store) {
	return func(t *testing.T, s *store.Store) {
		t.Helper()
		want := sent
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return put(ctx, tx, want) })
		if stored != nil {
			stored(&want)
		}
		read := func(ctx context.Context, tx *store.Tx) (N, error) { return get(ctx, tx) }
		if d := cmp.Diff(want, view(t, s, read)); d != "" {
			t.Error(d)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { // with the locks of a writer
			got, err := get(ctx, tx)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("in Update:\n%s", d)
			}
			return err
		})
	}
}

func onlyOf[N any](list []N, err error) (n N, _ error) {
	if err == nil && len(list) != 1 {
		return n, fmt.Errorf("got %d of them", len(list))
	}
	if err != nil {
		return n, err
	}
	return list[0], nil
}

func TestNounsOfAccessComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	u := user("usr_1")
	credentials := whole[blueberry.Credentials](1)
	credentials.UserID, credentials.Version = "usr_1", 0
	passkey := whole[blueberry.Passkey](1)
	passkey.UserID = "usr_1"
	link := whole[blueberry.Link](1)
	provider := whole[blueberry.IdentityProvider](1)
	provider.Name, provider.Version = "dex", 0
	rule := whole[blueberry.GroupRule](1)
	rule.Provider, rule.Project = "google", blueberry.DefaultProject
	member := whole[blueberry.Member](1)
	member.UserID, member.Project = "usr_1", blueberry.DefaultProject
	service := whole[blueberry.ServiceAccount](1)
	service.Project, service.Version = blueberry.DefaultProject, 0
	token := whole[blueberry.APIToken](1)
	signedIn := whole[blueberry.Session](1)
	signedIn.UserID = "usr_1"
	attempts := whole[blueberry.Attempts](1)
	emergency := whole[blueberry.Emergency](1)
	emergency.UserID = "usr_1"
	client := whole[blueberry.OAuthClient](1)
	client.Version = 0
	issued := whole[blueberry.OAuthToken](1)
	issued.ClientID = "cli_1"
	consent := whole[blueberry.Consent](1)
	consent.UserID, consent.ClientID = "usr_1", "cli_1"
	waits := whole[blueberry.DeviceAuthorization](1)
	waits.ClientID = "cli_1"
	project := whole[blueberry.Project](1)
	project.Name = "shop"

	tests := map[string]func(*testing.T, *store.Store){
		"user": roundTrip(blueberry.User{ID: "usr_2", Email: "b@example.test"}, func(ctx context.Context, tx *store.Tx, n blueberry.User) error { return tx.InsertUser(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.User, error) { return tx.User(ctx, "usr_2") }, nil),
		"whole user": roundTrip(u, func(context.Context, *store.Tx, blueberry.User) error { return nil }, // made below
			func(ctx context.Context, tx *store.Tx) (blueberry.User, error) { return tx.UserByEmail(ctx, u.Email) }, nil),
		"no credentials": roundTrip(blueberry.Credentials{UserID: "usr_1"}, func(context.Context, *store.Tx, blueberry.Credentials) error { return nil },
			func(ctx context.Context, tx *store.Tx) (blueberry.Credentials, error) {
				return tx.Credentials(ctx, "usr_1")
			}, nil),
		"credentials": roundTrip(credentials, func(ctx context.Context, tx *store.Tx, n blueberry.Credentials) error {
			return tx.PutCredentials(ctx, n)
		},
			func(ctx context.Context, tx *store.Tx) (blueberry.Credentials, error) {
				return tx.Credentials(ctx, "usr_1")
			},
			func(c *blueberry.Credentials) { c.Version = 1 }),
		"passkey": roundTrip(passkey, func(ctx context.Context, tx *store.Tx, n blueberry.Passkey) error { return tx.PutPasskey(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Passkey, error) {
				return tx.PasskeyByCredential(ctx, passkey.CredentialID)
			}, nil),
		"passkey of user": roundTrip(passkey, func(ctx context.Context, tx *store.Tx, n blueberry.Passkey) error { return tx.PutPasskey(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Passkey, error) {
				return onlyOf(tx.Passkeys(ctx, "usr_1"))
			}, nil),
		"identity": roundTrip(identity("usr_1"), func(ctx context.Context, tx *store.Tx, n blueberry.Identity) error { return tx.PutIdentity(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Identity, error) {
				return tx.Identity(ctx, "google", "subject of usr_1")
			}, nil),
		"identity of user": roundTrip(identity("usr_1"), func(ctx context.Context, tx *store.Tx, n blueberry.Identity) error { return tx.PutIdentity(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Identity, error) {
				return onlyOf(tx.IdentitiesOf(ctx, "usr_1"))
			}, nil),
		"link": roundTrip(link, func(ctx context.Context, tx *store.Tx, n blueberry.Link) error { return tx.InsertLink(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Link, error) { return tx.LinkByHash(ctx, link.Hash) }, nil),
		"provider": roundTrip(provider, func(ctx context.Context, tx *store.Tx, n blueberry.IdentityProvider) error {
			return tx.PutProvider(ctx, n)
		},
			func(ctx context.Context, tx *store.Tx) (blueberry.IdentityProvider, error) {
				return tx.Provider(ctx, "dex")
			},
			func(p *blueberry.IdentityProvider) { p.Version = 1 }),
		"group rule": roundTrip(rule, func(ctx context.Context, tx *store.Tx, n blueberry.GroupRule) error { return tx.PutGroupRule(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.GroupRule, error) {
				return onlyOf(tx.GroupRules(ctx))
			}, nil),
		"member": roundTrip(blueberry.Membership{Member: member, User: u},
			func(ctx context.Context, tx *store.Tx, n blueberry.Membership) error {
				return tx.PutMember(ctx, n.Member)
			},
			func(ctx context.Context, tx *store.Tx) (blueberry.Membership, error) {
				return onlyOf(tx.Members(ctx, blueberry.DefaultProject))
			}, nil),
		"membership": roundTrip(member, func(ctx context.Context, tx *store.Tx, n blueberry.Member) error { return tx.PutMember(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Member, error) {
				return onlyOf(tx.MembershipsOf(ctx, "usr_1"))
			}, nil),
		"project": roundTrip(project, func(ctx context.Context, tx *store.Tx, n blueberry.Project) error { return tx.InsertProject(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Project, error) { return tx.Project(ctx, "shop") }, nil),
		"service account": roundTrip(service, func(ctx context.Context, tx *store.Tx, n blueberry.ServiceAccount) error {
			return tx.PutServiceAccount(ctx, n)
		},
			func(ctx context.Context, tx *store.Tx) (blueberry.ServiceAccount, error) {
				return tx.ServiceAccount(ctx, service.ID)
			},
			func(s *blueberry.ServiceAccount) { s.Version = 1 }),
		"token": roundTrip(token, func(ctx context.Context, tx *store.Tx, n blueberry.APIToken) error { return tx.InsertToken(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.APIToken, error) {
				return tx.TokenByHash(ctx, token.Hash)
			}, nil),
		"token by its secret before": roundTrip(token, func(ctx context.Context, tx *store.Tx, n blueberry.APIToken) error { return tx.InsertToken(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.APIToken, error) {
				return tx.TokenByHash(ctx, token.PreviousHash)
			}, nil),
		"session": roundTrip(signedIn, func(ctx context.Context, tx *store.Tx, n blueberry.Session) error { return tx.InsertSession(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Session, error) {
				return tx.SessionByHash(ctx, signedIn.Hash)
			}, nil),
		"attempts": roundTrip(attempts, func(ctx context.Context, tx *store.Tx, n blueberry.Attempts) error { return tx.PutAttempts(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Attempts, error) {
				return tx.Attempts(ctx, attempts.Key)
			}, nil),
		"no attempts": roundTrip(blueberry.Attempts{Key: "k"}, func(context.Context, *store.Tx, blueberry.Attempts) error { return nil },
			func(ctx context.Context, tx *store.Tx) (blueberry.Attempts, error) { return tx.Attempts(ctx, "k") }, nil),
		"emergency": roundTrip(emergency, func(ctx context.Context, tx *store.Tx, n blueberry.Emergency) error {
			return tx.InsertEmergency(ctx, n)
		},
			func(ctx context.Context, tx *store.Tx) (blueberry.Emergency, error) {
				return tx.Emergency(ctx, emergency.ID)
			}, nil),
		"client": roundTrip(client, func(ctx context.Context, tx *store.Tx, n blueberry.OAuthClient) error {
			return tx.PutOAuthClient(ctx, n)
		},
			func(ctx context.Context, tx *store.Tx) (blueberry.OAuthClient, error) {
				return tx.OAuthClient(ctx, client.ID)
			},
			func(c *blueberry.OAuthClient) { c.Version = 1 }),
		"OAuth token": roundTrip(issued, func(ctx context.Context, tx *store.Tx, n blueberry.OAuthToken) error {
			return tx.InsertOAuthToken(ctx, n)
		},
			func(ctx context.Context, tx *store.Tx) (blueberry.OAuthToken, error) {
				return tx.OAuthTokenByHash(ctx, issued.Kind, issued.Hash)
			}, nil),
		"consent": roundTrip(consent, func(ctx context.Context, tx *store.Tx, n blueberry.Consent) error { return tx.PutConsent(ctx, n) },
			func(ctx context.Context, tx *store.Tx) (blueberry.Consent, error) {
				return tx.Consent(ctx, "usr_1", "cli_1")
			}, nil),
		"device": roundTrip(waits, func(ctx context.Context, tx *store.Tx, n blueberry.DeviceAuthorization) error {
			return tx.InsertDevice(ctx, n)
		},
			func(ctx context.Context, tx *store.Tx) (blueberry.DeviceAuthorization, error) {
				return tx.DeviceByCode(ctx, waits.DeviceHash)
			}, nil),
		"device by user code": roundTrip(waits, func(ctx context.Context, tx *store.Tx, n blueberry.DeviceAuthorization) error {
			return tx.InsertDevice(ctx, n)
		},
			func(ctx context.Context, tx *store.Tx) (blueberry.DeviceAuthorization, error) {
				return tx.DeviceByUserCode(ctx, waits.UserCodeHash)
			}, nil),
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, test := range tests {
			populate(t, s)
			test(t, s)
			if t.Failed() {
				t.Fatalf("that was the %s", name)
			}
			for _, table := range []string{
				"users", "links", "identity_providers", "service_accounts", "attempts", "api_tokens", "oauth_clients",
			} { // the references take the rest along
				if _, err := s.DB().ExecContext(t.Context(), "DELETE FROM "+table); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
