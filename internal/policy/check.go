package policy

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Check tells every fault of a policy at once, those of its text with line and column.
func Check(p blueberry.Policy) error {
	var f blueberry.Faults
	f.CheckName("name", p.Name, blueberry.MaxPolicyName)
	if len(p.Text) > blueberry.MaxPolicySize {
		f.Add("text", "too_large", "has %d bytes, at most %d are allowed", len(p.Text), blueberry.MaxPolicySize)
		return f.Err()
	}
	_, found := parse(p)
	for i, x := range found {
		if i == maxFaults && len(found) > maxFaults {
			f.Add("text", "more", "has %d faults more", len(found)-maxFaults)
			break
		}
		f.Add("text", x.code, "%s (%s)", x.message, x.at)
	}
	return f.Err()
}
