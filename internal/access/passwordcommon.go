package access

import (
	_ "embed"
	"sort"
	"strings"
	"unicode"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// commonWords are what passwords that leak again and again are made of: one word a line, in lower case. The list is our own.
//
//go:embed passwordcommon.txt
var commonWords string

// minPieces is how many pieces a password has at least, where a common word, a run of digits or keys, and a repetition count as one, and so does every
// character of the rest. "Password2026!" has three.
const minPieces = 6

// CheckNewPassword notes what is wrong with a new password: its length, what it repeats of its user, and that it is one of those tried first.
func CheckNewPassword(f *blueberry.Faults, field, password string, u blueberry.User) {
	before := len(*f)
	f.CheckPassword(field, password, u)
	if len(*f) == before && pieces(password, u) < minPieces {
		f.Add(field, "common", "is made of words, dates or runs of keys that are guessed first")
	}
}

// plainLetters undoes what people put in the place of letters.
var plainLetters = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b", "@", "a", "$", "s", "!", "i", "|", "l", "+", "t")

// keyRuns are rows of keys and the orders that everyone knows. A part of at least four, in either direction, is one piece.
func keyRuns() []string {
	return []string{
		"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
		"1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "zaq12wsx", "!@#$%^&*()",
	}
}

// pieces counts what a password is made of, going through it with the longest piece first. It is a lower bound of what a guesser has to think of, and no
// measure of strength: what it lets through may still be known from a leak.
func pieces(password string, u blueberry.User) int {
	text := []rune(strings.ToLower(password))
	words := strings.Fields(commonWords)
	local, domain, _ := strings.Cut(u.Email, "@")
	words = append(words, local, strings.SplitN(domain, ".", 2)[0], "blueberry")
	words = append(words, strings.FieldsFunc(strings.ToLower(u.Name), func(r rune) bool { return !unicode.IsLetter(r) })...)
	sort.Slice(words, func(i, j int) bool { return len(words[i]) > len(words[j]) })
	n := 0
	var units []string
	for at := 0; at < len(text); n++ {
		size := max(wordAt(text[at:], words), runAt(text[at:]), sameAt(text[at:]), digitsAt(text[at:]), 1)
		units = append(units, string(text[at:at+size]))
		at += size
	}
	return n - repeated(units)
}

// wordAt is the length of the common word that a text begins with, spelt as it is or with signs for letters.
func wordAt(text []rune, words []string) int {
	plain := plainLetters.Replace(string(text))
	for _, w := range words {
		if len(w) >= 3 && (strings.HasPrefix(plain, w) || strings.HasPrefix(string(text), w)) {
			return len([]rune(w))
		}
	}
	return 0
}

// runAt is the length of the run of keys that a text begins with; 0 below four.
func runAt(text []rune) int {
	best := 0
	for _, run := range keyRuns() {
		for _, row := range []string{run, reversed(run)} {
			for n := len(text); n >= 4 && n > best; n-- {
				if strings.Contains(row, string(text[:n])) {
					best = n
				}
			}
		}
	}
	return best
}

func sameAt(text []rune) int {
	n := 1
	for n < len(text) && text[n] == text[0] {
		n++
	}
	return n
}

// digitsAt is the length of the number that a text begins with: a date, a year, a telephone number.
func digitsAt(text []rune) int {
	n := 0
	for n < len(text) && unicode.IsDigit(text[n]) {
		n++
	}
	return n
}

// repeated counts the pieces that only repeat others: "abcabcabc" is no better than "abc".
func repeated(units []string) int {
	for size := 1; size <= len(units)/2; size++ {
		same := true
		for i := size; i < len(units) && same; i++ {
			same = units[i] == units[i-size]
		}
		if same {
			return len(units) - size
		}
	}
	return 0
}

func reversed(s string) string {
	runes := []rune(s)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}
