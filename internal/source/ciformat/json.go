package ciformat

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// head is what tells the formats in JSON apart.
type head struct {
	Version       json.RawMessage `json:"version"` // of SARIF; a number in CycloneDX
	Runs          json.RawMessage `json:"runs"`
	SchemaVersion json.RawMessage `json:"SchemaVersion"` // of Trivy
	Results       json.RawMessage `json:"Results"`
	ArtifactName  json.RawMessage `json:"ArtifactName"`
	BOMFormat     string          `json:"bomFormat"`
	SPDXVersion   string          `json:"spdxVersion"`
}

// readJSON reads an object whose keys say what it is.
func readJSON(kind Kind, data []byte) (Result, error) {
	if err := shape(data); err != nil {
		return Result{}, err
	}
	var h head
	if err := json.Unmarshal(data, &h); err != nil {
		return Result{}, errUnknown // one of these keys is of another type: whatever it is, it is none of ours
	}
	var out Result
	var err error
	switch {
	case h.BOMFormat == "CycloneDX":
		out.SBOM, err = readCycloneDX(data)
	case strings.HasPrefix(h.SPDXVersion, "SPDX-"):
		out.SBOM, err = readSPDX(data)
	case h.Runs != nil && bytes.HasPrefix(h.Version, []byte(`"2.`)):
		var found *blueberry.CIScan
		var security bool
		found, security, err = readSARIF(data, kind)
		if security {
			out.Scan = found
		} else {
			out.Lint = found
		}
	case h.SchemaVersion != nil && (h.Results != nil || h.ArtifactName != nil):
		out.Scan, err = readTrivy(data)
	default:
		err = errUnknown
	}
	if err != nil {
		return Result{}, err
	}
	return out, nil
}

// shape holds that a document is one object, not too deep and without a key twice: which of the two counts is something that readers differ in.
func shape(data []byte) error {
	type level struct {
		seen map[string]bool // nil in a list
		key  bool            // a key is next
	}
	var levels []level
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	objects := 0
	for count := 0; ; count++ {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(levels) == 0 && count > 0 {
			return nil
		}
		top := len(levels) - 1
		text, isText := token.(string)
		switch {
		case err != nil || top < 0 && (count > 0 || token != json.Delim('{')):
			return errTruncated
		case count > 8*maxElements:
			return errMany
		case isText && levels[top].key:
			if text = strings.ToLower(strings.ToUpper(text)); levels[top].seen[text] {
				return wrong("syntax", "has a key twice")
			}
			levels[top].seen[text], levels[top].key = true, false
			continue
		case token == json.Delim('{'), token == json.Delim('['):
			if len(levels) >= maxDepth {
				return errDeep
			}
			if objects++; objects > maxObjects {
				return errMany
			}
			if token == json.Delim('[') {
				levels = append(levels, level{})
			} else {
				levels = append(levels, level{map[string]bool{}, true})
			}
			continue
		case token == json.Delim('}'), token == json.Delim(']'):
			levels = levels[:top]
		}
		if n := len(levels); n > 0 {
			levels[n-1].key = levels[n-1].seen != nil
		}
	}
}

// decode reads an object whose fields have the types of the format.
func decode(data []byte, into any) error {
	var kind *json.UnmarshalTypeError
	switch err := json.Unmarshal(data, into); {
	case errors.As(err, &kind):
		return wrong("syntax", "has a field of the wrong type: "+name(kind.Field))
	case err != nil:
		return errTruncated
	}
	return nil
}

func readCycloneDX(data []byte) (*blueberry.CISBOM, error) {
	var b struct {
		SpecVersion string `json:"specVersion"`
		Components  []struct {
			Name string `json:"name"`
		} `json:"components"`
	}
	if err := decode(data, &b); err != nil {
		return nil, err
	}
	return &blueberry.CISBOM{Format: name("CycloneDX " + b.SpecVersion), Digest: sum(data), Components: len(b.Components)}, nil
}

func readSPDX(data []byte) (*blueberry.CISBOM, error) {
	var b struct {
		Version  string `json:"spdxVersion"`
		Packages []struct {
			Name string `json:"name"`
		} `json:"packages"`
	}
	if err := decode(data, &b); err != nil {
		return nil, err
	}
	return &blueberry.CISBOM{Format: name("SPDX " + strings.TrimPrefix(b.Version, "SPDX-")), Digest: sum(data), Components: len(b.Packages)}, nil
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(s[:])
}
