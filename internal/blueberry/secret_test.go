package blueberry_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// made gives a text of n characters that looks as random as a token: no real secret stands in this file, and no scanner stumbles over it.
func made(n int, set string) string {
	var b strings.Builder
	x := uint32(2463534242)
	for range n {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b.WriteByte(set[x%uint32(len(set))])
	}
	return b.String()
}

const (
	hexDigits = "0123456789abcdef"
	capitals  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	base36    = "0123456789abcdefghijklmnopqrstuvwxyz"
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func pem(kind string) string {
	return "-----BEGIN " + kind + "-----\n" + made(64, base62) + "\n" + made(64, base62) + "\n-----END " + kind + "-----\n"
}

func jwt() string {
	return "eyJ" + made(33, base62) + ".eyJ" + made(50, base62) + "." + made(43, base62)
}

func TestSecretShapeCatches(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		path  string
		value any
		says  string
	}{
		"AWS key id":                  {"backend.env.AWS_ACCESS_KEY_ID", "AKIA" + made(16, capitals), "an AWS access key"},
		"AWS temporary key id":        {"backend.env.KEY", "ASIA" + made(16, capitals), "an AWS access key"},
		"AWS key id inside a command": {"backend.command", []any{"sh", "-c", "export AWS_ACCESS_KEY_ID=AKIA" + made(16, capitals) + "; run"}, "an AWS access key"},
		"AWS secret key":              {"backend.env.AWS_SECRET_ACCESS_KEY", made(40, base62+"+/"), "a secret key"},
		"GitHub token":                {"backend.env.GH", "ghp_" + made(36, base62), "a GitHub token"},
		"GitHub fine-grained token":   {"backend.env.GH", "github_pat_" + made(22, base62) + "_" + made(59, base62), "a GitHub token"},
		"GitHub token in a URL":       {"backend.env.REPO", "https://x-access-token:ghs_" + made(36, base62) + "@github.com/acme/shop.git", "a GitHub token"},
		"GitLab token":                {"all.env.CI", "glpat-" + made(20, base62), "a GitLab token"},
		"GitLab runner token":         {"runner.runnerRegistration", "glrt-" + made(20, base62), "a GitLab token"},
		"Slack token":                 {"backend.env.SLACK", "xoxb-" + made(12, "0123456789") + "-" + made(24, base62), "a Slack token"},
		"Slack webhook":               {"alertmanager.config.url", "https://hooks.slack.com/services/T" + made(8, capitals) + "/B" + made(8, capitals) + "/" + made(24, base62), "webhook"},
		"Discord webhook":             {"backend.env.NOTIFY_URL", "https://discord.com/api/webhooks/" + made(18, "0123456789") + "/" + made(60, base62), "webhook"},
		"Stripe live key":             {"backend.env.STRIPE", "sk_live_" + made(24, base62), "a Stripe key"},
		"Stripe test key":             {"backend.env.STRIPE", "sk_test_" + made(24, base62), "a Stripe key"},
		"Stripe webhook secret":       {"backend.env.STRIPE_HOOK", "whsec_" + made(32, base62), "a Stripe key"},
		"Google API key":              {"frontend.env.MAPS", "AIza" + made(35, base62), "a Google API key"},
		"Google OAuth secret":         {"backend.env.OAUTH", "GOCSPX-" + made(28, base62), "a Google OAuth secret"},
		"Google service account": {"backend.env.GOOGLE_CREDENTIALS", `{"type": "service_account", "private_key": "` +
			strings.ReplaceAll(pem("PRIVATE KEY"), "\n", `\n`) + `"}`, "a private key"},
		"npm token":                      {"backend.env.NPM", "npm_" + made(36, base62), "an npm token"},
		"npmrc":                          {"backend.npmrc", "//registry.npmjs.org/:_authToken=" + made(36, base62), "a secret"},
		"PyPI token":                     {"backend.env.TWINE", "pypi-AgE" + made(60, base62), "a PyPI token"},
		"SendGrid key":                   {"backend.env.MAIL", "SG." + made(22, base62) + "." + made(43, base62), "a SendGrid key"},
		"our own token":                  {"backend.env.PLATFORM", "blb_" + made(43, base62), "a Blueberry API token"},
		"Twilio key":                     {"backend.env.SMS", "SK" + made(32, hexDigits), "a Twilio key"},
		"DigitalOcean token":             {"backend.env.DO", "dop_v1_" + made(64, hexDigits), "a DigitalOcean token"},
		"Vault token":                    {"backend.env.VT", "hvs." + made(24, base62), "a Vault token"},
		"OpenAI key":                     {"backend.env.LLM", "sk-proj-" + made(40, base62), "an OpenAI key"},
		"Hugging Face token":             {"backend.env.HF", "hf_" + made(34, base62), "a Hugging Face token"},
		"Docker Hub token":               {"backend.env.DOCKER", "dckr_pat_" + made(27, base62), "a Docker Hub token"},
		"Telegram token":                 {"backend.env.BOT", made(10, "123456789") + ":AA" + made(33, base62), "a Telegram token"},
		"age key":                        {"sops.age", "AGE-SECRET-KEY-1" + made(58, capitals), "an age key"},
		"JWT":                            {"backend.env.LICENCE", jwt(), "a JSON web token"},
		"JWT in a header":                {"backend.headers.Authorization", "Bearer " + jwt(), "a JSON web token"},
		"PEM":                            {"ingress.tls.key", pem("RSA PRIVATE KEY"), "a private key"},
		"PEM of OpenSSH":                 {"git.sshKeyFile", pem("OPENSSH PRIVATE KEY"), "a private key"},
		"PEM in the middle of a file":    {"nginx.extra", "server {}\n" + pem("EC PRIVATE KEY"), "a private key"},
		"PEM in base64":                  {"webhook.certs.key", base64.StdEncoding.EncodeToString([]byte(pem("PRIVATE KEY"))), "a private key"},
		"URL of a database":              {"backend.env.DATABASE_URL", "postgres://shop:s3cr3t@db:5432/shop?sslmode=disable", "a URL with a password"},
		"URL of Redis, no user":          {"backend.env.REDIS_URL", "redis://:hunter2@cache:6379/0", "a URL with a password"},
		"URL of MongoDB":                 {"backend.env.MONGO", "mongodb+srv://app:Pa55word@cluster0.mongodb.net", "a URL with a password"},
		"URL of a broker":                {"backend.env.AMQP", "amqp://guest:guest@rabbit:5672/", "a URL with a password"},
		"URL in a longer text":           {"backend.args", []any{"--dsn=mysql://root:toor99@db/shop"}, "a URL with a password"},
		"JDBC":                           {"backend.env.JDBC", "jdbc:postgresql://db/shop?user=app&password=s3cr3tvalue", "a password"},
		"ADO.NET":                        {"backend.env.CONNECTION", "Server=db;Database=shop;User Id=sa;Password=Str0ngOne!;", "a password"},
		"Azure storage":                  {"backend.env.STORAGE", "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=" + made(86, base62) + "==;EndpointSuffix=core.windows.net", "a"},
		"password":                       {"postgresql.auth.password", "s3cr3tpw", "a password"},
		"a word as a password":           {"postgresql.auth.postgresPassword", "postgres", "a password"},
		"hunter2":                        {"mysql.rootPassword", "hunter2", "a password"},
		"upper case":                     {"backend.env.DB_PASSWORD", "tiger-Lily-9", "a password"},
		"dashes":                         {"grafana.admin-password", "prom-operator", "a password"},
		"one word":                       {"mariadb.rootpassword", "Tr0ub4dor", "a password"},
		"abbreviated":                    {"backend.env.SMTP_PASS", "mail4shop", "a password"},
		"pwd":                            {"backend.env.DB_PWD", "mail4shop", "a password"},
		"passphrase":                     {"backup.passphrase", "correct horse battery staple", "a password"},
		"numbered":                       {"backend.env.PASSWORD2", "mail4shop", "a password"},
		"client secret":                  {"oidc.clientSecret", "4f8a9c1b7d2e", "a secret"},
		"client secret in words":         {"oidc.clientSecret", "mysupersecret", "a secret"},
		"JWT secret":                     {"backend.env.JWT_SECRET", "keyboardcat99", "a secret"},
		"session secret":                 {"backend.session-secret", "zebra crossing"[:5] + "Stripes", "a secret"},
		"Django":                         {"backend.env.SECRET_KEY", "django-insecure-" + made(30, base62), "a secret key"},
		"Rails":                          {"backend.env.SECRET_KEY_BASE", made(128, hexDigits), "a secret key"},
		"Laravel":                        {"backend.env.APP_KEY", "base64:" + made(43, base62) + "=", "a secret key"},
		"api key":                        {"backend.env.ACME_API_KEY", "9f3b1c7a2d", "a secret key"},
		"apikey in one word":             {"datadog.apikey", made(32, hexDigits), "a secret key"},
		"camel api key":                  {"datadog.apiKey", made(32, hexDigits), "a secret key"},
		"encryption key":                 {"n8n.encryptionKey", "Zx81!Spectrum", "a secret key"},
		"token":                          {"backend.env.CI_TOKEN", made(20, base62), "a secret"},
		"auth token":                     {"backend.authToken", "tok_83hf92jd", "a secret"},
		"credentials":                    {"backend.credentials", "admin:Zq81!tt", "a secret"},
		"basic authorisation":            {"backend.headers.x", "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:s3cr3t99")), "a header"},
		"a container's variables":        {"app.env", []any{map[string]any{"name": "LOG_LEVEL", "value": "info"}, map[string]any{"name": "DB_PASSWORD", "value": "s3cr3tpw"}}, "a password"},
		"a flag":                         {"backend.args", []any{"--db-password=s3cr3tpw"}, "a password"},
		"a flag and its value":           {"backend.args", []any{"--user", "app", "--password", "s3cr3tpw"}, "a password"},
		"a list of tokens":               {"backend.tokens", []any{made(20, base62)}, "a secret"},
		"deep in a list":                 {"users.list", []any{map[string]any{"name": "x", "auth": map[string]any{"password": "s3cr3tpw"}}}, "a password"},
		"in a file of properties":        {"backend.files", "a=b\nspring.datasource.password=s3cr3tpw\n", "a password"},
		"random, any name":               {"backend.env.X", made(32, base62), "a random text"},
		"random of 36":                   {"backend.env.SALT", made(40, base36), "a random text"},
		"random of base32":               {"backend.env.OTP_SEED", made(40, capitals), "a random text"},
		"random of base64":               {"backend.env.SEED", made(43, base62+"+/") + "=", "a random text"},
		"a path of quoted keys":          {`backend.env["db.password"]`, "s3cr3tpw", "a password"},
		"an item of a list by its index": {"backend.passwords[0]", "s3cr3tpw", "a password"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := blueberry.SecretShape(c.path, c.value)
			if got == "" || !strings.Contains(got, c.says) {
				t.Errorf("says %q, want %q", got, c.says)
			}
			if text, ok := c.value.(string); ok && strings.Contains(got, text) {
				t.Error("the answer repeats the secret")
			}
		})
	}
}

