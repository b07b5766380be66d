package ciformat

import (
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// trivy is a report of Trivy, of schema 2.
type trivy struct {
	SchemaVersion int `json:"SchemaVersion"`
	Results       []struct {
		Target          string `json:"Target"`
		Vulnerabilities []struct {
			ID        string `json:"VulnerabilityID"`
			Package   string `json:"PkgName"`
			Path      string `json:"PkgPath"`
			Installed string `json:"InstalledVersion"`
			Fixed     string `json:"FixedVersion"`
			Severity  string `json:"Severity"`
			Title     string `json:"Title"`
		} `json:"Vulnerabilities"`
		Misconfigurations []struct {
			ID       string `json:"ID"`
			Title    string `json:"Title"`
			Severity string `json:"Severity"`
			Status   string `json:"Status"`
		} `json:"Misconfigurations"`
		Secrets []struct {
			ID       string `json:"RuleID"`
			Title    string `json:"Title"`
			Severity string `json:"Severity"`
			Line     int    `json:"StartLine"`
		} `json:"Secrets"` // without Match, which shows it
		Licenses []struct {
			Name     string `json:"Name"`
			Package  string `json:"PkgName"`
			Severity string `json:"Severity"`
		} `json:"Licenses"`
	} `json:"Results"`
}

func readTrivy(data []byte) (*blueberry.CIScan, error) {
	var r trivy
	if err := decode(data, &r); err != nil {
		return nil, err
	}
	if r.SchemaVersion != 2 {
		return nil, wrong("format", "is JSON of Trivy of another schema than 2")
	}
	out := &blueberry.CIScan{Tool: "trivy"}
	put := func(f blueberry.Finding, severity string) {
		f.Severity = severityOf(severity)
		f.ID = nonEmpty(name(f.ID), "unnamed")
		f.Package, f.Installed, f.Fixed, f.Location, f.Title = name(f.Package), name(f.Installed), name(f.Fixed), name(f.Location), line(f.Title)
		add(out, f, blueberry.MaxCIFindings)
	}
	for _, t := range r.Results {
		for _, x := range t.Vulnerabilities {
			put(blueberry.Finding{ID: x.ID, Package: x.Package, Installed: x.Installed, Fixed: x.Fixed, Location: nonEmpty(x.Path, t.Target), Title: x.Title}, x.Severity)
		}
		for _, x := range t.Misconfigurations {
			if x.Status != "PASS" && x.Status != "EXCEPTION" {
				put(blueberry.Finding{ID: x.ID, Location: t.Target, Title: x.Title}, x.Severity)
			}
		}
		for _, x := range t.Secrets {
			put(blueberry.Finding{ID: x.ID, Location: t.Target + ":" + strconv.Itoa(x.Line), Title: x.Title}, x.Severity)
		}
		for _, x := range t.Licenses {
			put(blueberry.Finding{ID: x.Name, Package: x.Package, Location: t.Target, Title: "license " + x.Name}, x.Severity)
		}
	}
	return out, nil
}

func severityOf(s string) blueberry.FindingSeverity {
	for _, x := range blueberry.Severities() {
		if strings.EqualFold(s, string(x)) {
			return x
		}
	}
	return blueberry.SeverityUnknown
}
