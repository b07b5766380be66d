package audit

import "github.com/blueberry-idp/blueberry/internal/blueberry"

// Pack gives tests the object of a run.
func Pack(run []blueberry.AuditEntry) ([]byte, error) { return pack(run) }

// Unpack gives tests the entries of an object.
func Unpack(content []byte) (entries []blueberry.AuditEntry, err error) {
	err = unpack(content, func(x archived) error {
		entries = append(entries, x.entry)
		return nil
	})
	return entries, err
}