func TestSecretShapeLetsThrough(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		path  string
		value any
	}{
		"a word":                         {"backend.env.LOG_LEVEL", "info"},
		"a number":                       {"backend.env.PASSWORD_MIN_LENGTH", 12.0},
		"a length as text":               {"backend.env.PASSWORD_MIN_LENGTH", "minimum-of-12"},
		"a boolean":                      {"backend.usePassword", true},
		"nothing":                        {"backend.env.DB_PASSWORD", nil},
		"an empty password":              {"redis.auth.password", ""},
		"a reference":                    {"backend.env.DB_PASSWORD", map[string]any{"secretRef": "db/password"}},
		"a reference in a list":          {"backend.list", []any{map[string]any{"secretRef": "db/password"}}},
		"a variable":                     {"backend.env.DB_PASSWORD", "${DB_PASSWORD}"},
		"a variable of Kubernetes":       {"backend.env.DB_PASSWORD", "$(DB_PASSWORD)"},
		"a variable of a shell":          {"backend.env.DB_PASSWORD", "$DB_PASSWORD"},
		"a template":                     {"backend.password", "{{ .Values.global.password }}"},
		"vault":                          {"backend.password", "vault:secret/data/db#password"},
		"a reference of vals":            {"backend.password", "ref+awssecrets://shop/db"},
		"an ARN":                         {"backend.env.API_KEY", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf"},
		"one password":                   {"backend.password", "op://vault/item/password"},
		"what is encrypted":              {"backend.password", "ENC[AES256_GCM,data:" + made(20, base62) + ",type:str]"},
		"a token's URL":                  {"backend.env.TOKEN_URL", "https://login.acme.test/oauth/token"},
		"a URL of a token under token":   {"backend.token", "https://login.acme.test/oauth/token"},
		"the name of a Secret":           {"ingress.tlsSecret", "shop-tls-2024"},
		"the name of a Secret, existing": {"postgresql.auth.existingSecret", "shop-postgresql-7f3a"},
		"the name of a Secret, short":    {"backend.secretName", "Backend-Secret-7f3a9c"},
		"secretRef":                      {"backend.secretRef", "backend-database/url"},
		"tokenSecret":                    {"backend.tokenSecret", "ci-token-83hf92jd"},
		"imagePullSecrets":               {"global.imagePullSecrets", []any{"registry-7f3a9c1b", map[string]any{"name": "regcred-9c1b7d"}}},
		"secret as a name":               {"backend.envFrom", []any{map[string]any{"secret": "backend-database"}, map[string]any{"configMap": "backend"}}},
		"a key of a Secret": {"backend.env", []any{map[string]any{"name": "DB_PASSWORD", "valueFrom": map[string]any{
			"secretKeyRef": map[string]any{"name": "backend-db", "key": "postgres-password"},
		}}}},
		"secretKeys":                  {"auth.secretKeys.adminPasswordKey", "postgres-password"},
		"the key's name as secretKey": {"external.secretKey", "redis-password"},
		"the name as a password":      {"external.password", "redis-password"},
		"placeholder":                 {"backend.password", "changeme"},
		"placeholder, longer":         {"backend.env.API_KEY", "your-api-key-here-1234"},
		"placeholder in angles":       {"backend.env.API_KEY", "<insert key 42>"},
		"placeholder of stars":        {"backend.env.API_KEY", "************"},
		"placeholder of x":            {"backend.env.GH_TOKEN", "ghp_" + strings.Repeat("x", 36)},
		"AWS's own example":           {"backend.env.AWS_ACCESS_KEY_ID", "AKIA" + "IOSFODNN7EXAMPLE"},
		"password as its own name":    {"backend.password", "password"},
		"a mode":                      {"backend.auth.password", "scram-sha-256"},
		"PWD":                         {"backend.env.PWD", "/srv/app/current"},
		"a file of a password":        {"backend.env.DB_PASSWORD_FILE", "/run/secrets/db-7f3a9c1b"},
		"a path under password":       {"backend.password", "/run/secrets/db-password"},
		"a file's name as a key":      {"tls.privateKey", "server-2024.key"},
		"pass-through":                {"backend.bypass", "cache-control-9"},
		"proxy pass":                  {"nginx.proxy_pass", "upstream-backend-7"},
		"a short token":               {"backend.token", "abc"},
		"words as a token":            {"serviceAccount.token", "projected-volume"},
		"partition key":               {"backend.partitionKey", "tenant#2024#eu-west"},
		"a key of a cache":            {"backend.cacheKey", "Shop-V2-Products"},
		"public key":                  {"backend.publicKey", made(43, base62)},
		"ssh public key":              {"git.deployPublicKey", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5" + made(43, base62) + " ci@acme"},
		"publishable key":             {"frontend.env.STRIPE_PUBLISHABLE_KEY", "pk_live_" + made(24, base62)},
		"site key":                    {"frontend.env.RECAPTCHA_SITE_KEY", "6L" + made(38, base62)},
		"certificate":                 {"ingress.tls.crt", pem("CERTIFICATE")},
		"caBundle":                    {"webhook.caBundle", base64.StdEncoding.EncodeToString([]byte(pem("CERTIFICATE")))},
		"digest":                      {"backend.image.digest", "sha256:" + made(64, hexDigits)},
		"image":                       {"backend.image", "ghcr.io/acme/shop-backend@sha256:" + made(64, hexDigits)},
		"image with a commit":         {"backend.image", "ghcr.io/acme/shop-backend:main-" + made(40, hexDigits)},
		"commit":                      {"backend.env.COMMIT", made(40, hexDigits)},
		"checksum":                    {"backend.annotations.checksum/config", made(64, hexDigits)},
		"UUID":                        {"backend.env.TENANT", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"},
		"integrity":                   {"frontend.env.SRI", "sha384-" + made(64, base62)},
		"client id":                   {"oidc.clientID", made(32, base62)},
		"Google client id":            {"oidc.audience", "123456789012-" + made(32, base36) + ".apps.googleusercontent.com"},
		"data URI":                    {"chart.icon", "data:image/png;base64," + made(200, base62)},
		"a long document in base64":   {"dashboards.json", made(600, base62)},
		"host":                        {"backend.env.DB_HOST", "shop-db-7f3a9c1b.cluster-cyqh4mw2n9ab.eu-west-1.rds.amazonaws.com"},
		"URL without password":        {"backend.env.DATABASE_URL", "postgres://shop@db:5432/shop"},
		"URL with a reference":        {"backend.env.DATABASE_URL", "postgres://shop:${DB_PASSWORD}@db:5432/shop"},
		"URL of documentation":        {"backend.env.DATABASE_URL", "postgres://user:password@host/db"},
		"URL with an at behind":       {"backend.env.AVATAR", "https://cdn.acme.test/a/b:c@2x.png"},
		"URL of a DSN":                {"backend.env.SENTRY_DSN", "https://" + made(32, hexDigits) + "@o447951.ingest.sentry.io/5429215"},
		"a class":                     {"backend.env.FACTORY", "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration2"},
		"a long name":                 {"backend.env.BEAN", "MyVeryLongCamelCaseServiceName2FactoryBean10"},
		"a path of a bucket":          {"backend.env.PREFIX", "exports/2024/Backend2/Reports10/DailySummary"},
		"prose":                       {"backend.motd", "The password must be at least 12 characters, with a digit (see https://acme.test/help)."},
		"JSON":                        {"backend.config", `{"logging": {"level": "info"}, "tokenTTL": "15m", "passwordPolicy": {"min": 12}}`},
		"options of Java":             {"backend.env.JAVA_OPTS", "-Xmx512m -Dtoken.ttl=900 -Djavax.net.ssl.trustStorePassword=changeit"},
		"query of OAuth":              {"backend.env.LOGIN", "https://login.acme.test/authorize?response_type=token&client_id=shop-frontend-1"},
		"flags":                       {"backend.args", []any{"--password-file=/run/secrets/db", "--token-ttl=15m", "--key-type=rsa2048"}},
		"a flag without a value":      {"backend.args", []any{"--require-password", "--listen=:8080"}},
		"a cron":                      {"backend.schedule", "*/15 * * * 1-5"},
		"quantities":                  {"backend.resources.limits", map[string]any{"cpu": "500m", "memory": "512Mi"}},
		"versions":                    {"backend.env.VERSION", "v1.24.3-rc.1+build.20240131.5f3a9c"},
		"a token's settings":          {"backend.tokenExpiration", "1h30m00s"},
		"an algorithm":                {"backend.jwt.secretAlgorithm", "HS512-SHA512"},
		"a policy":                    {"backend.passwordPolicy", "Strong-2024-v3"},
		"a hint":                      {"backend.passwordHint", "Pet-Name-1999"},
		"a header's name":             {"backend.env.API_KEY_HEADER", "X-Acme-Key-2"},
		"Bearer in prose":             {"backend.help", "Send it as a Bearer token, see the documentation"},
		"regular expression":          {"backend.env.PATTERN", `^[A-Za-z0-9+/]{24,}={0,2}$`},
		"annotations":                 {"backend.ingress.annotations", map[string]any{"cert-manager.io/cluster-issuer": "letsencrypt-prod", "nginx.ingress.kubernetes.io/auth-secret": "basic-auth-7f3a9c"}},
		"tolerations":                 {"backend.tolerations", []any{map[string]any{"key": "dedicated-7f3a9c1b", "operator": "Equal", "value": "Shop2024a"}}},
		"a selector's values":         {"backend.affinity", []any{map[string]any{"key": "topology.kubernetes.io/zone", "operator": "In", "values": []any{"eu-west-1a"}}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := blueberry.SecretShape(c.path, c.value); got != "" {
				t.Errorf("is taken for %s", got)
			}
		})
	}
}

func FuzzSecretShape(f *testing.F) {
	f.Add("backend.env.DB_PASSWORD", "s3cr3tpw")
	f.Add(`a["b.c"][2]`, "postgres://a:b@c")
	f.Add("--token", "eyJ.eyJ.x")
	f.Add("key", "LS0tLS1CRUdJT=")
	f.Fuzz(func(t *testing.T, path, text string) {
		for _, v := range []any{text, []any{text, text}, map[string]any{text: text, "name": path, "value": text}} {
			got := blueberry.SecretShape(path, v)
			if got != "" && len(got) > 60 {
				t.Errorf("says too much: %q", got)
			}
		}
	})
}

func BenchmarkSecretShape(b *testing.B) {
	values := map[string]string{"LOG_LEVEL": "info", "DATABASE_HOST": "shop-db.default.svc.cluster.local", "replicas": "3", "maxConnections": "100", "DB_PASSWORD": "${X}", "motd": "The quick brown fox jumps over the lazy dog"}
	b.ReportAllocs()
	for b.Loop() {
		for k, v := range values {
			blueberry.SecretShape(k, v)
		}
	}
}
