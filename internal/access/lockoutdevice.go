package access

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

const (
	deviceBound   = "cookie.device"
	maxDeviceText = 4 << 10 // characters: more fits in no cookie
	maxDeviceOwn  = 5       // people that one browser is known of
)

// deviceOwner is one person that signed in with a browser before.
type deviceOwner struct {
	User  string    `json:"user"`
	Nonce string    `json:"nonce"` // failures of the browser at this account count for it
	At    time.Time `json:"at"`    // of the last sign-in
}

// owners opens a device cookie. Only this server can have made it: it is sealed. What is damaged, foreign or too old is as good as none.
func (s *SignIn) owners(cookie string) []deviceOwner {
	if cookie == "" || len(cookie) > maxDeviceText {
		return nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return nil
	}
	text, err := s.Seal.Open(sealed, deviceBound)
	if err != nil {
		return nil
	}
	var all []deviceOwner
	if json.Unmarshal(text, &all) != nil {
		return nil
	}
	now := s.Now()
	return slices.DeleteFunc(all, func(o deviceOwner) bool { return !now.Before(o.At.Add(DeviceLife)) })
}

// device gives what the failures of a browser at an account count for, if the account's person signed in with it before.
func (s *SignIn) device(cookie, userID string) (nonce string, known bool) {
	if userID == "" {
		return "", false
	}
	for _, o := range s.owners(cookie) {
		if o.User == userID {
			return o.Nonce, true
		}
	}
	return "", false
}

func (s *SignIn) knowsDevice(cookie, userID string) bool {
	_, known := s.device(cookie, userID)
	return known
}

// rememberDevice gives the cookie with which a browser is known of a person, and of the last others too.
func (s *SignIn) rememberDevice(cookie, userID string) (string, error) {
	nonce, known := s.device(cookie, userID)
	if !known {
		nonce = rand.Text()
	}
	all := slices.DeleteFunc(s.owners(cookie), func(o deviceOwner) bool { return o.User == userID })
	all = append(all, deviceOwner{User: userID, Nonce: nonce, At: s.Now()})
	if len(all) > maxDeviceOwn {
		all = all[len(all)-maxDeviceOwn:]
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("write device cookie: %w", err)
	}
	sealed, err := s.Seal.Seal(text, deviceBound)
	if err != nil {
		return "", fmt.Errorf("seal device cookie: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}
