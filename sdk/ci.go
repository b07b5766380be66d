package sdk

import "time"

// PullGates are what CI must have said of a commit before it gets an environment. The zero value asks for nothing.
type PullGates struct {
	Image       bool     `json:"image,omitempty"        doc:"An image by digest" example:"true"`
	Components  []string `json:"components,omitempty"   nullable:"false" maxItems:"50" doc:"One for each of these components; empty: for any" example:"[\"api\"]"`
	Tests       bool     `json:"tests,omitempty"        doc:"Tests, none of which has failed" example:"true"`
	CoverageMin int      `json:"coverage_min,omitempty" minimum:"0" maximum:"100" doc:"Coverage of so many percent at least; 0 asks for none" example:"80"`
	ScanMax     string   `json:"scan_max,omitempty"     enum:"none,low,medium,high,critical" doc:"A scan without findings above this severity; absent asks for none" example:"medium"`
	WaitMinutes int      `json:"wait_minutes,omitempty" minimum:"0" maximum:"1440" doc:"How long what CI has not reported is waited for; 0 means 30" example:"30"`
}

// CIRun is one run of a pipeline.
type CIRun struct {
	ID         string    `json:"id,omitempty" maxLength:"255" doc:"As its provider calls it; absent: what comes later takes the place of what came before" example:"9512345678"`
	Number     int64     `json:"number,omitempty" minimum:"0" doc:"Counts up from run to run" example:"412"`
	URL        string    `json:"url,omitempty" maxLength:"2048" doc:"Its page" example:"https://github.com/acme/shop/actions/runs/9512345678"`
	Provider   string    `json:"provider,omitempty" maxLength:"100" doc:"What runs the pipeline" example:"github"`
	StartedAt  time.Time `json:"started_at,omitzero" doc:"When it began"`
	FinishedAt time.Time `json:"finished_at,omitzero" doc:"When it ended"`
}

// CIStage is one step of a run.
type CIStage struct {
	Name    string  `json:"name" minLength:"1" maxLength:"255" doc:"What it is called" example:"test"`
	Status  string  `json:"status" enum:"passed,failed,skipped,running" doc:"How it stands" example:"passed"`
	Seconds float64 `json:"seconds,omitempty" minimum:"0" doc:"How long it took" example:"42.5"`
	URL     string  `json:"url,omitempty" maxLength:"2048" doc:"Its page" example:"https://github.com/acme/shop/actions/runs/9512345678/job/1"`
}

// CIFailure is a test that did not pass.
type CIFailure struct {
	Suite   string `json:"suite,omitempty" doc:"Suite that it is in" example:"com.acme.CartTest"`
	Name    string `json:"name" doc:"The test" example:"com.acme.CartTest.sortsByPrice"`
	Message string `json:"message,omitempty" doc:"What it said, on one line" example:"expected: <3> but was: <2>"`
}

// CITests is the outcome of the tests of one job.
type CITests struct {
	Job      string      `json:"job,omitempty" doc:"Job of the run" example:"test"`
	Suites   int         `json:"suites" doc:"Suites with tests of their own" example:"12"`
	Passed   int         `json:"passed" doc:"That passed" example:"120"`
	Failed   int         `json:"failed" doc:"That failed" example:"0"`
	Errors   int         `json:"errors" doc:"That could not be run to their end" example:"0"`
	Skipped  int         `json:"skipped" doc:"That were left out" example:"3"`
	Seconds  float64     `json:"seconds,omitempty" doc:"How long they took together" example:"18.2"`
	Failures []CIFailure `json:"failures,omitempty" nullable:"false" doc:"The first 50 that did not pass; absent in lists"`
}

// CICoverage is how much of the code the tests of one job ran.
type CICoverage struct {
	Job     string `json:"job,omitempty" doc:"Job of the run" example:"test"`
	Covered int    `json:"covered" doc:"Lines that were run; of Go, statements" example:"812"`
	Total   int    `json:"total" doc:"All of them" example:"1000"`
	Percent string `json:"percent" doc:"The share, never rounded up" example:"81.2"`
}

