package blueberry

import (
	"encoding/base64"
	"strings"
)

// tokenShape is a form that only secrets of one issuer have: a prefix, and characters behind it.
type tokenShape struct {
	prefix string
	body   string // characters behind the prefix: one of the sets below
	least  int    // how many of them there are at least
	exact  bool   // and no more
	what   string
}

// Sets of characters.
const (
	alnum     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	urlish    = alnum + "-_"
	dotted    = urlish + "."
	hexed     = "0123456789abcdef"
	upper     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	base64ish = alnum + "+/=-_"
)

// tokenShapes are those that the issuers document, so that leaked ones are found.
var tokenShapes = func() (byFirst [128][]tokenShape) {
	add := func(what, body string, least int, exact bool, prefixes ...string) {
		for _, p := range prefixes {
			byFirst[p[0]] = append(byFirst[p[0]], tokenShape{prefix: p, body: body, least: least, exact: exact, what: what})
		}
	}
	add("an AWS access key", upper, 16, true, "AKIA", "ASIA", "ABIA", "ACCA")
	add("a GitHub token", alnum, 36, false, "ghp_", "gho_", "ghu_", "ghs_", "ghr_")
	add("a GitHub token", alnum+"_", 30, false, "github_pat_")
	add("a GitLab token", urlish, 20, false, "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "gloas-", "glsoat-", "glagent-", "glft-", "glimt-", "glffct-")
	add("a Slack token", urlish, 10, false, "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xapp-")
	add("a Stripe key", alnum, 16, false, "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_")
	add("a Google API key", urlish, 35, true, "AIza")
	add("a Google OAuth token", urlish, 20, false, "ya29.")
	add("a Google OAuth secret", urlish, 24, false, "GOCSPX-")
	add("an npm token", alnum, 36, true, "npm_")
	add("a PyPI token", urlish, 50, false, "pypi-")
	add("a SendGrid key", dotted, 60, false, "SG.")
	add("a Blueberry API token", urlish, 16, false, "blb_")
	add("a Blueberry secret", urlish, 32, false, "bls_", "bll_", "bla_", "blr_", "blc_", "blk_", "bld_") // sessions, links, OAuth
	add("a Twilio key", hexed, 32, true, "SK")
	add("a Mailgun key", hexed, 32, true, "key-")
	add("a DigitalOcean token", hexed, 64, true, "dop_v1_", "doo_v1_", "dor_v1_")
	add("a Shopify token", hexed, 32, false, "shpat_", "shpss_", "shppa_", "shpca_")
	add("a Square token", urlish, 20, false, "sq0atp-", "sq0csp-")
	add("a Vault token", urlish, 20, false, "hvs.", "hvb.", "hvr.")
	add("an OpenAI key", urlish, 20, false, "sk-proj-", "sk-svcacct-", "sk-admin-")
	add("an Anthropic key", urlish, 20, false, "sk-ant-")
	add("a Hugging Face token", alnum, 30, false, "hf_")
	add("a Docker Hub token", urlish, 20, false, "dckr_pat_", "dckr_oat_")
	add("a Databricks token", hexed, 32, false, "dapi")
	add("a Doppler token", alnum, 40, false, "dp.pt.", "dp.st.")
	add("a Linear key", alnum, 32, false, "lin_api_")
	add("a Figma token", urlish, 36, false, "figd_")
	add("a Grafana token", alnum+"_", 32, false, "glsa_")
	add("a Grafana token", base64ish, 32, false, "glc_")
	add("a New Relic key", upper, 27, false, "NRAK-")
	add("a Sentry token", base64ish, 40, false, "sntrys_", "sntryu_")
	add("an age key", upper, 58, true, "AGE-SECRET-KEY-1")
	add("an Artifactory key", alnum, 60, false, "AKCp")
	add("a Postman key", urlish, 40, false, "PMAK-")
	add("a RubyGems key", hexed, 48, true, "rubygems_")
	add("a Supabase token", hexed, 40, true, "sbp_")
	add("a PlanetScale secret", dotted, 32, false, "pscale_tkn_", "pscale_pw_", "pscale_oauth_")
	add("an Atlassian token", base64ish, 40, false, "ATATT3", "ATBB")
	add("a Tailscale key", urlish, 20, false, "tskey-")
	add("a Fly.io token", base64ish, 40, false, "fo1_", "FlyV1 fm2_")
	return byFirst
}()

// tokenShapeIn says which issuer's secret stands in a text, anywhere in it.
func tokenShapeIn(text string) string {
	if len(text) < 16 {
		return ""
	}
	inWord := false
	for i := range len(text) {
		c := text[i]
		if !inWord && c < 128 {
			for _, s := range tokenShapes[c] {
				if s.at(text, i) {
					return s.what
				}
			}
			switch {
			case c == 'e' && strings.HasPrefix(text[i:], "eyJ") && isJWT(text[i:]):
				return "a JSON web token"
			case c == 'L' && strings.HasPrefix(text[i:], "LS0tLS1CRUdJT") && isEncodedKey(text[i:]):
				return "a private key"
			case c == 'h' && isWebhook(text[i:]):
				return "the URL of a webhook, which is a secret"
			case c >= '0' && c <= '9' && isTelegram(text[i:]):
				return "a Telegram token"
			}
		}
		if c == '-' && strings.HasPrefix(text[i:], "-----BEGIN ") {
			if line, _, ok := strings.Cut(text[i+len("-----BEGIN "):], "-----"); ok && strings.Contains(line, "PRIVATE KEY") {
				return "a private key"
			}
		}
		inWord = isLetterOrDigit(rune(c)) || c == '_'
	}
	return ""
}

func (s tokenShape) at(text string, i int) bool {
	rest, ok := strings.CutPrefix(text[i:], s.prefix)
	if !ok || len(rest) < s.least {
		return false
	}
	n := bodyLength(rest, s.body)
	if n < s.least || s.exact && n < len(rest) && n == s.least && isLetterOrDigit(rune(rest[n])) || s.exact && n > s.least {
		return false
	}
	return !isMadeUp(rest[:n])
}

func bodyLength(text, set string) int {
	n := 0
	for n < len(text) && strings.IndexByte(set, text[n]) >= 0 {
		n++
	}
	return n
}

// isMadeUp reports whether what stands behind a prefix is there for show: few different characters, or the word EXAMPLE.
func isMadeUp(body string) bool {
	var seen [256]bool
	distinct := 0
	for i := range len(body) {
		if !seen[body[i]] {
			seen[body[i]] = true
			distinct++
		}
	}
	low := strings.ToLower(body)
	return distinct < 6 || strings.Contains(low, "example") || strings.Contains(low, "xxxx") || strings.Contains(low, "your")
}

// isJWT reports whether a text begins with three parts of base64, of which the first two are JSON.
func isJWT(text string) bool {
	head := bodyLength(text, urlish)
	if head < 13 || head == len(text) || text[head] != '.' {
		return false
	}
	rest := text[head+1:]
	claims := bodyLength(rest, urlish)
	if claims < 8 || !strings.HasPrefix(rest, "eyJ") || claims == len(rest) || rest[claims] != '.' {
		return false
	}
	return bodyLength(rest[claims+1:], urlish) >= 16
}

// isEncodedKey reports whether a text is a private key in PEM, in base64.
func isEncodedKey(text string) bool {
	n := min(bodyLength(text, base64ish), 64)
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text[:n-n%4], "="))
	return err == nil && strings.Contains(string(plain), "PRIVATE KEY")
}

// isWebhook reports whether a text begins with a URL that lets whoever knows it write to a chat.
func isWebhook(text string) bool {
	for _, prefix := range []string{"https://hooks.slack.com/services/T", "https://discord.com/api/webhooks/", "https://discordapp.com/api/webhooks/"} {
		if rest, ok := strings.CutPrefix(text, prefix); ok && bodyLength(rest, urlish+"/") >= 30 && !isMadeUp(rest) {
			return true
		}
	}
	return false
}

// isTelegram reports whether a text begins with the token of a bot: 8 to 10 digits, a colon, 35 characters that begin with AA.
func isTelegram(text string) bool {
	n := bodyLength(text, "0123456789")
	if n < 8 || n > 10 || !strings.HasPrefix(text[n:], ":AA") {
		return false
	}
	body := text[n+1:]
	return bodyLength(body, urlish) == 35 && !isMadeUp(body)
}
