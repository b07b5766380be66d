package httpapi

import (
	"fmt"
	"math/big"
	"regexp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// quantity is how Kubernetes writes amounts, without exponents: a decimal number and a unit. Its length is bounded, so that its digits are.
var quantity = regexp.MustCompile(`^([0-9]{1,19}(?:\.[0-9]{1,9})?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$`)

// parseQuantity reads an amount of "cpu" in thousandths of a core, or of "memory" or "storage" in bytes. What is finer than these units is a fault, not
// rounded: 100m of memory is a tenth of a byte, and nobody means it.
func parseQuantity(resource, text string) (int64, *blueberry.Fault) {
	fault := func(code, format string, args ...any) (int64, *blueberry.Fault) {
		return 0, &blueberry.Fault{Field: resource, Code: code, Message: fmt.Sprintf(format, args...)}
	}
	form, finest := "2Gi or 512Mi", "a whole number of bytes"
	if resource == "cpu" {
		form, finest = "2 or 1500m", "a whole number of thousandths"
	}
	m := quantity.FindStringSubmatch(text)
	if m == nil {
		return fault("pattern", "%q is not a quantity, as %s", short(text), form)
	}
	amount, ok := new(big.Rat).SetString(m[1])
	if !ok {
		return fault("pattern", "%q is not a quantity, as %s", short(text), form)
	}
	amount.Mul(amount, unit(m[2]))
	if resource == "cpu" {
		amount.Mul(amount, big.NewRat(1000, 1))
	}
	switch {
	case !amount.IsInt():
		return fault("precision", "%s is not %s", text, finest)
	case !amount.Num().IsInt64():
		return fault("range", "%s is too large", text)
	}
	return amount.Num().Int64(), nil
}

// unit is the factor of a suffix.
func unit(suffix string) *big.Rat {
	if suffix == "m" {
		return big.NewRat(1, 1000)
	}
	factor := int64(1000)
	if len(suffix) == 2 {
		factor, suffix = 1024, suffix[:1]
		if suffix == "K" {
			suffix = "k"
		}
	}
	out := big.NewRat(1, 1)
	for _, s := range "kMGTPE" {
		if suffix == "" {
			break
		}
		out.Mul(out, big.NewRat(factor, 1))
		if string(s) == suffix {
			break
		}
	}
	return out
}

// short is a text that is told back, cut where it is no quantity any more.
func short(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
