package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
)

// colours is how many a picture has: what one byte tells.
const colours = 256

// tally is what is known of colours that are almost the same.
type tally struct{ r, g, b, n int }

// quantise writes a picture with few colours, which is a third of its size. Pages have few; between those of the edges of letters nobody sees a difference.
func quantise(content []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	bounds := full.Bounds()
	tallies := map[int]*tally{}
	kind := func(r, g, b int) int { return r>>3<<10 | g>>3<<5 | b>>3 }
	at := func(x, y int) (r, g, b int) {
		c := color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)
		return int(c.R), int(c.G), int(c.B)
	}
	exact := map[[3]int]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b := at(x, y)
			exact[[3]int{r, g, b}]++
			t := tallies[kind(r, g, b)]
			if t == nil {
				t = &tally{}
				tallies[kind(r, g, b)] = t
			}
			t.r, t.g, t.b, t.n = t.r+r, t.g+g, t.b+b, t.n+1
		}
	}
	// The most frequent stay as they are: surfaces and letters.
	var palette color.Palette
	most := slices.SortedFunc(maps.Keys(exact), func(a, b [3]int) int { return cmp.Or(cmp.Compare(exact[b], exact[a]), slices.Compare(a[:], b[:])) })
	for _, c := range most[:min(len(most), colours/4)] {
		palette = append(palette, color.RGBA{uint8(c[0]), uint8(c[1]), uint8(c[2]), 255}) //nolint:gosec // of one byte each
	}
	kinds := slices.SortedFunc(maps.Keys(tallies), func(a, b int) int { return cmp.Or(cmp.Compare(tallies[b].n, tallies[a].n), cmp.Compare(a, b)) })
	for _, k := range kinds[:min(len(kinds), colours-len(palette))] {
		t := tallies[k]
		palette = append(palette, color.RGBA{uint8(t.r / t.n), uint8(t.g / t.n), uint8(t.b / t.n), 255}) //nolint:gosec // means of bytes
	}
	out := image.NewPaletted(bounds, palette)
	near := map[[3]int]uint8{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b := at(x, y)
			i, ok := near[[3]int{r, g, b}]
			if !ok {
				i = uint8(palette.Index(color.RGBA{uint8(r), uint8(g), uint8(b), 255})) //nolint:gosec // below 256
				near[[3]int{r, g, b}] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, out); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