// FindingCounts is how many findings there are, by severity.
type FindingCounts struct {
	Critical int `json:"critical" doc:"Of the worst" example:"0"`
	High     int `json:"high" doc:"Of lints: errors" example:"2"`
	Medium   int `json:"medium" doc:"Of lints: warnings" example:"5"`
	Low      int `json:"low" doc:"Of lints: notes" example:"9"`
	Unknown  int `json:"unknown" doc:"Of which nothing is known" example:"0"`
}

// Finding is one thing that a scan or a lint has found.
type Finding struct {
	ID        string `json:"id" doc:"As the tool calls it" example:"CVE-2026-1234"`
	Severity  string `json:"severity" enum:"critical,high,medium,low,unknown" doc:"How bad it is" example:"high"`
	Package   string `json:"package,omitempty" doc:"Package that it is in" example:"openssl"`
	Installed string `json:"installed,omitempty" doc:"Version that is there" example:"3.0.11-1"`
	Fixed     string `json:"fixed,omitempty" doc:"Version without it; absent while there is none" example:"3.0.13-1"`
	Location  string `json:"location,omitempty" doc:"File and line, or what was scanned" example:"go.mod"`
	Title     string `json:"title,omitempty" doc:"What it is" example:"openssl: denial of service"`
}

// CIScan is what the scans, or the lints, of one job have found.
type CIScan struct {
	Job      string        `json:"job,omitempty" doc:"Job of the run" example:"scan"`
	Tool     string        `json:"tool,omitempty" doc:"What has looked" example:"trivy"`
	Counts   FindingCounts `json:"counts" doc:"Of all findings"`
	Findings []Finding     `json:"findings,omitempty" nullable:"false" doc:"The worst first: 500 of a scan, 100 of a lint; absent in lists"`
}

