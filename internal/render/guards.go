package render

import (
	"reflect"
	"strings"
)

// guard looks at the arguments of a function before it runs, for what the function would make of them.
type guard func(args []reflect.Value) error

// grows tells the functions whose answer is made of their arguments: only they can build a value that is larger than what was read.
func grows(name string) bool {
	switch name {
	case "list", "tuple", "dict", "set", "append", "push", "mustAppend", "mustPush", "prepend", "mustPrepend", "concat",
		"merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite", "pluck", "values", "pick", "omit", "deepCopy", "mustDeepCopy",
		"fromYaml", "fromYamlArray", "fromJson", "fromJsonArray", "mustFromJson", "fromToml":
		return true
	}
	return false
}

// guardOf gives the guard of the functions whose answer can be much larger than their arguments.
func guardOf(name string) guard {
	switch name {
	case "repeat":
		return func(a []reflect.Value) error { return product(a[0].Int(), length(a[1])) }
	case "indent", "nindent":
		return func(a []reflect.Value) error { return product(a[0].Int(), int64(strings.Count(a[1].String(), "\n")+1)) }
	case "until":
		return func(a []reflect.Value) error { return elements(a[0].Int(), 1) }
	case "untilStep":
		return func(a []reflect.Value) error { return elements(a[1].Int()-a[0].Int(), a[2].Int()) }
	case "seq":
		return func(a []reflect.Value) error {
			for i := range a[0].Len() {
				if err := elements(a[0].Index(i).Int(), 1); err != nil {
					return err
				}
			}
			return nil
		}
	case "replace":
		return func(a []reflect.Value) error { return product(length(a[1]), length(a[2])+1) }
	case "regexReplaceAll", "mustRegexReplaceAll", "regexReplaceAllLiteral", "mustRegexReplaceAllLiteral":
		return func(a []reflect.Value) error { return product(length(a[1])+1, length(a[2])) }
	case "join":
		return func(a []reflect.Value) error { return product(length(a[0]), length(a[1])) }
	case "wrapWith":
		return func(a []reflect.Value) error { return product(length(a[1]), length(a[2])) }
	case "split":
		return func(a []reflect.Value) error {
			return elements(int64(strings.Count(a[1].String(), a[0].String())), 1)
		}
	case "printf":
		return func(a []reflect.Value) error { return formatted(a[0].String(), a[1]) }
	case "print", "println", "html", "js", "urlquery", "quote", "squote", "cat":
		return func(a []reflect.Value) error { return formatted("", a[0]) }
	}
	return nil
}

func length(v reflect.Value) int64 {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Array:
		return int64(v.Len())
	default:
		return 0
	}
}

func product(a, b int64) error {
	if a > 0 && b > 0 && a > maxGrowth/b {
		return limitf("would make a text of more than %d bytes", maxGrowth)
	}
	return nil
}

func elements(span, step int64) error {
	if step < 0 {
		span, step = -span, -step
	}
	if step > 0 && span/step > maxValues || step > 0 && span < -maxValues {
		return limitf("would make a list of more than %d elements", maxValues)
	}
	return nil
}

// formatted bounds the text that fmt would make: the widths in the format, and each argument as often as the format can name it.
func formatted(format string, args reflect.Value) error {
	left := maxValues
	for i := range args.Len() {
		if !count(args.Index(i), &left, 0) {
			return limitf("would print more than %d elements", maxValues)
		}
	}
	verbs, width := int64(1), int64(0)
	var number int64
	for _, c := range format {
		switch {
		case c >= '0' && c <= '9':
			number = min(number*10+int64(c-'0'), maxString)
			continue
		case c == '%':
			verbs++
		case c == '*': // takes its width from the arguments
			for i := range args.Len() {
				if v := args.Index(i).Elem(); v.IsValid() && v.CanInt() {
					width += max(v.Int(), -v.Int())
				}
			}
		}
		width += number
		number = 0
	}
	if width > maxString {
		return limitf("would make a text of more than %d bytes", maxString)
	}
	return product(verbs, 16*int64(maxValues-left))
}
