package access

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Whatever a browser brings, it opens only as what it was made for and while its time lasts.
func FuzzTicket(f *testing.F) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := &SignIn{Seal: plainSeal{}, Now: func() time.Time { return now }}
	seed := func(t ticket, bound string) {
		text, err := json.Marshal(t)
		if err != nil {
			f.Fatal(err)
		}
		sealed, _ := plainSeal{}.Seal(text, bound)
		f.Add(base64.RawURLEncoding.EncodeToString(sealed))
	}
	seed(ticket{Purpose: forProvider, Expires: now.Add(time.Minute), Data: json.RawMessage(`{"state":"s"}`)}, ticketBound(forProvider))
	seed(ticket{Purpose: forPasskey, Expires: now.Add(time.Minute), Data: json.RawMessage(`{"state":"s"}`)}, ticketBound(forProvider))
	seed(ticket{Purpose: forProvider, Expires: now, Data: json.RawMessage(`{}`)}, ticketBound(forProvider))
	seed(ticket{Purpose: forProvider, Expires: now.Add(time.Minute), Data: json.RawMessage(`[]`)}, ticketBound(forProvider))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		var st providerState
		err := s.openTicket(forProvider, text, &st)
		if err != nil {
			if e, ok := err.(*blueberry.Error); !ok || e.Code != "TICKET_INVALID" { //nolint:errorlint // exactly this one
				t.Errorf("got %v", err)
			}
			return
		}
		sealed, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatalf("%q opened", text)
		}
		plain, _ := plainSeal{}.Open(sealed, ticketBound(forProvider))
		var k ticket
		if json.Unmarshal(plain, &k) != nil || k.Purpose != forProvider || !now.Before(k.Expires) {
			t.Errorf("%q opened", plain)
		}
	})
}
