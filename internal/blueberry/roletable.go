package blueberry

import (
	"slices"
	"strings"
)

// RoleTable is every grant with the roles that hold it, as a table in Markdown for the docs.
func RoleTable() string {
	roles := append([]Role{RoleOwner}, ProjectRoles()...)
	var b strings.Builder
	b.WriteString("| grant |")
	for _, r := range roles {
		b.WriteString(" " + string(r) + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat(":-:|", len(roles)) + "\n")
	for _, g := range Grants() {
		b.WriteString("| `" + string(g) + "` |")
		for _, r := range roles {
			mark := "  |"
			if slices.Contains(r.Grants(), g) || slices.Contains(r.Grants(), GrantAll) {
				mark = " ● |"
			}
			b.WriteString(mark)
		}
		b.WriteString("\n")
	}
	return b.String()
}
