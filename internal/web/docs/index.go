package docs

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a search, whatever is asked.
const (
	maxQuery    = 200       // bytes that are read
	maxWords    = 8         // words that are looked for
	maxWordsFor = 200       // words of the index that one word may begin
	maxFound    = 20        // sections that are told
	maxSection  = 24 * 1024 // bytes of a section that are indexed
)

// How much a word is worth where it stands, and the two constants of BM25: what more of the same adds, and what the length of a section takes.
const (
	worthTitle     = 9.0
	worthPage      = 3.0
	worthExact     = 1.0
	worthBeginning = 0.45
	saturation     = 1.2
	lengthShare    = 0.6
)

// place is a section that can be found.
type place struct {
	Title, Page string // of the section, and of the page that it stands on; the same for the top of a page
	Area        string
	Address     string // with the fragment
	Minor       bool   // is found after what says how something is done
	text        string
}

type posting struct {
	place  int
	weight float64
}

// index finds sections by words. It is made once and never changed.
type index struct {
	places   []place
	words    []string // sorted
	postings map[string][]posting
}

// worthOf is how much a find counts: who searches mostly wants to know how something is done.
func worthOf(p place) float64 {
	switch {
	case p.Minor:
		return 0.5
	case p.Area == guideArea:
		return 1.25
	case p.Area == designArea:
		return 0.85
	}
	return 1
}

func newIndex(places []place) *index {
	x := &index{places: places, postings: map[string][]posting{}}
	lengths, sum := make([]int, len(places)), 0
	counts := make([]map[string]float64, len(places))
	for i, p := range places {
		counts[i] = map[string]float64{}
		for t := range tokens(bounded(p.text, maxSection)) {
			counts[i][t.word]++
			lengths[i]++
		}
		sum += lengths[i]
	}
	average := max(1, float64(sum)/float64(max(1, len(places))))
	for i, p := range places {
		weights := map[string]float64{}
		for word, n := range counts[i] {
			weights[word] = n * (saturation + 1) / (n + saturation*(1-lengthShare+lengthShare*float64(lengths[i])/average))
		}
		titleWords := 0
		for range tokens(p.Title) {
			titleWords++
		}
		for t := range tokens(p.Title) { // a short title is said by each of its words
			weights[t.word] += worthTitle / math.Sqrt(float64(titleWords))
		}
		for t := range tokens(p.Page) {
			weights[t.word] += worthPage / 2
		}
		for word, weight := range weights {
			x.postings[word] = append(x.postings[word], posting{i, weight * worthOf(p)})
		}
	}
	for word := range x.postings {
		x.words = append(x.words, word)
	}
	slices.Sort(x.words)
	return x
}

// token is a word of a text, in small letters, and where it stands.
type token struct {
	word       string
	start, end int
}

// tokens are the words of a text: letters and digits that stand together.
func tokens(s string) func(yield func(token) bool) {
	return func(yield func(token) bool) {
		start := -1
		for i, r := range s {
			inside := unicode.IsLetter(r) || unicode.IsDigit(r)
			switch {
			case inside && start < 0:
				start = i
			case !inside && start >= 0:
				if !yield(token{strings.ToLower(s[start:i]), start, i}) {
					return
				}
				start = -1
			}
		}
		if start >= 0 {
			yield(token{strings.ToLower(s[start:]), start, len(s)})
		}
	}
}

// bounded cuts a text between characters.
func bounded(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// wordsOf are the words that a query looks for, each once.
func wordsOf(query string) (out []string) {
	for t := range tokens(strings.ToValidUTF8(bounded(query, maxQuery), " ")) {
		if !slices.Contains(out, t.word) && len(out) < maxWords {
			out = append(out, t.word)
		}
	}
	return out
}

// stem takes the plural's end off, so that "environments" finds "environment".
func stem(word string) string {
	if len(word) > 3 && strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") {
		return word[:len(word)-1]
	}
	return word
}

