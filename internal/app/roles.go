package app

import "github.com/blueberry-idp/blueberry/internal/blueberry"

// Roles is docs/guide/roles.md: who holds which grant, from the code.
func Roles() string {
	return "# Roles and grants\n\n" +
		"<!-- Made by `make generate` from internal/blueberry/role.go. -->\n\n" +
		"A grant is one thing that an actor may do: `environments:create`. Roles are lists of grants. The owner is of the installation and may do everything everywhere; the other\n" +
		"roles are of a project. What no role of a project holds is the owner's alone, or that of an API token which an owner made with the grant. `blueberry role list` prints the same.\n\n" +
		blueberry.RoleTable()
}
