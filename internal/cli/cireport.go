package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type ciReportOptions struct {
	*shared
	r       sdk.ReportCIRequest
	stages  []string
	images  []string
	files   map[string]*[]string // patterns by kind
	webhook string
	secret  string // file
}

// Bounds of what is read here; the server has the same.
const (
	maxCIFile  = 10 << 20
	maxCITotal = 25 << 20
)

func newCIReport(s *shared) *cobra.Command {
	o := &ciReportOptions{shared: s, files: map[string]*[]string{}}
	c := &cobra.Command{
		Use: "report [REPOSITORY] --commit COMMIT", Short: "Say what CI says of a commit", Args: atMost(1), ValidArgsFunction: s.completeRepositories,
		Long: `Tells the server what a run of a pipeline says of a commit: its stages, the images that it has built, by digest, and the files that its tools have written. Reports of one run are put together, so each job may report for itself; a newer run takes the place of an older one; what is said twice changes nothing.

Files may be JUnit XML; Cobertura XML, LCOV or Go cover profiles; JSON of Trivy or SARIF 2.1.0; checkstyle XML; CycloneDX or SPDX in JSON. Which one it is, its content says. A pattern is a path in which * stands for anything but a slash and ** for any number of directories; quote it. One that fits nothing is a mistake.

In GitHub Actions, Gitea Actions, GitLab CI, Bitbucket Pipelines and Jenkins the commit, the branch and the run are known by themselves. For a pull request at GitHub the commit is its head, and not the merge commit that the run has checked out.

With --webhook no API token is needed: the report is signed with the webhook secret of the repository, which is read from --secret-file or $BLUEBERRY_CI_SECRET. The address names the repository then.

REPOSITORY is a name in the project, or an id.`,
		Example: `  blueberry ci report acme/shop --stage test=passed --junit 'build/test-results/**/*.xml' --coverage build/coverage.xml
  blueberry ci report acme/shop --image api=ghcr.io/acme/shop-api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --sbom sbom.json --scan trivy.json
  blueberry ci report --webhook https://blueberry.example.com/hooks/rep_06d5xw7k3c8qf2v9m4n1r0t6ya --secret-file secret --lint lint.sarif`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&o.r.Project, "project", "", "project of the repository; else the default project")
	f.StringVar(&o.r.Commit, "commit", "", "whole name of the commit; else as CI tells")
	f.StringVar(&o.r.Branch, "branch", "", "branch that the run is for; else as CI tells")
	f.StringVar(&o.r.Pipeline, "pipeline", "ci", "name of the pipeline")
	f.StringVar(&o.r.Run.ID, "run-id", "", "id of the run; else as CI tells")
	f.Int64Var(&o.r.Run.Number, "run-number", 0, "number of the run, which counts up; else as CI tells")
	f.StringVar(&o.r.Run.URL, "run-url", "", "page of the run; else as CI tells")
	f.StringVar(&o.r.Run.Job, "job", "", "job of the run whose results these are; else as CI tells")
	f.Int64Var(&o.r.Run.Attempt, "attempt", 0, "counts up when a job is tried again; else as CI tells")
	f.StringVar(&o.r.Run.Provider, "provider", "", "what runs the pipeline; else as CI tells")
	f.StringVar(&o.r.Run.StartedAt, "started-at", "", "when the run began, as 2026-01-31T09:30:00Z; else as CI tells")
	f.StringArrayVar(&o.stages, "stage", nil, "NAME=STATUS or NAME=STATUS@URL, where the status is passed, failed, skipped or running; repeatable")
	f.StringArrayVar(&o.images, "image", nil, "COMPONENT=REFERENCE, where the reference ends with its sha256 digest; repeatable")
	for _, x := range []struct{ flag, kind, help string }{
		{"junit", "junit", "JUnit XML"},
		{"coverage", "coverage", "Cobertura XML, LCOV or a Go cover profile"},
		{"scan", "scan", "JSON of Trivy, or SARIF"},
		{"lint", "lint", "SARIF or checkstyle XML"},
		{"sbom", "sbom", "CycloneDX or SPDX in JSON"},
		{"file", "auto", "any of these"},
	} {
		o.files[x.kind] = f.StringArray(x.flag, nil, "files of "+x.help+"; repeatable")
	}
	f.StringVar(&o.webhook, "webhook", "", "address of the repository's webhook: the report is signed, and no API token is needed")
	f.StringVar(&o.secret, "secret-file", "", "file with the webhook secret; else $BLUEBERRY_CI_SECRET; - is the input")
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *ciReportOptions) run(ctx context.Context, args []string) error {
	r := o.r
	wrong := o.gather(&r, args)
	if err := wrong.err(); err != nil {
		return err
	}
	if o.webhook == "" {
		client, err := o.client()
		if err != nil {
			return err
		}
		report, err := client.ReportCI(ctx, r)
		if err != nil {
			return err
		}
		return o.print(o.oneCIReport(report))
	}
	secret, err := o.signingSecret()
	if err != nil {
		return err
	}
	receipt, err := o.clientAt("").ReportCISigned(ctx, o.webhook, secret, r)
	var p *sdk.Problem
	if errors.As(err, &p) && p.Status == http.StatusUnauthorized { // it is the secret that is wrong, and no token
		return unknownError{errors.New(p.Detail)}
	}
	if err != nil {
		return err
	}
	return o.print(said(receipt, receipt.ID, receipt.Verdict+": "+receipt.Reason))
}

