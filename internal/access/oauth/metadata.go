package oauth

import (
	"encoding/json"
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// metadata answers RFC 8414: what a client needs to know of this server.
func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	proofs := []string{"client_secret_basic", "client_secret_post"}
	body := map[string]any{
		"issuer":                                         s.Issuer,
		"authorization_endpoint":                         s.Issuer + AuthorizePath,
		"token_endpoint":                                 s.Issuer + tokenPath,
		"revocation_endpoint":                            s.Issuer + revokePath,
		"introspection_endpoint":                         s.Issuer + introspectPath,
		"device_authorization_endpoint":                  s.Issuer + devicePath,
		"scopes_supported":                               Scopes(),
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          blueberry.OAuthFlows(),
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          append(proofs, "none"),
		"revocation_endpoint_auth_methods_supported":     append(proofs, "none"),
		"introspection_endpoint_auth_methods_supported":  proofs,
		"authorization_response_iss_parameter_supported": true,
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