// found is a section that was found.
type found struct {
	place

	Excerpt []piece
}

// piece is a part of an excerpt; one that matches is marked.
type piece struct {
	Text string
	Mark bool
}

// search gives the sections that hold the most of the words, best first. A word is found where one begins with it.
func (x *index) search(query string) (out []found) {
	words := wordsOf(query)
	type score struct {
		place, matched int
		sum            float64
	}
	scores := map[int]*score{}
	for _, word := range words {
		best := map[int]float64{}
		for _, w := range x.beginning(stem(word)) {
			worth := worthBeginning
			if w == word || w == stem(word) {
				worth = worthExact
			}
			list := x.postings[w]
			worth *= math.Log(1 + float64(len(x.places))/float64(len(list)))
			for _, p := range list {
				best[p.place] = max(best[p.place], worth*p.weight)
			}
		}
		for p, v := range best {
			if scores[p] == nil {
				scores[p] = &score{place: p}
			}
			scores[p].matched++
			scores[p].sum += v
		}
	}
	ranked := make([]*score, 0, len(scores))
	for _, s := range scores {
		ranked = append(ranked, s)
	}
	slices.SortFunc(ranked, func(a, b *score) int {
		return cmp.Or(cmp.Compare(b.matched, a.matched), cmp.Compare(b.sum, a.sum), cmp.Compare(a.place, b.place))
	})
	for _, s := range ranked[:min(len(ranked), maxFound)] {
		if s.matched < ranked[0].matched {
			break
		}
		p := x.places[s.place]
		out = append(out, found{place: p, Excerpt: excerpt(p.text, words)})
	}
	return out
}

// beginning are the words of the index that begin so.
func (x *index) beginning(word string) []string {
	from := sort.SearchStrings(x.words, word)
	to := from
	for to < len(x.words) && to-from < maxWordsFor && strings.HasPrefix(x.words[to], word) {
		to++
	}
	return x.words[from:to]
}

// Sizes of an excerpt, in bytes.
const (
	excerptBefore = 60
	excerptSize   = 220
)

// excerpt is the part of a text where most of the words stand near each other, with them marked.
func excerpt(s string, words []string) []piece {
	s = bounded(s, maxSection)
	var hits []token
	for t := range tokens(s) {
		if slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(t.word, stem(w)) }) {
			hits = append(hits, t)
		}
	}
	best, most := 0, 0
	for i, h := range hits {
		near := map[string]bool{}
		for _, other := range hits[i:min(i+2*maxWords, len(hits))] {
			if other.end < h.start+excerptSize-excerptBefore {
				near[other.word] = true
			}
		}
		if len(near) > most {
			best, most = i, len(near)
		}
	}
	from := 0
	if len(hits) > 0 && hits[best].start > excerptBefore {
		from = hits[best].start - excerptBefore
		if at := strings.IndexByte(s[from:], ' '); at >= 0 && from+at < hits[best].start {
			from += at + 1
		}
		for from > 0 && !utf8.RuneStart(s[from]) {
			from--
		}
	}
	to := len(s)
	if to > from+excerptSize {
		to = from + len(bounded(s[from:], excerptSize))
		if at := strings.LastIndexByte(s[from:to], ' '); at > 0 && !slices.ContainsFunc(hits, func(h token) bool { return h.start < to && from+at <= h.start }) {
			to = from + at
		}
	}
	var out []piece
	add := func(text string, mark bool) {
		if text != "" {
			out = append(out, piece{text, mark})
		}
	}
	if from > 0 {
		add("… ", false)
	}
	at := from
	for _, h := range hits {
		if h.start >= at && h.end <= to {
			add(s[at:h.start], false)
			add(s[h.start:h.end], true)
			at = h.end
		}
	}
	add(s[at:to], false)
	if to < len(s) {
		add(" …", false)
	}
	return out
}