// CISBOM is what is known of a bill of materials.
type CISBOM struct {
	Job        string `json:"job,omitempty" doc:"Job of the run" example:"build"`
	Format     string `json:"format" doc:"Format and its version" example:"CycloneDX 1.6"`
	Digest     string `json:"digest" doc:"Of the document, which is not kept" example:"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	Components int    `json:"components" doc:"How many it lists" example:"143"`
}

// CIReport is what the newest run of one pipeline says of one commit.
type CIReport struct {
	ID           string            `json:"id" doc:"Id of the report" example:"cir_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	RepositoryID string            `json:"repository_id" doc:"Repository of the commit" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project      string            `json:"project" doc:"Project of the repository" example:"default"`
	Commit       string            `json:"commit" doc:"Whole name of the commit" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	Branch       string            `json:"branch,omitempty" doc:"Branch that the run was for" example:"sort"`
	Pipeline     string            `json:"pipeline" doc:"Name of the pipeline" example:"ci"`
	Run          CIRun             `json:"run" doc:"The run"`
	Stages       []CIStage         `json:"stages" nullable:"false" doc:"By name"`
	Images       map[string]string `json:"images" doc:"Image of each component that it has built, by digest"`
	Tests        []CITests         `json:"tests" nullable:"false" doc:"By job"`
	Coverage     []CICoverage      `json:"coverage" nullable:"false" doc:"By job"`
	Scans        []CIScan          `json:"scans" nullable:"false" doc:"By job"`
	Lints        []CIScan          `json:"lints" nullable:"false" doc:"By job"`
	SBOMs        []CISBOM          `json:"sboms" nullable:"false" doc:"By job"`
	CreatedAt    time.Time         `json:"created_at" doc:"When the pipeline first reported on the commit"`
	UpdatedAt    time.Time         `json:"updated_at" doc:"When it last reported news"`
	Version      int64             `json:"version" doc:"Counts up with each change" example:"1"`
}

// CIReportList is a run of reports.
type CIReportList struct {
	Items      []CIReport `json:"items" nullable:"false" doc:"The newest first, without findings and failures"`
	NextBefore string     `json:"next_before,omitempty" doc:"Give it as before to read on; absent on the last run" example:"cir_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// CIReportFilter says which reports to list. The zero value asks for all that one may see.
type CIReportFilter struct {
	Project    string
	Repository string // id
	Commit     string // whole name
	Branch     string
	Pipeline   string
	Before     string // id: only older ones
	Limit      int    // 0 means the server's default
}

// CIRunRequest says which run of a pipeline, and which job of it, a report is of.
type CIRunRequest struct {
	ID         string `json:"id,omitempty" maxLength:"255" doc:"As its provider calls it; absent: its number, and without that what comes later takes the place of what came before" example:"9512345678"`
	Number     int64  `json:"number,omitempty" minimum:"0" doc:"Counts up from run to run: of two runs, the higher counts" example:"412"`
	Attempt    int64  `json:"attempt,omitempty" minimum:"0" doc:"Of the job: counts up when it is tried again. Of one attempt the worse of two results counts; of a report that names no run, the later" example:"1"`
	Job        string `json:"job,omitempty" maxLength:"255" doc:"Job of the run whose results these are" example:"test"`
	URL        string `json:"url,omitempty" maxLength:"2048" doc:"Page of the run" example:"https://github.com/acme/shop/actions/runs/9512345678"`
	Provider   string `json:"provider,omitempty" maxLength:"100" doc:"What runs the pipeline" example:"github"`
	StartedAt  string `json:"started_at,omitempty" doc:"When it began, as RFC 3339 writes it: of two runs without a number, the one that began later counts" example:"2026-01-31T09:30:00Z"`
	FinishedAt string `json:"finished_at,omitempty" doc:"When it ended, as RFC 3339 writes it" example:"2026-01-31T09:34:12Z"`
}

// CIFile is one file that a tool of CI has written.
type CIFile struct {
	Kind     string `json:"kind,omitempty" enum:"auto,junit,coverage,scan,lint,sbom" doc:"What it is for; absent: what its content says" example:"junit"`
	Name     string `json:"name,omitempty" maxLength:"1000" doc:"Name of the file, for people" example:"build/junit.xml"`
	Content  string `json:"content" doc:"All of it, at most 10 MiB" example:"<testsuite name=\"cart\" tests=\"1\"><testcase classname=\"cart\" name=\"sorts\"/></testsuite>"`
	Encoding string `json:"encoding,omitempty" enum:"text,base64" doc:"Of the content; absent means text" example:"text"`
}

// ReportCIRequest says what a pipeline has to say of a commit. It is the body of the signed call as well, without repository and project.
type ReportCIRequest struct {
	Repository string            `json:"repository,omitempty" maxLength:"255" doc:"Id of the repository, or its name in the project" example:"acme/shop"`
	Project    string            `json:"project,omitempty" maxLength:"64" doc:"Of a repository that is named by its name; absent means the default project" example:"default"`
	Commit     string            `json:"commit" doc:"Whole name of the commit" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	Branch     string            `json:"branch,omitempty" maxLength:"255" doc:"Branch that the run is for" example:"sort"`
	Pipeline   string            `json:"pipeline,omitempty" maxLength:"100" doc:"Name of the pipeline; absent means ci" example:"ci"`
	Run        CIRunRequest      `json:"run,omitzero" doc:"The run"`
	Stages     []CIStage         `json:"stages,omitempty" nullable:"false" maxItems:"100" doc:"Its steps; those that are not named stay"`
	Images     map[string]string `json:"images,omitempty" doc:"Image of each component that it has built, with its sha256 digest"`
	Files      []CIFile          `json:"files,omitempty" nullable:"false" maxItems:"2000" doc:"What its tools have written: JUnit XML; Cobertura XML, LCOV, Go cover profiles; JSON of Trivy, SARIF 2.1.0; checkstyle XML; CycloneDX, SPDX"`
}

// PullCI is what CI says of the commit that a pull request has.
type PullCI struct {
	Reports  []CIReport     `json:"reports" nullable:"false" doc:"One for each pipeline, without findings and failures"`
	Summary  string         `json:"summary,omitempty" doc:"In one line; absent while there is nothing to sum up" example:"120 tests passed, coverage 81.2 %, scan 0 critical 2 high"`
	Tests    *CITests       `json:"tests,omitempty" doc:"Of all jobs; absent when none has reported tests"`
	Coverage *CICoverage    `json:"coverage,omitempty" doc:"Of all jobs; absent when none has reported it"`
	Scan     *FindingCounts `json:"scan,omitempty" doc:"Of all jobs, without what is excepted; absent when none has reported a scan"`
	Lint     *FindingCounts `json:"lint,omitempty" doc:"Of all jobs; absent when none has reported a lint"`
	Gates    []CIGate       `json:"gates" nullable:"false" doc:"Those that the policy of the repository asks for"`
}

// CIGate is one gate, with how it stands for a commit.
type CIGate struct {
	Name     string            `json:"name" enum:"image,tests,coverage,scan" doc:"What it asks for" example:"scan"`
	State    string            `json:"state" enum:"open,waiting,closed" doc:"Waiting: CI has reported nothing that would decide it" example:"open"`
	Message  string            `json:"message" doc:"Why" example:"scan finds 0 critical 2 high; CVE-2026-1234 is excepted by ada until 2026-03-01"`
	Excepted []ExceptedFinding `json:"excepted,omitempty" nullable:"false" doc:"Findings that pass by an exception"`
}

// ExceptedFinding is a finding that an exception is for.
type ExceptedFinding struct {
	Finding     Finding   `json:"finding" doc:"The finding"`
	ExceptionID string    `json:"exception_id" doc:"Id of the exception" example:"sxc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	By          string    `json:"by" doc:"Who made it" example:"ada"`
	Until       time.Time `json:"until" doc:"Until when it counts"`
}

// ScanException lets a finding pass the gates until a time.
type ScanException struct {
	ID         string    `json:"id" doc:"Id of the exception" example:"sxc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project    string    `json:"project" doc:"Project that it counts in" example:"default"`
	Repository string    `json:"repository,omitempty" doc:"Id of the repository that it is for; absent: all of the project" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Finding    string    `json:"finding" doc:"Id of the finding" example:"CVE-2026-1234"`
	Package    string    `json:"package,omitempty" doc:"Package that it must be in; absent: any" example:"openssl"`
	Reason     string    `json:"reason" doc:"Why it may pass" example:"the code that is concerned is not reached"`
	Until      time.Time `json:"until" doc:"When it ends"`
	By         string    `json:"by" doc:"Who made it" example:"ada"`
	CreatedAt  time.Time `json:"created_at" doc:"When it was made"`
	Live       bool      `json:"live" doc:"Whether it counts now" example:"true"`
}

// ScanExceptionList is a run of exceptions.
type ScanExceptionList struct {
	Items      []ScanException `json:"items" nullable:"false" doc:"The newest first"`
	NextBefore string          `json:"next_before,omitempty" doc:"Give it as before to read on; absent on the last run" example:"sxc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// ScanExceptionFilter says which exceptions to list. The zero value asks for all that one may see.
type ScanExceptionFilter struct {
	Project    string
	Repository string // id: only those that count for it
	Live       bool   // only those that count now
	Before     string // id: only older ones
	Limit      int    // 0 means the server's default
}

// AddScanExceptionRequest lets a finding pass until a time.
type AddScanExceptionRequest struct {
	Project    string    `json:"project,omitempty" maxLength:"64" doc:"Project that it counts in; absent means that of the repository, or the default project" example:"default"`
	Repository string    `json:"repository,omitempty" maxLength:"64" doc:"Id of the repository that it is for; absent: all of the project" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Finding    string    `json:"finding" minLength:"1" maxLength:"255" doc:"Id of the finding" example:"CVE-2026-1234"`
	Package    string    `json:"package,omitempty" maxLength:"255" doc:"Package that it must be in; absent: any" example:"openssl"`
	Reason     string    `json:"reason" minLength:"1" maxLength:"1000" doc:"Why it may pass" example:"the code that is concerned is not reached"`
	Until      time.Time `json:"until" doc:"When it ends: at most 180 days ahead" example:"2026-03-01T00:00:00Z"`
}