// gather fills the report of what flags, files and the environment say.
func (o *ciReportOptions) gather(r *sdk.ReportCIRequest, args []string) mistakes {
	var wrong mistakes
	wrong.add(o.webhook == "" && len(args) == 0, "name the repository, or its webhook with --webhook")
	wrong.add(o.webhook == "" && o.secret != "", "--secret-file signs for --webhook only")
	if len(args) > 0 {
		r.Repository = args[0]
	}
	wrong.check(fromCI(o.streams.Getenv, os.ReadFile, r))
	wrong.add(r.Commit == "", "--commit is needed: nothing here tells the commit")
	for _, x := range o.stages {
		stage, err := parseStage(x)
		wrong.check(err)
		r.Stages = append(r.Stages, stage)
	}
	for _, x := range o.images {
		component, reference, ok := strings.Cut(x, "=")
		wrong.add(!ok || component == "" || reference == "", "--image %q is not COMPONENT=REFERENCE", x)
		if r.Images == nil {
			r.Images = map[string]string{}
		}
		wrong.add(r.Images[component] != "", "--image names %s twice", component)
		r.Images[component] = reference
	}
	total := 0
	for _, kind := range []string{"junit", "coverage", "scan", "lint", "sbom", "auto"} {
		for _, pattern := range *o.files[kind] {
			found, err := matches(pattern)
			wrong.check(err)
			wrong.add(err == nil && len(found) == 0, "no file fits %q", pattern)
			for _, name := range found {
				file, err := readCIFile(kind, name)
				wrong.check(err)
				r.Files = append(r.Files, file)
				total += len(file.Content)
			}
		}
	}
	wrong.add(total > maxCITotal, "the files are larger than %d MiB together: report them in parts", maxCITotal>>20)
	wrong.add(len(o.stages)+len(o.images)+len(r.Files) == 0 && len(wrong) == 0, "there is nothing to report: name a stage, an image or files")
	return wrong
}

func (o *ciReportOptions) signingSecret() (string, error) {
	if o.secret != "" {
		return o.shared.secret(o.secret, "webhook secret")
	}
	if secret := strings.TrimSpace(o.streams.Getenv("BLUEBERRY_CI_SECRET")); secret != "" {
		return secret, nil
	}
	return "", usageErrorf("--webhook takes a secret to sign with: --secret-file or $BLUEBERRY_CI_SECRET")
}

// parseStage reads NAME=STATUS[@URL]. What CI itself calls a status is one as well.
func parseStage(text string) (sdk.CIStage, error) {
	i := strings.LastIndex(text, "=")
	if at := strings.Index(text, "@"); at >= 0 { // an address may hold another
		i = strings.LastIndex(text[:at], "=")
	}
	if i <= 0 {
		return sdk.CIStage{}, fmt.Errorf("--stage %q is not NAME=STATUS", text)
	}
	status, address, _ := strings.Cut(text[i+1:], "@")
	known := map[string]string{
		"passed": "passed", "failed": "failed", "skipped": "skipped", "running": "running", "success": "passed", "failure": "failed", "cancelled": "skipped", "canceled": "skipped",
	}
	if known[status] == "" {
		return sdk.CIStage{}, fmt.Errorf("--stage %q: %q is not passed, failed, skipped or running", text, status)
	}
	return sdk.CIStage{Name: text[:i], Status: known[status], URL: address}, nil
}

func readCIFile(kind, name string) (sdk.CIFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return sdk.CIFile{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCIFile+1))
	switch {
	case err != nil:
		return sdk.CIFile{}, err
	case len(data) > maxCIFile:
		return sdk.CIFile{}, fmt.Errorf("%s is larger than %d MiB", name, maxCIFile>>20)
	case !utf8.Valid(data):
		return sdk.CIFile{Kind: kind, Name: name, Content: base64.StdEncoding.EncodeToString(data), Encoding: "base64"}, nil
	}
	return sdk.CIFile{Kind: kind, Name: name, Content: string(data)}, nil
}
