package policy

import (
	"fmt"
	"slices"
	"strings"
)

// kinds are the types of entity, and what their values are when they are few.
func kinds() map[string][]string {
	return map[string][]string{
		"User": nil, "Token": nil, "Client": nil, "Job": nil, "Environment": nil, "Object": nil, "Image": nil,
		"Action": {`"create"`, `"change"`, `"rollback"`, `"destroy"`},
	}
}

// inspect finds, in the words of a rule, what would be too dear to parse or evaluate, and names that nothing has: a rule about a "Namespace" would
// forbid nothing, and nobody would notice. Faults of the code "unknown" leave a rule that can be parsed.
func inspect(words []token) []finding {
	if len(words) > maxWords {
		return []finding{{words[0], "too_large", fmt.Sprintf("a rule of %d words, at most %d are allowed", len(words), maxWords)}}
	}
	var found []finding
	note := func(at token, code, format string, args ...any) {
		found = append(found, finding{at, code, fmt.Sprintf(format, args...)})
	}
	depth, ifs, deep := 0, 0, false
	for i, w := range words {
		next := wordAt(words, i+1)
		switch {
		case w.text == "(" || w.text == "[" || w.text == "{":
			depth++
		case w.text == ")" || w.text == "]" || w.text == "}":
			depth--
		case w.text == "if":
			ifs++
		case w.text == "?" && next.isIdent():
			note(w, "slot", "?%s is a slot of a template; a rule names what it is about itself", short(next.text))
		case w.text == "like" && len(next.text) > maxPattern:
			note(next, "too_large", "a pattern of %d bytes, at most %d are allowed", len(next.text), maxPattern)
		case w.text == "has":
			if why := chain(words, i); why != "" {
				note(w, "has", "%s", why)
			}
		}
		if depth+ifs > maxNesting && !deep {
			deep = true
			note(w, "nesting", "brackets and ifs are nested more than %d deep", maxNesting)
		}
		if name, ok := typeAt(words, i); ok {
			if message := unknown(name, words, i); message != "" {
				note(w, "unknown", "%s", message)
			}
		}
	}
	return found
}

func wordAt(words []token, i int) token {
	if i < 0 || i >= len(words) {
		return token{}
	}
	return words[i]
}

// chain tells what is wrong with the has at i. "x has a.b.c" stands for tests that each repeat x, so the parser would double x for each of them; x has
// to be a plain path.
func chain(words []token, i int) string {
	names := 1
	for j := i + 2; wordAt(words, j).text == "."; j += 2 {
		names++
	}
	if names == 1 {
		return ""
	}
	j := i - 1 // goes back over the path to its first name
	for ; ; names++ {
		if wordAt(words, j).text == "]" && wordAt(words, j-1).isString() && wordAt(words, j-2).text == "[" {
			j -= 3
		} else if wordAt(words, j).isIdent() && wordAt(words, j-1).text == "." {
			j -= 2
		} else {
			break
		}
	}
	if before := wordAt(words, j-1).text; !wordAt(words, j).isIdent() || before != "" && strings.Contains("+-*!", before) {
		return "before a has with dots stands a path alone, as resource.manifest"
	}
	if names > maxChain {
		return fmt.Sprintf("is about a path of more than %d names", maxChain)
	}
	return ""
}

// typeAt gives the type of entity whose name begins at i.
func typeAt(words []token, i int) (string, bool) {
	if !words[i].isIdent() || wordAt(words, i-1).text == "::" {
		return "", false
	}
	if wordAt(words, i-1).text != "is" && wordAt(words, i+1).text != "::" {
		return "", false
	}
	name := words[i].text
	for wordAt(words, i+1).text == "::" && wordAt(words, i+2).isIdent() {
		name += "::" + words[i+2].text
		i += 2
	}
	return name, true
}

// unknown tells that nothing has the type that begins at i, or the value after it.
func unknown(name string, words []token, i int) string {
	values, ok := kinds()[name]
	if !ok {
		return fmt.Sprintf("%q is no type of entity; there are Environment, Object, Image, User, Token, Job and Action", short(name))
	}
	value := wordAt(words, i+2)
	if len(values) == 0 || wordAt(words, i+1).text != "::" || !value.isString() || slices.Contains(values, value.text) {
		return ""
	}
	return fmt.Sprintf("%s::%s is no action; there are %s", name, short(value.text), strings.Join(values, ", "))
}
