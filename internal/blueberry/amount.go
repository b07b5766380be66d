package blueberry

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Amount is money in millionths of a unit of its currency. Sums and differences of amounts are exact; what is made by a division is rounded once, to the
// nearest millionth.
type Amount int64

// MaxPrice is the highest price of a price sheet: a million for an hour of one core.
const MaxPrice = 1_000_000 * oneUnit

const oneUnit = 1_000_000

// ParseAmount reads a decimal number as "0.031": digits, and at most six more behind a point. It tells what is wrong with another text.
func ParseAmount(text string) (Amount, error) {
	whole, fraction, pointed := strings.Cut(text, ".")
	if !digits(whole) || pointed && !digits(fraction) {
		return 0, fmt.Errorf("%q is no decimal number, as 0.031", text)
	}
	if len(fraction) > 6 {
		return 0, fmt.Errorf("%q has more than six digits behind the point", text)
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", 6-len(fraction)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is too large", text)
	}
	return Amount(n), nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// String gives every digit, and two behind the point at least: "0.031", "12.00".
func (a Amount) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -n
	}
	fraction := strings.TrimRight(fmt.Sprintf("%06d", n%oneUnit), "0")
	for len(fraction) < 2 {
		fraction += "0"
	}
	return fmt.Sprintf("%s%d.%s", sign, n/oneUnit, fraction)
}

// Cents gives the amount to two digits behind the point, as a bill would have it. What is more than nothing never looks like nothing.
func (a Amount) Cents() string {
	const cent = oneUnit / 100
	if a > 0 && a < cent {
		return "less than 0.01"
	}
	up := Amount(cent / 2)
	if a < 0 {
		up = -up
	}
	return ((a + up) / cent * cent).String()
}

// Plus adds. What is too much for a number stays at the largest.
func (a Amount) Plus(b Amount) Amount {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// times gives a·n/of, rounded to the nearest and half up. All three must not be below zero, and of must be above it. What is too much for a number stays at
// the largest.
func (a Amount) times(n, of int64) Amount {
	hi, lo := bits.Mul64(uint64(a), uint64(n))
	lo, carry := bits.Add64(lo, uint64(of)/2, 0)
	hi += carry
	if hi >= uint64(of) {
		return math.MaxInt64
	}
	out, _ := bits.Div64(hi, lo, uint64(of))
	return Amount(min(out, math.MaxInt64))
}
