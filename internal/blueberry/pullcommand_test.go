package blueberry_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const commit40 = "9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"

// token has the form of one of GitHub, and opens nothing.
const token = "gh" + "p_k3Jq9Zr7Wb2Xc8Vn5Mt4Ly6Hd1Gs0Pf3Aa9U"

// TestReadPullCommands: which lines of a comment are commands.
func TestReadPullCommands(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("/blueberry help\n", 7)
	for reason, c := range map[string]struct {
		text string
		want []string // "line: verb arguments", with " !" behind what has a fault
	}{
		"one line":                          {"/blueberry sleep", []string{"1: sleep"}},
		"among others":                      {"Nice.\n\n/blueberry logs web\nThanks!", []string{"3: logs web"}},
		"several":                           {"/blueberry wake\n/blueberry extend 24h", []string{"1: wake", "2: extend 24h"}},
		"the word alone asks for help":      {"/blueberry\n", []string{"1: help"}},
		"spaces before it":                  {"   /blueberry sleep  ", []string{"1: sleep"}},
		"carriage returns":                  {"/blueberry sleep\r\n/blueberry wake\r\n", []string{"1: sleep", "2: wake"}},
		"no more than five, and one to say": {many, []string{"1: help", "2: help", "3: help", "4: help", "5: help", "6: help !"}},
		"exactly five":                      {strings.Repeat("/blueberry help\n", 5), []string{"1: help", "2: help", "3: help", "4: help", "5: help"}},

		"in a sentence":                 {"please /blueberry sleep", nil},
		"another word":                  {"/blueberrysleep\n/blueberry-sleep\n/Blueberry sleep\n//blueberry sleep", nil},
		"a quotation":                   {"> /blueberry destroy\n>/blueberry destroy\n >> /blueberry destroy", nil},
		"behind a quotation":            {"> /blueberry destroy\n\n/blueberry sleep", []string{"3: sleep"}},
		"a list":                        {"- /blueberry destroy\n1. /blueberry destroy\n* /blueberry destroy", nil},
		"inline code":                   {"`/blueberry destroy`", nil},
		"a block of code":               {"```\n/blueberry destroy\n```\n/blueberry sleep", []string{"4: sleep"}},
		"a block with a language":       {"```sh\n/blueberry destroy\n```", nil},
		"tildes":                        {"~~~\n/blueberry destroy\n```\n/blueberry destroy\n~~~\n/blueberry sleep", []string{"6: sleep"}},
		"a longer fence":                {"````\n```\n/blueberry destroy\n```\n/blueberry destroy\n`````\n/blueberry sleep", []string{"7: sleep"}},
		"a fence that never ends":       {"```\n/blueberry destroy\n", nil},
		"words behind a fence end none": {"```\n``` x\n/blueberry destroy", nil},
		"three backticks within a line": {"``` x ``` y\n/blueberry sleep", []string{"2: sleep"}},
		"a fence in a list":             {"- ```\n  /blueberry destroy\n  ```\n/blueberry sleep", []string{"4: sleep"}},
		"a fence in a numbered list":    {"12) ~~~\n   /blueberry destroy\n   ~~~\n/blueberry sleep", []string{"4: sleep"}},
		"indented code":                 {"    /blueberry destroy\n\t/blueberry destroy\n \t/blueberry destroy", nil},
		"a comment that nobody sees":    {"<!-- \n/blueberry destroy\n-->\n/blueberry sleep", []string{"4: sleep"}},
		"one that ends on the line":     {"<!-- x\n--> /blueberry destroy\n/blueberry sleep", []string{"3: sleep"}},
		"one on one line":               {"<!-- x -->\n/blueberry sleep", []string{"2: sleep"}},
		"two, and the second goes on":   {"<!-- x --> y <!--\n/blueberry destroy", nil},
		"as it is":                      {"<pre>\n/blueberry destroy\n</pre>\n/blueberry sleep", []string{"4: sleep"}},
		"a word that begins so":         {"<prefix>-web\n/blueberry sleep", []string{"2: sleep"}},
		"our own answer":                {"<!-- blueberry:cmd:1 -->\n**Blueberry** for ada\n\n**/blueberry sleep**: done", nil},
		"nothing":                       {"", nil},
		"a fullwidth slash is none":     {"\uff0fblueberry destroy", nil},
		"what is not seen is no space":  {"\u200b/blueberry destroy", nil},
		"a verb in capitals is another": {"/blueberry Destroy", []string{"1: Destroy !"}},
		"an unknown verb":               {"/blueberry explode now", []string{"1: explode !"}},
		"a token as a verb is not kept": {"/blueberry " + token, []string{"1: (hidden) !"}},
		"a long verb is cut":            {"/blueberry " + strings.Repeat("x", 99), []string{"1: " + strings.Repeat("x", 31) + "… !"}},
		"too many arguments":            {"/blueberry sleep now", []string{"1: sleep now !"}},
		"an argument that is missing":   {"/blueberry extend", []string{"1: extend !"}},
		"hours":                         {"/blueberry extend 24", []string{"1: extend 24"}},
		"days":                          {"/blueberry extend 7d", []string{"1: extend 7d"}},
		"too long":                      {"/blueberry extend 8d\n/blueberry extend 169h\n/blueberry extend 0", []string{"1: extend 8d !", "2: extend 169h !", "3: extend 0 !"}},
		"no hours":                      {"/blueberry extend -1h\n/blueberry extend 1.5h\n/blueberry extend forever", []string{"1: extend -1h !", "2: extend 1.5h !", "3: extend forever !"}},
		"logs of all":                   {"/blueberry logs", []string{"1: logs"}},
		"logs of no component":          {"/blueberry logs --follow", []string{"1: logs --follow !"}},
		"a whole commit":                {"/blueberry approve " + commit40, []string{"1: approve " + commit40}},
		"part of a commit":              {"/blueberry approve " + commit40[:12], []string{"1: approve " + commit40[:12] + " !"}},
		"a branch":                      {"/blueberry approve main", []string{"1: approve main !"}},
		"a value":                       {"/blueberry set web.replicas=2", []string{"1: set web.replicas=2"}},
		"a value with spaces":           {`/blueberry set web.env.GREETING="a = b"  `, []string{`1: set web.env.GREETING="a = b"`}},
		"a component alone":             {"/blueberry set web=2", []string{"1: set web=… !"}},
		"no value":                      {"/blueberry set web.replicas", []string{"1: set web.replicas !"}},
		"no path":                       {"/blueberry set web..x=1\n/blueberry set .x=1\n/blueberry set =1", []string{"1: set web..x=… !", "2: set .x=… !", "3: set =… !"}},
		"an item of a list":             {"/blueberry set web.hosts[0]=a", []string{"1: set web.hosts[0]=… !"}},
		"an item below a quoted key":    {`/blueberry set web["a.b"][0]=a`, []string{`1: set web["a.b"][0]=… !`}},
		"a quoted key":                  {`/blueberry set web.env["A.B"]=1`, []string{`1: set web.env["A.B"]=1`}},
		"a secret by its name":          {"/blueberry set web.env.DB_PASSWORD=hunter2hunter2", []string{"1: set web.env.DB_PASSWORD=… !"}},
		"a secret by its form":          {"/blueberry set web.env.X=" + token, []string{"1: set web.env.X=… !"}},
		"a secret in a path":            {"/blueberry set web." + token, []string{"1: set (hidden) !"}},
		"a reference is no secret":      {"/blueberry set web.env.DB_PASSWORD=${DB_PASSWORD}", []string{"1: set web.env.DB_PASSWORD=${DB_PASSWORD}"}},
		"an argument that is too long":  {"/blueberry set web.x=" + strings.Repeat("y", 1000), []string{"1: set web.x=… !"}},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, x := range blueberry.ReadPullCommands(c.text) {
				line := string(rune('0'+x.Line)) + ":" + strings.TrimPrefix(x.Text(), "/blueberry")
				if x.Fault != "" {
					line += " !"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPullCommandSettings: what a value is.
func TestPullCommandSettings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		keys  []string
		value any
	}{
		"web.replicas=2":              {[]string{"web", "replicas"}, int64(2)},
		"web.share=0.5":               {[]string{"web", "share"}, 0.5},
		"web.debug=true":              {[]string{"web", "debug"}, true},
		"web.host=null":               {[]string{"web", "host"}, nil},
		"web.port=08":                 {[]string{"web", "port"}, "08"},
		"web.commit=1e4":              {[]string{"web", "commit"}, "1e4"},
		"web.id=99999999999999999999": {[]string{"web", "id"}, "99999999999999999999"},
		"web.text=a=b":                {[]string{"web", "text"}, "a=b"},
		`web.text="2"`:                {[]string{"web", "text"}, "2"},
		`web.env["A=B.C"]=x`:          {[]string{"web", "env", "A=B.C"}, "x"},
		"web.empty=":                  {[]string{"web", "empty"}, ""},
	} {
		list := blueberry.ReadPullCommands("/blueberry set " + text)
		if len(list) != 1 || list[0].Fault != "" {
			t.Errorf("%s: %+v", text, list)
			continue
		}
		keys, value := list[0].Setting()
		if !slices.Equal(keys, want.keys) || !cmp.Equal(value, want.value) {
			t.Errorf("%s: %q is %#v", text, keys, value)
		}
	}
	if n := blueberry.ReadPullCommands("/blueberry extend 2d")[0].Hours(); n != 48 {
		t.Errorf("2d are %d hours", n)
	}
}

// TestHostPermissions: what each verb needs, and what holds what.
func TestHostPermissions(t *testing.T) {
	t.Parallel()
	for _, v := range blueberry.PullVerbs() {
		form, does := v.Usage()
		if !strings.HasPrefix(form, string(v)) || does == "" || !v.Needs().Holds(blueberry.HostRead) {
			t.Errorf("%s: %q, %q, needs %s", v, form, does, v.Needs())
		}
		if write := v.Needs().Holds(blueberry.HostWrite); write == (v == blueberry.PullHelp) {
			t.Errorf("%s needs %s", v, v.Needs())
		}
	}
	if blueberry.PullApprove.Needs() != blueberry.HostAdmin || blueberry.PullVerb("explode").Needs() != blueberry.HostWrite {
		t.Error("an approval needs less than admin, or an unknown verb less than write")
	}
	order := []blueberry.HostPermission{blueberry.HostNone, blueberry.HostRead, blueberry.HostWrite, blueberry.HostAdmin}
	for i, have := range order {
		for j, need := range order {
			if have.Holds(need) != (i >= j) {
				t.Errorf("%s holds %s: %v", have, need, have.Holds(need))
			}
		}
	}
	for _, odd := range []blueberry.HostPermission{"", "owner", "ADMIN"} {
		if odd.Holds(blueberry.HostNone) || blueberry.HostAdmin.Holds(odd) {
			t.Errorf("%q holds something, or is held", odd)
		}
	}
}

// FuzzPullCommands holds what is read of any comment to its bounds, and to reading the same of what it shows.
func FuzzPullCommands(f *testing.F) {
	for _, text := range []string{
		"/blueberry sleep", "```\n/blueberry x\n```\n/blueberry logs web", "<!--\n/blueberry destroy\n-->\n/blueberry set web.env[\"A.B\"]=\"x\"", "> /blueberry wake",
		"/blueberry set web.env.DB_PASSWORD=hunter2hunter2", "/blueberry approve " + commit40, "- ```\n/blueberry extend 9d", "<pre>\n</pre>/blueberry",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list := blueberry.ReadPullCommands(text)
		if len(list) > blueberry.MaxPullCommands+1 {
			t.Errorf("%d commands", len(list))
		}
		lines := slices.Collect(strings.Lines(text))
		last := 0
		for _, c := range list {
			switch {
			case c.Line <= last || c.Line > len(lines):
				t.Errorf("line %d behind %d of %d", c.Line, last, len(lines))
			case !strings.HasPrefix(strings.TrimLeft(lines[c.Line-1], " "), "/blueberry"):
				t.Errorf("line %q is a command", lines[c.Line-1])
			case c.Fault == "" && !slices.Contains(blueberry.PullVerbs(), c.Verb):
				t.Errorf("verb %q has no fault", c.Verb)
			case utf8.ValidString(text) && len(c.Text()) > 2500:
				t.Errorf("%d bytes are kept", len(c.Text()))
			}
			last = c.Line
			if c.Fault != "" {
				continue
			}
			if again := blueberry.ReadPullCommands(c.Text()); len(again) != 1 || again[0].Fault != "" || again[0].Text() != c.Text() {
				t.Errorf("%q is read again as %+v", c.Text(), again)
			}
			if c.Verb != blueberry.PullSet {
				continue
			}
			keys, value := c.Setting()
			if len(keys) < 2 || blueberry.SecretShape(blueberry.JoinPath("", keys...), value) != "" {
				t.Errorf("%q sets %q", c.Text(), keys)
			}
		}
	})
}
